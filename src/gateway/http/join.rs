//! Join links: how they are requested, resolved and shown in a browser.

use super::super::access::Origin;
use super::super::api_error::ApiError;
use super::super::rules::threads as rules;
use super::super::state::GatewayState;
use super::super::storage::ThreadRow;
use super::auth::AuthUser;
use super::body::{JsonBody, PathParts};
use axum::extract::State;
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

#[derive(Deserialize)]
pub struct JoinUrlBody {
    #[serde(rename = "threadId")]
    thread_id: String,
}

async fn open_thread(
    gateway: &GatewayState,
    caller: &AuthUser,
    id: String,
) -> Result<ThreadRow, ApiError> {
    let me = caller.user.clone();
    gateway.read(move |store| rules::open_thread(store, &me, &id)).await
}

/// An opaque id that clients expect beside the join code.
fn blob(thread: &ThreadRow) -> String {
    format!("Az{}", thread.code.chars().rev().collect::<String>())
}

pub async fn join_url(
    State(gateway): State<Arc<GatewayState>>,
    caller: AuthUser,
    JsonBody(body): JsonBody<JoinUrlBody>,
) -> Result<Json<Value>, ApiError> {
    let thread = open_thread(&gateway, &caller, body.thread_id).await?;
    Ok(Json(json!({
        "Blob": blob(&thread),
        "Id": format!("Za{}", thread.code),
        "JoinUrl": format!("{}/join/{}", caller.origin, thread.code),
        "ThreadId": thread.id,
    })))
}

/// The newer form of the same request.
pub async fn meeting(
    State(gateway): State<Arc<GatewayState>>,
    caller: AuthUser,
    JsonBody(body): JsonBody<JoinUrlBody>,
) -> Result<Json<Value>, ApiError> {
    let thread = open_thread(&gateway, &caller, body.thread_id).await?;
    Ok(Json(json!({ "url": format!("{}/join/{}", caller.origin, thread.code), "id": thread.code })))
}

#[derive(Deserialize)]
pub struct ResolveBody {
    #[serde(rename = "shortId")]
    short_id: String,
}

/// Resolves a join code. The code is the secret, so no credential is required.
pub async fn resolve(
    State(gateway): State<Arc<GatewayState>>,
    JsonBody(body): JsonBody<ResolveBody>,
) -> Result<Json<Value>, ApiError> {
    let thread = gateway.read(move |store| rules::behind_code(store, &body.short_id)).await?;
    Ok(Json(json!({
        "Action": "Chat",
        "ChatBlob": blob(&thread),
        "FlowId": "1",
        "Id": format!("Za{}", thread.code),
        "Resource": thread.id,
    })))
}

/// The page for a join link in a browser: what it is, and how to join with skchat. No credential is required.
pub async fn page(
    State(gateway): State<Arc<GatewayState>>,
    Extension(caller): Extension<Origin>,
    PathParts(code): PathParts<String>,
) -> Response {
    let found = gateway.read(move |store| rules::behind_code(store, &code)).await;
    let (status, text) = match found {
        Ok(thread) => {
            let url = format!("{}/join/{}", gateway.access.links(&caller), thread.code);
            (StatusCode::OK, invitation(&url))
        }
        Err(error) => {
            let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::NOT_FOUND);
            (status, "<p>This link is not valid: nobody can join with it any more.</p>".to_owned())
        }
    };
    let page = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Join a chat</title></head>\n\
         <body>{text}</body></html>\n"
    );
    let headers = [
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'"),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("x-content-type-options"), "nosniff"),
    ];
    (status, headers, Html(page)).into_response()
}

/// `url` consists of a host name and a join code, so it needs no escaping.
fn invitation(url: &str) -> String {
    format!(
        "<p>This is an invitation to a group chat.</p>\n\
         <p>To join, open skchat with your account on this gateway and type</p>\n<pre>/join {url}</pre>"
    )
}
