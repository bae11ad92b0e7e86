//! The app as a pure function: deltas and keys in, state, effects and screens out.

mod account_changes;
mod accounts;
mod any_order;
mod archives;
mod dates;
mod dialogs;
mod drafts;
mod groups;
mod history;
mod inbox;
mod listing;
mod mouse;
mod names;
mod narrow;
mod notifications;
mod outbox;
mod pasting;
mod questions;
mod reactions;
mod reading;
mod recall;
mod sign_in;
mod suggestions;
mod text;
mod unasked;
mod writing;
