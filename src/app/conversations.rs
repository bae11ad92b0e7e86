//! All conversations and their order: pinned ones, then most recently active first. The only way in is through these methods.

use super::state::ConversationState;
use crate::model::{Conversation, ConversationId, Timestamp};
use std::collections::HashMap;

#[derive(Default)]
pub struct Conversations {
    map: HashMap<ConversationId, ConversationState>,
    order: Vec<ConversationId>,
    frozen: bool,
    revision: u64,
    /// The one Enter opens while the list has the focus.
    pub marked: Option<ConversationId>,
}

impl Conversations {
    /// Rises with everything the list may show.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    pub fn touch(&mut self) {
        self.revision += 1;
    }

    pub fn get(&self, id: &ConversationId) -> Option<&ConversationState> {
        self.map.get(id)
    }

    pub fn get_mut(&mut self, id: &ConversationId) -> Option<&mut ConversationState> {
        self.revision += 1;
        self.map.get_mut(id)
    }

    /// The conversation; made when it is not known.
    pub fn ensure(&mut self, id: &ConversationId) -> &mut ConversationState {
        self.revision += 1;
        if !self.map.contains_key(id) {
            self.order.push(id.clone());
        }
        self.map
            .entry(id.clone())
            .or_insert_with(|| ConversationState::new(Conversation::empty(id.clone())))
    }

    /// In the order of the list.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &ConversationState> {
        self.order.iter().filter_map(|id| self.map.get(id))
    }

    /// The ids of the list, those hidden left out. `open` is never hidden.
    pub fn shown<'a>(
        &'a self,
        open: Option<&'a ConversationId>,
    ) -> impl Iterator<Item = &'a ConversationState> {
        self.iter().filter(move |c| Some(&c.info.id) == open || !is_empty(c))
    }

    pub fn len(&self) -> usize {
        self.map.len()
    }

    pub fn is_empty(&self) -> bool {
        self.map.is_empty()
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
        let activity = |id: &ConversationId| map.get(id).map_or(Timestamp(0), last_activity);
        let pinned = |id: &ConversationId| map.get(id).is_some_and(|c| c.info.pinned);
        self.order.sort_by(|a, b| {
            let order = pinned(b).cmp(&pinned(a)).then_with(|| activity(b).cmp(&activity(a)));
            order.then_with(|| a.cmp(b))
        });
        self.revision += 1;
    }
}

/// When something was last said in it.
pub fn last_activity(c: &ConversationState) -> Timestamp {
    let last = c.timeline.last().map_or(Timestamp(0), |m| m.at);
    last.max(c.info.activity)
}

/// A one-to-one chat whose history was deleted and where nothing was said since.
fn is_empty(c: &ConversationState) -> bool {
    !c.info.is_group()
        && c.timeline.is_empty()
        && c.compose.draft.is_empty()
        && c.info.last.is_none()
        && (c.info.cleared_at.is_some() || c.info.activity.0 == 0)
}
