//! Forgets a conversation: everything stored about it is deleted. A mark remains, so that the server's list does not
//! bring it back until there is something new in it.

use super::write::{Batch, begin};
use super::{Store, StoreError, read, schema, texts};
use crate::model::{ConversationId, Timestamp, UserId};
use rusqlite::{Connection, params};
use std::collections::{HashMap, HashSet};

/// The state in which a conversation was forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ForgottenMark {
    /// The time of its last activity.
    activity: Timestamp,
    /// The user had left it, or it no longer existed.
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

    /// Whether a conversation that is listed as active at this time stays forgotten. One that is over always does.
    pub fn keeps_away(self, activity: Timestamp, is_over: bool) -> bool {
        is_over || activity <= self.activity
    }

    /// Whether a conversation with a message of this time stays forgotten. Messages of a conversation that was left may
    /// be about the leaving itself; only the list says that it goes on.
    fn keeps_message_away(self, at: Timestamp) -> bool {
        self.was_over || at <= self.activity
    }
}

const OVER: &str = "over";

/// The outcome of forgetting a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForgetOutcome {
    Forgotten,
    /// This many of its messages have not been sent; nothing was deleted.
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

/// Removes forgotten conversations from a batch, unless it has something new in them: then they come back. Returns the
/// ones that were removed.
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

/// The people with a stored name who occur in a conversation, except the user.
fn people(c: &Connection, number: i64, me: &UserId) -> rusqlite::Result<HashSet<String>> {
    let mut query = c.prepare(
        "SELECT id FROM names WHERE id != ?2 AND (id IN (SELECT sender FROM messages WHERE conversation = ?1) \
         OR instr((SELECT id || ' ' || json || thread_json FROM conversations WHERE number = ?1), id) > 0)",
    )?;
    query.query_map(params![number, me.as_str()], |row| row.get(0))?.collect()
}

/// Deletes the names of these people, except of those whom other conversations name and those who wrote in them.
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
        // Ids are between quotes, or at the end of a path.
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
    /// Deletes everything stored about a conversation, in one transaction: its messages and their searched texts,
    /// draft, read marker, members, choices, and the names of people who appear nowhere else. One that `was_over` comes
    /// back only when the list says that it goes on.
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
            // Deleted data is overwritten in the file, not only unlinked.
            c.pragma_update(None, "secure_delete", true)?;
            let outcome = forget(c, &id, was_over, &me);
            c.pragma_update(None, "secure_delete", false)?;
            if matches!(outcome, Ok(ForgetOutcome::Forgotten)) {
                // The log still has it. This fails while there is a reader; then the next checkpoint does it.
                let _ = c.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
            }
            outcome
        })
        .await
    }

    /// A forgotten conversation no longer stays away, because the user has opened it. Returns whether it was forgotten.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub(crate) async fn remember(&self, id: &ConversationId) -> Result<bool, StoreError> {
        let asked = id.clone();
        // Nearly all are not, and a read does not wait for the writer.
        if !self.read(move |c| is_forgotten(c, &asked)).await? {
            return Ok(false);
        }
        let id = id.clone();
        self.write(move |c| c.execute("DELETE FROM meta WHERE key = ?1", [key(&id)])).await?;
        Ok(true)
    }

    /// The names of the copies that upgrades have left next to the store. They still hold what was forgotten since.
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

    /// The conversations that were forgotten, and the state that each was in.
    pub(crate) async fn forgotten(
        &self,
    ) -> Result<HashMap<ConversationId, ForgottenMark>, StoreError> {
        self.read(|c| marks(c)).await
    }
}

#[cfg(test)]
mod tests;
