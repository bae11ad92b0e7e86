//! The conversation list: which conversations have changed, and when their messages are fetched.
//!
//! A conversation that was known before is caught up with at once. Of those that are new here (at the first start, all
//! of them), only some are filled before the status says live; the rest follows in the background, or when one of them
//! is opened. The rest of a long list is read in the background as well, with pauses.

use super::Shared;
use super::apply::IncomingConversation;
use super::catch_up::News;
use crate::client::{Error, ErrorKind};
use crate::model::{
    Arrival, ConnectionState, ConversationId, Delta, RawConversation, SafeText, Timestamp, UserId,
};
use crate::protocol::decode;
use crate::protocol::wire::WirePage;
use crate::store::ForgottenMark;
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Conversations requested at once.
const LIST_PAGE: u32 = 100;
/// New conversations that are filled before the status says live.
const FIRST_FILLS: usize = 20;
/// New conversations that are filled in the background.
const MAX_FILLS: usize = 1_000;
/// How many conversations are asked for one by one after a list that could not be read to its end.
const MAX_CHECKS: u32 = 200;
/// The shortest pause between two steps in the background.
const STEP_PAUSE: Duration = Duration::from_millis(20);

/// Work on the list that is done in the background.
#[derive(Default)]
pub struct ListState(Mutex<PendingLists>);

#[derive(Default)]
struct PendingLists {
    /// Conversations without messages, most recently active first.
    fills: VecDeque<RawConversation>,
    /// Versions of all conversations without messages, as last listed.
    unfilled: HashMap<ConversationId, u64>,
    rest: Option<Listing>,
}

/// A list that is being read.
struct Listing {
    /// Versions up to which messages are stored.
    known: HashMap<ConversationId, u64>,
    forgotten: HashMap<ConversationId, ForgottenMark>,
    seen: HashSet<ConversationId>,
    links: HashSet<String>,
    news: News,
    next: Option<String>,
    fills: usize,
    /// There was a message that was not stored.
    found: bool,
}

impl ListState {
    fn lock(&self) -> MutexGuard<'_, PendingLists> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fill_later(&self, conversation: RawConversation) {
        let mut state = self.lock();
        state.unfilled.insert(conversation.id.clone(), conversation.version);
        if state.fills.len() < MAX_FILLS {
            state.fills.push_back(conversation);
        }
    }

    fn is_listed(&self, conversation: &RawConversation) -> bool {
        self.lock().unfilled.get(&conversation.id) == Some(&conversation.version)
    }

    pub fn filled(&self, id: &ConversationId) {
        let mut state = self.lock();
        if state.unfilled.remove(id).is_some() {
            state.fills.retain(|raw| raw.id != *id);
        }
    }

    /// Whether the list has a conversation whose messages have not been fetched yet.
    pub fn is_unfilled(&self, id: &ConversationId) -> bool {
        self.lock().unfilled.contains_key(id)
    }
}

impl Listing {
    /// Whether messages of a conversation were fetched before.
    fn knows(&self, id: &ConversationId) -> bool {
        self.known.get(id).is_some_and(|version| *version > 0)
    }

    /// Whether the user has forgotten a conversation and there is nothing new in it.
    fn keeps_away(&self, raw: &RawConversation, me: &UserId) -> bool {
        let mark = self.forgotten.get(&raw.id);
        let is_over = || decode::conversation(raw, me).access.is_over();
        mark.is_some_and(|mark| mark.keeps_away(raw.activity, is_over()))
    }
}

impl Shared {
    /// Fetches the conversation list, and catches up with the conversations that have changed. With `all`, which is for
    /// the start and after an interruption, the whole list is read, in the background after the first page without a
    /// change; otherwise it stops there, and new messages count as live. Returns whether there was a message that was not
    /// stored.
    pub(super) async fn refresh(&self, all: bool) -> Result<bool, Error> {
        let known: HashMap<ConversationId, u64> =
            self.store.versions().await.unwrap_or_default().into_iter().collect();
        // A conversation's version is the server's time of its last change.
        let since = known.values().max().filter(|version| **version > 0);
        let since = since.and_then(|version| i64::try_from(*version).ok());
        let arrival = if all { Arrival::CatchUp } else { Arrival::Live };
        let mut listing = Listing {
            known,
            forgotten: self.store.forgotten().await.unwrap_or_default(),
            seen: HashSet::new(),
            links: HashSet::new(),
            news: News { arrival, since: since.map(Timestamp) },
            next: None,
            fills: if all { 0 } else { usize::MAX },
            found: false,
        };
        let mut page = self.patiently(|| self.client.conversations(LIST_PAGE)).await?;
        loop {
            let changed = self.take_list_page(&mut listing, page).await?;
            let Some(link) = listing.next.clone().filter(|_| changed) else { break };
            page = self.patiently(|| self.client.conversations_next(&link, LIST_PAGE)).await?;
        }
        let found = listing.found;
        if all {
            self.history.lists.lock().rest = listing.next.is_some().then_some(listing);
            self.history.gaps.notify_one();
        }
        Ok(found)
    }

    /// Processes a page of the list. Returns whether it had changes of known conversations, so that the next page may
    /// have some, too.
    async fn take_list_page(
        &self,
        listing: &mut Listing,
        page: WirePage<RawConversation>,
    ) -> Result<bool, Error> {
        let WirePage { items, older, is_last, .. } = page;
        let count = listing.seen.len();
        let items: Vec<RawConversation> = items
            .into_iter()
            .filter(|c| !c.id.is_virtual() && listing.seen.insert(c.id.clone()))
            .collect();
        let nothing_new = listing.seen.len() == count;
        listing.next = older.filter(|link| !nothing_new && listing.links.insert(link.clone()));
        if listing.next.is_none() && !is_last {
            self.check_unlisted(listing);
        }
        let moved: Vec<RawConversation> = items
            .into_iter()
            .filter(|c| {
                listing.known.get(&c.id) != Some(&c.version)
                    && !self.history.lists.is_listed(c)
                    && !listing.keeps_away(c, &self.me)
            })
            .collect();
        if moved.is_empty() {
            return Ok(false);
        }
        // The list first, so that names and order are shown while messages are still being fetched.
        let rows = moved.iter().cloned().map(IncomingConversation::listed).collect();
        self.ingest(rows, Vec::new()).await;
        let mut changed = false;
        let mut moved = moved.into_iter();
        while let Some(conversation) = moved.next() {
            if listing.knows(&conversation.id) {
                changed = true;
            } else if listing.fills != usize::MAX {
                listing.fills += 1;
                if listing.fills > FIRST_FILLS {
                    self.history.lists.fill_later(conversation);
                    continue;
                }
            } else {
                changed = true;
            }
            match self.catch_up_patiently(conversation, listing.news).await {
                Ok(found) => listing.found |= found,
                Err(error) => {
                    // They are not on any page that is read again.
                    moved.filter(|c| listing.knows(&c.id)).for_each(|c| self.fell_behind(&c.id));
                    return Err(error);
                }
            }
        }
        Ok(changed)
    }

    /// Asks one by one for the conversations that a list does not show because it cannot be read to its end.
    fn check_unlisted(&self, listing: &Listing) {
        let unseen = listing.known.iter().filter(|(id, v)| **v > 0 && !listing.seen.contains(*id));
        let mut unseen: Vec<(&ConversationId, &u64)> = unseen.collect();
        unseen.sort_unstable_by_key(|(_, version)| std::cmp::Reverse(**version));
        for ((id, _), turn) in unseen.into_iter().zip(0..MAX_CHECKS) {
            let wait = self.options.backoff_base;
            self.history.fell_behind(id, |_| wait.saturating_mul(1 + turn));
        }
    }

    async fn catch_up_patiently(
        &self,
        conversation: RawConversation,
        news: News,
    ) -> Result<bool, Error> {
        let id = conversation.id.clone();
        let result = self.patiently(|| self.catch_up(conversation.clone(), news)).await;
        if result.is_ok() {
            self.history.lists.filled(&id);
        }
        result
    }

    /// Makes a request, and repeats it after each pause that the server asks for, so that progress is kept.
    pub(super) async fn patiently<T, F>(&self, request: impl Fn() -> F) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let mut attempt = 0;
        loop {
            match request().await {
                Err(error) => {
                    let ErrorKind::RetryAfter(wait) = error.kind else { return Err(error) };
                    attempt += 1;
                    self.pause_all(wait, attempt, &error).await;
                }
                Ok(value) => {
                    // The pause was shown, and the connection was never lost.
                    if attempt > 0 && self.connection.is_online() {
                        self.send(Delta::Connection(ConnectionState::Online)).await;
                    }
                    return Ok(value);
                }
            }
        }
    }

    /// Shows that nothing is sent for this long, and waits.
    pub(super) async fn pause_all(&self, wait: Duration, attempt: u32, error: &Error) {
        let (why, asked) = (SafeText::line(&error.message), error.is_rate_limit());
        let waiting = ConnectionState::Waiting { wait, attempt, why, asked };
        self.send(Delta::Connection(waiting)).await;
        self.connection.wait(wait).await;
        self.send(Delta::Connection(ConnectionState::Connecting)).await;
    }

    /// Takes one step of what is left to do: a page of the rest of the list, or filling one conversation. Returns false if
    /// nothing is left.
    pub(super) async fn list_step(&self) -> Result<bool, Error> {
        let began = Instant::now();
        let rest = self.history.lists.lock().rest.take();
        if let Some(mut listing) = rest {
            if let Some(link) = listing.next.clone() {
                let page = self.client.conversations_next(&link, LIST_PAGE).await;
                let taken = match page {
                    Ok(page) => self.take_list_page(&mut listing, page).await.map(drop),
                    Err(error) => Err(error),
                };
                if taken.as_ref().is_err_and(|error| !error.is_transient()) {
                    self.check_unlisted(&listing);
                    listing.next = None;
                }
                if listing.next.is_some() {
                    self.history.lists.lock().rest.get_or_insert(listing);
                }
                taken?;
            }
        } else {
            let next = self.history.lists.lock().fills.pop_front();
            let Some(conversation) = next else { return Ok(false) };
            let news = News::above_stored(Arrival::History);
            match self.catch_up(conversation.clone(), news).await {
                Ok(_) => self.history.lists.filled(&conversation.id),
                Err(error) if error.is_transient() => {
                    self.history.lists.lock().fills.push_front(conversation);
                    return Err(error);
                }
                Err(error) => tracing::info!(kind = ?error.kind, "a conversation was not filled"),
            }
        }
        // Other work comes in between, and a core is never busy with this alone.
        tokio::time::sleep(began.elapsed().max(STEP_PAUSE)).await;
        Ok(true)
    }

    /// Fetches the messages of a conversation that was opened before they were fetched.
    pub(super) async fn fill_now(&self, id: &ConversationId, was_forgotten: bool) {
        if !was_forgotten && !self.history.lists.is_unfilled(id) {
            return;
        }
        let news = News::above_stored(Arrival::History);
        let filled = match self.client.conversation(id).await {
            Ok(raw) => self.catch_up(raw, news).await.map(drop),
            Err(error) => Err(error),
        };
        match filled {
            Ok(()) => self.history.lists.filled(id),
            Err(error) => tracing::info!(kind = ?error.kind, "a conversation was not filled"),
        }
    }
}
