//! Search in an archive. Its texts lie folded in blocks, and a search goes through all of them: fifty megabytes of a
//! lifetime take less time than reading an index of them would.

use super::archive::ArchiveMedia;
use super::read::MESSAGE;
use super::search::SearchPage;
use super::{Store, StoreError};
use crate::model::fold::folded;
use crate::model::search::{Hit, Query};
use crate::model::{ConversationId, ImportOrigin, MessageKey, SafeText, Timestamp, UserId};
use rusqlite::{Connection, OptionalExtension, params};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet};

/// Where a text stands in the order of hits: time, then place. The time is rounded, so that both fit into one number.
const MS_PER_RANK: i64 = 16;
const PLACE_BITS: u32 = 26;

/// Whether this is the store of an archive.
pub(super) fn is_archive(c: &Connection) -> rusqlite::Result<bool> {
    c.prepare_cached("SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE name = 'archive_texts')")?
        .query_row([], |row| row.get(0))
}

/// What a message was imported from; in other stores nothing.
fn origin(
    c: &Connection,
    conversation: &ConversationId,
    id: &str,
) -> rusqlite::Result<Option<ImportOrigin>> {
    if !is_archive(c)? {
        return Ok(None);
    }
    c.prepare_cached(
        "SELECT s.path, s.imported_at FROM messages m \
         JOIN conversations c ON c.number = m.conversation AND c.id = ?1 \
         JOIN archive_sources s ON s.number = coalesce( \
           (SELECT source FROM archive_changed WHERE place = m.place), \
           (SELECT source FROM archive_places WHERE first <= m.place ORDER BY first DESC LIMIT 1)) \
         WHERE m.id = ?2",
    )?
    .query_row([conversation.as_str(), id], |row| {
        let file = SafeText::line(&row.get::<_, String>(0)?);
        Ok(ImportOrigin { archive: None, file, imported_at: Timestamp(row.get(1)?) })
    })
    .optional()
}

/// The files of an object.
pub(super) fn media(c: &Connection, object: &str) -> rusqlite::Result<Vec<ArchiveMedia>> {
    if !is_archive(c)? {
        return Ok(Vec::new());
    }
    let mut query = c.prepare_cached(
        "SELECT object, part, path, begins, size FROM archive_media WHERE object = ?1 ORDER BY part",
    )?;
    let rows = query.query_map([object], |row| {
        Ok(ArchiveMedia {
            object: row.get(0)?,
            part: row.get(1)?,
            path: row.get(2)?,
            begins: row.get::<_, i64>(3)?.unsigned_abs(),
            size: row.get::<_, i64>(4)?.unsigned_abs(),
        })
    })?;
    rows.collect()
}

/// One text of a block.
struct TextEntry<'a> {
    at: i64,
    place: i64,
    conversation: i64,
    sender: i64,
    flags: u8,
    text: &'a [u8],
}

impl TextEntry<'_> {
    fn rank(&self) -> i64 {
        (self.at.div_euclid(MS_PER_RANK) << PLACE_BITS) | (self.place & ((1 << PLACE_BITS) - 1))
    }
}

/// The texts of a block, in its order.
struct TextBlockReader<'a>(&'a [u8]);

impl<'a> Iterator for TextBlockReader<'a> {
    type Item = TextEntry<'a>;

    fn next(&mut self) -> Option<TextEntry<'a>> {
        let (head, rest) = self.0.split_at_checked(37)?;
        let number = |at: usize| {
            let bytes: [u8; 8] = head.get(at..at + 8)?.try_into().ok()?;
            Some(i64::from_le_bytes(bytes))
        };
        let length = u32::from_le_bytes(head.get(33..37)?.try_into().ok()?);
        let (text, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
        self.0 = rest;
        Some(TextEntry {
            at: number(0)?,
            place: number(8)?,
            conversation: number(16)?,
            sender: number(24)?,
            flags: *head.get(32)?,
            text,
        })
    }
}

/// The texts of a block that may have a term: those in which its bytes stand. Most blocks have none, and finding that out
/// needs no look at each text.
struct Candidates<'a, 'q> {
    texts: TextBlockReader<'a>,
    /// All of them are candidates without a term.
    term: Option<&'q memchr::memmem::Finder<'q>>,
}

impl<'a> Iterator for Candidates<'a, '_> {
    type Item = TextEntry<'a>;

    fn next(&mut self) -> Option<TextEntry<'a>> {
        let Some(term) = self.term else { return self.texts.next() };
        let rest = self.texts.0.len();
        let found = term.find(self.texts.0)?;
        // The entry that the place lies in: the first one that ends behind it.
        loop {
            let entry = self.texts.next()?;
            if rest - self.texts.0.len() > found {
                return Some(entry);
            }
        }
    }
}

/// A query in the numbers of this store.
struct ArchiveQuery<'a> {
    query: &'a Query,
    terms: Vec<memchr::memmem::Finder<'a>>,
    /// For each term the ids that stand for it in lines of the system.
    ids: Vec<Vec<memchr::memmem::Finder<'static>>>,
    from: Vec<i64>,
    within: Vec<i64>,
    below: i64,
}

impl<'a> ArchiveQuery<'a> {
    fn new(c: &Connection, query: &'a Query, below: Option<i64>) -> rusqlite::Result<Self> {
        let numbers = |sql: &str, ids: Vec<&str>| -> rusqlite::Result<Vec<i64>> {
            let mut statement = c.prepare_cached(sql)?;
            let found =
                ids.into_iter().map(|id| statement.query_row([id], |row| row.get(0)).optional());
            Ok(found
                .collect::<rusqlite::Result<Vec<Option<i64>>>>()?
                .into_iter()
                .flatten()
                .collect())
        };
        let people = "SELECT number FROM archive_people WHERE id = ?1";
        let chats = "SELECT number FROM conversations WHERE id = ?1";
        Ok(Self {
            terms: query
                .terms
                .iter()
                .map(|term| memchr::memmem::Finder::new(term.as_str()))
                .collect(),
            ids: query
                .named
                .iter()
                .map(|people| {
                    let ids = people.iter().map(|id| folded(id.bare())).filter(|id| !id.is_empty());
                    ids.map(|id| memchr::memmem::Finder::new(&id).into_owned()).collect()
                })
                .collect(),
            from: numbers(people, query.from.iter().map(UserId::as_str).collect())?,
            within: numbers(chats, query.within.iter().map(ConversationId::as_str).collect())?,
            below: below.unwrap_or(i64::MAX),
            query,
        })
    }

    /// The texts of a block that are worth a closer look.
    fn candidates<'b>(&self, block: &'b [u8]) -> Candidates<'b, '_> {
        // Every text that matches has these.
        let certain = self.terms.iter().enumerate().filter(|(i, _)| self.ids_for(*i).is_empty());
        let longest = certain.map(|(_, term)| term).max_by_key(|term| term.needle().len());
        Candidates { texts: TextBlockReader(block), term: longest }
    }

    fn ids_for(&self, term: usize) -> &[memchr::memmem::Finder<'static>] {
        self.ids.get(term).map(Vec::as_slice).unwrap_or_default()
    }

    /// Whether a text may be a hit. Whether an id stands in a line of the system is checked for each hit.
    fn matches(&self, entry: &TextEntry<'_>) -> bool {
        let is_one_of =
            |wanted: bool, numbers: &[i64], number: i64| !wanted || numbers.contains(&number);
        let query = self.query;
        query.before.is_none_or(|before| entry.at < before.0)
            && query.after.is_none_or(|after| entry.at >= after.0)
            && is_one_of(!query.from.is_empty(), &self.from, entry.sender)
            && is_one_of(!query.within.is_empty(), &self.within, entry.conversation)
            && (!query.link || entry.flags & 1 != 0)
            && (!query.file || entry.flags & 2 != 0)
            && self.terms.iter().enumerate().all(|(i, term)| {
                term.find(entry.text).is_some()
                    || self.ids_for(i).iter().any(|id| id.find(entry.text).is_some())
            })
    }
}

/// The newest time and the number of each block of texts, newest first. SQLite would sort them with all their texts.
fn blocks(c: &Connection) -> rusqlite::Result<Vec<(i64, i64)>> {
    let mut statement = c.prepare_cached("SELECT newest, number FROM archive_texts")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut found: Vec<(i64, i64)> = rows.collect::<rusqlite::Result<_>>()?;
    found.sort_unstable_by_key(|block| Reverse(*block));
    Ok(found)
}

/// Up to `limit` hits below a rank, newest first. Stops early when `stale` returns true.
pub(super) fn search(
    c: &Connection,
    query: &Query,
    below: Option<i64>,
    limit: usize,
    stale: &dyn Fn() -> bool,
) -> rusqlite::Result<SearchPage> {
    let wanted = ArchiveQuery::new(c, query, below)?;
    let mut statement = c.prepare_cached("SELECT entries FROM archive_texts WHERE number = ?1")?;
    let mut best: BinaryHeap<Reverse<(i64, i64)>> = BinaryHeap::new();
    for (newest, number) in blocks(c)? {
        let is_full = best.len() > limit;
        let lowest = best.peek().map_or(i64::MIN, |Reverse((rank, _))| *rank);
        // All other blocks are older than the hits that are known.
        if stale() || (is_full && (newest.div_euclid(MS_PER_RANK) + 1) << PLACE_BITS <= lowest) {
            break;
        }
        let mut rows = statement.query([number])?;
        let Some(block) = rows.next()? else { continue };
        for entry in wanted.candidates(block.get_ref(0)?.as_blob()?) {
            let rank = entry.rank();
            let is_better = rank < wanted.below
                && (best.len() <= limit || best.peek().is_none_or(|Reverse((low, _))| rank > *low));
            if is_better && wanted.matches(&entry) {
                best.push(Reverse((rank, entry.place)));
                if best.len() > limit + 1 {
                    best.pop();
                }
            }
        }
    }
    let mut found: Vec<(i64, i64)> = best.into_iter().map(|Reverse(hit)| hit).collect();
    found.sort_unstable_by_key(|hit| Reverse(*hit));
    page(c, query, &found, limit)
}

/// The hits at these places that are still as their texts say.
fn page(
    c: &Connection,
    query: &Query,
    found: &[(i64, i64)],
    limit: usize,
) -> rusqlite::Result<SearchPage> {
    let mut page = SearchPage::default();
    let mut seen = HashSet::new();
    for (rank, place) in found.iter().take(limit) {
        page.next = Some(*rank);
        // A message that was changed has an entry for each of its texts.
        if seen.insert(*place)
            && let Some(hit) = hit(c, query, *place)?
        {
            page.hits.push(hit);
        }
    }
    if found.len() <= limit {
        page.next = None;
    }
    Ok(page)
}

fn hit(c: &Connection, query: &Query, place: i64) -> rusqlite::Result<Option<Hit>> {
    let sql = format!(
        "SELECT {MESSAGE}, m.text AS text, m.kind AS kind, c.id AS conversation_id FROM messages m \
         JOIN conversations c ON c.number = m.conversation WHERE m.place = ?1"
    );
    let row = c
        .prepare_cached(&sql)?
        .query_row(params![place], |row| {
            let key = MessageKey::server(Timestamp(row.get("at")?), &row.get::<_, String>("id")?);
            let sender = UserId::from(row.get::<_, String>("sender")?);
            let conversation = ConversationId::from(row.get::<_, String>("conversation_id")?);
            let (text, kind) = (row.get::<_, String>("text")?, row.get::<_, String>("kind")?);
            let is_current = query.matches(&folded(&text), &kind);
            let hit = Hit::new(conversation, key, sender, &text, &query.terms).of_kind(&kind);
            Ok(is_current.then_some(hit))
        })
        .optional()?;
    Ok(row.flatten())
}

impl Store {
    /// What a message of an archive was imported from.
    pub(crate) async fn origin(
        &self,
        conversation: &ConversationId,
        id: &str,
    ) -> Result<Option<ImportOrigin>, StoreError> {
        let (conversation, id) = (conversation.clone(), id.to_owned());
        self.read(move |c| origin(c, &conversation, &id)).await
    }

    /// The files of objects in the exports of an archive; none in other stores.
    pub(crate) async fn media(
        &self,
        objects: Vec<String>,
    ) -> Result<Vec<Vec<ArchiveMedia>>, StoreError> {
        self.read(move |c| objects.iter().map(|object| media(c, object)).collect()).await
    }
}
