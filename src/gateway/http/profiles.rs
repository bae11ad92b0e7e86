//! Display names, the caller's profile, and contacts.

use super::super::api_error::ApiError;
use super::super::chat_key::is_person_id;
use super::super::state::GatewayState;
use super::auth::AuthUser;
use super::body::JsonBody;
use crate::model::UserId;
use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::sync::Arc;

const MAX_MRIS: usize = 1_000;

#[derive(Deserialize)]
pub struct Wanted {
    mris: Vec<String>,
}

/// Looks up display names. Unknown ids are left out of the answer.
pub async fn look_up(
    State(gateway): State<Arc<GatewayState>>,
    _caller: AuthUser,
    JsonBody(body): JsonBody<Wanted>,
) -> Result<Json<Value>, ApiError> {
    if body.mris.len() > MAX_MRIS {
        return Err(ApiError::bad("Too many ids."));
    }
    let mut profiles = Map::new();
    for mri in body.mris {
        let name = gateway.directory().name(&UserId::new(&mri));
        if !name.is_empty() {
            profiles.insert(mri, json!({ "profile": { "displayName": name } }));
        }
    }
    Ok(Json(json!({ "profiles": profiles })))
}

/// The id of the caller without its prefix, and the display name (facts 8.4).
pub async fn own(State(gateway): State<Arc<GatewayState>>, caller: AuthUser) -> Json<Value> {
    let name = gateway.directory().name(&caller.user);
    Json(json!({
        "id": caller.user.as_str(),
        "primaryMemberName": caller.user.bare(),
        "userDetails": json!({ "name": name }).to_string(),
    }))
}

/// The people with whom the caller has a one-to-one conversation.
pub async fn contacts(
    State(gateway): State<Arc<GatewayState>>,
    caller: AuthUser,
) -> Result<Json<Value>, ApiError> {
    let me = caller.user.clone();
    let entries = gateway.read(move |store| Ok(store.conversations(&me)?)).await?;
    let people = entries.iter().filter(|entry| is_person_id(&entry.seen_as));
    let contacts: Vec<Value> = people
        .map(|entry| {
            let name = gateway.directory().name(&UserId::new(&entry.seen_as));
            json!({
                "id": entry.seen_as,
                "displayName": name,
                "type": "Contact",
                "link": format!("{}/v1/users/ME/contacts/{}", caller.origin, entry.seen_as),
            })
        })
        .collect();
    Ok(Json(json!({ "contacts": contacts })))
}

/// Presence is not supported, so the list is empty.
pub async fn presence(_caller: AuthUser) -> Json<Value> {
    Json(json!({ "Responses": [] }))
}
