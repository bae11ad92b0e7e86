//! Group members: adding, joining, roles and leaving.

use super::super::api_error::ApiError;
use super::super::chat_key::ChatKey;
use super::super::directory::Directory;
use super::super::storage::{MemberRow, ThreadRow};
use super::threads::chat;
use super::{Activity, Work, check_known, member_thread, xml};
use crate::model::{Role, UserId};
use std::collections::HashSet;

pub const MAX_MEMBERS: usize = 2_000;
/// Maximum length of the list of added members in one system message, in bytes. Further members need further messages.
const MAX_TARGETS: usize = 64 * 1024;

pub const FULL: ApiError = ApiError::too_large("A group can have at most 2,000 members.");

/// # Errors
/// If the id is not valid, or there is no such person.
pub fn check_id(directory: &Directory, me: &UserId, id: &UserId) -> Result<(), ApiError> {
    match ChatKey::of(me, id.as_str()) {
        Some(ChatKey::Pair(_)) => {}
        Some(ChatKey::Notes(_)) if id == me => {}
        _ => return Err(ApiError::bad("The member's id is malformed.")),
    }
    check_known(directory, std::slice::from_ref(id))
}

/// Adds a member, joins an open group, or sets the role of a member. Without a role, a member is not changed.
///
/// # Errors
/// If the caller is not allowed to do this, or the group is full.
pub fn put(
    work: &mut Work<'_>,
    me: &UserId,
    id: &str,
    target: &UserId,
    role: Option<Role>,
) -> Result<(), ApiError> {
    let place = work.store.participant(&chat(id), target)?;
    match (place.and_then(|place| place.role), role) {
        (Some(known), Some(role)) => set_role(work, me, id, target, (known, role)),
        (Some(_), None) => member_thread(work.store, id, me).map(drop),
        (None, role) => {
            let new = MemberRow { id: target.clone(), role: role.unwrap_or_default() };
            add(work, me, id, &[new])
        }
    }
}

/// Adds members. Existing members keep their roles.
///
/// # Errors
/// If the caller is not allowed to do this, or the group is full.
pub fn add(
    work: &mut Work<'_>,
    me: &UserId,
    id: &str,
    members: &[MemberRow],
) -> Result<(), ApiError> {
    for member in members {
        check_id(work.directory, me, &member.id)?;
    }
    let thread = work.store.thread(id)?.ok_or(ApiError::no_conversation())?;
    let mut seen = HashSet::new();
    let mut new: Vec<MemberRow> = Vec::new();
    for member in members.iter().filter(|member| seen.insert(&member.id)) {
        let place = work.store.participant(&chat(id), &member.id)?;
        if !place.is_some_and(|place| place.is_present()) {
            new.push(member.clone());
        }
    }
    if new.is_empty() {
        return member_thread(work.store, id, me).map(drop);
    }
    let new = admitted(work, me, &thread, new)?;
    work.store.add_members(id, &new, thread.history, work.now)?;
    note_added(work, id, me, &new)
}

/// Checks whether the caller may add these members.
fn admitted(
    work: &Work<'_>,
    me: &UserId,
    thread: &ThreadRow,
    mut new: Vec<MemberRow>,
) -> Result<Vec<MemberRow>, ApiError> {
    let place = work.store.participant(&chat(&thread.id), me)?;
    let my_role = place.and_then(|place| place.role);
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
    let room = usize::try_from(thread.member_count).map_or(0, |n| MAX_MEMBERS.saturating_sub(n));
    if new.len() > room {
        return Err(FULL);
    }
    Ok(new)
}

fn set_role(
    work: &mut Work<'_>,
    me: &UserId,
    id: &str,
    target: &UserId,
    (known, role): (Role, Role),
) -> Result<(), ApiError> {
    let (_, caller) = member_thread(work.store, id, me)?;
    // Clients that join by link ask for the role of a user. This must not demote an admin who opens the link.
    let joins_again = target == me && role == Role::User;
    if known == role || joins_again {
        return Ok(());
    }
    if caller.role != Some(Role::Admin) {
        return Err(ApiError::admins_only());
    }
    change_role(work, me, id, target, role)
}

fn change_role(
    work: &mut Work<'_>,
    by: &UserId,
    id: &str,
    target: &UserId,
    role: Role,
) -> Result<(), ApiError> {
    work.store.set_role(id, target, role)?;
    let title = if role == Role::Admin { "admin" } else { "user" };
    let inner = format!("<target><id>{}</id><role>{title}</role></target>", xml(target.as_str()));
    work.note_activity(id, Activity::RoleUpdate, by, &inner)
}

/// Posts the system messages about added members.
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

/// Removes a member. Every member may leave.
///
/// # Errors
/// If the caller is not allowed to do this, or there is no such member.
pub fn remove(work: &mut Work<'_>, me: &UserId, id: &str, target: &UserId) -> Result<(), ApiError> {
    let (_, caller) = member_thread(work.store, id, me)?;
    if target != me && caller.role != Some(Role::Admin) {
        return Err(ApiError::admins_only());
    }
    let place = work.store.participant(&chat(id), target)?;
    let role = place.and_then(|place| place.role);
    let role = role.ok_or(ApiError::not_found("There is no such member."))?;
    // Before the removal, so that the former member still gets this message.
    work.note_activity(id, Activity::DeleteMember, me, &target_tag(target))?;
    work.store.remove_member(id, target)?;
    work.announce_conversation(target, &chat(id));
    if role == Role::Admin {
        keep_an_admin(work, me, id)?;
    }
    work.announce_thread(id)
}

/// If there is no admin left, makes the member who joined first an admin.
fn keep_an_admin(work: &mut Work<'_>, by: &UserId, id: &str) -> Result<(), ApiError> {
    let members = work.store.members(id)?;
    match members.first() {
        Some(longest) if members.iter().all(|member| member.role != Role::Admin) => {
            change_role(work, by, id, &longest.id, Role::Admin)
        }
        _ => Ok(()),
    }
}
