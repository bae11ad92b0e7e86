//! A clock for tests of minutes: it stands still and is moved on in small steps, and between two steps what happens on
//! sockets and on disk has its time. For a runtime with one thread and a paused clock.

use std::sync::mpsc;
use std::time::Duration;

/// Simulated time of one step.
const STEP: Duration = Duration::from_millis(250);
/// What a step takes in truth.
const MOMENT: Duration = Duration::from_millis(2);

/// As long as it lives the clock does not move by itself.
pub struct SteppedClock {
    _end: mpsc::Sender<()>,
}

impl SteppedClock {
    pub fn start() -> Self {
        let (end, ended) = mpsc::channel::<()>();
        // A blocking task that has not ended keeps a paused clock from moving on.
        tokio::task::spawn_blocking(move || ended.recv());
        Self { _end: end }
    }

    /// Lets so much time pass.
    pub async fn pass(&self, time: Duration) {
        let end = tokio::time::Instant::now() + time;
        while tokio::time::Instant::now() < end {
            tokio::time::advance(STEP).await;
            let moment = tokio::task::spawn_blocking(|| {
                let (_keep, never) = mpsc::channel::<()>();
                let _ = never.recv_timeout(MOMENT);
            });
            moment.await.unwrap();
        }
    }

    /// Lets time pass until something is so, at most so much.
    pub async fn pass_until(&self, most: Duration, mut is_so: impl FnMut() -> bool) -> bool {
        let end = tokio::time::Instant::now() + most;
        while !is_so() {
            if tokio::time::Instant::now() >= end {
                return false;
            }
            self.pass(STEP).await;
        }
        true
    }
}
