//! Endpoints, subscriptions and the events that wait for a poll (facts 1.2, 2.2). Kept in memory: after a restart
//! clients register anew.

use super::api_error::ApiError;
use super::events::{Event, EventBody};
use super::secret;
use crate::model::UserId;
use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// An endpoint whose events take more loses its subscription; its client registers anew and repairs the gap.
const MAX_QUEUE_BYTES: usize = 4 * 1024 * 1024;
const MAX_QUEUE: usize = 20_000;
/// Events in one answer.
const MAX_BATCH: usize = 1_000;
const FIRST_EVENT: u64 = 1_000;
/// One user's endpoints; the oldest goes first.
const MAX_ENDPOINTS: usize = 16;

struct Endpoint {
    id: String,
    user: UserId,
    token: String,
    subscription: Option<Subscription>,
}

struct Subscription {
    next_id: u64,
    queue: VecDeque<QueuedEvent>,
    bytes: usize,
    wake: Arc<Notify>,
}

#[derive(Clone)]
pub struct QueuedEvent {
    pub id: u64,
    /// When it was queued, in milliseconds.
    pub at: i64,
    pub body: Arc<EventBody>,
}

/// What waits for an endpoint, and what wakes a poll when there is more.
pub struct Waiting {
    pub events: Vec<QueuedEvent>,
    pub wake: Arc<Notify>,
}

#[derive(Default)]
struct Endpoints {
    list: Vec<Endpoint>,
    /// Users with a subscription; shared with those who ask.
    subscribed: Arc<HashSet<UserId>>,
}

impl Endpoints {
    fn find(&mut self, user: &UserId, id: &str) -> Result<&mut Endpoint, ApiError> {
        let found = self.list.iter_mut().find(|e| e.id == id && e.user == *user);
        found.ok_or(ApiError::no_endpoint())
    }

    fn subscription(&mut self, user: &UserId, id: &str) -> Result<&mut Subscription, ApiError> {
        self.find(user, id)?.subscription.as_mut().ok_or(ApiError::no_subscription())
    }

    fn note_subscribed(&mut self) {
        let with = self.list.iter().filter(|e| e.subscription.is_some());
        self.subscribed = Arc::new(with.map(|e| e.user.clone()).collect());
    }
}

#[derive(Default)]
pub struct Hub {
    endpoints: Mutex<Endpoints>,
}

impl Hub {
    fn lock(&self) -> MutexGuard<'_, Endpoints> {
        self.endpoints.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The user and endpoint that a registration token stands for.
    pub fn owner(&self, token: &str) -> Option<(UserId, String)> {
        let endpoints = self.lock();
        let found = endpoints.list.iter().find(|e| secret::same(&e.token, token))?;
        Some((found.user.clone(), found.id.clone()))
    }

    pub fn has_endpoint(&self, user: &UserId) -> bool {
        self.lock().list.iter().any(|e| e.user == *user)
    }

    /// Users whom events can reach now.
    pub fn subscribed(&self) -> Arc<HashSet<UserId>> {
        Arc::clone(&self.lock().subscribed)
    }

    /// Ends all registrations, and the polls that wait.
    pub fn forget(&self) {
        let mut endpoints = self.lock();
        for endpoint in endpoints.list.drain(..) {
            if let Some(subscription) = endpoint.subscription {
                subscription.wake.notify_waiters();
                subscription.wake.notify_one();
            }
        }
        endpoints.note_subscribed();
    }

    pub fn publish(&self, events: &[Event], now: i64) {
        let mut guard = self.lock();
        let endpoints = &mut *guard;
        let mut lost = false;
        for event in events {
            let size = event.body.size();
            let reached = endpoints
                .list
                .iter_mut()
                .filter(|endpoint| event.audience.contains(&endpoint.user));
            for endpoint in reached {
                let Some(subscription) = endpoint.subscription.as_mut() else { continue };
                if subscription.queue.len() >= MAX_QUEUE
                    || subscription.bytes + size > MAX_QUEUE_BYTES
                {
                    subscription.wake.notify_one();
                    endpoint.subscription = None;
                    lost = true;
                    continue;
                }
                subscription.push(Arc::clone(&event.body), size, now);
            }
        }
        if lost {
            endpoints.note_subscribed();
        }
    }

    /// Makes an endpoint for a user; gives its id and its token.
    pub fn register(&self, user: UserId) -> (String, String) {
        let id = format!("{{{}}}", secret::guid());
        let token = secret::token();
        let mut endpoints = self.lock();
        if endpoints.list.iter().filter(|e| e.user == user).count() >= MAX_ENDPOINTS {
            // Commands that register and go away must not push out a program that listens.
            let silent =
                endpoints.list.iter().position(|e| e.user == user && e.subscription.is_none());
            let oldest = silent.or_else(|| endpoints.list.iter().position(|e| e.user == user));
            if let Some(gone) = oldest.map(|at| endpoints.list.remove(at))
                && let Some(subscription) = gone.subscription
            {
                subscription.wake.notify_one();
            }
        }
        let endpoint = Endpoint { id: id.clone(), user, token: token.clone(), subscription: None };
        endpoints.list.push(endpoint);
        endpoints.note_subscribed();
        (id, token)
    }

    /// Begins a subscription; one that was there before ends with what waited for it.
    ///
    /// # Errors
    /// When the user has no such endpoint.
    pub fn subscribe(&self, user: &UserId, endpoint: &str) -> Result<(), ApiError> {
        let mut endpoints = self.lock();
        endpoints.find(user, endpoint)?.subscription = Some(Subscription::default());
        endpoints.note_subscribed();
        Ok(())
    }

    /// What waits for an endpoint, after forgetting what was acknowledged.
    pub fn waiting(
        &self,
        user: &UserId,
        endpoint: &str,
        ack: Option<u64>,
    ) -> Result<Waiting, ApiError> {
        let mut endpoints = self.lock();
        let subscription = endpoints.subscription(user, endpoint)?;
        if let Some(ack) = ack {
            subscription.forget_up_to(ack);
        }
        let events = subscription.queue.iter().take(MAX_BATCH).cloned().collect();
        Ok(Waiting { events, wake: Arc::clone(&subscription.wake) })
    }

    /// Forgets events up to `id`: they were sent to a client that does not acknowledge, or nobody needs them.
    pub fn forget_events(&self, user: &UserId, endpoint: &str, id: u64) {
        if let Ok(subscription) = self.lock().subscription(user, endpoint) {
            subscription.forget_up_to(id);
        }
    }
}

impl Default for Subscription {
    fn default() -> Self {
        Self {
            next_id: FIRST_EVENT,
            queue: VecDeque::new(),
            bytes: 0,
            wake: Arc::new(Notify::new()),
        }
    }
}

impl Subscription {
    fn push(&mut self, body: Arc<EventBody>, size: usize, now: i64) {
        self.queue.push_back(QueuedEvent { id: self.next_id, at: now, body });
        self.next_id += 1;
        self.bytes += size;
        self.wake.notify_one();
    }

    fn forget_up_to(&mut self, id: u64) {
        while self.queue.front().is_some_and(|event| event.id <= id) {
            if let Some(gone) = self.queue.pop_front() {
                self.bytes -= gone.body.size();
            }
        }
    }
}
