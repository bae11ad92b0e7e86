//! The search index: the texts of the messages, folded as search compares them, in blocks of about four kilobytes.
//!
//! A search reads the blocks from the newest to the oldest, at a few microseconds each. Signatures ([`signature`]) tell
//! it which blocks it can skip. New texts are appended to blocks without a signature. As soon as there are
//! [`GROUP_BLOCKS`] of those, their texts are sorted by time, and the blocks become a group with signatures.
//!
//! When a message changes, it gets a new entry, and the old one stays. That is harmless, because every hit is compared
//! with its message before it is shown.
//!
//! An inverted index of words or grams (SQLite's FTS5, tantivy) was considered. Because parts of words must be found in
//! any script, it would need an entry for each of about a hundred grams of a message: three times as long to write, and
//! larger than the messages themselves. Tantivy also needs files and threads of its own, which could not be written in
//! one transaction with the messages.

mod seal;
pub(super) mod signature;
mod times;

pub(super) use times::{BlockTimes, block_times};

use super::items::{push_varint, take_varint};
use crate::model::ConversationId;
use crate::model::fold::folded;
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::HashSet;

/// Most bytes in a block, unless a single text is longer. A record of this size fits on one page of a database, which
/// has 4 KiB; a page of an archive holds four.
const BLOCK_BYTES: usize = 4_000;
/// Blocks in a group.
const GROUP_BLOCKS: i64 = 256;
/// Bytes of texts that are gathered before they are written.
const FILL_BYTES: usize = 1024 * 1024;
/// Blocks from this number on have no signatures; below it, a block's group is its number divided by [`GROUP_BLOCKS`].
pub(super) const UNSEALED: i64 = 1 << 40;

/// Times are those of the newest and the oldest text of a block in milliseconds.
pub(super) const TABLES: &str = "
CREATE TABLE text_blocks (
    number INTEGER PRIMARY KEY, newest INTEGER NOT NULL, oldest INTEGER NOT NULL, entries BLOB NOT NULL) STRICT;
-- The times of each block of a group.
CREATE TABLE text_groups (number INTEGER PRIMARY KEY, times BLOB NOT NULL) STRICT;
-- The key is the number of a part of the signature and that of the group.
CREATE TABLE text_signatures (key INTEGER PRIMARY KEY, bits BLOB NOT NULL) STRICT;
";

/// Identifies a sender or a conversation in an entry. Two may share a value, so hits are compared with their rows.
pub(super) fn id_hash(id: &str) -> u32 {
    let wide = signature::hash(id.as_bytes());
    u32::try_from(wide >> 32).unwrap_or_default()
}

const LINK: u8 = 1;
const FILE: u8 = 2;
/// The conversation, or the sender, is the same as in the entry before.
const SAME_CONVERSATION: u8 = 4;
const SAME_SENDER: u8 = 8;

/// A text of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TextEntry<'a> {
    /// When the message arrived, in milliseconds.
    pub at: i64,
    /// Its row.
    pub place: i64,
    /// The [`id_hash`] of the conversation and of the sender.
    pub conversation: u32,
    pub sender: u32,
    flags: u8,
    /// Folded.
    pub text: &'a [u8],
}

impl TextEntry<'_> {
    pub fn has_link(&self) -> bool {
        self.flags & LINK != 0
    }

    pub fn has_file(&self) -> bool {
        self.flags & FILE != 0
    }
}

/// The entries of a block, in its order. Ends where the block is damaged; `rest` is what was not read.
#[derive(Clone)]
pub(super) struct BlockReader<'a> {
    pub rest: &'a [u8],
    at: i64,
    place: i64,
    /// The conversation and the sender of the entry before.
    ids: (u32, u32),
}

impl<'a> BlockReader<'a> {
    pub fn new(block: &'a [u8]) -> Self {
        Self { rest: block, at: 0, place: 0, ids: (0, 0) }
    }

    fn difference(&mut self) -> Option<i64> {
        let value = take_varint(&mut self.rest)?;
        Some((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
    }

    fn entry(&mut self) -> Option<TextEntry<'a>> {
        let at = self.at.wrapping_add(self.difference()?);
        let place = self.place.wrapping_add(self.difference()?);
        let size = take_varint(&mut self.rest)?;
        let flags = u8::try_from(size & 0xF).unwrap_or_default();
        let (mut conversation, mut sender) = self.ids;
        if flags & SAME_CONVERSATION == 0 {
            conversation = self.number()?;
        }
        if flags & SAME_SENDER == 0 {
            sender = self.number()?;
        }
        let (text, rest) = self.rest.split_at_checked(usize::try_from(size >> 4).ok()?)?;
        (self.at, self.place, self.rest) = (at, place, rest);
        self.ids = (conversation, sender);
        Some(TextEntry { at, place, conversation, sender, flags, text })
    }

    fn number(&mut self) -> Option<u32> {
        let (bytes, rest) = self.rest.split_first_chunk::<4>()?;
        self.rest = rest;
        Some(u32::from_le_bytes(*bytes))
    }
}

impl<'a> Iterator for BlockReader<'a> {
    type Item = TextEntry<'a>;

    fn next(&mut self) -> Option<TextEntry<'a>> {
        let begin = self.rest;
        let entry = self.entry();
        if entry.is_none() {
            self.rest = begin;
        }
        entry
    }
}

/// Approximate size of an entry without its text, in bytes.
const ENTRY_BYTES: usize = 18;

/// A block being built. Times and places are written as differences from those before.
#[derive(Default)]
struct BlockBuilder {
    entries: Vec<u8>,
    at: i64,
    place: i64,
    /// The conversation and the sender of the last entry.
    ids: Option<(u32, u32)>,
    newest: i64,
    oldest: i64,
}

impl BlockBuilder {
    /// Continues a stored block.
    fn resume(entries: Vec<u8>, newest: i64, oldest: i64) -> Self {
        let mut entries = entries;
        let mut reader = BlockReader::new(&entries);
        while reader.next().is_some() {}
        let BlockReader { at, place, ids, .. } = reader;
        let unread = reader.rest.len();
        // Nothing after damage would be found.
        entries.truncate(entries.len() - unread);
        let ids = (!entries.is_empty()).then_some(ids);
        Self { entries, at, place, ids, newest, oldest }
    }

    fn difference(&mut self, value: i64) {
        push_varint(&mut self.entries, ((value << 1) ^ (value >> 63)).cast_unsigned());
    }

    fn push(&mut self, entry: &TextEntry<'_>) {
        let is_first = self.entries.is_empty();
        self.newest = if is_first { entry.at } else { self.newest.max(entry.at) };
        self.oldest = if is_first { entry.at } else { self.oldest.min(entry.at) };
        self.difference(entry.at.wrapping_sub(self.at));
        self.difference(entry.place.wrapping_sub(self.place));
        (self.at, self.place) = (entry.at, entry.place);
        let before = self.ids.replace((entry.conversation, entry.sender));
        let is_same = before.map(|(conversation, sender)| {
            (conversation == entry.conversation, sender == entry.sender)
        });
        let (same_conversation, same_sender) = is_same.unwrap_or_default();
        let mut flags = entry.flags & (LINK | FILE);
        flags |= if same_conversation { SAME_CONVERSATION } else { 0 };
        flags |= if same_sender { SAME_SENDER } else { 0 };
        let length = u64::try_from(entry.text.len()).unwrap_or_default();
        push_varint(&mut self.entries, length << 4 | u64::from(flags));
        if !same_conversation {
            self.entries.extend(entry.conversation.to_le_bytes());
        }
        if !same_sender {
            self.entries.extend(entry.sender.to_le_bytes());
        }
        self.entries.extend(entry.text);
    }

    /// Whether a block of at most `most` bytes has no room for one more entry.
    fn is_full(&self, entry: &TextEntry<'_>, most: usize) -> bool {
        !self.entries.is_empty() && self.entries.len() + entry.text.len() + ENTRY_BYTES > most
    }

    fn write(&self, c: &Connection, number: i64) -> rusqlite::Result<()> {
        c.prepare_cached("INSERT OR REPLACE INTO text_blocks VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![number, self.newest, self.oldest, self.entries])?;
        Ok(())
    }
}

/// The message that a text belongs to.
#[derive(Clone, Copy, Debug)]
pub(super) struct TextSource<'a> {
    pub at: i64,
    pub place: i64,
    pub conversation: &'a str,
    pub sender: &'a str,
    pub link: bool,
    pub file: bool,
}

/// Gathers the texts of a transaction. They are in the index once [`TextWriter::write`] has been called.
#[derive(Default)]
#[must_use = "texts that are not written are not found"]
pub(super) struct TextWriter(BlockBuilder);

impl TextWriter {
    pub fn add(&mut self, of: &TextSource<'_>, text: &str) {
        // Folding takes longer than anything else here.
        if !text.is_empty() || of.link || of.file {
            self.add_folded(of, &folded(text));
        }
    }

    /// A text that is already folded. An empty one is not added, unless it has a link or a file.
    pub fn add_folded(&mut self, of: &TextSource<'_>, folded: &str) {
        if folded.is_empty() && !of.link && !of.file {
            return;
        }
        self.0.push(&TextEntry {
            at: of.at,
            place: of.place,
            conversation: id_hash(of.conversation),
            sender: id_hash(of.sender),
            flags: if of.link { LINK } else { 0 } | if of.file { FILE } else { 0 },
            text: folded.as_bytes(),
        });
    }

    /// Bytes that have not been written yet.
    pub fn len(&self) -> usize {
        self.0.entries.len()
    }

    /// Writes the texts after those that are stored.
    pub fn write(&mut self, c: &Connection) -> rusqlite::Result<()> {
        let added = std::mem::take(&mut self.0);
        if added.entries.is_empty() {
            return Ok(());
        }
        let (mut number, mut block) = open_block(c)?;
        for entry in BlockReader::new(&added.entries) {
            if block.is_full(&entry, BLOCK_BYTES) {
                block.write(c, number)?;
                block = BlockBuilder::default();
                number += 1;
            }
            block.push(&entry);
        }
        block.write(c, number)?;
        seal::seal_if_many(c, number)
    }
}

/// The block that takes the next texts, and its number.
fn open_block(c: &Connection) -> rusqlite::Result<(i64, BlockBuilder)> {
    let last = c
        .prepare_cached(
            "SELECT number, newest, oldest, entries FROM text_blocks WHERE number >= ?1 \
             ORDER BY number DESC LIMIT 1",
        )?
        .query_row([UNSEALED], |row| {
            let block = BlockBuilder::resume(row.get(3)?, row.get(1)?, row.get(2)?);
            Ok((row.get(0)?, block))
        })
        .optional()?;
    Ok(last.unwrap_or_else(|| (UNSEALED, BlockBuilder::default())))
}

/// Removes the texts of a conversation, whose rows must still be there. Returns the [`id_hash`]es of the senders of all
/// other texts. Times and signatures stay as they are: they may cover more than a block holds.
pub(super) fn remove(
    c: &Connection,
    conversation: &ConversationId,
    number: i64,
) -> rusqlite::Result<HashSet<u32>> {
    let (hash, mut senders) = (id_hash(conversation.as_str()), HashSet::new());
    let mut is_others = c.prepare(
        "SELECT EXISTS (SELECT 1 FROM messages WHERE place = ?1 AND conversation != ?2)",
    )?;
    let mut read = c.prepare("SELECT entries FROM text_blocks WHERE number = ?1")?;
    let mut write = c.prepare("UPDATE text_blocks SET entries = ?2 WHERE number = ?1")?;
    let mut blocks = c.prepare("SELECT number FROM text_blocks")?;
    let blocks: Vec<i64> = blocks.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    for block in blocks {
        let entries: Vec<u8> = read.query_row([block], |row| row.get(0))?;
        let (mut kept, mut removed) = (BlockBuilder::default(), false);
        let mut reader = BlockReader::new(&entries);
        for entry in reader.by_ref() {
            let is_kept = entry.conversation != hash
                || is_others.query_row(params![entry.place, number], |row| row.get(0))?;
            if is_kept {
                senders.insert(entry.sender);
                kept.push(&entry);
            }
            removed |= !is_kept;
        }
        // What cannot be read is left to the check of the whole file.
        if removed && reader.rest.is_empty() {
            write.execute(params![block, kept.entries])?;
        }
    }
    Ok(senders)
}

/// Empties the index.
pub(super) fn clear(c: &Connection) -> rusqlite::Result<()> {
    c.execute_batch(
        "DELETE FROM text_blocks; DELETE FROM text_groups; DELETE FROM text_signatures;",
    )
}

/// Whether all blocks and their times can be read.
pub(super) fn are_sound(c: &Connection) -> rusqlite::Result<bool> {
    let mut query = c.prepare("SELECT entries FROM text_blocks")?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        let mut reader = BlockReader::new(row.get_ref(0)?.as_blob()?);
        while reader.next().is_some() {}
        if !reader.rest.is_empty() {
            return Ok(false);
        }
    }
    let sealed = "SELECT count(*) FROM text_blocks WHERE number < ?1";
    let sealed: i64 = c.query_row(sealed, [UNSEALED], |row| row.get(0))?;
    let timed = "SELECT coalesce(sum(length(times)), 0) FROM text_groups";
    Ok(sealed * times::BYTES == c.query_row(timed, [], |row| row.get::<_, i64>(0))?)
}

/// Fills an empty index with the texts of all stored messages.
pub(super) fn fill(c: &Connection) -> rusqlite::Result<()> {
    let mut texts = TextWriter::default();
    let mut query = c.prepare(
        "SELECT m.at, m.place, c.id, m.sender, m.link, m.file, m.text FROM messages m \
         JOIN conversations c ON c.number = m.conversation ORDER BY m.place",
    )?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        let of = TextSource {
            at: row.get(0)?,
            place: row.get(1)?,
            conversation: &String::from_utf8_lossy(row.get_ref(2)?.as_bytes()?),
            sender: &String::from_utf8_lossy(row.get_ref(3)?.as_bytes()?),
            link: row.get(4)?,
            file: row.get(5)?,
        };
        // Damaged text must not keep the store from being opened: it is found when the whole file is checked.
        texts.add(&of, &String::from_utf8_lossy(row.get_ref(6)?.as_bytes()?));
        if texts.len() > FILL_BYTES {
            texts.write(c)?;
        }
    }
    texts.write(c)
}
