//! Display names: several sources, the best one known wins.

use super::id::UserId;
use super::text::SafeText;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// Where a name was seen, worst first (facts 5, "Names, in order").
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum NameSource {
    /// `imdisplayname` of a message: the sender's own word at that time.
    Message = 1,
    Profile = 2,
    /// `friendlyName` of a thread's member.
    Member = 3,
}

impl NameSource {
    pub fn from_rank(rank: i64) -> Self {
        match rank {
            3 => Self::Member,
            2 => Self::Profile,
            _ => Self::Message,
        }
    }
}

#[derive(Clone, Debug, Default)]
pub struct Names {
    known: HashMap<UserId, (NameSource, SafeText)>,
    revision: u64,
}

impl Names {
    /// Takes a name in; empty ones and those of a worse source than the one known are passed over.
    /// True when what is shown changes.
    pub fn learn(&mut self, who: &UserId, source: NameSource, name: &SafeText) -> bool {
        if name.is_empty() {
            return false;
        }
        match self.known.get(who) {
            Some((known, old)) if *known > source || old == name => false,
            _ => {
                self.known.insert(who.clone(), (source, name.clone()));
                self.revision += 1;
                true
            }
        }
    }

    /// The name to show; without any, the id without its prefix.
    pub fn of(&self, who: &UserId) -> SafeText {
        self.known.get(who).map_or_else(|| nameless(who), |(_, name)| name.clone())
    }

    /// Rises with every change.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    pub fn knows(&self, who: &UserId) -> bool {
        self.known.contains_key(who)
    }

    /// Everyone with a name, in no particular order.
    pub fn people(&self) -> impl Iterator<Item = (&UserId, &SafeText)> {
        self.known.iter().map(|(id, (_, name))| (id, name))
    }
}

/// The id without its prefix; of ids that no one can read, only so much that people stay apart.
fn nameless(who: &UserId) -> SafeText {
    let bare = who.bare();
    let tail: String = bare.chars().rev().take(4).collect::<Vec<_>>().into_iter().rev().collect();
    if who.is_machine_made() {
        SafeText::line(&format!("Someone ({tail})"))
    } else {
        SafeText::line(bare)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_better_source_wins_and_a_worse_one_does_not() {
        let joe = UserId::new("8:joe.4");
        let mut names = Names::default();
        assert_eq!(&*names.of(&joe), "joe.4");
        assert!(names.learn(&joe, NameSource::Profile, &"Joe Bloggs".into()));
        assert!(!names.learn(&joe, NameSource::Message, &"joey".into()));
        assert!(!names.learn(&joe, NameSource::Member, &"".into()));
        assert_eq!(&*names.of(&joe), "Joe Bloggs");
    }
}
