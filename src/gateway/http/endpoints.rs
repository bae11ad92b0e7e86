//! Registering, subscribing and the long poll (facts 1.2, 2.2).

use super::super::api_error::ApiError;
use super::super::events::EventBody;
use super::super::hub::QueuedEvent;
use super::super::render;
use super::super::rules::registrations::{self, Registered};
use super::super::rules::{conversations, threads};
use super::super::state::GatewayState;
use super::super::storage::StorageTx;
use super::JsonText;
use super::auth::AuthUser;
use super::body::{PathParts, QueryFields};
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::sync::Arc;

/// No event is added to an answer that is larger than this, in bytes.
const MAX_ANSWER: usize = 1024 * 1024;

/// The endpoint in a path; `SELF` is that of the registration token.
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
    let AuthUser { user, origin, .. } = caller;
    let registered = gateway.change(move |work| registrations::register(work, &user)).await?;
    let Registered { endpoint: id, token, expires } = registered;
    let expires = expires / 1_000;
    let encoded = id.replace('{', "%7B").replace('}', "%7D");
    let headers = [
        (
            HeaderName::from_static("set-registrationtoken"),
            format!("registrationToken={token}; expires={expires}; endpointId={id}"),
        ),
        (header::LOCATION, format!("{origin}/v1/users/ME/endpoints/{encoded}")),
    ];
    Ok((StatusCode::CREATED, headers, Json(json!({}))).into_response())
}

/// Ends a registration and its pending poll.
pub async fn end(
    State(gateway): State<Arc<GatewayState>>,
    caller: AuthUser,
    PathParts(endpoint): PathParts<String>,
) -> Result<Json<Value>, ApiError> {
    let endpoint = named(&caller, &endpoint)?;
    gateway.change(move |work| registrations::end(work, &caller.user, &endpoint)).await?;
    Ok(Json(json!({})))
}

/// Keeps an endpoint alive.
pub async fn active(_caller: AuthUser) -> (StatusCode, Json<Value>) {
    (StatusCode::CREATED, Json(json!({})))
}

/// Answers without a credential.
pub async fn ping() -> Json<Value> {
    Json(json!({}))
}

/// Accepts presence, acknowledgements and endpoint settings without any effect.
pub async fn accept(_caller: AuthUser) -> Json<Value> {
    Json(json!({}))
}

pub async fn subscribe(
    State(gateway): State<Arc<GatewayState>>,
    caller: AuthUser,
    PathParts(endpoint): PathParts<String>,
) -> Result<Response, ApiError> {
    let endpoint = named(&caller, &endpoint)?;
    let AuthUser { user, origin, .. } = caller;
    gateway.change(move |work| registrations::subscribe(work, &user, &endpoint)).await?;
    let location = format!("{origin}/v1/users/ME/endpoints/SELF/subscriptions/0");
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
    PathParts(endpoint): PathParts<String>,
    QueryFields(query): QueryFields<PollQuery>,
) -> Result<JsonText, ApiError> {
    let endpoint = named(&caller, &endpoint)?;
    let caller = Arc::new(caller);
    let deadline = tokio::time::Instant::now() + gateway.poll_wait;
    loop {
        let hub = gateway.hub();
        let wait = deadline.saturating_duration_since(tokio::time::Instant::now());
        let waiting = hub.waiting(&caller.user, &endpoint, query.ack_id, wait)?;
        if hub.is_closing() {
            return Ok(JsonText("{}".into()));
        }
        if let Some(last) = waiting.events.last().map(|event| event.id) {
            let answer = write_events(&gateway, &caller, waiting.events).await?;
            // For a client that acknowledges, events stay queued: this answer may get lost.
            let sent = if query.ack_id.is_none() { answer.last } else { None };
            let useless = answer.is_empty().then_some(last);
            if let Some(done) = useless.or(sent) {
                hub.forget_events(&caller.user, &endpoint, done);
            }
            if !answer.is_empty() {
                hub.answered(&caller.user, &endpoint);
                return Ok(answer.into_json());
            }
        } else if tokio::time::timeout_at(deadline, waiting.wake.notified()).await.is_err() {
            return Ok(PollResponse::default().into_json());
        }
    }
}

/// The answer to a poll.
#[derive(Default)]
struct PollResponse {
    events: Vec<String>,
    size: usize,
    /// The id of the last event that was processed.
    last: Option<u64>,
}

impl PollResponse {
    fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    fn into_json(self) -> JsonText {
        JsonText(format!("{{\"eventMessages\":[{}]}}", self.events.join(",")))
    }

    fn add(&mut self, id: u64, event: Option<String>) {
        self.last = Some(id);
        self.size += event.as_ref().map_or(0, String::len);
        self.events.extend(event);
    }
}

/// Writes events for the caller. The database is read only for events about the state of a group or conversation.
async fn write_events(
    gateway: &Arc<GatewayState>,
    caller: &Arc<AuthUser>,
    events: Vec<QueuedEvent>,
) -> Result<PollResponse, ApiError> {
    if events.iter().all(|event| matches!(event.body(), EventBody::Message(_))) {
        return write_all(caller, &events, |_| Ok(None));
    }
    let (shared, caller) = (Arc::clone(gateway), Arc::clone(caller));
    gateway
        .read(move |store| {
            write_all(&caller, &events, |body| write_state(store, &shared, &caller, body))
        })
        .await
}

fn write_all(
    caller: &AuthUser,
    events: &[QueuedEvent],
    state: impl Fn(&EventBody) -> Result<Option<(String, String)>, ApiError>,
) -> Result<PollResponse, ApiError> {
    let outdated = outdated(events);
    let mut answer = PollResponse::default();
    for event in events {
        let written = match event.body() {
            EventBody::Message(message) => {
                Some(render::message_event(event, message, caller.viewer()))
            }
            _ if outdated.contains(&event.id) => None,
            body => state(body)?.map(|(resource, link)| render::event(event, &link, &resource)),
        };
        answer.add(event.id, written);
        if answer.size > MAX_ANSWER {
            break;
        }
    }
    Ok(answer)
}

/// The ids of events about a state that a later event also contains.
fn outdated(events: &[QueuedEvent]) -> HashSet<u64> {
    let mut covered = HashSet::new();
    let mut outdated = HashSet::new();
    for event in events.iter().rev() {
        let key = match event.body() {
            EventBody::Message(_) => continue,
            EventBody::Conversation(chat) => (true, chat.key()),
            EventBody::Thread(id) => (false, id.clone()),
        };
        if !covered.insert(key) {
            outdated.insert(event.id);
        }
    }
    outdated
}

/// The current state of a group or conversation, and its link; `None` if the caller may not see it any more.
fn write_state(
    store: &dyn StorageTx,
    gateway: &GatewayState,
    caller: &AuthUser,
    body: &EventBody,
) -> Result<Option<(String, String)>, ApiError> {
    let origin = &caller.origin;
    let written = match body {
        EventBody::Conversation(chat) => {
            let id = chat.seen_by(&caller.user);
            let link = format!("{origin}{}", render::conversation_path(&id));
            let found = conversations::one(store, gateway.directory(), &caller.user, &id);
            found.map(|found| (render::conversation(&found, caller.viewer()), link))
        }
        EventBody::Thread(id) => {
            let link = format!("{origin}/v1/threads/{id}");
            let found = threads::one(store, &caller.user, id);
            found.map(|found| (render::thread(&found, gateway, origin), link))
        }
        EventBody::Message(_) => return Ok(None),
    };
    match written {
        Ok(written) => Ok(Some(written)),
        Err(error) if error.status == 500 => Err(error),
        Err(_) => Ok(None),
    }
}
