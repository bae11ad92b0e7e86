//! When to poll less often, so that each answer brings several events. Pure.

use std::time::Duration;

/// While events arrive without a pause, polls start this far apart: each costs a request, a transaction and a frame.
pub(super) const POLL_SPACING: Duration = Duration::from_millis(50);

/// Polls are spaced out only after more quick answers in a row than this: a message and its receipts, or several
/// messages pasted at once, are not a reason to.
const QUICK_ANSWERS: u32 = 3;

/// An answer with more events than this comes from a backlog, which is fetched without a pause.
const BACKLOG: usize = 100;

/// How fast events arrive.
#[derive(Debug, Default)]
pub(super) struct EventFlow {
    /// Quick answers in a row, each with a few events.
    quick_answers: u32,
}

impl EventFlow {
    /// Records an answer to a poll: how long it took, and how many events it held. Returns whether the next poll should
    /// start no sooner than [`POLL_SPACING`] after this one did.
    pub fn should_space(&mut self, took: Duration, events: usize) -> bool {
        let is_quick = took < POLL_SPACING && (1..=BACKLOG).contains(&events);
        self.quick_answers = if is_quick { self.quick_answers.saturating_add(1) } else { 0 };
        self.quick_answers > QUICK_ANSWERS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT_ONCE: Duration = Duration::from_millis(2);

    #[test]
    fn a_few_events_in_a_row_are_asked_for_at_once_and_a_flow_of_them_together() {
        let mut flow = EventFlow::default();
        for _ in 0..QUICK_ANSWERS {
            assert!(!flow.should_space(AT_ONCE, 1));
        }
        // The answer to a poll that was put off is quick as well, so the flow goes on.
        for events in [1, 8, 50, BACKLOG] {
            assert!(flow.should_space(AT_ONCE, events));
        }
    }

    #[test]
    fn after_a_moment_without_events_the_next_one_is_not_kept_waiting() {
        let pauses = [(POLL_SPACING, 1), (Duration::from_secs(10), 1), (AT_ONCE, 0)];
        for (took, events) in pauses {
            let mut flow = EventFlow::default();
            for _ in 0..10 {
                flow.should_space(AT_ONCE, 8);
            }
            assert!(!flow.should_space(took, events), "{took:?} {events}");
            assert!(!flow.should_space(AT_ONCE, 1));
        }
    }

    #[test]
    fn what_has_piled_up_at_the_server_is_fetched_without_a_pause() {
        let mut flow = EventFlow::default();
        assert!((0..20).all(|_| !flow.should_space(AT_ONCE, BACKLOG + 1)));
    }
}
