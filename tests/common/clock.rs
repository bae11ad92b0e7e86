//! A clock for tests that take minutes: it stands still and is advanced in small steps. Between two steps, sockets get
//! time to do their work, and the message stores finish what they were asked for, however slow the disk is: otherwise
//! minutes of the clock would pass during one slow write, and requests that were answered at once would time out. For a
//! runtime with one thread and a paused clock.

use skchat::model::UserId;
use skchat::store::{Batch, Store};
use std::cell::RefCell;
use std::sync::mpsc;
use std::time::Duration;

/// Simulated time of one step.
const STEP: Duration = Duration::from_millis(250);
/// How long a step takes in real time.
const MOMENT: Duration = Duration::from_millis(2);

thread_local! {
    /// The stores that the clock of this thread waits for. `None` without a clock.
    static STORES: RefCell<Option<Vec<Store>>> = const { RefCell::new(None) };
}

/// Makes the clock of this thread, if it has one, wait for a store.
pub fn wait_for(store: &Store) {
    STORES.with_borrow_mut(|stores| {
        if let Some(stores) = stores {
            stores.push(store.clone());
        }
    });
}

/// While it exists, the clock does not advance by itself.
pub struct SteppedClock {
    _end: mpsc::Sender<()>,
}

impl Drop for SteppedClock {
    fn drop(&mut self) {
        STORES.set(None);
    }
}

impl SteppedClock {
    pub fn start() -> Self {
        let (end, ended) = mpsc::channel::<()>();
        // A blocking task that has not ended keeps a paused clock from moving on.
        tokio::task::spawn_blocking(move || ended.recv());
        STORES.set(Some(Vec::new()));
        Self { _end: end }
    }

    /// Lets this much time pass.
    pub async fn pass(&self, time: Duration) {
        let end = tokio::time::Instant::now() + time;
        while tokio::time::Instant::now() < end {
            tokio::time::advance(STEP).await;
            let moment = tokio::task::spawn_blocking(|| {
                let (_keep, never) = mpsc::channel::<()>();
                let _ = never.recv_timeout(MOMENT);
            });
            moment.await.unwrap();
            Self::wait_for_stores().await;
        }
    }

    /// Waits until the stores have finished what they were asked for so far.
    async fn wait_for_stores() {
        let stores = STORES.with_borrow(|stores| stores.clone().unwrap_or_default());
        for store in stores {
            // Reporting an error is up to the program; its threads have answered in any case.
            let _ = store.apply(Batch::default(), UserId::new("8:nobody")).await;
            let _ = store.coverage(&"8:nobody".into()).await;
        }
    }

    /// Lets time pass until a condition holds, but at most this much.
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
