//! Bodies and queries as they are taken from requests.

use super::super::api_error::ApiError;
use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use serde::Deserialize;
use serde::de::DeserializeOwned;

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

/// The query of a call that sets one property.
#[derive(Deserialize)]
pub struct NameQuery {
    pub name: Option<String>,
}
