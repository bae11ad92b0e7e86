//! When to ask for events less often, so that each answer brings several. Pure.

use std::time::Duration;

/// While events come without a pause, polls are asked so far apart: each answer costs a request, a transaction and a frame.
pub(super) const GATHERS: Duration = Duration::from_millis(50);

/// So many answers in a row are no such flow yet: a message and its receipts, or somebody who pastes several.
const HURRIED: u32 = 3;

/// An answer with more events than this was not hurried: the others are waiting at the server already.
const MANY_EVENTS: usize = 100;

/// How fast events come.
#[derive(Debug, Default)]
pub(super) struct EventFlow {
    /// Answers in a row that came at once and held a few events.
    hurried: u32,
}

impl EventFlow {
    /// Notes an answer to a poll, which took so long and held so many events. Tells whether the next poll should be asked no
    /// sooner than [`GATHERS`] after this one was.
    pub fn gathers(&mut self, took: Duration, events: usize) -> bool {
        let hurried = took < GATHERS && (1..=MANY_EVENTS).contains(&events);
        self.hurried = if hurried { self.hurried.saturating_add(1) } else { 0 };
        self.hurried > HURRIED
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT_ONCE: Duration = Duration::from_millis(2);

    #[test]
    fn a_few_events_in_a_row_are_asked_for_at_once_and_a_flow_of_them_together() {
        let mut flow = EventFlow::default();
        for _ in 0..HURRIED {
            assert!(!flow.gathers(AT_ONCE, 1));
        }
        // Those after a pause that was kept are hurried as well, so the flow goes on.
        for events in [1, 8, 50, MANY_EVENTS] {
            assert!(flow.gathers(AT_ONCE, events));
        }
    }

    #[test]
    fn after_a_moment_without_events_the_next_one_is_not_kept_waiting() {
        let pauses = [(GATHERS, 1), (Duration::from_secs(10), 1), (AT_ONCE, 0)];
        for (took, events) in pauses {
            let mut flow = EventFlow::default();
            for _ in 0..10 {
                flow.gathers(AT_ONCE, 8);
            }
            assert!(!flow.gathers(took, events), "{took:?} {events}");
            assert!(!flow.gathers(AT_ONCE, 1));
        }
    }

    #[test]
    fn what_has_piled_up_at_the_server_is_fetched_without_a_pause() {
        let mut flow = EventFlow::default();
        assert!((0..20).all(|_| !flow.gathers(AT_ONCE, MANY_EVENTS + 1)));
    }
}
