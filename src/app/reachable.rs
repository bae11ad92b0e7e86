//! Who can be reached, as far as the service of an account says it (facts 8.12).

use crate::model::{PersonPresence, UserId};
use std::collections::HashMap;

/// The people of an account's chats of whom the service has said something, and those that it is asked about.
#[derive(Debug, Default)]
pub struct ReachablePeople {
    known: HashMap<UserId, PersonPresence>,
    /// The people in sight, in order, as they were reported to sync last.
    pub reported: Vec<UserId>,
    revision: u64,
}

impl ReachablePeople {
    /// Replaces what was known.
    pub fn learn(&mut self, known: Vec<(UserId, PersonPresence)>) {
        let known: HashMap<UserId, PersonPresence> = known.into_iter().collect();
        if known != self.known {
            self.known = known;
            self.revision += 1;
        }
    }

    pub fn get(&self, who: &UserId) -> Option<&PersonPresence> {
        self.known.get(who)
    }

    /// Increases with every change.
    pub fn revision(&self) -> u64 {
        self.revision
    }
}
