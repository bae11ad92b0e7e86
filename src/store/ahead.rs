//! The snapshot of a start, read while the program still prepares its screen.

use super::listing::{Snapshot, snapshot};
use super::{Store, StoreError, StoreJob};
use crate::model::UserId;
use std::sync::{Mutex, PoisonError};
use tokio::sync::oneshot;

type PendingSnapshot = oneshot::Receiver<rusqlite::Result<Snapshot>>;

/// A snapshot that is read in advance, for whoever asks first. Each write drops it, because it would be out of date.
#[derive(Default)]
pub(super) struct ReadAhead(Mutex<Option<(UserId, PendingSnapshot)>>);

impl ReadAhead {
    fn begin(&self, me: UserId, answer: PendingSnapshot) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((me, answer));
    }

    pub(super) fn forget(&self) {
        drop(self.take());
    }

    fn take(&self) -> Option<(UserId, PendingSnapshot)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Store {
    /// Begins to read the snapshot that [`Store::snapshot`] will be asked for. To be called between opening a store and
    /// starting its account. If the reader's queue is full, nothing is read in advance.
    pub fn read_ahead(&self, me: UserId) {
        let (answer, wait) = oneshot::channel();
        let owner = me.clone();
        let job: StoreJob = Box::new(move |connection| {
            // The receiver is gone if something was written meanwhile.
            let _ = answer.send(snapshot(connection, &owner));
        });
        if self.reader.try_send(job).is_ok() {
            self.ahead.begin(me, wait);
        }
    }

    /// Everything that the first screen needs.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn snapshot(&self, me: UserId) -> Result<Snapshot, StoreError> {
        match self.ahead.take().filter(|(owner, _)| *owner == me) {
            Some((_, answer)) => Ok(answer.await.map_err(|_| StoreError::Closed)??),
            None => self.read(move |c| snapshot(c, &me)).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ConversationId, Draft};

    #[tokio::test]
    async fn what_is_written_after_reading_ahead_is_in_the_snapshot() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("store.db")).unwrap();
        let (me, chat) = (UserId::new("8:anna.7"), ConversationId::from("8:joe.4"));
        store.read_ahead(me.clone());
        assert!(store.snapshot(me.clone()).await.unwrap().drafts.is_empty());
        store.read_ahead(me.clone());
        let draft = Draft { text: "hello".into(), ..Draft::default() };
        store.save_draft(chat.clone(), draft.clone()).await.unwrap();
        assert_eq!(store.snapshot(me).await.unwrap().drafts, [(chat, draft)]);
    }
}
