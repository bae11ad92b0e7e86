//! Groups and their members.

use super::super::api_error::ApiError;
use super::super::render;
use super::super::rules::{conversations, members, threads as rules};
use super::super::state::GatewayState;
use super::super::storage::{MemberRow, StorageTx};
use super::JsonText;
use super::auth::AuthUser;
use super::body::{JsonBody, NameQuery, PathParts, QueryFields, RawBody};
use crate::model::{Role, UserId};
use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::sync::Arc;

#[derive(Deserialize)]
struct MemberBody {
    id: String,
    #[serde(default)]
    role: String,
}

impl From<&MemberBody> for MemberRow {
    fn from(body: &MemberBody) -> Self {
        Self { id: UserId::new(&body.id), role: Role::parse(&body.role) }
    }
}

#[derive(Deserialize)]
pub struct CreateBody {
    members: Vec<MemberBody>,
    #[serde(default)]
    properties: Map<String, Value>,
}

pub async fn create(
    State(gateway): State<Arc<GatewayState>>,
    caller: AuthUser,
    JsonBody(body): JsonBody<CreateBody>,
) -> Result<Response, ApiError> {
    let origin = caller.origin.clone();
    let members: Vec<MemberRow> = body.members.iter().map(MemberRow::from).collect();
    let is_chat = body.properties.contains_key(rules::UNIQUE);
    let id = gateway
        .change(move |work| rules::create(work, &caller.user, &members, &body.properties))
        .await?;
    if is_chat && gateway.emulation().is_some_and(|emulation| !emulation.options.names_new_chats) {
        return Ok(StatusCode::CREATED.into_response());
    }
    let location = format!("{origin}/v1/threads/{id}");
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(json!({}))).into_response())
}

pub async fn one(
    State(gateway): State<Arc<GatewayState>>,
    caller: AuthUser,
    PathParts(id): PathParts<String>,
) -> Result<JsonText, ApiError> {
    let AuthUser { user, origin, .. } = caller;
    let thread = gateway.read(move |store| rules::one(store, &user, &id)).await?;
    Ok(JsonText(render::thread(&thread, &gateway, &origin)))
}

pub async fn set_property(
    State(gateway): State<Arc<GatewayState>>,
    caller: AuthUser,
    PathParts(id): PathParts<String>,
    QueryFields(query): QueryFields<NameQuery>,
    JsonBody(body): JsonBody<Map<String, Value>>,
) -> Result<Json<Value>, ApiError> {
    let in_body = body.get("name").and_then(Value::as_str).map(str::to_owned);
    let name = query.name.or(in_body).ok_or(ApiError::bad("The property's name is missing."))?;
    let value =
        body.get(&name).cloned().ok_or(ApiError::bad("The property's value is missing."))?;
    gateway.change(move |work| rules::set_property(work, &caller.user, &id, &name, &value)).await?;
    Ok(Json(json!({})))
}

/// The new role of a member.
#[derive(Default, Deserialize)]
struct RoleBody {
    role: Option<String>,
}

/// Adds a member, sets a role, or joins an open group. The body may be empty.
pub async fn put_member(
    State(gateway): State<Arc<GatewayState>>,
    caller: AuthUser,
    PathParts((id, member)): PathParts<(String, String)>,
    RawBody(body): RawBody,
) -> Result<Json<Value>, ApiError> {
    let body = if body.is_empty() {
        RoleBody::default()
    } else {
        let body = serde_json::from_slice(&body);
        body.map_err(|_| ApiError::bad("The body is not the JSON that is expected here."))?
    };
    let role = body.role.as_deref().map(Role::parse);
    let member = UserId::from(member);
    gateway.change(move |work| members::put(work, &caller.user, &id, &member, role)).await?;
    Ok(Json(json!({})))
}

#[derive(Deserialize)]
pub struct AddBody {
    members: Vec<MemberBody>,
}

pub async fn add_members(
    State(gateway): State<Arc<GatewayState>>,
    caller: AuthUser,
    PathParts(id): PathParts<String>,
    JsonBody(body): JsonBody<AddBody>,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    let new: Vec<MemberRow> = body.members.iter().map(MemberRow::from).collect();
    gateway.change(move |work| members::add(work, &caller.user, &id, &new)).await?;
    Ok((StatusCode::CREATED, Json(json!({}))))
}

pub async fn remove_member(
    State(gateway): State<Arc<GatewayState>>,
    caller: AuthUser,
    PathParts((id, member)): PathParts<(String, String)>,
) -> Result<Json<Value>, ApiError> {
    let member = UserId::from(member);
    gateway.change(move |work| members::remove(work, &caller.user, &id, &member)).await?;
    Ok(Json(json!({})))
}

/// How far each member has read.
pub async fn consumption_horizons(
    State(gateway): State<Arc<GatewayState>>,
    caller: AuthUser,
    PathParts(id): PathParts<String>,
) -> Result<Json<Value>, ApiError> {
    let (thread, shared) = (id.clone(), Arc::clone(&gateway));
    let work = move |store: &dyn StorageTx| {
        conversations::read_marks(store, shared.directory(), &caller.user, &thread)
    };
    let marks = gateway.read(work).await?;
    let list: Vec<Value> = marks
        .into_iter()
        .map(|mark| {
            json!({
                "id": mark.user.as_str(),
                "consumptionhorizon": mark.horizon.as_deref().unwrap_or("0;0;0"),
                "messageVisibilityTime": mark.since,
            })
        })
        .collect();
    let version = super::super::state::now().to_string();
    Ok(Json(json!({ "id": id, "version": version, "consumptionhorizons": list })))
}
