//! Catching up with one conversation: new messages from the newest page down to what is stored, and changes to older
//! ones.

use super::Shared;
use super::apply::{IncomingConversation, IncomingMessages};
use super::fetch::MAX_PAGES;
use crate::client::{Error, ErrorKind};
use crate::model::{
    Arrival, ConversationId, Coverage, Placement, Point, Range, RawConversation, RawMessage,
    Timestamp,
};
use crate::store::{CoverageUpdate, SyncToken};
use std::collections::BTreeSet;

/// The most messages that are fetched at once; the backfill fetches the rest.
const MAX_MESSAGES: usize = 20_000;
/// Versions are times of several servers' clocks, which may differ by so many milliseconds.
const SKEW: u64 = 60_000;
/// After so many answers that make no sense, asking for changes by this token is given up.
const MAX_TRIES: u32 = 5;
/// The most pages of changes that are fetched at once.
const MAX_CHANGES: usize = 20;

/// What counts as new in a conversation, and how it arrived.
#[derive(Clone, Copy, Debug)]
pub(super) struct News {
    pub arrival: Arrival,
    /// In a conversation of which nothing is stored: messages later than this on the server's clock. `None`: none of
    /// them, because it is not known how long that conversation has existed.
    pub since: Option<Timestamp>,
}

impl News {
    /// Everything newer than what is stored of a conversation.
    pub fn above_stored(arrival: Arrival) -> Self {
        Self { arrival, since: None }
    }

    /// How a message arrived if `top` was the newest one stored before.
    fn arrival_of(self, at: Point, top: Option<Point>) -> Arrival {
        let is_new = match top {
            Some(top) => at > top,
            None => self.since.is_some_and(|since| at.at > since),
        };
        if is_new { self.arrival } else { Arrival::History }
    }
}

/// Messages read from the newest page down.
#[derive(Default)]
struct Fetched {
    messages: Vec<RawMessage>,
    /// They include everything between these two points.
    ends: Option<(Point, Point)>,
    /// The server has nothing older.
    floor: bool,
    /// For asking later what has changed since the first page.
    sync_state: Option<String>,
    error: Option<Error>,
}

/// Changes to older messages.
struct Changes {
    messages: Vec<RawMessage>,
    /// There are no more of them.
    complete: bool,
    /// Where to continue, if there are more than are fetched at once.
    next: Option<SyncToken>,
    error: Option<Error>,
}

impl Default for Changes {
    fn default() -> Self {
        Self { messages: Vec::new(), complete: true, next: None, error: None }
    }
}

impl Fetched {
    fn extend(&mut self, page: &[RawMessage], continued: bool) {
        let lo = lowest(page, continued);
        self.ends = match (self.ends, lo) {
            (Some((known, hi)), Some(lo)) => Some((known.min(lo), hi)),
            // Only the first page tells where the newest end is: messages that arrive meanwhile are received as events.
            (None, Some(lo)) => {
                page.iter().map(|raw| Point::from(&raw.key())).max().map(|hi| (lo, hi))
            }
            (known, None) => known,
        };
    }
}

/// How far down a page of messages reaches without a gap. A page that continues from a `syncState` may also contain
/// messages from anywhere that were changed meanwhile (facts 2.1): there only unchanged messages tell how far it reaches.
pub fn lowest(page: &[RawMessage], continued: bool) -> Option<Point> {
    let as_posted = |raw: &&RawMessage| raw.key().order == 0 || raw.version <= raw.key().order;
    let counts = page.iter().filter(|raw| !continued || as_posted(raw));
    counts.map(|raw| Point::from(&raw.key())).min()
}

impl Shared {
    /// Fetches everything new in a conversation, from the newest page down to what is stored, and stores it in one
    /// transaction together with the conversation's version. If an error or the number of messages ends that early, the
    /// messages are stored with a gap below them.
    ///
    /// Changes to older messages are fetched by the `syncState` of the last time.
    pub(super) async fn catch_up(
        &self,
        conversation: RawConversation,
        news: News,
    ) -> Result<(), Error> {
        let id = conversation.id.clone();
        let coverage = self.store.coverage(&id).await.unwrap_or_default();
        let before = self.store.sync_token(&id).await.unwrap_or_default();
        let top = coverage.top();
        let Fetched { messages, ends, floor, sync_state, mut error } =
            self.fetch_missed(&id, top).await;
        let newest = messages.iter().map(|m| m.version).max().unwrap_or(0);
        let mut sync_token = sync_state.map(|sync_state| SyncToken { sync_state, version: newest });
        let mut changes = Changes::default();
        // Fetched after the newest page, so that no change falls between the two.
        if let Some(before) = before {
            if error.is_none() {
                changes = self.changes(&id, before, &coverage).await;
                error = changes.error.take();
            }
            // Keep the old token after an error, or continue where the pages fetched at once ended.
            if error.is_some() || changes.next.is_some() {
                sync_token = changes.next.take();
            }
        }
        let changed_group = messages
            .iter()
            .any(|m| m.kind.starts_with("ThreadActivity/") && top.is_some_and(|top| m.at > top.at));
        let update = ends.map(|(lo, hi)| CoverageUpdate::Range(Range { lo, hi, floor }));
        let failed =
            error.filter(|error| !error.is_inaccessible() && error.kind != ErrorKind::Refused);
        let complete = failed.is_none() && changes.complete;
        let (new, known): (Vec<RawMessage>, Vec<RawMessage>) = messages
            .into_iter()
            .partition(|raw| news.arrival_of(Point::from(&raw.key()), top) != Arrival::History);
        let placement = Placement::Newest;
        let part = |messages, arrival, coverage| IncomingMessages {
            conversation: id.clone(),
            messages,
            placement,
            arrival,
            coverage,
        };
        let mut incoming =
            vec![part(known, Arrival::History, None), part(new, news.arrival, update)];
        if !changes.messages.is_empty() {
            incoming.push(IncomingMessages {
                conversation: id.clone(),
                messages: changes.messages,
                placement: Placement::Gap,
                arrival: Arrival::History,
                coverage: None,
            });
        }
        let seen = IncomingConversation { raw: conversation, complete, sync_token };
        let stored = self.ingest(vec![seen], incoming).await;
        // Not before it is stored: an event that arrives meanwhile must not be appended to what is not stored.
        if complete && stored {
            self.history.caught_up(&id);
        } else {
            self.fell_behind(&id);
        }
        if changed_group && let Err(error) = self.fetch_thread(&id).await {
            tracing::info!(kind = ?error.kind, "a thread was not fetched");
        }
        match failed {
            // One conversation that cannot be read must not stop the others. If its answer made no sense, it is tried
            // again in the background.
            Some(error) if error.kind != ErrorKind::BadAnswer => Err(error),
            _ => Ok(()),
        }
    }

    /// Fetches pages from the newest one down to `until`, or only one page if nothing is stored yet. After an error it
    /// returns what was read so far.
    async fn fetch_missed(&self, id: &ConversationId, until: Option<Point>) -> Fetched {
        let size = self.options.page;
        let mut fetched = Fetched::default();
        let mut seen = BTreeSet::new();
        let mut next = self.client.messages(id, size).await;
        for turn in 0..MAX_PAGES {
            let mut page = match next {
                Ok(page) => page,
                Err(error) => {
                    fetched.error = Some(error);
                    return fetched;
                }
            };
            if turn == 0 {
                fetched.sync_state = page.sync_state.take();
            }
            let before = seen.len();
            let items = std::mem::take(&mut page.items);
            let items: Vec<RawMessage> = items
                .into_iter()
                .filter(|raw| raw.conversation == *id && seen.insert((raw.id.clone(), raw.version)))
                .collect();
            let grew = seen.len() > before;
            // Only changed messages: how far the page reaches is unknown, so the backfill continues by time.
            let only_changes = !items.is_empty() && lowest(&items, turn > 0).is_none();
            fetched.extend(&items, turn > 0);
            fetched.messages.extend(items);
            let overlaps = match (fetched.ends, until) {
                (_, None) => true,
                (Some((lo, _)), Some(until)) => lo <= until,
                (None, Some(_)) => false,
            };
            match page.older.take() {
                None => {
                    fetched.floor = true;
                    // This was the last page, so everything older has been read, changed or not.
                    let lowest = fetched.messages.iter().map(|raw| Point::from(&raw.key())).min();
                    fetched.ends = fetched.ends.zip(lowest).map(|((_, hi), lo)| (lo, hi));
                    return fetched;
                }
                Some(_) if only_changes => return fetched,
                Some(link) if overlaps || !grew || fetched.messages.len() >= MAX_MESSAGES => {
                    let oldest = fetched.messages.iter().map(|raw| Point::from(&raw.key())).min();
                    if let Some(below) = oldest {
                        self.history.remember_older(id, below, link);
                    }
                    return fetched;
                }
                Some(link) => next = self.client.messages_next(id, &link, size).await,
            }
        }
        fetched
    }

    /// Records that not everything new in a conversation is stored. It is tried again in the background, after longer and
    /// longer waits.
    pub(super) fn fell_behind(&self, id: &ConversationId) {
        self.history.fell_behind(id, |attempts| self.backoff(attempts));
    }

    /// Whether to give up asking for changes by a `syncState` after an error of this kind.
    fn gives_up_changes(&self, id: &ConversationId, kind: ErrorKind) -> bool {
        match kind {
            ErrorKind::StaleSyncState
            | ErrorKind::Refused
            | ErrorKind::Forbidden
            | ErrorKind::NotFound
            | ErrorKind::Unsupported => true,
            ErrorKind::BadAnswer => self.history.failed_attempts(id) >= MAX_TRIES,
            _ => false,
        }
    }

    /// Fetches changes to stored messages since the token was issued. Servers disagree on what a `syncState` means (facts
    /// 2.1): where it only leads to older pages, there are no higher versions on the first one, and that is the end.
    async fn changes(
        &self,
        id: &ConversationId,
        mut from: SyncToken,
        coverage: &Coverage,
    ) -> Changes {
        let since = from.version.saturating_sub(SKEW);
        let mut changes = Changes { complete: false, ..Changes::default() };
        for _ in 0..MAX_CHANGES {
            let page =
                match self.client.messages_next(id, &from.sync_state, self.options.page).await {
                    Ok(page) => page,
                    // The token is too old, or the server does not understand it: its changes are lost, and the new
                    // token starts from now. An answer that makes no sense may come from a captive portal, so that is
                    // tried a few times.
                    Err(error) if self.gives_up_changes(id, error.kind) => {
                        return Changes { complete: true, ..changes };
                    }
                    Err(error) => return Changes { error: Some(error), ..changes },
                };
            let later =
                page.items.into_iter().filter(|raw| raw.conversation == *id && raw.version > since);
            let later: Vec<RawMessage> = later.collect();
            let any = !later.is_empty();
            // Messages that are not stored yet are fetched with their page, or when their gap is filled.
            let stored = later.into_iter().filter(|raw| coverage.covers(Point::from(&raw.key())));
            changes.messages.extend(stored);
            match page.sync_state {
                Some(next) if any && next != from.sync_state => from.sync_state = next,
                _ => return Changes { complete: true, ..changes },
            }
        }
        Changes { next: Some(from), ..changes }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Timestamp;
    use crate::protocol::wire;

    fn raw(id: i64, version: i64) -> RawMessage {
        let json = format!(r#"{{"id":"{id}","version":"{version}","conversationid":"8:joe.4"}}"#);
        wire::raw_message(&json, None).unwrap()
    }

    fn point(id: i64) -> Point {
        Point { at: Timestamp(id), order: id.unsigned_abs() }
    }

    #[test]
    fn a_first_page_reaches_down_to_its_oldest_message_changed_or_not() {
        assert_eq!(lowest(&[raw(30, 30), raw(20, 99), raw(25, 25)], false), Some(point(20)));
        assert_eq!(lowest(&[], false), None);
    }

    #[test]
    fn a_page_of_a_sync_state_reaches_as_far_as_its_messages_as_posted() {
        // The changed message may come from anywhere: what is between it and the others is not known.
        assert_eq!(lowest(&[raw(30, 30), raw(2, 99), raw(25, 25)], true), Some(point(25)));
        assert_eq!(lowest(&[raw(2, 99), raw(3, 98)], true), None);
    }

    #[test]
    fn a_message_without_a_numeric_id_counts_as_posted() {
        let json =
            r#"{"id":"abc","version":"99","originalarrivaltime":"20","conversationid":"8:joe.4"}"#;
        let odd = wire::raw_message(json, None).unwrap();
        assert_eq!(lowest(&[odd], true).map(|p| p.at), Some(Timestamp(20)));
    }

    #[test]
    fn the_newest_end_comes_from_the_first_page_and_the_oldest_from_the_last() {
        let mut fetched = Fetched::default();
        fetched.extend(&[raw(50, 50), raw(40, 40)], false);
        assert_eq!(fetched.ends, Some((point(40), point(50))));
        // What was posted while paging comes by itself, and is not claimed.
        fetched.extend(&[raw(60, 60), raw(30, 30)], true);
        assert_eq!(fetched.ends, Some((point(30), point(50))));
    }

    #[test]
    fn a_page_of_nothing_but_changes_moves_neither_end() {
        let mut fetched = Fetched::default();
        fetched.extend(&[raw(50, 50)], false);
        fetched.extend(&[raw(2, 99)], true);
        assert_eq!(fetched.ends, Some((point(50), point(50))));
        let mut empty = Fetched::default();
        empty.extend(&[], false);
        assert_eq!(empty.ends, None);
    }
}
