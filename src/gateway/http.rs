//! The HTTP interface: paths, and the form of requests and answers. Decisions are made in [`rules`](super::rules).

mod auth;
mod body;
mod conversations;
mod endpoints;
mod join;
mod messages;
mod profiles;
mod threads;

use super::api_error::ApiError;
use super::state::GatewayState;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use serde_json::json;
use std::sync::Arc;

/// Maximum size of a request body in bytes.
const MAX_BODY: usize = 8 * 1024 * 1024;

pub fn router(gateway: Arc<GatewayState>) -> Router {
    Router::new()
        .nest("/v1", chat_service())
        .route("/scheduler/threads", post(join::join_url))
        .route("/join/api/v2/conversation", post(join::resolve))
        .route("/join/{code}", get(join::page))
        .route("/profiles/v2/profiles", post(profiles::look_up))
        .fallback(no_such_path)
        .method_not_allowed_fallback(no_such_method)
        .layer(axum::middleware::from_fn_with_state(gateway.clone(), auth::gate))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(gateway)
}

fn chat_service() -> Router<Arc<GatewayState>> {
    Router::new()
        .route("/users/ME/conversations", get(conversations::list))
        .route("/users/ME/conversations/{id}", get(conversations::one))
        .route("/users/ME/conversations/{id}/properties", put(conversations::set_property))
        .route(
            "/users/ME/conversations/{id}/messages",
            get(messages::list).post(messages::send).delete(messages::clear),
        )
        .route(
            "/users/ME/conversations/{id}/messages/{message}",
            put(messages::edit).delete(messages::delete),
        )
        .route("/users/ME/conversations/{id}/messages/{message}/ack", post(endpoints::accept))
        .route(
            "/users/ME/conversations/{id}/messages/{message}/properties",
            put(messages::react).delete(messages::unreact),
        )
        .merge(endpoints())
        .route("/users/ME/properties", get(profiles::own).put(endpoints::accept))
        .route("/users/ME/contacts", get(profiles::contacts).post(endpoints::accept))
        .route("/users/ME/contacts/{id}", put(endpoints::accept).delete(endpoints::accept))
        .route("/users/ME/contacts/{id}/presenceDocs/{name}", get(profiles::presence))
        .route("/ng/ping", get(endpoints::ping))
        .route("/threads", post(threads::create))
        .route("/threads/{id}", get(threads::one))
        .route("/threads/{id}/properties", put(threads::set_property))
        .route("/threads/{id}/consumptionhorizons", get(threads::consumption_horizons))
        .route("/threads/{id}/members", post(threads::add_members))
        .route(
            "/threads/{id}/members/{member}",
            put(threads::put_member).delete(threads::remove_member),
        )
        .route("/meetings", post(join::meeting))
}

fn endpoints() -> Router<Arc<GatewayState>> {
    let one = Router::new()
        .route("/", put(endpoints::accept).delete(endpoints::end))
        .route("/active", post(endpoints::active))
        .route("/properties", put(endpoints::accept))
        .route("/presenceDocs/{name}", put(endpoints::accept))
        .route("/subscriptions", post(endpoints::subscribe))
        .route("/subscriptions/0", put(endpoints::accept))
        .route("/subscriptions/0/poll", post(endpoints::poll));
    Router::new()
        .route("/users/ME/endpoints", post(endpoints::register))
        .nest("/users/ME/endpoints/{endpoint}", one)
        .route("/users/ME/presenceDocs/{name}", get(endpoints::accept).put(endpoints::accept))
}

/// Unknown paths require a credential, too.
async fn no_such_path(_caller: auth::AuthUser) -> ApiError {
    ApiError::not_found("The resource URL is misformatted.")
}

async fn no_such_method(_caller: auth::AuthUser) -> ApiError {
    ApiError::no_such_method()
}

/// An answer that consists of JSON text.
struct JsonText(String);

impl IntoResponse for JsonText {
    fn into_response(self) -> Response {
        ([(header::CONTENT_TYPE, "application/json")], self.0).into_response()
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = json!({ "errorCode": self.code, "message": self.message });
        (status, JsonText(body.to_string())).into_response()
    }
}
