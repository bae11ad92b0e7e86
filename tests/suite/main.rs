//! The tests of the whole program, one module per subject. They are one executable, because linking one per subject takes
//! minutes. `cargo test --test suite history::` runs one module.

#[path = "../common/mod.rs"]
mod common;

mod account_screen;
mod accounts;
mod any_input;
mod archive;
mod archive_screen;
mod archive_trouble;
mod arrival;
mod cli;
mod client;
mod copying;
mod corpus;
mod demo;
mod edits;
mod ends;
mod error_rows;
mod faults;
mod files;
mod flows;
mod frames;
mod gateway;
mod gateway_access;
mod gateway_load;
mod gateway_rights;
mod groups;
mod history;
mod jobs;
mod keys;
mod kill;
mod names;
mod new_chat;
mod new_chat_kills;
mod paging;
mod pty;
mod read_only;
mod seen;
mod sent_once;
mod serve;
mod sign_in;
mod sign_in_program;
mod storm;
mod tls;
mod trouble;
