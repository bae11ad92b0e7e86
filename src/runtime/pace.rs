//! Estimates how far a slow terminal is behind.
//!
//! The system buffers bytes that the terminal has not read yet, several kilobytes for a pseudo-terminal. When all bytes
//! are written, a slow terminal is still busy with the buffer, and a frame that is written then is only shown after it.
//! So once the program had to wait for the terminal, its speed is known, and for a while each frame waits until the
//! terminal should have read nearly all of the one before.

use std::time::{Duration, Instant};

/// After this long without a write, the terminal has read everything.
const REST: Duration = Duration::from_millis(500);
/// How much reading time the terminal may have left when the next frame is written.
const AHEAD: Duration = Duration::from_millis(150);
/// The longest wait before a frame: the speed may have changed.
const LONGEST: Duration = Duration::from_millis(1_500);
/// A shorter wait says nothing about the terminal's speed, and a longer one means that it had stopped.
const SAMPLE: std::ops::Range<Duration> = Duration::from_millis(20)..Duration::from_secs(5);
/// How long a measured speed is assumed to stay the same.
const LASTS: Duration = Duration::from_secs(5);
/// The most bytes that the system is expected to buffer.
const MAX_HELD: f64 = 65_536.0;

#[derive(Debug, Default)]
pub struct TerminalPace {
    last_write: Option<Instant>,
    /// An upper bound for the bytes that the terminal has not read yet.
    held: f64,
    /// Bytes per second, and when that was measured.
    speed: Option<(f64, Instant)>,
    /// When the current wait for the terminal began, and the bytes taken since.
    waited: Option<(Instant, f64)>,
    /// When the next frame may be written.
    next: Option<Instant>,
}

impl TerminalPace {
    /// The system has taken bytes for the terminal.
    pub fn wrote(&mut self, count: usize, now: Instant) {
        let count = f64::from(u32::try_from(count).unwrap_or(u32::MAX));
        if let Some((_, taken)) = &mut self.waited {
            // The terminal has read as much before.
            *taken += count;
        } else {
            let since = self.last_write.map_or(Duration::MAX, |last| now.duration_since(last));
            let read = self.speed(now).map_or(0.0, |speed| speed * since.as_secs_f64());
            self.held = if since >= REST { 0.0 } else { (self.held - read).max(0.0) };
            self.held = (self.held + count).min(MAX_HELD);
        }
        self.last_write = Some(now);
    }

    /// The system takes no more bytes for now.
    pub fn blocked(&mut self, now: Instant) {
        self.waited.get_or_insert((now, 0.0));
    }

    /// Everything was written.
    pub fn emptied(&mut self, now: Instant) {
        if let Some((since, taken)) = self.waited.take() {
            let waited = now.duration_since(since);
            if taken > 0.0 && SAMPLE.contains(&waited) {
                self.speed = Some((taken / waited.as_secs_f64(), now));
            }
        }
        self.next = self.speed(now).map(|speed| {
            let left = Duration::try_from_secs_f64(self.held / speed).unwrap_or(LONGEST);
            self.last_write.unwrap_or(now) + left.min(LONGEST).saturating_sub(AHEAD)
        });
    }

    fn speed(&self, now: Instant) -> Option<f64> {
        self.speed.filter(|(_, at)| now.duration_since(*at) < LASTS).map(|(speed, _)| speed)
    }

    /// Forgets everything: another program has had the terminal.
    pub fn reset(&mut self) {
        *self = Self::default();
    }

    /// When the next frame may be written; `None` if it may be written now.
    pub fn next(&self, now: Instant) -> Option<Instant> {
        self.next.filter(|next| *next > now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    /// How long the last of many states takes to be shown by a terminal that reads this many bytes per millisecond from
    /// a queue of 12 kB. Each state is a frame of 3 kB.
    fn delay(bytes_per_ms: usize) -> Duration {
        const QUEUE: usize = 12_000;
        const FRAME: usize = 3_000;
        const LAST: u32 = 3_000;
        let (mut pace, start) = (TerminalPace::default(), Instant::now());
        let (mut queued, mut unsent, mut has_last) = (0, 0, false);
        for turn in 0.. {
            let now = start + MS * turn;
            queued -= bytes_per_ms.min(queued);
            if has_last && queued + unsent == 0 {
                return MS * (turn - LAST);
            }
            if !has_last && unsent == 0 && pace.next(now).is_none() {
                unsent = FRAME;
                has_last = turn >= LAST;
            }
            let count = unsent.min(QUEUE - queued);
            queued += count;
            unsent -= count;
            if count > 0 {
                pace.wrote(count, now);
            }
            if unsent > 0 {
                pace.blocked(now);
            } else {
                pace.emptied(now);
            }
        }
        Duration::MAX
    }

    #[test]
    fn a_slow_terminal_is_never_far_behind_and_a_fast_one_is_never_waited_for() {
        assert!(delay(10) < MS * 900, "{:?}", delay(10));
        assert!(delay(100) < MS * 300, "{:?}", delay(100));
        let mut pace = TerminalPace::default();
        let now = Instant::now();
        for turn in 0..1_000 {
            pace.wrote(8_000, now + MS * turn);
            pace.emptied(now + MS * turn);
            assert_eq!(pace.next(now), None);
        }
    }

    #[test]
    fn a_terminal_that_stood_still_is_not_waited_for_afterwards() {
        let (mut pace, now) = (TerminalPace::default(), Instant::now());
        pace.wrote(12_000, now);
        pace.blocked(now);
        let later = now + MS * 60_000;
        pace.wrote(10, later);
        pace.emptied(later);
        assert_eq!(pace.next(later), None);
        // A speed is not kept forever.
        pace.blocked(later);
        pace.wrote(1_000, later + MS * 1_000);
        pace.emptied(later + MS * 1_000);
        assert!(pace.next(later + MS * 1_000).is_some());
        let much_later = later + MS * 1_000 + LASTS;
        pace.wrote(4_000, much_later);
        pace.emptied(much_later);
        assert_eq!(pace.next(much_later), None);
    }
}
