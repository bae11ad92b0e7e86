//! The schema and its migrations: append only, one step a version. No step touches message bodies.

use super::StoreError;
use rusqlite::{Connection, TransactionBehavior};

/// Each entry brings the database from its index to the next version.
const STEPS: [&str; VERSION as usize] = ["
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE conversations (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    json TEXT NOT NULL,
    -- The version up to which messages are stored; 0 until the first page is.
    version INTEGER NOT NULL,
    activity INTEGER NOT NULL,
    -- The best horizon known, from here or the server, and whether the server still has to hear of it.
    horizon TEXT NOT NULL DEFAULT '',
    horizon_unsent INTEGER NOT NULL DEFAULT 0,
    cleared_at INTEGER NOT NULL DEFAULT 0,
    reached_start INTEGER NOT NULL DEFAULT 0,
    thread_json TEXT NOT NULL DEFAULT '') STRICT;
CREATE TABLE messages (
    conversation INTEGER NOT NULL,
    at INTEGER NOT NULL,
    number INTEGER NOT NULL,
    id TEXT NOT NULL,
    version INTEGER NOT NULL,
    sender TEXT NOT NULL,
    client_id TEXT,
    kind TEXT NOT NULL,
    text TEXT NOT NULL,
    edit_of TEXT,
    counts INTEGER NOT NULL,
    mentions INTEGER NOT NULL,
    decoder INTEGER NOT NULL,
    json TEXT NOT NULL) STRICT;
CREATE UNIQUE INDEX messages_by_id ON messages (conversation, id);
CREATE INDEX messages_by_time ON messages (conversation, at, number);
CREATE INDEX messages_by_client_id ON messages (conversation, client_id) WHERE client_id IS NOT NULL;
CREATE TABLE names (id TEXT PRIMARY KEY, rank INTEGER NOT NULL, name TEXT NOT NULL) STRICT;
CREATE TABLE drafts (conversation TEXT PRIMARY KEY, draft TEXT NOT NULL) STRICT;
-- What is to be sent, in the order it was typed. queued_at is the wall clock and bounds the look-back only.
CREATE TABLE outbox (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    conversation TEXT NOT NULL,
    client_id TEXT NOT NULL UNIQUE,
    outgoing TEXT NOT NULL,
    queued_at INTEGER NOT NULL,
    state TEXT NOT NULL,
    reason TEXT NOT NULL DEFAULT '') STRICT;
"];

pub const VERSION: i64 = 1;

pub fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if version > VERSION {
        return Err(StoreError::Newer(version));
    }
    let done = usize::try_from(version).unwrap_or(0);
    for (next, step) in (1i64..).zip(STEPS).skip(done) {
        let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        tx.execute_batch(step)?;
        tx.pragma_update(None, "user_version", next)?;
        tx.commit()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newer_schema_is_refused_and_left_alone() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection).unwrap();
        connection.pragma_update(None, "user_version", VERSION + 1).unwrap();
        assert!(matches!(migrate(&mut connection), Err(StoreError::Newer(_))));
    }
}
