//! How fast the program and its connection are.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What was measured of keys and frames.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrameFigures {
    /// From the arrival of a key until its frame was written: half of them took no longer.
    pub p50: Duration,
    /// All but one in a hundred took no longer.
    pub p99: Duration,
    /// The number of keys that were measured.
    pub keys: usize,
    /// The size of the last frame in bytes.
    pub bytes: usize,
}

/// How the connection of an account is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountFigures {
    /// Since the last answer to a request for news; `None` before the first one.
    pub polled: Option<Duration>,
    /// The requests that can be sent within this minute, and the maximum per minute; `None` where there is no limit.
    pub budget: Option<(usize, usize)>,
}
