//! # skchat: a terminal client for Skype's chat protocol
//!
//! The map. Arrows of dependency point down; `tests/architecture.rs` checks them.
//!
//! ```text
//! main -> start            the composition root: puts everything together
//!   cli                    the command line, and one file per subcommand
//!   runtime                the loop: keys + deltas + time -> update -> frame; terminal and keys; recordings
//!     ui                   paints what layout derived, decides nothing
//!     app                  Model, update(), layout(): pure; no clock, no disk, no network
//!     sync                 poller, outbox, requests, catch_up, backfill: joins client, store and archive; sends deltas
//!       client             one HTTP gate, one method per operation
//!       store              SQLite: raw items, coverage, search index, drafts, outbox
//!         protocol         JSON, paths and markup <-> model; FACTS.md: what is known of the wire
//!   archive                exports of Skype and Teams: reads them into a store of their own
//!   gateway                the other end: a server that speaks the protocol (serve, demo, tests)
//!   config                 the configuration file and the key table
//! process                  what the process keeps from others: memory, secrets in its environment
//! model                    ids, times, messages, deltas, requests; used by all
//! ```
//!
//! Where to go for a change:
//!
//! | change | begin in |
//! | --- | --- |
//! | a key, an action | `assets/keymap.toml`, `app::action`, `app::actions` |
//! | a dialog | `app::overlay` |
//! | a slash command | `app::commands` |
//! | what a row of a chat or of the list shows | `app::view` |
//! | colours | `assets/theme.toml`, `assets/themes`, `ui::theme` |
//! | a message type, a tag, a field of the wire | `protocol`, and its FACTS.md |
//! | a setting of the user | `model::preferences` |
//! | a setting of a conversation | `model::conversation::FLAGS` (`model/thread_flag.rs`) |
//! | when and how often the server is asked | `sync` |
//! | what is kept on disk | `store` |
//!
//! `.github/CONTRIBUTING.md` lists the files of each.
#![doc = include_str!("ARCHITECTURE.md")]
#![deny(
    clippy::unwrap_used,
    clippy::panic,
    clippy::todo,
    clippy::string_slice,
    clippy::disallowed_methods
)]

#[cfg(test)]
extern crate self as skchat;

/// Shared with the tests outside the crate, which know it by its name.
#[cfg(test)]
#[path = "../tests/common/fixture.rs"]
mod fixture;

pub mod app;
pub mod archive;
pub mod cli;
pub mod client;
pub mod config;
pub mod gateway;
pub mod model;
pub mod process;
pub mod protocol;
pub mod runtime;
pub mod start;
pub mod store;
pub mod sync;
pub mod ui;
