//! Which parts of a conversation's history are stored, and what is missing between them. Pure.
//!
//! The coverage of a conversation is a list of ranges. Within a range every message that the server holds is stored;
//! what lies between two ranges is not known: a gap. A message that comes by itself, such as an old one that
//! someone edits, is a range of its own. So two messages are neighbours only where one range holds both.

use super::message::MessageKey;
use super::time::Timestamp;
use serde::{Deserialize, Serialize};

/// A place in a conversation's history: arrival, then the id as a number ([`MessageKey`] without the id's text).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Point {
    pub at: Timestamp,
    pub order: u64,
}

impl From<&MessageKey> for Point {
    fn from(key: &MessageKey) -> Self {
        Self { at: key.at, order: key.order }
    }
}

/// Everything from `lo` to `hi`, both included, is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Range {
    pub lo: Point,
    pub hi: Point,
    /// The server holds nothing right below `lo`: the conversation begins there, or the rest is not kept any more.
    pub floor: bool,
}

impl Range {
    /// A range of a single message.
    pub fn alone(point: Point) -> Self {
        Self { lo: point, hi: point, floor: false }
    }
}

/// What lies between two ranges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The last message before it and the first one after it; both are stored.
    pub below: Point,
    pub above: Point,
    /// The server said that it has nothing in between.
    pub closed: bool,
}

/// The ranges of a conversation, oldest first, none touching another.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    ranges: Vec<Range>,
}

impl FromIterator<Range> for Coverage {
    fn from_iter<I: IntoIterator<Item = Range>>(ranges: I) -> Self {
        let mut coverage = Self::default();
        ranges.into_iter().for_each(|range| coverage.add(range));
        coverage
    }
}

impl Coverage {
    pub fn ranges(&self) -> &[Range] {
        &self.ranges
    }

    /// Adds a range; ranges that share a message become one. The order and the number of calls do not matter.
    pub fn add(&mut self, mut new: Range) {
        if new.lo > new.hi {
            return;
        }
        self.ranges.retain(|old| {
            let apart = old.hi < new.lo || new.hi < old.lo;
            if !apart {
                new.floor = match old.lo.cmp(&new.lo) {
                    std::cmp::Ordering::Less => old.floor,
                    std::cmp::Ordering::Equal => old.floor || new.floor,
                    std::cmp::Ordering::Greater => new.floor,
                };
                new.lo = new.lo.min(old.lo);
                new.hi = new.hi.max(old.hi);
            }
            apart
        });
        let at = self.ranges.partition_point(|old| old.hi < new.lo);
        self.ranges.insert(at, new);
    }

    /// Extends the newest range up to `point`: changes arrive by themselves and none was missed.
    pub fn follow(&mut self, point: Point) {
        match self.ranges.last_mut() {
            Some(top) => top.hi = top.hi.max(point),
            None => self.add(Range::alone(point)),
        }
    }

    pub fn covers(&self, point: Point) -> bool {
        self.range_of(point).is_some()
    }

    pub fn range_of(&self, point: Point) -> Option<&Range> {
        let at = self.ranges.partition_point(|range| range.hi < point);
        self.ranges.get(at).filter(|range| range.lo <= point)
    }

    /// The newest message up to which everything since the last gap is stored.
    pub fn top(&self) -> Option<Point> {
        self.ranges.last().map(|range| range.hi)
    }

    /// Everything from the beginning of the conversation up to the newest range's end was asked for.
    pub fn reached_start(&self) -> bool {
        self.ranges.first().is_some_and(|range| range.floor)
    }

    /// Oldest first.
    pub fn gaps(&self) -> impl DoubleEndedIterator<Item = Gap> + '_ {
        self.ranges.iter().zip(self.ranges.iter().skip(1)).map(|(below, above)| Gap {
            below: below.hi,
            above: above.lo,
            closed: above.floor,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn point(n: i64) -> Point {
        Point { at: Timestamp(n), order: n.unsigned_abs() }
    }

    fn range(lo: i64, hi: i64, floor: bool) -> Range {
        Range { lo: point(lo), hi: point(hi), floor }
    }

    #[test]
    fn a_page_that_shares_a_message_closes_the_gap() {
        let mut coverage: Coverage =
            [range(1, 10, true), range(50, 60, false)].into_iter().collect();
        let gaps: Vec<Gap> = coverage.gaps().collect();
        assert_eq!(gaps, [Gap { below: point(10), above: point(50), closed: false }]);
        coverage.add(range(30, 50, false));
        assert_eq!(coverage.gaps().next().unwrap().above, point(30));
        coverage.add(range(9, 30, false));
        assert_eq!(coverage.ranges(), [range(1, 60, true)]);
        assert!(coverage.reached_start());
    }

    #[test]
    fn what_the_server_does_not_have_is_a_closed_gap_and_no_join() {
        let mut coverage: Coverage =
            [range(1, 10, false), range(50, 60, false)].into_iter().collect();
        coverage.add(Range { lo: point(50), hi: point(50), floor: true });
        assert!(coverage.gaps().next().unwrap().closed);
        assert!(!coverage.reached_start());
    }

    proptest! {
        /// Against a set of stored points: any order, any repetition, the same coverage.
        #[test]
        fn any_order_and_repetition_gives_the_same_coverage(
            mut list in proptest::collection::vec((0i64..60, 0i64..12), 1..20), seed in 0usize..50,
        ) {
            let once: Coverage = list.iter().map(|(lo, len)| range(*lo, lo + len, false)).collect();
            let twice = list.clone();
            let middle = seed % list.len();
            list.rotate_left(middle);
            list.reverse();
            let again: Coverage = list.iter().chain(&twice).map(|(lo, len)| range(*lo, lo + len, false)).collect();
            prop_assert_eq!(&once, &again);
            for n in 0..80 {
                let stored = list.iter().any(|(lo, len)| (*lo..=lo + len).contains(&n));
                // Ranges join only where they share a point: what lies between two neighbours is not claimed.
                prop_assert_eq!(once.covers(point(n)), stored);
            }
            for pair in once.ranges().windows(2) {
                prop_assert!(pair[0].hi < pair[1].lo);
            }
        }
    }
}
