//! What an emulated live service has beside its chat service, and how that differs from the reference page (facts 8).

use super::super::api_error::ApiError;
use super::super::emulation::{Audience, EmulatedService, Emulation};
use super::super::rules::threads as rules;
use super::super::state::GatewayState;
use super::super::storage::MemberRow;
use super::JsonText;
use super::auth::{bearer, skype_token};
use super::body::{JsonBody, RawBody};
use crate::gateway::access::Origin;
use crate::model::{Role, UserId};
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, Response, StatusCode, header};
use axum::middleware::Next;
use axum::response::IntoResponse;
use axum::{Extension, Json};
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::time::Instant;

/// Bodies of messages up to this size are checked for a client id that the service refuses (facts 3.2).
const MAX_LOOKED_AT: usize = 1024 * 1024;

/// Exchanges an access token for a Skype token, with the service map (facts 8.4).
pub async fn exchange(
    State(gateway): State<Arc<GatewayState>>,
    Extension(caller): Extension<Origin>,
    headers: HeaderMap,
) -> Response<Body> {
    let Some(emulation) = gateway.emulation() else { return unknown_path() };
    let user = bearer(&headers)
        .and_then(|token| emulation.authority.tokens(|t| t.user_of_access(token, Audience::Chat)));
    let Some(user) = user else {
        let body = json!({ "status": { "code": 40_120, "text": "Authentication failed. Invalid token." } });
        return (StatusCode::UNAUTHORIZED, JsonText(body.to_string())).into_response();
    };
    if emulation.options.tenants.is_some() && !in_organisation(emulation, &headers) {
        return not_redeemed();
    }
    let life = emulation.options.skype_life;
    let token = emulation.authority.tokens(|t| t.skype(&user, life));
    let origin = gateway.access.links(&caller);
    let answer = match emulation.options.kind {
        EmulatedService::TeamsFree => json!({
            "skypeToken": {
                "skypetoken": token,
                "expiresIn": life.as_secs(),
                "skypeid": user.bare(),
                "signinname": "somebody@example.com",
                "isBusinessTenant": false,
            },
            "regionGtms": {
                "chatService": origin,
                "chatServiceAfd": format!("{origin}/api/chatsvc/consumer"),
                "middleTier": format!("{origin}/api/mt"),
                "unifiedPresence": format!("{origin}/presence"),
            },
        }),
        EmulatedService::TeamsWork => json!({
            "tokens": { "skypeToken": token, "expiresIn": life.as_secs(), "tokenType": "SkypeToken" },
            "region": "emea",
            "regionGtms": {
                "chatService": origin,
                "middleTier": format!("{origin}/api/mt/part"),
                "unifiedPresence": format!("{origin}/presence"),
            },
        }),
    };
    JsonText(answer.to_string()).into_response()
}

/// The exchange of another version, or of the other kind of account.
pub async fn wrong_exchange(State(gateway): State<Arc<GatewayState>>) -> Response<Body> {
    if gateway.emulation().is_none() { unknown_path() } else { not_redeemed() }
}

/// Whether the caller's access token is for an organisation.
fn in_organisation(emulation: &Emulation, headers: &HeaderMap) -> bool {
    let tenants = emulation.authority.tenants();
    bearer(headers).is_some_and(|token| {
        let tenant = emulation.authority.tokens(|t| t.tenant_of_access(token).map(str::to_owned));
        tenants.iter().any(|(id, _)| Some(id) == tenant.as_ref())
    })
}

/// The organisations of the caller (facts 8.5).
pub async fn tenants(
    State(gateway): State<Arc<GatewayState>>,
    headers: HeaderMap,
) -> Response<Body> {
    let Some(emulation) = gateway.emulation() else { return unknown_path() };
    let user = bearer(&headers)
        .and_then(|token| emulation.authority.tokens(|t| t.user_of_access(token, Audience::Chat)));
    if user.is_none() {
        return needs_both_tokens();
    }
    let row = |(id, name): (String, String)| json!({ "tenantId": id, "tenantName": name, "isInvitationRedeemed": true });
    let rows: Vec<Value> = emulation.authority.tenants().into_iter().map(row).collect();
    JsonText(Value::from(rows).to_string()).into_response()
}

fn not_redeemed() -> Response<Body> {
    let body = json!({ "errorCode": "GuestUserNotRedeemed", "message": "Guest user OID is missing. User is not redeemed" });
    (StatusCode::UNAUTHORIZED, JsonText(body.to_string())).into_response()
}

pub(super) fn unknown_path() -> Response<Body> {
    ApiError::not_found("The resource URL is misformatted.").into_response()
}

/// The caller of a service beside the chat: it wants an access token of its own and the Skype token (facts 8.6).
fn caller_with_both(emulation: &Emulation, headers: &HeaderMap, what: Audience) -> Option<UserId> {
    let access = bearer(headers)?;
    let skype = headers.get("x-skypetoken")?.to_str().ok()?;
    let known =
        emulation.authority.tokens(|t| (t.user_of_access(access, what), t.user_of_skype(skype)));
    known.0.filter(|user| known.1.as_ref() == Some(user))
}

/// Whether the caller of a service that says something about people has the tokens for it.
pub(super) fn may_ask_about_people(emulation: &Emulation, headers: &HeaderMap) -> bool {
    let what = match emulation.options.kind {
        EmulatedService::TeamsFree => Audience::Names,
        EmulatedService::TeamsWork => Audience::Chat,
    };
    caller_with_both(emulation, headers, what).is_some()
}

pub(super) fn needs_both_tokens() -> Response<Body> {
    let body = json!({ "value": { "code": "AuthFailure", "message": "Authentication failed." }, "status": 401 });
    (StatusCode::UNAUTHORIZED, JsonText(body.to_string())).into_response()
}

/// Display names by id; unknown ids are left out (facts 8.9).
pub async fn short_profiles(
    State(gateway): State<Arc<GatewayState>>,
    headers: HeaderMap,
    JsonBody(mris): JsonBody<Vec<String>>,
) -> Response<Body> {
    let Some(emulation) = gateway.emulation() else { return unknown_path() };
    if !may_ask_about_people(emulation, &headers) {
        return needs_both_tokens();
    }
    let names = mris.iter().take(100).filter_map(|mri| {
        let name = gateway.directory().name(&UserId::new(mri));
        (!name.is_empty()).then(|| json!({ "mri": mri, "displayName": name, "type": "TFLUser" }))
    });
    let answer = json!({ "type": "Microsoft.SkypeSpaces.MiddleTier.Models.IUserIdentity", "value": names.collect::<Vec<_>>() });
    JsonText(answer.to_string()).into_response()
}

/// Creates a chat (facts 8.7).
pub async fn create_chat(
    State(gateway): State<Arc<GatewayState>>,
    headers: HeaderMap,
    JsonBody(body): JsonBody<Map<String, Value>>,
) -> Result<Response<Body>, ApiError> {
    let Some(emulation) = gateway.emulation() else { return Ok(unknown_path()) };
    let Some(user) = caller_with_both(emulation, &headers, Audience::Groups) else {
        return Ok(needs_both_tokens());
    };
    let members = body.get("members").and_then(Value::as_array).cloned().unwrap_or_default();
    let members: Vec<MemberRow> = members
        .iter()
        .filter_map(|member| member.get("id").and_then(Value::as_str))
        .map(UserId::new)
        // Here all members are listed as users; the creator may do more all the same.
        .map(|id| MemberRow { role: if id == user { Role::Admin } else { Role::User }, id })
        .collect();
    let properties = body.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
    let id = gateway.change(move |work| rules::create(work, &user, &members, &properties)).await?;
    let answer = json!({ "value": { "threadId": id, "membersStatus": [] } });
    Ok((StatusCode::CREATED, Json(answer)).into_response())
}

/// Runs before chat requests: refuses what the live service refuses.
pub async fn differences(
    State(gateway): State<Arc<GatewayState>>,
    request: Request,
    next: Next,
) -> Response<Body> {
    let Some(emulation) = gateway.emulation() else { return next.run(request).await };
    let path = percent_encoding::percent_decode_str(request.uri().path()).decode_utf8_lossy();
    if path.contains("/users/ME/endpoints") {
        return ApiError::no_endpoints().into_response();
    }
    if path.contains("/threads/48:") {
        return ApiError::bad("The thread does not support this view.").into_response();
    }
    let is_free = emulation.options.kind == EmulatedService::TeamsFree;
    let product = request.headers().get("ms-ic3-product").is_some_and(|value| value == "tfl");
    if is_free && path.contains("@thread.skype") && !product {
        return ApiError::not_found("Conversation not found.").into_response();
    }
    if let Some(token) = skype_token(request.headers())
        && let Some(wait) = emulation.over_budget(token, Instant::now())
    {
        let body = json!({ "errorCode": 429, "message": "API calls quota exceeded!" });
        let mut answer =
            (StatusCode::TOO_MANY_REQUESTS, JsonText(body.to_string())).into_response();
        if emulation.options.says_retry_after {
            answer.headers_mut().insert(header::RETRY_AFTER, (wait.as_secs() + 1).into());
        }
        return answer;
    }
    let sends = request.method() == Method::POST && path.ends_with("/messages");
    if sends && path.contains("/conversations/8:") {
        return ApiError::not_found("Conversation not found.").into_response();
    }
    if sends { checked_send(&gateway, request, next).await } else { next.run(request).await }
}

/// A message whose client id is not a number is refused (facts 3.2).
async fn checked_send(gateway: &Arc<GatewayState>, request: Request, next: Next) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let whole = Request::from_parts(parts.clone(), body);
    let body = match <RawBody as axum::extract::FromRequest<_>>::from_request(whole, gateway).await
    {
        Ok(RawBody(body)) => body,
        Err(error) => return error.into_response(),
    };
    if body.len() < MAX_LOOKED_AT
        && let Ok(Value::Object(fields)) = serde_json::from_slice(&body)
        && let Some(Value::String(id)) = fields.get("clientmessageid")
        && !id.bytes().all(|b| b.is_ascii_digit())
    {
        return ApiError::bad("clientmessageid is not a number.").into_response();
    }
    next.run(Request::from_parts(parts, Body::from(body))).await
}
