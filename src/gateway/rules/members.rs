//! Who is in a group: adding, joining, roles, leaving.

use super::super::api_error::ApiError;
use super::super::chat_key::ChatKey;
use super::super::storage::{MemberRow, Participant, ThreadRow};
use super::threads::chat;
use super::{Activity, Work, member_thread, xml};
use crate::model::{Role, UserId};

pub const MAX_MEMBERS: usize = 2_000;
/// The names of those who were added, in one line of the chat; more of them make more lines.
const MAX_TARGETS: usize = 64 * 1024;

/// # Errors
/// When the id is not a person's.
pub fn check_id(me: &UserId, id: &UserId) -> Result<(), ApiError> {
    match ChatKey::of(me, id.as_str()) {
        Some(ChatKey::Pair(_)) => Ok(()),
        Some(ChatKey::Notes(_)) if id == me => Ok(()),
        _ => Err(ApiError::bad("The member's id is malformed.")),
    }
}

/// Adds someone, sets a role, or joins an open group.
///
/// # Errors
/// When the caller may not, or the group is full.
pub fn put(
    work: &mut Work<'_>,
    me: &UserId,
    id: &str,
    target: &UserId,
    role: Role,
) -> Result<(), ApiError> {
    add(work, me, id, &[MemberRow { id: target.clone(), role }])
}

/// Adds people, or sets the roles of those who are in already.
///
/// # Errors
/// When the caller may not, or the group is full.
pub fn add(
    work: &mut Work<'_>,
    me: &UserId,
    id: &str,
    members: &[MemberRow],
) -> Result<(), ApiError> {
    for member in members {
        check_id(me, &member.id)?;
    }
    let thread = work.store.thread(id)?.ok_or(ApiError::no_conversation())?;
    let mut new: Vec<MemberRow> = Vec::new();
    for member in members {
        let place = work.store.participant(&chat(id), &member.id)?;
        match place.filter(Participant::is_present) {
            Some(place) => set_role(work, me, id, member, place.role)?,
            None if new.iter().any(|known| known.id == member.id) => {}
            None => new.push(member.clone()),
        }
    }
    if new.is_empty() {
        return Ok(());
    }
    let new = admitted(work, me, &thread, new)?;
    work.store.add_members(id, &new, thread.history, work.now)?;
    note_added(work, id, me, &new)
}

/// Those who may come in, with the roles they get.
fn admitted(
    work: &Work<'_>,
    me: &UserId,
    thread: &ThreadRow,
    mut new: Vec<MemberRow>,
) -> Result<Vec<MemberRow>, ApiError> {
    let place = work.store.participant(&chat(&thread.id), me)?;
    let my_role = place.and_then(|place| place.role);
    let room = usize::try_from(thread.member_count).map_or(0, |n| MAX_MEMBERS.saturating_sub(n));
    if new.len() > room {
        return Err(ApiError::forbidden("The group is full."));
    }
    match (my_role, new.as_mut_slice()) {
        (None, [own]) if own.id == *me && thread.joining => own.role = Role::User,
        (None, [own]) if own.id == *me => {
            return Err(ApiError::forbidden("Joining by link is turned off."));
        }
        (None, _) => return Err(ApiError::not_a_member()),
        (Some(Role::User), new) if new.iter().any(|member| member.role == Role::Admin) => {
            return Err(ApiError::admins_only());
        }
        (Some(_), _) => {}
    }
    Ok(new)
}

fn set_role(
    work: &mut Work<'_>,
    me: &UserId,
    id: &str,
    member: &MemberRow,
    known: Option<Role>,
) -> Result<(), ApiError> {
    let (_, caller) = member_thread(work.store, id, me)?;
    if known == Some(member.role) {
        return Ok(());
    }
    if caller.role != Some(Role::Admin) {
        return Err(ApiError::admins_only());
    }
    work.store.set_role(id, &member.id, member.role)?;
    let role = if member.role == Role::Admin { "admin" } else { "user" };
    let target = xml(member.id.as_str());
    let inner = format!("<target><id>{target}</id><role>{role}</role></target>");
    work.note_activity(id, Activity::RoleUpdate, me, &inner)
}

/// Leaves the lines about people who were added.
pub fn note_added(
    work: &mut Work<'_>,
    id: &str,
    by: &UserId,
    members: &[MemberRow],
) -> Result<(), ApiError> {
    let mut targets = String::new();
    for member in members {
        if targets.len() > MAX_TARGETS {
            work.note_activity(id, Activity::AddMember, by, &targets)?;
            targets.clear();
        }
        targets.push_str(&target_tag(&member.id));
    }
    work.note_activity(id, Activity::AddMember, by, &targets)
}

fn target_tag(id: &UserId) -> String {
    format!("<target>{}</target>", xml(id.as_str()))
}

/// Takes someone out of a group; everyone may take out themselves.
///
/// # Errors
/// When the caller may not, or there is no such member.
pub fn remove(work: &mut Work<'_>, me: &UserId, id: &str, target: &UserId) -> Result<(), ApiError> {
    let (_, caller) = member_thread(work.store, id, me)?;
    if target != me && caller.role != Some(Role::Admin) {
        return Err(ApiError::admins_only());
    }
    let place = work.store.participant(&chat(id), target)?;
    if !place.is_some_and(|place| place.is_present()) {
        return Err(ApiError::not_found("There is no such member."));
    }
    // Before the removal, so that the leaver still gets the line about it.
    work.note_activity(id, Activity::DeleteMember, me, &target_tag(target))?;
    work.store.remove_member(id, target)?;
    work.announce_conversation(target, &chat(id));
    work.announce_thread(id)
}
