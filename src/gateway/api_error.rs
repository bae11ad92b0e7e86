//! Every "no" of the gateway: a status, the service's error code, and a sentence (facts 6).

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use serde_json::json;

/// A JSON body, whatever content type it was sent under; refused in the service's own words.
pub struct JsonBody<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for JsonBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let bytes = Bytes::from_request(request, state)
            .await
            .map_err(|_| ApiError::bad("The body is too large."))?;
        let body = serde_json::from_slice(&bytes);
        body.map(Self).map_err(|_| ApiError::bad("The body is not the JSON that belongs here."))
    }
}

#[derive(Debug)]
pub struct ApiError {
    status: StatusCode,
    code: u32,
    message: &'static str,
}

impl ApiError {
    const fn new(status: StatusCode, code: u32, message: &'static str) -> Self {
        Self { status, code, message }
    }

    pub const fn bad(message: &'static str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, 201, message)
    }
    pub const fn stale_sync_state() -> Self {
        Self::new(StatusCode::BAD_REQUEST, 230, "The sync state is not valid.")
    }
    pub const fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, 911, "Authentication failed.")
    }
    pub const fn forbidden(message: &'static str) -> Self {
        Self::new(StatusCode::FORBIDDEN, 403, message)
    }
    pub const fn no_endpoints() -> Self {
        Self::new(StatusCode::FORBIDDEN, 209, "Endpoints are not available to this account.")
    }
    pub const fn not_a_member() -> Self {
        Self::forbidden("You are not a member of this conversation.")
    }
    pub const fn admins_only() -> Self {
        Self::forbidden("Only an admin may do that.")
    }
    pub const fn no_endpoint() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            729,
            "You must create an endpoint before performing this operation.",
        )
    }
    pub const fn no_subscription() -> Self {
        Self::new(StatusCode::NOT_FOUND, 450, "Subscription requested could not be found.")
    }
    pub const fn no_conversation() -> Self {
        Self::new(StatusCode::NOT_FOUND, 730, "The conversation does not exist.")
    }
    pub const fn not_found(message: &'static str) -> Self {
        Self::new(StatusCode::NOT_FOUND, 404, message)
    }
    pub const fn wrong_host() -> Self {
        Self::new(
            StatusCode::MISDIRECTED_REQUEST,
            421,
            "This gateway does not answer for that host.",
        )
    }
    pub const fn foreign_origin() -> Self {
        Self::new(StatusCode::FORBIDDEN, 403, "Requests of web pages are refused.")
    }
}

impl From<rusqlite::Error> for ApiError {
    fn from(error: rusqlite::Error) -> Self {
        tracing::error!(%error, "the gateway's database failed");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, 500, "The gateway's database failed.")
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let body = json!({ "errorCode": self.code, "message": self.message });
        (
            self.status,
            axum::response::AppendHeaders([("content-type", "application/json")]),
            body.to_string(),
        )
            .into_response()
    }
}

/// Also for what does not exist a credential is asked.
pub async fn no_such_path(_caller: super::auth::AuthUser) -> ApiError {
    ApiError::not_found("The resource URL is misformatted.")
}
