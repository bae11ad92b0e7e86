//! The conversation list: opening, neighbours, the next unread one.

use super::Model;
use super::action::ListAction;
use super::on_deadline;
use super::state::{Focus, Older, Window};
use crate::model::{ConversationId, Request};

/// Messages of a closed chat that stay loaded.
pub const KEEP_CLOSED: usize = 200;

pub fn act(model: &mut Model, action: ListAction) {
    match action {
        ListAction::Up => mark(model, -1),
        ListAction::Down => mark(model, 1),
        ListAction::Open => {
            let marked = model.app.conversations.marked.clone().or_else(|| model.app.open.clone());
            if let Some(id) = marked {
                open(model, &id);
            }
        }
        ListAction::Previous => neighbour(model, -1),
        ListAction::Next => neighbour(model, 1),
        ListAction::NextUnread => next_unread(model),
        ListAction::MarkRead => on_deadline::read_all(model),
        ListAction::Nth(n) => {
            let wanted = model.view.visible.list.get(n.saturating_sub(1)).map(|row| row.id.clone());
            if let Some(id) = wanted {
                open(model, &id);
            }
        }
    }
}

fn ids(model: &Model) -> Vec<ConversationId> {
    model.app.conversations.shown(model.app.open.as_ref()).map(|c| c.info.id.clone()).collect()
}

/// The entry `by` places from `from`; from nothing, the first or last one.
fn step(
    ids: &[ConversationId],
    from: Option<&ConversationId>,
    by: isize,
) -> Option<ConversationId> {
    let last = ids.len().checked_sub(1)?;
    let at = from.and_then(|id| ids.iter().position(|i| i == id));
    let next = match at {
        Some(at) => at.checked_add_signed(by)?,
        None if by > 0 => 0,
        None => last,
    };
    ids.get(next).cloned()
}

fn mark(model: &mut Model, by: isize) {
    let ids = ids(model);
    let from = model.app.conversations.marked.clone().or_else(|| model.app.open.clone());
    if let Some(id) = step(&ids, from.as_ref(), by) {
        model.app.conversations.marked = Some(id);
        model.app.conversations.touch();
    }
}

fn neighbour(model: &mut Model, by: isize) {
    let ids = ids(model);
    if let Some(id) = step(&ids, model.app.open.as_ref(), by) {
        open(model, &id);
    }
}

/// The next one with unread messages below the open one, then from the top; muted ones only when nothing else is.
fn next_unread(model: &mut Model) {
    let app = &model.app;
    let all: Vec<_> = app.conversations.shown(app.open.as_ref()).collect();
    let at = all.iter().position(|c| Some(&c.info.id) == app.open.as_ref()).map_or(0, |i| i + 1);
    let turned = all.iter().cycle().skip(at).take(all.len());
    let unread = |muted: bool| {
        turned.clone().find(|c| {
            c.info.unread.messages > 0
                && c.info.muted == muted
                && Some(&c.info.id) != app.open.as_ref()
        })
    };
    match unread(false).or_else(|| unread(true)).map(|c| c.info.id.clone()) {
        Some(id) => open(model, &id),
        None => model.app.note("Nothing unread"),
    }
}

/// Opens a conversation: what was being written in the one before is saved first.
pub fn open(model: &mut Model, id: &ConversationId) {
    model.app.overlay = None;
    model.app.toasts.clear();
    model.app.focus = Focus::Compose;
    model.app.conversations.marked = None;
    if model.app.open.as_ref() == Some(id) {
        model.app.freeze_list();
        return;
    }
    close(model);
    let conversation = model.app.conversations.ensure(id);
    conversation.reading.wants_new_line = conversation.info.unread.messages > 0;
    conversation.reading.on_screen = None;
    draw_new_line(conversation, &model.app.prefs.me.clone());
    model.app.open = Some(id.clone());
    model.app.freeze_list();
    model.app.request(Request::Open { conversation: id.clone() });
}

/// Puts the `2 new` line above the first unread message, once that message is loaded.
pub fn draw_new_line(
    conversation: &mut super::state::ConversationState,
    me: &crate::model::UserId,
) {
    // Further back nothing is new.
    if !conversation.reading.wants_new_line || conversation.paging.window != Window::Live {
        return;
    }
    let read_marker = conversation.info.read_marker.as_ref().map(|h| h.arrival);
    let unread = usize::try_from(conversation.info.unread.messages).unwrap_or(usize::MAX);
    let theirs =
        |m: &&crate::model::Message| m.sender != *me && !m.body.is_system() && !m.key.is_unsent();
    let first = match read_marker {
        Some(read) => conversation.timeline.iter().filter(theirs).find(|m| m.at > read),
        None => conversation.timeline.iter().rev().filter(theirs).take(unread).last(),
    };
    if let Some(first) = first.map(|m| m.key.clone()) {
        conversation.reading.new_from = Some(first);
        conversation.reading.wants_new_line = false;
        conversation.timeline.touch();
    }
}

fn close(model: &mut Model) {
    on_deadline::save_drafts(model, true);
    let Some(id) = model.app.open.take() else { return };
    if let Some(old) = model.app.conversations.get_mut(&id) {
        old.selection = None;
        old.reading.new_from = None;
        old.reading.wants_new_line = false;
        old.reading.on_screen = None;
        old.reading.kept_unread = false;
        if old.paging.window != Window::Live {
            old.unload();
            model.view.to_bottom(&id);
        } else if old.timeline.keep_newest(KEEP_CLOSED) {
            old.paging.older = Older::Unknown;
            old.paging.oldest = None;
            model.view.to_bottom(&id);
        }
        if old.compose.told_typing.take().is_some() {
            model.app.request(Request::Typing { conversation: id, active: false });
        }
    }
}
