//! Endpoints, subscriptions and queued events (facts 1.2, 2.2).
//!
//! Registrations are also stored in the database and survive a restart, because some clients never register again.
//! Events are queued in memory only. What happens when events are lost is described in [`gateway`](crate::gateway).

mod queue;

use super::api_error::ApiError;
use super::events::Event;
use super::secret;
use super::storage::{Digest, RegistrationRow};
use crate::model::UserId;
use queue::{Budget, Subscription};
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

pub use queue::QueuedEvent;

/// Maximum number of events in one answer.
const MAX_BATCH: usize = 1_000;
/// Maximum number of endpoints of one user.
const MAX_ENDPOINTS: usize = 16;
/// Length of the part of a registration token by which it is found. The rest is the secret.
const HANDLE: usize = 16;

struct Endpoint {
    user: UserId,
    token: String,
    /// When the token expires, in milliseconds since 1970.
    expires: i64,
    used: Instant,
    subscription: Option<Subscription>,
}

/// The queued events of an endpoint, and the signal for further ones.
pub struct Waiting {
    pub events: Vec<QueuedEvent>,
    pub wake: Arc<Notify>,
}

#[derive(Default)]
struct Endpoints {
    by_id: HashMap<String, Endpoint>,
    by_handle: HashMap<String, String>,
    by_user: HashMap<UserId, Vec<String>>,
    /// Users with an active subscription.
    subscribed: Arc<HashSet<UserId>>,
}

fn handle_of(token: &str) -> &str {
    token.get(..HANDLE).unwrap_or_default()
}

impl Endpoints {
    fn add(&mut self, id: String, endpoint: Endpoint) {
        self.by_handle.insert(handle_of(&endpoint.token).to_owned(), id.clone());
        self.by_user.entry(endpoint.user.clone()).or_default().push(id.clone());
        self.by_id.insert(id, endpoint);
    }

    fn remove(&mut self, id: &str) {
        let Some(endpoint) = self.by_id.remove(id) else { return };
        self.by_handle.remove(handle_of(&endpoint.token));
        if let Some(ids) = self.by_user.get_mut(&endpoint.user) {
            ids.retain(|other| other != id);
            if ids.is_empty() {
                self.by_user.remove(&endpoint.user);
            }
        }
        if let Some(subscription) = endpoint.subscription {
            subscription.wake_all();
        }
    }

    fn find(&mut self, user: &UserId, id: &str) -> Result<&mut Endpoint, ApiError> {
        let found = self.by_id.get_mut(id).filter(|endpoint| endpoint.user == *user);
        found.ok_or(ApiError::no_endpoint())
    }

    fn subscription(&mut self, user: &UserId, id: &str) -> Option<&mut Subscription> {
        self.find(user, id).ok()?.subscription.as_mut()
    }

    fn note_subscribed(&mut self) {
        let live = |e: &&Endpoint| e.subscription.as_ref().is_some_and(Subscription::is_live);
        let users = self.by_id.values().filter(live).map(|e| e.user.clone());
        self.subscribed = Arc::new(users.collect());
    }

    /// The endpoint to remove when a user has too many: one without an active subscription if possible, so that
    /// commands that register and exit do not replace a program that listens.
    fn least_important(&self, user: &UserId) -> Option<String> {
        let ids = self.by_user.get(user)?;
        let importance = |id: &&String| {
            let endpoint = self.by_id.get(*id);
            endpoint.map(|e| (e.subscription.as_ref().is_some_and(Subscription::is_live), e.used))
        };
        ids.iter().min_by_key(importance).cloned()
    }
}

pub struct Hub {
    endpoints: Mutex<Endpoints>,
    budget: Budget,
    /// How long events are queued for an endpoint that does not poll.
    patience: Duration,
    closing: AtomicBool,
}

impl Hub {
    /// Creates a hub with the stored registrations.
    pub fn new(patience: Duration, known: Vec<RegistrationRow>) -> Self {
        let mut endpoints = Endpoints::default();
        for RegistrationRow { endpoint, user, token, expires, subscribed, .. } in known {
            let subscription = subscribed.then(Subscription::restored);
            let used = Instant::now();
            endpoints.add(endpoint, Endpoint { user, token, expires, used, subscription });
        }
        endpoints.note_subscribed();
        let closing = AtomicBool::new(false);
        Self { endpoints: Mutex::new(endpoints), budget: Budget::default(), patience, closing }
    }

    fn lock(&self) -> MutexGuard<'_, Endpoints> {
        self.endpoints.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The user and the endpoint of a registration token. `now` is in milliseconds since 1970.
    pub fn owner(&self, token: &str, now: i64) -> Option<(UserId, String)> {
        let mut endpoints = self.lock();
        let id = endpoints.by_handle.get(handle_of(token))?.clone();
        let found = endpoints.by_id.get_mut(&id)?;
        if !secret::same(&found.token, token) || found.expires <= now {
            return None;
        }
        found.used = Instant::now();
        Some((found.user.clone(), id))
    }

    /// Whether the user has an endpoint that was used recently.
    pub fn has_endpoint(&self, user: &UserId) -> bool {
        let endpoints = self.lock();
        let ids = endpoints.by_user.get(user).into_iter().flatten();
        ids.filter_map(|id| endpoints.by_id.get(id)).any(|e| e.used.elapsed() < self.patience)
    }

    /// Users with an active subscription.
    pub fn subscribed(&self) -> Arc<HashSet<UserId>> {
        Arc::clone(&self.lock().subscribed)
    }

    /// Ends all registrations and all pending polls.
    pub fn forget(&self) {
        let mut endpoints = self.lock();
        let ids: Vec<String> = endpoints.by_id.keys().cloned().collect();
        for id in ids {
            endpoints.remove(&id);
        }
        endpoints.note_subscribed();
    }

    /// Ends all polls, pending and future ones. Registrations stay.
    pub fn close(&self) {
        self.closing.store(true, Ordering::Release);
        for endpoint in self.lock().by_id.values() {
            if let Some(subscription) = &endpoint.subscription {
                subscription.wake_all();
            }
        }
    }

    pub fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Acquire)
    }

    pub fn publish(&self, events: Vec<Event>, now: i64) {
        if events.is_empty() {
            return;
        }
        let mut guard = self.lock();
        let endpoints = &mut *guard;
        let mut changed = false;
        for Event { audience, body } in events {
            let body = self.budget.share(body);
            for user in &audience {
                for id in endpoints.by_user.get(user).into_iter().flatten() {
                    let subscription = endpoints.by_id.get_mut(id);
                    let Some(subscription) = subscription.and_then(|e| e.subscription.as_mut())
                    else {
                        continue;
                    };
                    changed |= !subscription.push(&body, now, self.patience);
                }
            }
        }
        while self.budget.is_exceeded() {
            let all = endpoints.by_id.values_mut().filter_map(|e| e.subscription.as_mut());
            let waiting = all.filter(|subscription| subscription.holds_events());
            let Some(longest) = waiting.min_by_key(|subscription| subscription.polled()) else {
                break;
            };
            tracing::info!("events of an endpoint that does not poll are dropped");
            longest.interrupt();
            changed = true;
        }
        if changed {
            endpoints.note_subscribed();
        }
    }

    /// Creates an endpoint that expires after `life` milliseconds. `credential` is a hash of the Skype token. Returns
    /// what is to be stored, and the endpoints that were removed because they had expired or the user had too many.
    pub fn register(
        &self,
        user: UserId,
        credential: Digest,
        life: i64,
        now: i64,
    ) -> (RegistrationRow, Vec<String>) {
        let id = format!("{{{}}}", secret::guid());
        let (token, expires) = (secret::token(), now + life);
        let mut endpoints = self.lock();
        let over = endpoints.by_id.iter().filter(|(_, endpoint)| endpoint.expires <= now);
        let mut gone: Vec<String> = over.map(|(id, _)| id.clone()).collect();
        for id in &gone {
            endpoints.remove(id);
        }
        let full = endpoints.by_user.get(&user).is_some_and(|ids| ids.len() >= MAX_ENDPOINTS);
        if full && let Some(id) = endpoints.least_important(&user) {
            endpoints.remove(&id);
            gone.push(id);
        }
        let endpoint = Endpoint {
            user: user.clone(),
            token: token.clone(),
            expires,
            used: Instant::now(),
            subscription: None,
        };
        endpoints.add(id.clone(), endpoint);
        endpoints.note_subscribed();
        let row =
            RegistrationRow { endpoint: id, user, token, credential, expires, subscribed: false };
        (row, gone)
    }

    /// Ends a registration and its pending poll.
    ///
    /// # Errors
    /// If the user has no such endpoint.
    pub fn end(&self, user: &UserId, endpoint: &str) -> Result<(), ApiError> {
        let mut endpoints = self.lock();
        endpoints.find(user, endpoint)?;
        endpoints.remove(endpoint);
        endpoints.note_subscribed();
        Ok(())
    }

    /// Starts a subscription, which replaces an earlier one and its queue.
    ///
    /// # Errors
    /// If the user has no such endpoint.
    pub fn subscribe(&self, user: &UserId, endpoint: &str) -> Result<(), ApiError> {
        let mut endpoints = self.lock();
        let before = endpoints.find(user, endpoint)?.subscription.replace(Subscription::new());
        if let Some(before) = before {
            before.wake_all();
        }
        endpoints.note_subscribed();
        Ok(())
    }

    /// Drops acknowledged events and returns the first of the others. The poll may last for `wait`.
    ///
    /// # Errors
    /// If the user has no such endpoint, or events were lost and the client acknowledges events.
    pub fn waiting(
        &self,
        user: &UserId,
        endpoint: &str,
        ack: Option<u64>,
        wait: Duration,
    ) -> Result<Waiting, ApiError> {
        let mut endpoints = self.lock();
        let found = endpoints.find(user, endpoint)?;
        found.used = Instant::now();
        let subscription = found.subscription.as_mut().ok_or(ApiError::no_subscription())?;
        let was_live = subscription.is_live();
        if subscription.has_gap() && ack.is_some() {
            found.subscription = None;
            endpoints.note_subscribed();
            return Err(ApiError::no_subscription());
        }
        subscription.resume();
        subscription.polled_for(wait);
        if let Some(ack) = ack {
            subscription.forget_up_to(ack);
        }
        let waiting = Waiting {
            events: subscription.first(MAX_BATCH),
            wake: Arc::clone(subscription.wake()),
        };
        if !was_live {
            endpoints.note_subscribed();
        }
        Ok(waiting)
    }

    /// Drops events up to `id`: they were sent to a client that does not acknowledge, or they are outdated.
    pub fn forget_events(&self, user: &UserId, endpoint: &str, id: u64) {
        if let Some(subscription) = self.lock().subscription(user, endpoint) {
            subscription.forget_up_to(id);
        }
    }

    /// Records that a poll has ended before its time-out.
    pub fn answered(&self, user: &UserId, endpoint: &str) {
        if let Some(subscription) = self.lock().subscription(user, endpoint) {
            subscription.polled_for(Duration::ZERO);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::chat_key::ChatKey;
    use super::super::events::{EventBody, MessageEvent};
    use super::super::storage::MessageRow;
    use super::*;

    const WAIT: Duration = Duration::from_secs(30);

    fn message(audience: &[UserId], size: usize) -> Event {
        let row = MessageRow {
            id: 1,
            sender: UserId::new("8:a"),
            kind: "Text".into(),
            reveals: 1,
            version: 1,
            change: 1,
            body: "x".repeat(size),
        };
        let chat = ChatKey::Thread("19:t@thread.skype".into());
        let body = EventBody::Message(Box::new(MessageEvent::new(chat, row, None, true)));
        Event { audience: audience.to_vec(), body }
    }

    /// A hub with `count` users, each with one subscribed endpoint.
    fn hub(count: usize) -> (Hub, Vec<(UserId, String)>) {
        let hub = Hub::new(Duration::from_secs(600), Vec::new());
        let endpoints = (0..count).map(|i| {
            let user = UserId::from(format!("8:u.{i}"));
            let row = hub.register(user.clone(), Digest::default(), 1_000, 0).0;
            hub.subscribe(&user, &row.endpoint).unwrap();
            (user, row.endpoint)
        });
        let endpoints = endpoints.collect();
        (hub, endpoints)
    }

    fn users(endpoints: &[(UserId, String)]) -> Vec<UserId> {
        endpoints.iter().map(|(user, _)| user.clone()).collect()
    }

    #[test]
    fn fifty_abandoned_endpoints_share_six_thousand_messages() {
        let (hub, endpoints) = hub(50);
        for _ in 0..6_000 {
            hub.publish(vec![message(&users(&endpoints), 300)], 0);
        }
        assert!(!hub.budget.is_exceeded());
        for (user, endpoint) in &endpoints {
            let waiting = hub.waiting(user, endpoint, Some(0), WAIT).unwrap();
            assert_eq!(waiting.events.len(), MAX_BATCH);
            hub.waiting(user, endpoint, Some(u64::MAX), WAIT).unwrap();
        }
        assert_eq!(hub.budget.taken(), 0, "what was acknowledged is gone");
    }

    #[test]
    fn where_too_much_waits_those_lose_it_who_have_not_polled_for_longest() {
        let (hub, endpoints) = hub(12);
        let (last, others) = endpoints.split_last().unwrap();
        for (user, _) in others {
            // A body of their own, so that nothing is shared.
            for _ in 0..7 {
                hub.publish(vec![message(std::slice::from_ref(user), 256 * 1024)], 0);
            }
        }
        hub.waiting(&last.0, &last.1, Some(0), WAIT).unwrap();
        for _ in 0..7 {
            hub.publish(vec![message(std::slice::from_ref(&last.0), 256 * 1024)], 0);
            assert!(!hub.budget.is_exceeded());
        }
        assert_eq!(hub.waiting(&last.0, &last.1, Some(0), WAIT).unwrap().events.len(), 7);
        let (user, endpoint) = &endpoints[0];
        assert_eq!(hub.waiting(user, endpoint, Some(0), WAIT).err().unwrap().code, 450);
        assert!(!hub.subscribed().contains(user) && hub.subscribed().contains(&last.0));
    }

    #[test]
    fn a_queue_that_grows_too_large_is_dropped_whole() {
        let (hub, endpoints) = hub(1);
        let (user, endpoint) = &endpoints[0];
        for _ in 0..65 {
            hub.publish(vec![message(std::slice::from_ref(user), 64 * 1024)], 0);
        }
        assert_eq!(hub.budget.taken(), 0);
        let waiting = hub.waiting(user, endpoint, None, WAIT).unwrap();
        assert!(waiting.events.is_empty(), "it goes on with what comes from now on");
        hub.publish(vec![message(std::slice::from_ref(user), 10)], 0);
        assert_eq!(hub.waiting(user, endpoint, None, WAIT).unwrap().events.len(), 1);
    }

    #[test]
    fn a_user_has_a_bounded_number_of_endpoints_and_a_listening_one_stays() {
        let (hub, endpoints) = hub(1);
        let (user, listening) = &endpoints[0];
        let mut gone = Vec::new();
        for _ in 0..40 {
            gone.extend(hub.register(user.clone(), Digest::default(), 1_000, 0).1);
        }
        assert_eq!(gone.len(), 40 + 1 - MAX_ENDPOINTS);
        assert!(!gone.contains(listening) && hub.waiting(user, listening, None, WAIT).is_ok());
        let (_, over) = hub.register(user.clone(), Digest::default(), 1_000, 5_000);
        assert_eq!(over.len(), MAX_ENDPOINTS, "their time is over");
    }
}
