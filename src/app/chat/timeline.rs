//! A conversation's loaded messages in order. Idempotent: adding a message twice is the same as adding it once.

use crate::model::edits::{EditRole, Edits, Taken};
use crate::model::{
    ClientMessageId, Coverage, Delivery, Gap, Message, MessageBody, MessageKey, Point, UserId,
};
use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;

#[derive(Clone, Debug, Default)]
pub struct Timeline {
    messages: BTreeMap<MessageKey, Message>,
    by_client: HashMap<ClientMessageId, MessageKey>,
    /// Edit records and deletion notices, for messages that are loaded and for those that are not yet.
    edits: Edits,
    /// The gap lines, which stand for missing messages.
    gaps: Vec<MessageKey>,
    revision: u64,
}

impl Timeline {
    /// Increases with every change; layouts of an older revision are stale.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Marks all layouts as stale.
    pub fn touch(&mut self) {
        self.revision += 1;
    }

    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    pub fn len(&self) -> usize {
        self.messages.len()
    }

    pub fn get(&self, key: &MessageKey) -> Option<&Message> {
        self.messages.get(key)
    }

    pub fn first(&self) -> Option<&Message> {
        self.messages.values().next()
    }

    pub fn last(&self) -> Option<&Message> {
        self.messages.values().next_back()
    }

    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Message> {
        self.messages.values()
    }

    /// From `key` on, including it.
    pub fn from(&self, key: &MessageKey) -> impl DoubleEndedIterator<Item = &Message> {
        self.messages.range(key..).map(|(_, m)| m)
    }

    /// After `key`.
    pub fn after(&self, key: &MessageKey) -> impl DoubleEndedIterator<Item = &Message> {
        self.messages.range((Bound::Excluded(key), Bound::Unbounded)).map(|(_, m)| m)
    }

    /// Before `key`, ascending; use `.rev()` to walk up.
    pub fn before(&self, key: &MessageKey) -> impl DoubleEndedIterator<Item = &Message> {
        self.messages.range(..key).map(|(_, m)| m)
    }

    pub fn of_client_id(&self, id: &ClientMessageId) -> Option<&Message> {
        self.messages.get(self.by_client.get(id)?)
    }

    pub fn update(&mut self, key: &MessageKey, change: impl FnOnce(&mut Message)) {
        if let Some(message) = self.messages.get_mut(key) {
            change(message);
            self.revision += 1;
        }
    }

    /// Adds a message: a new one, a newer version, the server's copy of an own one, an edit record or a deletion
    /// notice.
    pub fn upsert(&mut self, mut message: Message) {
        let Taken { role, absorbed } = self.edits.take(&mut message);
        for key in absorbed {
            self.revision += u64::from(self.messages.remove(&key).is_some());
        }
        match role {
            EditRole::Hidden => {}
            EditRole::Edit(original) => {
                self.revision += 1;
                self.refold(&original);
            }
            EditRole::Deletion(id) => {
                self.revision += 1;
                let gone = self.messages.keys().find(|key| *key.id == *id).cloned();
                if let Some(key) = gone {
                    self.refold(&key);
                }
            }
            EditRole::Shown => self.insert(message),
        }
    }

    fn refold(&mut self, key: &MessageKey) {
        if let Some(message) = self.messages.get_mut(key) {
            self.edits.refold(message);
        }
    }

    fn insert(&mut self, message: Message) {
        self.revision += 1;
        if let Some(known) = self.copy_of(&message) {
            // Either the copy that was shown before the server gave it a place, or the server has stored the message
            // twice: then both stay.
            if known.is_unsent() {
                if let Some(client_id) =
                    self.messages.remove(&known).and_then(|unsent| unsent.client_id)
                {
                    self.by_client.insert(client_id, message.key.clone());
                }
            } else if message.key.is_unsent() {
                return;
            }
        }
        let key = message.key.clone();
        if let Some(known) = self.messages.get(&key)
            && (known.version > message.version || *known == message)
        {
            return;
        }
        if let Some(client_id) = &message.client_id {
            self.by_client.insert(client_id.clone(), key.clone());
        }
        self.messages.insert(key.clone(), message);
        self.refold(&key);
    }

    /// Another place at which the same message is shown. If it has no client id, its edit mark identifies it.
    fn copy_of(&self, message: &Message) -> Option<MessageKey> {
        let marked = message.edit_of.as_ref().map(|mark| ClientMessageId::new(&mark.id));
        let known = self.by_client.get(message.client_id.as_ref().or(marked.as_ref())?)?;
        let is_copy = |m: &Message| m.sender == message.sender;
        (*known != message.key && self.messages.get(known).is_some_and(is_copy))
            .then(|| known.clone())
    }

    /// Moves an own message to the place the server gave it.
    pub fn confirm_at(&mut self, client_id: &ClientMessageId, key: &MessageKey) {
        let Some(old) = self.by_client.get(client_id).cloned() else { return };
        if !old.is_unsent() || old == *key {
            return;
        }
        self.revision += 1;
        if let Some(mut message) = self.messages.remove(&old)
            && !self.messages.contains_key(key)
        {
            message.key = key.clone();
            message.at = key.at;
            self.messages.insert(key.clone(), message);
        }
        self.by_client.insert(client_id.clone(), key.clone());
    }

    pub fn remove(&mut self, key: &MessageKey) -> Option<Message> {
        let gone = self.messages.remove(key)?;
        self.edits.forget(&gone);
        if let Some(client_id) = &gone.client_id {
            self.by_client.remove(client_id);
        }
        self.revision += 1;
        Some(gone)
    }

    /// Drops messages that arrived at or before this time: the history was deleted.
    pub fn clear_until(&mut self, at: crate::model::Timestamp) {
        let gone: Vec<MessageKey> =
            self.messages.keys().take_while(|k| k.at <= at).cloned().collect();
        for key in &gone {
            self.remove(key);
        }
    }

    /// Adds a gap line between loaded messages that are not neighbours, and removes the lines of closed gaps.
    pub fn mark_gaps(&mut self, coverage: &Coverage) {
        let between = |gap: &Gap| {
            let key = MessageKey { at: gap.above.at, order: gap.above.order, id: "".into() };
            let is_message = |m: &&Message| !matches!(m.body, MessageBody::Gap { .. });
            let below = self.messages.range(..&key).rev().map(|(_, m)| m).find(is_message);
            let above = self.messages.range(&key..).map(|(_, m)| m).find(is_message);
            let both = below.is_some_and(|m| Point::from(&m.key) <= gap.below)
                && above.is_some_and(|m| !m.key.is_unsent());
            both.then_some((key, gap.closed))
        };
        let wanted: Vec<(MessageKey, bool)> =
            coverage.gaps().filter_map(|gap| between(&gap)).collect();
        let shown = |key: &MessageKey| match self.messages.get(key)?.body {
            MessageBody::Gap { closed } => Some(closed),
            _ => None,
        };
        let same = wanted.len() == self.gaps.len()
            && wanted.iter().all(|(key, closed)| shown(key) == Some(*closed));
        if same {
            return;
        }
        self.revision += 1;
        for key in std::mem::take(&mut self.gaps) {
            self.messages.remove(&key);
        }
        for (key, closed) in wanted {
            self.gaps.push(key.clone());
            self.messages.insert(key.clone(), gap_line(key, closed));
        }
    }

    /// Drops everything that the server has.
    pub fn unload(&mut self) {
        let gone: Vec<MessageKey> =
            self.messages.keys().filter(|k| !k.is_unsent()).cloned().collect();
        for key in &gone {
            self.remove(key);
        }
        self.gaps.clear();
    }

    /// Keeps the newest `limit` messages; true if something was dropped.
    pub fn keep_newest(&mut self, limit: usize) -> bool {
        let excess = self.messages.len().saturating_sub(limit);
        let gone: Vec<MessageKey> = self.messages.keys().take(excess).cloned().collect();
        for key in &gone {
            self.remove(key);
        }
        excess > 0
    }
}

fn gap_line(key: MessageKey, closed: bool) -> Message {
    Message {
        at: key.at,
        key,
        client_id: None,
        sender: UserId::new(""),
        sender_name: None,
        version: 0,
        body: MessageBody::Gap { closed },
        edited: None,
        edit_of: None,
        mentions_me: false,
        reactions: Vec::new(),
        delivery: Delivery::Sent,
    }
}

#[cfg(test)]
mod tests;
