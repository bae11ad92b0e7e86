//! Threads and their members in the database.

use super::api_error::ApiError;
use super::db::Tx;
use super::rows::{MemberRow, ThreadRow};
use crate::model::UserId;
use rusqlite::{OptionalExtension, params};
use serde_json::Value;

impl Tx<'_> {
    pub fn thread(&self, id: &str) -> Result<Option<ThreadRow>, rusqlite::Error> {
        let mut query = self.sql.prepare_cached("SELECT * FROM threads WHERE id = ?1")?;
        let row = query
            .query_row([id], |row| {
                let more: String = row.get("more")?;
                Ok(ThreadRow {
                    id: row.get("id")?,
                    creator: row.get("creator")?,
                    created: row.get("created")?,
                    version: row.get("version")?,
                    topic: row.get("topic")?,
                    joining: row.get("joining")?,
                    history: row.get("history")?,
                    code: row.get("code")?,
                    more: serde_json::from_str(&more).unwrap_or_default(),
                    members: Vec::new(),
                })
            })
            .optional()?;
        let Some(mut thread) = row else { return Ok(None) };
        let mut query = self
            .sql
            .prepare_cached("SELECT user, admin FROM members WHERE thread = ?1 ORDER BY rowid")?;
        let members = query.query_map([id], |row| {
            let id: String = row.get(0)?;
            Ok(MemberRow { name: self.name(&id), id, admin: row.get(1)? })
        })?;
        thread.members = members.collect::<Result<_, _>>()?;
        Ok(Some(thread))
    }

    pub fn thread_of_code(&self, code: &str) -> Result<Option<ThreadRow>, rusqlite::Error> {
        let id: Option<String> = self
            .sql
            .prepare_cached("SELECT id FROM threads WHERE code = ?1")?
            .query_row([code], |row| row.get(0))
            .optional()?;
        id.map_or(Ok(None), |id| self.thread(&id))
    }

    pub fn save_thread(&mut self, thread: &ThreadRow) -> Result<(), rusqlite::Error> {
        self.sql
            .prepare_cached(
                "INSERT OR REPLACE INTO threads VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            )?
            .execute(params![
                thread.id,
                thread.creator,
                thread.created,
                self.now.max(thread.version + 1),
                thread.topic,
                thread.joining,
                thread.history,
                thread.code,
                Value::Object(thread.more.clone()).to_string()
            ])?;
        Ok(())
    }

    pub fn put_member(
        &mut self,
        thread: &str,
        user: &str,
        admin: bool,
    ) -> Result<(), rusqlite::Error> {
        self.sql
            .prepare_cached(
                "INSERT INTO members VALUES (?1, ?2, ?3) ON CONFLICT (thread, user) DO UPDATE SET admin = ?3",
            )?
            .execute(params![thread, user, admin])?;
        Ok(())
    }

    pub fn drop_member(&mut self, thread: &str, user: &str) -> Result<(), rusqlite::Error> {
        self.sql
            .prepare_cached("DELETE FROM members WHERE thread = ?1 AND user = ?2")?
            .execute(params![thread, user])?;
        Ok(())
    }

    /// The thread, if the caller is in it.
    pub fn thread_for(&self, id: &str, user: &UserId) -> Result<ThreadRow, ApiError> {
        let thread = self.thread(id)?.ok_or(ApiError::no_conversation())?;
        if thread.member(user).is_none() {
            return Err(ApiError::not_a_member());
        }
        Ok(thread)
    }
}
