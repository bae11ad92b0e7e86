//! Conversations that the server no longer gives out, or accepts no messages for (facts 6). The chat says so, and the
//! server is not asked again until something has changed.

use super::Shared;
use crate::client::{Error, ErrorKind};
use crate::model::{ChatAccess, ConversationId, Delta, SafeText};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// How long until a conversation that cannot be read is asked for again, in case the server was wrong.
pub const PARKED: Duration = Duration::from_secs(6 * 3_600);

/// What was refused for a conversation.
#[derive(Clone, Copy, Debug)]
enum ChatRefusal {
    /// Reading it, at this time.
    Reading(Instant),
    Sending,
}

/// The conversations of an account for which something was refused.
#[derive(Default)]
pub struct ChatRefusals(Mutex<HashMap<ConversationId, ChatRefusal>>);

impl ChatRefusals {
    fn lock(&self) -> MutexGuard<'_, HashMap<ConversationId, ChatRefusal>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a conversation must not be asked for now.
    pub fn is_parked(&self, id: &ConversationId) -> bool {
        let refusal = self.lock().get(id).copied();
        matches!(refusal, Some(ChatRefusal::Reading(at)) if at.elapsed() < PARKED)
    }

    fn add(&self, id: &ConversationId, refusal: ChatRefusal) {
        self.lock().insert(id.clone(), refusal);
    }

    /// Forgets that a conversation could not be read. Returns whether this was recorded.
    fn forget_reading(&self, id: &ConversationId) -> bool {
        let mut all = self.lock();
        matches!(all.get(id), Some(ChatRefusal::Reading(_))) && all.remove(id).is_some()
    }

    /// Forgets what was refused for a conversation. Returns whether there was anything.
    pub fn forget(&self, id: &ConversationId) -> bool {
        self.lock().remove(id).is_some()
    }
}

impl Shared {
    /// Records an error of a request that reads a conversation. A one-to-one chat that does not exist may not have
    /// begun yet.
    pub(super) async fn reading_refused(&self, id: &ConversationId, error: &Error) {
        let access = match error.kind {
            ErrorKind::NotFound => ChatAccess::Gone,
            ErrorKind::Forbidden => ChatAccess::Left,
            _ => return,
        };
        if !id.is_thread() {
            return;
        }
        self.history.refusals.add(id, ChatRefusal::Reading(Instant::now()));
        self.send(Delta::Access { conversation: id.clone(), access }).await;
    }

    /// Records an error with which a message was refused.
    pub(super) async fn sending_refused(&self, id: &ConversationId, error: &Error) {
        if error.kind != ErrorKind::Forbidden {
            return self.reading_refused(id, error).await;
        }
        self.history.refusals.add(id, ChatRefusal::Sending);
        let access = ChatAccess::ReadOnly(SafeText::line(&error.shown()));
        self.send(Delta::Access { conversation: id.clone(), access }).await;
    }

    /// The server gives out a conversation again: something new has come from it.
    pub(super) async fn reading_works(&self, id: &ConversationId) {
        if self.history.refusals.forget_reading(id) {
            let access = ChatAccess::Full;
            self.send(Delta::Access { conversation: id.clone(), access }).await;
        }
    }

    /// The server has accepted a message for a conversation.
    pub(super) async fn sending_accepted(&self, id: &ConversationId) {
        if self.history.refusals.forget(id) {
            let access = ChatAccess::Full;
            self.send(Delta::Access { conversation: id.clone(), access }).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_conversation_that_cannot_be_read_is_left_alone_for_hours_and_one_without_writing_is_not()
     {
        let refusals = ChatRefusals::default();
        let (gone, quiet) = (ConversationId::new("19:a"), ConversationId::new("19:b"));
        refusals.add(&gone, ChatRefusal::Reading(Instant::now()));
        refusals.add(&quiet, ChatRefusal::Sending);
        assert!(refusals.is_parked(&gone) && !refusals.is_parked(&quiet));
        tokio::time::advance(PARKED).await;
        assert!(!refusals.is_parked(&gone));
        assert!(!refusals.forget_reading(&quiet) && refusals.forget_reading(&gone));
        assert!(refusals.forget(&quiet) && !refusals.forget(&quiet));
    }
}
