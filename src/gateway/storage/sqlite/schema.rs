//! The schema and its migrations.

use super::StorageError;
use rusqlite::{Connection, TransactionBehavior};

/// Migrations from each version of the schema to the next. Released migrations must not be changed.
const STEPS: [&str; 3] = [VERSION_1, VERSION_2, VERSION_3];

const VERSION_1: &str = "
CREATE TABLE counter (value INTEGER NOT NULL);
INSERT INTO counter VALUES (0);
CREATE TABLE threads (
    id TEXT PRIMARY KEY, creator TEXT NOT NULL, created INTEGER NOT NULL, version INTEGER NOT NULL,
    topic TEXT NOT NULL, joining INTEGER NOT NULL, history INTEGER NOT NULL, code TEXT NOT NULL UNIQUE,
    more TEXT NOT NULL) STRICT;
CREATE TABLE members (
    thread TEXT NOT NULL, user TEXT NOT NULL, admin INTEGER NOT NULL, PRIMARY KEY (thread, user)) STRICT;
CREATE TABLE messages (
    space TEXT NOT NULL, id INTEGER NOT NULL, sender TEXT NOT NULL, client_id TEXT, version INTEGER NOT NULL,
    change INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (space, id)) STRICT;
CREATE INDEX messages_by_change ON messages (space, change);
CREATE INDEX messages_by_client_id ON messages (space, client_id) WHERE client_id IS NOT NULL;
CREATE TABLE views (
    user TEXT NOT NULL, space TEXT NOT NULL, id TEXT NOT NULL, properties TEXT NOT NULL,
    cleared_at INTEGER NOT NULL, joined INTEGER NOT NULL, left INTEGER NOT NULL, since INTEGER NOT NULL,
    activity INTEGER NOT NULL, version INTEGER NOT NULL, change INTEGER NOT NULL, PRIMARY KEY (user, space)) STRICT;
CREATE INDEX views_by_activity ON views (user, activity);
";

/// Moves what is the same for all participants to `chats`, so that the cost of posting does not depend on the number of
/// participants. Chats get integer ids to keep indexes small.
const VERSION_2: &str = "
CREATE TABLE chats (
    id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, last_id INTEGER NOT NULL, version INTEGER NOT NULL,
    change INTEGER NOT NULL) STRICT;
INSERT INTO chats (key, last_id, version, change)
    SELECT space, max(activity), max(version), max(change) FROM views GROUP BY space;
-- role: 0 after leaving, 1 user, 2 admin. own_changes: how often this person's own part changed; with the version of
-- the chat (or left_version, what it was when the person left) it makes the version that the person sees.
CREATE TABLE people (
    chat INTEGER NOT NULL, user TEXT NOT NULL, seen_as TEXT NOT NULL, role INTEGER NOT NULL,
    joined INTEGER NOT NULL, left INTEGER NOT NULL, since INTEGER NOT NULL, cleared_at INTEGER NOT NULL,
    properties TEXT NOT NULL, own_changes INTEGER NOT NULL, left_version INTEGER NOT NULL, change INTEGER NOT NULL,
    PRIMARY KEY (chat, user)) STRICT;
CREATE INDEX people_by_user ON people (user);
INSERT INTO people
    SELECT c.id, v.user, v.id,
        CASE WHEN v.space LIKE '19:%' THEN ifnull(m.admin + 1, 0) ELSE 1 END,
        v.joined, v.left, v.since, v.cleared_at, v.properties, 0, v.version, v.change
    FROM views v JOIN chats c ON c.key = v.space
    LEFT JOIN members m ON m.thread = v.space AND m.user = v.user
    ORDER BY m.rowid, v.rowid;
ALTER TABLE threads ADD COLUMN member_count INTEGER NOT NULL DEFAULT 0;
UPDATE threads SET member_count = (SELECT count(*) FROM members m WHERE m.thread = threads.id);
ALTER TABLE messages RENAME TO old_messages;
DROP INDEX messages_by_change;
DROP INDEX messages_by_client_id;
CREATE TABLE messages (
    chat INTEGER NOT NULL, id INTEGER NOT NULL, sender TEXT NOT NULL, kind TEXT NOT NULL, client_id TEXT,
    digest BLOB, reveals INTEGER NOT NULL, version INTEGER NOT NULL, change INTEGER NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (chat, id)) STRICT;
INSERT INTO messages
    SELECT c.id, m.id, m.sender, ifnull(json_extract(m.body, '$.messagetype'), ''), m.client_id, NULL, m.id, m.version,
        m.change,
        CASE WHEN json_extract(m.body, '$.composetime') IS NULL
            THEN json_set(m.body, '$.composetime', strftime('%Y-%m-%dT%H:%M:%fZ', m.id / 1000.0, 'unixepoch'))
            ELSE m.body END
    FROM old_messages m JOIN chats c ON c.key = m.space ORDER BY m.rowid;
CREATE INDEX messages_by_change ON messages (chat, change);
CREATE INDEX messages_by_client_id ON messages (chat, client_id) WHERE client_id IS NOT NULL;
DROP TABLE old_messages;
DROP TABLE views;
DROP TABLE members;
";

/// Stores participants in the order of their chats, so that all participants of a chat are read quickly.
const VERSION_3: &str = "
ALTER TABLE people RENAME TO old_people;
DROP INDEX people_by_user;
-- seat: rises with everyone who comes into any chat for the first time.
CREATE TABLE people (
    chat INTEGER NOT NULL, user TEXT NOT NULL, role INTEGER NOT NULL, since INTEGER NOT NULL,
    cleared_at INTEGER NOT NULL, joined INTEGER NOT NULL, left INTEGER NOT NULL, seat INTEGER NOT NULL,
    own_changes INTEGER NOT NULL, left_version INTEGER NOT NULL, change INTEGER NOT NULL, seen_as TEXT NOT NULL,
    properties TEXT NOT NULL, PRIMARY KEY (chat, user)) STRICT, WITHOUT ROWID;
INSERT INTO people
    SELECT chat, user, role, since, cleared_at, joined, left, rowid, own_changes, left_version, change, seen_as,
        properties
    FROM old_people;
CREATE INDEX people_by_user ON people (user);
DROP TABLE old_people;
DROP INDEX messages_by_client_id;
CREATE INDEX messages_by_client_id ON messages (chat, client_id, sender, id) WHERE client_id IS NOT NULL;
CREATE TABLE registrations (
    endpoint TEXT PRIMARY KEY, user TEXT NOT NULL, token TEXT NOT NULL, credential BLOB NOT NULL,
    expires INTEGER NOT NULL, subscribed INTEGER NOT NULL) STRICT;
";

/// Creates or migrates the tables in one transaction.
pub fn prepare(connection: &mut Connection) -> Result<(), StorageError> {
    let known = i64::try_from(STEPS.len()).unwrap_or(i64::MAX);
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if found > known {
        return Err(StorageError::NewerVersion(found));
    }
    if found == known {
        return Ok(());
    }
    for step in STEPS.iter().skip(usize::try_from(found).unwrap_or(0)) {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "user_version", known)?;
    transaction.commit()?;
    Ok(())
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// Creates a database of version 1 and runs `fill` on it.
    pub fn version_1(path: &std::path::Path, fill: &str) {
        let connection = Connection::open(path).unwrap();
        connection.execute_batch(&format!("{VERSION_1} {fill} PRAGMA user_version = 1;")).unwrap();
    }
}
