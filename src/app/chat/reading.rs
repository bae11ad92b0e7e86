//! What was read, by the user and by others.

use super::{Chat, Env, Window};
use crate::model::{Message, MessageKey, ReadMarker, Receipts, Request, Timestamp, UserId};
use std::time::Duration;

/// What is on the screen for so long counts as read.
const READ_AFTER: Duration = Duration::from_secs(1);

#[derive(Debug, Default)]
pub struct Reading {
    /// The first message of the `2 new` line; stays until the chat is left or Esc at the bottom.
    pub new_from: Option<MessageKey>,
    /// The chat was opened with unread messages before its page was here.
    pub wants_new_line: bool,
    /// The newest message in sight and when it counts as read; no time once it was reported.
    pub on_screen: Option<(MessageKey, Option<Duration>)>,
    /// The user marked it unread: looking at it does not undo that until the chat is left.
    pub kept_unread: bool,
    /// How far others have read.
    pub read_receipts: Vec<(UserId, Timestamp)>,
}

impl Chat {
    /// Between what was read before and this message some are missing here.
    fn misses_unread(&self, upto: &MessageKey) -> bool {
        let read = self.info.read_marker.as_ref().map_or(Timestamp(0), |h| h.arrival);
        let missing = |at: Timestamp| at > read && at <= upto.at;
        self.paging.coverage.gaps().any(|gap| !gap.closed && missing(gap.above.at))
    }

    /// How many others have read an own message.
    pub fn readers(&self, at: Timestamp) -> usize {
        self.reading.read_receipts.iter().filter(|(_, read)| *read >= at).count()
    }

    /// Puts the `2 new` line above the first unread message, once that message is loaded.
    pub fn draw_new_line(&mut self, me: &UserId) {
        // Further back nothing is new.
        if !self.reading.wants_new_line || self.paging.window != Window::Live {
            return;
        }
        let read = self.info.read_marker.as_ref().map(|h| h.arrival);
        let unread = usize::try_from(self.info.unread.messages).unwrap_or(usize::MAX);
        let theirs = |m: &&Message| is_theirs(m, me);
        let first = match read {
            Some(read) => self.timeline.iter().filter(theirs).find(|m| m.at > read),
            None => self.timeline.iter().rev().filter(theirs).take(unread).last(),
        };
        if let Some(first) = first.map(|m| m.key.clone()) {
            self.reading.new_from = Some(first);
            self.reading.wants_new_line = false;
            self.timeline.touch();
        }
    }

    /// Puts the line where it was wanted and, with `unseen`, above messages that came while nobody could see them.
    pub fn draw_new_line_for(&mut self, me: &UserId, unseen: bool) {
        let before = self.reading.wants_new_line;
        self.reading.wants_new_line |= unseen && self.reading.new_from.is_none();
        self.draw_new_line(me);
        self.reading.wants_new_line &= before;
    }

    /// Takes the `2 new` line away.
    pub fn drop_new_line(&mut self) {
        self.reading.new_from = None;
        self.timeline.touch();
    }
}

fn is_theirs(message: &Message, me: &UserId) -> bool {
    message.sender != *me && !message.body.is_system() && !message.key.is_unsent()
}

/// The end of the chat is on the screen; after a second of that it counts as read.
pub fn seen(chat: &mut Chat, env: &mut Env<'_>, upto: MessageKey) {
    let due = env.now.mono + READ_AFTER;
    if !chat.reading.kept_unread
        && !chat.misses_unread(&upto)
        && chat.reading.on_screen.as_ref().is_none_or(|(key, _)| *key != upto)
    {
        chat.reading.on_screen = Some((upto, Some(due)));
    }
}

/// What was on the screen for its second counts as read.
pub fn mark_seen(chat: &mut Chat, env: &mut Env<'_>) {
    let Some((key, Some(due))) = chat.reading.on_screen.clone() else { return };
    if due > env.now.mono {
        return;
    }
    if chat.misses_unread(&key) {
        // What is not here has not been read: asked again once the gap is filled.
        chat.reading.on_screen = None;
        return;
    }
    chat.reading.on_screen = Some((key.clone(), None));
    chat.reading.wants_new_line = false;
    read_up_to(chat, env, &key);
}

/// The chat counts as read up to its end, because the user answered or asked for it.
pub fn read_all(chat: &mut Chat, env: &mut Env<'_>) {
    chat.reading.wants_new_line = false;
    chat.reading.kept_unread = false;
    let last = chat.timeline.iter().rev().find(|m| !m.key.is_unsent()).map(|m| m.key.clone());
    // The end may lie beyond what is loaded.
    let top = chat.paging.coverage.top().map(|top| MessageKey {
        at: top.at,
        order: top.order,
        id: "".into(),
    });
    let last = if chat.paging.window == Window::Live { last } else { last.max(top) };
    if let Some(key) = last {
        read_up_to(chat, env, &key);
    }
}

fn read_up_to(chat: &mut Chat, env: &mut Env<'_>, key: &MessageKey) {
    let known = chat.info.read_marker.as_ref().map(|h| h.arrival);
    if known.is_some_and(|read| read >= key.at) && chat.info.unread.messages == 0 {
        return;
    }
    let client_id = chat.timeline.get(key).and_then(|m| m.client_id.clone());
    let read_marker = ReadMarker { arrival: key.at, read_at: env.now.wall, client_id };
    let conversation = chat.info.id.clone();
    let tell = env.prefs.reports_reading();
    env.request(Request::MarkRead { conversation, read_marker, back: false, tell });
}

/// From a message on the chat is unread again, here and, where that is wanted, for the server.
pub fn unread_from(chat: &mut Chat, env: &mut Env<'_>, key: &MessageKey) {
    let first = chat.timeline.from(key).find(|m| is_theirs(m, env.me)).map(|m| m.key.clone());
    let Some(first) = first else {
        env.note("From here on there is nothing from anyone else");
        return;
    };
    let before = chat.timeline.before(&first).next_back().filter(|m| !m.key.id.is_empty());
    let read_marker = ReadMarker {
        arrival: before.map_or(Timestamp(first.at.0 - 1), |m| m.key.at),
        read_at: env.now.wall,
        client_id: before.and_then(|m| m.client_id.clone()),
    };
    chat.reading.kept_unread = true;
    chat.reading.on_screen = None;
    chat.selection = None;
    chat.reading.new_from = Some(first);
    chat.timeline.touch();
    env.note("Unread from here on");
    let conversation = chat.info.id.clone();
    let tell = env.prefs.reports_reading();
    env.request(Request::MarkRead { conversation, read_marker, back: true, tell });
}

/// Nothing counts as read while nobody looks; the second begins anew when someone does again.
pub fn look_away(chat: &mut Chat) {
    if matches!(chat.reading.on_screen, Some((_, Some(_)))) {
        chat.reading.on_screen = None;
    }
}

/// Whether answering counts as reading.
pub fn by_answering(env: &Env<'_>) -> bool {
    env.prefs.receipts() == Receipts::OnReply
}
