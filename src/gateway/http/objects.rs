//! Pictures and files (facts 8.10).

use super::super::api_error::ApiError;
use super::super::emulation::Audience;
use super::super::objects::ObjectAuth;
use super::super::state::GatewayState;
use super::JsonText;
use super::auth::bearer;
use crate::model::UserId;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Response, StatusCode, header};
use axum::response::IntoResponse;
use serde_json::json;
use std::sync::Arc;

/// The cookie that is given for a Skype token.
const COOKIE: &str = "asm_session";

/// The caller, if the token comes in a way that is accepted.
fn caller(gateway: &GatewayState, headers: &HeaderMap) -> Option<UserId> {
    let objects = gateway.objects();
    let cookie = |name: &str| {
        let all = headers.get(header::COOKIE)?.to_str().ok()?;
        let mut pairs = all.split(';').filter_map(|pair| pair.trim().split_once('='));
        pairs.find(|(known, _)| *known == name).map(|(_, value)| value)
    };
    let by = |way: ObjectAuth, user: Option<UserId>| user.filter(|_| objects.accepts(way));
    by(ObjectAuth::Header, skype_header(headers).and_then(|token| gateway.user_of(token)))
        .or_else(|| {
            by(ObjectAuth::Cookie, cookie("skypetoken_asm").and_then(|t| gateway.user_of(t)))
        })
        .or_else(|| by(ObjectAuth::Issued, cookie(COOKIE).and_then(|c| objects.user_of_cookie(c))))
        .or_else(|| by(ObjectAuth::Bearer, bearer_user(gateway, headers)))
}

fn skype_header(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("skype_token ")
}

fn bearer_user(gateway: &GatewayState, headers: &HeaderMap) -> Option<UserId> {
    let token = bearer(headers)?;
    gateway.emulation()?.authority.tokens(|t| t.user_of_access(token, Audience::Files))
}

fn not_signed_in() -> Response<Body> {
    let body = json!({ "status": { "code": 40_101, "text": "Authorization header is invalid." } });
    (StatusCode::UNAUTHORIZED, JsonText(body.to_string())).into_response()
}

/// The bytes of a view.
pub async fn view(
    State(gateway): State<Arc<GatewayState>>,
    Path((id, view)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response<Body> {
    if caller(&gateway, &headers).is_none() {
        return not_signed_in();
    }
    let found = gateway.objects().view(&id, &view);
    match found.filter(|_| !gateway.objects().is_preparing(&id)) {
        Some(object) => {
            ([(header::CONTENT_TYPE, object.content_type)], object.bytes).into_response()
        }
        None => ApiError::not_found("The object does not exist.").into_response(),
    }
}

/// Whether a view can be fetched.
pub async fn status(
    State(gateway): State<Arc<GatewayState>>,
    Path((id, view)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response<Body> {
    if caller(&gateway, &headers).is_none() {
        return not_signed_in();
    }
    let Some(object) = gateway.objects().view(&id, &view) else {
        return ApiError::not_found("The object does not exist.").into_response();
    };
    let is_ready = gateway.objects().becomes_ready(&id);
    let answer = json!({
        "content_state": if is_ready { "ready" } else { "processing" },
        "content_full_length": object.bytes.len(),
        "scan": { "status": "passed" },
    });
    JsonText(answer.to_string()).into_response()
}

/// Gives a cookie for a Skype token.
pub async fn sign_in(
    State(gateway): State<Arc<GatewayState>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let token = skype_header(&headers).filter(|token| {
        let form = String::from_utf8_lossy(&body);
        let sent = form.split('&').find_map(|pair| pair.strip_prefix("skypetoken="));
        let sent = sent.map(|sent| percent_encoding::percent_decode_str(sent).decode_utf8_lossy());
        sent.is_some_and(|sent| sent == *token)
    });
    match token.and_then(|token| gateway.user_of(token)) {
        Some(user) => {
            let cookie = format!("{COOKIE}={}; Path=/; HttpOnly", gateway.objects().issue(&user));
            (StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response()
        }
        None => not_signed_in(),
    }
}
