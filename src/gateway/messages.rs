//! Reading, sending, changing and clearing messages.

use super::api_error::{ApiError, JsonBody};
use super::auth::AuthUser;
use super::conversations::{ListQuery, NameQuery, SyncState, tell_view};
use super::db::Tx;
use super::render;
use super::rows::MessageRow;
use super::state::GatewayState;
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use std::sync::Arc;

const DEFAULT_PAGE: usize = 30;
/// The service itself stops near 28 KB (facts 3.2).
const MAX_CONTENT: usize = 32 * 1024;
/// All fields of a message together: a page of them must stay readable for every client.
const MAX_FIELDS: usize = 64 * 1024;
/// Message properties that only the server writes.
const SERVER_PROPERTIES: [&str; 4] = ["emotions", "edittime", "deletetime", "importedBy"];
/// Fields that a sender may set; everything else is the server's.
const SENDER_FIELDS: [&str; 11] = [
    "content",
    "messagetype",
    "contenttype",
    "clientmessageid",
    "imdisplayname",
    "composetime",
    "skypeeditedid",
    "skypeemoteoffset",
    "Has-Mentions",
    "amsreferences",
    "properties",
];

pub async fn list(
    State(gateway): State<Arc<GatewayState>>,
    caller: AuthUser,
    Path(id): Path<String>,
    Query(query): Query<ListQuery>,
) -> Result<Json<Value>, ApiError> {
    gateway.change(move |tx| page(tx, &caller, &id, &query)).await.map(Json)
}

fn page(
    tx: &mut Tx<'_>,
    caller: &AuthUser,
    id: &str,
    query: &ListQuery,
) -> Result<Value, ApiError> {
    let space = tx.enter(&caller.user, id)?;
    let view = tx.find_view(&caller.user, &space)?.ok_or(ApiError::no_conversation())?;
    let window = view.window();
    let key = space.key();
    let (state, rows) = match &query.sync_state {
        None => {
            let start = query.start_time.unwrap_or(0);
            let page = query.page_size().unwrap_or(DEFAULT_PAGE);
            let end = query.end_time.unwrap_or(i64::MAX);
            let window = (window.0.max(start), window.1.min(end));
            let rows = tx.older(&key, window, i64::MAX, page)?;
            let newest = tx.changed_up_to(&key)?;
            let low = rows.last().map_or(i64::MAX, |row| row.id);
            (SyncState { high: newest, low, row: 0, start, page }, rows)
        }
        Some(token) => {
            // First what is new, oldest change first so that nothing is skipped, then the next older page.
            let state = SyncState::decode(token)?;
            let page = query.page_size().unwrap_or(state.page);
            let mut rows = tx.changed(&key, window, state.high, page)?;
            let high = if rows.len() < page {
                tx.changed_up_to(&key)?
            } else {
                rows.last().map_or(state.high, |r| r.change)
            };
            rows.sort_by_key(|row| std::cmp::Reverse(row.id));
            let room = page - rows.len();
            let bounds = (window.0.max(state.start), window.1);
            let older = tx.older(&key, bounds, state.low, room)?;
            let low = older.last().map_or(state.low, |row| row.id);
            rows.extend(older.into_iter().filter(|old| old.change <= state.high));
            (SyncState { high, low, row: 0, start: state.start, page }, rows)
        }
    };
    let bounds = (window.0.max(state.start), window.1);
    let has_older = state.low != i64::MAX && !tx.older(&key, bounds, state.low, 1)?.is_empty();
    let items: Vec<Value> =
        rows.iter().map(|row| render::message(row, &space, &caller.user, &caller.origin)).collect();
    let path = format!("/v1/users/ME/conversations/{id}/messages");
    let metadata = render::metadata(
        &caller.origin,
        &path,
        &state.encode(),
        has_older,
        items.len(),
        query.view(),
    );
    Ok(json!({ "_metadata": metadata, "messages": items }))
}

impl Tx<'_> {
    /// The newest change in a space.
    fn changed_up_to(&self, space: &str) -> Result<i64, rusqlite::Error> {
        self.sql
            .prepare_cached("SELECT ifnull(max(change), 0) FROM messages WHERE space = ?1")?
            .query_row([space], |row| row.get(0))
    }
}

pub async fn send(
    State(gateway): State<Arc<GatewayState>>,
    caller: AuthUser,
    Path(id): Path<String>,
    JsonBody(body): JsonBody<Map<String, Value>>,
) -> Result<Response, ApiError> {
    let body = sender_fields(body)?;
    let deduplicate = gateway.deduplicate;
    let origin = caller.origin.clone();
    let row = gateway
        .change(move |tx| post(tx, &caller, &id, body, deduplicate).map(|row| (id, row)))
        .await?;
    let (id, arrival) = row;
    let location = format!("{origin}/v1/users/ME/conversations/{id}/messages/{arrival}");
    Ok((
        StatusCode::CREATED,
        [(header::LOCATION, location)],
        Json(json!({ "OriginalArrivalTime": arrival })),
    )
        .into_response())
}

fn sender_fields(body: Map<String, Value>) -> Result<Map<String, Value>, ApiError> {
    let mut kept: Map<String, Value> = body
        .into_iter()
        .filter(|(k, v)| SENDER_FIELDS.contains(&k.as_str()) && !v.is_null())
        .collect();
    let kind = kept.entry("messagetype").or_insert_with(|| "Text".into());
    if kind.as_str().is_none_or(str::is_empty) {
        return Err(ApiError::bad("The messagetype is missing."));
    }
    if kind.as_str().is_some_and(|k| k.starts_with("ThreadActivity/")) {
        return Err(ApiError::forbidden("Thread activities are written by the server."));
    }
    kept.entry("contenttype").or_insert_with(|| "text".into());
    let content = kept.entry("content").or_insert_with(|| "".into());
    match content.as_str() {
        None => return Err(ApiError::bad("The content is not text.")),
        Some(text) if text.len() > MAX_CONTENT => {
            return Err(ApiError::bad("The message is too large."));
        }
        Some(_) => {}
    }
    if let Some(client_id) = kept.get_mut("clientmessageid")
        && !client_id.is_string()
    {
        *client_id = client_id.to_string().into();
    }
    if kept.contains_key("skypeeditedid") {
        kept.remove("clientmessageid");
    }
    if let Some(Value::Object(properties)) = kept.get_mut("properties") {
        properties.retain(|name, _| !SERVER_PROPERTIES.contains(&name.as_str()));
    }
    let kept = Value::Object(kept);
    if kept.to_string().len() > MAX_FIELDS {
        return Err(ApiError::bad("The message is too large."));
    }
    match kept {
        Value::Object(kept) => Ok(kept),
        _ => Err(ApiError::bad("The message is no object.")),
    }
}

fn post(
    tx: &mut Tx<'_>,
    caller: &AuthUser,
    id: &str,
    body: Map<String, Value>,
    deduplicate: bool,
) -> Result<i64, ApiError> {
    let space = tx.enter(&caller.user, id)?;
    if body.get("messagetype").and_then(Value::as_str).is_some_and(|k| k.starts_with("Control/")) {
        let signal = MessageRow {
            id: tx.now,
            sender: caller.user.as_str().to_owned(),
            version: tx.now,
            change: 0,
            body,
        };
        tx.tell_message(&space, &signal, "NewMessage")?;
        return Ok(tx.now);
    }
    if deduplicate
        && let Some(client_id) = body.get("clientmessageid").and_then(Value::as_str)
        && let Some(known) = tx.by_client_id(&space, &caller.user, client_id)?
    {
        return Ok(known.id);
    }
    Ok(tx.post(&space, caller.user.as_str(), body)?.id)
}

/// The caller's own message.
fn own(
    tx: &Tx<'_>,
    caller: &AuthUser,
    space: &super::chat_key::ChatKey,
    message: &str,
) -> Result<MessageRow, ApiError> {
    let row = tx
        .message(&caller.user, space, message)?
        .ok_or(ApiError::not_found("There is no such message."))?;
    if row.kind().starts_with("ThreadActivity/") {
        return Err(ApiError::forbidden("What the server wrote cannot be changed."));
    }
    if row.sender != caller.user.as_str() {
        return Err(ApiError::forbidden("Only the sender may change a message."));
    }
    Ok(row)
}

/// Changes a message's properties; anything but an object is replaced by an empty one first.
fn with_properties(row: &mut MessageRow, change: impl FnOnce(&mut Map<String, Value>)) {
    let mut properties = match row.body.remove("properties") {
        Some(Value::Object(map)) => map,
        _ => Map::new(),
    };
    change(&mut properties);
    row.body.insert("properties".into(), Value::Object(properties));
}

pub async fn edit(
    State(gateway): State<Arc<GatewayState>>,
    caller: AuthUser,
    Path((id, message)): Path<(String, String)>,
    JsonBody(body): JsonBody<Map<String, Value>>,
) -> Result<Json<Value>, ApiError> {
    let new = sender_fields(body)?;
    let work = move |tx: &mut Tx<'_>| {
        let space = tx.enter(&caller.user, &id)?;
        let mut row = own(tx, &caller, &space, &message)?;
        for (field, value) in new {
            if field != "clientmessageid" && field != "properties" {
                row.body.insert(field, value);
            }
        }
        let now = tx.now;
        with_properties(&mut row, |properties| {
            properties.insert("edittime".into(), now.to_string().into());
            properties.remove("deletetime");
        });
        tx.update_message(&space, row)?;
        Ok(now)
    };
    let edited = gateway.change(work).await?;
    Ok(Json(json!({ "edittime": edited })))
}

pub async fn delete(
    State(gateway): State<Arc<GatewayState>>,
    caller: AuthUser,
    Path((id, message)): Path<(String, String)>,
) -> Result<Json<Value>, ApiError> {
    let work = move |tx: &mut Tx<'_>| {
        let space = tx.enter(&caller.user, &id)?;
        let mut row = own(tx, &caller, &space, &message)?;
        row.body.insert("content".into(), "".into());
        let now = tx.now;
        with_properties(&mut row, |properties| {
            properties.insert("deletetime".into(), now.to_string().into());
            properties.remove("emotions");
        });
        tx.update_message(&space, row)?;
        Ok(now)
    };
    let deleted = gateway.change(work).await?;
    Ok(Json(json!({ "deletetime": deleted })))
}

pub async fn react(
    State(gateway): State<Arc<GatewayState>>,
    caller: AuthUser,
    Path((id, message)): Path<(String, String)>,
    Query(query): Query<NameQuery>,
    JsonBody(body): JsonBody<Value>,
) -> Result<Json<Value>, ApiError> {
    emotion(gateway, caller, id, message, query, body, true).await
}

pub async fn unreact(
    State(gateway): State<Arc<GatewayState>>,
    caller: AuthUser,
    Path((id, message)): Path<(String, String)>,
    Query(query): Query<NameQuery>,
    JsonBody(body): JsonBody<Value>,
) -> Result<Json<Value>, ApiError> {
    emotion(gateway, caller, id, message, query, body, false).await
}

async fn emotion(
    gateway: Arc<GatewayState>,
    caller: AuthUser,
    id: String,
    message: String,
    query: NameQuery,
    body: Value,
    on: bool,
) -> Result<Json<Value>, ApiError> {
    if query.name.as_deref() != Some("emotions") {
        return Err(ApiError::bad("Unknown property."));
    }
    let key = body["emotions"]["key"].as_str().filter(|k| !k.is_empty() && k.len() <= 64);
    let key = key.ok_or(ApiError::bad("The reaction's key is missing."))?.to_owned();
    let work = move |tx: &mut Tx<'_>| {
        let space = tx.enter(&caller.user, &id)?;
        let mut row = tx
            .message(&caller.user, &space, &message)?
            .ok_or(ApiError::not_found("There is no such message."))?;
        let me = caller.user.as_str();
        let now = tx.now;
        with_properties(&mut row, |properties| set_emotion(properties, &key, me, on, now));
        tx.update_message(&space, row)?;
        Ok(())
    };
    gateway.change(work).await?;
    Ok(Json(json!({})))
}

fn set_emotion(properties: &mut Map<String, Value>, key: &str, me: &str, on: bool, now: i64) {
    let mut emotions: Vec<Value> =
        properties.get("emotions").and_then(Value::as_array).cloned().unwrap_or_default();
    if !emotions.iter().any(|e| e["key"] == *key) {
        emotions.push(json!({ "key": key, "users": [] }));
    }
    for emotion in emotions.iter_mut().filter(|e| e["key"] == *key) {
        if let Some(users) = emotion["users"].as_array_mut() {
            users.retain(|u| u["mri"] != me);
            if on {
                users.push(json!({ "mri": me, "time": now, "value": now.to_string() }));
            }
        }
    }
    emotions.retain(|e| e["users"].as_array().is_some_and(|u| !u.is_empty()));
    properties.insert("emotions".into(), emotions.into());
}

/// Deletes the history for this account: what is there now is no longer shown to it.
pub async fn clear(
    State(gateway): State<Arc<GatewayState>>,
    caller: AuthUser,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let work = move |tx: &mut Tx<'_>| {
        let space = tx.enter(&caller.user, &id)?;
        let mut view = tx.view(&caller.user, &space)?;
        view.cleared_at = view.activity.max(view.cleared_at);
        tx.save_view(&caller.user, &view)?;
        tell_view(tx, &caller.user, &space)
    };
    gateway.change(work).await?;
    Ok(Json(json!({})))
}

pub async fn ack(_caller: AuthUser) -> Json<Value> {
    Json(json!({}))
}
