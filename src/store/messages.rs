//! Storing one message: its row, its place in the order of time, and its entries in the search index.

use crate::model::fold::{folded, grams};
use crate::model::{ClientMessageId, ConversationId, Indexed, RawMessage, UserId};
use rusqlite::{Connection, OptionalExtension, Transaction, params};

/// Messages that arrive within so many milliseconds want the same place. Close to the order in time, and the numbers
/// stay small.
const MS_PER_PLACE: i64 = 16;
/// Places that are tried one by one.
const PROBES: i64 = 8;
/// How many places are searched at once after that.
const STRETCH: i64 = 65_536;

pub(super) fn wanted_place(at: i64) -> i64 {
    at.div_euclid(MS_PER_PLACE)
}

/// A free place at a message's time or soon after it.
fn free_place(c: &Connection, at: i64) -> rusqlite::Result<i64> {
    let wanted = wanted_place(at);
    let mut place = wanted;
    loop {
        let taken: Option<i64> = c
            .prepare_cached("SELECT place FROM messages WHERE place = ?1")?
            .query_row([place], |row| row.get(0))
            .optional()?;
        if taken.is_none() {
            return Ok(place);
        }
        if place < wanted.saturating_add(PROBES) {
            place += 1;
            continue;
        }
        // Many messages arrived at once: go behind all of them, not through them one by one.
        let last: i64 = c
            .prepare_cached("SELECT max(place) FROM messages WHERE place >= ?1 AND place < ?2")?
            .query_row(params![place, place.saturating_add(STRETCH)], |row| row.get(0))?;
        place = last.saturating_add(1);
    }
}

/// Index entries that are not grams of the text: the sender, the conversation, and whether there is a link or file.
pub(super) mod keyword {
    use super::{ConversationId, UserId};

    pub fn sender(id: &UserId) -> String {
        super::token(&format!("\u{F000}{}", id.as_str()))
    }
    pub fn conversation(id: &ConversationId) -> String {
        super::token(&format!("\u{F001}{}", id.as_str()))
    }
    pub const LINK: &str = "\u{F002}link";
    pub const FILE: &str = "\u{F002}file";
}

/// Encodes an entry so that the tokenizer does not split it, as it does at ASCII characters other than letters and
/// digits.
pub(super) fn token(gram: &str) -> String {
    let safe = |c: char| match c {
        c if c.is_ascii() && !c.is_ascii_alphanumeric() => {
            char::from_u32(0xE000 + u32::from(c)).unwrap_or(c)
        }
        c => c,
    };
    gram.chars().map(safe).collect()
}

/// The columns that a row's index entries are made of.
#[derive(PartialEq)]
pub(super) struct IndexedColumns<'a> {
    pub conversation: &'a ConversationId,
    pub sender: &'a str,
    pub text: &'a str,
    pub link: bool,
    pub file: bool,
}

impl IndexedColumns<'_> {
    /// The entries, separated by spaces. A row without text has none.
    fn entries(&self) -> String {
        if self.text.is_empty() && !self.link && !self.file {
            return String::new();
        }
        let folded = folded(self.text);
        let mut list = String::with_capacity(folded.len() * 8);
        for gram in grams(&folded) {
            for c in gram.chars() {
                match c {
                    c if c.is_ascii() && !c.is_ascii_alphanumeric() => {
                        list.push_str(&token(&c.to_string()));
                    }
                    c => list.push(c),
                }
            }
            list.push(' ');
        }
        list.push_str(&keyword::sender(&UserId::new(self.sender)));
        list.push(' ');
        list.push_str(&keyword::conversation(self.conversation));
        for (is, word) in [(self.link, keyword::LINK), (self.file, keyword::FILE)] {
            if is {
                list.push(' ');
                list.push_str(word);
            }
        }
        list
    }
}

fn add_entries(c: &Connection, place: i64, columns: &IndexedColumns<'_>) -> rusqlite::Result<()> {
    let list = columns.entries();
    if list.is_empty() {
        return Ok(());
    }
    c.prepare_cached("INSERT INTO words (rowid, grams) VALUES (?1, ?2)")?
        .execute(params![place, list])?;
    Ok(())
}

fn remove_entries(
    c: &Connection,
    place: i64,
    columns: &IndexedColumns<'_>,
) -> rusqlite::Result<()> {
    let list = columns.entries();
    if list.is_empty() {
        return Ok(());
    }
    c.prepare_cached("INSERT INTO words (words, rowid, grams) VALUES ('delete', ?1, ?2)")?
        .execute(params![place, list])?;
    Ok(())
}

/// The stored row of a message, as far as the index depends on it.
struct StoredRow {
    place: i64,
    version: i64,
    sender: String,
    text: String,
    link: bool,
    file: bool,
    indexed: bool,
}

fn stored_row(c: &Connection, conversation: i64, id: &str) -> rusqlite::Result<Option<StoredRow>> {
    c.prepare_cached(
        "SELECT place, version, sender, text, link, file, indexed FROM messages WHERE conversation = ?1 AND id = ?2",
    )?
    .query_row(params![conversation, id], |row| {
        Ok(StoredRow {
            place: row.get(0)?,
            version: row.get(1)?,
            sender: row.get(2)?,
            text: row.get(3)?,
            link: row.get(4)?,
            file: row.get(5)?,
            indexed: row.get(6)?,
        })
    })
    .optional()
}

/// Brings the index entries of a message up to date. Returns its place; `None` if a newer version is stored.
fn update_index(
    tx: &Transaction<'_>,
    number: i64,
    raw: &RawMessage,
    version: i64,
    columns: &IndexedColumns<'_>,
) -> rusqlite::Result<Option<i64>> {
    let Some(old) = stored_row(tx, number, &raw.id)? else {
        let place = free_place(tx, raw.at.0)?;
        add_entries(tx, place, columns)?;
        return Ok(Some(place));
    };
    if old.version > version {
        return Ok(None);
    }
    let before = IndexedColumns {
        conversation: columns.conversation,
        sender: &old.sender,
        text: &old.text,
        link: old.link,
        file: old.file,
    };
    // Most updates, such as reactions, leave the text as it is.
    let same = before == *columns;
    if old.indexed && !same {
        remove_entries(tx, old.place, &before)?;
    }
    if !old.indexed || !same {
        add_entries(tx, old.place, columns)?;
    }
    Ok(Some(old.place))
}

/// Completes the newer of two items of one message by the older one, for this account. `None` if it cannot be read. The
/// store does not know what items look like.
pub type ItemCompleter = fn(
    newer: &str,
    older: &str,
    conversation: &ConversationId,
    me: &UserId,
) -> Option<(RawMessage, Indexed)>;

/// A message completed by its stored row, or the row by the message, whichever is newer. `None` where nothing can be
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
    let row = query.query_row(params![number, &*raw.id], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, bool>(2)?))
    });
    let Some((version, at, has_client_id)) = row.optional()? else { return Ok(None) };
    let is_older = i64::try_from(raw.version).unwrap_or(i64::MAX) < version;
    let may_lack = raw.kind.is_empty()
        || raw.sender.as_str().is_empty()
        || raw.content.is_empty()
        || raw.at.0 != at
        || (has_client_id && raw.client_id.is_none());
    // Whether the row lacks something cannot be seen in its columns: its text may stand for what is missing.
    if !may_lack && !is_older {
        return Ok(None);
    }
    let json: String = tx
        .prepare_cached("SELECT json FROM messages WHERE conversation = ?1 AND id = ?2")?
        .query_row(params![number, &*raw.id], |row| row.get(0))?;
    let (newer, older) =
        if is_older { (json.as_str(), &*raw.json) } else { (&*raw.json, json.as_str()) };
    Ok(completion(newer, older, &raw.conversation, me))
}

/// Stores a message. An older version never replaces a newer one.
pub(super) fn put(
    tx: &Transaction<'_>,
    number: i64,
    raw: &RawMessage,
    index_of: &Indexed,
    decoder: u32,
) -> rusqlite::Result<()> {
    let version = i64::try_from(raw.version).unwrap_or(i64::MAX);
    let columns = IndexedColumns {
        conversation: &raw.conversation,
        sender: raw.sender.as_str(),
        text: &index_of.text,
        link: index_of.link,
        file: index_of.file,
    };
    let Some(place) = update_index(tx, number, raw, version, &columns)? else { return Ok(()) };
    let order = i64::try_from(raw.key().order).unwrap_or(i64::MAX);
    tx.prepare_cached(
        "INSERT INTO messages (place, conversation, at, number, id, version, sender, client_id, kind, text, edit_of, \
         counts, mentions, link, file, decoder, indexed, json) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18) \
         ON CONFLICT (place) DO UPDATE SET at = ?3, number = ?4, version = ?6, sender = ?7, client_id = ?8, kind = ?9, \
         text = ?10, edit_of = ?11, counts = ?12, mentions = ?13, link = ?14, file = ?15, decoder = ?16, indexed = ?17, \
         json = ?18",
    )?
    .execute(params![
        place,
        number,
        raw.at.0,
        order,
        &*raw.id,
        version,
        raw.sender.as_str(),
        raw.client_id.as_ref().map(ClientMessageId::as_str),
        &*raw.kind,
        index_of.text,
        index_of.edit_of.as_deref(),
        index_of.counts,
        index_of.mentions_me,
        index_of.link,
        index_of.file,
        decoder,
        true,
        &*raw.json
    ])?;
    Ok(())
}
