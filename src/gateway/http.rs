//! The HTTP interface: paths, and the form of requests and answers. Decisions are made in [`rules`](super::rules).

mod auth;
mod body;
mod conversations;
mod endpoints;
mod join;
mod live;
mod messages;
mod objects;
mod presence;
mod profiles;
mod sign_in;
mod threads;

use super::api_error::ApiError;
use super::emulation::EmulatedService;
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
    let chat = || {
        let service = chat_service();
        // Each layer costs every waiting poll some kilobytes.
        if gateway.emulated_service().is_none() {
            return service;
        }
        service.layer(axum::middleware::from_fn_with_state(gateway.clone(), live::differences))
    };
    Router::new()
        .nest("/v1", chat())
        .nest("/api/chatsvc/consumer/v1", chat())
        .merge(live_service(gateway.emulated_service()))
        .route("/scheduler/threads", post(join::join_url))
        .route("/join/api/v2/conversation", post(join::resolve))
        .route("/join/{code}", get(join::page))
        .route("/profiles/v2/profiles", post(profiles::look_up))
        .route("/v1/objects/{id}/views/{view}", get(objects::view))
        .route("/v1/objects/{id}/views/{view}/status", get(objects::status))
        .route("/v1/skypetokenauth", post(objects::sign_in))
        .fallback(no_such_path)
        .method_not_allowed_fallback(no_such_method)
        .layer(axum::middleware::from_fn_with_state(gateway.clone(), auth::gate))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(gateway)
}

/// What an emulated live service has beside its chat service.
fn live_service(kind: Option<EmulatedService>) -> Router<Arc<GatewayState>> {
    let Some(kind) = kind else { return Router::new() };
    let (right, wrong) = match kind {
        EmulatedService::TeamsFree => ("/api/auth/v1.0/authz/consumer", "/api/authsvc/v1.0/authz"),
        EmulatedService::TeamsWork => ("/api/authsvc/v1.0/authz", "/api/auth/v1.0/authz/consumer"),
    };
    Router::new()
        .route("/link", get(sign_in::page).post(sign_in::confirm))
        .route("/{tenant}/oauth2/v2.0/devicecode", post(sign_in::device_code))
        .route("/{tenant}/oauth2/v2.0/token", post(sign_in::token))
        .route("/{tenant}/oauth2/devicecode", post(sign_in::older_device_code))
        .route("/{tenant}/oauth2/token", post(sign_in::token))
        .route(right, post(live::exchange))
        .route(wrong, post(live::wrong_exchange))
        .route("/api/mt/emea/beta/users/tenants", get(live::tenants))
        .route("/api/auth/v2.0/authz/consumer", post(live::wrong_exchange))
        .route("/api/mt/beta/users/fetchShortProfile", post(live::short_profiles))
        .route("/api/mt/part/beta/users/fetchShortProfile", post(live::short_profiles))
        .route("/api/groups/v1/threads", post(live::create_chat))
        .route("/ups/global/v1/presence/getpresence", post(presence::look_up))
        .route("/presence/v1/presence/getpresence", post(presence::look_up))
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

/// The paths of an endpoint are written out: a nested router costs every waiting poll some kilobytes, as layers do.
fn endpoints() -> Router<Arc<GatewayState>> {
    let own = |path: &str| format!("/users/ME/endpoints/{{endpoint}}{path}");
    Router::new()
        .route("/users/ME/endpoints", post(endpoints::register))
        .route(&own(""), put(endpoints::accept).delete(endpoints::end))
        .route(&own("/active"), post(endpoints::active))
        .route(&own("/properties"), put(endpoints::accept))
        .route(&own("/presenceDocs/{name}"), put(endpoints::accept))
        .route(&own("/subscriptions"), post(endpoints::subscribe))
        .route(&own("/subscriptions/0"), put(endpoints::accept))
        .route(&own("/subscriptions/0/poll"), post(endpoints::poll))
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
