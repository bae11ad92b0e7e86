//! The conversations of an account and their order: pinned ones, then most recently active first.
//!
//! An account may have a hundred thousand of them. What every change needs to know of all of them (the order, which
//! ones are listed, the totals of the top bar, what is due) is therefore kept in a short record beside each chat, and
//! [`Conversations::settle`] updates the records of the changed chats.

use super::chat::{Chat, SortKey};
use crate::model::{AccountId, Conversation, ConversationId, Timestamp};
use indexmap::IndexMap;
use std::time::Duration;

pub struct Conversations {
    account: AccountId,
    chats: IndexMap<ConversationId, Box<Chat>>,
    /// The records of `chats`, by index.
    records: Vec<Record>,
    /// Indices of chats that may have changed since their record was made.
    changed: Vec<usize>,
    /// Indices, in the order of the list.
    order: Vec<usize>,
    totals: Totals,
    frozen: bool,
    revision: u64,
}

/// A summary of a chat, so that the chat itself need not be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Record {
    sort_key: SortKey,
    listed: bool,
    totals: Totals,
    /// When (monotonic) something next happens in it by itself.
    due: Option<Duration>,
    /// When its muting ends.
    muted_until: Option<Timestamp>,
}

impl Record {
    fn of(chat: &Chat) -> Self {
        Self {
            sort_key: chat.sort_key(),
            listed: chat.is_listed(),
            totals: Totals::of(chat),
            due: chat.next_due(),
            muted_until: chat.choices.muted_until,
        }
    }

    /// Whether something happens in the chat by itself.
    fn is_timed(&self) -> bool {
        self.due.is_some() || self.muted_until.is_some()
    }
}

/// Totals over chats.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Unread messages and mentions of chats that are neither muted nor hidden.
    pub unread: u32,
    pub mentions: u32,
    /// Chats whose unread count has reached its cap.
    pub capped: u32,
    /// Own messages that the server has not accepted yet.
    pub unsent: usize,
}

impl Totals {
    fn of(chat: &Chat) -> Self {
        let unsent = chat.sending.unsent.len();
        if !chat.is_counted() {
            return Self { unsent, ..Self::default() };
        }
        let unread = chat.info.unread;
        let capped = u32::from(unread.messages as usize >= crate::model::unread::COUNT_CAP);
        Self { unread: unread.messages, mentions: unread.mentions, capped, unsent }
    }

    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            unread: self.unread.saturating_add(other.unread),
            mentions: self.mentions.saturating_add(other.mentions),
            capped: self.capped.saturating_add(other.capped),
            unsent: self.unsent.saturating_add(other.unsent),
        }
    }

    fn minus(self, other: Self) -> Self {
        Self {
            unread: self.unread.saturating_sub(other.unread),
            mentions: self.mentions.saturating_sub(other.mentions),
            capped: self.capped.saturating_sub(other.capped),
            unsent: self.unsent.saturating_sub(other.unsent),
        }
    }
}

impl Conversations {
    pub fn new(account: AccountId) -> Self {
        Self {
            account,
            chats: IndexMap::new(),
            records: Vec::new(),
            changed: Vec::new(),
            order: Vec::new(),
            totals: Totals::default(),
            frozen: false,
            revision: 0,
        }
    }

    /// Increases with every change that may show in the list.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    pub fn get(&self, id: &ConversationId) -> Option<&Chat> {
        self.chats.get(id).map(AsRef::as_ref)
    }

    pub fn get_mut(&mut self, id: &ConversationId) -> Option<&mut Chat> {
        self.revision += 1;
        self.get_quietly(id)
    }

    /// The conversation, for a change that does not show in the list.
    pub fn get_quietly(&mut self, id: &ConversationId) -> Option<&mut Chat> {
        let (place, _, chat) = self.chats.get_full_mut(id)?;
        if self.changed.last() != Some(&place) {
            self.changed.push(place);
        }
        Some(chat)
    }

    /// The conversation; created if it is not known.
    pub fn ensure(&mut self, id: &ConversationId) -> &mut Chat {
        self.revision += 1;
        let entry = self.chats.entry(id.clone());
        let place = entry.index();
        if self.changed.last() != Some(&place) {
            self.changed.push(place);
        }
        entry.or_insert_with(|| {
            let chat = Chat::new(self.account.clone(), Conversation::empty(id.clone()));
            let record = Record::of(&chat);
            self.totals = self.totals.plus(record.totals);
            self.records.push(record);
            self.order.push(place);
            Box::new(chat)
        })
    }

    /// Removes a conversation.
    pub fn remove(&mut self, id: &ConversationId) {
        self.settle();
        let Some((place, _, _)) = self.chats.swap_remove_full(id) else { return };
        let record = self.records.swap_remove(place);
        self.totals = self.totals.minus(record.totals);
        // The last chat has taken its place.
        let last = self.chats.len();
        self.order.retain(|other| *other != place);
        self.order.iter_mut().filter(|other| **other == last).for_each(|other| *other = place);
        self.revision += 1;
    }

    fn at(&self, place: usize) -> Option<&Chat> {
        self.chats.get_index(place).map(|(_, chat)| chat.as_ref())
    }

    /// In the order of the list.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Chat> {
        self.order.iter().filter_map(|place| self.at(*place))
    }

    /// The conversations in which something happens by itself, as of the last [`Conversations::settle`].
    pub fn timed(&self) -> impl Iterator<Item = &Chat> {
        let timed = self.chats.values().zip(self.records.iter());
        timed.filter(|(_, record)| record.is_timed()).map(|(chat, _)| chat.as_ref())
    }

    /// The conversations in which something happens by itself, for changes that do not show in the list.
    pub fn timed_mut(&mut self) -> impl Iterator<Item = &mut Chat> {
        self.settle();
        let Self { chats, records, changed, .. } = self;
        let timed = chats.values_mut().zip(records.iter()).enumerate();
        timed.filter(|(_, (_, record))| record.is_timed()).map(|(place, (chat, _))| {
            changed.push(place);
            chat.as_mut()
        })
    }

    /// When (monotonic) something next happens in one of them by itself.
    pub fn next_due(&self) -> Option<Duration> {
        self.records.iter().filter_map(|record| record.due).min()
    }

    /// When the muting of one of them next ends.
    pub fn muted_until(&self) -> Option<Timestamp> {
        self.records.iter().filter_map(|record| record.muted_until).min()
    }

    pub fn totals(&self) -> Totals {
        self.totals
    }

    /// The conversations in the list. Empty chats and hidden groups are left out unless they are open.
    pub fn shown<'a>(&'a self, open: Option<&ConversationId>) -> impl Iterator<Item = &'a Chat> {
        let open = open.and_then(|open| self.chats.get_index_of(open));
        let is_listed = |place: usize| self.records.get(place).is_some_and(|record| record.listed);
        let shown = self.order.iter().copied();
        let shown = shown.filter(move |place| Some(*place) == open || is_listed(*place));
        shown.filter_map(|place| self.at(place))
    }

    /// While the list is frozen, rows keep their places.
    pub fn freeze(&mut self, frozen: bool) {
        self.frozen = frozen;
        self.sort();
    }

    pub fn sort(&mut self) {
        self.settle();
        if self.frozen {
            return;
        }
        let Self { order, records, chats, .. } = self;
        let key = |place: usize| records.get(place).map(|record| record.sort_key);
        let id = |place: usize| chats.get_index(place).map(|(id, _)| id);
        order.sort_by(|a, b| key(*a).cmp(&key(*b)).then_with(|| id(*a).cmp(&id(*b))));
        self.revision += 1;
    }

    /// Updates the records of changed chats, the order and the totals.
    pub fn settle(&mut self) {
        for place in self.changed.drain(..) {
            let chat = self.chats.get_index(place).map(|(_, chat)| chat);
            if let (Some(chat), Some(record)) = (chat, self.records.get_mut(place)) {
                let before = std::mem::replace(record, Record::of(chat));
                self.totals = self.totals.minus(before.totals).plus(record.totals);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Unread, UserId};
    use proptest::prelude::*;

    /// Totals, order and what is due, computed from the chats themselves.
    fn looked_up(conversations: &Conversations) -> (Totals, Option<Duration>, Vec<ConversationId>) {
        let totals = conversations.iter().map(Totals::of).fold(Totals::default(), Totals::plus);
        let due = conversations.iter().filter_map(Chat::next_due).min();
        let mut all: Vec<&Chat> = conversations.iter().collect();
        all.sort_by_key(|c| (c.sort_key(), c.info.id.clone()));
        all.retain(|chat| chat.is_listed());
        (totals, due, all.iter().map(|chat| chat.info.id.clone()).collect())
    }

    proptest! {
        #[test]
        fn sums_order_and_deadlines_are_those_of_the_chats_after_any_changes(
            changes in prop::collection::vec((0..6_u64, 0..10_u8, 0..2_000_u32), 0..60),
        ) {
            let mut conversations = Conversations::new(AccountId::new("home"));
            for (chat, kind, value) in changes {
                let id = ConversationId::new(format!("8:live:{chat}"));
                if kind == 9 {
                    conversations.remove(&id);
                    continue;
                }
                let chat = if kind == 6 {
                    conversations.get_quietly(&id)
                } else {
                    Some(conversations.ensure(&id))
                };
                let Some(chat) = chat else { continue };
                match kind {
                    0 => chat.info.activity = Timestamp(i64::from(value)),
                    1 => chat.info.pinned = value % 2 == 0,
                    2 => chat.info.muted = value % 2 == 0,
                    7 => chat.choices.put_away = value % 2 == 0,
                    8 => chat.choices.pin_place = Some(value % 4),
                    3 => chat.info.unread = Unread { messages: value, mentions: value % 3 },
                    4 => chat.typing = vec![(UserId::new("8:a"), Duration::from_secs(value.into()))],
                    5 => chat.typing.clear(),
                    _ => chat.composer.save_by = Some(Duration::from_millis(value.into())),
                }
                if value % 3 == 0 {
                    conversations.sort();
                }
            }
            conversations.sort();
            let shown = conversations.shown(None).map(|chat| chat.info.id.clone()).collect();
            let found = (conversations.totals(), conversations.next_due(), shown);
            prop_assert_eq!(found, looked_up(&conversations));
        }
    }
}
