//! The conversation list, one conversation, and its properties for one account.

use super::super::api_error::ApiError;
use super::super::render::{self, PageLink};
use super::super::rules::conversations as rules;
use super::super::rules::paging::PageQuery;
use super::super::state::GatewayState;
use super::super::storage::StorageTx;
use super::JsonText;
use super::auth::AuthUser;
use super::body::{JsonBody, NameQuery, PathParts, QueryFields};
use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// The query of a paged list.
#[derive(Deserialize)]
pub struct ListQuery {
    #[serde(default, rename = "startTime", deserialize_with = "number")]
    start_time: Option<i64>,
    #[serde(default, rename = "endTime", deserialize_with = "number")]
    end_time: Option<i64>,
    #[serde(default, rename = "pageSize", deserialize_with = "number")]
    page_size: Option<i64>,
    view: Option<String>,
    #[serde(rename = "targetType")]
    target_type: Option<String>,
    #[serde(rename = "syncState")]
    sync_state: Option<String>,
}

/// A number; anything else is ignored.
fn number<'de, D: serde::Deserializer<'de>>(d: D) -> Result<Option<i64>, D::Error> {
    let text = Option::<String>::deserialize(d)?;
    Ok(text.and_then(|t| t.trim().parse().ok()))
}

impl ListQuery {
    pub fn request(&self) -> PageQuery {
        PageQuery::new(self.start_time, self.end_time, self.page_size, self.sync_state.clone())
    }

    pub fn view(&self) -> &str {
        self.view.as_deref().unwrap_or("msnp24Equivalent")
    }
}

pub async fn list(
    State(gateway): State<Arc<GatewayState>>,
    caller: AuthUser,
    QueryFields(query): QueryFields<ListQuery>,
) -> Result<JsonText, ApiError> {
    let shared = Arc::clone(&gateway);
    let work = move |store: &dyn StorageTx| {
        let (directory, target_type) = (shared.directory(), query.target_type.as_deref());
        let page = rules::page(store, directory, &caller.user, &query.request(), target_type)?;
        let items: Vec<String> =
            page.items.iter().map(|item| render::conversation(item, caller.viewer())).collect();
        let link = PageLink {
            origin: &caller.origin,
            path: "/v1/users/ME/conversations",
            sync_state: &page.state.encode(),
            view: query.view(),
            has_older: page.has_older,
        };
        Ok(JsonText(render::page("conversations", &items, &link)))
    };
    gateway.read(work).await
}

pub async fn one(
    State(gateway): State<Arc<GatewayState>>,
    caller: AuthUser,
    PathParts(id): PathParts<String>,
) -> Result<JsonText, ApiError> {
    let conversation = {
        let (me, shared) = (caller.user.clone(), Arc::clone(&gateway));
        gateway.read(move |store| rules::one(store, shared.directory(), &me, &id)).await?
    };
    Ok(JsonText(render::conversation(&conversation, caller.viewer())))
}

/// Sets `consumptionhorizon`, `alerts` and the like.
pub async fn set_property(
    State(gateway): State<Arc<GatewayState>>,
    caller: AuthUser,
    PathParts(id): PathParts<String>,
    QueryFields(query): QueryFields<NameQuery>,
    JsonBody(body): JsonBody<Map<String, Value>>,
) -> Result<Json<Value>, ApiError> {
    let in_body = || body.get("name").and_then(Value::as_str).map(str::to_owned);
    let name = query.name.or_else(in_body).ok_or(ApiError::bad("Unknown property."))?;
    let value = match body.get(&name) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Bool(flag)) => flag.to_string(),
        _ => return Err(ApiError::bad("The property's value is missing.")),
    };
    gateway.change(move |work| rules::set_property(work, &caller.user, &id, &name, &value)).await?;
    Ok(Json(json!({})))
}
