//! Stepping through the hits of a search without its dialog.

use super::super::{Next, OverlayStack};
use super::Search;
use crate::app::state::AppState;

impl OverlayStack {
    /// Goes from the hit that was opened last to the next older or newer one of the same search. Also returns what to
    /// tell the user afterwards.
    pub fn next_hit(&mut self, app: &mut AppState, older: bool) -> (Next, String) {
        match &mut self.last_search {
            Some(search) => search.next_hit(app, older),
            None => (Next::Stay, "There has been no search yet".to_owned()),
        }
    }
}

impl Search {
    fn next_hit(&mut self, app: &mut AppState, older: bool) -> (Next, String) {
        let next = if older { self.marked.checked_add(1) } else { self.marked.checked_sub(1) };
        let Some(next) = next.filter(|next| *next < self.hits.len()) else {
            let end = if older { "older" } else { "newer" };
            return (Next::Stay, format!("No {end} match for \"{}\"", self.input));
        };
        self.marked = next;
        self.more(app);
        let place = format!("{} of {}: {}", next + 1, self.count(), self.input);
        (self.choose(app), place)
    }
}
