//! The figures that F12 shows about keys, frames and the connection. Nothing is measured while they are hidden.

use crate::model::{AccountFigures, FrameFigures};
use std::time::Duration;

/// How often the figures of the connection are requested.
const EVERY: Duration = Duration::from_secs(1);

/// The figures that are known so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShownFigures {
    pub frames: FrameFigures,
    /// The figures of the open account, and when (monotonic) they arrived.
    pub account: Option<(AccountFigures, Duration)>,
    /// How long the server took to accept the last message that was sent.
    pub accepted: Option<Duration>,
    /// When (monotonic) the figures of the connection were last requested.
    pub asked_at: Option<Duration>,
}

impl ShownFigures {
    /// When (monotonic) to ask again.
    pub fn due(&self) -> Duration {
        self.asked_at.map_or(Duration::ZERO, |at| at + EVERY)
    }
}
