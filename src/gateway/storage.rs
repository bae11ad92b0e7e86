//! The storage interface: what the rules require of a database.
//!
//! Its methods express intent (post a message, remove a member), not changes of rows. Permissions are checked by the
//! rules. Every backend guarantees:
//!
//! - [`Storage::write`] is atomic, and durable once it has returned.
//! - [`Storage::read`] sees a consistent state and does not wait for writes.
//! - Message ids are arrival times in milliseconds, unique and increasing within their chat.
//! - Every change gets a number from one increasing counter.
//! - The version of a conversation that a user sees increases with every change that concerns this user.
//!
//! The tests in `storage/tests.rs` check these guarantees for each backend.

mod sqlite;
#[cfg(test)]
mod tests;

use super::chat_key::ChatKey;
use crate::model::{Role, UserId};
use serde_json::{Map, Value};
use std::collections::HashSet;

pub use sqlite::SqliteStorage;

#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    #[error("the gateway's database is from a newer version ({0})")]
    NewerVersion(i64),
    #[error("{0}")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}

pub type Stored<T> = Result<T, StorageError>;

/// A hash that identifies the content of a message, or a token.
pub type Digest = [u8; 16];

/// The part of a chat that a user may read: the ids of the first and the last message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadWindow {
    pub first: i64,
    pub last: i64,
}

impl ReadWindow {
    pub fn contains(self, row: &MessageRow) -> bool {
        row.reveals >= self.first && row.id <= self.last
    }
}

/// A stored message.
#[derive(Clone, Debug)]
pub struct MessageRow {
    pub id: i64,
    pub sender: UserId,
    /// The `messagetype`.
    pub kind: String,
    /// The id of the oldest message whose content this one reveals: its own id, or that of the message that it edits in
    /// the old way (facts 3.3). Users who may not read that message may not read this one either.
    pub reveals: i64,
    /// Time of the last change in milliseconds.
    pub version: i64,
    /// Number of the last change.
    pub change: i64,
    /// The sender's fields as the text of a JSON object.
    pub body: String,
}

/// A message to be posted. The storage assigns its id.
pub struct NewMessage {
    pub sender: UserId,
    pub kind: String,
    pub client_id: Option<String>,
    pub digest: Option<Digest>,
    /// See [`MessageRow::reveals`]; `None` for its own id.
    pub reveals: Option<i64>,
    pub body: Map<String, Value>,
}

/// A group without its members.
#[derive(Clone, Debug)]
pub struct ThreadRow {
    pub id: String,
    pub creator: String,
    pub created: i64,
    pub version: i64,
    pub topic: String,
    /// Whether anyone may join by link.
    pub joining: bool,
    /// Whether new members may read earlier messages.
    pub history: bool,
    /// The code in the join link.
    pub code: String,
    /// Other properties (picture, moderatedthread, …) in their wire form.
    pub more: Map<String, Value>,
    pub member_count: i64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberRow {
    pub id: UserId,
    pub role: Role,
}

/// A present or former participant of a chat.
#[derive(Clone, Debug)]
pub struct Participant {
    /// The conversation id by which this user knows the chat.
    pub seen_as: String,
    /// `None` after leaving.
    pub role: Option<Role>,
    /// When the user joined, in milliseconds.
    pub joined: i64,
    /// The id of the last message before the user left; 0 if the user never left.
    pub left: i64,
    pub properties: Map<String, Value>,
    /// The id of the last message that is hidden because the user deleted the history.
    pub cleared_at: i64,
    pub version: i64,
    pub window: ReadWindow,
}

impl Participant {
    /// A participant of a chat without messages.
    pub fn not_begun(seen_as: String) -> Self {
        Self {
            seen_as,
            role: Some(Role::User),
            joined: 0,
            left: 0,
            properties: Map::new(),
            cleared_at: 0,
            version: 0,
            window: ReadWindow { first: 0, last: i64::MAX },
        }
    }

    pub fn is_present(&self) -> bool {
        self.role.is_some()
    }
}

/// The position of a conversation in a user's list.
#[derive(Clone, Debug)]
pub struct ConversationEntry {
    pub seen_as: String,
    /// The id of the last message that the user may know of.
    pub activity: i64,
    /// Orders conversations of the same activity.
    pub row: i64,
    pub version: i64,
    pub change: i64,
}

/// How far a member has read.
pub struct MemberReadMark {
    pub user: UserId,
    pub horizon: Option<String>,
    /// The first message the member may read.
    pub since: i64,
}

/// The registration of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistrationRow {
    pub endpoint: String,
    pub user: UserId,
    pub token: String,
    /// A hash of the Skype token that was used to register. If the token is changed, the registration ends.
    pub credential: Digest,
    /// When the token expires, in milliseconds since 1970.
    pub expires: i64,
    /// Whether the client has subscribed to events.
    pub subscribed: bool,
}

pub trait Storage: Send + Sync {
    /// Runs `work` on a consistent state.
    fn read(&self, work: &mut dyn FnMut(&dyn StorageTx)) -> Stored<()>;

    /// Runs `work` in a transaction, which is undone if `work` fails.
    fn write(&self, work: &mut dyn FnMut(&mut dyn StorageTx) -> Stored<()>) -> Stored<()>;
}

/// A transaction. Methods that take `&self` only read.
pub trait StorageTx {
    /// Runs `work`, and undoes only its changes if it returns false.
    fn attempt(&mut self, work: &mut dyn FnMut(&mut dyn StorageTx) -> bool) -> Stored<()>;

    fn thread(&self, id: &str) -> Stored<Option<ThreadRow>>;
    /// The group with this join code.
    fn thread_of_code(&self, code: &str) -> Stored<Option<ThreadRow>>;
    /// The members in the order in which they joined.
    fn members(&self, thread: &str) -> Stored<Vec<MemberRow>>;
    fn participant(&self, chat: &ChatKey, user: &UserId) -> Stored<Option<Participant>>;
    /// The present participants.
    fn present(&self, chat: &ChatKey) -> Stored<Vec<UserId>>;
    /// The present participants among `among` who may read the message with the id `reveals`.
    fn readers(&self, chat: &ChatKey, among: &HashSet<UserId>, reveals: i64)
    -> Stored<Vec<UserId>>;
    fn read_marks(&self, chat: &ChatKey) -> Stored<Vec<MemberReadMark>>;
    /// The conversations of a user that have messages, most recently active first.
    fn conversations(&self, user: &UserId) -> Stored<Vec<ConversationEntry>>;

    fn message(&self, chat: &ChatKey, id: i64) -> Stored<Option<MessageRow>>;
    /// The newest message that `sender` sent under this client id.
    fn message_of_client(
        &self,
        chat: &ChatKey,
        sender: &UserId,
        client_id: &str,
    ) -> Stored<Option<MessageRow>>;
    /// The id of an earlier message with the same sender, client id and digest, posted at `since` or later. Only the
    /// newest messages with that client id are compared.
    fn repeated(&self, chat: &ChatKey, message: &NewMessage, since: i64) -> Stored<Option<i64>>;
    /// Messages below `before` inside `window`, newest first.
    fn messages_before(
        &self,
        chat: &ChatKey,
        window: ReadWindow,
        before: i64,
        limit: usize,
    ) -> Stored<Vec<MessageRow>>;
    /// Messages changed after `change` inside `window`, in the order of their changes.
    fn messages_changed(
        &self,
        chat: &ChatKey,
        window: ReadWindow,
        change: i64,
        limit: usize,
    ) -> Stored<Vec<MessageRow>>;
    /// The number of the last change of a message in the chat.
    fn last_change(&self, chat: &ChatKey) -> Stored<i64>;
    fn registrations(&self) -> Stored<Vec<RegistrationRow>>;
    /// Whether there are no conversations at all.
    fn is_empty(&self) -> Stored<bool>;

    /// Stores a message that arrives at `now`. The first message of a chat of two people creates the chat.
    fn post_message(&mut self, chat: &ChatKey, message: NewMessage, now: i64)
    -> Stored<MessageRow>;
    /// Stores the new body of a message and increases its version.
    fn update_message(
        &mut self,
        chat: &ChatKey,
        id: i64,
        body: &Map<String, Value>,
        now: i64,
    ) -> Stored<MessageRow>;
    /// Sets a property of the conversation for this user only.
    fn set_property(
        &mut self,
        chat: &ChatKey,
        user: &UserId,
        name: &str,
        value: &str,
        now: i64,
    ) -> Stored<()>;
    /// Hides all messages so far from this user.
    fn clear_history(&mut self, chat: &ChatKey, user: &UserId) -> Stored<()>;

    /// Stores a new group without members.
    fn create_thread(&mut self, thread: &ThreadRow) -> Stored<()>;
    /// Stores changed properties of a group and increases its version.
    fn save_thread(&mut self, thread: &ThreadRow, now: i64) -> Stored<()>;
    /// Adds members. Without `history`, they cannot read messages from before `now`.
    fn add_members(
        &mut self,
        thread: &str,
        members: &[MemberRow],
        history: bool,
        now: i64,
    ) -> Stored<()>;
    fn set_role(&mut self, thread: &str, user: &UserId, role: Role) -> Stored<()>;
    /// Removes a member, who keeps access to the messages so far.
    fn remove_member(&mut self, thread: &str, user: &UserId) -> Stored<()>;

    /// Stores a registration.
    fn save_registration(&mut self, registration: &RegistrationRow) -> Stored<()>;
    fn note_subscribed(&mut self, endpoint: &str) -> Stored<()>;
    fn end_registration(&mut self, endpoint: &str) -> Stored<()>;
}
