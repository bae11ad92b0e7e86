//! Messages: as received ([`RawMessage`]), as read ([`Message`]), and as typed ([`Draft`], [`Outgoing`]).

use super::body::MessageBody;
use super::composer_markup::Mention;
use super::id::{ClientMessageId, ConversationId, UserId};
use super::text::SafeText;
use super::time::Timestamp;
use super::undo::UndoStep;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A message as received, not yet decoded: the store keeps it like this, so that a better decoder improves old history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RawMessage {
    /// Server id: arrival in milliseconds as text, unique within one conversation only (facts 3.1).
    pub id: Arc<str>,
    pub client_id: Option<ClientMessageId>,
    pub conversation: ConversationId,
    pub sender: UserId,
    /// `imdisplayname` as the sender gave it; not cleaned.
    pub sender_name: Option<Arc<str>>,
    /// Arrival at the server.
    pub at: Timestamp,
    /// Milliseconds of the last change; above `id` when the message was changed after posting.
    pub version: u64,
    /// The wire's `messagetype`.
    pub kind: Arc<str>,
    pub content: Box<str>,
    /// The item holds more that its display depends on (edits, reactions, mentions, a host with rules of its own), so
    /// it has to be decoded again.
    pub extras: bool,
    /// For a stored row with an edit mark: the store holds the message that it edits. False as received.
    pub original_is_stored: bool,
    /// The whole item exactly as received; the fields above are read from it.
    pub json: Box<str>,
}

impl RawMessage {
    pub fn key(&self) -> MessageKey {
        MessageKey { at: self.at, order: MessageKey::number(&self.id), id: Arc::clone(&self.id) }
    }
}

/// The mark of an edit (`skypeeditedid`; facts 3.3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EditMark {
    /// The original's client id, or its id.
    pub id: Box<str>,
    /// The store holds the original, loaded or not.
    pub is_stored: bool,
}

/// What the store needs to know of a raw message besides itself; made by the decoder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Indexed {
    /// Text without formatting, for snippets and search.
    pub text: String,
    /// The message that its edit mark names, which it may replace: a client id or an id (facts 3.3).
    pub edit_of: Option<Box<str>>,
    /// Whether an unread count includes it where it is shown: written by a person, not a signal or a system line.
    pub counts: bool,
    pub mentions_me: bool,
    /// It has a link, or is a file, picture or recording: what `has:` asks for.
    pub link: bool,
    pub file: bool,
}

/// The position of a message in its conversation: arrival at the server, then id. Unsent ones come after all others, in
/// the order they were queued.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct MessageKey {
    pub at: Timestamp,
    /// The id as a number where it is one, so that `9` comes before `10`; the queue number of an unsent message.
    pub order: u64,
    pub id: Arc<str>,
}

impl MessageKey {
    /// The key of a message that the server has. In archives, the author may follow the id after a `~`.
    pub fn server(at: Timestamp, id: &str) -> Self {
        Self { at, order: Self::number(id), id: id.into() }
    }

    fn number(id: &str) -> u64 {
        // Nearly all ids are numbers, and need no search.
        let number = id.parse().ok();
        number.or_else(|| id.split_once('~')?.0.parse().ok()).unwrap_or(0)
    }

    pub fn unsent(queue: u64, client_id: &ClientMessageId) -> Self {
        Self { at: Timestamp(i64::MAX), order: queue, id: client_id.as_str().into() }
    }

    pub fn is_unsent(&self) -> bool {
        self.at.0 == i64::MAX
    }
}

/// A message as read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    pub key: MessageKey,
    pub client_id: Option<ClientMessageId>,
    pub sender: UserId,
    pub sender_name: Option<SafeText>,
    /// The time to show: arrival, or when it was typed while it is unsent.
    pub at: Timestamp,
    pub version: u64,
    pub body: MessageBody,
    pub edited: Option<Timestamp>,
    /// Set by an edit mark. Whether it is an edit record or the edited message itself is known to [`super::edits`].
    pub edit_of: Option<EditMark>,
    pub mentions_me: bool,
    pub reactions: Vec<Reaction>,
    pub delivery: Delivery,
}

impl Message {
    /// Whether it is shown as edited: a deleted message has no text to be shown as such.
    pub fn shows_edited(&self) -> bool {
        self.edited.is_some() && self.body != MessageBody::Deleted
    }

    /// Whether its version says that it was changed after it was posted, if only by a reaction.
    pub fn is_changed_in_place(&self) -> bool {
        self.key.order > 0 && self.version > self.key.order
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reaction {
    /// The wire's key: `heart`, `like`, `1f44d_thumbsup`.
    pub key: SafeText,
    pub users: Vec<UserId>,
}

/// The failure reason of a message whose outcome could not be determined. It is not sent again automatically.
pub const NOT_CONFIRMED: &str = "not confirmed: R resends";

/// How a message that failed for this reason is shown.
pub fn failure(reason: &str) -> String {
    if reason == NOT_CONFIRMED { reason.to_owned() } else { format!("not sent: {reason}") }
}

/// The delivery state of a message of this account. Received messages are always `Sent`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Delivery {
    /// Being saved; nothing has been sent.
    Saving,
    /// On disk, and held back for the time during which it can be taken back.
    Held,
    /// On disk, waiting for its turn or for the connection.
    Queued,
    Sending,
    Sent,
    /// The outcome is unknown and is being looked up.
    Unconfirmed,
    Failed {
        reason: SafeText,
        can_retry: bool,
    },
}

impl Serialize for SafeText {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self)
    }
}

impl<'de> Deserialize<'de> for SafeText {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Ok(SafeText::text(&String::deserialize(d)?))
    }
}

impl Delivery {
    /// Its outcome could not be found out, and the user decides whether it is sent again.
    pub fn is_not_confirmed(&self) -> bool {
        matches!(self, Self::Failed { reason, .. } if reason.as_str() == NOT_CONFIRMED)
    }
}

/// The draft of one conversation. The message box edits only this value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    pub text: String,
    /// Byte offset of the cursor in `text`.
    pub cursor: usize,
    pub reply: Option<QuoteOf>,
    pub edit: Option<EditTarget>,
    /// The steps for the undo key, oldest first. Only set on disk; while the program runs, the compose box has them.
    #[serde(default, skip_serializing_if = "Vec::is_empty", rename = "steps")]
    pub undo: Vec<UndoStep>,
}

impl Draft {
    pub fn is_empty(&self) -> bool {
        self.text.is_empty() && self.reply.is_none() && self.edit.is_none()
    }
}

/// The message an edit goes to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EditTarget {
    pub id: Box<str>,
    /// The text as it was put into the box.
    pub was: String,
    /// See [`Outgoing::source`].
    #[serde(default)]
    pub source: Option<Box<str>>,
    /// The previous text in the box, which is restored afterwards.
    #[serde(default)]
    pub before: String,
    #[serde(default)]
    pub reply: Option<QuoteOf>,
}

/// The message a reply quotes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuoteOf {
    pub author: UserId,
    pub name: SafeText,
    pub at: Timestamp,
    pub id: Box<str>,
    pub text: SafeText,
}

/// A message for the outbox, as typed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outgoing {
    pub text: String,
    pub reply: Option<QuoteOf>,
    /// `/me`: sent with the user's name in front and `skypeemoteoffset`.
    #[serde(default)]
    pub emote: bool,
    /// Typed markers (`*bold*`) become tags.
    #[serde(default)]
    pub markup: bool,
    /// The people that it mentions by name.
    #[serde(default)]
    pub mentions: Vec<Mention>,
    /// The text is content of this messagetype as on the wire, tags and all: an edit of something that cannot be typed.
    #[serde(default)]
    pub source: Option<Box<str>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_is_arrival_then_number_and_unsent_last() {
        let at = Timestamp(5);
        let nine = MessageKey::server(at, "9");
        let ten = MessageKey::server(at, "10");
        let later = MessageKey::server(Timestamp(6), "1");
        let unsent = MessageKey::unsent(1, &"77".into());
        let mut keys = vec![unsent.clone(), later.clone(), ten.clone(), nine.clone()];
        keys.sort();
        assert_eq!(keys, [nine, ten, later, unsent]);
    }
}
