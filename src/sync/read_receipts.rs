//! Read receipts of the open chat: fetched when it is opened, and when they may have changed.
//!
//! If the service announces read marks, they are fetched after each announcement. Otherwise they are polled while one
//! of the user's messages has not been read, with waits that double each time, to limit the number of requests.

use super::Shared;
use crate::client::if_all_is_well;
use crate::model::{ConversationId, Delta, Timestamp};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

const FIRST: Duration = Duration::from_secs(5);
const LONGEST: Duration = Duration::from_secs(300);

/// Decides when to fetch read receipts.
#[derive(Default)]
pub struct ReceiptTracker {
    state: std::sync::Mutex<ReceiptState>,
    changed: Notify,
}

#[derive(Default)]
struct ReceiptState {
    /// The service announces read marks.
    announced: bool,
    /// The user's newest message of this run, and how far the member who has read furthest has read.
    newest: HashMap<ConversationId, (Timestamp, Timestamp)>,
    /// Conversations for which the server refuses read receipts.
    unsupported: HashSet<ConversationId>,
}

impl ReceiptTracker {
    fn state(&self) -> std::sync::MutexGuard<'_, ReceiptState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Fetches them now: a chat was opened, or someone has read.
    pub fn check_soon(&self) {
        self.changed.notify_one();
    }

    /// The service announced that someone has read.
    pub fn announced(&self) {
        self.state().announced = true;
        self.check_soon();
    }

    /// One of the user's messages was accepted by the server.
    pub fn sent(&self, id: &ConversationId, at: Timestamp) {
        let mut state = self.state();
        let known = state.newest.entry(id.clone()).or_default();
        known.0 = known.0.max(at);
        if !state.announced {
            self.changed.notify_one();
        }
    }

    fn read_up_to(&self, id: &ConversationId, at: Timestamp) {
        self.state().newest.entry(id.clone()).or_default().1 = at;
    }

    /// Whether to poll.
    fn is_waiting(&self, id: &ConversationId) -> bool {
        let state = self.state();
        !state.announced && state.newest.get(id).is_some_and(|(own, read)| own > read)
    }
}

pub async fn watch(shared: Arc<Shared>) {
    let mut wait = FIRST;
    loop {
        let again = shared.open_chat().is_some_and(|id| shared.receipts.is_waiting(&id));
        tokio::select! {
            () = shared.receipts.changed.notified() => wait = FIRST,
            () = tokio::time::sleep(wait), if again => wait = longer(wait),
        }
        shared.connection.until_online().await;
        shared.fetch_read_receipts().await;
    }
}

/// The next wait, if nothing changed during this one.
fn longer(wait: Duration) -> Duration {
    wait.saturating_mul(2).min(LONGEST)
}

impl Shared {
    /// Fetches how far the other members have read the open chat.
    async fn fetch_read_receipts(&self) {
        let Some(id) =
            self.open_chat().filter(|id| !self.receipts.state().unsupported.contains(id))
        else {
            return;
        };
        if self.has_not_begun(&id).await {
            return;
        }
        match if_all_is_well(self.client.read_receipts(&id)).await {
            Ok(all) => {
                let others: Vec<_> = all.into_iter().filter(|(who, _)| *who != self.me).collect();
                let furthest = others.iter().map(|(_, at)| *at).max().unwrap_or_default();
                self.receipts.read_up_to(&id, furthest);
                if let Err(error) = self.store.save_read_receipts(&id, &others).await {
                    tracing::warn!(%error, "read marks were not stored");
                }
                self.send(Delta::ReadReceipts { conversation: id, read_receipts: others }).await;
            }
            Err(error) if error.is_transient() => {}
            Err(error) => {
                tracing::debug!(kind = ?error.kind, "read receipts are not available");
                self.receipts.state().unsupported.insert(id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chat() -> ConversationId {
        ConversationId::new("8:joe.4")
    }

    #[test]
    fn nothing_is_asked_while_no_own_message_waits_to_be_read() {
        let tracker = ReceiptTracker::default();
        assert!(!tracker.is_waiting(&chat()));
        tracker.sent(&chat(), Timestamp(50));
        assert!(tracker.is_waiting(&chat()));
        tracker.read_up_to(&chat(), Timestamp(50));
        assert!(!tracker.is_waiting(&chat()));
        tracker.sent(&chat(), Timestamp(60));
        assert!(tracker.is_waiting(&chat()));
    }

    #[test]
    fn a_message_sent_earlier_that_is_confirmed_late_changes_nothing() {
        let tracker = ReceiptTracker::default();
        tracker.sent(&chat(), Timestamp(60));
        tracker.read_up_to(&chat(), Timestamp(60));
        tracker.sent(&chat(), Timestamp(50));
        assert!(!tracker.is_waiting(&chat()));
    }

    #[test]
    fn a_service_that_announces_read_marks_is_never_asked_by_the_clock() {
        let tracker = ReceiptTracker::default();
        tracker.sent(&chat(), Timestamp(50));
        tracker.announced();
        assert!(!tracker.is_waiting(&chat()));
    }

    #[test]
    fn the_wait_doubles_up_to_five_minutes() {
        let waits: Vec<u64> = std::iter::successors(Some(FIRST), |wait| Some(longer(*wait)))
            .take(8)
            .map(|wait| wait.as_secs())
            .collect();
        assert_eq!(waits, [5, 10, 20, 40, 80, 160, 300, 300]);
    }
}
