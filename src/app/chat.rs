//! The state of one conversation.

use super::compose::Compose;
use super::group::Group;
use super::timeline::Timeline;
use crate::model::{
    ClientMessageId, Conversation, Coverage, Delivery, MessageKey, Outgoing, Role, SafeText,
    ThreadFlag, Timestamp, UserId,
};
use std::collections::HashMap;
use std::time::Duration;

/// One conversation: what is known of it, what of it is loaded, and what is being done in it.
pub struct ConversationState {
    pub info: Conversation,
    pub timeline: Timeline,
    pub compose: Compose,
    /// Who types, and until when (monotonic) that is believed.
    pub typing: Vec<(UserId, Duration)>,
    pub selection: Option<Selection>,
    pub paging: Paging,
    pub reading: Reading,
    pub sending: Sending,
    pub group: Group,
}

/// One selected message or several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    /// Where the selection was moved to last.
    pub at: MessageKey,
    /// Where a selection of several messages began.
    pub from: Option<MessageKey>,
}

impl Selection {
    pub fn one(at: MessageKey) -> Self {
        Self { at, from: None }
    }

    /// The first and the last selected message.
    pub fn bounds(&self) -> (&MessageKey, &MessageKey) {
        let from = self.from.as_ref().unwrap_or(&self.at);
        ((&self.at).min(from), (&self.at).max(from))
    }
}

/// Which part of the history is loaded, and what is being fetched of the rest.
#[derive(Debug, Default)]
pub struct Paging {
    pub older: Older,
    /// The oldest message ever taken in, shown or not: what lies before it is asked for next.
    pub oldest: Option<MessageKey>,
    /// In a window of the past: the newest message ever taken into it, shown or not.
    pub newest: Option<MessageKey>,
    /// The newest message that arrived while a window of the past was open, and was not taken in.
    pub beyond: Option<MessageKey>,
    /// A message further back that older pages are being loaded for.
    pub sought: Option<Sought>,
    /// Which parts of the history are stored.
    pub coverage: Coverage,
    pub window: Window,
}

/// What was read, by the user and by others.
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

/// Own messages on their way.
#[derive(Debug, Default)]
pub struct Sending {
    /// What was typed, of messages that are not accepted yet: to send again, or to put back into the box.
    pub unsent: HashMap<ClientMessageId, Outgoing>,
    /// The steps of own messages of this run, for the inspector.
    pub deliveries: HashMap<ClientMessageId, Vec<(Timestamp, Delivery)>>,
    /// Own messages that are to go back into the box as soon as the store has let them go.
    pub taking_back: Vec<ClientMessageId>,
    /// Messages that can still be taken back, and until when on the monotonic clock.
    pub held: Vec<(ClientMessageId, Duration)>,
}

/// Which part of the stored history is loaded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Window {
    /// Up to the newest message.
    #[default]
    Live,
    /// A place further back is on its way from the store.
    Opening(MessageKey),
    /// A stretch further back; what is newer is in the store.
    Past { loading: bool },
}

/// A message looked for by what a quote says of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Sought {
    pub id: Option<Box<str>>,
    pub author: Option<UserId>,
    /// To the second, as quotes tell it.
    pub at: Option<Timestamp>,
    /// Pages that may still be asked for.
    pub pages: u32,
}

/// The part of the history above what is loaded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Older {
    #[default]
    Unknown,
    Loading,
    Reached,
    Failed(SafeText),
}

impl ConversationState {
    pub fn new(info: Conversation) -> Self {
        let (muted, pinned) = (info.muted, info.pinned);
        Self {
            info,
            timeline: Timeline::default(),
            compose: Compose::default(),
            typing: Vec::new(),
            selection: None,
            paging: Paging::default(),
            reading: Reading::default(),
            sending: Sending::default(),
            group: Group::of(muted, pinned),
        }
    }

    /// What the server holds of a flag, as far as it said.
    pub fn known(&self, flag: ThreadFlag) -> Option<bool> {
        self.group.flags.get(&flag).copied()
    }

    /// Notes a step of an own message. Only the newest messages' ways are kept.
    pub fn log_delivery(&mut self, id: &ClientMessageId, at: Timestamp, delivery: &Delivery) {
        const MOST: usize = 500;
        if self.sending.deliveries.len() >= MOST && !self.sending.deliveries.contains_key(id) {
            self.sending.deliveries.clear();
        }
        let log = self.sending.deliveries.entry(id.clone()).or_default();
        if log.last().is_none_or(|(_, last)| last != delivery) && log.len() < 50 {
            log.push((at, delivery.clone()));
        }
    }

    /// The server holds this.
    pub fn know(&mut self, flag: ThreadFlag, on: bool) {
        self.group.flags.insert(flag, on);
    }

    /// The message the selection was moved to last.
    pub fn selected(&self) -> Option<&MessageKey> {
        self.selection.as_ref().map(|selection| &selection.at)
    }

    /// The oldest message that is loaded or known to have been seen: what lies before it is not loaded.
    pub fn start(&self) -> Option<MessageKey> {
        let first = self.timeline.first().map(|m| m.key.clone()).filter(|key| !key.is_unsent());
        self.paging.oldest.clone().into_iter().chain(first).min()
    }

    /// The last message that is loaded, and no unsent one.
    pub fn end(&self) -> Option<MessageKey> {
        let last = self.timeline.iter().rev().map(|m| &m.key).find(|key| !key.is_unsent());
        last.cloned().into_iter().chain(self.paging.newest.clone()).max()
    }

    /// Where the window stands after its end was looked for: what came meanwhile may be missing from it.
    pub fn window_at(&mut self, at_end: bool) -> Window {
        let missed =
            self.paging.beyond.as_ref().is_some_and(|key| self.end().is_none_or(|end| *key > end));
        if at_end && !missed {
            self.paging.beyond = None;
            self.paging.newest = None;
            return Window::Live;
        }
        Window::Past { loading: false }
    }

    /// Between what was read before and this message some are missing here.
    pub fn misses_unread(&self, upto: &MessageKey) -> bool {
        let read = self.info.read_marker.as_ref().map_or(Timestamp(0), |h| h.arrival);
        self.paging
            .coverage
            .gaps()
            .any(|gap| !gap.closed && gap.above.at > read && gap.above.at <= upto.at)
    }

    /// How many others have read an own message.
    pub fn readers(&self, at: Timestamp) -> usize {
        self.reading.read_receipts.iter().filter(|(_, read)| *read >= at).count()
    }

    /// Forgets what is loaded, but for what was not sent yet.
    pub fn unload(&mut self) {
        self.timeline.unload();
        self.paging.oldest = None;
        self.paging.newest = None;
        self.paging.older = Older::Unknown;
        self.selection = None;
        self.paging.sought = None;
        self.reading.new_from = None;
        self.paging.window = Window::Live;
    }

    pub fn my_role(&self, me: &UserId) -> Option<Role> {
        self.group.members.iter().find(|m| m.id == *me).map(|m| m.role)
    }

    /// A message that only the screen has: the disk did not take it.
    pub fn has_unsaved(&self) -> bool {
        let unsaved = |m: &crate::model::Message| {
            matches!(m.delivery, Delivery::Failed { can_retry: false, .. })
        };
        self.sending.unsent.keys().any(|id| self.timeline.of_client_id(id).is_some_and(unsaved))
    }

    /// The worst state of own messages, for the mark in the list.
    pub fn has_failed(&self) -> bool {
        self.timeline.iter().rev().take(50).any(|m| matches!(m.delivery, Delivery::Failed { .. }))
    }
}
