//! Reads what is shown first at startup, while the program is still preparing its screen: the snapshot, and the newest
//! page of the chat that was open last.

use super::listing::{Snapshot, snapshot};
use super::read::newest;
use super::{Store, StoreError, StoreJob};
use crate::model::{ConversationId, RawMessage, UserId};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// Answers read in advance, each for its first reader. A write discards them, because they would be out of date.
#[derive(Default)]
pub(super) struct ReadAhead(Mutex<PendingAnswers>);

#[derive(Default)]
struct PendingAnswers {
    snapshot: Option<(UserId, oneshot::Receiver<rusqlite::Result<Snapshot>>)>,
    page: Option<oneshot::Receiver<NewestPage>>,
}

/// The newest messages of a conversation.
struct NewestPage {
    conversation: ConversationId,
    limit: u32,
    messages: Vec<RawMessage>,
}

impl ReadAhead {
    fn pending(&self) -> MutexGuard<'_, PendingAnswers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn forget(&self) {
        *self.pending() = PendingAnswers::default();
    }

    /// The newest messages of a conversation, if they were read in advance.
    pub(super) async fn newest(&self, id: &ConversationId, limit: u32) -> Option<Vec<RawMessage>> {
        let wait = self.pending().page.take()?;
        let page = wait.await.ok()?;
        (page.conversation == *id && page.limit == limit).then_some(page.messages)
    }
}

impl Store {
    /// Starts reading the snapshot that [`Store::snapshot`] will be asked for, and this many of the newest messages of
    /// the chat that it names as open. Call this between opening a store and starting its account. If the reader's
    /// queue is full, nothing is read in advance.
    pub fn read_ahead(&self, me: UserId, limit: u32) {
        let (answer, wait) = oneshot::channel();
        let (page, wait_for_page) = oneshot::channel();
        let owner = me.clone();
        let job: StoreJob = Box::new(move |connection| {
            let read = snapshot(connection, &owner);
            let open = read.as_ref().ok().and_then(|read| read.to_open().cloned());
            // The receivers are gone if something was written meanwhile.
            let _ = answer.send(read);
            if let Some(conversation) = open
                && let Ok(messages) = newest(connection, &conversation, limit)
            {
                let _ = page.send(NewestPage { conversation, limit, messages });
            }
        });
        if self.reader.try_send(job).is_ok() {
            let (snapshot, page) = (Some((me, wait)), Some(wait_for_page));
            *self.ahead.pending() = PendingAnswers { snapshot, page };
        }
    }

    /// Everything that the first screen needs.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn snapshot(&self, me: UserId) -> Result<Snapshot, StoreError> {
        let pending = self.ahead.pending().snapshot.take();
        match pending.filter(|(owner, _)| *owner == me) {
            Some((_, answer)) => Ok(answer.await.map_err(|_| StoreError::Closed)??),
            None => self.read(move |c| snapshot(c, &me)).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Draft;

    #[tokio::test]
    async fn what_is_written_after_reading_ahead_is_in_the_snapshot() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("store.db")).unwrap();
        let (me, chat) = (UserId::new("8:anna.7"), ConversationId::from("8:joe.4"));
        store.read_ahead(me.clone(), 60);
        assert!(store.snapshot(me.clone()).await.unwrap().drafts.is_empty());
        store.read_ahead(me.clone(), 60);
        let draft = Draft { text: "hello".into(), ..Draft::default() };
        store.save_draft(chat.clone(), draft.clone()).await.unwrap();
        assert_eq!(store.snapshot(me).await.unwrap().drafts, [(chat, draft)]);
    }
}
