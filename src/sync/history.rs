//! The state of fetching histories: where to continue paging back, and which conversations are behind.

use super::access::ChatRefusals;
use super::list::ListState;
use crate::model::{ConversationId, MessageKey, Point};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// The `backwardLink` of the oldest page that was read of a conversation.
struct OlderLink {
    /// The oldest message of that page. The link leads to messages older than it.
    below: Point,
    sync_state: String,
}

/// A conversation whose newest messages or changes could not be fetched or stored.
struct RetryState {
    attempts: u32,
    next: Instant,
}

/// What is being fetched for a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FetchKind {
    Newest,
    Changes,
}

/// State of all conversations' histories, shared by the tasks of one account.
#[derive(Default)]
pub struct HistoryState {
    older: Mutex<HashMap<ConversationId, OlderLink>>,
    behind: Mutex<HashMap<ConversationId, RetryState>>,
    /// Refusals and answers that made no sense, in a row.
    useless: Mutex<HashMap<(ConversationId, FetchKind), u32>>,
    /// Wakes the backfill: there may be a gap to fill.
    pub gaps: Notify,
    pub lists: ListState,
    pub refusals: ChatRefusals,
}

impl HistoryState {
    fn behind(&self) -> MutexGuard<'_, HashMap<ConversationId, RetryState>> {
        self.behind.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers that `sync_state` leads to messages older than `below`.
    pub fn remember_older(&self, id: &ConversationId, below: Point, sync_state: String) {
        let mut older = self.older.lock().unwrap_or_else(PoisonError::into_inner);
        older.insert(id.clone(), OlderLink { below, sync_state });
    }

    /// The link to messages older than this one, if it was the oldest of the last page. It is returned only once: if it
    /// leads nowhere, the next attempt goes another way.
    pub fn take_older_link(&self, id: &ConversationId, below: &MessageKey) -> Option<String> {
        let mut older = self.older.lock().unwrap_or_else(PoisonError::into_inner);
        if older.get(id)?.below != Point::from(below) {
            return None;
        }
        older.remove(id).map(|link| link.sync_state)
    }

    /// Records that everything new in a conversation is stored: what arrives next follows without a gap.
    pub fn caught_up(&self, id: &ConversationId) {
        self.behind().remove(id);
        self.useless().retain(|(known, _), _| known != id);
    }

    /// Records that not everything new in a conversation is stored. The backfill tries again after `wait`, which is given
    /// the number of failed attempts.
    pub fn fell_behind(&self, id: &ConversationId, wait: impl FnOnce(u32) -> Duration) {
        let mut behind = self.behind();
        let attempts = behind.get(id).map_or(0, |known| known.attempts).saturating_add(1);
        behind.insert(id.clone(), RetryState { attempts, next: Instant::now() + wait(attempts) });
        self.gaps.notify_one();
    }

    fn useless(&self) -> MutexGuard<'_, HashMap<(ConversationId, FetchKind), u32>> {
        self.useless.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts an answer that was a refusal or made no sense; broken connections do not count. Returns how many there were
    /// in a row.
    pub fn count_useless(&self, id: &ConversationId, asked: FetchKind) -> u32 {
        let mut useless = self.useless();
        let count = useless.entry((id.clone(), asked)).or_default();
        *count = count.saturating_add(1);
        *count
    }

    /// Resets the count of useless answers.
    pub fn forget_useless(&self, id: &ConversationId, asked: FetchKind) {
        self.useless().remove(&(id.clone(), asked));
    }

    pub fn is_behind(&self, id: &ConversationId) -> bool {
        self.behind().contains_key(id)
    }

    /// How often catching up with a conversation has failed.
    pub fn failed_attempts(&self, id: &ConversationId) -> u32 {
        self.behind().get(id).map_or(0, |known| known.attempts)
    }

    /// The conversation whose next attempt is due first, and when that is.
    pub fn next_retry(&self) -> Option<(ConversationId, Instant)> {
        let behind = self.behind();
        let first = behind.iter().min_by_key(|(_, known)| known.next);
        first.map(|(id, known)| (id.clone(), known.next))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Timestamp;

    fn id(text: &str) -> ConversationId {
        ConversationId::new(text)
    }

    #[test]
    fn a_link_is_only_used_below_the_page_that_it_came_with() {
        let history = HistoryState::default();
        let oldest = MessageKey::server(Timestamp(50), "50");
        history.remember_older(&id("8:joe"), Point::from(&oldest), "state".into());
        let other = MessageKey::server(Timestamp(40), "40");
        assert_eq!(history.take_older_link(&id("8:joe"), &other), None);
        assert_eq!(history.take_older_link(&id("8:mia"), &oldest), None);
        assert_eq!(history.take_older_link(&id("8:joe"), &oldest).as_deref(), Some("state"));
        assert_eq!(history.take_older_link(&id("8:joe"), &oldest), None);
    }

    #[test]
    fn a_conversation_stays_behind_until_it_is_caught_up() {
        let history = HistoryState::default();
        assert!(!history.is_behind(&id("8:joe")));
        history.fell_behind(&id("8:joe"), |_| Duration::ZERO);
        assert!(history.is_behind(&id("8:joe")));
        assert!(!history.is_behind(&id("8:mia")));
        history.caught_up(&id("8:joe"));
        assert!(!history.is_behind(&id("8:joe")));
        assert_eq!(history.next_retry(), None);
    }

    #[test]
    fn failed_attempts_are_counted_until_one_succeeds() {
        let history = HistoryState::default();
        let mut counted = Vec::new();
        for _ in 0..3 {
            history.fell_behind(&id("8:joe"), |attempts| {
                counted.push(attempts);
                Duration::from_secs(u64::from(attempts))
            });
        }
        assert_eq!(counted, [1, 2, 3]);
        assert_eq!(history.failed_attempts(&id("8:joe")), 3);
        history.caught_up(&id("8:joe"));
        assert_eq!(history.failed_attempts(&id("8:joe")), 0);
    }

    #[test]
    fn useless_answers_are_counted_in_a_row_for_each_conversation_and_request() {
        let history = HistoryState::default();
        let (joe, mia) = (id("8:joe"), id("8:mia"));
        assert_eq!(history.count_useless(&joe, FetchKind::Changes), 1);
        assert_eq!(history.count_useless(&joe, FetchKind::Changes), 2);
        assert_eq!(history.count_useless(&joe, FetchKind::Newest), 1);
        assert_eq!(history.count_useless(&mia, FetchKind::Changes), 1);
        history.forget_useless(&joe, FetchKind::Newest);
        assert_eq!(history.count_useless(&joe, FetchKind::Newest), 1);
        assert_eq!(history.count_useless(&joe, FetchKind::Changes), 3);
        history.caught_up(&joe);
        assert_eq!(history.count_useless(&joe, FetchKind::Changes), 1);
        assert_eq!(history.count_useless(&mia, FetchKind::Changes), 2);
    }

    #[test]
    fn the_attempt_that_is_due_first_comes_first() {
        let history = HistoryState::default();
        history.fell_behind(&id("8:joe"), |_| Duration::from_secs(60));
        history.fell_behind(&id("8:mia"), |_| Duration::from_secs(1));
        assert_eq!(history.next_retry().unwrap().0, id("8:mia"));
        history.fell_behind(&id("8:mia"), |_| Duration::from_secs(600));
        assert_eq!(history.next_retry().unwrap().0, id("8:joe"));
    }
}
