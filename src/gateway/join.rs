//! Join links: the scheduler's question for one, and the service that resolves it.

use super::api_error::{ApiError, JsonBody};
use super::auth::AuthUser;
use super::db::Tx;
use super::rows::ThreadRow;
use super::state::GatewayState;
use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

#[derive(Deserialize)]
pub struct JoinUrlBody {
    #[serde(rename = "threadId")]
    thread_id: String,
}

/// The join URL of a thread that is open for joining.
async fn open_thread(
    gateway: Arc<GatewayState>,
    caller: &AuthUser,
    id: String,
) -> Result<ThreadRow, ApiError> {
    let me = caller.user.clone();
    let work = move |tx: &mut Tx<'_>| {
        let thread = tx.thread_for(&id, &me)?;
        if !thread.joining {
            return Err(ApiError::forbidden("Joining by link is turned off."));
        }
        Ok(thread)
    };
    gateway.change(work).await
}

/// Opaque ids beside the join code; nothing reads them, but clients expect them.
fn blob(thread: &ThreadRow) -> String {
    format!("Az{}", thread.code.chars().rev().collect::<String>())
}

pub async fn join_url(
    State(gateway): State<Arc<GatewayState>>,
    caller: AuthUser,
    JsonBody(body): JsonBody<JoinUrlBody>,
) -> Result<Json<Value>, ApiError> {
    let thread = open_thread(gateway, &caller, body.thread_id).await?;
    Ok(Json(json!({
        "Blob": blob(&thread),
        "Id": format!("Za{}", thread.code),
        "JoinUrl": format!("{}/join/{}", caller.origin, thread.code),
        "ThreadId": thread.id,
    })))
}

/// The newer form of the same question.
pub async fn meeting(
    State(gateway): State<Arc<GatewayState>>,
    caller: AuthUser,
    JsonBody(body): JsonBody<JoinUrlBody>,
) -> Result<Json<Value>, ApiError> {
    let thread = open_thread(gateway, &caller, body.thread_id).await?;
    Ok(Json(json!({ "url": format!("{}/join/{}", caller.origin, thread.code), "id": thread.code })))
}

#[derive(Deserialize)]
pub struct ResolveBody {
    #[serde(rename = "shortId")]
    short_id: String,
}

/// What a join code stands for. No credentials needed: the code is the secret.
pub async fn resolve(
    State(gateway): State<Arc<GatewayState>>,
    JsonBody(body): JsonBody<ResolveBody>,
) -> Result<Json<Value>, ApiError> {
    let thread = gateway.change(move |tx| Ok(tx.thread_of_code(&body.short_id)?)).await?;
    let thread =
        thread.filter(|t| t.joining).ok_or(ApiError::not_found("This link leads nowhere."))?;
    Ok(Json(json!({
        "Action": "Chat",
        "ChatBlob": blob(&thread),
        "FlowId": "1",
        "Id": format!("Za{}", thread.code),
        "Resource": thread.id,
    })))
}
