//! Catching up with one conversation: new messages from the newest page down to what is stored, and changes to older
//! ones.

use super::Shared;
use super::access::PARKED;
use super::apply::{IncomingConversation, IncomingMessages};
use super::fetch::MAX_PAGES;
use super::history::FetchKind;
use super::walk::{PastEnd, Walk, may_be_the_link};
use crate::client::{Error, ErrorKind};
use crate::model::{
    Arrival, ConversationId, Placement, Point, Range, RawConversation, RawMessage, Timestamp,
};
use crate::store::{CoverageUpdate, SyncToken};

/// The most messages that are fetched at once; the backfill fetches the rest.
const MAX_MESSAGES: usize = 20_000;
/// Versions are times from the clocks of several servers, which may differ by this many milliseconds.
const SKEW: u64 = 60_000;
/// After this many refusals or nonsensical answers in a row, a request is given up.
const MAX_TRIES: u32 = 5;
/// The most pages of changes that are fetched at once.
const MAX_CHANGES: usize = 20;
/// How many of the newest pages are read again when the server no longer says what has changed.
const READ_AGAIN: usize = 3;

/// What counts as new in a conversation, and how it arrived.
#[derive(Clone, Copy, Debug)]
pub(super) struct News {
    pub arrival: Arrival,
    /// In a conversation of which nothing is stored: messages later than this on the server's clock. `None`: none of
    /// them, because it is not known how long that conversation has existed.
    pub since: Option<Timestamp>,
}

impl News {
    /// Everything newer than what is stored for a conversation.
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
    /// The messages that have not been stored page by page.
    messages: Vec<RawMessage>,
    /// Messages were stored page by page, which is only done with new ones.
    any_shown: bool,
    /// The highest version of any message of the first page: higher ones come from changes after its `syncState`.
    newest: u64,
    /// One of the new ones changed the group.
    changed_group: bool,
    /// Parts of the history that they hold completely; the newest one first.
    ranges: Vec<Range>,
    /// The token for asking later what has changed since the first page.
    sync_state: Option<String>,
    error: Option<Error>,
}

/// Changes to older messages.
struct Changes {
    messages: Vec<RawMessage>,
    /// There are no more changes.
    complete: bool,
    /// The token no longer leads to any changes.
    lost: bool,
    /// Where to continue, if there are more than are fetched at once.
    next: Option<SyncToken>,
    error: Option<Error>,
}

impl Default for Changes {
    fn default() -> Self {
        Self { messages: Vec::new(), complete: true, lost: false, next: None, error: None }
    }
}

impl Fetched {
    fn note(&mut self, page: &[RawMessage], top: Option<Point>) {
        self.changed_group |= page
            .iter()
            .any(|m| m.kind.starts_with("ThreadActivity/") && top.is_some_and(|top| m.at > top.at));
    }
}

/// Messages of a conversation and how each arrived, if `top` was the newest one stored before.
fn parts(
    id: &ConversationId,
    messages: Vec<RawMessage>,
    ranges: Vec<Range>,
    news: News,
    top: Option<Point>,
) -> Vec<IncomingMessages> {
    let (new, known): (Vec<RawMessage>, Vec<RawMessage>) = messages
        .into_iter()
        .partition(|raw| news.arrival_of(Point::from(&raw.key()), top) != Arrival::History);
    let part = |messages, arrival, coverage| IncomingMessages {
        conversation: id.clone(),
        messages,
        placement: Placement::Newest,
        arrival,
        coverage,
    };
    let ranges = ranges.into_iter().map(CoverageUpdate::Range).collect();
    vec![part(known, Arrival::History, Vec::new()), part(new, news.arrival, ranges)]
}

impl Shared {
    /// Fetches everything new in a conversation, from the newest page down to what is stored, and stores it page by page,
    /// the last one together with the conversation's version. If an error or the number of messages ends that early, the
    /// messages are stored with a gap below them.
    ///
    /// Changes to older messages are fetched with the previous `syncState`. Returns whether there was a message that
    /// was not stored.
    pub(super) async fn catch_up(
        &self,
        conversation: RawConversation,
        news: News,
    ) -> Result<bool, Error> {
        let id = conversation.id.clone();
        let coverage = self.store.coverage(&id).await.unwrap_or_default();
        let before = self.store.sync_token(&id).await.unwrap_or_default();
        let top = coverage.top();
        let fetched = self.fetch_missed(&conversation, top, news).await;
        let Fetched { messages, any_shown, newest, changed_group, ranges, sync_state, mut error } =
            fetched;
        let mut sync_token = sync_state.map(|sync_state| SyncToken { sync_state, version: newest });
        let top_now = ranges.first().map(|range| range.hi).or(top);
        let mut changes = Changes::default();
        // Fetched after the newest page, so that no change falls between the two.
        if let Some(before) = before {
            if error.is_none() {
                changes = self.changes_within(&id, before, &ranges).await;
                error = changes.error.take();
            }
            // Keep the old token after an error, or continue where the pages fetched at once ended.
            if error.is_some() || changes.next.is_some() {
                sync_token = changes.next.take();
            }
        }
        let refusal = error.take_if(|error| error.is_inaccessible());
        let (is_closed, failed) = (refusal.is_some(), error);
        let complete = failed.is_none()
            && changes.complete
            && (is_closed || self.is_up_to_date(&conversation, top_now));
        let any_new = any_shown || messages.iter().any(|m| !coverage.covers(Point::from(&m.key())));
        let mut incoming = parts(&id, messages, ranges, news, top);
        if !changes.messages.is_empty() {
            incoming.push(IncomingMessages {
                conversation: id.clone(),
                messages: changes.messages,
                placement: Placement::Gap,
                arrival: Arrival::History,
                coverage: Vec::new(),
            });
        }
        let seen = IncomingConversation { raw: conversation, complete, sync_token };
        let stored = self.ingest(vec![seen], incoming).await;
        // Only once it is stored: an event that arrives meanwhile must not be appended to what is not stored.
        if complete && stored {
            self.history.caught_up(&id);
        } else {
            self.fell_behind_after(&id, failed.as_ref());
        }
        match refusal {
            // After the conversation from the list, which knows nothing of this.
            Some(refusal) => self.reading_refused(&id, &refusal).await,
            None if complete => drop(self.history.refusals.forget(&id)),
            None => {}
        }
        if changed_group && let Err(error) = self.fetch_thread(&id).await {
            tracing::info!(kind = ?error.kind, "a thread was not fetched");
        }
        match failed {
            // One conversation that cannot be read must not stop the others. It is tried again in the background.
            Some(error) if !matches!(error.kind, ErrorKind::BadAnswer | ErrorKind::Refused) => {
                Err(error)
            }
            _ => Ok(any_new),
        }
    }

    /// Whether the pages reach up to the last message that the list names. A server whose pages lag behind its list is
    /// asked again, a few times.
    fn is_up_to_date(&self, listed: &RawConversation, newest: Option<Point>) -> bool {
        newest.is_some_and(|newest| newest.at >= listed.activity)
            || listed.activity == Timestamp::default()
            || self.history.failed_attempts(&listed.id) >= MAX_TRIES
    }

    /// Fetches pages from the newest one down to `until`, or only one page if nothing is stored yet. After an error it
    /// returns what was read so far.
    ///
    /// Every page but the last one is stored and shown when it comes, with a gap below it.
    async fn fetch_missed(
        &self,
        conversation: &RawConversation,
        until: Option<Point>,
        news: News,
    ) -> Fetched {
        let id = &conversation.id;
        let mut oldest: Option<Point> = None;
        let mut count = 0;
        let mut fetched = Fetched::default();
        let mut walk = Walk::from_newest(id, until);
        let (mut newest, mut apart) = (None, Vec::new());
        for turn in 0..MAX_PAGES {
            let step = match self.next_page(&mut walk).await {
                Ok(Some(step)) => step,
                Ok(None) => break,
                Err(error) => {
                    fetched.error = Some(error);
                    break;
                }
            };
            if turn == 0 {
                self.history.forget_useless(id, FetchKind::Newest);
                fetched.sync_state = step.sync_state;
                fetched.newest = step.messages.iter().map(|raw| raw.version).max().unwrap_or(0);
                // Only the first page tells where the newest end is: messages that arrive meanwhile come as events.
                newest = step.span.map(|(_, hi)| hi);
            }
            apart.extend(step.span);
            fetched.note(&step.messages, until);
            oldest = step.messages.iter().map(|raw| Point::from(&raw.key())).chain(oldest).min();
            count += step.messages.len();
            fetched.messages.extend(step.messages);
            let overlaps = match until {
                Some(until) => walk.reach().is_some_and(|reach| reach <= until),
                None => count > 0,
            };
            if overlaps || count >= MAX_MESSAGES || walk.next().is_err() {
                break;
            }
            let shown = std::mem::take(&mut fetched.messages);
            if !shown.is_empty() {
                fetched.any_shown = true;
                let whole = walk.reach().zip(newest);
                let whole = whole.map(|(lo, hi)| Range { lo, hi, floor: false });
                let pages = parts(id, shown, whole.into_iter().collect(), news, until);
                self.ingest(Vec::new(), pages).await;
            }
        }
        let floor = walk.next() == Err(PastEnd::Floor);
        if let (Some(link), Some(oldest)) = (walk.link(), oldest) {
            self.history.remember_older(id, oldest, link.to_owned());
        }
        let reach = if floor { oldest.or(walk.reach()) } else { walk.reach() };
        let whole = reach.zip(newest).map(|(lo, hi)| Range { lo, hi, floor });
        let apart = apart.into_iter().map(|(lo, hi)| Range { lo, hi, floor: false });
        fetched.ranges = whole.into_iter().chain(apart.filter(|r| Some(r.hi) < reach)).collect();
        fetched
    }

    /// Records that not everything new in a conversation is stored. It is tried again in the background, after longer and
    /// longer waits.
    pub(super) fn fell_behind(&self, id: &ConversationId) {
        self.history.fell_behind(id, |attempts| self.backoff(attempts));
    }

    /// [`Shared::fell_behind`] after an error. A refusal may be a single slip, such as an error object in an answer with
    /// status 200; after several in a row the conversation is left alone for hours.
    pub(super) fn fell_behind_after(&self, id: &ConversationId, error: Option<&Error>) {
        let is_refusal = error.is_some_and(|error| !error.is_transient());
        if is_refusal && self.gives_up(id, FetchKind::Newest) {
            self.history.fell_behind(id, |_| PARKED);
        } else {
            self.fell_behind(id);
        }
    }

    /// Counts a useless answer. Returns whether there were too many in a row.
    fn gives_up(&self, id: &ConversationId, asked: FetchKind) -> bool {
        self.history.count_useless(id, asked) >= MAX_TRIES
    }

    /// What an error of a request for changes after this token leads to.
    fn after_failed_changes(&self, id: &ConversationId, from: SyncToken, error: Error) -> Changes {
        match error.kind {
            ErrorKind::StaleSyncState => Changes { lost: true, ..Changes::default() },
            // The server does not understand the token, or something that is not the server has answered.
            kind if may_be_the_link(kind) => self.ask_again(id, from),
            _ => Changes { complete: false, error: Some(error), ..Changes::default() },
        }
    }

    /// Keeps a token whose answer was of no use, so that its changes are asked for again, but only a few times.
    fn ask_again(&self, id: &ConversationId, from: SyncToken) -> Changes {
        if self.gives_up(id, FetchKind::Changes) {
            Changes { lost: true, ..Changes::default() }
        } else {
            Changes { complete: false, next: Some(from), ..Changes::default() }
        }
    }

    /// Reads the newest pages down to `lowest` again, because the new token knows only later changes. Changes to messages
    /// further down stay unknown.
    ///
    /// # Errors
    /// When it should be tried again later.
    async fn read_again(
        &self,
        id: &ConversationId,
        lowest: Point,
        messages: &mut Vec<RawMessage>,
    ) -> Result<(), Error> {
        let mut walk = Walk::from_newest(id, None);
        for _ in 0..READ_AGAIN {
            match self.next_page(&mut walk).await {
                Ok(Some(step)) => messages.extend(step.messages),
                Err(error) if error.kind == ErrorKind::BadAnswer => {
                    return if self.gives_up(id, FetchKind::Changes) { Ok(()) } else { Err(error) };
                }
                Err(error) if error.is_transient() => return Err(error),
                Ok(None) | Err(_) => break,
            }
            if walk.reach().is_some_and(|reach| reach <= lowest) {
                break;
            }
        }
        Ok(())
    }

    /// Changes since the token was issued to messages in or between what is stored and what was just read. Newer ones are
    /// left to the page that has them, so that they count as new.
    async fn changes_within(
        &self,
        id: &ConversationId,
        since: SyncToken,
        read: &[Range],
    ) -> Changes {
        let mut changes = self.changes(id, since).await;
        let stored = self.store.coverage(id).await.unwrap_or_default();
        let known = || stored.ranges().iter().chain(read);
        let ends = known().map(|range| range.lo).min().zip(known().map(|range| range.hi).max());
        let Some((lowest, highest)) = ends else {
            return Changes { messages: Vec::new(), ..changes };
        };
        if changes.lost {
            changes.error = self.read_again(id, lowest, &mut changes.messages).await.err();
        }
        // Also those in a gap: the page that fills it may have been answered before the change, and be stored after it.
        changes.messages.retain(|raw| (lowest..=highest).contains(&Point::from(&raw.key())));
        changes
    }

    /// Fetches changes to messages since the token was issued. Servers disagree on what a `syncState` means (facts
    /// 2.1): where it only leads to older pages, there are no higher versions on the first one, and that is the end.
    async fn changes(&self, id: &ConversationId, mut from: SyncToken) -> Changes {
        let since = from.version.saturating_sub(SKEW);
        let mut messages = Vec::new();
        for _ in 0..MAX_CHANGES {
            let asked = self.client.messages_next(id, &from.sync_state, self.options.page).await;
            let page = match asked {
                Ok(page) => page,
                Err(error) => {
                    return Changes { messages, ..self.after_failed_changes(id, from, error) };
                }
            };
            let known = messages.len();
            let is_later = |raw: &RawMessage| raw.conversation == *id && raw.version > since;
            messages.extend(page.items.into_iter().filter(is_later));
            let any = messages.len() > known;
            if page.sync_state.is_some() {
                self.history.forget_useless(id, FetchKind::Changes);
            }
            match page.sync_state {
                Some(next) if any && next != from.sync_state => from.sync_state = next,
                // More may follow a full page without metadata. Some servers never send any.
                None if any && page.is_full => {
                    return Changes { messages, ..self.ask_again(id, from) };
                }
                _ => return Changes { messages, ..Changes::default() },
            }
        }
        Changes { messages, complete: false, next: Some(from), ..Changes::default() }
    }
}
