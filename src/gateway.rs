//! A gateway of our own: the chat service of the reference page over HTTP, with its own SQLite file.
//!
//! It is the other end of every test, the whole gateway of `skchat demo`, and with `skchat serve` a small chat server
//! for friends. It writes its own paths and knows nothing of the client, so that a wrong path cannot agree with
//! itself. Its `201` means committed.

mod api_error;
mod auth;
mod chat_key;
mod conversations;
mod db;
pub mod demo;
pub mod fault;
mod hub;
mod join;
mod messages;
mod profiles;
mod properties;
mod render;
mod rows;
mod state;
mod thread_rows;
mod threads;

use crate::model::UserId;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post, put};
use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;

pub use fault::Faults;
pub use state::GatewayState;

/// A body larger than this is refused before it is read.
const MAX_BODY: usize = 8 * 1024 * 1024;

/// Someone who may sign in.
#[derive(Clone)]
pub struct GatewayUser {
    pub id: UserId,
    pub token: String,
    pub name: String,
}

/// How a gateway behaves. Faults can be set by code only: no flag, key or variable reaches them.
pub struct GatewayOptions {
    /// `None` keeps everything in memory.
    pub db: Option<PathBuf>,
    pub users: Vec<GatewayUser>,
    /// How long a poll waits for something to happen.
    pub poll_wait: Duration,
    /// Answers a repeated `clientmessageid` with the message already there.
    pub deduplicate: bool,
    /// Without it `/endpoints` answers 403/209, as Teams does to some accounts: clients must poll at intervals.
    pub long_poll: bool,
    /// Host names besides loopback that a request may name.
    pub allowed_hosts: Vec<String>,
    pub faults: Faults,
}

impl Default for GatewayOptions {
    fn default() -> Self {
        Self {
            db: None,
            users: Vec::new(),
            poll_wait: Duration::from_secs(30),
            deduplicate: true,
            long_poll: true,
            allowed_hosts: Vec::new(),
            faults: Faults::default(),
        }
    }
}

/// Opens the gateway of a gateway; [`serve`] then answers for it.
///
/// # Errors
/// When the database cannot be opened or is from a newer version.
pub fn open(options: GatewayOptions, origin: String) -> Result<Arc<GatewayState>, rusqlite::Error> {
    GatewayState::open(options, origin).map(Arc::new)
}

/// Answers until `shutdown` is done.
pub async fn serve(
    listener: TcpListener,
    gateway: Arc<GatewayState>,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let app = router(gateway.clone());
    let stop = async move {
        shutdown.await;
        gateway.close();
    };
    axum::serve(listener, app).with_graceful_shutdown(stop).await
}

fn router(gateway: Arc<GatewayState>) -> Router {
    let v1 = Router::new()
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
        .route("/users/ME/conversations/{id}/messages/{message}/ack", post(messages::ack))
        .route(
            "/users/ME/conversations/{id}/messages/{message}/properties",
            put(messages::react).delete(messages::unreact),
        )
        .route("/users/ME/endpoints", post(hub::register))
        .route("/users/ME/endpoints/{endpoint}", put(hub::accept).delete(hub::accept))
        .route("/users/ME/endpoints/{endpoint}/active", post(hub::accept))
        .route("/users/ME/endpoints/{endpoint}/properties", put(hub::accept))
        .route("/users/ME/endpoints/{endpoint}/presenceDocs/messagingService", put(hub::accept))
        .route("/users/ME/endpoints/{endpoint}/subscriptions", post(hub::subscribe))
        .route("/users/ME/endpoints/{endpoint}/subscriptions/0", put(hub::accept))
        .route("/users/ME/endpoints/{endpoint}/subscriptions/0/poll", post(hub::poll))
        .route("/users/ME/presenceDocs/messagingService", get(hub::accept).put(hub::accept))
        .route("/threads", post(threads::create))
        .route("/threads/{id}", get(threads::one))
        .route("/threads/{id}/properties", put(properties::set_property))
        .route("/threads/{id}/consumptionhorizons", get(threads::consumption_horizons))
        .route("/threads/{id}/members", post(threads::add_members))
        .route(
            "/threads/{id}/members/{member}",
            put(threads::put_member).delete(threads::remove_member),
        )
        .route("/meetings", post(join::meeting));
    Router::new()
        .nest("/v1", v1)
        .route("/scheduler/threads", post(join::join_url))
        .route("/join/api/v2/conversation/", post(join::resolve))
        .route("/profiles/v2/profiles", post(profiles::look_up))
        .fallback(api_error::no_such_path)
        .layer(axum::middleware::from_fn_with_state(gateway.clone(), auth::gate))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(gateway)
}
