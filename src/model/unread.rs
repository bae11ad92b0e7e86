//! The one function that decides what is unread. Store, list and commands use it.

use super::read_marker::ReadMarker;
use super::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Counting stops here; the screen says `99+` long before.
pub const COUNT_CAP: usize = 1000;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unread {
    pub messages: u32,
    pub mentions: u32,
}

/// What counting needs to know of one stored message.
#[derive(Clone, Debug)]
pub struct UnreadRow {
    pub at: Timestamp,
    pub mine: bool,
    /// [`super::Indexed::counts`].
    pub counts: bool,
    pub mentions_me: bool,
    /// Its client id equals the one in the read marker.
    pub is_read_marker: bool,
}

/// Counts the messages after `read_marker` that someone else wrote. `rows` come newest first.
///
/// Own messages, edits, signals and system lines never count. Without a read marker, writing something counts as having
/// read everything above it.
pub fn unread(read_marker: Option<&ReadMarker>, rows: impl Iterator<Item = UnreadRow>) -> Unread {
    let mut total = Unread::default();
    for row in rows.take(COUNT_CAP) {
        let read = match read_marker {
            Some(h) => row.at <= h.arrival || row.is_read_marker,
            None => row.mine && row.counts,
        };
        if read {
            break;
        }
        if row.counts && !row.mine {
            total.messages += 1;
            total.mentions += u32::from(row.mentions_me);
        }
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn row(at: i64, mine: bool, counts: bool) -> UnreadRow {
        UnreadRow { at: Timestamp(at), mine, counts, mentions_me: at == 40, is_read_marker: false }
    }

    #[test]
    fn own_and_system_lines_never_count() {
        let rows = [
            row(50, true, true),
            row(45, false, false),
            row(40, false, true),
            row(30, false, true),
        ];
        let read_marker = ReadMarker::parse("30;31;0");
        let got = unread(read_marker.as_ref(), rows.into_iter());
        assert_eq!(got, Unread { messages: 1, mentions: 1 });
    }

    #[test]
    fn without_a_read_marker_my_own_message_ends_the_count() {
        let rows =
            [row(50, false, true), row(45, false, true), row(40, true, true), row(30, false, true)];
        assert_eq!(unread(None, rows.into_iter()).messages, 2);
    }

    proptest! {
        /// Against a plain reading of the rule: after the read marker, by someone else, of those that count.
        #[test]
        fn the_count_is_what_the_rule_says(
            rows in proptest::collection::vec((any::<bool>(), any::<bool>(), any::<bool>()), 0..40), read in 0i64..45,
        ) {
            let mut newest_first: Vec<UnreadRow> = (1i64..)
                .zip(&rows)
                .map(|(at, (mine, counts, mentions_me))| UnreadRow {
                    at: Timestamp(at),
                    mine: *mine,
                    counts: *counts,
                    mentions_me: *mentions_me,
                    is_read_marker: false,
                })
                .collect();
            newest_first.reverse();
            let read_marker = ReadMarker { arrival: Timestamp(read), read_at: Timestamp(read), client_id: None };
            let got = unread(Some(&read_marker), newest_first.clone().into_iter());
            let wanted = newest_first.iter().filter(|row| row.at.0 > read && !row.mine && row.counts);
            prop_assert_eq!(usize::try_from(got.messages).unwrap(), wanted.clone().count());
            prop_assert_eq!(usize::try_from(got.mentions).unwrap(), wanted.filter(|row| row.mentions_me).count());
            // Reading further never leads to more unread messages.
            let later = ReadMarker { arrival: Timestamp(read + 1), ..read_marker };
            prop_assert!(unread(Some(&later), newest_first.into_iter()).messages <= got.messages);
        }
    }
}
