//! Forgetting a conversation: everything stored of it is deleted. A mark stays, so that the server's list does not bring it
//! back until there is something new in it.

use super::write::{Batch, begin};
use super::{Store, StoreError, read, schema, texts};
use crate::model::{ConversationId, Timestamp, UserId};
use rusqlite::{Connection, params};
use std::collections::{HashMap, HashSet};

/// How far a forgotten conversation was known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ForgottenMark {
    /// The time of the last thing that happened in it.
    activity: Timestamp,
    /// It was left, or was not there any more.
    was_over: bool,
}

impl ForgottenMark {
    fn parse(text: &str) -> Self {
        let (activity, state) = text.split_once(' ').unwrap_or((text, ""));
        Self { activity: Timestamp(activity.parse().unwrap_or(0)), was_over: state == OVER }
    }

    fn text(self) -> String {
        let state = if self.was_over { OVER } else { "" };
        format!("{} {state}", self.activity.0)
    }

    /// Whether a conversation stays forgotten that is listed as active at this time. One that is over does in any case.
    pub fn keeps_away(self, activity: Timestamp, is_over: bool) -> bool {
        is_over || activity <= self.activity
    }

    /// Whether a conversation stays forgotten in which there is a message of this time. Messages of one that was left
    /// may be about the leaving; only the list says that it goes on.
    fn keeps_message_away(self, at: Timestamp) -> bool {
        self.was_over || at <= self.activity
    }
}

const OVER: &str = "over";

/// What became of forgetting a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForgetOutcome {
    Forgotten,
    /// So many of its messages have not been sent; nothing was deleted.
    HasUnsent(u32),
}

/// All marks.
pub(super) fn marks(c: &Connection) -> rusqlite::Result<HashMap<ConversationId, ForgottenMark>> {
    let mut query = c.prepare_cached(
        "SELECT substr(key, 11), value FROM meta WHERE key >= 'forgotten:' AND key < 'forgotten;'",
    )?;
    let marks = query.query_map([], |row| {
        let id = ConversationId::from(row.get::<_, String>(0)?);
        Ok((id, ForgottenMark::parse(&row.get::<_, String>(1)?)))
    })?;
    marks.collect()
}

/// Whether a conversation was forgotten and has not come back.
pub(super) fn is_forgotten(c: &Connection, id: &ConversationId) -> rusqlite::Result<bool> {
    Ok(read::meta(c, &key(id))?.is_some())
}

fn key(id: &ConversationId) -> String {
    format!("forgotten:{}", id.as_str())
}

/// Takes forgotten conversations out of a batch, unless it has something new in them. Those come back. Returns the ones that
/// were taken out.
pub(super) fn take_out(
    c: &Connection,
    batch: &mut Batch,
) -> rusqlite::Result<HashSet<ConversationId>> {
    let mut away = marks(c)?;
    if away.is_empty() {
        return Ok(HashSet::new());
    }
    let mut back: HashSet<ConversationId> = HashSet::new();
    for row in &batch.conversations {
        let mark = away.get(&row.raw.id);
        if mark.is_some_and(|mark| !mark.keeps_away(row.raw.activity, row.is_over)) {
            back.insert(row.raw.id.clone());
        }
    }
    for (raw, _) in &batch.messages {
        if away.get(&raw.conversation).is_some_and(|mark| !mark.keeps_message_away(raw.at)) {
            back.insert(raw.conversation.clone());
        }
    }
    for id in &back {
        away.remove(id);
        c.execute("DELETE FROM meta WHERE key = ?1", [key(id)])?;
    }
    batch.conversations.retain(|row| !away.contains_key(&row.raw.id));
    batch.messages.retain(|(raw, _)| !away.contains_key(&raw.conversation));
    batch.coverage.retain(|(id, _)| !away.contains_key(id));
    Ok(away.into_keys().collect())
}

fn forget(
    c: &mut Connection,
    id: &ConversationId,
    was_over: bool,
    me: &UserId,
) -> rusqlite::Result<ForgetOutcome> {
    let tx = begin(c)?;
    let unsent = "SELECT count(*) FROM outbox WHERE conversation = ?1 AND state != 'sent'";
    let unsent: u32 = tx.query_row(unsent, [id.as_str()], |row| row.get(0))?;
    if unsent > 0 {
        return Ok(ForgetOutcome::HasUnsent(unsent));
    }
    let mut activity = 0i64;
    if let Some((number, _)) = read::number(&tx, id)? {
        activity = tx.query_row(
            "SELECT max(activity, coalesce((SELECT max(at) FROM messages WHERE conversation = ?1), 0)) \
             FROM conversations WHERE number = ?1",
            [number],
            |row| row.get(0),
        )?;
        let people = people(&tx, number, me)?;
        let others = texts::remove(&tx, id, number)?;
        forget_names(&tx, number, people, &others)?;
        tx.execute("DELETE FROM messages WHERE conversation = ?1", [number])?;
        tx.execute("DELETE FROM ranges WHERE conversation = ?1", [number])?;
        tx.execute("DELETE FROM conversations WHERE number = ?1", [number])?;
    }
    for sql in [
        "DELETE FROM drafts WHERE conversation = ?1",
        "DELETE FROM outbox WHERE conversation = ?1",
        "DELETE FROM meta WHERE key IN ('choices:' || ?1, 'hidden:' || ?1, 'thread_of:' || ?1)",
        "DELETE FROM meta WHERE value = ?1 AND (key = 'last_open' OR (key >= 'thread_of:' AND key < 'thread_of;'))",
    ] {
        tx.execute(sql, [id.as_str()])?;
    }
    let mark = ForgottenMark { activity: Timestamp(activity), was_over };
    tx.execute("INSERT OR REPLACE INTO meta VALUES (?1, ?2)", params![key(id), mark.text()])?;
    tx.commit()?;
    Ok(ForgetOutcome::Forgotten)
}

/// The people with a stored name who occur in a conversation, but for the user.
fn people(c: &Connection, number: i64, me: &UserId) -> rusqlite::Result<HashSet<String>> {
    let mut query = c.prepare(
        "SELECT id FROM names WHERE id != ?2 AND (id IN (SELECT sender FROM messages WHERE conversation = ?1) \
         OR instr((SELECT id || ' ' || json || thread_json FROM conversations WHERE number = ?1), id) > 0)",
    )?;
    query.query_map(params![number, me.as_str()], |row| row.get(0))?.collect()
}

/// Deletes the names of these people, but for those whom other conversations name and those who wrote in them.
fn forget_names(
    c: &Connection,
    number: i64,
    mut people: HashSet<String>,
    others: &HashSet<u32>,
) -> rusqlite::Result<()> {
    people.retain(|id| !others.contains(&texts::id_hash(id)));
    let mut query = c.prepare(
        "SELECT id || ' ' || json || ' ' || thread_json FROM conversations WHERE number != ?1",
    )?;
    let mut rows = query.query([number])?;
    while let Some(row) = rows.next()?.filter(|_| !people.is_empty()) {
        let text = row.get_ref(0)?.as_bytes()?;
        // Ids stand between quotes, or at the end of a path.
        let is_between =
            |byte: &u8| matches!(byte, b'"' | b'/' | b'\\' | b',' | b' ' | b'<' | b'>');
        for word in text.split(is_between) {
            if let Ok(word) = std::str::from_utf8(word) {
                people.remove(word);
            }
        }
    }
    let mut delete = c.prepare("DELETE FROM names WHERE id = ?1")?;
    for id in &people {
        delete.execute([id])?;
    }
    Ok(())
}

impl Store {
    /// Deletes everything stored of a conversation, in one transaction: its messages and their searched texts, draft,
    /// read marker, members, choices, and the names of people who occur nowhere else. One that `was_over` comes back only
    /// when the list says that it goes on.
    ///
    /// # Errors
    /// When the store cannot be written; then nothing is deleted.
    pub async fn forget(
        &self,
        id: &ConversationId,
        was_over: bool,
        me: UserId,
    ) -> Result<ForgetOutcome, StoreError> {
        let id = id.clone();
        self.write(move |c| {
            // What is deleted is overwritten in the file, not only unlinked.
            c.pragma_update(None, "secure_delete", true)?;
            let outcome = forget(c, &id, was_over, &me);
            c.pragma_update(None, "secure_delete", false)?;
            if matches!(outcome, Ok(ForgetOutcome::Forgotten)) {
                // The log has it, too. This fails while somebody reads; then the next checkpoint does it.
                let _ = c.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
            }
            outcome
        })
        .await
    }

    /// Ends that a forgotten conversation stays away: the user has opened it. Returns whether it was forgotten.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub(crate) async fn remember(&self, id: &ConversationId) -> Result<bool, StoreError> {
        let asked = id.clone();
        // Nearly all are not, and reading waits for nobody.
        if !self.read(move |c| is_forgotten(c, &asked)).await? {
            return Ok(false);
        }
        let id = id.clone();
        self.write(move |c| c.execute("DELETE FROM meta WHERE key = ?1", [key(&id)])).await?;
        Ok(true)
    }

    /// The names of the copies that upgrades have left beside the store. They have what was forgotten since, too.
    pub(crate) async fn copies(&self) -> Vec<String> {
        let file = self.path.to_path_buf();
        self.beside(move || schema::copies(&file)).await.unwrap_or_default()
    }

    /// Deletes these copies. Returns the names of those that are still there.
    pub(crate) async fn delete_copies(&self) -> Vec<String> {
        let file = self.path.to_path_buf();
        let left = self.beside(move || {
            for copy in schema::copies(&file) {
                if let Err(error) = std::fs::remove_file(file.with_file_name(copy)) {
                    tracing::error!(kind = ?error.kind(), "a copy of the store was not deleted");
                }
            }
            schema::copies(&file)
        });
        left.await.unwrap_or_default()
    }

    /// The conversations that were forgotten, and how far they were known.
    pub(crate) async fn forgotten(
        &self,
    ) -> Result<HashMap<ConversationId, ForgottenMark>, StoreError> {
        self.read(|c| marks(c)).await
    }
}

#[cfg(test)]
mod tests;
