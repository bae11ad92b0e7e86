//! The conversations of an account and their order: pinned ones, then most recently active first.

use super::chat::Chat;
use crate::model::{AccountId, Conversation, ConversationId, Timestamp};
use std::collections::HashMap;

pub struct Conversations {
    account: AccountId,
    map: HashMap<ConversationId, Chat>,
    order: Vec<ConversationId>,
    frozen: bool,
    revision: u64,
}

impl Conversations {
    pub fn new(account: AccountId) -> Self {
        Self { account, map: HashMap::new(), order: Vec::new(), frozen: false, revision: 0 }
    }

    /// Rises with everything the list may show.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    pub fn get(&self, id: &ConversationId) -> Option<&Chat> {
        self.map.get(id)
    }

    pub fn get_mut(&mut self, id: &ConversationId) -> Option<&mut Chat> {
        self.revision += 1;
        self.map.get_mut(id)
    }

    /// The conversation, for a change that does not show in the list.
    pub fn get_quietly(&mut self, id: &ConversationId) -> Option<&mut Chat> {
        self.map.get_mut(id)
    }

    /// The conversation; created if it is not known.
    pub fn ensure(&mut self, id: &ConversationId) -> &mut Chat {
        self.revision += 1;
        if !self.map.contains_key(id) {
            self.order.push(id.clone());
        }
        self.map
            .entry(id.clone())
            .or_insert_with(|| Chat::new(self.account.clone(), Conversation::empty(id.clone())))
    }

    /// In the order of the list.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Chat> {
        self.order.iter().filter_map(|id| self.map.get(id))
    }

    /// In the order of the list, for changes that do not show in the list.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Chat> {
        self.map.values_mut()
    }

    /// The conversations in the list. Empty chats and hidden groups are left out unless they are open.
    pub fn shown<'a>(&'a self, open: Option<&'a ConversationId>) -> impl Iterator<Item = &'a Chat> {
        self.iter().filter(move |c| Some(&c.info.id) == open || c.is_listed())
    }

    /// While frozen, rows keep their places.
    pub fn freeze(&mut self, frozen: bool) {
        self.frozen = frozen;
        self.sort();
    }

    pub fn sort(&mut self) {
        if self.frozen {
            return;
        }
        let map = &self.map;
        let activity = |id: &ConversationId| map.get(id).map_or(Timestamp(0), Chat::last_activity);
        let pinned = |id: &ConversationId| map.get(id).is_some_and(|c| c.info.pinned);
        self.order.sort_by(|a, b| {
            let order = pinned(b).cmp(&pinned(a)).then_with(|| activity(b).cmp(&activity(a)));
            order.then_with(|| a.cmp(b))
        });
        self.revision += 1;
    }
}
