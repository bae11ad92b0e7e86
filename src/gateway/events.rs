//! What happened, and who is to know. An event holds one body for all of its audience; the links and ids that differ
//! from person to person are filled in when a poll is answered.

use super::chat_key::ChatKey;
use super::storage::MessageRow;
use crate::model::UserId;
use std::sync::OnceLock;

pub struct Event {
    /// Those who have a subscription, among those whom it concerns.
    pub audience: Vec<UserId>,
    pub body: EventBody,
}

pub enum EventBody {
    Message(Box<MessageEvent>),
    /// A conversation changed for its audience. How it stands is read when a poll is answered: what lies between is of
    /// no use to anybody.
    Conversation(ChatKey),
    /// A group's properties or members changed; read when a poll is answered, like a conversation.
    Thread(String),
}

pub struct MessageEvent {
    pub chat: ChatKey,
    pub row: MessageRow,
    pub topic: Option<String>,
    /// Whether it was posted, and not changed.
    pub is_new: bool,
    /// As it was written for the first who polled; most of the others get the very same.
    written: OnceLock<WrittenMessage>,
}

/// A message as it is sent to those who reach the gateway by `origin` and know the chat as `conversation`.
pub struct WrittenMessage {
    pub origin: String,
    pub conversation: String,
    /// JSON text.
    pub resource: String,
    pub link: String,
}

impl MessageEvent {
    pub fn new(chat: ChatKey, row: MessageRow, topic: Option<String>, is_new: bool) -> Self {
        Self { chat, row, topic, is_new, written: OnceLock::new() }
    }

    /// The text for one reader, made by `write` where it is not there yet.
    pub fn written<T>(
        &self,
        origin: &str,
        conversation: &str,
        write: impl Fn() -> WrittenMessage,
        read: impl FnOnce(&WrittenMessage) -> T,
    ) -> T {
        let first = self.written.get_or_init(&write);
        if first.origin == origin && first.conversation == conversation {
            read(first)
        } else {
            read(&write())
        }
    }
}

impl EventBody {
    pub fn resource_type(&self) -> &'static str {
        match self {
            Self::Message(message) if message.is_new => "NewMessage",
            Self::Message(_) => "MessageUpdate",
            Self::Conversation(_) => "ConversationUpdate",
            Self::Thread(_) => "ThreadUpdate",
        }
    }

    /// What it costs to keep, in bytes.
    pub fn size(&self) -> usize {
        const OVERHEAD: usize = 256;
        match self {
            // Once as it was posted, and once as it is sent.
            Self::Message(message) => 2 * (OVERHEAD + message.row.body.len()),
            Self::Conversation(_) | Self::Thread(_) => OVERHEAD,
        }
    }
}

/// A message that was committed, for the scripted people of a demo.
#[derive(Clone)]
pub struct Committed {
    pub chat: ChatKey,
    pub sender: UserId,
    pub kind: String,
    pub id: i64,
}
