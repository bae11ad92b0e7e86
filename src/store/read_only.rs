//! Read-only access for commands, even while the program is writing to the store.

use super::archive::ArchiveMedia;
use super::listing::{CachedConversation, conversations, unread};
use super::read::{MESSAGE, after, message, meta, names, newest, number, thread_json};
use super::{StoreError, archive, coverage, file_state, open_to_read, schema};
use crate::model::{
    ConversationId, Coverage, MessageKey, NameSource, RawMessage, Timestamp, Unread, UserId,
    text::SafeText,
};
use rusqlite::Connection;
use std::path::Path;

/// Opens a store without writing to it.
///
/// # Errors
/// When there is no such file, it cannot be read, or its schema is of another version.
pub fn open_read_only(path: &Path) -> Result<ReadOnly, StoreError> {
    file_state::check(path)?;
    let connection = open_to_read(path)?;
    match schema::version(&connection)? {
        schema::VERSION => Ok(ReadOnly { connection }),
        _ => Err(StoreError::Older),
    }
}

/// A store opened by [`open_read_only`].
pub struct ReadOnly {
    pub(super) connection: Connection,
}

/// Counts of stored rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    pub messages: i64,
    pub conversations: i64,
    pub outbox: i64,
}

impl ReadOnly {
    /// Checks the whole file, and counts its rows.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] if SQLite's check finds an error.
    pub fn check(&self) -> Result<Counts, StoreError> {
        let word: String =
            self.connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
        if word != "ok" {
            return Err(StoreError::Damaged);
        }
        let count = |table: &str| {
            self.connection
                .query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0))
        };
        Ok(Counts {
            messages: count("messages")?,
            conversations: count("conversations")?,
            outbox: count("outbox")?,
        })
    }

    /// A conversation's coverage, and the number of its stored messages.
    pub fn coverage(&self, id: &ConversationId) -> Result<(Coverage, i64), StoreError> {
        let Some((number, _)) = number(&self.connection, id)? else {
            return Ok((Coverage::default(), 0));
        };
        let sql = "SELECT count(*) FROM messages WHERE conversation = ?1";
        let count = self.connection.query_row(sql, [number], |row| row.get(0))?;
        Ok((coverage::load(&self.connection, number)?, count))
    }

    pub fn conversations(&self, me: &UserId) -> Result<Vec<CachedConversation>, StoreError> {
        Ok(conversations(&self.connection, me)?)
    }

    /// How many items of the server could not be placed in any conversation.
    pub fn unplaced(&self) -> Result<i64, StoreError> {
        let text = meta(&self.connection, "unplaced")?;
        Ok(text.and_then(|text| text.parse().ok()).unwrap_or(0))
    }

    /// When the service was last heard from; `None` if never.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn last_heard(&self) -> Result<Option<Timestamp>, StoreError> {
        let text = meta(&self.connection, "heard_at")?;
        Ok(text.and_then(|text| text.parse().ok()).map(Timestamp))
    }

    pub fn names(&self) -> Result<Vec<(UserId, NameSource, SafeText)>, StoreError> {
        Ok(names(&self.connection)?)
    }

    pub fn newest(&self, id: &ConversationId, limit: u32) -> Result<Vec<RawMessage>, StoreError> {
        Ok(newest(&self.connection, id, limit)?)
    }

    /// Stored messages after `key`, oldest first.
    pub fn after(
        &self,
        id: &ConversationId,
        key: &MessageKey,
        limit: u32,
    ) -> Result<Vec<RawMessage>, StoreError> {
        Ok(after(&self.connection, id, key, limit)?)
    }

    /// The items of a conversation that change others: those with an edit mark, and deletion notices.
    pub fn edit_records(&self, id: &ConversationId) -> Result<Vec<RawMessage>, StoreError> {
        let Some((number, _)) = number(&self.connection, id)? else { return Ok(Vec::new()) };
        let sql = format!(
            "SELECT {MESSAGE} FROM messages m WHERE m.conversation = ?1 \
             AND (m.edit_of IS NOT NULL OR m.kind = 'MessageDelete') ORDER BY m.at, m.number"
        );
        let mut query = self.connection.prepare_cached(&sql)?;
        let rows = query.query_map([number], |row| message(&self.connection, row, id))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The files of an object in the exports of an archive; none in other stores.
    pub fn media(&self, object: &str) -> Result<Vec<ArchiveMedia>, StoreError> {
        Ok(archive::origin::media(&self.connection, object)?)
    }

    pub(crate) fn thread_json(&self, id: &ConversationId) -> Result<Option<String>, StoreError> {
        Ok(thread_json(&self.connection, id)?)
    }

    /// The unread count of a conversation.
    pub fn unread(&self, id: &ConversationId, me: &UserId) -> Result<Unread, StoreError> {
        Ok(unread(&self.connection, id, me)?.0)
    }
}
