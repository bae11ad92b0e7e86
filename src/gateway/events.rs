//! Events and their audience. All recipients share one body; ids and links that differ between them are filled in when
//! a poll is answered.

use super::chat_key::ChatKey;
use super::storage::MessageRow;
use crate::model::UserId;
use std::sync::OnceLock;

pub struct Event {
    /// The recipients: subscribed users only.
    pub audience: Vec<UserId>,
    pub body: EventBody,
}

pub enum EventBody {
    Message(Box<MessageEvent>),
    /// The conversation changed for this user. Its state is read when a poll is answered.
    Conversation(ChatKey),
    /// The properties or members of a group changed. Its state is read when a poll is answered.
    Thread(String),
}

pub struct MessageEvent {
    pub chat: ChatKey,
    pub row: MessageRow,
    pub topic: Option<String>,
    /// Whether the message is new, as opposed to changed.
    pub is_new: bool,
    /// The JSON for the first recipient who polled. It is the same for most of the others.
    written: OnceLock<WrittenMessage>,
}

/// The JSON of a message for recipients who use `origin` and know the chat by the id `conversation`.
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

    /// Passes the JSON for one recipient to `read`; `write` makes it if necessary.
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

    /// Memory that the event takes, in bytes.
    pub fn size(&self) -> usize {
        const OVERHEAD: usize = 256;
        match self {
            // The body as it was posted, and as it is sent.
            Self::Message(message) => 2 * (OVERHEAD + message.row.body.len()),
            Self::Conversation(_) | Self::Thread(_) => OVERHEAD,
        }
    }
}

/// A committed message, for the scripted people of a demo.
#[derive(Clone)]
pub struct Committed {
    pub chat: ChatKey,
    pub sender: UserId,
    pub kind: String,
    pub id: i64,
}
