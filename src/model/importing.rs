//! Imports of exports into archives, as the screen and commands show them.

use super::text::{SafeText, grouped};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The progress of an import.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportProgress {
    /// Bytes read, and the total.
    pub read: u64,
    pub size: u64,
    pub messages: u64,
}

impl ImportProgress {
    /// `45 %  450,000 messages  120,000 a second  about 3 s left`
    pub fn line(&self, elapsed: Duration) -> String {
        let share = self.read as f64 / self.size.max(1) as f64;
        let seconds = elapsed.as_secs_f64();
        let rate = (self.messages as f64 / seconds.max(0.001)) as u64;
        let left = seconds / share.max(0.001) * (1.0 - share);
        let left = match left as u64 {
            0 => "nearly done".to_owned(),
            s if s < 120 => format!("about {s} s left"),
            s => format!("about {} min left", s / 60),
        };
        format!(
            "{:3.0} %  {} messages  {} a second  {left}",
            share * 100.0,
            grouped(self.messages),
            grouped(rate)
        )
    }
}

/// What an import reports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ImportNews {
    Progress(ImportProgress),
    /// The import has ended; a report in several lines.
    Done(SafeText),
    Failed(SafeText),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_progress_tells_rate_and_time_left() {
        let progress = ImportProgress { read: 450, size: 1_000, messages: 450_000 };
        assert_eq!(
            progress.line(Duration::from_secs(3)),
            " 45 %  450,000 messages  150,000 a second  about 3 s left"
        );
    }
}
