//! When frames are drawn.

use super::meter::KeyMeter;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// The time between two frames caused by the network, in a steady stream.
const FRAME: Duration = Duration::from_millis(16);
/// After a pause, this many of them may be drawn at once: one message causes several changes, and the important one may
/// be the last.
const FRAMES_AT_ONCE: u32 = 4;
/// The first frame waits this long for the newest page from the store.
const FIRST_FRAME: Duration = Duration::from_millis(10);

/// The user's input is drawn at once, changes from the network at a limited rate. Times are monotonic.
pub struct FrameSchedule {
    /// When the next frame is due; `None` when there is nothing new to draw.
    pub due: Option<Duration>,
    /// The end of the time used up by the frames drawn so far, [`FRAME`] for each; `None` before the first frame.
    used_until: Option<Duration>,
    /// Cancelled when the first frame is drawn.
    shown: CancellationToken,
    /// Measures how long frames of keys take, while that is shown.
    pub meter: KeyMeter,
}

impl FrameSchedule {
    pub fn new(shown: CancellationToken) -> Self {
        Self { due: None, used_until: None, shown, meter: KeyMeter::default() }
    }

    /// The first frame is delayed for a moment, so that it shows messages.
    pub fn wait_for_messages(&mut self, now: Duration) {
        self.due = Some(now + FIRST_FRAME);
    }

    /// Something has changed.
    pub fn schedule(&mut self, now: Duration, from_user: bool, shows_messages: bool) {
        let due = match self.used_until {
            None if !shows_messages => return,
            None => now,
            Some(_) if from_user => now,
            Some(used) => now.max(used.saturating_sub(FRAME * (FRAMES_AT_ONCE - 1))),
        };
        self.due = Some(self.due.map_or(due, |before| before.min(due)));
    }

    /// A frame was sent.
    pub fn drawn(&mut self, now: Duration) {
        self.used_until = Some(self.used_until.unwrap_or_default().max(now) + FRAME);
        self.due = None;
        self.shown.cancel();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Duration = Duration::from_secs(5);

    fn milliseconds(time: u64) -> Duration {
        START + Duration::from_millis(time)
    }

    /// When a change that arrives at `now` is drawn.
    fn drawn_at(schedule: &mut FrameSchedule, now: Duration, from_user: bool) -> Duration {
        schedule.schedule(now, from_user, true);
        let due = schedule.due.unwrap().max(now);
        schedule.drawn(due);
        due
    }

    fn running() -> FrameSchedule {
        let mut schedule = FrameSchedule::new(CancellationToken::new());
        schedule.drawn(Duration::ZERO);
        schedule
    }

    #[test]
    fn after_a_rest_four_changes_are_drawn_at_once_and_a_steady_stream_every_16_ms() {
        let mut schedule = running();
        for _ in 0..FRAMES_AT_ONCE {
            assert_eq!(drawn_at(&mut schedule, START, false), START);
        }
        assert_eq!(drawn_at(&mut schedule, START, false), milliseconds(16));
        assert_eq!(drawn_at(&mut schedule, milliseconds(16), false), milliseconds(32));
        let later = milliseconds(1_000);
        assert_eq!(drawn_at(&mut schedule, later, false), later);
    }

    #[test]
    fn keys_are_drawn_at_once_whatever_the_network_does() {
        let mut schedule = running();
        for _ in 0..20 {
            drawn_at(&mut schedule, START, false);
        }
        assert_eq!(drawn_at(&mut schedule, START, true), START);
    }

    #[test]
    fn the_first_frame_waits_for_messages_but_not_long() {
        let shown = CancellationToken::new();
        let mut schedule = FrameSchedule::new(shown.clone());
        schedule.wait_for_messages(START);
        schedule.schedule(milliseconds(1), true, false);
        assert_eq!(schedule.due, Some(milliseconds(10)));
        schedule.schedule(milliseconds(4), false, true);
        assert_eq!(schedule.due, Some(milliseconds(4)));
        assert!(!shown.is_cancelled());
        schedule.drawn(milliseconds(4));
        assert!(shown.is_cancelled());
    }
}
