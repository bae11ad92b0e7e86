//! What F12 shows: how fast keys, frames and the connection are. Nothing is measured while it is not shown.

use crate::model::{AccountFigures, FrameFigures};
use std::time::Duration;

/// How often the figures of the connection are asked for.
const EVERY: Duration = Duration::from_secs(1);

/// The figures, as far as they are known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShownFigures {
    pub frames: FrameFigures,
    /// Of the account that is open, and when (monotonic) they came.
    pub account: Option<(AccountFigures, Duration)>,
    /// From sending a message until the server had accepted it, for the last one.
    pub accepted: Option<Duration>,
    /// When (monotonic) the figures of the connection were asked for.
    pub asked_at: Option<Duration>,
}

impl ShownFigures {
    /// When (monotonic) to ask again.
    pub fn due(&self) -> Duration {
        self.asked_at.map_or(Duration::ZERO, |at| at + EVERY)
    }
}
