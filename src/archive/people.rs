//! The names of people, gathered from messages. Exports have no list of contacts, and are mostly newest first.

use crate::model::{NameSource, SafeText, Timestamp, UserId, is_name};
use std::collections::HashMap;

/// The best name known of each person: of the best source, and of those the newest.
#[derive(Default)]
pub struct People {
    known: HashMap<UserId, (NameSource, Timestamp, SafeText)>,
    changed: Vec<UserId>,
}

impl People {
    /// Takes a name that was seen at a time.
    pub fn learn(&mut self, id: &UserId, source: NameSource, at: Timestamp, name: &SafeText) {
        if id.as_str().is_empty() || !is_name(id, name) {
            return;
        }
        let better = self.known.get(id).is_none_or(|(known, seen, old)| {
            (source, at) > (*known, *seen) && (source > *known || old != name)
        });
        if better {
            self.known.insert(id.clone(), (source, at, name.clone()));
            self.changed.push(id.clone());
        }
    }

    /// The names that are new since the last call.
    pub fn take_changed(&mut self) -> Vec<(UserId, NameSource, SafeText)> {
        let mut changed = std::mem::take(&mut self.changed);
        changed.sort();
        changed.dedup();
        let known = |id: UserId| {
            let (source, _, name) = self.known.get(&id)?;
            Some((id, *source, name.clone()))
        };
        changed.into_iter().filter_map(known).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_name_of_the_best_source_wins_whatever_the_order() {
        let joe = UserId::new("8:joe");
        let seen = [
            (NameSource::Message, 5, "Joe Bloggs"),
            (NameSource::Message, 9, "Unknown User"),
            (NameSource::Message, 7, "Joe B."),
            (NameSource::Message, 6, "joey"),
        ];
        for turn in 0..seen.len() {
            let mut people = People::default();
            let mut order = seen;
            order.rotate_left(turn);
            for (source, at, name) in order {
                people.learn(&joe, source, Timestamp(at), &name.into());
            }
            let names = people.take_changed();
            assert_eq!(names, [(joe.clone(), NameSource::Message, "Joe B.".into())]);
            assert!(people.take_changed().is_empty());
        }
    }
}
