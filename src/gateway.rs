//! A server for the chat protocol of the reference page, with its data in an SQLite file.
//!
//! It serves `skchat demo`, `skchat serve` and the tests. It defines its own paths and shares no code with the client,
//! so that a mistake in a path cannot cancel itself out.
//!
//! A request passes through these layers; each one uses only the next:
//!
//! ```text
//!   http       paths, credentials and JSON, without decisions
//!   rules      permissions, the effects of a change, and its events
//!   storage    a trait: what is stored, by intent
//!   sqlite     the tables
//! ```
//!
//! Changes run one after another on the thread of `commit`. Changes that are waiting share one commit, and a request is
//! answered only after its change is durable. Reads use connections of their own and do not wait for changes.
//!
//! Changes cause events, which the `hub` queues for subscribed users only. All recipients share one event body; ids and
//! links are filled in when a poll is answered, with the host that the poll was sent to. An event about a group or a
//! conversation contains the state at the time of the poll, and only once per answer. If a client sends `ackId`, events
//! are repeated until it acknowledges them; without it, events are dropped once they were sent.
//!
//! Registrations are stored and survive a restart; queued events do not. When events were lost (by a restart, by ten
//! minutes without a poll, or by a full queue), a client that sends `ackId` gets 404 with code 450 on its next poll, so
//! that it subscribes again and reads what it missed. Other clients continue with new events.

mod access;
mod api_error;
mod chat_key;
mod commit;
mod connection;
pub mod demo;
mod directory;
pub mod emulation;
mod events;
pub mod fault;
mod http;
mod hub;
pub mod objects;
mod render;
mod rules;
mod secret;
mod server;
mod state;
mod storage;

use crate::model::UserId;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

pub use access::Origin;
pub use chat_key::is_person_id;
pub use fault::Faults;
pub use server::serve;
pub use state::GatewayState;
pub use storage::StorageError;

/// Concurrent reads of the database.
const MAX_READS: usize = 4;

/// A user who can sign in.
#[derive(Clone)]
pub struct GatewayUser {
    pub id: UserId,
    pub token: String,
    pub name: String,
}

/// Limits of connections.
#[derive(Clone, Copy, Debug)]
pub struct ConnectionLimits {
    /// Maximum number of open connections. A part of them is reserved for authenticated users.
    pub connections: usize,
    /// Time to receive the head of a request, also until its first byte on a new connection.
    pub head: Duration,
    /// Time to receive the body of a request, and the longest pause while the peer reads an answer.
    pub body: Duration,
    /// Time without a request on an open connection.
    pub idle: Duration,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self {
            connections: 512,
            head: Duration::from_secs(15),
            body: Duration::from_secs(15),
            idle: Duration::from_secs(120),
        }
    }
}

/// The settings of a gateway. Faults can only be set by code: no flag, setting or variable reaches them.
pub struct GatewayOptions {
    /// The database file; `None` keeps everything in memory.
    pub db: Option<PathBuf>,
    pub users: Vec<GatewayUser>,
    /// If true, only `users` exist: messages to anyone else are refused.
    pub known_people_only: bool,
    /// How long a poll waits for events.
    pub poll_wait: Duration,
    /// How long events are kept for an endpoint that does not poll.
    pub endpoint_patience: Duration,
    /// Whether a repeated message is answered with the id of the first one.
    pub deduplicate: bool,
    /// If false, `/endpoints` answers 403/209 as Teams does to some accounts, and clients poll at intervals.
    pub long_poll: bool,
    /// Host names that requests may use besides loopback names.
    pub allowed_hosts: Vec<String>,
    /// The origin of links. By default, links use the origin that the caller used.
    pub public_url: Option<Origin>,
    /// Whether a reverse proxy is in front, so that `X-Forwarded-Proto` and `X-Forwarded-For` are trusted.
    pub behind_proxy: bool,
    pub limits: ConnectionLimits,
    /// Imitates a live service instead of the reference page.
    pub emulates: Option<emulation::EmulationOptions>,
    pub faults: Faults,
}

impl Default for GatewayOptions {
    fn default() -> Self {
        Self {
            db: None,
            users: Vec::new(),
            known_people_only: false,
            poll_wait: Duration::from_secs(30),
            endpoint_patience: Duration::from_secs(600),
            deduplicate: true,
            long_poll: true,
            allowed_hosts: Vec::new(),
            public_url: None,
            behind_proxy: false,
            limits: ConnectionLimits::default(),
            emulates: None,
            faults: Faults::default(),
        }
    }
}

/// Opens a gateway. [`serve`] then answers requests.
///
/// # Errors
/// If the database cannot be opened or is from a newer version.
pub fn open(options: GatewayOptions) -> Result<Arc<GatewayState>, StorageError> {
    GatewayState::open(options).map(Arc::new)
}
