//! Messages that come in, and where the reader stands afterwards.

use crate::app::chat::{Older, history, jump_to_quote};
use crate::app::model::Model;
use crate::model::{Arrival, ChatRef, Coverage, Fault, Message, Placement};

pub fn take(
    model: &mut Model,
    chat: &ChatRef,
    messages: Vec<Message>,
    placement: Placement,
    arrival: Arrival,
) {
    let is_open = model.app.open.as_ref() == Some(chat);
    let wanted = model.app.with_new_chat(chat, |chat, _| history::is_wanted(chat, placement));
    if wanted == Some(true) {
        if is_open && matches!(placement, Placement::Newer { .. }) {
            // What comes below must not push away what is being read.
            model.view.pin(&mut model.app);
        }
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

/// Goes on looking for a quoted message, as long as its chat is open.
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
