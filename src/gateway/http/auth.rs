//! Checks host, origin and credential of a request (facts 1.1).

use super::super::access::Origin;
use super::super::api_error::ApiError;
use super::super::connection::ConnectionInfo;
use super::super::fault::InjectedFault;
use super::super::render::Viewer;
use super::super::state::{GatewayState, now};
use crate::model::UserId;
use axum::body::{Body, Bytes};
use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Response, StatusCode, header};
use axum::middleware::Next;
use axum::response::IntoResponse;
use futures_util::{Stream, StreamExt};
use std::sync::Arc;

/// Runs before every handler: refuses foreign hosts and web pages, and applies faults.
pub async fn gate(
    State(gateway): State<Arc<GatewayState>>,
    mut request: Request,
    next: Next,
) -> Response<Body> {
    match gateway.access.check(request.headers()) {
        Ok(caller) => request.extensions_mut().insert(caller),
        Err(error) => {
            let info = request.extensions().get::<Arc<ConnectionInfo>>();
            let from = gateway.access.address(request.headers(), info.map(|info| info.peer));
            gateway.access.refused(from, error.message);
            return error.into_response();
        }
    };
    let fault = gateway.faults().next(request.method().as_str(), request.uri().path());
    match fault {
        None => next.run(request).await,
        Some(InjectedFault::Delay(by)) => {
            tokio::time::sleep(by).await;
            next.run(request).await
        }
        Some(InjectedFault::LostAck) => {
            next.run(request).await;
            (StatusCode::BAD_GATEWAY, "<html>bad gateway</html>").into_response()
        }
        Some(InjectedFault::LostEvents { code, body }) => {
            // Without the number of the last event received, those of the answer count as received.
            let path = request.uri().path().to_owned();
            if let Ok(uri) = path.parse() {
                *request.uri_mut() = uri;
            }
            next.run(request).await;
            injected(InjectedFault::Json { code, body: body.to_owned() })
        }
        Some(InjectedFault::WithoutMetadata) => without_metadata(next.run(request).await).await,
        Some(InjectedFault::CutOff) => {
            let broken = Err(std::io::Error::other("the connection is gone"));
            half_of(next.run(request).await, futures_util::stream::iter([broken])).await
        }
        Some(InjectedFault::Stall) => {
            half_of(next.run(request).await, futures_util::stream::pending()).await
        }
        Some(fault) => injected(fault),
    }
}

async fn without_metadata(response: Response<Body>) -> Response<Body> {
    let (parts, body) = response.into_parts();
    let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
    let Ok(mut page) = serde_json::from_slice::<serde_json::Value>(&bytes) else {
        return Response::from_parts(parts, Body::from(bytes));
    };
    if let Some(page) = page.as_object_mut() {
        page.remove("_metadata");
    }
    ([(header::CONTENT_TYPE, "application/json")], page.to_string()).into_response()
}

/// The first half of an answer, although its head promises all of it, and then something else.
async fn half_of(
    response: Response<Body>,
    then: impl Stream<Item = std::io::Result<Bytes>> + Send + 'static,
) -> Response<Body> {
    let (mut parts, body) = response.into_parts();
    let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
    parts.headers.insert(header::CONTENT_LENGTH, bytes.len().into());
    let half = bytes.slice(..bytes.len() / 2);
    let first = futures_util::stream::iter([Ok(half)]);
    Response::from_parts(parts, Body::from_stream(first.chain(then)))
}

fn injected(fault: InjectedFault) -> Response<Body> {
    let json = [(header::CONTENT_TYPE, "application/json")];
    match fault {
        InjectedFault::Status { code, error, retry_after } => {
            let status = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let body = format!("{{\"errorCode\":{error},\"message\":\"scripted\"}}");
            let mut response = (status, json, body).into_response();
            if let Some(seconds) = retry_after {
                response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
            }
            response
        }
        InjectedFault::Html => {
            ([(header::CONTENT_TYPE, "text/html")], "<html>Sign in to the hotel</html>")
                .into_response()
        }
        InjectedFault::BrokenJson => (json, "{\"messages\": [{\"id\": \"1\"").into_response(),
        InjectedFault::ErrorInside => {
            (json, "{\"errorCode\":201,\"message\":\"no\"}").into_response()
        }
        InjectedFault::Json { code, body } => {
            let status = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            (status, json, body).into_response()
        }
        InjectedFault::Redirect(to) => {
            (StatusCode::FOUND, [(header::LOCATION, to)]).into_response()
        }
        InjectedFault::Body(body) => (json, body).into_response(),
        InjectedFault::Delay(_)
        | InjectedFault::LostAck
        | InjectedFault::LostEvents { .. }
        | InjectedFault::CutOff
        | InjectedFault::Stall
        | InjectedFault::WithoutMetadata => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// The authenticated user of a request, and the endpoint if a registration token was used.
pub struct AuthUser {
    pub user: UserId,
    pub endpoint: Option<String>,
    /// The origin of links in the answer.
    pub origin: String,
}

impl AuthUser {
    pub fn viewer(&self) -> Viewer<'_> {
        Viewer { user: &self.user, origin: &self.origin }
    }
}

impl FromRequestParts<Arc<GatewayState>> for AuthUser {
    type Rejection = ApiError;

    async fn from_request_parts(
        parts: &mut Parts,
        gateway: &Arc<GatewayState>,
    ) -> Result<Self, ApiError> {
        // Inserted by `gate`.
        let caller = parts.extensions.get::<Origin>().ok_or(ApiError::wrong_host())?;
        let origin = gateway.access.links(caller);
        let info = parts.extensions.get::<Arc<ConnectionInfo>>();
        let from = gateway.access.address(&parts.headers, info.map(|info| info.peer));
        let (user, endpoint) = if let Some(token) = registration_token(&parts.headers) {
            let owner = gateway.hub().owner(token, now()).ok_or(ApiError::no_endpoint())?;
            (owner.0, Some(owner.1))
        } else {
            let token = skype_token(&parts.headers).ok_or(ApiError::unauthorized())?;
            let Some(user) = gateway.user_of(token) else {
                if !gateway.has_ended(token) {
                    tokio::time::sleep(gateway.access.refused(from, "wrong token")).await;
                }
                return Err(ApiError::unauthorized());
            };
            (user, None)
        };
        if info.is_some_and(|info| info.sign_in(&user)) {
            tracing::info!(user = user.as_str(), %from, "signed in");
        }
        Ok(Self { user, endpoint, origin })
    }
}

fn registration_token(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get("registrationtoken")?.to_str().ok()?;
    value.split(';').find_map(|part| part.trim().strip_prefix("registrationToken="))
}

/// The Skype token, from one of its three headers.
pub fn skype_token(headers: &HeaderMap) -> Option<&str> {
    let get = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
    get("authentication")
        .and_then(|v| v.trim().strip_prefix("skypetoken="))
        .or_else(|| get("x-skypetoken"))
        .map(str::trim)
        .or_else(|| bearer(headers))
}

/// The token of an `Authorization: Bearer` header.
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    value.strip_prefix("Bearer ").map(str::trim)
}
