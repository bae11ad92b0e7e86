//! Reading a store for commands, also beside the program that writes to it.

use super::read::{CachedConversation, conversations, names, newest, number, thread_json, unread};
use super::{StoreError, coverage, open_to_read, schema};
use crate::model::{
    ConversationId, Coverage, NameSource, RawMessage, Unread, UserId, text::SafeText,
};
use rusqlite::Connection;
use std::path::Path;

/// A connection that cannot write, for commands that run beside the program.
///
/// # Errors
/// When there is no such file, or it cannot be read.
pub fn open_read_only(path: &Path) -> Result<ReadOnly, StoreError> {
    let connection = open_to_read(path)?;
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    match version {
        schema::VERSION => Ok(ReadOnly { connection }),
        newer if newer > schema::VERSION => Err(StoreError::Newer(newer)),
        _ => Err(StoreError::Older),
    }
}

/// See [`open_read_only`].
pub struct ReadOnly {
    pub(super) connection: Connection,
}

/// How much is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    pub messages: i64,
    pub conversations: i64,
    pub outbox: i64,
}

impl ReadOnly {
    /// Reads through the whole file; counts what is in it.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] where a page does not make sense.
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

    /// A conversation's coverage, and how many messages are stored.
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

    pub fn names(&self) -> Result<Vec<(UserId, NameSource, SafeText)>, StoreError> {
        Ok(names(&self.connection)?)
    }

    pub fn newest(&self, id: &ConversationId, limit: u32) -> Result<Vec<RawMessage>, StoreError> {
        Ok(newest(&self.connection, id, limit)?)
    }

    pub(crate) fn thread_json(&self, id: &ConversationId) -> Result<Option<String>, StoreError> {
        Ok(thread_json(&self.connection, id)?)
    }

    /// An unread count for what the server says now, over the rows stored here.
    pub fn unread(&self, id: &ConversationId, me: &UserId) -> Result<Unread, StoreError> {
        Ok(unread(&self.connection, id, me)?.0)
    }
}
