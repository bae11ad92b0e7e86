//! The events of one answer to a poll: which of them are new, and whether some may be missing.

use crate::protocol::wire::{PolledEvent, PolledEvents};

/// The events of an answer that are to be applied.
#[derive(Debug)]
pub(super) struct Received {
    pub events: Vec<PolledEvent>,
    pub ack: u64,
    /// See [`PolledEvents::complete`].
    pub complete: bool,
    /// No id is skipped before or between these events.
    pub gapless: bool,
}

impl Received {
    /// Events without an id are always taken, because they cannot be compared. Ids count up by one; where they do not,
    /// something may have been lost. If they start over, all are taken.
    pub fn of(answer: PolledEvents, ack: u64) -> Self {
        let PolledEvents { events, complete, .. } = answer;
        let numbered = || events.iter().map(|event| event.id).filter(|id| *id > 0);
        let began_anew = numbered().all(|id| id <= ack) && numbered().next().is_some();
        let before = if began_anew { 0 } else { ack };
        let events: Vec<PolledEvent> =
            events.into_iter().filter(|event| event.id == 0 || event.id > before).collect();
        let ids: Vec<u64> = events.iter().map(|event| event.id).filter(|id| *id > 0).collect();
        let first = (before > 0).then_some(before).into_iter();
        let all: Vec<u64> = first.chain(ids.iter().copied()).collect();
        let gapless = all.iter().zip(all.iter().skip(1)).all(|(a, b)| *b <= a.saturating_add(1));
        let ack = ids.into_iter().max().unwrap_or(ack);
        Self { events, ack, complete, gapless: gapless && !began_anew }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::events::tests::event;

    #[test]
    fn a_jump_in_the_ids_of_events_is_noticed_and_ids_that_start_over_are_accepted() {
        let received = |ids: &[u64], ack| {
            let events = ids.iter().map(|id| event(*id, "NewMessage", "{}")).collect();
            let received =
                Received::of(PolledEvents { events, complete: true, is_empty_form: false }, ack);
            let ids: Vec<u64> = received.events.iter().map(|event| event.id).collect();
            (ids, received.ack, received.gapless)
        };
        assert_eq!(received(&[], 7), (vec![], 7, true));
        assert_eq!(received(&[1000, 1001], 0), (vec![1000, 1001], 1001, true));
        assert_eq!(received(&[0, 8], 7), (vec![0, 8], 8, true));
        assert_eq!(received(&[9], 7), (vec![9], 9, false));
        assert_eq!(received(&[8, 10], 7), (vec![8, 10], 10, false));
        assert_eq!(received(&[1000, 1002], 0), (vec![1000, 1002], 1002, false));
        // Sent again although it was acknowledged.
        assert_eq!(received(&[7, 8], 7), (vec![8], 8, true));
        assert_eq!(received(&[3, 4], 7), (vec![3, 4], 4, false));
        assert_eq!(received(&[5, 5], 4), (vec![5, 5], 5, true));
    }
}
