//! Commands about members of a group: `/add`, `/kick`, `/role`.

use super::{CommandResult, clear};
use crate::app::chat::{Chat, group};
use crate::app::fuzzy::part_of;
use crate::app::model::Model;
use crate::app::overlay::{Next, Overlay, ask_remove, role_question};
use crate::model::names::likeness;
use crate::model::{ChatRef, Names, Role, ThreadChange, UserId};

/// The people that a command is about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Target {
    Members,
    Others,
}

pub fn add(model: &mut Model, chat: &ChatRef, people: &str) -> CommandResult {
    let change = |who| ThreadChange::Member(who, Role::User);
    with_people(model, chat, people, Target::Others, change, |model, people| {
        clear(model);
        change_members(model, chat, people, Role::User);
    })
}

/// Asks before anyone is removed.
pub fn kick(model: &mut Model, chat: &ChatRef, people: &str) -> CommandResult {
    with_people(model, chat, people, Target::Members, ThreadChange::Remove, |model, people| {
        if let Next::Push(question) = ask_remove(&mut model.app, chat, &people) {
            model.overlays.push(question);
        }
    })
}

/// Asks before the user gives up their own role, which they cannot take back.
pub fn role(model: &mut Model, chat: &ChatRef, args: &str) -> CommandResult {
    let (people, role) = match args.rsplit_once(char::is_whitespace) {
        Some((people, "admin")) => (people, Role::Admin),
        Some((people, "user")) => (people, Role::User),
        _ => return CommandResult::WrongArgs,
    };
    let change = |who| ThreadChange::Member(who, role);
    with_people(model, chat, people, Target::Members, change, |model, people| {
        let me = model.app.current_account().me.clone();
        if role == Role::User && people.contains(&me) {
            let question = role_question(&model.app, chat, people, role);
            model.overlays.push(Overlay::Confirm(question));
        } else {
            clear(model);
            change_members(model, chat, people, role);
        }
    })
}

fn change_members(model: &mut Model, chat: &ChatRef, people: Vec<UserId>, role: Role) {
    let people: Vec<(UserId, Role)> = people.into_iter().map(|who| (who, role)).collect();
    model.app.with_chat(chat, |chat, env| group::put_members(chat, env, &people));
}

/// Does something with people given by id, by full name, or by a unique part of a name. All of them are looked up, and
/// the change is checked for each, before anything happens.
fn with_people(
    model: &mut Model,
    at: &ChatRef,
    people: &str,
    target: Target,
    change: impl Fn(UserId) -> ThreadChange,
    work: impl FnOnce(&mut Model, Vec<UserId>),
) -> CommandResult {
    let parts = parts(people);
    if parts.is_empty() {
        return CommandResult::WrongArgs;
    }
    let found = model.app.with_chat(at, |chat, env| {
        if !chat.info.is_group() {
            return Err("Only groups have members".to_owned());
        }
        let who = parts.iter().map(|part| person(chat, env.names, part, target));
        let who = who.collect::<Result<Vec<_>, _>>()?;
        let blocked = who.iter().find_map(|id| chat.blocked(env.me, &change(id.clone())));
        blocked.map_or(Ok(who), |why| Err(why.to_string()))
    });
    match found {
        Some(Ok(people)) => work(model, people),
        Some(Err(why)) => model.app.complain(&why),
        None => {}
    }
    CommandResult::Done
}

/// Splits arguments into ids, and the words between them as names.
fn parts(text: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for part in text.split(',') {
        let mut name = String::new();
        for word in part.split_whitespace() {
            if word.contains(':') {
                out.extend([std::mem::take(&mut name), word.to_owned()]);
            } else {
                if !name.is_empty() {
                    name.push(' ');
                }
                name.push_str(word);
            }
        }
        out.push(name);
    }
    out.retain(|part| !part.is_empty());
    out
}

/// The one person that an id or a name refers to.
fn person(chat: &Chat, names: &Names, part: &str, target: Target) -> Result<UserId, String> {
    let is_member = |id: &UserId| chat.group.members.iter().any(|m| m.id == *id);
    if part.contains(':') {
        let id = UserId::new(part);
        if id.bare().is_empty() || (target == Target::Members && !is_member(&id)) {
            return Err(format!("{part} is not a member"));
        }
        return Ok(id);
    }
    // Members without a known name can be given by their id.
    let candidates: Vec<&UserId> = match target {
        Target::Members => chat.group.members.iter().map(|m| &m.id).collect(),
        Target::Others => names.people().map(|(id, _)| id).filter(|id| !is_member(id)).collect(),
    };
    let rank = |id: &UserId| {
        let is_label = likeness(&names.distinct(id)) == likeness(part);
        if is_label { Some(0) } else { part_of(&names.of(id), part) }
    };
    let mut fits: Vec<(u32, &UserId)> =
        candidates.into_iter().filter_map(|id| Some((rank(id)?, id))).collect();
    fits.sort();
    match fits.as_slice() {
        [] => Err(format!("Nobody here is called {part}; you can use an id such as 8:joe.4")),
        [(best, one), (second, other), ..] if best == second => {
            let ids = format!("{} or {}", one.as_str(), other.as_str());
            Err(format!("Several people are called {part}: use the id, such as {ids}"))
        }
        [(_, id), ..] => Ok((*id).clone()),
    }
}
