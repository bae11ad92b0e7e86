//! Storage in an SQLite file, with one connection for writing and several for reading.

mod messages;
mod people;
mod registrations;
mod schema;
mod threads;

#[cfg(test)]
pub use schema::tests::version_1;

use super::{
    ConversationEntry, MemberReadMark, MemberRow, MessageRow, NewMessage, Participant, ReadWindow,
    RegistrationRow, Storage, StorageError, StorageTx, Stored, ThreadRow,
};
use crate::gateway::chat_key::ChatKey;
use crate::model::{Role, UserId};
use rusqlite::{Connection, TransactionBehavior};
use serde_json::{Map, Value};
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Number of idle connections for reading.
const KEPT_READERS: usize = 4;
/// Cache sizes of connections in KiB, negative as SQLite expects it.
const READER_CACHE: i64 = -512;
const WRITER_CACHE: i64 = -6 * 1024;
const STATEMENTS: usize = 64;

impl From<rusqlite::Error> for StorageError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Failed(Box::new(error))
    }
}

pub struct SqliteStorage {
    writer: Mutex<Connection>,
    /// `None` for a database in memory, which has only one connection.
    readers: Option<Readers>,
}

struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
}

impl SqliteStorage {
    /// Opens a database file, creates it if it is missing, and migrates older versions. With `None`, the database is in
    /// memory, and reads wait for writes.
    ///
    /// # Errors
    /// If the file cannot be used or is of a newer version.
    pub fn open(path: Option<&Path>) -> Stored<Self> {
        let mut writer = match path {
            Some(path) => Connection::open(path)?,
            None => Connection::open_in_memory()?,
        };
        writer.busy_timeout(Duration::from_secs(5))?;
        writer.pragma_update(None, "journal_mode", "WAL")?;
        writer.pragma_update(None, "synchronous", "FULL")?;
        writer.pragma_update(None, "cache_size", WRITER_CACHE)?;
        writer.set_prepared_statement_cache_capacity(STATEMENTS);
        schema::prepare(&mut writer)?;
        let readers =
            path.map(|path| Readers { path: path.to_owned(), idle: Mutex::new(Vec::new()) });
        Ok(Self { writer: Mutex::new(writer), readers })
    }

    fn writer(&self) -> MutexGuard<'_, Connection> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Readers {
    fn take(&self) -> Stored<Connection> {
        if let Some(idle) = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop() {
            return Ok(idle);
        }
        let reader = Connection::open(&self.path)?;
        reader.busy_timeout(Duration::from_secs(5))?;
        reader.pragma_update(None, "query_only", true)?;
        reader.pragma_update(None, "cache_size", READER_CACHE)?;
        reader.set_prepared_statement_cache_capacity(STATEMENTS);
        Ok(reader)
    }

    fn give_back(&self, reader: Connection) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < KEPT_READERS {
            idle.push(reader);
        }
    }
}

impl Storage for SqliteStorage {
    fn read(&self, work: &mut dyn FnMut(&dyn StorageTx)) -> Stored<()> {
        let Some(readers) = &self.readers else {
            work(&SqliteTx { sql: &self.writer() });
            return Ok(());
        };
        let mut reader = readers.take()?;
        {
            let snapshot = reader.transaction_with_behavior(TransactionBehavior::Deferred)?;
            work(&SqliteTx { sql: &snapshot });
        }
        readers.give_back(reader);
        Ok(())
    }

    fn write(&self, work: &mut dyn FnMut(&mut dyn StorageTx) -> Stored<()>) -> Stored<()> {
        let mut writer = self.writer();
        let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
        work(&mut SqliteTx { sql: &transaction })?;
        transaction.commit()?;
        Ok(())
    }
}

struct SqliteTx<'a> {
    sql: &'a Connection,
}

impl StorageTx for SqliteTx<'_> {
    fn attempt(&mut self, work: &mut dyn FnMut(&mut dyn StorageTx) -> bool) -> Stored<()> {
        let run = |statement: &str| self.sql.prepare_cached(statement)?.execute([]).map(drop);
        run("SAVEPOINT attempt")?;
        let keep = work(&mut SqliteTx { sql: self.sql });
        if !keep {
            // Fails if SQLite has already undone the whole transaction, for example because the disk is full.
            run("ROLLBACK TO attempt")?;
        }
        run("RELEASE attempt")?;
        Ok(())
    }

    fn thread(&self, id: &str) -> Stored<Option<ThreadRow>> {
        Ok(threads::find(self.sql, id)?)
    }
    fn thread_of_code(&self, code: &str) -> Stored<Option<ThreadRow>> {
        Ok(threads::of_code(self.sql, code)?)
    }
    fn members(&self, thread: &str) -> Stored<Vec<MemberRow>> {
        Ok(threads::members(self.sql, thread)?)
    }
    fn participant(&self, chat: &ChatKey, user: &UserId) -> Stored<Option<Participant>> {
        Ok(people::find(self.sql, chat, user)?)
    }
    fn present(&self, chat: &ChatKey) -> Stored<Vec<UserId>> {
        Ok(people::present(self.sql, chat)?)
    }
    fn readers(
        &self,
        chat: &ChatKey,
        among: &HashSet<UserId>,
        reveals: i64,
    ) -> Stored<Vec<UserId>> {
        Ok(people::readers(self.sql, chat, among, reveals)?)
    }
    fn read_marks(&self, chat: &ChatKey) -> Stored<Vec<MemberReadMark>> {
        Ok(people::read_marks(self.sql, chat)?)
    }
    fn conversations(&self, user: &UserId) -> Stored<Vec<ConversationEntry>> {
        Ok(people::conversations(self.sql, user)?)
    }
    fn message(&self, chat: &ChatKey, id: i64) -> Stored<Option<MessageRow>> {
        Ok(messages::find(self.sql, chat, id)?)
    }
    fn message_of_client(
        &self,
        chat: &ChatKey,
        sender: &UserId,
        client_id: &str,
    ) -> Stored<Option<MessageRow>> {
        Ok(messages::of_client(self.sql, chat, sender, client_id)?)
    }
    fn repeated(&self, chat: &ChatKey, message: &NewMessage, since: i64) -> Stored<Option<i64>> {
        Ok(messages::repeated(self.sql, chat, message, since)?)
    }
    fn messages_before(
        &self,
        chat: &ChatKey,
        window: ReadWindow,
        before: i64,
        limit: usize,
    ) -> Stored<Vec<MessageRow>> {
        Ok(messages::before(self.sql, chat, window, before, limit)?)
    }
    fn messages_changed(
        &self,
        chat: &ChatKey,
        window: ReadWindow,
        change: i64,
        limit: usize,
    ) -> Stored<Vec<MessageRow>> {
        Ok(messages::changed(self.sql, chat, window, change, limit)?)
    }
    fn last_change(&self, chat: &ChatKey) -> Stored<i64> {
        Ok(messages::last_change(self.sql, chat)?)
    }
    fn registrations(&self) -> Stored<Vec<RegistrationRow>> {
        Ok(registrations::all(self.sql)?)
    }
    fn is_empty(&self) -> Stored<bool> {
        Ok(self.sql.query_row("SELECT NOT EXISTS (SELECT 1 FROM people)", [], |row| row.get(0))?)
    }

    fn post_message(
        &mut self,
        chat: &ChatKey,
        message: NewMessage,
        now: i64,
    ) -> Stored<MessageRow> {
        Ok(messages::post(self.sql, chat, message, now)?)
    }
    fn update_message(
        &mut self,
        chat: &ChatKey,
        id: i64,
        body: &Map<String, Value>,
        now: i64,
    ) -> Stored<MessageRow> {
        Ok(messages::update(self.sql, chat, id, body, now)?)
    }
    fn set_property(
        &mut self,
        chat: &ChatKey,
        user: &UserId,
        name: &str,
        value: &str,
        now: i64,
    ) -> Stored<()> {
        Ok(people::set_property(self.sql, chat, user, (name, value), now)?)
    }
    fn clear_history(&mut self, chat: &ChatKey, user: &UserId) -> Stored<()> {
        Ok(people::clear_history(self.sql, chat, user)?)
    }
    fn create_thread(&mut self, thread: &ThreadRow) -> Stored<()> {
        Ok(threads::create(self.sql, thread)?)
    }
    fn save_thread(&mut self, thread: &ThreadRow, now: i64) -> Stored<()> {
        Ok(threads::save(self.sql, thread, now)?)
    }
    fn add_members(
        &mut self,
        thread: &str,
        members: &[MemberRow],
        history: bool,
        now: i64,
    ) -> Stored<()> {
        Ok(threads::add_members(self.sql, thread, members, history, now)?)
    }
    fn set_role(&mut self, thread: &str, user: &UserId, role: Role) -> Stored<()> {
        Ok(threads::set_role(self.sql, thread, user, role)?)
    }
    fn remove_member(&mut self, thread: &str, user: &UserId) -> Stored<()> {
        Ok(threads::remove_member(self.sql, thread, user)?)
    }
    fn save_registration(&mut self, registration: &RegistrationRow) -> Stored<()> {
        Ok(registrations::save(self.sql, registration)?)
    }
    fn note_subscribed(&mut self, endpoint: &str) -> Stored<()> {
        Ok(registrations::note_subscribed(self.sql, endpoint)?)
    }
    fn end_registration(&mut self, endpoint: &str) -> Stored<()> {
        Ok(registrations::end(self.sql, endpoint)?)
    }
}

/// The next number of the counter for changes.
fn next_change(sql: &Connection) -> rusqlite::Result<i64> {
    next_changes(sql, 1)
}

/// Takes the next `count` numbers of the counter and returns the last one.
fn next_changes(sql: &Connection, count: usize) -> rusqlite::Result<i64> {
    let count = i64::try_from(count).unwrap_or(0);
    sql.prepare_cached("UPDATE counter SET value = value + ?1 RETURNING value")?
        .query_row([count], |row| row.get(0))
}

/// The row id of a chat, if it exists.
fn chat_number(sql: &Connection, chat: &ChatKey) -> rusqlite::Result<Option<i64>> {
    use rusqlite::OptionalExtension;
    sql.prepare_cached("SELECT id FROM chats WHERE key = ?1")?
        .query_row([chat.key()], |row| row.get(0))
        .optional()
}

/// The row id of a chat. The chat and the participants that follow from its key are created if necessary.
fn open_chat(sql: &Connection, chat: &ChatKey, now: i64) -> rusqlite::Result<i64> {
    if let Some(known) = chat_number(sql, chat)? {
        return Ok(known);
    }
    let change = next_change(sql)?;
    let number: i64 = sql
        .prepare_cached(
            "INSERT INTO chats (key, last_id, version, change) VALUES (?1, 0, ?2, ?3) RETURNING id",
        )?
        .query_row(rusqlite::params![chat.key(), now, change], |row| row.get(0))?;
    for person in chat.people() {
        let member = MemberRow { id: person.clone(), role: Role::User };
        let change = next_change(sql)?;
        people::insert(
            sql,
            number,
            &member,
            &chat.seen_by(person),
            people::JoinDetails { now, since: 0, change },
        )?;
    }
    Ok(number)
}
