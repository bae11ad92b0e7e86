//! Conversations, their members and settings.

pub use super::thread_flag::{FLAGS, FlagActivity, FlagCommand, FlagSpec, ThreadFlag};

use super::body::MessageBody;
use super::id::{ConversationId, ConversationKind, UserId};
use super::read_marker::ReadMarker;
use super::text::SafeText;
use super::time::Timestamp;
use super::unread::Unread;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// A conversation as received, for the cache.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RawConversation {
    pub id: ConversationId,
    /// When anything in it was last changed, in milliseconds.
    pub version: u64,
    /// Arrival of the last message.
    pub activity: Timestamp,
    pub json: Box<str>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conversation {
    pub id: ConversationId,
    /// A group's topic; empty when it has none, `None` when the server did not say.
    pub topic: Option<SafeText>,
    pub version: u64,
    pub activity: Timestamp,
    pub read_marker: Option<ReadMarker>,
    /// Messages up to here were deleted by this account and are not shown.
    pub cleared_at: Option<Timestamp>,
    pub muted: bool,
    pub pinned: bool,
    #[serde(default)]
    pub access: ChatAccess,
    pub last: Option<Snippet>,
    pub unread: Unread,
    #[serde(default)]
    pub listed: ListedPeople,
}

/// What this account may do in a conversation, as far as is known. Stored messages stay readable.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ChatAccess {
    #[default]
    Full,
    /// The server does not accept messages from this account, for this reason (facts 6).
    ReadOnly(SafeText),
    /// No longer a member: `lastleaveat` after `lastjoinat`, or reading was refused.
    Left,
    /// The conversation does not exist any more, or not for this account.
    Gone,
}

impl ChatAccess {
    /// Whether nothing can be done there any more except reading what is stored.
    pub fn is_over(&self) -> bool {
        matches!(self, Self::Left | Self::Gone)
    }
}

/// What the conversation list says about the people in a conversation, before its members are fetched.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedPeople {
    /// Some of the others, or all of them.
    pub others: Vec<UserId>,
    /// How many people are in it, this account included.
    pub count: Option<usize>,
    /// Whether it is a one-to-one chat, if anything besides its id says so.
    pub one_to_one: Option<bool>,
}

/// The last message in one line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snippet {
    pub sender: UserId,
    pub text: SafeText,
    /// The content of a system line, so that it can be shown with names that become known later.
    pub system: Option<MessageBody>,
}

impl Snippet {
    /// The line, with the names of those in it.
    pub fn text(&self, name: &dyn Fn(&UserId) -> SafeText) -> String {
        self.system.as_ref().map_or_else(|| self.text.to_string(), |body| body.text(name))
    }
}

impl Conversation {
    /// A conversation that is known only by its id, such as a one-to-one chat that does not exist yet.
    pub fn empty(id: ConversationId) -> Self {
        Self {
            id,
            topic: None,
            version: 0,
            activity: Timestamp(0),
            read_marker: None,
            cleared_at: None,
            muted: false,
            pinned: false,
            access: ChatAccess::Full,
            last: None,
            unread: Unread::default(),
            listed: ListedPeople::default(),
        }
    }

    /// The topic, where there is one to show.
    pub fn shown_topic(&self) -> Option<&SafeText> {
        self.topic.as_ref().filter(|topic| !topic.is_empty())
    }

    pub fn is_group(&self) -> bool {
        self.kind() == ConversationKind::Group
    }

    /// Its kind: by the number of members and the conversation list, otherwise by its id (facts 3.6).
    pub fn kind(&self) -> ConversationKind {
        let one_to_one = match (self.listed.one_to_one, self.listed.count) {
            (_, Some(3..)) => Some(false),
            (known, _) => known,
        };
        match (self.id.kind(), one_to_one) {
            (ConversationKind::Group, Some(true)) => ConversationKind::Direct,
            (ConversationKind::Direct, Some(false)) if self.id.is_thread() => {
                ConversationKind::Group
            }
            (kind, _) => kind,
        }
    }

    /// Whether its name is made of its members' names, so that they have to be known.
    pub fn is_named_by_members(&self) -> bool {
        self.id.is_thread() && (self.shown_topic().is_none() || !self.is_group())
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Role {
    Admin,
    #[default]
    User,
}

impl Role {
    /// `Admin` in any case is an admin; anything else is a user (facts 7, row 10).
    pub fn parse(text: &str) -> Self {
        if text.eq_ignore_ascii_case("admin") { Self::Admin } else { Self::User }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    pub id: UserId,
    /// `friendlyName`; often empty.
    pub name: SafeText,
    pub role: Role,
    /// The other fields of the reference page: name on the wire and value.
    pub details: Vec<(Cow<'static, str>, SafeText)>,
}

impl Default for Member {
    fn default() -> Self {
        Self {
            id: UserId::new(""),
            name: SafeText::default(),
            role: Role::User,
            details: Vec::new(),
        }
    }
}

/// A group's properties as the server holds them. `None`: the server did not say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThreadSettings {
    pub topic: Option<SafeText>,
    /// The two-state settings of the group; a missing one is not known.
    pub flags: BTreeMap<ThreadFlag, bool>,
    pub creator: Option<UserId>,
    pub created: Option<Timestamp>,
    pub picture: Option<SafeText>,
    pub capabilities: Vec<SafeText>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flag_finds_its_own_row() {
        for spec in &FLAGS {
            assert_eq!(spec.flag.spec().property, spec.property);
        }
    }
}
