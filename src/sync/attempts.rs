//! How often and when to connect again. Pure except for the clock.

use crate::client::ErrorKind;
use std::time::Duration;
use tokio::time::Instant;

/// A server that works for this long is trusted again: the next interruption begins with short waits.
const HEALTHY: Duration = Duration::from_secs(120);

/// After a failure a poll has to be open for this long before the connection counts as one; longer after several polls
/// that failed.
const HOLDS: Duration = Duration::from_secs(3);
const MAX_HOLDS: u32 = 4;

/// Attempts to connect since the connection was last good for some time.
#[derive(Debug, Default)]
pub(super) struct Attempts {
    pub failed: u32,
    /// Failed polls among them.
    polls_failed: u32,
    /// Since when there has been no failure.
    works_since: Option<Instant>,
    /// How often in a row the token was rejected.
    pub rejected: u32,
    /// When the endpoint or its subscription was last found gone.
    gone: Option<Instant>,
    /// The list was read after the last events: while polls fail, it is not read again for each of them.
    pub listed: bool,
    /// The list has to be read before the status says that everything is up to date.
    pub behind: bool,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum NextAttempt {
    Now,
    /// With a new token, or when the user asks for it.
    SignedOut,
    /// When the server allows it.
    After(Duration),
    /// After the wait for this many failures.
    Backoff(u32),
    /// With a new endpoint after the longest wait, because each costs several requests.
    Register,
}

impl Attempts {
    /// What to do after an error that ended the connection.
    pub fn after(&mut self, kind: ErrorKind) -> NextAttempt {
        self.works_since = None;
        self.failed = self.failed.saturating_add(1);
        match kind {
            // The server does answer, so a new endpoint is registered at once, but not twice in a row. What was missed is
            // fetched as after any other interruption.
            ErrorKind::EndpointGone if self.is_gone_again() => NextAttempt::Register,
            ErrorKind::EndpointGone => NextAttempt::Now,
            ErrorKind::SignedOut | ErrorKind::TokenRejected => {
                self.failed = 0;
                self.rejected = self.rejected.saturating_add(1);
                NextAttempt::SignedOut
            }
            ErrorKind::RetryAfter(wait) => NextAttempt::After(wait),
            ErrorKind::Unreachable | ErrorKind::Unavailable | ErrorKind::Moved => {
                NextAttempt::Backoff(self.failed)
            }
            // The answer was read in vain, so the wait is longer.
            ErrorKind::BadAnswer => NextAttempt::Backoff(self.failed.saturating_add(1)),
            // A refusal ends the subscription, too.
            _ if self.is_gone_again() => NextAttempt::Register,
            _ => NextAttempt::Backoff(self.failed),
        }
    }

    /// Records that the subscription is gone. Returns true if the last time was not long ago.
    fn is_gone_again(&mut self) -> bool {
        let before = self.gone.replace(Instant::now());
        before.is_some_and(|before| before.elapsed() < HEALTHY)
    }

    /// The connection works. Earlier failures count until it has done so for some time.
    pub fn works(&mut self) {
        let since = *self.works_since.get_or_insert_with(Instant::now);
        self.listed = false;
        if since.elapsed() >= HEALTHY {
            self.failed = 0;
            self.polls_failed = 0;
            self.rejected = 0;
        }
    }

    /// Records a failed poll. A registration that is gone, as after a restart of the server, does not count: with a new
    /// one, polls may well work.
    pub fn poll_failed(&mut self, kind: ErrorKind) {
        if kind != ErrorKind::EndpointGone {
            self.polls_failed = self.polls_failed.saturating_add(1);
        }
    }

    /// How long a poll has to be open before the connection counts as one.
    pub fn holds(&self) -> Duration {
        HOLDS * self.polls_failed.clamp(1, MAX_HOLDS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn failures_count_until_the_connection_was_good_for_minutes() {
        let mut attempts = Attempts::default();
        for failed in 1..=3 {
            assert_eq!(attempts.after(ErrorKind::Unreachable), NextAttempt::Backoff(failed));
            attempts.works();
            tokio::time::advance(Duration::from_secs(50)).await;
            attempts.works();
            assert_eq!(attempts.failed, failed);
        }
        tokio::time::advance(HEALTHY).await;
        attempts.works();
        assert_eq!(attempts.failed, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn an_endpoint_that_is_gone_is_registered_at_once_but_not_again_and_again() {
        let mut attempts = Attempts::default();
        // After a long outage, too.
        attempts.after(ErrorKind::Unreachable);
        attempts.after(ErrorKind::Unreachable);
        assert_eq!(attempts.after(ErrorKind::EndpointGone), NextAttempt::Now);
        for _ in 0..10 {
            attempts.works();
            assert_eq!(attempts.after(ErrorKind::EndpointGone), NextAttempt::Register);
            tokio::time::advance(Duration::from_secs(90)).await;
        }
        tokio::time::advance(HEALTHY).await;
        assert_eq!(attempts.after(ErrorKind::EndpointGone), NextAttempt::Now);
        assert_eq!(attempts.after(ErrorKind::Refused), NextAttempt::Register);
        tokio::time::advance(HEALTHY).await;
        assert!(matches!(attempts.after(ErrorKind::Refused), NextAttempt::Backoff(_)));
    }

    #[test]
    fn a_poll_after_a_restart_of_the_server_has_to_be_open_no_longer_than_after_one_failure() {
        let mut attempts = Attempts::default();
        attempts.poll_failed(ErrorKind::Unreachable);
        for _ in 0..5 {
            attempts.after(ErrorKind::Unreachable);
        }
        attempts.poll_failed(ErrorKind::EndpointGone);
        assert_eq!(attempts.holds(), HOLDS);
        // If polls fail although there is a server, one that seems open may be the next to fail.
        for _ in 0..10 {
            attempts.poll_failed(ErrorKind::Unavailable);
        }
        assert_eq!(attempts.holds(), HOLDS * MAX_HOLDS);
    }

    #[test]
    fn a_rejected_token_waits_for_the_user_and_a_busy_server_for_the_time_it_asked_for() {
        let mut attempts = Attempts::default();
        attempts.after(ErrorKind::Unreachable);
        assert_eq!(attempts.after(ErrorKind::TokenRejected), NextAttempt::SignedOut);
        assert_eq!(attempts.failed, 0, "the next attempt says that it connects");
        let pause = Duration::from_secs(7);
        assert_eq!(attempts.after(ErrorKind::RetryAfter(pause)), NextAttempt::After(pause));
    }
}
