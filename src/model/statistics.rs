//! How many messages a conversation has, and when they were written.

use super::date::Month;
use super::time::Timestamp;
use serde::{Deserialize, Serialize};

/// The stored messages of a conversation, counted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChatStatistics {
    /// When the first and the last message were written.
    pub period: Option<(Timestamp, Timestamp)>,
    /// Months with messages, oldest first.
    pub months: Vec<(Month, u64)>,
}

impl ChatStatistics {
    pub fn total(&self) -> u64 {
        self.months.iter().map(|(_, count)| count).sum()
    }

    /// Years with messages, newest first.
    pub fn years(&self) -> Vec<(i16, u64)> {
        let mut years: Vec<(i16, u64)> = Vec::new();
        for (month, count) in self.months.iter().rev() {
            match years.last_mut() {
                Some((year, total)) if *year == month.year => *total += count,
                _ => years.push((month.year, *count)),
            }
        }
        years
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_add_up_to_years() {
        let month = |year, month| Month { year, month };
        let months = vec![(month(2015, 12), 2), (month(2016, 1), 3), (month(2016, 5), 4)];
        let statistics = ChatStatistics { months, ..ChatStatistics::default() };
        assert_eq!(statistics.years(), [(2016, 7), (2015, 2)]);
        assert_eq!(statistics.total(), 9);
    }
}
