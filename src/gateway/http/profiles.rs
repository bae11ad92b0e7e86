//! Display names by id.

use super::super::api_error::ApiError;
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

/// Ids that nobody knows are left out of the answer.
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
        let name = gateway.directory.name(&UserId::new(&mri));
        if !name.is_empty() {
            profiles.insert(mri, json!({ "profile": { "displayName": name } }));
        }
    }
    Ok(Json(json!({ "profiles": profiles })))
}
