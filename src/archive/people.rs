//! The names of people, gathered from messages. Exports have no list of contacts, and are mostly newest first.

use crate::model::{NameSource, SafeText, Timestamp, UserId, is_name};
use std::collections::HashMap;
use std::collections::hash_map::{Entry, RandomState};
use std::hash::BuildHasher;

/// The best known name of a person, with its time and source.
struct SeenName {
    at: Timestamp,
    source: NameSource,
    name: u32,
}

/// The best known name of each person: the one from the best source, and of those the newest. Of names that are stored,
/// only hashes are kept, because an export may have very many people.
#[derive(Default)]
pub struct People {
    hashes: RandomState,
    seen: HashMap<u64, SeenName>,
    changed: HashMap<UserId, (NameSource, SafeText)>,
}

impl People {
    /// Records a name that was seen at this time.
    pub fn learn(&mut self, id: &UserId, source: NameSource, at: Timestamp, name: &SafeText) {
        if id.as_str().is_empty() || !is_name(id, name) {
            return;
        }
        let hash = self.hashes.hash_one(name.as_str()) as u32;
        let known = self.seen.entry(self.hashes.hash_one(id.as_str()));
        let is_better = match &known {
            Entry::Vacant(_) => true,
            Entry::Occupied(known) => {
                let known = known.get();
                (source, at) > (known.source, known.at)
                    && (source > known.source || hash != known.name)
            }
        };
        if is_better {
            known.insert_entry(SeenName { at, source, name: hash });
            self.changed.insert(id.clone(), (source, name.clone()));
        }
    }

    /// The names that are new since the last call.
    pub fn take_changed(&mut self) -> Vec<(UserId, NameSource, SafeText)> {
        let changed = std::mem::take(&mut self.changed).into_iter();
        let mut changed: Vec<_> = changed.map(|(id, (source, name))| (id, source, name)).collect();
        changed.sort_by(|a, b| a.0.cmp(&b.0));
        changed
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
