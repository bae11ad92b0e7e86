//! Runs changes one after another on a thread of its own. Changes that are waiting share one commit, so that a busy
//! gateway does not wait for the disk once per message. Each change is still atomic, and it is answered only after the
//! commit. Events are published after the commit, in the order of the changes.

use super::api_error::ApiError;
use super::directory::Directory;
use super::events::{Committed, Event};
use super::hub::Hub;
use super::rules::Work;
use super::state::now;
use super::storage::{Storage, StorageTx, Stored};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{broadcast, mpsc, oneshot};

/// Length of the queue of changes.
const MAX_WAITING: usize = 1_024;
/// Limits of one commit: a number of changes, and a time after which no further change is added.
const MAX_TOGETHER: usize = 64;
const MAX_TIME: Duration = Duration::from_millis(5);

pub struct Committer {
    pub storage: Box<dyn Storage>,
    pub hub: Hub,
    pub directory: Directory,
    /// Every committed message, for the scripted people of a demo.
    pub committed: broadcast::Sender<Committed>,
    /// Locked from the first change of a commit until its events are published, to keep them in order.
    pub order: Mutex<()>,
}

/// A change, and the receiver of its outcome.
pub trait Job: Send {
    /// Runs the change. It is undone if this returns false.
    fn run(&mut self, work: &mut Work<'_>) -> bool;
    fn finish(self: Box<Self>, stored: bool);
}

struct WriteJob<T, F> {
    work: Option<F>,
    outcome: Result<T, ApiError>,
    answer: oneshot::Sender<Result<T, ApiError>>,
}

impl<T, F> Job for WriteJob<T, F>
where
    T: Send,
    F: FnOnce(&mut Work<'_>) -> Result<T, ApiError> + Send,
{
    fn run(&mut self, work: &mut Work<'_>) -> bool {
        if let Some(run) = self.work.take() {
            self.outcome = run(work);
        }
        self.outcome.is_ok()
    }

    fn finish(self: Box<Self>, stored: bool) {
        let outcome = if stored || self.outcome.is_err() {
            self.outcome
        } else {
            Err(ApiError::database_failed())
        };
        // The client may have disconnected.
        let _ = self.answer.send(outcome);
    }
}

/// A job, and the receiver of its outcome.
pub fn job<T: Send + 'static>(
    work: impl FnOnce(&mut Work<'_>) -> Result<T, ApiError> + Send + 'static,
) -> (Box<dyn Job>, oneshot::Receiver<Result<T, ApiError>>) {
    let (answer, outcome) = oneshot::channel();
    let job = WriteJob { work: Some(work), outcome: Err(ApiError::failed_inside()), answer };
    (Box::new(job), outcome)
}

impl Committer {
    /// Starts the thread. It ends when the last sender is dropped.
    ///
    /// # Errors
    /// If the thread cannot be started.
    pub fn start(self: Arc<Self>) -> std::io::Result<mpsc::Sender<Box<dyn Job>>> {
        let (sender, mut jobs) = mpsc::channel::<Box<dyn Job>>(MAX_WAITING);
        std::thread::Builder::new().name("gateway-commit".into()).spawn(move || {
            while let Some(job) = jobs.blocking_recv() {
                self.run(job, &mut || jobs.try_recv().ok());
            }
        })?;
        Ok(sender)
    }

    /// Commits a job together with the jobs that `next` returns.
    pub fn run(&self, first: Box<dyn Job>, next: &mut dyn FnMut() -> Option<Box<dyn Job>>) {
        let _order = self.order.lock().unwrap_or_else(PoisonError::into_inner);
        let started = Instant::now();
        let mut waiting = Some(first);
        let mut done = Vec::new();
        let mut caused = Caused::default();
        let stored = self.storage.write(&mut |tx| {
            while let Some(mut job) = waiting.take() {
                let ran = self.attempt(tx, job.as_mut(), &mut caused);
                done.push(job);
                ran?;
                if done.len() < MAX_TOGETHER && started.elapsed() < MAX_TIME {
                    waiting = next();
                }
            }
            Ok(())
        });
        match &stored {
            Ok(()) => self.publish(caused),
            Err(error) => tracing::error!(%error, "the gateway's database failed"),
        }
        for job in done {
            job.finish(stored.is_ok());
        }
    }

    fn attempt(
        &self,
        tx: &mut dyn StorageTx,
        job: &mut dyn Job,
        caused: &mut Caused,
    ) -> Stored<()> {
        tx.attempt(&mut |tx| {
            let mut work = Work::new(tx, &self.hub, &self.directory, now());
            // A panic in one request must not affect the others.
            let keep = catch_unwind(AssertUnwindSafe(|| job.run(&mut work))).unwrap_or(false);
            if keep {
                caused.add(work);
            }
            keep
        })
    }

    fn publish(&self, caused: Caused) {
        self.hub.publish(caused.events, now());
        for message in caused.messages {
            // There are receivers only in a demo.
            let _ = self.committed.send(message);
        }
    }
}

/// The events and messages that the changes of one commit caused.
#[derive(Default)]
struct Caused {
    events: Vec<Event>,
    messages: Vec<Committed>,
}

impl Caused {
    fn add(&mut self, work: Work<'_>) {
        let (events, messages) = work.into_caused();
        self.events.extend(events);
        self.messages.extend(messages);
    }
}
