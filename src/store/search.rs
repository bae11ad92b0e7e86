//! Search over all stored messages, newest first. The index finds rows that contain all grams of the terms; whether they
//! match is decided by their text.
//!
//! Runs on its own connection, so that neither opening a chat nor writing waits for it. A new search cancels the one
//! before it.

use super::messages::{keyword, token};
use super::{Store, StoreError, archive_search, edits, index, read};
use crate::model::fold::{folded, grams_of_term};
use crate::model::search::{Hit, Query};
use crate::model::{ConversationId, MessageKey, Timestamp, UserId};
use rusqlite::{Connection, Row, params_from_iter};
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Grams of a term that are looked up in the index; the text decides about the rest.
const MOST_GRAMS: usize = 24;

/// The result of a search.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SearchPage {
    pub hits: Vec<Hit>,
    /// Where older hits continue; `None` if there are no more.
    pub next: Option<i64>,
    /// Some rows are not indexed yet.
    pub behind: bool,
}

/// The query in the language of the index; `None` when only dates are given.
fn expression(query: &Query) -> Option<String> {
    let mut all: Vec<String> = Vec::new();
    let quote = |word: &str| format!("\"{word}\"");
    let grams_of = |term: &str| {
        let grams = grams_of_term(term).into_iter().take(MOST_GRAMS);
        grams.map(|gram| quote(&token(gram))).collect::<Vec<_>>()
    };
    for (i, term) in query.terms.iter().enumerate() {
        let people = query.named.get(i).map(Vec::as_slice).unwrap_or_default();
        if people.is_empty() {
            all.extend(grams_of(term));
        } else {
            let ids = people.iter().map(|id| grams_of(&folded(id.bare())));
            let any = std::iter::once(grams_of(term)).chain(ids).filter(|grams| !grams.is_empty());
            let any: Vec<String> = any.map(|grams| format!("({})", grams.join(" AND "))).collect();
            all.push(format!("({})", any.join(" OR ")));
        }
    }
    let mut any = |words: Vec<String>| {
        if !words.is_empty() {
            all.push(format!("({})", words.join(" OR ")));
        }
    };
    any(query.from.iter().map(|id| quote(&keyword::sender(id))).collect());
    any(query.within.iter().map(|id| quote(&keyword::conversation(id))).collect());
    for (wanted, word) in [(query.link, keyword::LINK), (query.file, keyword::FILE)] {
        if wanted {
            all.push(quote(word));
        }
    }
    (!all.is_empty()).then(|| all.join(" AND "))
}

/// A row that the index found.
struct Candidate {
    place: i64,
    number: i64,
    conversation: ConversationId,
    cleared: i64,
    at: i64,
    id: String,
    sender: String,
    text: String,
    kind: String,
}

impl Candidate {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            place: row.get(0)?,
            number: row.get(1)?,
            conversation: ConversationId::from(row.get::<_, String>(2)?),
            cleared: row.get(3)?,
            at: row.get(4)?,
            id: row.get(5)?,
            sender: row.get(6)?,
            text: row.get(7)?,
            kind: row.get(8)?,
        })
    }
}

const COLUMNS: &str =
    "m.place, m.conversation, c.id, c.cleared_at, m.at, m.id, m.sender, m.text, m.kind";

/// Up to `limit` hits below a place, newest first. Stops early when `stale` returns true.
fn search(
    c: &Connection,
    query: &Query,
    below: Option<i64>,
    limit: usize,
    stale: &dyn Fn() -> bool,
) -> rusqlite::Result<SearchPage> {
    if archive_search::is_archive(c)? {
        return archive_search::search(c, query, below, limit, stale);
    }
    let low = query.after.map_or(i64::MIN, |at| super::messages::wanted_place(at.0));
    let high = below.unwrap_or(i64::MAX);
    let (sql, expression) = match expression(query) {
        Some(expression) => (
            format!(
                "SELECT {COLUMNS} FROM words w JOIN messages m ON m.place = w.rowid \
                 JOIN conversations c ON c.number = m.conversation \
                 WHERE words MATCH ?3 AND w.rowid >= ?1 AND w.rowid < ?2 ORDER BY w.rowid DESC"
            ),
            Some(expression),
        ),
        None => (
            format!(
                "SELECT {COLUMNS} FROM messages m JOIN conversations c ON c.number = m.conversation \
                 WHERE m.place >= ?1 AND m.place < ?2 AND m.text <> '' ORDER BY m.place DESC"
            ),
            None,
        ),
    };
    let mut statement = c.prepare_cached(&sql)?;
    let bound: Vec<rusqlite::types::Value> = [low.into(), high.into()]
        .into_iter()
        .chain(expression.map(rusqlite::types::Value::from))
        .collect();
    let mut rows = statement.query(params_from_iter(bound))?;
    let mut found = SearchPage { behind: index::is_incomplete(c)?, ..SearchPage::default() };
    let mut seen = HashSet::new();
    while let Some(row) = rows.next()? {
        if stale() {
            break;
        }
        let row = Candidate::read(row)?;
        let at = Timestamp(row.at);
        let in_time = query.before.is_none_or(|before| at < before)
            && query.after.is_none_or(|after| at >= after)
            && row.at > row.cleared;
        if !in_time {
            continue;
        }
        let text = folded(&row.text);
        if !query.matches(&text, &row.kind) {
            continue;
        }
        let shown = edits::shown_as(c, row.number, &row.sender, &row.id)?;
        let Some(key) = shown else { continue };
        if !seen.insert((row.number, key.id.clone())) {
            continue;
        }
        let sender = UserId::new(&row.sender);
        let hit = Hit::new(row.conversation, key, sender, &row.text, &query.terms);
        found.hits.push(hit.of_kind(&row.kind));
        if found.hits.len() >= limit {
            found.next = Some(row.place);
            break;
        }
    }
    // Messages that arrived at the same moment may not have their places in order.
    found.hits.sort_by(|a, b| b.key.at.cmp(&a.key.at).then_with(|| b.key.order.cmp(&a.key.order)));
    Ok(found)
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

    /// Runs a search. Returns `None` if a newer one was begun meanwhile.
    pub async fn search(
        &self,
        handle: SearchHandle,
        query: Query,
        below: Option<i64>,
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
