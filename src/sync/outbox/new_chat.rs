//! The first message to a person, where the service wants a thread for it (facts 8.7). The thread is found or created,
//! and then everything that was written to the person is moved there in one transaction.
//!
//! Nothing is sent before that, so that a crash between any two of these steps loses nothing. A thread that was created
//! without its answer being stored is found in the list the next time; and where the list does not show it yet, the
//! service gives the same thread to the same two people (`uniquerosterthread`).

use super::outcome::SendOutcome;
use super::{ChatProgress, OutboxWorker, rejection};
use crate::client::new_chat::{is_chat_with, is_roster_of};
use crate::client::{Error, ErrorKind};
use crate::model::{ConversationId, Delivery, Delta, RawConversation, UserId};
use crate::protocol::{decode, wire};
use crate::store::OutboxItem;
use crate::sync::Shared;

/// How often the list is asked for a thread that was created, before the message counts as not sent.
const MAX_LOOKS: u32 = 6;

const NOT_LISTED: &str = "the service created the conversation, but it is not in your chat list yet; try again in a moment";

impl OutboxWorker {
    /// Finds or creates the thread for the messages to a person, and moves them there.
    pub(super) async fn begin_thread(
        &self,
        item: &OutboxItem,
        person: &UserId,
        progress: &mut ChatProgress,
    ) {
        if let Some(thread) = progress.thread.take() {
            return self.move_to(&thread, person, progress).await;
        }
        let client_id = &item.client_id;
        match self.find_or_create(person, progress).await {
            Ok(Some(listed)) if listed == self.id => {
                // The store does not have it yet. When it does, the message is sent there.
                self.shared.fetch_new_conversation(&self.id).await;
                if self.shared.needs_thread(&self.id).await.is_some() {
                    self.pause(progress, None).await;
                }
            }
            Ok(Some(thread)) => self.move_to(&thread, person, progress).await,
            Ok(None) if progress.looks >= MAX_LOOKS => {
                *progress = ChatProgress::default();
                self.fail(client_id, NOT_LISTED).await;
            }
            Ok(None) => {
                progress.looks += 1;
                self.pause(progress, None).await;
            }
            Err(error) if rejection::is_of_token(&error) => self.token_rejected(&error).await,
            Err(error) => match SendOutcome::of(Err(error)) {
                SendOutcome::Rejected(error) => {
                    *progress = ChatProgress::default();
                    self.fail(client_id, &error.shown()).await;
                }
                SendOutcome::NotSent(error) | SendOutcome::Unknown(error) => {
                    self.report(client_id, Delivery::Queued, None).await;
                    self.pause(progress, Some(&error)).await;
                }
                SendOutcome::Accepted(_) => {}
            },
        }
    }

    async fn find_or_create(
        &self,
        person: &UserId,
        progress: &mut ChatProgress,
    ) -> Result<Option<ConversationId>, Error> {
        let shared = &self.shared;
        if let Some(known) = shared.stored_thread_with(&self.id, person).await {
            return Ok(Some(known));
        }
        let listed = shared
            .client
            .find_chat_with(person, shared.options.page, |id| {
                !shared.history.refusals.is_parked(id)
            })
            .await?;
        // Once it is created, only the list can say which one it is.
        if listed.is_some() || progress.looks > 0 {
            return Ok(listed);
        }
        shared.client.create_chat_with(person).await
    }

    async fn move_to(&self, thread: &ConversationId, person: &UserId, progress: &mut ChatProgress) {
        let shared = &self.shared;
        if let Err(error) = shared.store.become_thread(&self.id, thread).await {
            tracing::error!(%error, "the outbox cannot be written");
            progress.thread = Some(thread.clone());
            return self.pause(progress, None).await;
        }
        let (from, to) = (self.id.clone(), thread.clone());
        shared.send(Delta::BecameThread { from, to, with: person.clone() }).await;
        // Fails only when sync stops.
        let _ = self.moved.send(thread.clone()).await;
        if !shared.unknown_conversations(std::iter::once(thread)).await.is_empty() {
            shared.fetch_new_conversation(thread).await;
        }
    }

    /// Forgets a thread that no longer exists, so that the next message to the person finds or creates another one.
    pub(super) async fn forget_if_gone(&self, error: &Error) {
        if error.kind == ErrorKind::NotFound
            && self.id.is_thread()
            && let Err(error) = self.shared.store.forget_thread(&self.id).await
        {
            tracing::warn!(%error, "a thread that no longer exists was not forgotten");
        }
    }
}

impl Shared {
    /// The person for whom a thread has to be found or created before a message can be sent to this id (facts 8.7). `None`
    /// also if the service lists the conversation under this id and names no thread for it.
    pub(in crate::sync) async fn needs_thread(&self, id: &ConversationId) -> Option<UserId> {
        let person = self.client.needs_thread(id)?;
        let listed = self.listed(id).await;
        let is_own = listed.is_some_and(|raw| decode::one_to_one_thread(&raw).is_none());
        (!is_own).then_some(person)
    }

    /// A conversation that the service has listed, as it is stored.
    async fn listed(&self, id: &ConversationId) -> Option<RawConversation> {
        let json = self.store.item_json(id).await.ok().flatten()?;
        wire::raw_conversation(&json).filter(|raw| raw.version > 0)
    }

    /// Whether a thread is neither left nor gone, as far as is known.
    async fn is_usable(&self, thread: &ConversationId) -> bool {
        let is_over = |raw: &RawConversation| decode::conversation(raw, &self.me).access.is_over();
        !self.history.refusals.is_parked(thread)
            && !self.listed(thread).await.as_ref().is_some_and(is_over)
    }

    /// The thread that is known to be the conversation with a person.
    async fn stored_thread_with(
        &self,
        id: &ConversationId,
        person: &UserId,
    ) -> Option<ConversationId> {
        let recorded = self.store.thread_of(id).await.ok().flatten();
        let named = self.listed(id).await.and_then(|raw| decode::one_to_one_thread(&raw));
        for known in recorded.into_iter().chain(named) {
            if self.is_usable(&known).await {
                return Some(known);
            }
        }
        let stored = self.store.threads_naming(person).await.unwrap_or_default();
        let is_parked = |id: &ConversationId| self.history.refusals.is_parked(id);
        let found = stored.into_iter().filter(|stored| !is_parked(&stored.raw.id)).find(|stored| {
            let thread = wire::thread(&stored.thread_json).ok().filter(|t| t.lists_members);
            let is_listed = is_chat_with(&stored.raw, &self.me, person);
            match thread {
                Some(thread) => is_listed != Some(false) && is_roster_of(&thread, &self.me, person),
                None => is_listed == Some(true),
            }
        });
        found.map(|stored| stored.raw.id)
    }
}
