//! Messages that come in: live, as pages of the history, or around a place that was found.

use super::Model;
use super::chat::{ConversationState, Older, Selection, Window};
use super::on_list::{KEEP_CLOSED, draw_new_line};
use crate::model::{
    ClientMessageId, ConversationId, Coverage, Message, MessageKey, Page, Point, Request, SafeText,
};

/// All loaded messages of the open chat; more are dropped at the old end while the view is at the bottom.
const KEEP_OPEN: usize = 20_000;

/// A selected message that got its place on the server stays selected there; one that is gone is not selected.
pub fn follow_selection(c: &mut ConversationState) {
    if let Some(key) = c.selected().cloned()
        && c.timeline.get(&key).is_none()
    {
        let client_id = ClientMessageId::new(&key.id);
        c.selection = c.timeline.of_client_id(&client_id).map(|m| Selection::one(m.key.clone()));
    }
}

/// Whether a message belongs into what is loaded. What lies outside is in the store; beside what is loaded it would
/// look like a neighbour.
fn belongs(c: &ConversationState, key: &MessageKey, page: Page) -> bool {
    let is_new = c.timeline.get(key).is_none();
    let last = c.end();
    match (page, &c.paging.window) {
        (Page::Around { .. }, _) => true,
        (_, Window::Opening(_)) => false,
        (Page::Live | Page::Gap, _) if is_new && c.start().is_some_and(|start| *key < start) => {
            false
        }
        (Page::Newer { .. }, _) => true,
        (_, Window::Past { .. }) => !is_new || last.is_some_and(|last| *key < last),
        (Page::Gap, Window::Live) => !c.timeline.is_empty(),
        _ => true,
    }
}

/// Whether anyone still waits for a page: an answer that comes late names a place that is not the end of what is loaded
/// any more, and beside it its messages would look like neighbours.
fn is_wanted(c: &mut ConversationState, page: Page) -> bool {
    let is =
        |key: Option<MessageKey>, place: Point| key.is_some_and(|key| Point::from(&key) == place);
    match (page, &c.paging.window) {
        (Page::Around { place, .. }, Window::Opening(key)) => place == Point::from(key),
        (Page::Newer { after, .. }, Window::Past { loading: true }) => is(c.end(), after),
        (Page::Around { .. } | Page::Newer { .. }, _) => false,
        (Page::Older { before, .. }, _) => {
            let wanted = c.paging.older == Older::Loading && is(c.start(), before);
            if !wanted && c.paging.older == Older::Loading {
                // What is loaded begins elsewhere by now: it is asked for anew.
                c.paging.older = Older::Unknown;
            }
            wanted
        }
        _ => true,
    }
}

pub fn take(model: &mut Model, id: &ConversationId, messages: Vec<Message>, page: Page) {
    let is_open = model.app.open.as_ref() == Some(id);
    if !is_wanted(model.app.conversations.ensure(id), page) {
        return;
    }
    if is_open && matches!(page, Page::Newer { .. }) {
        // What comes below must not push away what is being read.
        model.view.pin(&model.app);
    }
    let at_bottom = model.view.is_at_bottom(id);
    let me = model.app.me().clone();
    let c = model.app.conversations.ensure(id);
    let wanted = match (page, c.paging.window.clone()) {
        (Page::Around { .. }, Window::Opening(key)) => {
            if messages.is_empty() {
                // It is not available: what was loaded stays, and grows from there.
                c.paging.window = Window::Past { loading: false };
                return;
            }
            c.unload();
            Some(key)
        }
        _ => None,
    };
    let before = c.paging.oldest.clone();
    let theirs = messages.iter().any(|m| m.sender != me && !m.body.is_system());
    for message in messages {
        if message.sender == me
            && let Some(client_id) = &message.client_id
        {
            c.sending.unsent.remove(client_id);
        }
        if page == Page::Live {
            c.typing.retain(|(who, _)| *who != message.sender);
        }
        let key = &message.key;
        if !belongs(c, key, page) {
            let newer = c.paging.beyond.as_ref().is_none_or(|beyond| key > beyond);
            if c.paging.window != Window::Live && newer {
                c.paging.beyond = Some(key.clone());
            }
            continue;
        }
        let goes_on = matches!(page, Page::Around { .. } | Page::Newer { .. });
        if goes_on && c.paging.newest.as_ref().is_none_or(|newest| key > newest) {
            c.paging.newest = Some(key.clone());
        }
        // Also what is not shown has been seen: or a page of signals would be asked for again and again.
        if c.paging.oldest.as_ref().is_none_or(|oldest| message.key < *oldest)
            && !message.key.is_unsent()
        {
            c.paging.oldest = Some(message.key.clone());
        }
        if c.info.cleared_at.is_some_and(|at| message.key.at <= at) {
            continue;
        }
        c.timeline.upsert(message);
    }
    match page {
        Page::Older { reached_start, .. } => {
            let moved = c.paging.oldest != before;
            c.paging.older = match (reached_start, moved) {
                (true, _) => Older::Reached,
                (false, true) => Older::Unknown,
                // The server said there is more and gave nothing new: asking at once again would never end.
                (false, false) => Older::Failed(SafeText::line("nothing older came")),
            };
        }
        Page::Around { reached_start, at_end, .. } => {
            c.paging.older = if reached_start { Older::Reached } else { Older::Unknown };
            c.paging.window = c.window_at(at_end);
        }
        Page::Newer { at_end, .. } => c.paging.window = c.window_at(at_end),
        Page::Newest => {
            if is_open {
                draw_new_line(c, &me);
            }
        }
        Page::Live => {
            // What arrives while the view is scrolled up gets its line, too.
            if is_open && !at_bottom {
                c.reading.wants_new_line |= c.reading.new_from.is_none() && theirs;
                draw_new_line(c, &me);
                c.reading.wants_new_line = false;
            }
        }
        Page::Gap => {}
    }
    let limit = if is_open { KEEP_OPEN } else { KEEP_CLOSED };
    let keeps_place =
        (is_open && !at_bottom) || c.paging.window != Window::Live || wanted.is_some();
    if !keeps_place && c.timeline.keep_newest(limit) {
        c.paging.older = Older::Unknown;
        c.paging.oldest = None;
    }
    mark_gaps(c);
    follow_selection(c);
    if !matches!(page, Page::Older { .. } | Page::Gap | Page::Newer { .. }) {
        model.app.conversations.sort();
    }
    if let Some(key) = wanted {
        arrive(model, id, &key);
    }
}

fn mark_gaps(c: &mut ConversationState) {
    let coverage = std::mem::take(&mut c.paging.coverage);
    c.timeline.mark_gaps(&coverage);
    c.paging.coverage = coverage;
}

pub fn coverage(model: &mut Model, id: &ConversationId, coverage: &Coverage) {
    let c = model.app.conversations.ensure(id);
    // Ranges only grow, so the order in which two tasks report them does not matter.
    coverage.ranges().iter().for_each(|range| c.paging.coverage.add(*range));
    mark_gaps(c);
    follow_selection(c);
}

/// The place is loaded: its message is selected and in sight.
fn arrive(model: &mut Model, id: &ConversationId, key: &MessageKey) {
    let Some(c) = model.app.conversations.get_mut(id) else { return };
    if c.timeline.get(key).is_none() {
        model.app.note("That message is not shown any more");
        return;
    }
    c.selection = Some(Selection::one(key.clone()));
    model.view.to_bottom(id);
    model.view.reveal(&model.app, key);
    // What was said before it is in sight, too.
    let above = model.view.page(&model.app) / 3;
    if !model.view.is_at_bottom(id) {
        model.view.scroll(&model.app, -above);
    }
}

/// Shows a message of a conversation that is open, wherever in its history it stands.
pub fn go_to(model: &mut Model, key: &MessageKey) {
    let Some(id) = model.app.open.clone() else { return };
    let Some(c) = model.app.opened_mut() else { return };
    if c.timeline.get(key).is_some() && !matches!(c.paging.window, Window::Opening(_)) {
        arrive(model, &id, key);
        return;
    }
    c.paging.window = Window::Opening(key.clone());
    model.app.request(Request::Around { conversation: id, key: key.clone() });
}

/// Back to the newest message, which may have to be loaded again.
pub fn to_newest(model: &mut Model, id: &ConversationId) {
    model.view.to_bottom(id);
    let Some(c) = model.app.conversations.get_mut(id) else { return };
    if c.paging.window == Window::Live {
        return;
    }
    c.unload();
    model.app.request(Request::Open { conversation: id.clone() });
}

/// When a place is not available and nothing else is loaded, the newest messages are shown.
pub fn leave_empty_past(model: &mut Model, id: &ConversationId) {
    let empty = model
        .app
        .conversations
        .get(id)
        .is_some_and(|c| matches!(c.paging.window, Window::Past { .. }) && c.end().is_none());
    if empty {
        to_newest(model, id);
    }
}

/// The end of what is loaded of the past is near.
pub fn load_newer(model: &mut Model, id: &ConversationId) {
    let Some(c) = model.app.conversations.get_mut(id) else { return };
    let (Window::Past { loading: false }, Some(after)) = (&c.paging.window, c.end()) else {
        return;
    };
    c.paging.window = Window::Past { loading: true };
    model.app.request(Request::Newer { conversation: id.clone(), after });
}

/// Fetches what is missing at the selected line; false when none is selected.
pub fn fill(model: &mut Model) -> bool {
    let Some(c) = model.app.opened() else { return false };
    let Some(key) = c.selected().filter(|key| key.id.is_empty()) else { return false };
    let line = c.timeline.get(key);
    if line.is_some_and(|m| matches!(m.body, crate::model::MessageBody::Gap { closed: true })) {
        model.app.note("The server has nothing in between any more");
        return true;
    }
    let above = c.timeline.after(key).next().map(|m| m.key.clone());
    if let (Some(above), Some(conversation)) = (above, model.app.open.clone()) {
        model.app.request(Request::Fill { conversation, above });
        model.app.note("Fetching what is missing…");
    }
    true
}
