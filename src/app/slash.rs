//! Slash commands: everything that keys do for the open conversation, in words.

use super::group::blocked;
use super::on_compose::{COMMANDS, changed, send, typed_message};
use super::overlay::{Consent, Overlay};
use super::thread_overlay::PickFor;
use super::{Action, Model, on_thread};
use crate::model::{ConversationId, Outgoing, Role, SafeText, ThreadChange, ThreadFlag, UserId};

/// A slash command. What is no command asks before it is sent.
pub fn run(model: &mut Model, conversation: &ConversationId, command: &str) {
    let (word, rest) = command.split_once(char::is_whitespace).unwrap_or((command, ""));
    let rest = rest.trim();
    let switch = match rest.to_lowercase().as_str() {
        "on" => Some(Some(true)),
        "off" => Some(Some(false)),
        "" => Some(None),
        _ => None,
    };
    let action = match (word, switch) {
        ("me", _) if !rest.is_empty() => {
            let outgoing = Outgoing { text: rest.to_owned(), emote: true, ..Outgoing::default() };
            send(model, conversation, outgoing);
            return;
        }
        ("open", _) if !rest.is_empty() => {
            let found = super::overlay::find(&model.app, rest);
            match found.into_iter().next() {
                Some(found) => {
                    clear(model);
                    super::on_list::open(model, &found.id);
                }
                None => model.app.complain("There is no such conversation or person"),
            }
            return;
        }
        ("topic", _) if !rest.is_empty() => {
            clear(model);
            on_thread::set_topic(model, rest);
            return;
        }
        ("pin", Some(to)) => {
            clear(model);
            on_thread::set(model, ThreadFlag::Pinned, to);
            return;
        }
        ("add" | "kick" | "role", _) if !rest.is_empty() => {
            people(model, word, rest);
            return;
        }
        ("create", _) if !rest.is_empty() => {
            clear(model);
            on_thread::pick(model, PickFor::Create { topic: rest.to_owned() });
            return;
        }
        ("join", _) if !rest.is_empty() => {
            clear(model);
            on_thread::resolve(model, rest);
            return;
        }
        ("me" | "open" | "kick" | "role", _) => {
            model.app.complain(&format!("/{word} wants something after it"));
            return;
        }
        ("link" | "history" | "mute" | "pin", None) => {
            model.app.complain(&format!("/{word} on or /{word} off"));
            return;
        }
        ("link", Some(to)) => {
            clear(model);
            on_thread::set(model, ThreadFlag::JoiningEnabled, to);
            return;
        }
        ("history", Some(to)) => {
            clear(model);
            on_thread::set(model, ThreadFlag::HistoryDisclosed, to);
            return;
        }
        ("mute", Some(to)) => {
            clear(model);
            on_thread::set(model, ThreadFlag::Alerts, to.map(|muted| !muted));
            return;
        }
        ("topic", _) => "edit-topic",
        ("url", _) => "copy-join-url",
        ("members", _) => "members",
        ("add", _) => "add-members",
        ("leave", _) => "leave-group",
        ("delete", _) => "delete-history",
        ("create", _) => "create-group",
        ("join", _) => "join-group",
        ("settings", _) => "settings",
        ("preview", _) if !rest.is_empty() => {
            let text = rest.to_owned();
            if let Some(c) = model.app.opened_mut() {
                c.compose.set_text(&text);
            }
            changed(model);
            model.app.overlay = Some(Overlay::Preview);
            return;
        }
        ("preview", _) => {
            model.app.note("Alt-P shows how the text in the box will look; or /preview TEXT");
            return;
        }
        ("search", _) => {
            clear(model);
            super::search::open(model, false, rest);
            return;
        }
        ("help", _) => "help",
        ("quit", _) => "quit",
        ("unread", _) => "next-unread",
        ("read", _) => "mark-read",
        _ => {
            let reply = model.app.opened().and_then(|c| c.compose.draft.reply.clone());
            let mut outgoing = typed_message(&model.app, conversation, format!("/{command}"));
            outgoing.reply = reply;
            let known: Vec<String> = COMMANDS.iter().map(|(name, _)| format!("/{name}")).collect();
            model.app.overlay = Some(Overlay::Confirm {
                question: SafeText::line(&format!("/{word} is no command. Send it as text?")),
                detail: SafeText::line(&format!(
                    "Commands: {} · // sends a slash",
                    known.join(" ")
                )),
                consent: Consent::SendLiteral { conversation: conversation.clone(), outgoing },
            });
            return;
        }
    };
    clear(model);
    if let Some(action) = Action::named(action) {
        super::on_action(model, action);
    }
}

/// Takes a carried-out command out of the box.
fn clear(model: &mut Model) {
    model.app.toasts.clear();
    if let Some(c) = model.app.opened_mut() {
        c.compose.set_text("");
        c.compose.told_typing = None;
    }
    changed(model);
}

/// `/add`, `/kick` and `/role` with people by id, by whole name, or by a part of one that only one person has.
fn people(model: &mut Model, word: &str, rest: &str) {
    let (rest, role) = match (word, rest.rsplit_once(char::is_whitespace)) {
        ("role", Some((who, "admin"))) => (who, Role::Admin),
        ("role", Some((who, "user"))) => (who, Role::User),
        ("role", _) => {
            model.app.complain("/role NAME admin, or /role NAME user");
            return;
        }
        _ => (rest, Role::User),
    };
    let Some(c) = model.app.opened() else { return };
    let members: Vec<UserId> = c.group.members.iter().map(|m| m.id.clone()).collect();
    let id = c.info.id.clone();
    if !c.info.is_group() {
        model.app.complain("Only groups have members");
        return;
    }
    let mut found = Vec::new();
    for part in parts(rest) {
        match who(model, &part, &members, word == "add") {
            Ok(id) => found.push(id),
            Err(why) => {
                model.app.complain(&why);
                return;
            }
        }
    }
    clear(model);
    for who in found {
        let change = match word {
            "kick" => ThreadChange::Remove(who),
            _ => ThreadChange::Member(who, role),
        };
        let Some(c) = model.app.opened() else { return };
        if let Some(why) = blocked(&model.app, c, &change) {
            model.app.complain(why);
            return;
        }
        on_thread::change(model, &id, change);
    }
}

/// Ids by themselves, and the words between them as names.
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

/// The one person an id or a name means.
fn who(model: &Model, part: &str, members: &[UserId], adding: bool) -> Result<UserId, String> {
    if part.contains(':') {
        let id = UserId::new(part);
        if id.bare().is_empty() || (!adding && !members.contains(&id)) {
            return Err(format!("{part} is no member"));
        }
        return Ok(id);
    }
    let known = model.app.names.people().filter(|(id, _)| members.contains(id) != adding);
    let mut fits: Vec<(u32, &UserId)> = known
        .filter_map(|(id, name)| {
            Some((super::overlay::matches(name, part).filter(|s| *s < 4)?, id))
        })
        .collect();
    fits.sort();
    match fits.as_slice() {
        [] => Err(format!("Nobody here is called {part}; an id such as 8:joe.4 works")),
        [(best, _), (second, _), ..] if best == second => {
            Err(format!("Several people are called {part}; give the id"))
        }
        [(_, id), ..] => Ok((*id).clone()),
    }
}
