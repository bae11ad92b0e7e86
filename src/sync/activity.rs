//! What the user is doing, judged by the app's requests: the chat on the screen, and when the user was last seen.

use super::archive_files::CopiedFiles;
use super::downloads::Downloads;
use super::presence::PeopleInSight;
use crate::model::ConversationId;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// Shared by the task that takes the app's requests and the poller.
pub struct UserActivity {
    started: Instant,
    last: Mutex<Duration>,
    /// The chat on the screen; its gaps are filled first.
    open: Mutex<Option<ConversationId>>,
    /// The people whose presence the app shows.
    pub in_sight: PeopleInSight,
    /// Copies of files that other programs show.
    pub copies: CopiedFiles,
    pub downloads: Downloads,
    seen: Notify,
}

impl Default for UserActivity {
    fn default() -> Self {
        Self {
            started: Instant::now(),
            last: Mutex::default(),
            open: Mutex::default(),
            in_sight: PeopleInSight::default(),
            copies: CopiedFiles::default(),
            downloads: Downloads::default(),
            seen: Notify::new(),
        }
    }
}

impl UserActivity {
    /// The time since sync was started; all times here are counted from then.
    pub fn now(&self) -> Duration {
        self.started.elapsed()
    }

    /// Records that the user has done something.
    pub fn touch(&self) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = self.now();
        self.seen.notify_waiters();
    }

    /// When the user was last seen.
    pub fn last(&self) -> Duration {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The chat on the screen.
    pub fn open_chat(&self) -> Option<ConversationId> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn set_open_chat(&self, id: &ConversationId) {
        *self.open.lock().unwrap_or_else(PoisonError::into_inner) = Some(id.clone());
    }

    /// Records that this chat is no longer on the screen.
    pub fn close_chat(&self, id: &ConversationId) {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).take_if(|open| open == id);
    }

    /// Resolves when the user does something.
    pub async fn seen(&self) {
        self.seen.notified().await;
    }
}
