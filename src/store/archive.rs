//! Writes the store of an archive: many messages at once, numbered in the order they come. Such a store has the tables
//! of every store and a few more.

mod batch;
mod new_file;
pub(super) mod origin;

use super::{StoreError, file_state, prepare, schema};
use crate::model::{
    ConversationId, Indexed, NameSource, Point, Range, RawConversation, RawMessage, SafeText,
    Timestamp, UserId,
};
use batch::{BatchWriter, NextRow};
use new_file::NewFile;
use rusqlite::{Connection, Transaction, params};
use std::path::Path;

/// Page cache for a new file while it is being written.
const NEW_CACHE_KIB: i64 = 16 * 1024;
/// Page cache for an existing file; further pages go to its log before the import is complete.
const CACHE_KIB: i64 = 4 * 1024;
/// Large pages suit rows that are inserted in order.
const PAGE_BYTES: i64 = 16 * 1024;

/// Created in addition to the schema of every store.
const TABLES: &str = "
-- A document that was imported, and how far; resume_at is the start of a conversation in it.
CREATE TABLE IF NOT EXISTS archive_sources (
    number INTEGER PRIMARY KEY, path TEXT NOT NULL, begins INTEGER NOT NULL, size INTEGER NOT NULL,
    imported_at INTEGER NOT NULL, resume_at INTEGER NOT NULL, is_done INTEGER NOT NULL,
    report TEXT NOT NULL, UNIQUE (path, begins, size)) STRICT;
-- Messages from this place on, up to the next row's, came from this source.
CREATE TABLE IF NOT EXISTS archive_places (first INTEGER PRIMARY KEY, source INTEGER NOT NULL) STRICT;
-- Messages that a later source has changed.
CREATE TABLE IF NOT EXISTS archive_changed (place INTEGER PRIMARY KEY, source INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS archive_media (
    object TEXT NOT NULL, part TEXT NOT NULL, path TEXT NOT NULL, begins INTEGER NOT NULL,
    size INTEGER NOT NULL, PRIMARY KEY (object, part)) STRICT, WITHOUT ROWID;
";

/// What happened to the messages of a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ArchiveCounts {
    pub new: u64,
    /// Replaced by a higher version.
    pub changed: u64,
    pub unchanged: u64,
}

/// A message to be stored.
#[derive(Debug)]
pub struct ArchiveMessage {
    pub raw: RawMessage,
    pub index: Indexed,
    /// Its text as search compares it.
    pub folded: String,
}

/// The content of one transaction.
#[derive(Debug, Default)]
pub struct ArchiveBatch {
    pub owner: Option<UserId>,
    pub messages: Vec<ArchiveMessage>,
    pub conversations: Vec<(RawConversation, Option<String>)>,
    pub names: Vec<(UserId, NameSource, SafeText)>,
    pub coverage: Vec<(ConversationId, Range)>,
    /// Conversations whose ids became known after their messages.
    pub renamed: Vec<(ConversationId, ConversationId)>,
    /// Everything before this offset in the document is stored with this batch.
    pub resume_at: u64,
    pub decoder: u32,
}

/// A document to be imported.
#[derive(Clone, Copy, Debug)]
pub struct ArchiveSource<'a> {
    pub path: &'a str,
    /// Where in the file it begins, and its size, in bytes.
    pub begins: u64,
    pub size: u64,
    pub imported_at: Timestamp,
}

/// A file in an export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchiveMedia {
    pub object: String,
    pub part: String,
    pub path: String,
    pub begins: u64,
    pub size: u64,
}

/// The store of an archive, open for an import.
///
/// A new one is written next to its final path and moved there on close: nothing of it is visible before, it needs no
/// log for safety, and an import that ends early leaves no trace. An existing one is changed in one transaction, which
/// is committed on close: otherwise, on a full disk or after a kill, it stays as it was.
pub struct ArchiveStore {
    connection: Connection,
    next_place: i64,
    source: i64,
    new_file: Option<NewFile>,
}

impl ArchiveStore {
    /// Opens or creates the file.
    ///
    /// # Errors
    /// See `Store::open`.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        file_state::check(path)?;
        let new_file = NewFile::for_missing(path)?;
        let file = new_file.as_ref().map_or(path, |new| new.file.as_path());
        file_state::make_private(file)?;
        let mut connection = Connection::open(file)?;
        prepare(&connection)?;
        let cache = if new_file.is_some() { NEW_CACHE_KIB } else { CACHE_KIB };
        connection.pragma_update(None, "cache_size", -cache)?;
        if new_file.is_some() {
            connection.pragma_update(None, "page_size", PAGE_BYTES)?;
            // A failed import is not rolled back; its file is deleted.
            connection.pragma_update(None, "journal_mode", "OFF")?;
            connection.pragma_update(None, "synchronous", "OFF")?;
        } else {
            connection.pragma_update(None, "journal_mode", "WAL")?;
            // A committed transaction survives a kill; a power failure may lose it, and importing again restores it.
            connection.pragma_update(None, "synchronous", "NORMAL")?;
        }
        schema::migrate(&mut connection, Some(file))?;
        connection.execute_batch(TABLES)?;
        if new_file.is_none() {
            connection.execute_batch("BEGIN IMMEDIATE")?;
        }
        let last: Option<i64> =
            connection.query_row("SELECT max(place) FROM messages", [], |row| row.get(0))?;
        Ok(Self { connection, next_place: last.unwrap_or(0) + 1, source: 0, new_file })
    }

    /// The owner of the archive.
    pub fn owner(&self) -> Result<Option<UserId>, StoreError> {
        Ok(super::read::meta(&self.connection, OWNER)?.map(UserId::from))
    }

    pub fn set_owner(&mut self, owner: &UserId) -> Result<(), StoreError> {
        self.connection.execute(SET_OWNER, [OWNER, owner.as_str()])?;
        Ok(())
    }

    /// Begins or continues a document. Returns the offset at which to continue.
    pub fn begin(&mut self, source: &ArchiveSource<'_>) -> Result<u64, StoreError> {
        let number = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        let tx = &self.connection;
        tx.execute(
            "INSERT INTO archive_sources (path, begins, size, imported_at, resume_at, is_done, report) \
             VALUES (?1, ?2, ?3, ?4, 0, 0, '') ON CONFLICT (path, begins, size) DO UPDATE SET \
             imported_at = CASE WHEN is_done THEN imported_at ELSE ?4 END, resume_at = CASE WHEN is_done THEN 0 ELSE resume_at END, is_done = 0",
            params![source.path, number(source.begins), number(source.size), source.imported_at.0],
        )?;
        let (id, resume_at): (i64, i64) = tx.query_row(
            "SELECT number, resume_at FROM archive_sources WHERE path = ?1 AND begins = ?2 AND size = ?3",
            params![source.path, number(source.begins), number(source.size)],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        tx.execute("INSERT OR REPLACE INTO archive_places VALUES (?1, ?2)", [self.next_place, id])?;
        self.source = id;
        Ok(resume_at.unsigned_abs())
    }

    /// Records whether all of the document is imported, and the report.
    pub fn end(&mut self, is_done: bool, report: &str) -> Result<(), StoreError> {
        self.connection.execute(
            "UPDATE archive_sources SET is_done = ?2, report = ?3 WHERE number = ?1",
            params![self.source, is_done, report],
        )?;
        Ok(())
    }

    /// Records where the files of an export are.
    pub fn put_media(&mut self, media: &[ArchiveMedia]) -> Result<(), StoreError> {
        let part = self.begin_part()?;
        for item in media {
            let number = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
            self.connection
                .prepare_cached("INSERT OR REPLACE INTO archive_media VALUES (?1, ?2, ?3, ?4, ?5)")?
                .execute(params![
                    item.object,
                    item.part,
                    item.path,
                    number(item.begins),
                    number(item.size)
                ])?;
        }
        Self::end_part(part)?;
        Ok(())
    }

    /// Begins a part of the import. In a new file, each part is one transaction, so that it is written in one go.
    fn begin_part(&self) -> rusqlite::Result<Option<Transaction<'_>>> {
        self.new_file.as_ref().map(|_| self.connection.unchecked_transaction()).transpose()
    }

    fn end_part(part: Option<Transaction<'_>>) -> rusqlite::Result<()> {
        part.map_or(Ok(()), Transaction::commit)
    }

    /// Stores a batch.
    pub fn put(&mut self, batch: &ArchiveBatch) -> Result<ArchiveCounts, StoreError> {
        let part = self.begin_part()?;
        let next = NextRow { place: self.next_place, source: self.source };
        let mut writer = BatchWriter::new(&self.connection, next, batch.decoder);
        writer.put(batch)?;
        let (counts, next_place) = (writer.counts, writer.next.place);
        self.connection
            .prepare_cached("UPDATE archive_sources SET resume_at = ?2 WHERE number = ?1")?
            .execute(params![self.source, i64::try_from(batch.resume_at).unwrap_or(i64::MAX)])?;
        Self::end_part(part)?;
        self.next_place = next_place;
        Ok(counts)
    }

    /// Completes the import; a new file is moved to its final path.
    ///
    /// # Errors
    /// When the disk is full. A new file is deleted then, and an existing one is as it was.
    pub fn close(self) -> Result<(), StoreError> {
        self.connection.flush_prepared_statement_cache();
        if self.new_file.is_some() {
            self.connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
        } else {
            self.connection.execute_batch("COMMIT")?;
            let written: rusqlite::Result<()> =
                self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
            if let Err(error) = written {
                // Everything is in the log, which is read along with the file and is written back some other time.
                tracing::warn!(%error, "the log of an archive was not written back");
            }
        }
        self.connection.close().map_err(|(_, error)| error)?;
        self.new_file.map_or(Ok(()), NewFile::keep)
    }
}

/// The owner of this archive; empty if its exports do not say.
///
/// # Errors
/// When there is no such file, or it is not the store of an archive.
pub fn archive_owner(path: &Path) -> Result<UserId, StoreError> {
    let connection = super::open_to_read(path)?;
    if !origin::is_archive(&connection)? {
        return Err(StoreError::Older);
    }
    Ok(super::read::meta(&connection, OWNER)?.unwrap_or_default().into())
}

/// The key of the owner's id in `meta`.
pub(super) const OWNER: &str = "archive_owner";
const SET_OWNER: &str =
    "INSERT INTO meta VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = ?2";

/// The part of a conversation's history that an import read.
pub fn imported_range(lo: Point, hi: Point, to_the_start: bool) -> Range {
    Range { lo, hi, floor: to_the_start }
}
