//! Whether there is a connection, and waking up the tasks that wait for one.

use super::outbox::TokenRejection;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::sync::futures::Notified;
use tokio::time::Instant;

/// Flags and wake-ups that the tasks of one account share.
#[derive(Default)]
pub struct ConnectionSignals {
    online: AtomicBool,
    came_online: Notify,
    /// Ends every wait between two attempts.
    retry_now: Notify,
    /// The service has answered a request although there is no connection.
    answered: Notify,
    /// The token was rejected for a message.
    pub token_rejection: TokenRejection,
    /// The server sends changes as events. Otherwise, what this account changes has to be fetched again.
    has_events: AtomicBool,
    /// In this run, a page has shown a message that had just been accepted.
    pub reads_proven: AtomicBool,
    /// When it was last recorded that the service answers.
    pub heard: Mutex<Option<Instant>>,
    /// When a request for news was last answered.
    polled: Mutex<Option<Instant>>,
}

impl ConnectionSignals {
    /// A request for news was answered.
    pub fn note_poll(&self) {
        *self.polled.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// How long ago a request for news was last answered.
    pub fn polled_ago(&self) -> Option<Duration> {
        let polled = *self.polled.lock().unwrap_or_else(PoisonError::into_inner);
        polled.map(|at| at.elapsed())
    }

    pub fn is_online(&self) -> bool {
        self.online.load(Ordering::Acquire)
    }

    pub fn set_online(&self, online: bool) {
        self.online.store(online, Ordering::Release);
        if online {
            self.came_online.notify_waiters();
        }
    }

    pub fn has_events(&self) -> bool {
        self.has_events.load(Ordering::Acquire)
    }

    pub fn set_has_events(&self, has_events: bool) {
        self.has_events.store(has_events, Ordering::Release);
    }

    /// Resolves when the connection comes back, or when the user asks for another attempt.
    pub fn came_online(&self) -> Notified<'_> {
        self.came_online.notified()
    }

    /// Waits until there is a connection, or the user asks for another attempt.
    pub async fn until_online(&self) {
        let came = self.came_online.notified();
        tokio::pin!(came);
        // Before the flag is read, so that a change between reading and waiting is not missed.
        came.as_mut().enable();
        if !self.is_online() {
            came.await;
        }
    }

    /// Waits, unless the user asks for another attempt now.
    pub async fn wait(&self, time: Duration) {
        tokio::select! {
            () = tokio::time::sleep(time) => {}
            () = self.retry_now.notified() => {}
        }
    }

    /// Records that the service has accepted a message. Without a connection, that is a reason to connect at once.
    pub fn note_answer(&self) {
        if !self.is_online() {
            self.answered.notify_waiters();
        }
    }

    /// Waits, unless the user asks for another attempt now or the service answers another request.
    pub async fn wait_for_answer(&self, time: Duration) {
        tokio::select! {
            () = self.wait(time) => {}
            () = self.answered.notified() => {}
        }
    }

    /// Ends every wait between two attempts.
    pub fn retry_now(&self) {
        self.retry_now.notify_waiters();
        self.came_online.notify_waiters();
    }
}
