//! Who can be reached, according to the service of an account (facts 8.12).

use crate::model::{PersonPresence, UserId};
use std::collections::HashMap;

/// The known presence of people in an account's chats, and the people whose presence is requested.
#[derive(Debug, Default)]
pub struct ReachablePeople {
    known: HashMap<UserId, PersonPresence>,
    /// The visible people, in order, as last reported to sync.
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
