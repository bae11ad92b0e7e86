//! Endpoints, subscriptions and the long poll (facts 1.2, 2.2). Kept in memory: after a restart clients register anew.

use super::api_error::ApiError;
use super::auth::AuthUser;
use super::state::GatewayState;
use crate::model::UserId;
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Notify;

/// An endpoint that nobody polls loses its subscription here; its client repairs the gap.
const MAX_QUEUE: usize = 20_000;
/// Events in one answer.
const MAX_BATCH: usize = 1_000;
const FIRST_EVENT: u64 = 1_000;
/// One user's endpoints; the oldest goes first.
const MAX_ENDPOINTS: usize = 16;

/// Something that happened, for one user.
pub struct UserEvent {
    pub user: UserId,
    pub resource_type: &'static str,
    pub resource_link: String,
    pub resource: Value,
}

struct Endpoint {
    id: String,
    user: UserId,
    token: String,
    subscription: Option<Subscription>,
}

struct Subscription {
    next_id: u64,
    queue: VecDeque<Value>,
    wake: Arc<Notify>,
}

#[derive(Default)]
pub struct Hub {
    endpoints: Mutex<Vec<Endpoint>>,
    closed: std::sync::atomic::AtomicBool,
}

impl Hub {
    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Endpoint>> {
        self.endpoints.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn owner(&self, token: &str) -> Option<(UserId, String)> {
        let endpoints = self.lock();
        let found = endpoints.iter().find(|e| super::auth::same_secret(&e.token, token))?;
        Some((found.user.clone(), found.id.clone()))
    }

    pub fn has_endpoint(&self, user: &UserId) -> bool {
        self.lock().iter().any(|e| e.user == *user)
    }

    pub fn forget(&self) {
        let mut endpoints = self.lock();
        for endpoint in endpoints.drain(..) {
            if let Some(subscription) = endpoint.subscription {
                subscription.wake.notify_waiters();
                subscription.wake.notify_one();
            }
        }
    }

    pub fn close(&self) {
        self.closed.store(true, std::sync::atomic::Ordering::Release);
        self.forget();
    }

    pub fn publish(&self, event: &UserEvent) {
        for endpoint in self.lock().iter_mut().filter(|e| e.user == event.user) {
            let Some(subscription) = endpoint.subscription.as_mut() else { continue };
            if subscription.queue.len() >= MAX_QUEUE {
                endpoint.subscription = None;
                continue;
            }
            subscription.queue.push_back(json!({
                "id": subscription.next_id,
                "type": "EventMessage",
                "resourceType": event.resource_type,
                "time": super::render::rfc3339(super::state::now()),
                "resourceLink": event.resource_link,
                "resource": event.resource,
            }));
            subscription.next_id += 1;
            subscription.wake.notify_one();
        }
    }

    fn register(&self, user: UserId) -> (String, String) {
        let id = format!("{{{}}}", guid());
        let token = super::render::random_token();
        let mut endpoints = self.lock();
        if endpoints.iter().filter(|e| e.user == user).count() >= MAX_ENDPOINTS {
            // Commands that register and go away must not push out a program that listens.
            let silent = endpoints.iter().position(|e| e.user == user && e.subscription.is_none());
            let oldest = silent.or_else(|| endpoints.iter().position(|e| e.user == user));
            if let Some(gone) = oldest.map(|at| endpoints.remove(at))
                && let Some(subscription) = gone.subscription
            {
                subscription.wake.notify_one();
            }
        }
        endpoints.push(Endpoint { id: id.clone(), user, token: token.clone(), subscription: None });
        (id, token)
    }

    /// Takes what waits for an endpoint, after forgetting what was acknowledged.
    fn take(
        &self,
        user: &UserId,
        endpoint: &str,
        ack: Option<u64>,
    ) -> Result<(Vec<Value>, Arc<Notify>), ApiError> {
        let mut endpoints = self.lock();
        let found = endpoints.iter_mut().find(|e| e.id == endpoint && e.user == *user);
        let found = found.ok_or(ApiError::no_endpoint())?;
        let subscription = found.subscription.as_mut().ok_or(ApiError::no_subscription())?;
        let wake = Arc::clone(&subscription.wake);
        let Some(ack) = ack else {
            let count = subscription.queue.len().min(MAX_BATCH);
            return Ok((subscription.queue.drain(..count).collect(), wake));
        };
        // A client that acknowledges gets again what it did not: the answer before may have been lost.
        while subscription
            .queue
            .front()
            .is_some_and(|e| e["id"].as_u64().is_some_and(|id| id <= ack))
        {
            subscription.queue.pop_front();
        }
        Ok((subscription.queue.iter().take(MAX_BATCH).cloned().collect(), wake))
    }
}

fn guid() -> String {
    let hex = super::render::random_token();
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default().to_owned();
    format!("{}-{}-{}-{}-{}", part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32))
}

/// The endpoint a path names; `SELF` is the one of the registration token.
fn named(caller: &AuthUser, path: &str) -> Result<String, ApiError> {
    if path == "SELF" {
        return caller.endpoint.clone().ok_or(ApiError::no_endpoint());
    }
    Ok(path.to_owned())
}

pub async fn register(
    State(gateway): State<Arc<GatewayState>>,
    caller: AuthUser,
) -> Result<Response, ApiError> {
    if !gateway.long_poll {
        return Err(ApiError::no_endpoints());
    }
    let (id, token) = gateway.hub().register(caller.user);
    let expires = super::state::now() / 1000 + 86_400;
    let encoded = id.replace('{', "%7B").replace('}', "%7D");
    let headers = [
        (
            HeaderName::from_static("set-registrationtoken"),
            format!("registrationToken={token}; expires={expires}; endpointId={id}"),
        ),
        (header::LOCATION, format!("{}/v1/users/ME/endpoints/{encoded}", caller.origin)),
    ];
    Ok((StatusCode::CREATED, headers, Json(json!({}))).into_response())
}

/// Presence, keep-alive and endpoint settings: taken note of and answered.
pub async fn accept(_caller: AuthUser) -> Json<Value> {
    Json(json!({}))
}

pub async fn subscribe(
    State(gateway): State<Arc<GatewayState>>,
    caller: AuthUser,
    Path(endpoint): Path<String>,
) -> Result<Response, ApiError> {
    let endpoint = named(&caller, &endpoint)?;
    let mut endpoints = gateway.hub().lock();
    let found = endpoints
        .iter_mut()
        .find(|e| e.id == endpoint && e.user == caller.user)
        .ok_or(ApiError::no_endpoint())?;
    found.subscription = Some(Subscription {
        next_id: FIRST_EVENT,
        queue: VecDeque::new(),
        wake: Arc::new(Notify::new()),
    });
    let location = format!("{}/v1/users/ME/endpoints/SELF/subscriptions/0", caller.origin);
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(json!({}))).into_response())
}

#[derive(Deserialize)]
pub struct PollQuery {
    #[serde(rename = "ackId")]
    ack_id: Option<u64>,
}

pub async fn poll(
    State(gateway): State<Arc<GatewayState>>,
    caller: AuthUser,
    Path(endpoint): Path<String>,
    Query(query): Query<PollQuery>,
) -> Result<Json<Value>, ApiError> {
    let endpoint = named(&caller, &endpoint)?;
    let deadline = tokio::time::Instant::now() + gateway.poll_wait;
    loop {
        let (events, wake) = gateway.hub().take(&caller.user, &endpoint, query.ack_id)?;
        if !events.is_empty() {
            return Ok(Json(json!({ "eventMessages": events })));
        }
        if tokio::time::timeout_at(deadline, wake.notified()).await.is_err() {
            return Ok(Json(json!({})));
        }
    }
}
