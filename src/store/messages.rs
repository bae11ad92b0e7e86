//! Storing one message: its row, its place in the order of time, and its entry in the search index.

use super::ids::IdValue;
use super::items::ItemColumns;
use super::read::{MESSAGE, message};
use super::texts::{TextSource, TextWriter};
use crate::model::{ClientMessageId, ConversationId, Indexed, RawMessage, UserId};
use rusqlite::{Connection, OptionalExtension, Transaction, params};

/// Messages that arrive within this many milliseconds compete for the same place. The order stays close to that in
/// time, and the numbers stay small.
const MS_PER_PLACE: i64 = 16;
/// Places that are tried one by one.
const PROBES: i64 = 8;
/// How many places are searched at once after that.
const STRETCH: i64 = 65_536;

pub(super) fn wanted_place(at: i64) -> i64 {
    at.div_euclid(MS_PER_PLACE)
}

/// The columns that a row's entry in the index is made of.
#[derive(PartialEq)]
pub(super) struct IndexedColumns<'a> {
    pub at: i64,
    pub conversation: &'a ConversationId,
    pub sender: &'a str,
    pub text: &'a str,
    pub link: bool,
    pub file: bool,
}

impl IndexedColumns<'_> {
    fn add_to(&self, texts: &mut TextWriter, place: i64) {
        let of = TextSource {
            at: self.at,
            place,
            conversation: self.conversation.as_str(),
            sender: self.sender,
            link: self.link,
            file: self.file,
        };
        texts.add(&of, self.text);
    }
}

/// The part of a message's stored row that the index depends on.
struct StoredRow {
    place: i64,
    at: i64,
    version: i64,
    sender: String,
    text: String,
    link: bool,
    file: bool,
    indexed: bool,
}

impl StoredRow {
    fn columns<'a>(&'a self, conversation: &'a ConversationId) -> IndexedColumns<'a> {
        let Self { at, ref sender, ref text, link, file, .. } = *self;
        IndexedColumns { at, conversation, sender, text, link, file }
    }
}

fn stored_row(c: &Connection, conversation: i64, id: &str) -> rusqlite::Result<Option<StoredRow>> {
    c.prepare_cached(
        "SELECT place, at, version, sender, text, link, file, indexed FROM messages WHERE conversation = ?1 AND id = ?2",
    )?
    .query_row(params![conversation, IdValue(id)], |row| {
        Ok(StoredRow {
            place: row.get(0)?,
            at: row.get(1)?,
            version: row.get(2)?,
            sender: row.get(3)?,
            text: row.get(4)?,
            link: row.get(5)?,
            file: row.get(6)?,
            indexed: row.get(7)?,
        })
    })
    .optional()
}

/// Completes the newer of two items of one message from the older one, for this account. `None` if it cannot be read.
/// The store itself does not know what items look like.
pub type ItemCompleter = fn(
    newer: &str,
    older: &str,
    conversation: &ConversationId,
    me: &UserId,
) -> Option<(RawMessage, Indexed)>;

/// A message completed from its stored row, or the row from the message, whichever is newer. `None` if nothing can be
/// missing.
pub(super) fn completed(
    tx: &Transaction<'_>,
    number: i64,
    raw: &RawMessage,
    completion: ItemCompleter,
    me: &UserId,
) -> rusqlite::Result<Option<(RawMessage, Indexed)>> {
    let mut query = tx.prepare_cached(
        "SELECT version, at, client_id IS NOT NULL FROM messages WHERE conversation = ?1 AND id = ?2",
    )?;
    let row = query.query_row(params![number, IdValue(&*raw.id)], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, bool>(2)?))
    });
    let Some((version, at, has_client_id)) = row.optional()? else { return Ok(None) };
    let is_older = i64::try_from(raw.version).unwrap_or(i64::MAX) < version;
    let may_lack = raw.kind.is_empty()
        || raw.sender.as_str().is_empty()
        || raw.content.is_empty()
        || raw.at.0 != at
        || (has_client_id && raw.client_id.is_none());
    // The columns do not show whether the row lacks something: its text may be a substitute for what is missing.
    if !may_lack && !is_older {
        return Ok(None);
    }
    let sql = format!("SELECT {MESSAGE} FROM messages m WHERE conversation = ?1 AND id = ?2");
    let stored = tx
        .prepare_cached(&sql)?
        .query_row(params![number, IdValue(&*raw.id)], |row| message(tx, row, &raw.conversation))?;
    let (newer, older) =
        if is_older { (&*stored.json, &*raw.json) } else { (&*raw.json, &*stored.json) };
    Ok(completion(newer, older, &raw.conversation, me))
}

/// The columns that a message is stored with. In an archive, the stored id may be longer.
pub(super) fn item_columns<'a>(raw: &'a RawMessage, id: &'a str, text: &'a str) -> ItemColumns<'a> {
    ItemColumns {
        conversation: raw.conversation.as_str(),
        id,
        at: raw.at.0,
        sender: raw.sender.as_str(),
        client_id: raw.client_id.as_ref().map(ClientMessageId::as_str),
        kind: &raw.kind,
        text,
    }
}

/// A row to be written, apart from its place.
struct NewRow<'a> {
    conversation: i64,
    raw: &'a RawMessage,
    version: i64,
    index: &'a Indexed,
    decoder: u32,
    item: Vec<u8>,
}

impl NewRow<'_> {
    /// Returns how many rows were written.
    fn write(&self, c: &Connection, sql: &str, place: i64) -> rusqlite::Result<usize> {
        let Self { raw, index, .. } = self;
        c.prepare_cached(sql)?.execute(params![
            place,
            self.conversation,
            raw.at.0,
            i64::try_from(raw.key().order).unwrap_or(i64::MAX),
            IdValue(&*raw.id),
            self.version,
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
            self.item
        ])
    }

    /// Adds the row at a free place at the message's time or soon after it, and returns the place.
    fn insert(&self, c: &Connection) -> rusqlite::Result<i64> {
        const SQL: &str = "INSERT INTO messages (place, conversation, at, number, id, version, sender, client_id, kind, \
            text, edit_of, counts, mentions, link, file, decoder, indexed, item) \
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, 1, ?17) \
            ON CONFLICT (place) DO NOTHING";
        let wanted = wanted_place(self.raw.at.0);
        let mut place = wanted;
        while self.write(c, SQL, place)? == 0 {
            if place < wanted.saturating_add(PROBES) {
                place += 1;
                continue;
            }
            // Many messages arrived at once: skip all of them, instead of going through them one by one.
            let last: i64 = c
                .prepare_cached("SELECT max(place) FROM messages WHERE place >= ?1 AND place < ?2")?
                .query_row(params![place, place.saturating_add(STRETCH)], |row| row.get(0))?;
            place = last.saturating_add(1);
        }
        Ok(place)
    }

    /// Replaces the row at this place, which belongs to the same message.
    fn replace(&self, c: &Connection, place: i64) -> rusqlite::Result<()> {
        const SQL: &str = "UPDATE messages SET at = ?3, number = ?4, version = ?6, sender = ?7, client_id = ?8, \
            kind = ?9, text = ?10, edit_of = ?11, counts = ?12, mentions = ?13, link = ?14, file = ?15, decoder = ?16, \
            indexed = 1, item = ?17 WHERE place = ?1";
        self.write(c, SQL, place)?;
        Ok(())
    }
}

/// Stores a message. An older version never replaces a newer one. Search finds it once `texts` are written.
pub(super) fn put(
    tx: &Transaction<'_>,
    number: i64,
    raw: &RawMessage,
    index_of: &Indexed,
    decoder: u32,
    texts: &mut TextWriter,
) -> rusqlite::Result<()> {
    let version = i64::try_from(raw.version).unwrap_or(i64::MAX);
    let stored = stored_row(tx, number, &raw.id)?;
    if stored.as_ref().is_some_and(|old| old.version > version) {
        return Ok(());
    }
    let item = item_columns(raw, &raw.id, &index_of.text).compressed(&raw.json);
    let row = NewRow { conversation: number, raw, version, index: index_of, decoder, item };
    let columns = IndexedColumns {
        at: raw.at.0,
        conversation: &raw.conversation,
        sender: raw.sender.as_str(),
        text: &index_of.text,
        link: index_of.link,
        file: index_of.file,
    };
    let Some(old) = stored else {
        columns.add_to(texts, row.insert(tx)?);
        return Ok(());
    };
    // Most updates, such as reactions, leave the text as it is.
    if !old.indexed || old.columns(&raw.conversation) != columns {
        columns.add_to(texts, old.place);
    }
    row.replace(tx, old.place)
}
