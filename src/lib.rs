//! # skchat: a terminal client for Skype's chat protocol
//!
//! A map for whoever comes in. Arrows of use point down; a test (`tests/architecture.rs`) holds them.
//!
//! ```text
//! main -> start            the composition root: puts everything together
//!   cli                    the command line, and chats / log / send / serve / doctor
//!   runtime                the loop: keys + deltas + time -> update -> frame; the terminal; recordings
//!     ui                   draw(&Model): paints what layout derived, decides nothing
//!     app                  Model, update(), layout(): pure; no clock, no disk, no network
//!     sync                 poller, outbox, requests, backfill: joins client and store, sends deltas
//!       client             one HTTP gate, one method an operation
//!       store              SQLite cache of raw items, coverages, search index, drafts, outbox
//!         protocol         JSON, paths and markup <-> model
//!   gateway                the other end: a server that speaks the protocol (serve, demo, tests)
//!   config                 the configuration file and the key table
//! model                    ids, times, messages, deltas, requests; used by all
//! ```
//!
//! ## The way of a message
//!
//! *Out*: `on_compose` puts it into the timeline as `Saving` and returns `Effect::Request(Send)`; `sync::requests`
//! commits it to the outbox; `sync::outbox` sends it and reports each step as a `Delta`. *In*: `sync::poller` takes
//! bytes, `protocol::wire` makes `RawMessage`s, `store` keeps them as received, `protocol::decode` makes `Message`s,
//! a `Delta` brings them to `app::on_delta`. Reply and echo may come in either order: both carry the client id.
//!
//! ## Which parts of the history are stored
//!
//! `model::coverage` says it: ranges within which everything the server holds is stored. `sync::catch_up` catches up with a
//! conversation, `sync::backfill` closes gaps, `store::coverage` keeps the ranges in the transaction of each batch, and
//! `app::on_history` draws a line wherever two loaded messages are no neighbours. A page that goes on from a `syncState`
//! may bring changed messages from anywhere: only messages as posted say how far it reaches, and a message that comes by
//! itself is a range of its own. A place far back is a window (`app::chat::Window`) that grows at both ends.
//!
//! ## Where this leaves the plan it was built from, and why
//!
//! * Requests and their answers live in `model` (`Request`, `Delta`), not in `app`: sync must not know the app, and
//!   the runtime would otherwise hold a second list of the same things.
//! * The scroll anchor also counts rows above a message's text (day, name), or line-wise scrolling would skip them.
//! * Three store threads, two of them read-only, so that opening a chat never waits for a burst being written, nor for a
//!   search.
//! * One index for search in place of trigrams and a second one for short words: grams of one, two and three characters
//!   made here, so that folding (case, accents, forms of a letter) is the same in the index and in the check of each hit.
//!   Rows are numbered by arrival, so the newest hits come first without sorting.
//! * Coverage is kept as what is stored (ranges) and not as what is missing (holes): holes cannot say that an old message which
//!   was edited is no neighbour of anything.
//! * A message goes back from the outbox into the box by one transaction of the store, and the screen waits for it.
//! * With `receipts = "never"` reading still counts here: a badge that never goes away says nothing.
//! * A recording holds inputs and frames, not keys: it plays on another machine, with other keys, without a store.
//! * The redacting serialiser scrambles by type, each text by itself; a substitution of letters could be read back.
//! * The list is ordered by activity alone, without groups of unread and quiet chats: rows that change their group when
//!   they are read would move without the user. Alt-A and the count of unread below the list serve catching up.
//! * The third pane begins at 110 columns, not at 100: below that, messages would have less than fifty.
//! * A message that cannot be written as it would be typed (colours, emoticons, foreign HTML) is edited as the wire has
//!   it. That loses nothing by construction; writing our own tree back could only approach it.
//! * Right-to-left text is ordered here and the terminal is told not to (BDSM): rows mix times, names and text, and
//!   a terminal that orders whole rows would move the time column.
//! * `ui.enter` swaps keys in the key table, so that footer, help and palette tell the truth.
//! * What is passing (who types, notes, messages below) stands on the rule above the message box: it never moves text.

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
pub mod cli;
pub mod client;
pub mod config;
pub mod gateway;
pub mod model;
pub mod protocol;
pub mod runtime;
pub mod start;
pub mod store;
pub mod sync;
pub mod ui;
