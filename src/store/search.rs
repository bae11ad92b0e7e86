//! Search over all stored messages, newest first. The index ([`super::texts`]) says in which blocks of texts the terms
//! may be; the blocks say which messages may be hits; the rows of these decide whether they are.
//!
//! Runs on its own connection, so that neither opening a chat nor writing waits for it. A new search cancels the one
//! before it.

mod wanted;

use super::ids::IdValue;
use super::texts::{BlockReader, BlockTimes, UNSEALED, block_times};
use super::{Store, StoreError, edits, index, read};
use crate::model::fold::folded;
use crate::model::search::{Hit, Query, SearchPosition};
use crate::model::{ConversationId, MessageKey, Timestamp, UserId};
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::{BinaryHeap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use wanted::WantedTexts;

/// The result of a search.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SearchPage {
    pub hits: Vec<Hit>,
    /// Where older hits continue; `None` if there are no more.
    pub next: Option<SearchPosition>,
    /// Some rows are not indexed yet.
    pub behind: bool,
}

/// A search that is going on.
struct Running<'a> {
    connection: &'a Connection,
    query: &'a Query,
    limit: usize,
    page: SearchPage,
    /// Entries already checked.
    seen: HashSet<SearchPosition>,
    shown: HashSet<(i64, Arc<str>)>,
    /// Candidates of the blocks so far that are not checked yet.
    candidates: BinaryHeap<SearchPosition>,
}

impl Running<'_> {
    /// Checks the candidates that are newer than all remaining blocks, whose newest text is of this time; all of them
    /// when no block is left. Returns true when the page is full.
    fn take_newer(&mut self, newest: Option<i64>) -> rusqlite::Result<bool> {
        let is_next = |next: &SearchPosition| newest.is_none_or(|newest| next.at > newest);
        while let Some(next) = self.candidates.peek().copied().filter(is_next) {
            self.candidates.pop();
            // A message that was changed has an entry for each of its texts.
            if !self.seen.insert(next) {
                continue;
            }
            if let Some(hit) = self.hit(next)? {
                self.page.hits.push(hit);
            }
            if self.page.hits.len() >= self.limit {
                self.page.next = Some(next);
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The page, with edits sorted to the place of their originals.
    fn end(self) -> SearchPage {
        let mut page = self.page;
        page.hits
            .sort_by(|a, b| b.key.at.cmp(&a.key.at).then_with(|| b.key.order.cmp(&a.key.order)));
        page
    }

    /// The hit at this position, if its row still matches the index.
    fn hit(&mut self, position: SearchPosition) -> rusqlite::Result<Option<Hit>> {
        let row = self
            .connection
            .prepare_cached(
                "SELECT m.conversation, c.id, c.cleared_at, m.at, m.id, m.sender, m.text, m.kind, m.link, m.file \
                 FROM messages m JOIN conversations c ON c.number = m.conversation WHERE m.place = ?1",
            )?
            .query_row(params![position.place], FoundRow::read)
            .optional()?;
        let is_current = |row: &FoundRow| row.at == position.at && row.matches(self.query);
        let Some(row) = row.filter(is_current) else { return Ok(None) };
        let shown = edits::shown_as(self.connection, row.number, row.sender.as_str(), &row.id)?;
        let Some(key) = shown else { return Ok(None) };
        if !self.shown.insert((row.number, key.id.clone())) {
            return Ok(None);
        }
        let hit = Hit::new(row.conversation, key, row.sender, &row.text, &self.query.terms);
        Ok(Some(hit.of_kind(&row.kind)))
    }
}

/// A row that the index found.
struct FoundRow {
    number: i64,
    conversation: ConversationId,
    cleared: i64,
    at: i64,
    id: String,
    sender: UserId,
    text: String,
    kind: String,
    link: bool,
    file: bool,
}

impl FoundRow {
    fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            number: row.get(0)?,
            conversation: ConversationId::from(row.get::<_, String>(1)?),
            cleared: row.get(2)?,
            at: row.get(3)?,
            id: row.get::<_, IdValue<String>>(4)?.0,
            sender: UserId::from(row.get::<_, String>(5)?),
            text: row.get(6)?,
            kind: row.get(7)?,
            link: row.get(8)?,
            file: row.get(9)?,
        })
    }

    fn matches(&self, query: &Query) -> bool {
        let at = Timestamp(self.at);
        (self.cleared == 0 || self.at > self.cleared)
            && query.before.is_none_or(|before| at < before)
            && query.after.is_none_or(|after| at >= after)
            && (query.from.is_empty() || query.from.contains(&self.sender))
            && (query.within.is_empty() || query.within.contains(&self.conversation))
            && (!query.link || self.link)
            && (!query.file || self.file)
            && (!self.text.is_empty() || query.link || query.file)
            && query.matches(&folded(&self.text), &self.kind)
    }
}

/// The blocks that may have hits.
fn blocks(c: &Connection, wanted: &WantedTexts<'_>) -> rusqlite::Result<BinaryHeap<BlockTimes>> {
    let possible = wanted.blocks(c)?;
    let is_possible = |number: i64| {
        let word = usize::try_from(number / 64).unwrap_or(usize::MAX);
        let word = possible.as_ref().and_then(|all| all.get(word)).filter(|_| number < UNSEALED);
        word.is_none_or(|word| word & (1 << (number % 64)) != 0)
    };
    let (low, high) = wanted.times();
    let mut found = Vec::new();
    block_times(c, |block| {
        if block.newest >= low && block.oldest <= high && is_possible(block.number) {
            found.push(block);
        }
    })?;
    Ok(found.into())
}

/// Up to `limit` hits below a position, newest first. Stops early when `stale` returns true.
fn search(
    connection: &Connection,
    query: &Query,
    below: Option<SearchPosition>,
    limit: usize,
    stale: &dyn Fn() -> bool,
) -> rusqlite::Result<SearchPage> {
    // Everything is read as of one moment.
    let c = &connection.unchecked_transaction()?;
    let wanted = WantedTexts::new(query, below);
    let page = SearchPage { behind: index::is_incomplete(c)?, ..SearchPage::default() };
    let mut running = Running {
        connection: c,
        query,
        limit,
        page,
        seen: HashSet::new(),
        shown: HashSet::new(),
        candidates: BinaryHeap::new(),
    };
    let mut entries = c.prepare_cached("SELECT entries FROM text_blocks WHERE number = ?1")?;
    let mut blocks = blocks(c, &wanted)?;
    while let Some(next) = blocks.pop() {
        if stale() || running.take_newer(Some(next.newest))? {
            return Ok(running.end());
        }
        let mut found = entries.query([next.number])?;
        let Some(block) = found.next()? else { continue };
        let texts = BlockReader::new(block.get_ref(0)?.as_blob()?);
        running.candidates.extend(wanted.candidates(texts));
    }
    running.take_newer(None)?;
    Ok(running.end())
}

/// The number of the latest search; older ones are cancelled.
#[derive(Clone, Default)]
pub(super) struct LatestSearch(Arc<AtomicU64>);

/// Identifies a search.
#[derive(Clone, Copy, Debug)]
pub struct SearchHandle(u64);

impl Store {
    /// Registers a new search and cancels the one that is running. Must be called in the order in which the user
    /// searches.
    pub fn begin_search(&self) -> SearchHandle {
        let mine = self.latest_search.0.fetch_add(1, Ordering::AcqRel) + 1;
        self.searcher.interrupt();
        SearchHandle(mine)
    }

    /// Runs a search. Returns `None` if a newer one has started meanwhile.
    pub async fn search(
        &self,
        handle: SearchHandle,
        query: Query,
        below: Option<SearchPosition>,
        limit: usize,
    ) -> Result<Option<SearchPage>, StoreError> {
        let latest = self.latest_search.clone();
        let current = move || latest.0.load(Ordering::Acquire) == handle.0;
        let job = move |c: &mut Connection| {
            if !current() {
                return Ok(None);
            }
            match search(c, &query, below, limit, &|| !current()) {
                Ok(found) => Ok(current().then_some(found)),
                // Interrupted by the newer search.
                Err(_) if !current() => Ok(None),
                Err(error) => Err(error),
            }
        };
        Self::run(self.searcher.jobs()?, job).await
    }
}

fn around(
    c: &Connection,
    id: &ConversationId,
    key: &MessageKey,
    limit: u32,
) -> rusqlite::Result<(read::PageOf, bool)> {
    let mut newer = read::after(c, id, key, limit)?;
    let at_end = newer.len() < limit as usize;
    // A key after the message, so that the page before it includes it.
    let past = MessageKey { order: key.order.saturating_add(1), ..key.clone() };
    let mut page = read::before(c, id, &past, limit)?;
    newer.retain(|raw| raw.key() > *key);
    newer.reverse();
    newer.append(&mut page.messages);
    page.messages = newer;
    Ok((page, at_end))
}

impl Store {
    /// Stored messages around a key, newest first, and whether they include the newest one of the conversation.
    pub async fn around(
        &self,
        id: &ConversationId,
        key: &MessageKey,
        limit: u32,
    ) -> Result<(read::PageOf, bool), StoreError> {
        let (id, key) = (id.clone(), key.clone());
        self.read(move |c| around(c, &id, &key, limit)).await
    }
}
