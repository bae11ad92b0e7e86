//! Messages that a service has accepted but that count as sent only when a page shows them (facts 8.7).

use super::outcome::Look;
use super::{OutboxWorker, report};
use crate::model::{Delivery, MessageKey, NOT_CONFIRMED, SafeText};
use crate::store::{OutboxItem, OutboxState};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// How often the store is asked whether the message has arrived. This costs no request.
const STEP: Duration = Duration::from_secs(1);

/// Watches an accepted message alongside the queue, which continues with the next one.
pub fn watch(worker: &OutboxWorker, item: OutboxItem, key: Option<MessageKey>, within: Duration) {
    let (shared, id) = (Arc::clone(&worker.shared), worker.id.clone());
    let (wake, moved) = (Arc::clone(&worker.wake), worker.moved.clone());
    let worker = OutboxWorker { shared, id, wake, moved };
    let stop = worker.shared.stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            () = stop.cancelled() => {}
            () = worker.until_seen(&item, key, within) => {}
        }
    });
}

impl OutboxWorker {
    /// Waits until the message has come with a page, by its client id or by its id. If it has not come in time, it is
    /// looked for once more; then the user decides. It is never sent again unless the user asks for that.
    async fn until_seen(&self, item: &OutboxItem, key: Option<MessageKey>, within: Duration) {
        let due = Instant::now() + within;
        while Instant::now() < due {
            if let Some(key) = &key
                && self.is_stored(key).await
            {
                return self.sent(item, key.clone()).await;
            }
            tokio::time::sleep(STEP.min(within / 4)).await;
        }
        let mut attempt = 0;
        loop {
            // A page that showed it has removed it from the outbox.
            let is_open = self.shared.store.is_accepted(&item.client_id).await;
            if !is_open.unwrap_or(true) {
                return;
            }
            match self.look_for(item).await {
                Ok(Look::Found(key)) => return self.sent(item, key).await,
                Err(error) if error.is_transient() => {
                    attempt += 1;
                    tokio::time::sleep(self.shared.backoff(attempt)).await;
                }
                Ok(_) | Err(_) => break,
            }
        }
        let (from, to) = (OutboxState::Sent, OutboxState::Unconfirmed);
        if let Ok(true) = self.shared.store.advance(&item.client_id, from, to).await {
            let reason = SafeText::line(NOT_CONFIRMED);
            let failed = Delivery::Failed { reason, can_retry: true };
            report(&self.shared, &self.id, &item.client_id, failed, None).await;
        }
    }

    async fn is_stored(&self, key: &MessageKey) -> bool {
        let stored = self.shared.store.with_edits(&self.id, &key.id).await;
        stored.is_ok_and(|messages| !messages.is_empty())
    }

    async fn sent(&self, item: &OutboxItem, key: MessageKey) {
        report(&self.shared, &self.id, &item.client_id, Delivery::Sent, Some(key)).await;
    }
}
