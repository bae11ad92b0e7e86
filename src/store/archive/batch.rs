//! Writing one batch of an import.

use super::{ArchiveBatch, ArchiveCounts, ArchiveMessage, OWNER, SET_OWNER};
use crate::model::{ConversationId, Coverage, RawConversation, ReadMarker, Timestamp};
use crate::store::ids::IdValue;
use crate::store::read::{self, MESSAGE};
use crate::store::texts::{TextSource, TextWriter};
use crate::store::{coverage, messages, write};
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::{HashMap, HashSet};

/// The place of the next row, and its source.
#[derive(Clone, Copy)]
pub struct NextRow {
    pub place: i64,
    pub source: i64,
}

/// Writes one batch.
pub struct BatchWriter<'a> {
    tx: &'a Connection,
    pub next: NextRow,
    texts: TextWriter,
    numbers: HashMap<ConversationId, i64>,
    /// Conversations that this batch has added, of which no coverage is stored yet.
    added: HashSet<i64>,
    /// The newest message of each conversation.
    newest: HashMap<i64, Timestamp>,
    pub counts: ArchiveCounts,
    decoder: u32,
}

impl<'a> BatchWriter<'a> {
    pub fn new(tx: &'a Connection, next: NextRow, decoder: u32) -> Self {
        Self {
            tx,
            next,
            texts: TextWriter::default(),
            numbers: HashMap::new(),
            added: HashSet::new(),
            newest: HashMap::new(),
            counts: ArchiveCounts::default(),
            decoder,
        }
    }

    pub fn put(&mut self, batch: &ArchiveBatch) -> rusqlite::Result<()> {
        if let Some(owner) = &batch.owner {
            self.tx.execute(SET_OWNER, [OWNER, owner.as_str()])?;
        }
        for message in &batch.messages {
            self.message(message)?;
        }
        for (old, new) in &batch.renamed {
            self.rename(old, new)?;
        }
        for (raw, thread) in &batch.conversations {
            self.conversation(raw, thread.as_deref())?;
        }
        for (id, source, name) in &batch.names {
            write::put_name(self.tx, id, *source, name)?;
        }
        for (id, range) in &batch.coverage {
            let number = self.number(id)?;
            if self.added.contains(&number) {
                coverage::change(
                    self.tx,
                    number,
                    &Coverage::default(),
                    &[*range].into_iter().collect(),
                )?;
                self.added.remove(&number);
                continue;
            }
            let before = coverage::load(self.tx, number)?;
            let mut after = before.clone();
            after.add(*range);
            coverage::change(self.tx, number, &before, &after)?;
        }
        for (number, at) in &self.newest {
            // Nothing in an archive is unread.
            let read = ReadMarker { arrival: *at, read_at: *at, client_id: None };
            self.tx
                .prepare_cached(
                    "UPDATE conversations SET activity = ?2, horizon = ?3 WHERE number = ?1 AND activity < ?2",
                )?
                .execute(params![number, at.0, read.text()])?;
        }
        self.texts.write(self.tx)
    }

    fn number(&mut self, id: &ConversationId) -> rusqlite::Result<i64> {
        if let Some(number) = self.numbers.get(id) {
            return Ok(*number);
        }
        let (number, is_new) = write::ensure(self.tx, id)?;
        if is_new {
            self.added.insert(number);
        }
        self.numbers.insert(id.clone(), number);
        Ok(number)
    }

    fn message(&mut self, message: &ArchiveMessage) -> rusqlite::Result<()> {
        let raw = &message.raw;
        let number = self.number(&raw.conversation)?;
        let newest = self.newest.entry(number).or_default();
        *newest = raw.at.max(*newest);
        if self.insert(number, &raw.id, message)? {
            return Ok(());
        }
        let sender: String = self
            .tx
            .prepare_cached("SELECT sender FROM messages WHERE conversation = ?1 AND id = ?2")?
            .query_row(params![number, IdValue(&*raw.id)], |row| row.get(0))?;
        // An id is unique for one author only: now and then two of them write in the same millisecond.
        let other = format!("{}~{}", raw.id, raw.sender.as_str());
        if sender == raw.sender.as_str() || !self.insert(number, &other, message)? {
            self.counts.unchanged += 1;
        }
        Ok(())
    }

    /// Inserts a message, or replaces an older version of it by the same sender. Returns false if it did neither.
    fn insert(
        &mut self,
        number: i64,
        id: &str,
        message: &ArchiveMessage,
    ) -> rusqlite::Result<bool> {
        let ArchiveMessage { raw, index, folded } = message;
        let place = self.next.place;
        let version = i64::try_from(raw.version).unwrap_or(i64::MAX);
        let order = i64::try_from(raw.key().order).unwrap_or(i64::MAX);
        let item = messages::item_columns(raw, id, &index.text).compressed(&raw.json);
        let changed = self
            .tx
            .prepare_cached(
                "INSERT INTO messages (place, conversation, at, number, id, version, sender, client_id, kind, text, \
                 edit_of, counts, mentions, link, file, decoder, indexed, item) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, 0, ?17) \
                 ON CONFLICT (conversation, id) DO UPDATE SET at = ?3, number = ?4, version = ?6, client_id = ?8, \
                 kind = ?9, text = ?10, edit_of = ?11, counts = ?12, mentions = ?13, link = ?14, file = ?15, \
                 decoder = ?16, item = ?17 WHERE ?6 > version AND sender = ?7 RETURNING place",
            )?
            .query_row(
                params![
                    place,
                    number,
                    raw.at.0,
                    order,
                    IdValue(id),
                    version,
                    raw.sender.as_str(),
                    raw.client_id.as_ref().map(|id| IdValue(id.as_str())),
                    &*raw.kind,
                    index.text,
                    index.edit_of.as_deref().map(IdValue),
                    index.counts,
                    index.mentions_me,
                    index.link,
                    index.file,
                    self.decoder,
                    item
                ],
                |row| row.get::<_, i64>(0),
            )
            .optional()?;
        let Some(stored) = changed else { return Ok(false) };
        if stored == place {
            self.next.place += 1;
            self.counts.new += 1;
        } else {
            self.tx
                .prepare_cached("INSERT OR REPLACE INTO archive_changed VALUES (?1, ?2)")?
                .execute([stored, self.next.source])?;
            self.counts.changed += 1;
        }
        let of = TextSource {
            at: raw.at.0,
            place: stored,
            conversation: raw.conversation.as_str(),
            sender: raw.sender.as_str(),
            link: index.link,
            file: index.file,
        };
        self.texts.add_folded(&of, folded);
        Ok(true)
    }

    fn conversation(
        &mut self,
        raw: &RawConversation,
        thread: Option<&str>,
    ) -> rusqlite::Result<()> {
        let number = self.number(&raw.id)?;
        let version = i64::try_from(raw.version).unwrap_or(i64::MAX);
        self.tx
            .prepare_cached(
                "UPDATE conversations SET json = ?2, version = ?3, \
                 thread_json = CASE WHEN ?4 = '' THEN thread_json ELSE ?4 END WHERE number = ?1 AND version <= ?3",
            )?
            .execute(params![number, &*raw.json, version, thread.unwrap_or_default()])?;
        Ok(())
    }

    /// Moves the messages of a conversation whose id was not known yet.
    fn rename(&mut self, old: &ConversationId, new: &ConversationId) -> rusqlite::Result<()> {
        let (from, to) = (self.number(old)?, self.number(new)?);
        let moved: Vec<i64> = self
            .tx
            .prepare_cached(
                "UPDATE OR IGNORE messages SET conversation = ?2 WHERE conversation = ?1 RETURNING place",
            )?
            .query_map([from, to], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        self.update_moved(&moved, old, new)?;
        self.tx.execute("DELETE FROM messages WHERE conversation = ?1", [from])?;
        self.tx.execute("DELETE FROM conversations WHERE number = ?1", [from])?;
        self.tx.execute("DELETE FROM ranges WHERE conversation = ?1", [from])?;
        let newest = self.newest.remove(&from);
        let known = self.newest.entry(to).or_default();
        *known = newest.unwrap_or_default().max(*known);
        self.numbers.remove(old);
        self.added.remove(&from);
        Ok(())
    }

    /// Adds messages to the index again, in the conversation that they were moved to, and compresses their items with
    /// its id.
    fn update_moved(
        &mut self,
        places: &[i64],
        old: &ConversationId,
        new: &ConversationId,
    ) -> rusqlite::Result<()> {
        let sql = format!("SELECT {MESSAGE}, m.link, m.file FROM messages m WHERE place = ?1");
        let mut query = self.tx.prepare_cached(&sql)?;
        let mut update =
            self.tx.prepare_cached("UPDATE messages SET item = ?2 WHERE place = ?1")?;
        for place in places {
            let mut rows = query.query([place])?;
            let Some(row) = rows.next()? else { continue };
            let mut raw = read::message(self.tx, row, old)?;
            raw.conversation = new.clone();
            let text = row.get_ref("text")?.as_str()?;
            let of = TextSource {
                at: raw.at.0,
                place: *place,
                conversation: new.as_str(),
                sender: raw.sender.as_str(),
                link: row.get("link")?,
                file: row.get("file")?,
            };
            self.texts.add(&of, text);
            let item = messages::item_columns(&raw, &raw.id, text).compressed(&raw.json);
            update.execute(params![place, item])?;
        }
        Ok(())
    }
}
