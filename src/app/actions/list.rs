//! The conversation list: opening, neighbours, the next unread one.

use super::messages;
use crate::app::action::{ListAction, MessagesAction};
use crate::app::chat::{Chat, listing, reading};
use crate::app::keymap::KeymapEntry;
use crate::app::model::Model;
use crate::app::state::Focus;
use crate::model::{ChatRef, ListOrder};

pub fn act(model: &mut Model, action: ListAction) {
    match action {
        ListAction::Up => mark(model, -1),
        ListAction::Down => mark(model, 1),
        ListAction::Open => {
            let marked = model.app.marked.clone().or_else(|| model.app.open.clone());
            if let Some(chat) = marked {
                model.open(&chat);
            }
        }
        ListAction::Previous => neighbour(model, -1),
        ListAction::Next => neighbour(model, 1),
        ListAction::MovePinned { up } => move_pinned(model, up),
        ListAction::NextUnread => next_unread(model),
        ListAction::MarkRead => {
            model.app.with_open(reading::read_all);
        }
        ListAction::ChangeOrder => change_order(model),
        ListAction::Nth(n) => {
            let row = model.view.visible.list.rows.get(n.saturating_sub(1));
            if let Some(chat) = row.map(|row| row.chat.clone()) {
                model.open(&chat);
            }
        }
    }
}

fn change_order(model: &mut Model) {
    if !model.app.accounts.has_several() {
        model.app.note("There is only one account");
        return;
    }
    let list = &mut model.app.prefs.choices.ui.list;
    let (order, words) = match *list {
        ListOrder::Accounts => (ListOrder::Activity, "The list shows all chats by activity"),
        ListOrder::Activity => (ListOrder::Accounts, "The list has a section for each account"),
    };
    *list = order;
    model.app.hold_list_order();
    model.app.note(words);
}

/// Moves the marked chat of the list past the next pinned one of its account.
fn move_pinned(model: &mut Model, up: bool) {
    let Some(marked) = model.app.marked.clone().or_else(|| model.app.open.clone()) else { return };
    let Some(account) = model.app.accounts.get(&marked.account) else { return };
    let pinned = account.conversations.iter().filter(|c| c.info.pinned && c.is_listed());
    let mut pinned: Vec<ChatRef> = pinned.map(Chat::chat_ref).collect();
    let Some(at) = pinned.iter().position(|chat| *chat == marked) else {
        let key = model.app.prefs.keymap.entry("toggle-pin").map(KeymapEntry::key);
        let key = key.unwrap_or_default();
        model.app.note(&format!("Only pinned chats can be moved; {key} pins the open one"));
        return;
    };
    let to = if up { at.checked_sub(1) } else { Some(at + 1).filter(|to| *to < pinned.len()) };
    let Some(to) = to else { return };
    pinned.swap(at, to);
    for (place, chat) in (0..).zip(&pinned) {
        model.app.with_chat(chat, |chat, env| listing::set_pin_place(chat, env, place));
    }
    // The order is held while the list has the focus.
    let focus = model.app.focus;
    model.app.set_focus(Focus::Compose);
    model.app.set_focus(focus);
}

/// The chat `by` places from `from`; without `from`, the first or last one.
fn step(model: &Model, from: Option<&ChatRef>, by: isize) -> Option<ChatRef> {
    let chats: Vec<ChatRef> = model.app.shown_chats().map(Chat::chat_ref).collect();
    let last = chats.len().checked_sub(1)?;
    let at = from.and_then(|chat| chats.iter().position(|c| c == chat));
    let next = match at {
        Some(at) => at.checked_add_signed(by)?,
        None if by > 0 => 0,
        None => last,
    };
    chats.get(next).cloned()
}

fn mark(model: &mut Model, by: isize) {
    let from = model.app.marked.clone().or_else(|| model.app.open.clone());
    if let Some(chat) = step(model, from.as_ref(), by) {
        model.app.marked = Some(chat);
    }
}

fn neighbour(model: &mut Model, by: isize) {
    if let Some(chat) = step(model, model.app.open.as_ref(), by) {
        model.open(&chat);
    }
}

/// The next unread chat below the open one, then from the top; muted chats only if no other is unread. If only the open
/// one has unread messages, the first of them.
fn next_unread(model: &mut Model) {
    let app = &model.app;
    let all: Vec<&Chat> = app.shown_chats().collect();
    let is_open = |c: &Chat| app.open.as_ref().is_some_and(|open| c.is(open));
    let at = all.iter().position(|c| is_open(c)).map_or(0, |i| i + 1);
    let turned = all.iter().cycle().skip(at).take(all.len());
    let unread = |muted: bool| {
        turned.clone().find(|c| c.info.unread.messages > 0 && c.is_muted() == muted && !is_open(c))
    };
    match unread(false).or_else(|| unread(true)).map(|c| c.chat_ref()) {
        Some(chat) => model.open(&chat),
        None if model.app.opened().is_some_and(|chat| chat.info.unread.messages > 0) => {
            messages::act(model, MessagesAction::FirstUnread);
        }
        None => model.app.note("No unread messages"),
    }
}
