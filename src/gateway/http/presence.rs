//! The presence service of an emulated live service (facts 8.12).

use super::super::state::GatewayState;
use super::JsonText;
use super::body::JsonBody;
use super::live::{may_ask_about_people, needs_both_tokens, unknown_path};
use crate::gateway::api_error::ApiError;
use crate::model::UserId;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Response};
use axum::response::IntoResponse;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// The maximum number of people in one request.
const MAX: usize = 650;

#[derive(Deserialize)]
pub struct WantedPresence {
    mri: String,
}

/// Who is available. People who have not published anything are offline, and nothing is known about strangers.
pub async fn look_up(
    State(gateway): State<Arc<GatewayState>>,
    headers: HeaderMap,
    JsonBody(wanted): JsonBody<Vec<WantedPresence>>,
) -> Response<Body> {
    let Some(emulation) = gateway.emulation() else { return unknown_path() };
    if !may_ask_about_people(emulation, &headers) {
        return needs_both_tokens();
    }
    if wanted.len() > MAX {
        return ApiError::bad("Too many ids.").into_response();
    }
    let answer = wanted.into_iter().map(|WantedPresence { mri }| {
        let id = UserId::new(&mri);
        let is_known = !gateway.directory().name(&id).is_empty();
        match emulation.presence_of(&id) {
            Some(presence) => json!({ "mri": mri, "presence": presence, "status": 20_000 }),
            None if is_known => {
                let offline = json!({ "availability": "Offline", "activity": "Offline" });
                json!({ "mri": mri, "presence": offline, "status": 20_000 })
            }
            None => json!({ "mri": mri, "status": 40_400 }),
        }
    });
    JsonText(answer.collect::<Value>().to_string()).into_response()
}
