//! Sending while the token is rejected: the status says so and what to do, and one message is tried from time to time,
//! rather than one per conversation.

use super::OutboxWorker;
use crate::client::{Error, ErrorKind};
use crate::model::{ConnectionState, Delta, SafeText};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// How often a token file is read again while the token is rejected.
const TOKEN_LOOK: Duration = Duration::from_secs(2);

/// Whether the token was rejected for the last message that was sent.
#[derive(Default)]
pub struct TokenRejection {
    /// Until when no message is tried; `None` when the token is accepted.
    until: Mutex<Option<Instant>>,
    /// After a rejection, held by the conversation that is trying.
    turn: tokio::sync::Mutex<()>,
}

impl TokenRejection {
    fn until(&self) -> MutexGuard<'_, Option<Instant>> {
        self.until.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the other conversations that are trying, if the token was rejected.
    pub(super) async fn turn(&self) -> Option<tokio::sync::MutexGuard<'_, ()>> {
        let is_rejected = self.until().is_some();
        if is_rejected { Some(self.turn.lock().await) } else { None }
    }

    /// When the next message may be tried, if not now.
    pub(super) fn due(&self) -> Option<Instant> {
        self.until().filter(|until| *until > Instant::now())
    }

    /// Whether messages wait for a token. A rejection that no message has followed for long means nothing any more.
    pub fn is_current(&self, longest: Duration) -> bool {
        self.until().is_some_and(|until| Instant::now() < until + longest)
    }

    /// The token was accepted. Returns true if it had been rejected before.
    pub(super) fn accepted(&self) -> bool {
        self.until().take().is_some()
    }
}

/// Whether an error is about the token.
pub(super) fn is_of_token(error: &Error) -> bool {
    matches!(error.kind, ErrorKind::SignedOut | ErrorKind::TokenRejected)
}

impl OutboxWorker {
    /// Records and shows that the token was rejected for a message.
    pub(super) async fn token_rejected(&self, error: &Error) {
        let rejection = &self.shared.connection.token_rejection;
        let until = Instant::now() + self.shared.options.backoff_cap;
        let is_first = rejection.until().replace(until).is_none();
        let advice = match error.kind {
            ErrorKind::TokenRejected => self.shared.client.token_advice(),
            _ => error.shown(),
        };
        if is_first {
            let message = format!("not sent yet, the token was rejected: {advice}");
            self.shared.notice(&message).await;
        }
        let why = SafeText::line(&advice);
        let way = self.shared.client.sign_in_way();
        self.shared.send(Delta::Connection(ConnectionState::SignedOut { why, way })).await;
    }

    /// The server has accepted a message, and with it the token.
    pub(super) async fn token_accepted(&self) {
        let connection = &self.shared.connection;
        if connection.token_rejection.accepted() && connection.is_online() {
            self.shared.send(Delta::Connection(ConnectionState::Online)).await;
        }
    }

    /// Waits for the next attempt, for a new token, for the connection or for the user.
    pub(super) async fn wait_for_token(&self, due: Instant) {
        let connection = &self.shared.connection;
        let before = self.shared.client.token_mark().await;
        while Instant::now() < due {
            let step = TOKEN_LOOK.min(due - Instant::now());
            let began = Instant::now();
            tokio::select! {
                () = connection.wait(step) => {}
                () = connection.came_online() => {}
            }
            if began.elapsed() < step || self.shared.client.has_new_token(&before).await {
                // Others that are waiting take their turns after this one.
                *connection.token_rejection.until() = Some(Instant::now());
                return;
            }
        }
    }
}
