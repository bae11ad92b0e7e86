//! Rebinding the keys of an action while the program runs.

use super::{Chord, Context, KeyChoices, Keymap, KeymapEntry, KeymapError, TakenKey, parse_keys};
use std::collections::BTreeMap;

/// The result of a rebinding that is not in force yet.
#[derive(Clone, Debug, PartialEq)]
pub struct Rebinding {
    pub keymap: Keymap,
    /// All changes of the user.
    pub changes: BTreeMap<String, Vec<String>>,
    /// The actions whose keys are to be saved, in this order: the configuration is valid after each step.
    pub changed: Vec<String>,
    /// The actions that lose a key.
    pub losers: Vec<String>,
    /// The actions that keep one of these keys in another place, where it hides the new binding or is hidden by it.
    pub meets: Vec<String>,
}

fn rows<'a>(map: &'a Keymap, action: &'a str) -> impl Iterator<Item = &'a KeymapEntry> {
    map.entries().iter().filter(move |entry| entry.name == action)
}

/// Whether the two actions have a place in common.
fn share_a_place(map: &Keymap, one: &str, other: &str) -> bool {
    let others: Vec<Context> =
        rows(map, other).flat_map(|entry| entry.contexts.iter().copied()).collect();
    rows(map, one).any(|entry| entry.contexts.iter().any(|context| others.contains(context)))
}

/// Whether there is a context in which keys are looked up in both places.
fn meet(map: &Keymap, one: Context, other: Context) -> bool {
    let modal = |place| matches!(place, Context::Normal | Context::Selection | Context::List);
    one == Context::Global
        || other == Context::Global
        || (map.is_modal() && modal(one) && modal(other) && [one, other].contains(&Context::Normal))
}

/// The other actions that have one of these keys in a place that meets a place of this action.
fn meeting(map: &Keymap, action: &str, wanted: &[Vec<Chord>]) -> Vec<String> {
    let places: Vec<Context> =
        rows(map, action).flat_map(|entry| entry.contexts.iter().copied()).collect();
    let mut found: Vec<String> = Vec::new();
    for entry in map.entries().iter().filter(|entry| entry.name != action) {
        let has_it = |keys: &Vec<Chord>| wanted.iter().any(|own| clash(own, keys));
        let mut others = entry.contexts.iter();
        if others.any(|other| places.iter().any(|place| meet(map, *place, *other)))
            && entry.keys.iter().any(has_it)
            && !found.contains(&entry.name)
        {
            found.push(entry.name.clone());
        }
    }
    found
}

/// Whether one of the two could never be reached if both were bound.
fn clash(one: &[Chord], other: &[Chord]) -> bool {
    one.starts_with(other) || other.starts_with(one)
}

impl KeyChoices {
    /// The keys of an action as they would be written in the configuration.
    pub fn keys_of(&self, map: &Keymap, action: &str) -> Vec<String> {
        if let Some(keys) = self.changes.get(action) {
            return keys.clone();
        }
        let types = rows(map, action).any(|entry| entry.contexts.iter().any(|place| place.types()));
        let mut keys = Vec::new();
        for entry in rows(map, action) {
            // If the action also works while writing, two kinds of keys cannot be written to the configuration: keys of
            // NORMAL mode that are not letters, and letters elsewhere, because they would be typed.
            let is_beside = types && !entry.contexts.iter().any(|place| place.types());
            let wants_letters = entry.contexts == [Context::Normal];
            let is_letter = |keys: &&Vec<Chord>| keys.first().is_some_and(|key| key.types());
            let can_be_written =
                |keys: &&Vec<Chord>| !is_beside || is_letter(keys) == wants_letters;
            for name in entry.keys.iter().filter(can_be_written).filter_map(|keys| name(keys)) {
                // An action can have the same keys in several places.
                if !keys.contains(&name) {
                    keys.push(name);
                }
            }
        }
        keys
    }

    /// The bindings with these keys for an action. They also replace the user's own keys for other actions.
    ///
    /// # Errors
    /// When these keys cannot be bound to the action.
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
        let before = self.keys_of(map, action);
        let added: Vec<Vec<Chord>> = keys
            .iter()
            .zip(&wanted)
            .filter(|(name, _)| !before.contains(name))
            .map(|(_, chords)| chords.clone())
            .collect();
        to_write.push(action.to_owned());
        changes.insert(action.to_owned(), keys);
        let mut keymap = Self { changes: changes.clone(), ..self.clone() }.keymap()?;
        let had_it = |taken: &&TakenKey| {
            let mut before = map.taken().iter();
            !before.any(|t| (&t.keys, &t.from) == (&taken.keys, &taken.from))
        };
        let lost = keymap.taken().iter().filter(|taken| taken.to == action).filter(had_it);
        losers.extend(lost.map(|taken| taken.from.clone()));
        losers.dedup();
        // An action whose last key is taken is saved as having none; otherwise the file would cause a warning.
        let no_key = |name: &&String| {
            !changes.contains_key(*name)
                && keymap.entry(name).is_some_and(|entry| entry.keys.is_empty())
        };
        let left_without: Vec<String> = losers.iter().filter(no_key).cloned().collect();
        if !left_without.is_empty() {
            changes.extend(left_without.iter().map(|name| (name.clone(), Vec::new())));
            keymap = Self { changes: changes.clone(), ..self.clone() }.keymap()?;
            to_write.extend(left_without);
        }
        let mut meets = meeting(map, action, &added);
        meets.retain(|name| !losers.contains(name));
        Ok(Rebinding { keymap, changes, changed: to_write, losers, meets })
    }

    /// The bindings without the user's own keys for an action.
    ///
    /// # Errors
    /// When the other keys cannot be bound without them.
    pub fn without(&self, action: &str) -> Result<Rebinding, KeymapError> {
        let mut choices = self.clone();
        choices.changes.remove(action);
        let (keymap, changed) = (choices.keymap()?, vec![action.to_owned()]);
        let (losers, meets) = (Vec::new(), Vec::new());
        Ok(Rebinding { keymap, changes: choices.changes, changed, losers, meets })
    }
}

/// One or two keys as written in the configuration.
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
        // An action that loses its last key is saved as having none.
        let new = KeyChoices::default().rebound(&map, "inbox", owned(&["ctrl-l"])).unwrap();
        assert_eq!((new.losers, new.changed), (owned(&["redraw"]), owned(&["inbox", "redraw"])));
        assert_eq!(new.changes["redraw"], [""; 0]);
        // A two-key binding begins with it.
        let new = choices.rebound(&map, "redraw", owned(&["ctrl-x"])).unwrap();
        assert!(new.losers.len() > 10, "{:?}", new.losers);
    }

    #[test]
    fn a_key_that_means_something_at_another_place_is_named() {
        let (choices, map) = (KeyChoices::default(), builtin_keymap().unwrap());
        let meets = |action: &str, key: &str| {
            let mut keys = choices.keys_of(&map, action);
            keys.push(key.to_owned());
            let new = choices.rebound(&map, action, keys).unwrap();
            assert_eq!(new.losers, [""; 0], "{action} {key}");
            new.meets
        };
        assert_eq!(meets("redraw", "enter"), ["send", "message-menu", "list-open", "choose"]);
        assert_eq!(meets("redraw", "backspace"), ["backspace", "erase"]);
        assert_eq!(meets("undo", "f5"), ["resync"]);
        assert_eq!(meets("help", "f11"), [""; 0]);
        assert_eq!(meets("reply", "z"), [""; 0]);
        assert_eq!(meets("reply", "left"), [""; 0], "nothing is written there");
    }

    #[test]
    fn every_action_of_every_preset_can_have_another_key() {
        for preset in [KeyPreset::Default, KeyPreset::Readline, KeyPreset::Emacs, KeyPreset::Vim] {
            let choices = KeyChoices { preset, ..KeyChoices::default() };
            let map = choices.keymap().unwrap();
            for entry in map.entries() {
                let mut keys = choices.keys_of(&map, &entry.name);
                keys.push("f11".to_owned());
                let new = choices.rebound(&map, &entry.name, keys);
                let new = new.unwrap_or_else(|error| panic!("{preset:?} {}: {error}", entry.name));
                // In other places, it keeps its keys.
                for row in new.keymap.entries().iter().filter(|row| row.name == entry.name) {
                    let mut same = map.entries().iter();
                    let before = same.find(|e| e.name == row.name && e.contexts == row.contexts);
                    let lost = before.iter().flat_map(|before| &before.keys);
                    let lost: Vec<_> = lost.filter(|keys| !row.keys.contains(keys)).collect();
                    assert!(lost.is_empty(), "{preset:?} {} loses {lost:?}", entry.name);
                }
            }
        }
    }

    #[test]
    fn the_keys_of_the_preset_come_back_when_the_users_own_are_taken_out() {
        let mut choices = KeyChoices::default();
        choices.changes.insert("switcher".into(), owned(&["f11"]));
        let new = choices.without("switcher").unwrap();
        assert_eq!(new.changed, ["switcher"]);
        assert!(new.changes.is_empty());
        assert_eq!(new.keymap.entry("switcher").unwrap().key_texts(), ["Ctrl-K", "Ctrl-T"]);
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
