//! Backfill: fills gaps in the history in the background while online, those of the open chat first.

use super::Shared;
use super::catch_up::News;
use crate::client::ErrorKind;
use crate::model::{Arrival, ConversationId};
use std::sync::Arc;

/// Fetches one page of one gap at a time.
pub async fn run(shared: Arc<Shared>) {
    // Conversations in which the last attempt changed nothing. They are tried again after something has changed.
    let mut stuck: Vec<ConversationId> = Vec::new();
    let mut attempt = 0;
    loop {
        shared.connection.until_online().await;
        let behind = shared.history.next_retry();
        if let Some((id, _)) =
            behind.as_ref().filter(|(_, due)| *due <= tokio::time::Instant::now())
        {
            shared.catch_up_again(id).await;
            continue;
        }
        let Ok(Some(gap)) = shared.store.next_gap(shared.open_chat(), stuck.clone()).await else {
            let due = behind.map(|(_, due)| due);
            tokio::select! {
                () = shared.history.gaps.notified() => stuck.clear(),
                () = shared.connection.came_online() => stuck.clear(),
                () = tokio::time::sleep_until(due.unwrap_or_else(tokio::time::Instant::now)), if due.is_some() => {}
            }
            continue;
        };
        match shared.fill_gap(&gap).await {
            Ok(true) => attempt = 0,
            Ok(false) => stuck.push(gap.conversation),
            Err(error) if error.is_transient() => {
                attempt += 1;
                let wait = match error.kind {
                    ErrorKind::RetryAfter(wait) => wait,
                    _ => shared.backoff(attempt),
                };
                shared.connection.wait(wait).await;
            }
            Err(error) => {
                tracing::info!(kind = ?error.kind, "a gap was not filled");
                stuck.push(gap.conversation);
            }
        }
    }
}

impl Shared {
    /// Tries again to catch up with a conversation that is behind.
    async fn catch_up_again(&self, id: &ConversationId) {
        let error = match self.client.conversation(id).await {
            // Records success and failure itself.
            Ok(raw) => self.catch_up(raw, News::above_stored(Arrival::CatchUp)).await.err(),
            // The account has left, or there is no such conversation any more: there is nothing to fetch.
            Err(error) if !error.is_transient() => return self.history.caught_up(id),
            Err(error) => {
                self.fell_behind(id);
                Some(error)
            }
        };
        if let Some(error) = error {
            tracing::info!(kind = ?error.kind, "a conversation is still behind");
        }
    }
}
