//! Conversations, their members and settings.

use super::id::{ClientMessageId, ConversationId, ConversationKind, UserId};
use super::text::SafeText;
use super::time::Timestamp;
use super::unread::Unread;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// A conversation as received, for the cache.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RawConversation {
    pub id: ConversationId,
    /// Milliseconds of the last change of anything in it.
    pub version: u64,
    /// Arrival of the last message.
    pub activity: Timestamp,
    pub json: Box<str>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conversation {
    pub id: ConversationId,
    /// A group's topic; empty when it has none, nothing when the server did not say.
    pub topic: Option<SafeText>,
    pub version: u64,
    pub activity: Timestamp,
    pub read_marker: Option<ReadMarker>,
    /// Messages up to here were deleted by this account and are not shown.
    pub cleared_at: Option<Timestamp>,
    pub muted: bool,
    pub pinned: bool,
    /// `lastleaveat` after `lastjoinat`: still readable, no longer a member.
    pub left: bool,
    pub last: Option<Snippet>,
    pub unread: Unread,
}

/// The last message in one line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snippet {
    pub sender: UserId,
    pub text: SafeText,
    pub system: bool,
}

impl Conversation {
    /// One that is known by its id only, such as a one-to-one chat that does not exist yet.
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
            left: false,
            last: None,
            unread: Unread::default(),
        }
    }

    /// The topic, where there is one to show.
    pub fn shown_topic(&self) -> Option<&SafeText> {
        self.topic.as_ref().filter(|topic| !topic.is_empty())
    }

    pub fn is_group(&self) -> bool {
        self.id.kind() == ConversationKind::Group
    }
}

/// `consumptionhorizon`: how far someone has read, on the wire `A;B;C` (facts 3.5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadMarker {
    /// Arrival of the last message read.
    pub arrival: Timestamp,
    /// When it was read.
    pub read_at: Timestamp,
    pub client_id: Option<ClientMessageId>,
}

impl ReadMarker {
    /// Reads `A;B;C`; `0;0;0`, incomplete or broken values say nothing and give `None`.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(';').map(str::trim);
        let arrival: i64 = parts.next()?.parse().ok()?;
        let read_at = parts.next().and_then(|p| p.parse().ok()).unwrap_or(arrival);
        let client = parts.next().filter(|c| !c.is_empty() && *c != "0").map(ClientMessageId::new);
        (arrival > 0).then_some(Self {
            arrival: Timestamp(arrival),
            read_at: Timestamp(read_at),
            client_id: client,
        })
    }

    /// The wire form.
    pub fn text(&self) -> String {
        let client = self.client_id.as_ref().map_or("0", |c| c.as_str());
        format!("{};{};{client}", self.arrival.0, self.read_at.0)
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
    /// The rest of the reference page's fields, for those who want to know: name on the wire and value.
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
    /// Anyone with the link can join.
    pub joining_enabled: Option<bool>,
    /// New members see what was said before they came.
    pub history_disclosed: Option<bool>,
    pub creator: Option<UserId>,
    pub created: Option<Timestamp>,
    pub picture: Option<SafeText>,
    pub capabilities: Vec<SafeText>,
}

/// A setting with two states. The first two are the group's, the others this account's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ThreadFlag {
    JoiningEnabled,
    HistoryDisclosed,
    Alerts,
    /// `favorite`: stands above the others in the list.
    Pinned,
}

impl ThreadFlag {
    /// The property's name on the wire.
    pub fn property(self) -> &'static str {
        match self {
            Self::JoiningEnabled => "joiningenabled",
            Self::HistoryDisclosed => "historydisclosed",
            Self::Alerts => "alerts",
            Self::Pinned => "favorite",
        }
    }

    /// Whether it is this account's own and not the group's.
    pub fn is_own(self) -> bool {
        matches!(self, Self::Alerts | Self::Pinned)
    }

    /// What the screen calls it.
    pub fn label(self) -> &'static str {
        match self {
            Self::JoiningEnabled => "link",
            Self::HistoryDisclosed => "history",
            Self::Alerts => "alerts",
            Self::Pinned => "pin",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn read_markers_of_the_wild_read() {
        let h = ReadMarker::parse("1461605505609;1461605570732;10435004700722293356").unwrap();
        assert_eq!(h.arrival, Timestamp(1_461_605_505_609));
        assert_eq!(h.client_id.as_ref().unwrap().as_str(), "10435004700722293356");
        assert_eq!(h.text(), "1461605505609;1461605570732;10435004700722293356");
        assert_eq!(ReadMarker::parse("0;0;0"), None);
        assert_eq!(ReadMarker::parse("..."), None);
        assert_eq!(ReadMarker::parse("").map(|h| h.text()), None);
        assert_eq!(ReadMarker::parse("12").unwrap().text(), "12;12;0");
    }
}
