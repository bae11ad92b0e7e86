//! Reading, sending, changing and clearing messages.

use super::super::api_error::ApiError;
use super::super::render::{self, PageLink};
use super::super::rules::fields::SenderFields;
use super::super::rules::{conversations, messages as rules};
use super::super::state::GatewayState;
use super::super::storage::StorageTx;
use super::JsonText;
use super::auth::AuthUser;
use super::body::{JsonBody, NameQuery, PathParts, QueryFields};
use super::conversations::ListQuery;
use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use std::sync::Arc;

pub async fn list(
    State(gateway): State<Arc<GatewayState>>,
    caller: AuthUser,
    PathParts(id): PathParts<String>,
    QueryFields(query): QueryFields<ListQuery>,
) -> Result<JsonText, ApiError> {
    let shared = Arc::clone(&gateway);
    let work = move |store: &dyn StorageTx| {
        let page = rules::page(store, shared.directory(), &caller.user, &id, &query.request())?;
        let rows = page.rows.iter();
        let items: Vec<String> =
            rows.map(|row| render::message(row, &page.chat, caller.viewer())).collect();
        let link = PageLink {
            origin: &caller.origin,
            path: &format!("{}/messages", render::conversation_path(&id)),
            sync_state: &page.state.encode(),
            view: query.view(),
            has_older: page.has_older,
        };
        Ok(JsonText(render::page("messages", &items, &link)))
    };
    gateway.read(work).await
}

pub async fn send(
    State(gateway): State<Arc<GatewayState>>,
    caller: AuthUser,
    PathParts(id): PathParts<String>,
    JsonBody(body): JsonBody<Map<String, Value>>,
) -> Result<Response, ApiError> {
    let fields = SenderFields::new(body)?;
    let deduplicate = gateway.deduplicate;
    let base = format!("{}{}/messages", caller.origin, render::conversation_path(&id));
    let arrival = gateway
        .change(move |work| rules::send(work, &caller.user, &id, fields, deduplicate))
        .await?;
    let location = [(header::LOCATION, format!("{base}/{arrival}"))];
    let answer = Json(json!({ "OriginalArrivalTime": arrival }));
    Ok((StatusCode::CREATED, location, answer).into_response())
}

pub async fn edit(
    State(gateway): State<Arc<GatewayState>>,
    caller: AuthUser,
    PathParts((id, message)): PathParts<(String, String)>,
    JsonBody(body): JsonBody<Map<String, Value>>,
) -> Result<Json<Value>, ApiError> {
    let fields = SenderFields::of_edit(body)?;
    let edited =
        gateway.change(move |work| rules::edit(work, &caller.user, &id, &message, fields)).await?;
    Ok(Json(json!({ "edittime": edited })))
}

pub async fn delete(
    State(gateway): State<Arc<GatewayState>>,
    caller: AuthUser,
    PathParts((id, message)): PathParts<(String, String)>,
) -> Result<Json<Value>, ApiError> {
    let deleted =
        gateway.change(move |work| rules::delete(work, &caller.user, &id, &message)).await?;
    Ok(Json(json!({ "deletetime": deleted })))
}

pub async fn react(
    State(gateway): State<Arc<GatewayState>>,
    caller: AuthUser,
    path: PathParts<(String, String)>,
    query: QueryFields<NameQuery>,
    JsonBody(body): JsonBody<Value>,
) -> Result<Json<Value>, ApiError> {
    emotion(&gateway, caller, path, query, &body, true).await
}

pub async fn unreact(
    State(gateway): State<Arc<GatewayState>>,
    caller: AuthUser,
    path: PathParts<(String, String)>,
    query: QueryFields<NameQuery>,
    JsonBody(body): JsonBody<Value>,
) -> Result<Json<Value>, ApiError> {
    emotion(&gateway, caller, path, query, &body, false).await
}

async fn emotion(
    gateway: &GatewayState,
    caller: AuthUser,
    PathParts((id, message)): PathParts<(String, String)>,
    QueryFields(query): QueryFields<NameQuery>,
    body: &Value,
    on: bool,
) -> Result<Json<Value>, ApiError> {
    if query.name.as_deref() != Some("emotions") {
        return Err(ApiError::bad("Unknown property."));
    }
    let key = body["emotions"]["key"].as_str().unwrap_or_default().to_owned();
    gateway.change(move |work| rules::react(work, &caller.user, &id, &message, (&key, on))).await?;
    Ok(Json(json!({})))
}

/// Deletes the history for this account.
pub async fn clear(
    State(gateway): State<Arc<GatewayState>>,
    caller: AuthUser,
    PathParts(id): PathParts<String>,
) -> Result<Json<Value>, ApiError> {
    gateway.change(move |work| conversations::clear(work, &caller.user, &id)).await?;
    Ok(Json(json!({})))
}
