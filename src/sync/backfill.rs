//! Backfill: while online, fills gaps in the history in the background, those of the open chat first, and fetches
//! conversations whose messages have not been fetched yet.

use super::Shared;
use super::access::PARKED;
use super::catch_up::News;
use crate::client::{Error, ErrorKind};
use crate::model::{Arrival, ConversationId, Point};
use crate::store::OpenGap;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// The longest wait before a gap is tried again, in multiples of the longest back-off.
const MAX_WAIT: u32 = 30;

/// Gaps whose last attempt brought nothing. They stay open, and are tried again after longer and longer waits.
#[derive(Default)]
struct StuckGaps(HashMap<(ConversationId, Point), StuckGap>);

struct StuckGap {
    attempts: u32,
    due: Instant,
}

impl StuckGaps {
    /// The gaps that must not be tried now.
    fn waiting(&self) -> Vec<(ConversationId, Point)> {
        let now = Instant::now();
        self.0.iter().filter(|(_, gap)| gap.due > now).map(|(key, _)| key.clone()).collect()
    }

    fn next_due(&self) -> Option<Instant> {
        let now = Instant::now();
        self.0.values().map(|gap| gap.due).filter(|due| *due > now).min()
    }

    fn failed(&mut self, gap: OpenGap, cap: Duration) {
        let key = (gap.conversation, gap.gap.above);
        let attempts = self.0.get(&key).map_or(0, |gap| gap.attempts).saturating_add(1);
        let factor = 1u32.checked_shl(attempts - 1).unwrap_or(MAX_WAIT).min(MAX_WAIT);
        let due = Instant::now() + cap.saturating_mul(factor);
        self.0.insert(key, StuckGap { attempts, due });
    }

    /// Leaves a gap alone for this long.
    fn park(&mut self, gap: OpenGap, wait: Duration) {
        let (key, due) = ((gap.conversation, gap.gap.above), Instant::now() + wait);
        self.0.insert(key, StuckGap { attempts: 1, due });
    }

    fn filled(&mut self, gap: &OpenGap) {
        self.0.remove(&(gap.conversation.clone(), gap.gap.above));
    }
}

/// Fetches one page of one gap at a time.
pub async fn run(shared: Arc<Shared>) {
    let mut stuck = StuckGaps::default();
    let mut attempt = 0;
    loop {
        shared.connection.until_online().await;
        let behind = shared.history.next_retry();
        if let Some((id, _)) = behind.as_ref().filter(|(_, due)| *due <= Instant::now()) {
            shared.catch_up_again(id).await;
            continue;
        }
        let Ok(Some(gap)) = shared.store.next_gap(shared.open_chat(), stuck.waiting()).await else {
            match shared.list_step().await {
                Ok(true) => continue,
                Ok(false) => {}
                Err(error) => {
                    attempt += 1;
                    shared.wait_after(&error, attempt).await;
                    continue;
                }
            }
            let due = behind.map(|(_, due)| due).into_iter().chain(stuck.next_due()).min();
            tokio::select! {
                () = shared.history.gaps.notified() => {}
                () = shared.connection.came_online() => {}
                () = tokio::time::sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {}
            }
            continue;
        };
        match shared.fill_gap(&gap).await {
            Ok(true) => {
                attempt = 0;
                stuck.filled(&gap);
            }
            Ok(false) => stuck.failed(gap, shared.options.backoff_cap),
            Err(error) if error.is_transient() && error.kind != ErrorKind::BadAnswer => {
                attempt += 1;
                shared.wait_after(&error, attempt).await;
            }
            Err(error) if error.is_inaccessible() && gap.conversation.is_thread() => {
                shared.reading_refused(&gap.conversation, &error).await;
                stuck.park(gap, PARKED);
            }
            Err(error) => {
                tracing::info!(kind = ?error.kind, "a gap was not filled");
                stuck.failed(gap, shared.options.backoff_cap);
            }
        }
    }
}

impl Shared {
    /// Waits after an error for as long as the server asks for, or else for the back-off.
    async fn wait_after(&self, error: &Error, attempt: u32) {
        let wait = match error.kind {
            ErrorKind::RetryAfter(wait) => wait,
            _ => self.backoff(attempt),
        };
        self.connection.wait(wait).await;
    }

    /// Tries again to catch up with a conversation that is behind.
    async fn catch_up_again(&self, id: &ConversationId) {
        let error = match self.client.conversation(id).await {
            // Records success and failure itself.
            Ok(raw) => {
                let news = News::above_stored(Arrival::CatchUp);
                self.catch_up(raw, news).await.err()
            }
            // The account has left, or the conversation no longer exists: there is nothing to fetch.
            Err(error) if error.is_inaccessible() => {
                self.reading_refused(id, &error).await;
                return self.history.caught_up(id);
            }
            Err(error) => {
                self.fell_behind_after(id, Some(&error));
                Some(error)
            }
        };
        if let Some(error) = error {
            tracing::info!(kind = ?error.kind, "a conversation is still behind");
        }
    }
}
