//! What `update` wants done. Returned values, carried out by the runtime; no flags to be polled.

use crate::model::{Clean, Request};

#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// For sync.
    Request(Box<Request>),
    /// Opens a target whose scheme was checked, by argv, never by a shell.
    OpenUrl(Clean),
    /// To the clipboard.
    Copy(String),
    Redraw,
    Suspend,
    Quit,
}
