//! What the gateway keeps: the contract between the rules above it and a database below it.
//!
//! The methods say what is meant (post this message, this person has left), not which rows change. Whether somebody may
//! do something is decided by the rules; a backend only keeps what it is given and keeps these promises:
//!
//! - [`Storage::write`] is all or nothing, and durable once it has returned.
//! - [`Storage::read`] works on one consistent state and does not wait for writes.
//! - Message ids are arrival times in milliseconds, unique and rising within their chat.
//! - Every change takes a number from one rising counter, by which callers ask for what is new.
//! - A person's version of a conversation rises with every change of it that concerns them.
//!
//! The tests in `storage/tests.rs` hold a backend to this.

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
    #[error("the gateway's database is of a newer version ({0})")]
    NewerVersion(i64),
    #[error("{0}")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}

pub type Stored<T> = Result<T, StorageError>;

/// A hash of what a sender wrote, to recognise the same message when it is sent again.
pub type Digest = [u8; 16];

/// The part of a chat that one person may read, as ids of its first and last message.
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

/// A message as it is kept.
#[derive(Clone, Debug)]
pub struct MessageRow {
    pub id: i64,
    pub sender: UserId,
    /// The `messagetype`.
    pub kind: String,
    /// The oldest message whose content this one shows: itself, or the one it edits in the old way (facts 3.3).
    /// Whoever may not read that one may not read this one either.
    pub reveals: i64,
    /// Time of the last change, in milliseconds.
    pub version: i64,
    /// Number of the last change.
    pub change: i64,
    /// The sender's fields: the text of a JSON object.
    pub body: String,
}

/// A message that is to be posted. Its id is given by the storage.
pub struct NewMessage {
    pub sender: UserId,
    pub kind: String,
    pub client_id: Option<String>,
    pub digest: Option<Digest>,
    /// See [`MessageRow::reveals`]; `None` for itself.
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
    /// Whether people may join by link.
    pub joining: bool,
    /// Whether newcomers may read what was said before.
    pub history: bool,
    /// The code in the join link.
    pub code: String,
    /// Further properties (picture, moderatedthread, …) as they are shown.
    pub more: Map<String, Value>,
    pub member_count: i64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberRow {
    pub id: UserId,
    pub role: Role,
}

/// One person's place in a chat, past or present.
#[derive(Clone, Debug)]
pub struct Participant {
    /// The conversation id this person knows the chat by.
    pub seen_as: String,
    /// `None` after leaving.
    pub role: Option<Role>,
    /// When the person came in, in milliseconds.
    pub joined: i64,
    /// The last message before the person left; 0 while nobody left.
    pub left: i64,
    pub properties: Map<String, Value>,
    /// The last message that the person's deletion of the history hides.
    pub cleared_at: i64,
    pub version: i64,
    pub window: ReadWindow,
}

impl Participant {
    /// Of a chat of two, or of notes, in which nothing was said yet.
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

/// Where a conversation stands in one person's list.
#[derive(Clone, Debug)]
pub struct ConversationEntry {
    pub seen_as: String,
    /// The id of the last message the person may know of.
    pub activity: i64,
    /// Tells apart conversations of the same activity.
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

/// A registration of a client, which outlives a restart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistrationRow {
    pub endpoint: String,
    pub user: UserId,
    pub token: String,
    /// A hash of the Skype token with which it was made: with that token it ends.
    pub credential: Digest,
    /// When the token ends, in milliseconds since 1970.
    pub expires: i64,
    /// Whether it takes events.
    pub subscribed: bool,
}

pub trait Storage: Send + Sync {
    /// Runs `work` on one consistent state.
    fn read(&self, work: &mut dyn FnMut(&dyn StorageTx)) -> Stored<()>;

    /// Runs `work` in one transaction, which an error of `work` undoes.
    fn write(&self, work: &mut dyn FnMut(&mut dyn StorageTx) -> Stored<()>) -> Stored<()>;
}

/// A transaction. Methods that take `&self` only read.
pub trait StorageTx {
    /// Runs `work` as a part of its own, undone when it returns false.
    fn attempt(&mut self, work: &mut dyn FnMut(&mut dyn StorageTx) -> bool) -> Stored<()>;

    fn thread(&self, id: &str) -> Stored<Option<ThreadRow>>;
    /// The group that a join code stands for.
    fn thread_of_code(&self, code: &str) -> Stored<Option<ThreadRow>>;
    /// The members, the longest first.
    fn members(&self, thread: &str) -> Stored<Vec<MemberRow>>;
    fn participant(&self, chat: &ChatKey, user: &UserId) -> Stored<Option<Participant>>;
    /// Those who are in the chat now.
    fn present(&self, chat: &ChatKey) -> Stored<Vec<UserId>>;
    /// Those of `among` who are in the chat now and may read what message `reveals` holds.
    fn readers(&self, chat: &ChatKey, among: &HashSet<UserId>, reveals: i64)
    -> Stored<Vec<UserId>>;
    fn read_marks(&self, chat: &ChatKey) -> Stored<Vec<MemberReadMark>>;
    /// Someone's conversations with at least one message, most recently active first.
    fn conversations(&self, user: &UserId) -> Stored<Vec<ConversationEntry>>;

    fn message(&self, chat: &ChatKey, id: i64) -> Stored<Option<MessageRow>>;
    /// The newest message that `sender` sent under this client id.
    fn message_of_client(
        &self,
        chat: &ChatKey,
        sender: &UserId,
        client_id: &str,
    ) -> Stored<Option<MessageRow>>;
    /// The id of the message that this one repeats: same sender, client id and digest, posted at `since` or later. Only
    /// the newest under that client id count.
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
    /// The number of the newest change of a message in the chat.
    fn last_change(&self, chat: &ChatKey) -> Stored<i64>;
    fn registrations(&self) -> Stored<Vec<RegistrationRow>>;
    /// Whether nobody has any conversation yet.
    fn is_empty(&self) -> Stored<bool>;

    /// Stores a message that arrives at `now`. A chat of two people begins with its first message.
    fn post_message(&mut self, chat: &ChatKey, message: NewMessage, now: i64)
    -> Stored<MessageRow>;
    /// Stores the new body of a message, under a higher version.
    fn update_message(
        &mut self,
        chat: &ChatKey,
        id: i64,
        body: &Map<String, Value>,
        now: i64,
    ) -> Stored<MessageRow>;
    /// Sets a property that only this person sees.
    fn set_property(
        &mut self,
        chat: &ChatKey,
        user: &UserId,
        name: &str,
        value: &str,
        now: i64,
    ) -> Stored<()>;
    /// Hides everything up to now from this person.
    fn clear_history(&mut self, chat: &ChatKey, user: &UserId) -> Stored<()>;

    /// Stores a new group without members.
    fn create_thread(&mut self, thread: &ThreadRow) -> Stored<()>;
    /// Stores changed properties of a group, under a higher version.
    fn save_thread(&mut self, thread: &ThreadRow, now: i64) -> Stored<()>;
    /// Lets people in who are not members now. Without `history` they can read nothing that was posted before `now`.
    fn add_members(
        &mut self,
        thread: &str,
        members: &[MemberRow],
        history: bool,
        now: i64,
    ) -> Stored<()>;
    fn set_role(&mut self, thread: &str, user: &UserId, role: Role) -> Stored<()>;
    /// The person keeps what was posted until now.
    fn remove_member(&mut self, thread: &str, user: &UserId) -> Stored<()>;

    /// Stores a registration, or how it has changed.
    fn save_registration(&mut self, registration: &RegistrationRow) -> Stored<()>;
    fn note_subscribed(&mut self, endpoint: &str) -> Stored<()>;
    fn end_registration(&mut self, endpoint: &str) -> Stored<()>;
}
