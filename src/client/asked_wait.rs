//! When a server wants to be asked again.

use crate::model::Timestamp;
use std::time::{Duration, SystemTime};

/// The headers that say when to come back.
#[derive(Debug, Default)]
pub(super) struct AskedWait {
    pub retry_after: Option<String>,
    /// The server's clock, which a date in `Retry-After` refers to.
    pub date: Option<String>,
}

impl AskedWait {
    /// The server's time when it answered.
    pub(super) fn server_time(&self) -> Option<Timestamp> {
        let at = jiff::fmt::rfc2822::parse(self.date.as_deref()?.trim()).ok()?;
        Some(Timestamp(at.timestamp().as_millisecond()))
    }

    /// The wait that `Retry-After` names: seconds, or a date by the server's clock, or else by ours. The gate limits
    /// it.
    pub(super) fn wait(&self) -> Option<Duration> {
        let text = self.retry_after.as_deref()?.trim();
        if let Ok(seconds) = text.parse::<f64>() {
            let seconds = if seconds.is_finite() { seconds.max(0.0) } else { return None };
            return Some(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX));
        }
        let date = |text: &str| -> Option<SystemTime> {
            let at = jiff::fmt::rfc2822::parse(text.trim()).ok()?;
            Some(at.timestamp().into())
        };
        let now = self.date.as_deref().and_then(date).unwrap_or_else(SystemTime::now);
        Some(date(text)?.duration_since(now).unwrap_or_default())
    }
}
