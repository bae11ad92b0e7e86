//! What has been read, by the user and by others.
//!
//! Only what was on the screen counts as read, or what scrolled by at the end of a chat that the user was watching. A
//! read marker says that everything up to a place was read, so it never moves past an unread message that was skipped.

use super::{Chat, Env, Older, Window};
use crate::model::{
    Message, MessageBody, MessageKey, ReadMarker, Receipts, Request, Timestamp, UserId,
};
use std::time::Duration;

/// How long a message has to be on the screen to count as read.
const READ_AFTER: Duration = Duration::from_secs(1);
/// How long after a chat was opened the view still goes to the first unread message when messages arrive.
const OPENING: Duration = Duration::from_secs(10);

#[derive(Debug, Default)]
pub struct Reading {
    /// The first message below the `2 new` line; kept until the chat is left or Esc is pressed at the bottom.
    pub new_from: Option<MessageKey>,
    /// How far the user had read when that line was drawn. Messages that are loaded later may move it up.
    new_after: Option<Timestamp>,
    /// The chat was opened with unread messages before its page arrived.
    pub wants_new_line: bool,
    /// Until when (monotonic) the view goes to the line when messages arrive, unless the user scrolls.
    goes_to_new: Option<Duration>,
    looking: Looking,
    /// The user marked the chat as unread: viewing it does not undo that until the chat is left.
    pub kept_unread: bool,
    /// How far others have read.
    pub read_receipts: Vec<(UserId, Timestamp)>,
}

/// What was on the screen since the chat was opened.
#[derive(Debug, Default)]
struct Looking {
    /// Everything unread up to this message was on the screen.
    seen: Option<MessageKey>,
    /// The parts of it that do not count as read yet, and when (monotonic) they will.
    due: Vec<(MessageKey, Duration)>,
    /// The chat was reported as read up to this message.
    reported: Option<MessageKey>,
}

impl Reading {
    /// The next moment at which something counts as read.
    pub fn next_due(&self) -> Option<Duration> {
        self.looking.due.first().map(|(_, due)| *due)
    }

    /// The chat is opened.
    pub fn begin(&mut self, has_unread: bool, now: Duration) {
        self.wants_new_line = has_unread;
        self.goes_to_new = has_unread.then_some(now + OPENING);
        self.looking = Looking::default();
    }

    /// The chat is left.
    pub fn end(&mut self) {
        let read_receipts = std::mem::take(&mut self.read_receipts);
        *self = Self { read_receipts, ..Self::default() };
    }

    /// The user scrolls: the view no longer goes to the unread messages by itself.
    pub fn stay_put(&mut self) {
        self.goes_to_new = None;
    }

    /// Whether the view is to go to the line above new messages.
    pub fn goes_to_new(&self, now: Duration) -> bool {
        self.new_from.is_some() && self.goes_to_new.is_some_and(|until| now < until)
    }
}

impl Chat {
    /// Whether messages are missing between what was read before and this message.
    fn misses_unread(&self, upto: &MessageKey) -> bool {
        let read = self.info.read_marker.as_ref().map_or(Timestamp(0), |h| h.arrival);
        let missing = |at: Timestamp| at > read && at <= upto.at;
        self.paging.coverage.gaps().any(|gap| !gap.closed && missing(gap.above.at))
    }

    /// The number of people who have read an own message.
    pub fn readers(&self, at: Timestamp) -> usize {
        self.reading.read_receipts.iter().filter(|(_, read)| *read >= at).count()
    }

    /// The time up to which everything was read or has been on the screen; `None` without a read marker.
    fn seen_until(&self) -> Option<Timestamp> {
        let looking = &self.reading.looking;
        let seen = looking.seen.iter().chain(&looking.reported).map(|key| key.at);
        seen.chain(self.info.read_marker.as_ref().map(|h| h.arrival)).max()
    }

    /// The first loaded message of someone else after `after`. Without a read marker, the count of unread messages
    /// determines it.
    fn first_after(&self, after: Option<Timestamp>, me: &UserId) -> Option<&Message> {
        let theirs = |m: &&Message| is_theirs(m, me);
        if let Some(after) = after {
            return self.timeline.from(&after_key(after)).find(theirs);
        }
        let unread = usize::try_from(self.info.unread.messages).unwrap_or(usize::MAX);
        self.timeline.iter().rev().filter(theirs).take(unread).last()
    }

    /// Whether something unread lies before `from` that was not on the screen.
    fn skips_unread(&self, from: &MessageKey, me: &UserId) -> bool {
        let seen = self.seen_until();
        let is_loaded = match seen {
            Some(at) => {
                matches!(self.paging.older, Older::Reached | Older::Failed(_))
                    || self.info.unread.messages == 0
                    || self.start().is_none_or(|start| start.at <= at)
            }
            None => true,
        };
        !is_loaded || self.first_after(seen, me).is_some_and(|m| m.key < *from)
    }

    /// How many loaded messages of others before `from` have not been on the screen.
    pub fn unseen_before(&self, from: &MessageKey, me: &UserId) -> usize {
        let Some(first) = self.first_after(self.seen_until(), me) else { return 0 };
        let theirs = |m: &&Message| is_theirs(m, me);
        self.timeline.from(&first.key).take_while(|m| m.key < *from).filter(theirs).count()
    }

    /// Puts the `2 new` line above the first unread message, once that message is loaded. When an earlier one is loaded
    /// after that, the line goes up to it.
    pub fn draw_new_line(&mut self, me: &UserId) {
        // A window of the past has no new messages.
        if self.paging.window != Window::Live {
            return;
        }
        let after = if self.reading.wants_new_line {
            self.info.read_marker.as_ref().map(|h| h.arrival)
        } else {
            self.reading.new_after
        };
        let first = match &self.reading.new_from {
            // Messages above the line were read, unless they were loaded after the line was drawn.
            Some(line) if !self.reading.wants_new_line => {
                let first = after.and_then(|after| self.first_after(Some(after), me));
                first.filter(|m| m.key < *line)
            }
            None if !self.reading.wants_new_line => None,
            _ => self.first_after(after, me),
        };
        if let Some(first) = first.map(|m| m.key.clone()) {
            self.reading.new_from = Some(first);
            self.reading.new_after = after;
            self.reading.wants_new_line = false;
            self.timeline.touch();
        }
    }

    /// Draws the line if it is due and, with `unseen`, above messages that arrived while the user could not see them.
    pub fn draw_new_line_for(&mut self, me: &UserId, unseen: bool) {
        let before = self.reading.wants_new_line;
        self.reading.wants_new_line |= unseen && self.reading.new_from.is_none();
        self.draw_new_line(me);
        self.reading.wants_new_line &= before;
    }

    /// The connection was down from `end` on: draws the line there and moves the view to it.
    pub fn draw_missed_line(&mut self, me: &UserId, end: Timestamp, now: Duration) {
        if self.reading.goes_to_new(now) {
            return;
        }
        let Some(first) = self.first_after(Some(end), me).map(|m| m.key.clone()) else { return };
        self.reading.new_from = Some(first);
        self.reading.new_after = Some(end);
        self.reading.goes_to_new = Some(now + OPENING);
        self.timeline.touch();
    }

    /// Moves the view to the first unread message, which may have to be loaded first. If some messages below the line
    /// have been read since it was drawn, it moves down to the first that was not. False if nothing is unread.
    pub fn want_first_unread(&mut self, me: &UserId, now: Duration) -> bool {
        self.move_new_line(me);
        if self.info.unread.messages > 0 && self.reading.new_from.is_none() {
            self.reading.wants_new_line = true;
            self.draw_new_line(me);
        }
        let any = self.reading.wants_new_line || self.reading.new_from.is_some();
        self.reading.goes_to_new = any.then_some(now + OPENING);
        any
    }

    fn move_new_line(&mut self, me: &UserId) {
        let Some(line) = self.reading.new_from.as_ref().filter(|_| !self.reading.kept_unread)
        else {
            return;
        };
        let read = self.info.read_marker.as_ref().map(|marker| marker.arrival);
        let read = read.max(self.reading.looking.reported.as_ref().map(|key| key.at));
        let first = read.and_then(|read| self.first_after(Some(read), me));
        if let Some(first) = first.map(|m| m.key.clone()).filter(|first| first > line) {
            self.reading.new_from = Some(first);
            self.reading.new_after = read;
            self.timeline.touch();
        }
    }

    /// Removes the `2 new` line.
    pub fn drop_new_line(&mut self) {
        self.reading.new_from = None;
        self.timeline.touch();
    }
}

/// A key that sorts before every message that arrived later than this.
fn after_key(at: Timestamp) -> MessageKey {
    MessageKey { at: Timestamp(at.0.saturating_add(1)), order: 0, id: "".into() }
}

fn is_theirs(message: &Message, me: &UserId) -> bool {
    message.sender != *me
        && !message.body.is_system()
        && !matches!(message.body, MessageBody::Gap { .. })
        && !message.key.is_unsent()
}

/// The messages from `from` to `upto` are on the screen. After a second they count as read, if nothing unread before
/// them was left out.
pub fn seen(chat: &mut Chat, env: &mut Env<'_>, from: &MessageKey, upto: &MessageKey) {
    const MAX_STEPS: usize = 8;
    let looking = &chat.reading.looking;
    let is_known = |known: &Option<MessageKey>| known.as_ref().is_some_and(|key| upto <= key);
    if chat.reading.kept_unread
        || is_known(&looking.seen)
        || is_known(&looking.reported)
        || chat.misses_unread(upto)
        || chat.skips_unread(from, env.me)
    {
        return;
    }
    let looking = &mut chat.reading.looking;
    looking.seen = Some(upto.clone());
    if !env.prefs.receipts().by_looking() {
        return;
    }
    if looking.due.len() >= MAX_STEPS {
        looking.due.pop();
    }
    looking.due.push((upto.clone(), env.now.mono + READ_AFTER));
}

/// Marks what has been on the screen long enough as read.
pub fn mark_seen(chat: &mut Chat, env: &mut Env<'_>) {
    let now = env.now.mono;
    let due = &mut chat.reading.looking.due;
    let count = due.iter().take_while(|(_, due)| *due <= now).count();
    let Some((key, _)) = due.drain(..count).next_back() else { return };
    if chat.misses_unread(&key) {
        // The missing messages have not been read: try again once the gap is filled.
        look_away(chat);
        return;
    }
    chat.reading.looking.reported = Some(key.clone());
    chat.reading.wants_new_line = false;
    read_up_to(chat, env, &key);
}

/// The user answered: marks what was on the screen as read.
pub fn answered(chat: &mut Chat, env: &mut Env<'_>) {
    if let Some(key) = chat.reading.looking.seen.clone() {
        chat.reading.looking.reported = Some(key.clone());
        read_up_to(chat, env, &key);
    }
}

/// Marks the chat as read up to its end, at the user's request.
pub fn read_all(chat: &mut Chat, env: &mut Env<'_>) {
    chat.reading.wants_new_line = false;
    chat.reading.kept_unread = false;
    chat.reading.stay_put();
    let last = chat.timeline.iter().rev().find(|m| !m.key.is_unsent()).map(|m| m.key.clone());
    // The end of the chat may not be loaded.
    let top = chat.paging.coverage.top().map(|top| MessageKey {
        at: top.at,
        order: top.order,
        id: "".into(),
    });
    let last = if chat.paging.window == Window::Live { last } else { last.max(top) };
    // If a chat was not opened yet, only the time of its last message may be known.
    let at = chat.info.activity;
    let last = last.or((at.0 > 0).then(|| MessageKey { at, order: u64::MAX, id: "".into() }));
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

/// Marks the chat as unread from a message on, here and, if the user wants that, on the server.
pub fn unread_from(chat: &mut Chat, env: &mut Env<'_>, key: &MessageKey) {
    let first = chat.timeline.from(key).find(|m| is_theirs(m, env.me)).map(|m| m.key.clone());
    let Some(first) = first else {
        env.note("No messages from others from here on");
        return;
    };
    let before = chat.timeline.before(&first).next_back().filter(|m| !m.key.id.is_empty());
    let read_marker = ReadMarker {
        arrival: before.map_or(Timestamp(first.at.0 - 1), |m| m.key.at),
        read_at: env.now.wall,
        client_id: before.and_then(|m| m.client_id.clone()),
    };
    chat.reading.kept_unread = true;
    chat.reading.looking = Looking::default();
    chat.reading.stay_put();
    chat.selection = None;
    chat.reading.new_from = Some(first);
    chat.reading.new_after = Some(read_marker.arrival);
    chat.timeline.touch();
    env.note("Marked as unread from here");
    let conversation = chat.info.id.clone();
    let tell = env.prefs.reports_reading();
    env.request(Request::MarkRead { conversation, read_marker, back: true, tell });
}

/// The user has stopped looking: what was not on the screen long enough does not count as read.
pub fn look_away(chat: &mut Chat) {
    chat.reading.looking.seen = None;
    chat.reading.looking.due.clear();
}

/// Whether answering counts as reading.
pub fn by_answering(env: &Env<'_>) -> bool {
    env.prefs.receipts() == Receipts::OnReply
}
