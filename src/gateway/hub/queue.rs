//! The event queue of one endpoint, and the memory limit for all queues.

use super::super::events::EventBody;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

const FIRST_EVENT: u64 = 1_000;
/// Limits of one queue.
const MAX_QUEUE_BYTES: usize = 8 * 1024 * 1024;
const MAX_QUEUE: usize = 20_000;
/// Limit of all queues together, in bytes. A shared body counts once.
const MAX_BYTES: usize = 32 * 1024 * 1024;
/// Bytes that an entry of a queue takes, without its body.
const PLACE: usize = 64;

/// Counts the memory of all queues.
#[derive(Default)]
pub struct Budget(Arc<AtomicUsize>);

impl Budget {
    pub fn share(&self, body: EventBody) -> Arc<SharedBody> {
        let size = body.size();
        self.0.fetch_add(size, Ordering::Relaxed);
        Arc::new(SharedBody { body, size, budget: Arc::clone(&self.0) })
    }

    pub fn is_exceeded(&self) -> bool {
        self.taken() > MAX_BYTES
    }

    pub fn taken(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// The body of an event, shared by all queues that contain it.
pub struct SharedBody {
    body: EventBody,
    size: usize,
    budget: Arc<AtomicUsize>,
}

impl Drop for SharedBody {
    fn drop(&mut self) {
        self.budget.fetch_sub(self.size, Ordering::Relaxed);
    }
}

/// A queued event.
#[derive(Clone)]
pub struct QueuedEvent {
    pub id: u64,
    /// When it was queued, in milliseconds.
    pub at: i64,
    body: Arc<SharedBody>,
}

impl QueuedEvent {
    pub fn body(&self) -> &EventBody {
        &self.body.body
    }
}

pub struct Subscription {
    next_id: u64,
    queue: VecDeque<QueuedEvent>,
    bytes: usize,
    wake: Arc<Notify>,
    polled: Instant,
    /// Whether events were lost since the last poll.
    has_gap: bool,
    /// Whether no events are queued until the next poll.
    is_paused: bool,
}

impl Subscription {
    pub fn new() -> Self {
        Self {
            next_id: FIRST_EVENT,
            queue: VecDeque::new(),
            bytes: 0,
            wake: Arc::new(Notify::new()),
            polled: Instant::now(),
            has_gap: false,
            is_paused: false,
        }
    }

    /// A subscription from before a restart: its queued events were lost.
    pub fn restored() -> Self {
        let mut subscription = Self::new();
        subscription.has_gap = true;
        subscription
    }

    pub fn has_gap(&self) -> bool {
        self.has_gap
    }

    pub fn is_live(&self) -> bool {
        !self.is_paused
    }

    pub fn wake(&self) -> &Arc<Notify> {
        &self.wake
    }

    pub fn polled(&self) -> Instant {
        self.polled
    }

    pub fn holds_events(&self) -> bool {
        !self.queue.is_empty()
    }

    /// Wakes the pending polls, or the next one.
    pub fn wake_all(&self) {
        self.wake.notify_waiters();
        self.wake.notify_one();
    }

    /// Queues an event. Returns false if the subscription was interrupted instead, because the queue is full or nobody
    /// polls.
    pub fn push(&mut self, body: &Arc<SharedBody>, now: i64, patience: Duration) -> bool {
        if self.is_paused {
            return true;
        }
        let full = self.queue.len() >= MAX_QUEUE || self.bytes + body.size > MAX_QUEUE_BYTES;
        if full || self.polled.elapsed() > patience {
            self.interrupt();
            return false;
        }
        self.queue.push_back(QueuedEvent { id: self.next_id, at: now, body: Arc::clone(body) });
        self.next_id += 1;
        self.bytes += body.size;
        body.budget.fetch_add(PLACE, Ordering::Relaxed);
        self.wake.notify_one();
        true
    }

    /// Drops all events until the next poll.
    pub fn interrupt(&mut self) {
        self.forget_up_to(u64::MAX);
        self.queue = VecDeque::new();
        self.has_gap = true;
        self.is_paused = true;
        self.wake_all();
    }

    /// Records a poll that may last for `wait`.
    pub fn polled_for(&mut self, wait: Duration) {
        self.polled = Instant::now() + wait;
    }

    /// Continues with new events.
    pub fn resume(&mut self) {
        self.has_gap = false;
        self.is_paused = false;
    }

    pub fn first(&self, count: usize) -> Vec<QueuedEvent> {
        self.queue.iter().take(count).cloned().collect()
    }

    pub fn forget_up_to(&mut self, id: u64) {
        while self.queue.front().is_some_and(|event| event.id <= id) {
            let Some(gone) = self.queue.pop_front() else { return };
            self.bytes -= gone.body.size;
            gone.body.budget.fetch_sub(PLACE, Ordering::Relaxed);
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.forget_up_to(u64::MAX);
    }
}
