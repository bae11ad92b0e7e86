//! Extractors whose errors have the JSON form of the service.

use super::super::api_error::ApiError;
use super::super::state::GatewayState;
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, FailedToBufferBody};
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::sync::Arc;

/// A request body within the limits of time and size.
pub struct RawBody(pub Bytes);

impl FromRequest<Arc<GatewayState>> for RawBody {
    type Rejection = ApiError;

    async fn from_request(request: Request, gateway: &Arc<GatewayState>) -> Result<Self, ApiError> {
        let read = Bytes::from_request(request, gateway);
        let body = tokio::time::timeout(gateway.limits.body, read).await;
        body.map_err(|_| ApiError::too_slow())?.map(Self).map_err(|error| match error {
            BytesRejection::FailedToBufferBody(FailedToBufferBody::LengthLimitError(_)) => {
                ApiError::too_large("The body is too large.")
            }
            _ => ApiError::bad("The body is not complete."),
        })
    }
}

/// A JSON body with any content type.
pub struct JsonBody<T>(pub T);

impl<T: DeserializeOwned> FromRequest<Arc<GatewayState>> for JsonBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, gateway: &Arc<GatewayState>) -> Result<Self, ApiError> {
        let RawBody(bytes) = RawBody::from_request(request, gateway).await?;
        let body = serde_json::from_slice(&bytes);
        body.map(Self).map_err(|_| ApiError::bad("The body is not the JSON that is expected here."))
    }
}

/// The variable parts of a path.
pub struct PathParts<T>(pub T);

impl<T: DeserializeOwned + Send> FromRequestParts<Arc<GatewayState>> for PathParts<T> {
    type Rejection = ApiError;

    async fn from_request_parts(
        parts: &mut Parts,
        gateway: &Arc<GatewayState>,
    ) -> Result<Self, ApiError> {
        let path = Path::from_request_parts(parts, gateway).await;
        path.map(|Path(path)| Self(path))
            .map_err(|_| ApiError::bad("The resource URL is misformatted."))
    }
}

/// The parameters of a query.
pub struct QueryFields<T>(pub T);

impl<T: DeserializeOwned> FromRequestParts<Arc<GatewayState>> for QueryFields<T> {
    type Rejection = ApiError;

    async fn from_request_parts(
        parts: &mut Parts,
        gateway: &Arc<GatewayState>,
    ) -> Result<Self, ApiError> {
        let query = Query::from_request_parts(parts, gateway).await;
        query.map(|Query(query)| Self(query)).map_err(|_| ApiError::bad("The query is malformed."))
    }
}

/// The query of a request that sets one property.
#[derive(Deserialize)]
pub struct NameQuery {
    pub name: Option<String>,
}
