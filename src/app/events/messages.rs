//! Arriving messages, and what the view shows afterwards.

use super::attention;
use crate::app::chat::{Older, Window, history, jump_to_quote, reading};
use crate::app::model::Model;
use crate::model::{Arrival, ChatRef, Coverage, Fault, Message, MessageKey, Placement};

pub fn take(
    model: &mut Model,
    chat: &ChatRef,
    messages: Vec<Message>,
    placement: Placement,
    arrival: Arrival,
) {
    let is_open = model.app.open.as_ref() == Some(chat);
    if arrival == Arrival::Live {
        attention::arrived(model, chat, &messages);
    }
    let wanted = model.app.with_new_chat(chat, |chat, _| history::is_wanted(chat, placement));
    if wanted == Some(true) {
        if is_open && matches!(placement, Placement::Newer { .. }) {
            // Messages that are added below must not move the text the user is reading.
            model.view.pin(&mut model.app);
        }
        let passing = if is_open && arrival == Arrival::Live && watches_the_end(model) {
            bounds(&messages)
        } else {
            None
        };
        let arrived = model
            .app
            .with_chat(chat, |chat, env| {
                let place = history::take(chat, env, messages, placement, arrival, is_open)?;
                history::select(chat, env, &place).then_some(place)
            })
            .flatten();
        if !matches!(placement, Placement::Older { .. } | Placement::Gap | Placement::Newer { .. })
        {
            model.app.sort(&chat.account);
        }
        if let Some((first, last)) = passing {
            // A batch larger than the pane scrolls by, but a user who is watching the end has still seen it.
            model.app.with_chat(chat, |chat, env| reading::seen(chat, env, &first, &last));
        }
        if let Some(key) = arrived.filter(|_| is_open) {
            model.view.show_in_place(&mut model.app, &key);
        } else if is_open && arrival != Arrival::Live {
            model.go_to_new();
        }
    }
    match placement {
        Placement::Older { .. } => seek(model, chat, is_open),
        Placement::Around { .. } => {
            model.app.with_chat(chat, history::leave_empty_past);
        }
        _ => {}
    }
}

/// Whether the end of the open chat is on the screen and the user is looking.
fn watches_the_end(model: &Model) -> bool {
    let presence = &model.app.presence;
    let is_at_end =
        |chat: &crate::app::chat::Chat| chat.is_at_bottom() && chat.paging.window == Window::Live;
    presence.focused
        && presence.acted
        && model.overlays.is_empty()
        && model.view.visible.layout.is_some_and(|layout| layout.messages.is_some())
        && model.app.opened().is_some_and(is_at_end)
}

/// The first and the last of some messages.
fn bounds(messages: &[Message]) -> Option<(MessageKey, MessageKey)> {
    let keys = || messages.iter().map(|message| &message.key);
    Some((keys().min()?.clone(), keys().max()?.clone()))
}

/// Continues to look for a quoted message while its chat is open.
fn seek(model: &mut Model, chat: &ChatRef, is_open: bool) {
    let found = model.app.with_chat(chat, |chat, env| {
        if !is_open {
            chat.paging.sought = None;
            return None;
        }
        jump_to_quote::go_on(chat, env)
    });
    if let Some(key) = found.flatten() {
        model.view.reveal(&mut model.app, &key);
    }
}

pub fn coverage(model: &mut Model, chat: &ChatRef, coverage: &Coverage) {
    model.app.with_new_chat(chat, |chat, _| history::take_coverage(chat, coverage));
}

pub fn older_failed(model: &mut Model, at: &ChatRef, fault: &Fault) {
    let is_open = model.app.open.as_ref() == Some(at);
    model.app.with_chat(at, |chat, env| {
        chat.paging.older = Older::Failed(fault.reason.clone());
        chat.paging.sought = None;
        if is_open {
            env.complain(&format!("Older messages cannot be fetched: {}", fault.reason));
        }
    });
}
