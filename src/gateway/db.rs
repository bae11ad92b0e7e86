//! The gateway's own SQLite file: conversations, threads, messages. One transaction a request.

use super::api_error::ApiError;
use super::chat_key::ChatKey;
use super::hub::UserEvent;
use super::render;
use super::rows::{MessageRow, ViewRow};
use super::state::Committed;
use crate::model::UserId;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

const SCHEMA_VERSION: i64 = 1;
const SCHEMA: &str = "
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
-- One person's view of a space. activity: id of the last message; since: the first message that may be seen.
CREATE TABLE views (
    user TEXT NOT NULL, space TEXT NOT NULL, id TEXT NOT NULL, properties TEXT NOT NULL,
    cleared_at INTEGER NOT NULL, joined INTEGER NOT NULL, left INTEGER NOT NULL, since INTEGER NOT NULL,
    activity INTEGER NOT NULL, version INTEGER NOT NULL, change INTEGER NOT NULL, PRIMARY KEY (user, space)) STRICT;
CREATE INDEX views_by_activity ON views (user, activity);
";

pub struct Db {
    connection: Connection,
    names: HashMap<UserId, String>,
}

impl Db {
    pub fn open(
        path: Option<&Path>,
        names: HashMap<UserId, String>,
    ) -> Result<Self, rusqlite::Error> {
        let connection = match path {
            Some(path) => Connection::open(path)?,
            None => Connection::open_in_memory()?,
        };
        connection.busy_timeout(Duration::from_secs(5))?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if version == 0 {
            connection.execute_batch(&format!(
                "BEGIN; {SCHEMA} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;"
            ))?;
        } else if version > SCHEMA_VERSION {
            return Err(rusqlite::Error::InvalidParameterName(format!(
                "the gateway's database is of a newer version ({version})"
            )));
        }
        Ok(Self { connection, names })
    }

    /// Begins a transaction that sees `now` as the time.
    pub fn begin<'a>(&'a mut self, now: i64, origin: &'a str) -> Result<Tx<'a>, rusqlite::Error> {
        let tx = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        Ok(Tx { sql: tx, names: &self.names, now, origin, events: Vec::new(), said: Vec::new() })
    }
}

/// A transaction with the events it will cause.
pub struct Tx<'a> {
    pub sql: rusqlite::Transaction<'a>,
    pub names: &'a HashMap<UserId, String>,
    pub now: i64,
    pub origin: &'a str,
    events: Vec<UserEvent>,
    said: Vec<Committed>,
}

impl Tx<'_> {
    pub fn commit(self) -> Result<(Vec<UserEvent>, Vec<Committed>), rusqlite::Error> {
        self.sql.commit()?;
        Ok((self.events, self.said))
    }

    pub fn name(&self, user: &str) -> String {
        self.names.get(&UserId::new(user)).cloned().unwrap_or_default()
    }

    /// Rises with every change of anything.
    pub fn next_change(&mut self) -> Result<i64, rusqlite::Error> {
        self.sql
            .query_row("UPDATE counter SET value = value + 1 RETURNING value", [], |row| row.get(0))
    }

    pub fn tell(
        &mut self,
        user: &UserId,
        resource_type: &'static str,
        link: String,
        resource: Value,
    ) {
        self.events.push(UserEvent {
            user: user.clone(),
            resource_type,
            resource_link: link,
            resource,
        });
    }

    pub fn participants(&self, space: &ChatKey) -> Result<Vec<UserId>, rusqlite::Error> {
        match space {
            ChatKey::Notes(me) => Ok(vec![me.clone()]),
            ChatKey::Pair(a, b) => Ok(vec![a.clone(), b.clone()]),
            ChatKey::Thread(id) => {
                let mut query = self
                    .sql
                    .prepare_cached("SELECT user FROM members WHERE thread = ?1 ORDER BY user")?;
                let users =
                    query.query_map([id], |row| Ok(UserId::from(row.get::<_, String>(0)?)))?;
                users.collect()
            }
        }
    }

    /// A person's view of a space, made if it does not exist.
    pub fn view(&mut self, user: &UserId, space: &ChatKey) -> Result<ViewRow, rusqlite::Error> {
        if let Some(view) = self.find_view(user, space)? {
            return Ok(view);
        }
        let change = self.next_change()?;
        self.sql
            .prepare_cached("INSERT INTO views VALUES (?1, ?2, ?3, '{}', 0, ?4, 0, 0, 0, ?4, ?5)")?
            .execute(params![user.as_str(), space.key(), space.seen_by(user), self.now, change])?;
        self.find_view(user, space)?.ok_or(rusqlite::Error::QueryReturnedNoRows)
    }

    pub fn find_view(
        &self,
        user: &UserId,
        space: &ChatKey,
    ) -> Result<Option<ViewRow>, rusqlite::Error> {
        let mut query =
            self.sql.prepare_cached("SELECT rowid, * FROM views WHERE user = ?1 AND space = ?2")?;
        query.query_row(params![user.as_str(), space.key()], ViewRow::read).optional()
    }

    /// Someone's views with a message, by activity, newest first.
    pub fn views(&self, user: &UserId) -> Result<Vec<ViewRow>, rusqlite::Error> {
        let mut query = self.sql.prepare_cached(
            "SELECT rowid, * FROM views WHERE user = ?1 AND activity > 0 ORDER BY activity DESC, rowid DESC",
        )?;
        query.query_map([user.as_str()], ViewRow::read)?.collect()
    }

    pub fn save_view(&mut self, user: &UserId, view: &ViewRow) -> Result<(), rusqlite::Error> {
        let change = self.next_change()?;
        let properties = Value::Object(view.properties.clone()).to_string();
        self.sql
            .prepare_cached(
                "UPDATE views SET properties = ?3, cleared_at = ?4, joined = ?5, left = ?6, since = ?7, \
                 version = max(version + 1, ?8), change = ?9 WHERE user = ?1 AND space = ?2",
            )?
            .execute(params![
                user.as_str(),
                view.space,
                properties,
                view.cleared_at,
                view.joined,
                view.left,
                view.since,
                self.now,
                change
            ])?;
        Ok(())
    }

    /// Stores a message and tells everyone in the space. The id is the arrival time, and unique in the space.
    pub fn post(
        &mut self,
        space: &ChatKey,
        sender: &str,
        body: Map<String, Value>,
    ) -> Result<MessageRow, rusqlite::Error> {
        let key = space.key();
        let id = self.now.max(self.last_id(space)? + 1);
        let change = self.next_change()?;
        let client_id = body.get("clientmessageid").and_then(Value::as_str).map(str::to_owned);
        let row = MessageRow { id, sender: sender.to_owned(), version: id, change, body };
        self.sql
            .prepare_cached("INSERT INTO messages VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?
            .execute(params![
                key,
                id,
                sender,
                client_id,
                id,
                change,
                Value::Object(row.body.clone()).to_string()
            ])?;
        let participants = self.participants(space)?;
        for user in &participants {
            self.view(user, space)?;
            self.sql
                .prepare_cached(
                    "UPDATE views SET activity = ?3, version = max(version + 1, ?3), change = ?4 \
                     WHERE user = ?1 AND space = ?2",
                )?
                .execute(params![user.as_str(), key, id, change])?;
        }
        self.tell_message(space, &row, "NewMessage")?;
        self.said.push(Committed {
            space: space.clone(),
            sender: UserId::new(sender),
            participants,
            kind: row.kind().to_owned(),
            id,
        });
        Ok(row)
    }

    /// Tells everyone in the space about a message; signals (typing) not their own sender.
    pub fn tell_message(
        &mut self,
        space: &ChatKey,
        row: &MessageRow,
        resource_type: &'static str,
    ) -> Result<(), rusqlite::Error> {
        let topic = match space {
            ChatKey::Thread(id) => self.thread(id)?.map(|t| t.topic),
            _ => None,
        };
        let signal = row.is_signal();
        for user in self.participants(space)? {
            if signal && user.as_str() == row.sender {
                continue;
            }
            // What someone may not read is not told to them either, however it changes.
            let window = self.find_view(&user, space)?.map_or((0, i64::MAX), |view| view.window());
            if !signal && !(window.0..=window.1).contains(&row.id) {
                continue;
            }
            let item = render::message(row, space, &user, self.origin);
            let link = format!(
                "{}/messages/{}",
                item["conversationLink"].as_str().unwrap_or_default(),
                row.id
            );
            let resource = render::event_message(item, self.origin, topic.as_deref());
            self.tell(&user, resource_type, link, resource);
        }
        Ok(())
    }

    /// A message that this person may read, by its id, or as older clients name it by its client id.
    pub fn message(
        &self,
        user: &UserId,
        space: &ChatKey,
        id: &str,
    ) -> Result<Option<MessageRow>, rusqlite::Error> {
        let mut query = self.sql.prepare_cached(
            "SELECT * FROM messages WHERE space = ?1 AND (id = CAST(?2 AS INTEGER) OR client_id = ?2) \
             ORDER BY id = CAST(?2 AS INTEGER) DESC LIMIT 1",
        )?;
        let row = query.query_row(params![space.key(), id], MessageRow::read).optional()?;
        let window = self.find_view(user, space)?.map_or((0, i64::MAX), |view| view.window());
        Ok(row.filter(|row| (window.0..=window.1).contains(&row.id)))
    }

    /// The id of the newest message in a space.
    pub fn last_id(&self, space: &ChatKey) -> Result<i64, rusqlite::Error> {
        self.sql
            .prepare_cached("SELECT ifnull(max(id), 0) FROM messages WHERE space = ?1")?
            .query_row([space.key()], |row| row.get(0))
    }

    pub fn by_client_id(
        &self,
        space: &ChatKey,
        sender: &UserId,
        client_id: &str,
    ) -> Result<Option<MessageRow>, rusqlite::Error> {
        let mut query = self.sql.prepare_cached(
            "SELECT * FROM messages WHERE space = ?1 AND client_id = ?2 AND sender = ?3 LIMIT 1",
        )?;
        query
            .query_row(params![space.key(), client_id, sender.as_str()], MessageRow::read)
            .optional()
    }

    /// Stores a changed message under a higher version and tells everyone.
    pub fn update_message(
        &mut self,
        space: &ChatKey,
        mut row: MessageRow,
    ) -> Result<MessageRow, rusqlite::Error> {
        row.version = self.now.max(row.version + 1);
        row.change = self.next_change()?;
        self.sql
            .prepare_cached("UPDATE messages SET version = ?3, change = ?4, body = ?5 WHERE space = ?1 AND id = ?2")?
            .execute(params![
                space.key(),
                row.id,
                row.version,
                row.change,
                Value::Object(row.body.clone()).to_string()
            ])?;
        self.sql
            .prepare_cached(
                "UPDATE views SET version = max(version + 1, ?2), change = ?3 WHERE space = ?1",
            )?
            .execute(params![space.key(), row.version, row.change])?;
        self.tell_message(space, &row, "MessageUpdate")?;
        Ok(row)
    }

    /// Messages of a space inside `window`, below `before`, newest first.
    pub fn older(
        &self,
        space: &str,
        window: (i64, i64),
        before: i64,
        limit: usize,
    ) -> Result<Vec<MessageRow>, rusqlite::Error> {
        let mut query = self.sql.prepare_cached(
            "SELECT * FROM messages WHERE space = ?1 AND id >= ?2 AND id <= ?3 AND id < ?4 ORDER BY id DESC LIMIT ?5",
        )?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        query
            .query_map(params![space, window.0, window.1, before, limit], MessageRow::read)?
            .collect()
    }

    /// Messages changed after `change`, in the order of their changes.
    pub fn changed(
        &self,
        space: &str,
        window: (i64, i64),
        change: i64,
        limit: usize,
    ) -> Result<Vec<MessageRow>, rusqlite::Error> {
        let mut query = self.sql.prepare_cached(
            "SELECT * FROM messages WHERE space = ?1 AND id >= ?2 AND id <= ?3 AND change > ?4 ORDER BY change LIMIT ?5",
        )?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        query
            .query_map(params![space, window.0, window.1, change, limit], MessageRow::read)?
            .collect()
    }

    /// The space an id names, if the caller may read and write there.
    pub fn enter(&self, user: &UserId, id: &str) -> Result<ChatKey, ApiError> {
        let space = ChatKey::of(user, id).ok_or(ApiError::bad("To field is invalid."))?;
        if let ChatKey::Thread(id) = &space {
            self.thread_for(id, user)?;
        }
        Ok(space)
    }
}
