//! A gateway of our own: the chat service of the reference page over HTTP, with its own SQLite file.
//!
//! It is the other end of every test, the whole gateway of `skchat demo`, and with `skchat serve` a small chat server
//! for friends. It writes its own paths and knows nothing of the client, so that a wrong path cannot agree with
//! itself.
//!
//! A request goes down through these layers, each of which knows only the next one:
//!
//! ```text
//!   http       paths, credentials, JSON; decides nothing
//!   rules      who may do what, what a change leaves behind, who hears of it
//!   storage    what is kept, by intent; a trait
//!   sqlite     the tables
//! ```
//!
//! Changes run one after another on the thread of `commit`, which commits those that wait together. A `201` or `200`
//! is sent only once the change is durable. Reads have connections of their own and wait for no change.
//!
//! What happened goes to the `hub` as events: one shared body each, queued for those of its audience who have a
//! subscription. Links and ids are filled in when a poll is answered, for the host that the poll was sent to. An event
//! about the state of a group or a conversation carries that state as it is when the poll is answered, once for all
//! such events in the answer. A client that sends `ackId` gets an event again until it acknowledges it; for one that
//! never does, an event is gone with the answer that held it. A queue that grows too large ends its subscription: its
//! client is told so by the next poll (404, code 450), subscribes again and reads what it missed.

mod api_error;
mod chat_key;
mod commit;
pub mod demo;
mod directory;
mod events;
pub mod fault;
mod http;
mod hub;
mod render;
mod rules;
mod secret;
mod state;
mod storage;

use crate::model::UserId;
use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;

pub use fault::Faults;
pub use state::GatewayState;
pub use storage::StorageError;

/// Reads of the database at the same time.
const MAX_READS: usize = 4;

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

/// Opens a gateway; [`serve`] then answers for it.
///
/// # Errors
/// When the database cannot be opened or is from a newer version.
pub fn open(options: GatewayOptions) -> Result<Arc<GatewayState>, StorageError> {
    GatewayState::open(options).map(Arc::new)
}

/// Answers until `shutdown` is done.
///
/// # Errors
/// When the listener fails.
pub async fn serve(
    listener: TcpListener,
    gateway: Arc<GatewayState>,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let app = http::router(gateway.clone());
    let stop = async move {
        shutdown.await;
        gateway.close();
    };
    axum::serve(listener, app).with_graceful_shutdown(stop).await
}
