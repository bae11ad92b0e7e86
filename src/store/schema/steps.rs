//! The steps of the migrations.

use crate::model::fold::GRAMS_VERSION;
use crate::model::{Coverage, Point, Range, Timestamp};
use crate::store::ids::IdValue;
use crate::store::items::ItemColumns;
use crate::store::{coverage, messages, texts};
use rusqlite::{Transaction, params};

type Migration = fn(&Transaction<'_>) -> rusqlite::Result<()>;

/// Each entry migrates the database from the version of its index to the next one.
pub const STEPS: [Migration; super::VERSION as usize] =
    [first, places_ranges_and_words, texts_in_blocks, compressed_items];

pub fn first(tx: &Transaction<'_>) -> rusqlite::Result<()> {
    tx.execute_batch(
        "
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE conversations (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    json TEXT NOT NULL,
    -- The version up to which messages are stored; 0 until the first page is.
    version INTEGER NOT NULL,
    activity INTEGER NOT NULL,
    -- The best read_marker known, from here or the server, and whether the server still has to hear of it.
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
",
    )
}

/// Gives messages a place in the order of arrival over all conversations. It is their row in the search index, so that
/// the newest hits come first without sorting. Gives conversations their coverage.
fn places_ranges_and_words(tx: &Transaction<'_>) -> rusqlite::Result<()> {
    create_places_and_ranges(tx)?;
    number_by_arrival(tx)?;
    tx.execute_batch(
        "
DROP TABLE messages_1;
CREATE UNIQUE INDEX messages_by_id ON messages (conversation, id);
CREATE INDEX messages_by_time ON messages (conversation, at, number);
CREATE INDEX messages_by_client_id ON messages (conversation, client_id) WHERE client_id IS NOT NULL;
CREATE INDEX messages_by_edit ON messages (conversation, edit_of) WHERE edit_of IS NOT NULL;
-- Everything below this place is still to be read and indexed anew.
INSERT INTO meta SELECT 'index_below', '9223372036854775807' WHERE EXISTS (SELECT 1 FROM messages);
",
    )?;
    save_first_coverages(tx)
}

fn create_places_and_ranges(tx: &Transaction<'_>) -> rusqlite::Result<()> {
    tx.execute_batch(
        "
ALTER TABLE messages RENAME TO messages_1;
DROP INDEX messages_by_id;
DROP INDEX messages_by_time;
DROP INDEX messages_by_client_id;
CREATE TABLE messages (
    place INTEGER PRIMARY KEY,
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
    link INTEGER NOT NULL DEFAULT 0,
    file INTEGER NOT NULL DEFAULT 0,
    decoder INTEGER NOT NULL,
    -- Its words are in the index.
    indexed INTEGER NOT NULL DEFAULT 0,
    json TEXT NOT NULL) STRICT;
-- Where the server's own account of a conversation's changes was left off.
ALTER TABLE conversations ADD COLUMN sync_state TEXT NOT NULL DEFAULT '';
ALTER TABLE conversations ADD COLUMN sync_version INTEGER NOT NULL DEFAULT 0;
CREATE TABLE ranges (
    conversation INTEGER NOT NULL,
    lo_at INTEGER NOT NULL, lo_number INTEGER NOT NULL,
    hi_at INTEGER NOT NULL, hi_number INTEGER NOT NULL,
    floor INTEGER NOT NULL,
    PRIMARY KEY (conversation, lo_at, lo_number)) STRICT, WITHOUT ROWID;
-- How far others have read, as last told: JSON list of ids and arrivals.
ALTER TABLE conversations ADD COLUMN others_read TEXT NOT NULL DEFAULT '[]';
CREATE VIRTUAL TABLE words USING fts5 (grams, content = '', columnsize = 0, detail = none, tokenize = 'ascii');
",
    )
}

/// Copies the messages of the first version, in their order of arrival.
fn number_by_arrival(tx: &Transaction<'_>) -> rusqlite::Result<()> {
    let mut old = tx.prepare("SELECT rowid, at FROM messages_1 ORDER BY at, number")?;
    let mut insert = tx.prepare(
        "INSERT INTO messages (place, conversation, at, number, id, version, sender, client_id, kind, text, \
         edit_of, counts, mentions, decoder, json) SELECT ?2, conversation, at, number, id, version, sender, \
         client_id, kind, text, edit_of, counts, mentions, 0, json FROM messages_1 WHERE rowid = ?1",
    )?;
    let mut rows = old.query([])?;
    let mut last = i64::MIN;
    while let Some(row) = rows.next()? {
        last = messages::wanted_place(row.get(1)?).max(last.saturating_add(1));
        insert.execute(params![row.get::<_, i64>(0)?, last])?;
    }
    Ok(())
}

/// The first version stored one contiguous part of a conversation, from the newest page down, and below it only changed
/// messages that arrived on their own.
fn save_first_coverages(tx: &Transaction<'_>) -> rusqlite::Result<()> {
    let mut ends = tx.prepare(
        "SELECT c.number, c.reached_start, \
         coalesce(min(CASE WHEN c.reached_start OR m.version <= m.number THEN m.at END), max(m.at)), max(m.at) \
         FROM conversations c JOIN messages m ON m.conversation = c.number GROUP BY c.number",
    )?;
    let mut rows = ends.query([])?;
    while let Some(row) = rows.next()? {
        let number: i64 = row.get(0)?;
        let end = |at: i64, which: &str| -> rusqlite::Result<Point> {
            let sql =
                format!("SELECT {which}(number) FROM messages WHERE conversation = ?1 AND at = ?2");
            let order: i64 = tx.query_row(&sql, params![number, at], |row| row.get(0))?;
            Ok(Point { at: Timestamp(at), order: order.unsigned_abs() })
        };
        let (lo, hi) = (end(row.get(2)?, "min")?, end(row.get(3)?, "max")?);
        let mut coverage: Coverage = [Range { lo, hi, floor: row.get(1)? }].into_iter().collect();
        let mut below =
            tx.prepare("SELECT at, number FROM messages WHERE conversation = ?1 AND at < ?2")?;
        let below = below.query_map(params![number, lo.at.0], |row| {
            let order: i64 = row.get(1)?;
            Ok(Point { at: Timestamp(row.get(0)?), order: order.unsigned_abs() })
        })?;
        for point in below {
            coverage.add(Range::alone(point?));
        }
        coverage::save(tx, number, &coverage)?;
    }
    Ok(())
}

/// Replaces the index of grams, and the texts of an archive, by one index for both (`texts`).
fn texts_in_blocks(tx: &Transaction<'_>) -> rusqlite::Result<()> {
    tx.execute_batch(
        "DROP TABLE words; DROP TABLE IF EXISTS archive_texts; DROP TABLE IF EXISTS archive_people;",
    )?;
    // The index is filled in the next step, which changes the form of its blocks.
    tx.execute_batch(texts::TABLES)?;
    tx.execute(
        "INSERT OR REPLACE INTO meta VALUES ('index_grams', ?1)",
        [GRAMS_VERSION.to_string()],
    )?;
    Ok(())
}

/// Replaces the items as they were received by compressed ones (`items`), and ids that are strings of digits by
/// numbers. Rebuilds the index: ids are left out of it if they equal those of the entry before.
fn compressed_items(tx: &Transaction<'_>) -> rusqlite::Result<()> {
    tx.execute_batch(
        "
ALTER TABLE messages RENAME TO messages_3;
CREATE TABLE messages (
    place INTEGER PRIMARY KEY,
    conversation INTEGER NOT NULL,
    at INTEGER NOT NULL,
    number INTEGER NOT NULL,
    -- This, client_id and edit_of are numbers where they look like one.
    id ANY NOT NULL,
    version INTEGER NOT NULL,
    sender TEXT NOT NULL,
    client_id ANY,
    kind TEXT NOT NULL,
    text TEXT NOT NULL,
    edit_of ANY,
    counts INTEGER NOT NULL,
    mentions INTEGER NOT NULL,
    link INTEGER NOT NULL,
    file INTEGER NOT NULL,
    decoder INTEGER NOT NULL,
    -- Its text is in the search index.
    indexed INTEGER NOT NULL,
    item BLOB NOT NULL) STRICT;
",
    )?;
    compress_items(tx)?;
    tx.execute_batch(
        "
DROP TABLE messages_3;
CREATE UNIQUE INDEX messages_by_id ON messages (conversation, id);
CREATE INDEX messages_by_time ON messages (conversation, at, number);
CREATE INDEX messages_by_client_id ON messages (conversation, client_id) WHERE client_id IS NOT NULL;
CREATE INDEX messages_by_edit ON messages (conversation, edit_of) WHERE edit_of IS NOT NULL;
",
    )?;
    texts::clear(tx)?;
    texts::fill(tx)
}

fn compress_items(tx: &Transaction<'_>) -> rusqlite::Result<()> {
    let mut old = tx.prepare(
        "SELECT m.place, c.id, m.id, m.at, m.sender, m.client_id, m.kind, m.text, m.json, m.edit_of FROM messages_3 m \
         JOIN conversations c ON c.number = m.conversation ORDER BY m.place",
    )?;
    let mut insert = tx.prepare(
        "INSERT INTO messages SELECT place, conversation, at, number, ?3, version, sender, ?4, kind, text, \
         ?5, counts, mentions, link, file, decoder, indexed, ?2 FROM messages_3 WHERE place = ?1",
    )?;
    let mut rows = old.query([])?;
    while let Some(row) = rows.next()? {
        // Damaged text must not keep the store from being opened.
        let text = |column| -> rusqlite::Result<_> {
            Ok(row.get_ref(column)?.as_bytes_or_null()?.map(String::from_utf8_lossy))
        };
        let needed = |column| -> rusqlite::Result<_> { Ok(text(column)?.unwrap_or_default()) };
        let (client_id, edit_of) = (text(5)?, text(9)?);
        let columns = ItemColumns {
            conversation: &needed(1)?,
            id: &needed(2)?,
            at: row.get(3)?,
            sender: &needed(4)?,
            client_id: client_id.as_deref(),
            kind: &needed(6)?,
            text: &needed(7)?,
        };
        let item = columns.compressed(&needed(8)?);
        insert.execute(params![
            row.get::<_, i64>(0)?,
            item,
            IdValue(columns.id),
            columns.client_id.map(IdValue),
            edit_of.as_deref().map(IdValue)
        ])?;
    }
    Ok(())
}
