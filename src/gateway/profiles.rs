//! Display names by id.

use super::api_error::{ApiError, JsonBody};
use super::auth::AuthUser;
use super::state::GatewayState;
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
    let work = move |tx: &mut super::db::Tx<'_>| {
        let mut profiles = Map::new();
        for mri in body.mris {
            let name = tx.name(&mri);
            if !name.is_empty() {
                profiles.insert(mri, json!({ "profile": { "displayName": name } }));
            }
        }
        Ok(json!({ "profiles": profiles }))
    };
    gateway.change(work).await.map(Json)
}
