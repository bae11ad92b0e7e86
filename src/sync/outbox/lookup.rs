//! Looking up messages whose outcome is unknown, and whether that can be relied on.

use super::super::walk::{PastEnd, Walk};
use super::outcome::{AfterLook, Look, after_look, may_be, reaches_back};
use super::{ChatProgress, OutboxWorker, WANTED};
use crate::client::{Error, ErrorKind};
use crate::model::{ClientMessageId, Delivery, MessageKey, NOT_CONFIRMED, RawMessage, SafeText};
use crate::store::{OutboxItem, OutboxState};
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::time::Instant;

const LOOK_BACK_PAGES: usize = 50;
/// How long the pages have to show an accepted message.
const READ_LAG: Duration = Duration::from_secs(2);

impl OutboxWorker {
    /// Checks whether a just accepted message is in the pages, until it is known that this server shows them: only then
    /// does a message's absence prove that it did not arrive.
    pub(super) async fn prove_reads(&self, key: &MessageKey) {
        if self.shared.connection.reads_proven.load(Ordering::Relaxed) {
            return;
        }
        let began = Instant::now();
        let Ok(page) = self.shared.client.messages(&self.id, self.shared.options.page).await else {
            return;
        };
        let follows = page.items.iter().any(|raw| raw.key().id == key.id);
        if began.elapsed() <= READ_LAG {
            self.record_reads(follows).await;
        }
    }

    /// Looks in the newest page for a message that was accepted without an id: without one it cannot be changed. If it is
    /// not there yet, its copy brings the id.
    pub(super) async fn find_key(&self, client_id: &ClientMessageId) {
        let Ok(page) = self.shared.client.messages(&self.id, self.shared.options.page).await else {
            return;
        };
        let own = |raw: &&RawMessage| {
            raw.sender == self.shared.me && raw.client_id.as_ref() == Some(client_id)
        };
        if let Some(found) = page.items.iter().find(own) {
            self.report(client_id, Delivery::Sent, Some(found.key())).await;
        }
    }

    async fn record_reads(&self, follow: bool) {
        self.shared.connection.reads_proven.store(follow, Ordering::Relaxed);
        if let Err(error) = self.shared.store.set_reads_follow_writes(follow).await {
            tracing::warn!(%error, "what is known about the server was not stored");
        }
    }

    /// Looks on the server for a message whose outcome is unknown.
    pub(super) async fn resolve_outcome(&self, item: OutboxItem, progress: &mut ChatProgress) {
        let client_id = &item.client_id;
        if self.shared.needs_thread(&self.id).await.is_some() {
            // Nothing is ever sent to this id itself.
            self.set_state(client_id, OutboxState::Queued, "").await;
            return self.report(client_id, Delivery::Queued, None).await;
        }
        let look = match self.look_for(&item).await {
            Ok(look) => look,
            // The conversation does not exist yet, so the message is not there.
            Err(error) if error.is_inaccessible() && self.id.peer().is_some() => Look::Absent,
            Err(error) if error.is_inaccessible() || error.kind == ErrorKind::Refused => {
                return self.fail(client_id, &error.message).await;
            }
            Err(error) if error.kind == ErrorKind::BadAnswer => {
                // It may become readable later, but this must not go on for ever.
                let follows = Some(false);
                return self.not_found(&item, &Look::Absent, follows, progress).await;
            }
            Err(error) => {
                self.report(client_id, Delivery::Unconfirmed, None).await;
                return self.pause(progress, Some(&error)).await;
            }
        };
        if let Look::Found(key) = look {
            if progress.looks == 0 && !self.shared.connection.reads_proven.load(Ordering::Relaxed) {
                self.record_reads(true).await;
            }
            *progress = ChatProgress::default();
            self.set_state(client_id, OutboxState::Sent, "").await;
            return self.report(client_id, Delivery::Sent, Some(key)).await;
        }
        let follows = self.shared.store.reads_follow_writes().await;
        self.not_found(&item, &look, follows, progress).await;
    }

    /// Decides about a message that was not found.
    async fn not_found(
        &self,
        item: &OutboxItem,
        look: &Look,
        follows: Option<bool>,
        progress: &mut ChatProgress,
    ) {
        let client_id = &item.client_id;
        progress.looks += 1;
        let wanted = item.reason.as_str() == WANTED;
        match after_look(look, progress.looks, follows, wanted) {
            AfterLook::Send => {
                *progress = ChatProgress::default();
                self.set_state(client_id, OutboxState::Queued, "").await;
                self.report(client_id, Delivery::Queued, None).await;
            }
            AfterLook::LookAgain(looks) => {
                self.report(client_id, Delivery::Unconfirmed, None).await;
                let first = self.shared.options.backoff_cap / 30;
                tokio::time::sleep(first.saturating_mul(1 << looks.saturating_sub(1).min(5))).await;
            }
            AfterLook::GiveUp => {
                *progress = ChatProgress::default();
                self.set_state(client_id, OutboxState::Unconfirmed, "").await;
                let reason = SafeText::line(NOT_CONFIRMED);
                self.report(client_id, Delivery::Failed { reason, can_retry: true }, None).await;
            }
        }
    }

    /// Looks through the pages since a message was queued, by the server's clock.
    pub(super) async fn look_for(&self, item: &OutboxItem) -> Result<Look, Error> {
        let mut walk = Walk::from_newest(&self.id, None);
        let mut look = Look::Absent;
        for _ in 0..LOOK_BACK_PAGES {
            let Some(step) = self.shared.next_page(&mut walk).await? else {
                // Only the beginning of the history shows that all of it was read.
                let complete = walk.next() == Err(PastEnd::Floor);
                return if complete { Ok(look) } else { Err(Error::incomplete()) };
            };
            let mut mine = step.messages.iter().filter(|raw| raw.sender == self.shared.me);
            let own_id = |raw: &&RawMessage| raw.client_id.as_ref() == Some(&item.client_id);
            if let Some(found) = mine.clone().find(own_id) {
                return Ok(Look::Found(found.key()));
            }
            if mine.any(|raw| may_be(raw, &item.outgoing.text, item.queued_at)) {
                look = Look::Unclear;
            }
            if reaches_back(walk.reach().map(|reach| reach.at), item.queued_at) {
                return Ok(look);
            }
        }
        // Not all of it was read, so sending again could result in a second copy.
        Err(Error::incomplete())
    }
}
