//! Answers to what was asked for under a ticket. One that nobody waits for any more changes nothing.

use super::effect::Effect;
use super::group::{JoinUrlState, Wish, words};
use super::overlay::{Consent, Overlay};
use super::state::{FlagState, Pending};
use super::{Model, on_list};
use crate::model::{ConversationId, Fault, Role, SafeText, ThreadChange, ThreadFlag, Ticket};

/// Ends the wait for what was asked under this ticket; `None` when nobody waits.
fn take(model: &mut Model, ticket: Ticket) -> Option<Wish> {
    let at = model.app.wishes.iter().position(|(t, _)| *t == ticket)?;
    Some(model.app.wishes.remove(at).1)
}

/// The answer to a setting or a change of a message; an old ticket names nothing any more.
pub fn done(
    model: &mut Model,
    ticket: Ticket,
    result: &Result<(), Fault>,
    effects: &mut Vec<Effect>,
) {
    if let Some(wish) = take(model, ticket) {
        joined(model, &wish, result, effects);
        return;
    }
    let me = model.app.me().clone();
    let now = model.app.clock.wall;
    let with_ticket = |c: &&super::state::ConversationState| {
        c.pending.iter().any(|(t, _)| *t == ticket)
            || c.group.pending.iter().any(|(t, _)| *t == ticket)
            || c.settings
                .values()
                .any(|s| matches!(s, FlagState::Changing { ticket: t, .. } if *t == ticket))
    };
    let Some(id) = model.app.conversations.iter().find(with_ticket).map(|c| c.info.id.clone())
    else {
        return;
    };
    let mut complaint = None;
    let mut finished = None;
    if let Some(c) = model.app.conversations.get_mut(&id) {
        let changing = c.settings.iter().find_map(|(flag, s)| match s {
            FlagState::Changing { from, to, ticket: t } if *t == ticket => {
                Some((*flag, *from, *to))
            }
            _ => None,
        });
        if let Some((flag, from, to)) = changing {
            match result {
                Ok(()) => {
                    c.know(flag, to);
                    match flag {
                        ThreadFlag::Alerts => c.info.muted = !to,
                        ThreadFlag::Pinned => c.info.pinned = to,
                        ThreadFlag::JoiningEnabled => c.group.url = JoinUrlState::Unknown,
                        ThreadFlag::HistoryDisclosed => {}
                    }
                }
                Err(fault) => {
                    c.know(flag, from);
                    let may = fault.can_retry || c.my_role(&me) != Some(Role::User);
                    let who =
                        if flag.is_own() || may { "" } else { "; only admins may change this" };
                    complaint = Some(format!(
                        "{} stays {}: {}{who}",
                        flag.label(),
                        if from { "on" } else { "off" },
                        fault.reason
                    ));
                }
            }
            c.note_change(flag.label(), now, result);
        }
        if let Some(at) = c.group.pending.iter().position(|(t, _)| *t == ticket) {
            let (_, change) = c.group.pending.remove(at);
            if result.is_ok() {
                c.apply_change(&change, &me, now);
            }
            finished = Some(change);
        }
        if let Some(at) = c.pending.iter().position(|(t, _)| *t == ticket) {
            let (_, pending) = c.pending.remove(at);
            if let Err(fault) = result {
                let what = match pending {
                    Pending::Edit { target, text } => {
                        // What was typed goes back into the box, or one undo away when something new stands there.
                        if c.compose.draft.is_empty() {
                            let source = target.source.clone();
                            c.compose.begin_edit(target.id.clone(), &text, target.reply, source);
                        } else {
                            let now = c.compose.text().to_owned();
                            c.compose.set_text(&text);
                            c.compose.set_text(&now);
                        }
                        "The message was not changed"
                    }
                    Pending::Delete => "The message was not deleted",
                    Pending::React => "The reaction was not set",
                };
                complaint = Some(format!("{what}: {}", fault.reason));
            }
        }
    }
    if let Some(change) = finished {
        let what = words(&model.app, &change);
        if let Some(c) = model.app.conversations.get_mut(&id) {
            c.note_change(&what, now, result);
        }
        match result {
            Err(fault) => complaint = Some(format!("{what}: {}", fault.reason)),
            Ok(()) if matches!(change, ThreadChange::Remove(ref who) if *who == me) => {
                model.app.note("You have left; what you read stays readable here");
            }
            Ok(()) => {}
        }
    }
    if let Some(text) = complaint {
        model.app.complain(&text);
    }
    model.app.conversations.sort();
    super::on_thread::fetch_url_if_wanted(model, effects);
}

fn joined(model: &mut Model, wish: &Wish, result: &Result<(), Fault>, effects: &mut Vec<Effect>) {
    let Wish::Join(id) = wish else { return };
    match result {
        Ok(()) => {
            if let Some(c) = model.app.conversations.get_mut(id) {
                c.info.left = false;
            }
            on_list::open(model, id, effects);
            model.app.note("Joined");
        }
        Err(fault) => model.app.complain(&format!(
            "Joining: {}; the link may have been closed meanwhile",
            fault.reason
        )),
    }
}

/// The new group is opened at once.
pub fn created(
    model: &mut Model,
    ticket: Ticket,
    result: Result<ConversationId, Fault>,
    effects: &mut Vec<Effect>,
) {
    if take(model, ticket).is_none() {
        return;
    }
    match result {
        Ok(id) => on_list::open(model, &id, effects),
        Err(fault) => model.app.complain(&format!("The group was not created: {}", fault.reason)),
    }
}

/// Shows what will be joined, and asks.
pub fn resolved(
    model: &mut Model,
    ticket: Ticket,
    result: Result<ConversationId, Fault>,
    effects: &mut Vec<Effect>,
) {
    if take(model, ticket).is_none() {
        return;
    }
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
        on_list::open(model, &id, effects);
        model.app.note("You are a member already");
        return;
    }
    model.app.overlay = Some(Overlay::Confirm {
        question: SafeText::line(&format!("Join {name}?")),
        detail: SafeText::line(&format!("Its members will see that you joined. {}", id.as_str())),
        consent: Consent::Join(id),
    });
}
