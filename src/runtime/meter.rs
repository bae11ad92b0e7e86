//! Measures the time from a key to its written frame, while the figures are shown.

use crate::model::FrameFigures;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How many of the last keys are counted.
const KEPT: usize = 256;

#[derive(Debug, Default)]
pub struct KeyMeter {
    /// When the first key arrived that has no frame yet.
    began: Option<Instant>,
    taken: VecDeque<Duration>,
    bytes: usize,
}

impl KeyMeter {
    /// A key has arrived.
    pub fn key(&mut self, now: Instant) {
        self.began.get_or_insert(now);
    }

    /// A frame of this many bytes was written.
    pub fn frame(&mut self, now: Instant, bytes: usize) {
        let Some(began) = self.began.take() else { return };
        self.bytes = bytes;
        if self.taken.len() >= KEPT {
            self.taken.pop_front();
        }
        self.taken.push_back(now.saturating_duration_since(began));
    }

    pub fn figures(&self) -> FrameFigures {
        let mut sorted: Vec<Duration> = self.taken.iter().copied().collect();
        sorted.sort_unstable();
        let at = |percent: usize| {
            let rank = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
            sorted.get(rank).copied().unwrap_or_default()
        };
        FrameFigures { p50: at(50), p99: at(99), keys: sorted.len(), bytes: self.bytes }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_percentiles_are_those_of_the_last_keys() {
        let (start, mut meter) = (Instant::now(), KeyMeter::default());
        assert_eq!(meter.figures(), FrameFigures::default());
        meter.frame(start, 5);
        assert_eq!(meter.figures().keys, 0, "a frame without a key is not measured");
        for n in (1..=100).chain(1..=200) {
            meter.key(start);
            meter.key(start + Duration::from_millis(n));
            meter.frame(start + Duration::from_millis(n), 38);
        }
        let figures = meter.figures();
        assert_eq!((figures.keys, figures.bytes), (KEPT, 38));
        assert_eq!(figures.p50.as_millis(), 86);
        assert_eq!(figures.p99.as_millis(), 198);
    }
}
