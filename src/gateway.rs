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

mod access;
mod api_error;
mod chat_key;
mod commit;
mod connection;
pub mod demo;
mod directory;
mod events;
pub mod fault;
mod http;
mod hub;
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

/// Reads of the database at the same time.
const MAX_READS: usize = 4;

/// Someone who may sign in.
#[derive(Clone)]
pub struct GatewayUser {
    pub id: UserId,
    pub token: String,
    pub name: String,
}

/// What connections may take.
#[derive(Clone, Copy, Debug)]
pub struct ConnectionLimits {
    /// Open connections; a part of them is kept for those with a credential.
    pub connections: usize,
    /// From the first byte of a request to the end of its head, and from the beginning to the first byte.
    pub head: Duration,
    /// For the body of a request, and for taking an answer without a pause longer than this.
    pub body: Duration,
    /// Between two requests.
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

/// How a gateway behaves. Faults can be set by code only: no flag, key or variable reaches them.
pub struct GatewayOptions {
    /// `None` keeps everything in memory.
    pub db: Option<PathBuf>,
    pub users: Vec<GatewayUser>,
    /// Whether there are no other people than `users`: what is sent to anybody else is refused.
    pub known_people_only: bool,
    /// How long a poll waits for something to happen.
    pub poll_wait: Duration,
    /// How long events are kept for an endpoint that does not poll.
    pub endpoint_patience: Duration,
    /// Answers a repeated `clientmessageid` with the message already there.
    pub deduplicate: bool,
    /// Without it `/endpoints` answers 403/209, as Teams does to some accounts: clients must poll at intervals.
    pub long_poll: bool,
    /// Host names besides loopback that a request may name.
    pub allowed_hosts: Vec<String>,
    /// What links begin with; without it they begin as the caller reached the gateway.
    pub public_url: Option<Origin>,
    /// Whether `X-Forwarded-Proto` and `X-Forwarded-For` come from a proxy in front and can be believed.
    pub behind_proxy: bool,
    pub limits: ConnectionLimits,
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
