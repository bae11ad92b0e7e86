//! Other keys for an action while the program runs.

use super::{Chord, Context, KeyChoices, Keymap, KeymapEntry, KeymapError, TakenKey, parse_keys};
use std::collections::BTreeMap;

/// Bindings with other keys for an action, not in force yet.
#[derive(Clone, Debug, PartialEq)]
pub struct Rebinding {
    pub keymap: Keymap,
    /// All changes of the user.
    pub changes: BTreeMap<String, Vec<String>>,
    /// The actions whose keys are to be written down, in this order: each step is a valid configuration.
    pub changed: Vec<String>,
    /// The actions that lose a key.
    pub losers: Vec<String>,
}

fn rows<'a>(map: &'a Keymap, action: &'a str) -> impl Iterator<Item = &'a KeymapEntry> {
    map.entries().iter().filter(move |entry| entry.name == action)
}

/// Whether both have a place in common.
fn share_a_place(map: &Keymap, one: &str, other: &str) -> bool {
    let others: Vec<Context> =
        rows(map, other).flat_map(|entry| entry.contexts.iter().copied()).collect();
    rows(map, one).any(|entry| entry.contexts.iter().any(|context| others.contains(context)))
}

/// Whether one of the two would never be reached if both were bound.
fn clash(one: &[Chord], other: &[Chord]) -> bool {
    one.starts_with(other) || other.starts_with(one)
}

impl KeyChoices {
    /// The keys of an action as the configuration would write them.
    pub fn keys_of(&self, map: &Keymap, action: &str) -> Vec<String> {
        if let Some(keys) = self.changes.get(action) {
            return keys.clone();
        }
        let types = rows(map, action).any(|entry| entry.contexts.iter().any(|place| place.types()));
        let mut keys = Vec::new();
        for entry in rows(map, action) {
            // What a preset binds in NORMAL mode beside the rest cannot be written, apart from letters.
            let is_beside = types && entry.contexts == [Context::Normal];
            let is_letter = |keys: &&Vec<Chord>| keys.first().is_some_and(|key| key.types());
            let can_be_written = |keys: &&Vec<Chord>| !is_beside || is_letter(keys);
            let names = entry.keys.iter().filter(can_be_written).filter_map(|keys| name(keys));
            keys.extend(names);
        }
        keys.dedup();
        keys
    }

    /// The bindings with these keys for an action. The user's own keys for others give way, too.
    ///
    /// # Errors
    /// When these keys cannot be bound to it.
    pub fn rebound(
        &self,
        map: &Keymap,
        action: &str,
        keys: Vec<String>,
    ) -> Result<Rebinding, KeymapError> {
        let error = |message| KeymapError { action: action.to_owned(), message };
        let wanted: Vec<Vec<Chord>> =
            keys.iter().map(|keys| parse_keys(keys)).collect::<Result<_, _>>().map_err(error)?;
        let mut changes = self.changes.clone();
        let mut to_write = Vec::new();
        for (other, theirs) in &mut changes {
            if other == action || !share_a_place(map, action, other) {
                continue;
            }
            let before = theirs.len();
            theirs.retain(|keys| {
                parse_keys(keys).is_ok_and(|keys| !wanted.iter().any(|own| clash(own, &keys)))
            });
            if theirs.len() < before {
                to_write.push(other.clone());
            }
        }
        let mut losers = to_write.clone();
        to_write.push(action.to_owned());
        changes.insert(action.to_owned(), keys);
        let keymap = Self { changes: changes.clone(), ..self.clone() }.keymap()?;
        let had_it = |taken: &&TakenKey| {
            let mut before = map.taken().iter();
            !before.any(|t| (&t.keys, &t.from) == (&taken.keys, &taken.from))
        };
        let lost = keymap.taken().iter().filter(|taken| taken.to == action).filter(had_it);
        losers.extend(lost.map(|taken| taken.from.clone()));
        losers.dedup();
        Ok(Rebinding { keymap, changes, changed: to_write, losers })
    }
}

/// One or two keys as the configuration writes them.
fn name(keys: &[Chord]) -> Option<String> {
    let names: Option<Vec<String>> = keys.iter().map(|chord| chord.name()).collect();
    Some(names?.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::keymap::builtin_keymap;
    use crate::model::KeyPreset;

    fn owned(keys: &[&str]) -> Vec<String> {
        keys.iter().map(|key| (*key).to_owned()).collect()
    }

    #[test]
    fn a_free_key_takes_nothing_from_anybody() {
        let (choices, map) = (KeyChoices::default(), builtin_keymap().unwrap());
        assert_eq!(choices.keys_of(&map, "switcher"), ["ctrl-k", "ctrl-t"]);
        let new = choices.rebound(&map, "switcher", owned(&["ctrl-k", "f11"])).unwrap();
        assert_eq!(new.losers, [""; 0]);
        assert_eq!(new.changed, ["switcher"]);
        assert_eq!(new.keymap.entry("switcher").unwrap().key_texts(), ["Ctrl-K", "F11"]);
    }

    #[test]
    fn a_key_is_taken_from_an_action_whether_the_user_has_bound_it_or_not() {
        let mut choices = KeyChoices::default();
        let map = choices.keymap().unwrap();
        let new = choices.rebound(&map, "redraw", owned(&["ctrl-t"])).unwrap();
        assert_eq!((new.losers, new.changed), (owned(&["switcher"]), owned(&["redraw"])));
        choices.changes = new.changes;
        let new = choices.rebound(&new.keymap, "inbox", owned(&["ctrl-t"])).unwrap();
        assert_eq!((new.losers, new.changed), (owned(&["redraw"]), owned(&["redraw", "inbox"])));
        assert_eq!(new.changes["redraw"], [""; 0]);
        // A pair of keys begins with it.
        let new = choices.rebound(&map, "redraw", owned(&["ctrl-x"])).unwrap();
        assert!(new.losers.len() > 10, "{:?}", new.losers);
    }

    #[test]
    fn what_a_preset_binds_in_normal_mode_stays_there() {
        let choices = KeyChoices { preset: KeyPreset::Vim, ..KeyChoices::default() };
        let map = choices.keymap().unwrap();
        assert_eq!(choices.keys_of(&map, "scroll-down"), ["pagedown"]);
        assert_eq!(choices.keys_of(&map, "quit"), ["ctrl-q", "Z Z"]);
        let new = choices.rebound(&map, "scroll-down", owned(&["pagedown", "f11"])).unwrap();
        assert_eq!(new.losers, [""; 0]);
    }
}
