//! Answers to what was asked of sync. One that nobody waits for any more changes nothing.

use super::effect::Effect;
use super::group::{JoinUrlState, words};
use super::overlay::{Consent, Overlay};
use super::pending::{MessageChange, PendingRequest};
use super::{Model, on_list, on_thread, search, source};
use crate::model::{ConversationId, Fault, Response, Role, SafeText, ThreadChange, Ticket};

pub fn apply(model: &mut Model, ticket: Ticket, response: Response) {
    let Some(request) = model.app.pending.take(ticket) else { return };
    model.app.conversations.touch();
    match (request, response) {
        (PendingRequest::Thread { conversation, change }, Response::Done(result)) => {
            thread_changed(model, &conversation, &change, &result);
            on_thread::fetch_url_if_wanted(model);
        }
        (PendingRequest::Message { conversation, change }, Response::Done(Err(fault))) => {
            message_not_changed(model, &conversation, change, &fault);
        }
        (PendingRequest::JoinGroup(id), Response::Done(result)) => {
            joined(model, &id, &result);
        }
        (PendingRequest::CreateGroup, Response::Created(result)) => created(model, result),
        (PendingRequest::ResolveJoinUrl, Response::Resolved(result)) => {
            resolved(model, result);
        }
        (PendingRequest::JoinUrl { conversation, copy }, Response::JoinUrl(result)) => {
            join_url(model, &conversation, copy, result);
        }
        (PendingRequest::Search, Response::Found(result)) => search::found(model, result),
        (PendingRequest::Source { conversation, key, purpose }, Response::Source(items)) => {
            source::came(model, &conversation, &key, &items, purpose);
        }
        // A message that was changed comes back as a delta of its own.
        _ => {}
    }
}

fn thread_changed(
    model: &mut Model,
    id: &ConversationId,
    change: &ThreadChange,
    result: &Result<(), Fault>,
) {
    let me = model.app.me().clone();
    let now = model.app.clock.wall;
    let what = words(&model.app, change);
    let Some(c) = model.app.conversations.get_mut(id) else { return };
    if result.is_ok() {
        c.apply_change(change, &me, now);
    }
    c.note_change(&what, now, result);
    let is_user = c.my_role(&me) == Some(Role::User);
    let complaint = match (change, result) {
        (ThreadChange::Remove(who), Ok(())) if *who == me => {
            model.app.note("You have left; what you read stays readable here");
            None
        }
        (_, Ok(())) => None,
        (ThreadChange::Flag(flag, to), Err(fault)) => {
            let state = if c.known(*flag).unwrap_or(!to) { "on" } else { "off" };
            let not_allowed = !flag.is_own() && !fault.can_retry && is_user;
            let who = if not_allowed { "; only admins may change this" } else { "" };
            Some(format!("{what} stays {state}: {}{who}", fault.reason))
        }
        (_, Err(fault)) => Some(format!("{what}: {}", fault.reason)),
    };
    if let Some(text) = complaint {
        model.app.complain(&text);
    }
    model.app.conversations.sort();
}

fn message_not_changed(
    model: &mut Model,
    id: &ConversationId,
    change: MessageChange,
    fault: &Fault,
) {
    let Some(c) = model.app.conversations.get_mut(id) else { return };
    let what = match change {
        MessageChange::Edit { target, text } => {
            // What was typed goes back into the box, or one undo away when something new stands there.
            if c.compose.draft.is_empty() {
                c.compose.begin_edit(target.id, &text, target.reply, target.source);
            } else {
                let now = c.compose.text().to_owned();
                c.compose.set_text(&text);
                c.compose.set_text(&now);
            }
            "The message was not changed"
        }
        MessageChange::Delete => "The message was not deleted",
        MessageChange::React => "The reaction was not set",
    };
    model.app.complain(&format!("{what}: {}", fault.reason));
}

fn joined(model: &mut Model, id: &ConversationId, result: &Result<(), Fault>) {
    match result {
        Ok(()) => {
            if let Some(c) = model.app.conversations.get_mut(id) {
                c.info.left = false;
            }
            on_list::open(model, id);
            model.app.note("Joined");
        }
        Err(fault) => model.app.complain(&format!(
            "Joining: {}; the link may have been closed meanwhile",
            fault.reason
        )),
    }
}

/// The new group is opened at once.
fn created(model: &mut Model, result: Result<ConversationId, Fault>) {
    match result {
        Ok(id) => on_list::open(model, &id),
        Err(fault) => model.app.complain(&format!("The group was not created: {}", fault.reason)),
    }
}

/// Shows what will be joined, and asks.
fn resolved(model: &mut Model, result: Result<ConversationId, Fault>) {
    let id = match result {
        Ok(id) => id,
        Err(fault) => {
            let text = if fault.can_retry || fault.reason.contains("join") {
                fault.reason.to_string()
            } else {
                format!("The link leads nowhere: closed or expired ({})", fault.reason)
            };
            model.app.complain(&text);
            return;
        }
    };
    let known = model.app.conversations.get(&id);
    let name = known.map_or_else(|| SafeText::line("a group"), |c| model.app.title(c));
    let member = known.is_some_and(|c| !c.info.left && c.info.activity.0 > 0);
    if member {
        on_list::open(model, &id);
        model.app.note("You are a member already");
        return;
    }
    model.app.overlay = Some(Overlay::Confirm {
        question: SafeText::line(&format!("Join {name}?")),
        detail: SafeText::line(&format!("Its members will see that you joined. {}", id.as_str())),
        consent: Consent::Join(id),
    });
}

fn join_url(model: &mut Model, id: &ConversationId, copy: bool, result: Result<SafeText, Fault>) {
    let group = &mut model.app.conversations.ensure(id).group;
    match result {
        Ok(url) => {
            group.url = JoinUrlState::Known(url.clone());
            if copy {
                let (what, text) = ("the join URL".into(), url.to_string());
                model.app.effects.push(Effect::Copy { what, text });
            }
        }
        Err(fault) => {
            group.url = JoinUrlState::Failed(fault.reason.clone());
            if copy {
                model.app.complain(&format!("No join URL: {}", fault.reason));
            }
        }
    }
}
