//! The pace of the requests of an account after it was told that there are too many. Pure.

use std::time::Duration;
use tokio::time::Instant;

/// The time between two requests after a first 429, which doubles with each further one.
const FIRST_PACE: Duration = Duration::from_millis(250);
const SLOWEST_PACE: Duration = Duration::from_secs(4);
/// After this long without a 429, requests may follow each other twice as fast.
const PACE_HOLDS: Duration = Duration::from_secs(60);

/// The shortest time between two requests, learnt from refusals.
#[derive(Default)]
pub(super) struct Pace {
    gap: Duration,
    next: Option<Instant>,
    since: Option<Instant>,
}

impl Pace {
    pub fn slow_down(&mut self, now: Instant) {
        self.gap = self.gap.saturating_mul(2).clamp(FIRST_PACE, SLOWEST_PACE);
        self.since = Some(now);
    }

    pub fn relax(&mut self, now: Instant) {
        if self.since.is_some_and(|since| now.duration_since(since) >= PACE_HOLDS) {
            self.gap = if self.gap <= FIRST_PACE { Duration::ZERO } else { self.gap / 2 };
            self.since = (!self.gap.is_zero()).then_some(now);
        }
    }

    /// When the next request may leave.
    pub fn slot(&mut self, now: Instant) -> Instant {
        let slot = self.next.map_or(now, |next| next.max(now));
        self.next = (!self.gap.is_zero()).then_some(slot + self.gap);
        slot
    }
}
