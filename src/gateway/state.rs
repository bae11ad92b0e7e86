//! The gateway's shared state: users, database, event queues. Every change runs in one transaction, and its events
//! go out after the commit.

use super::api_error::ApiError;
use super::chat_key::ChatKey;
use super::db::{Db, Tx};
use super::fault::Faults;
use super::hub::Hub;
use super::{GatewayOptions, GatewayUser, auth};
use crate::model::UserId;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::broadcast;

/// A message that was committed.
#[derive(Clone)]
pub struct Committed {
    pub space: ChatKey,
    pub sender: UserId,
    pub participants: Vec<UserId>,
    pub kind: String,
    pub id: i64,
}

pub struct GatewayState {
    db: Mutex<Db>,
    users: Vec<GatewayUser>,
    hub: Hub,
    /// Every message as it is committed, for the scripted people.
    said: broadcast::Sender<Committed>,
    faults: Faults,
    allowed_hosts: Vec<String>,
    pub(super) origin: String,
    pub(super) poll_wait: Duration,
    pub(super) deduplicate: bool,
    pub(super) long_poll: bool,
}

impl GatewayState {
    pub(super) fn open(options: GatewayOptions, origin: String) -> Result<Self, rusqlite::Error> {
        let names: HashMap<UserId, String> =
            options.users.iter().map(|u| (u.id.clone(), u.name.clone())).collect();
        Ok(Self {
            db: Mutex::new(Db::open(options.db.as_deref(), names)?),
            users: options.users,
            hub: Hub::default(),
            said: broadcast::channel(256).0,
            faults: options.faults,
            allowed_hosts: options.allowed_hosts,
            origin,
            poll_wait: options.poll_wait,
            deduplicate: options.deduplicate,
            long_poll: options.long_poll,
        })
    }

    /// Ends waiting polls, so that a shutdown does not wait for them.
    pub(super) fn close(&self) {
        self.hub.close();
    }

    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    pub(super) fn hub(&self) -> &Hub {
        &self.hub
    }

    /// What is said from now on.
    pub(super) fn listen(&self) -> broadcast::Receiver<Committed> {
        self.said.subscribe()
    }

    /// Whether a real client has registered as this user; a scripted person then falls silent.
    pub fn is_registered(&self, user: &UserId) -> bool {
        self.hub.has_endpoint(user)
    }

    /// Forgets all registrations, as a restarted service does: clients must register and repair.
    pub fn forget_endpoints(&self) {
        self.hub.forget();
    }

    pub(super) fn user_of(&self, token: &str) -> Option<UserId> {
        if token.is_empty() {
            return None;
        }
        // Every token is compared, so that the time taken does not tell which one nearly matched.
        let mut found = None;
        for user in &self.users {
            if auth::same_secret(&user.token, token) {
                found = Some(user.id.clone());
            }
        }
        found
    }

    /// DNS rebinding makes a browser send another name to this address: loopback names and the allowed ones only.
    pub(super) fn answers_for(&self, host: &str) -> bool {
        let name = if host.starts_with('[') {
            host.split_once(']').map_or(host, |(name, _)| name).trim_start_matches('[')
        } else {
            host.split(':').next().unwrap_or_default()
        };
        let local = matches!(name, "127.0.0.1" | "localhost" | "::1");
        local || self.allowed_hosts.iter().any(|h| h.eq_ignore_ascii_case(name))
    }

    /// Runs `work` in one transaction off the runtime's threads, then sends out its events.
    pub(super) async fn change<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T, ApiError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let gateway = Arc::clone(self);
        let done = tokio::task::spawn_blocking(move || gateway.change_blocking(work)).await;
        done.unwrap_or_else(|_| Err(ApiError::bad("The request failed inside the gateway.")))
    }

    /// [`GatewayState::change`] for callers that may block: seeding and scripted people.
    pub(super) fn change_blocking<T>(
        &self,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        let mut db = self.db.lock().unwrap_or_else(PoisonError::into_inner);
        let mut tx = db.begin(now(), &self.origin)?;
        let result = work(&mut tx)?;
        let (events, said) = tx.commit()?;
        // Still under the lock: events reach the queues in the order of the commits.
        for event in events {
            self.hub.publish(&event);
        }
        drop(db);
        for said in said {
            // Nobody listens outside a demo.
            let _ = self.said.send(said);
        }
        Ok(result)
    }
}

/// Milliseconds since 1970.
pub fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
