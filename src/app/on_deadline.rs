//! Everything that happens by itself after a while, and the one function that says when.

use super::Model;
use super::state::AppState;
use crate::model::{ConnectionState, ReadMarker, Receipts, Request};
use std::time::Duration;

impl AppState {
    /// The next moment (monotonic) at which something changes without an input; nothing means never.
    pub fn next_deadline(&self) -> Option<Duration> {
        let now = self.clock.mono;
        let toasts = self.toasts.iter().map(|t| t.until);
        let conversations = self.conversations.iter().flat_map(|c| {
            let typing = c.typing.iter().map(|(_, until)| *until);
            typing.chain(c.compose.save_by)
        });
        let looked_at = self.view_focus.focused && self.prefs.choices.reading.receipts.by_looking();
        let reading =
            self.opened().filter(|_| looked_at).and_then(|c| c.reading.on_screen.as_ref()?.1);
        // The seconds in which a message can be taken back, as they pass.
        let held = self
            .opened()
            .and_then(|c| c.sending.held.last())
            .map(|(_, until)| until.saturating_sub(now));
        let held = held.filter(|left| !left.is_zero()).map(|left| {
            let whole = left.as_secs().saturating_sub(u64::from(left.subsec_nanos() == 0));
            now + left.saturating_sub(Duration::from_secs(whole))
        });
        let countdown = match &self.connection.state {
            ConnectionState::Waiting { wait, .. } => {
                // The next full second of the countdown, as long as it runs.
                let past = now.saturating_sub(self.connection.since);
                (past < *wait)
                    .then(|| self.connection.since + Duration::from_secs(past.as_secs() + 1))
            }
            _ => None,
        };
        // Today becomes Yesterday; a minute late is early enough, and a clock that jumps cannot make it spin.
        let midnight = (self.clock.wall.0 > 0).then(|| {
            let left = self.clock.wall.next_midnight(&self.prefs.zone).0 - self.clock.wall.0;
            now + Duration::from_millis(u64::try_from(left).unwrap_or(0))
                .max(Duration::from_secs(60))
        });
        toasts
            .chain(conversations)
            .chain(reading)
            .chain(held)
            .chain(countdown)
            .chain(midnight)
            .min()
    }

    /// Seconds since the connection was lost.
    pub fn lost_for(&self) -> Option<u64> {
        self.connection.lost.map(|since| self.clock.mono.saturating_sub(since).as_secs())
    }

    /// Seconds in which the last message of the open chat can still be taken back.
    pub fn held_for(&self) -> Option<u64> {
        let (_, until) = self.opened()?.sending.held.last()?;
        let left = until.saturating_sub(self.clock.mono);
        (!left.is_zero()).then(|| left.as_secs_f64().ceil() as u64)
    }

    /// Seconds until the next try to connect.
    pub fn retry_in(&self) -> Option<u64> {
        match &self.connection.state {
            ConnectionState::Waiting { wait, .. } => Some(
                (self.connection.since + *wait).saturating_sub(self.clock.mono).as_secs_f64().ceil()
                    as u64,
            ),
            _ => None,
        }
    }
}

pub fn expire(model: &mut Model) {
    let now = model.app.clock.mono;
    model.app.toasts.retain(|t| t.until > now);
    let typing_ended: Vec<_> = model
        .app
        .conversations
        .iter()
        .filter(|c| c.typing.iter().any(|(_, until)| *until <= now))
        .map(|c| c.info.id.clone())
        .collect();
    for id in typing_ended {
        if let Some(c) = model.app.conversations.get_mut(&id) {
            c.typing.retain(|(_, until)| *until > now);
        }
    }
    save_drafts(model, false);
    mark_read(model);
}

/// Saves drafts that are due; `all` of those unsaved when the program ends or the chat is left.
pub fn save_drafts(model: &mut Model, all: bool) {
    let now = model.app.clock.mono;
    let due: Vec<_> = model
        .app
        .conversations
        .iter()
        .filter(|c| c.compose.save_by.is_some_and(|by| all || by <= now))
        .map(|c| c.info.id.clone())
        .collect();
    for id in due {
        if let Some(c) = model.app.conversations.get_mut(&id) {
            c.compose.save_by = None;
            let draft = c.compose.draft.clone();
            model.app.request(Request::SaveDraft { conversation: id, draft });
        }
    }
}

/// What was on the screen for its second counts as read.
fn mark_read(model: &mut Model) {
    let now = model.app.clock;
    if !model.app.prefs.choices.reading.receipts.by_looking() || !model.app.view_focus.focused {
        return;
    }
    let Some(c) = model.app.opened_mut() else { return };
    let Some((key, Some(due))) = c.reading.on_screen.clone() else { return };
    if due > now.mono {
        return;
    }
    if c.misses_unread(&key) {
        // What is not here has not been read: asked again once the gap is filled.
        c.reading.on_screen = None;
        return;
    }
    c.reading.on_screen = Some((key.clone(), None));
    c.reading.wants_new_line = false;
    read_up_to(model, &key);
}

/// The open chat counts as read up to its end, because the user answered or said so.
pub fn read_all(model: &mut Model) {
    let Some(c) = model.app.opened_mut() else { return };
    c.reading.wants_new_line = false;
    c.reading.kept_unread = false;
    let last = c.timeline.iter().rev().find(|m| !m.key.is_unsent()).map(|m| m.key.clone());
    // The end may lie beyond what is loaded.
    let top = c.paging.coverage.top().map(|top| crate::model::MessageKey {
        at: top.at,
        order: top.order,
        id: "".into(),
    });
    let last = if c.paging.window == super::state::Window::Live { last } else { last.max(top) };
    if let Some(key) = last {
        read_up_to(model, &key);
    }
}

fn read_up_to(model: &mut Model, key: &crate::model::MessageKey) {
    let now = model.app.clock;
    let tell =
        model.app.prefs.choices.reading.receipts != Receipts::Never && !model.app.prefs.read_only;
    let Some(c) = model.app.opened_mut() else { return };
    let known = c.info.read_marker.as_ref().map(|h| h.arrival);
    if known.is_some_and(|read| read >= key.at) && c.info.unread.messages == 0 {
        return;
    }
    let client_id = c.timeline.get(key).and_then(|m| m.client_id.clone());
    let read_marker = ReadMarker { arrival: key.at, read_at: now.wall, client_id };
    let conversation = c.info.id.clone();
    model.app.request(Request::MarkRead { conversation, read_marker, back: false, tell });
}

/// From a message on the chat is unread again, here and, where that is wanted, for the server.
pub fn unread_from(model: &mut Model, key: &crate::model::MessageKey) {
    let now = model.app.clock;
    let me = model.app.me().clone();
    let tell =
        model.app.prefs.choices.reading.receipts != Receipts::Never && !model.app.prefs.read_only;
    let Some(c) = model.app.opened_mut() else { return };
    let theirs =
        |m: &&crate::model::Message| m.sender != me && !m.body.is_system() && !m.key.is_unsent();
    let Some(first) = c.timeline.from(key).find(theirs).map(|m| m.key.clone()) else {
        model.app.note("From here on there is nothing from anyone else");
        return;
    };
    let before = c.timeline.before(&first).next_back().filter(|m| !m.key.id.is_empty());
    let read_marker = ReadMarker {
        arrival: before.map_or(crate::model::Timestamp(first.at.0 - 1), |m| m.key.at),
        read_at: now.wall,
        client_id: before.and_then(|m| m.client_id.clone()),
    };
    c.reading.kept_unread = true;
    c.reading.on_screen = None;
    c.selection = None;
    c.reading.new_from = Some(first);
    c.timeline.touch();
    let conversation = c.info.id.clone();
    model.app.note("Unread from here on");
    model.app.request(Request::MarkRead { conversation, read_marker, back: true, tell });
}
