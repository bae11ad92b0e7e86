//! One conversation: what is known about it, what is loaded, and what the user is doing in it.
//!
//! The modules below change a [`Chat`] through an [`Env`]: they know the account's names, the clock and the
//! preferences, show notes to the user and send requests to sync. They know no other chat, no dialog and no screen.

pub mod alerts;
pub mod change_words;
pub mod completion;
pub mod composer;
pub mod env;
pub mod go_to_date;
pub mod group;
pub mod history;
pub mod join_url;
pub mod jump_to_quote;
pub mod listing;
pub mod message_change;
pub mod on_demand;
pub mod outbox;
pub mod reading;
pub mod recall;
pub mod sending;
pub mod statistics;
pub mod suggestions;
pub mod timeline;
pub mod undo_history;

pub use env::Env;
pub use group::{Blocked, Group};
pub use history::{Older, Paging, Window};
pub use join_url::JoinUrlState;
pub use reading::Reading;
pub use sending::Sending;
pub use statistics::Statistics;

use crate::model::{
    AccountId, ChatChoices, ChatRef, ClientMessageId, Conversation, Delivery, Message, MessageKey,
    Role, Timestamp, UserId,
};
use composer::Composer;
use on_demand::{Initial, OnDemand, initial};
use std::cmp::Reverse;
use std::time::Duration;
use timeline::Timeline;

initial! {
    Timeline = Timeline::default(),
    Composer = Composer::default(),
    Paging = Paging::default(),
    Reading = Reading::default(),
    Sending = Sending::default(),
    Group = Group::of(false, false),
}

pub struct Chat {
    pub account: AccountId,
    pub info: Conversation,
    pub timeline: OnDemand<Timeline>,
    pub composer: OnDemand<Composer>,
    /// Who is typing, and until when (monotonic) that is shown.
    pub typing: Vec<(UserId, Duration)>,
    pub selection: Option<Selection>,
    /// The position of the view.
    pub anchor: Anchor,
    pub paging: OnDemand<Paging>,
    pub reading: OnDemand<Reading>,
    pub sending: OnDemand<Sending>,
    pub group: OnDemand<Group>,
    /// The user's choices for the chat, stored on this machine.
    pub choices: ChatChoices,
}

/// The sort key of the list, smallest first: pinned chats in the user's order, then the most recently active.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SortKey {
    pinned: Reverse<bool>,
    place: u32,
    activity: Reverse<Timestamp>,
}

/// The position of a chat's view: a place in the text rather than a row, so that the text does not move when the
/// terminal is resized or older messages are loaded above.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Anchor {
    #[default]
    Bottom,
    /// The top row: the row of the message's text that holds byte `offset`, or `lead` rows above its first one, or
    /// `tail` rows below its last one.
    At { key: MessageKey, offset: usize, lead: usize, tail: usize },
}

/// One selected message or several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    /// The message that the selection was last moved to.
    pub at: MessageKey,
    /// The message at which a selection of several messages began.
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

impl Chat {
    pub fn new(account: AccountId, info: Conversation) -> Self {
        let group = match (info.muted, info.pinned) {
            (false, false) => OnDemand::INITIAL,
            (muted, pinned) => OnDemand::of(Group::of(muted, pinned)),
        };
        Self {
            account,
            info,
            timeline: OnDemand::INITIAL,
            composer: OnDemand::INITIAL,
            typing: Vec::new(),
            selection: None,
            anchor: Anchor::default(),
            paging: OnDemand::INITIAL,
            reading: OnDemand::INITIAL,
            sending: OnDemand::INITIAL,
            group,
            choices: ChatChoices::default(),
        }
    }

    pub fn chat_ref(&self) -> ChatRef {
        ChatRef { account: self.account.clone(), conversation: self.info.id.clone() }
    }

    /// Whether this is the chat that `chat` refers to.
    pub fn is(&self, chat: &ChatRef) -> bool {
        self.info.id == chat.conversation && self.account == chat.account
    }

    /// Whether it is a thread of this account and one other person.
    pub fn is_thread_with(&self, person: &UserId) -> bool {
        if !self.info.id.is_thread() || self.info.is_group() || self.info.access.is_over() {
            return false;
        }
        match self.group.members.as_slice() {
            [] => self.info.listed.others.as_slice() == std::slice::from_ref(person),
            members => members.len() == 2 && members.iter().any(|m| m.id == *person),
        }
    }

    pub fn is_at_bottom(&self) -> bool {
        self.anchor == Anchor::Bottom
    }

    /// The message the selection was moved to last.
    pub fn selected(&self) -> Option<&Message> {
        self.timeline.get(&self.selection.as_ref()?.at)
    }

    pub fn my_role(&self, me: &UserId) -> Option<Role> {
        self.group.members.iter().find(|m| m.id == *me).map(|m| m.role)
    }

    /// The newest known message, which is not the end of the loaded part if that is in the past.
    pub fn newest(&self) -> Option<&Message> {
        let shows_end = self.paging.window == Window::Live || self.info.last.is_none();
        let loaded = self.timeline.last().filter(|_| shows_end);
        self.paging.beyond.iter().chain(loaded).max_by_key(|message| &message.key)
    }

    /// The time of the last message.
    pub fn last_activity(&self) -> Timestamp {
        let last = self.newest().map_or(Timestamp(0), |m| m.at);
        last.max(self.info.activity)
    }

    /// When (monotonic) something next happens here by itself: a typing indicator expires, or the draft is saved.
    pub fn next_due(&self) -> Option<std::time::Duration> {
        let typing = self.typing.iter().map(|(_, until)| *until);
        typing.chain(self.composer.save_by).min()
    }

    /// Whether it is a one-to-one chat or a left group whose history was deleted and where nothing was said since.
    pub fn is_empty(&self) -> bool {
        (!self.info.is_group() || (self.info.access.is_over() && self.info.cleared_at.is_some()))
            && self.timeline.is_empty()
            && self.composer.draft.is_empty()
            && self.info.last.is_none()
            && (self.info.cleared_at.is_some() || self.info.activity.0 == 0)
    }

    /// Whether the user has taken it out of the list: a left group for good, any other chat until something new is said
    /// or it is brought back.
    pub fn is_hidden(&self) -> bool {
        let choices = &self.choices;
        (choices.hidden && self.info.access.is_over())
            || choices.put_away
            || choices.hidden_at.is_some_and(|at| self.last_activity() <= at)
    }

    /// Whether all its stored data may be deleted: it was left, the service has nothing of it, or it is hidden.
    pub fn may_be_forgotten(&self) -> bool {
        let is_begun = self.info.is_group() || self.newest().is_some() || self.info.last.is_some();
        self.info.access.is_over() || self.is_hidden() || !is_begun
    }

    /// Whether its unread messages count towards the program's total.
    pub fn is_counted(&self) -> bool {
        !self.is_muted() && !self.is_hidden()
    }

    pub fn sort_key(&self) -> SortKey {
        let place = self.choices.pin_place.filter(|_| self.info.pinned);
        SortKey {
            pinned: Reverse(self.info.pinned),
            place: place.unwrap_or(u32::MAX),
            activity: Reverse(self.last_activity()),
        }
    }

    /// Whether the list shows it even when it is not open.
    pub fn is_listed(&self) -> bool {
        !(self.is_empty() || self.is_hidden())
    }

    /// Whether one of the newest own messages has failed to be sent.
    pub fn has_failed(&self) -> bool {
        self.timeline.iter().rev().take(50).any(|m| matches!(m.delivery, Delivery::Failed { .. }))
    }

    /// Keeps a message selected when the server gives it its place; deselects one that is gone.
    pub fn follow_selection(&mut self) {
        if let Some(selection) = &self.selection
            && self.timeline.get(&selection.at).is_none()
        {
            let client_id = ClientMessageId::new(&selection.at.id);
            self.selection =
                self.timeline.of_client_id(&client_id).map(|m| Selection::one(m.key.clone()));
        }
    }
}
