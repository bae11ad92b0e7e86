//! The key table of `assets/keymap.toml` and the user's changes to it.

use super::names::nearest;
use crate::app::action::Action;
use crate::app::keymap::{Chord, Context, Keymap, KeymapEntry, parse_keys};
use crate::model::Enter;
use serde::Deserialize;
use std::collections::BTreeMap;

const TABLE: &str = include_str!("../../assets/keymap.toml");

#[derive(Deserialize)]
struct KeymapTable {
    action: Vec<KeymapRow>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl OneOrMany {
    fn iter(&self) -> impl Iterator<Item = &String> {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many.as_slice(),
        }
        .iter()
    }
}

#[derive(Deserialize)]
struct KeymapRow {
    name: String,
    context: OneOrMany,
    keys: Vec<String>,
    label: Option<String>,
    help: String,
}

/// A warning for the name of an action that does not exist.
pub fn unknown_action(name: &str) -> Option<String> {
    if Action::named(name).is_some() {
        return None;
    }
    let near = nearest(name, Action::names());
    let hint = near.map(|n| format!("; did you mean \"{n}\"?"));
    Some(format!("there is no action \"{name}\"{}", hint.unwrap_or_default()))
}

/// The bindings without any changes.
///
/// # Errors
/// Only when the built-in table is broken, which a test would show.
pub fn builtin_keymap() -> Result<Keymap, String> {
    with_changes(&BTreeMap::new(), Enter::Send).map_err(|(_, message)| message)
}

/// An action as it is listed outside of the program.
pub struct ActionKeys {
    pub action: String,
    /// The places where its keys work, as the key table calls them.
    pub contexts: Vec<&'static str>,
    /// The heading of the first of these places.
    pub heading: &'static str,
    pub keys: Vec<String>,
    /// Its keys without the user's changes.
    pub built_in: Vec<String>,
    pub help: String,
}

/// All actions in the order of the key table; without a keymap with the built-in keys.
///
/// # Errors
/// As [`builtin_keymap`].
pub fn action_keys(keymap: Option<&Keymap>) -> Result<Vec<ActionKeys>, String> {
    let built_in = builtin_keymap()?;
    // Both have the rows of the same table. An action may have several.
    let rows = keymap.unwrap_or(&built_in).entries().iter().zip(built_in.entries());
    let listed = rows.map(|(entry, built_in)| ActionKeys {
        action: entry.name.clone(),
        contexts: entry.contexts.iter().map(|context| context.name()).collect(),
        heading: entry.contexts.first().map_or("", |context| context.heading()),
        keys: entry.key_texts(),
        built_in: built_in.key_texts(),
        help: entry.help.clone(),
    });
    Ok(listed.collect())
}

/// The bindings with changes that were checked before.
///
/// # Errors
/// When they are from another version and name unknown actions.
pub fn keymap_with(
    changes: &BTreeMap<String, Vec<String>>,
    enter: Enter,
) -> Result<Keymap, String> {
    with_changes(changes, enter).map_err(|(_, message)| message)
}

/// The bindings with those of the user in place of the built-in ones. The error names the action it is about.
/// With [`Enter::Newline`] the keys of `send` and `newline` change places, unless the user said otherwise.
pub fn with_changes(
    changes: &BTreeMap<String, Vec<String>>,
    enter: Enter,
) -> Result<Keymap, (String, String)> {
    let table: KeymapTable =
        toml::from_str(TABLE).map_err(|e| (String::new(), e.message().to_owned()))?;
    let mut entries = Vec::with_capacity(table.action.len());
    for row in table.action {
        let fail = |message: String| (row.name.clone(), message);
        let swapped = match (row.name.as_str(), enter) {
            ("send", Enter::Newline) => Some(vec!["alt-enter".to_owned()]),
            ("newline", Enter::Newline) => {
                let kept = row.keys.iter().filter(|key| *key != "alt-enter").cloned();
                Some(std::iter::once("enter".to_owned()).chain(kept).collect())
            }
            _ => None,
        };
        let keys = changes.get(&row.name).or(swapped.as_ref()).unwrap_or(&row.keys);
        let keys =
            keys.iter().map(|k| parse_keys(k)).collect::<Result<Vec<_>, _>>().map_err(&fail)?;
        let context = |name: &String| {
            Context::named(name).ok_or_else(|| fail(format!("there is no context \"{name}\"")))
        };
        let contexts = row.context.iter().map(context).collect::<Result<Vec<_>, _>>()?;
        let types = |context: &Context| matches!(context, Context::Global | Context::Compose);
        let typing = contexts.iter().any(types);
        if let Some(chord) = keys.iter().filter_map(|k| k.first()).find(|c| typing && c.types()) {
            let message =
                format!("\"{}\" would type a letter there; add ctrl- or alt-", chord.short());
            return Err(fail(message));
        }
        entries.push(KeymapEntry {
            name: row.name.clone(),
            contexts,
            keys,
            label: row.label,
            help: row.help,
        });
    }
    give_way(&mut entries, changes);
    Keymap::new(entries)
        .map_err(|message| (changes.keys().next().cloned().unwrap_or_default(), message))
}

/// A key that the user has bound no longer does what is built in at the same place. Otherwise a new built-in key would
/// make an older configuration invalid.
fn give_way(entries: &mut [KeymapEntry], changes: &BTreeMap<String, Vec<String>>) {
    let is_changed = |entry: &KeymapEntry| changes.contains_key(&entry.name);
    let own: Vec<(Vec<Context>, Vec<Vec<Chord>>)> = entries
        .iter()
        .filter(|entry| is_changed(entry))
        .map(|entry| (entry.contexts.clone(), entry.keys.clone()))
        .collect();
    for entry in entries.iter_mut().filter(|entry| !is_changed(entry)) {
        let KeymapEntry { contexts, keys, .. } = entry;
        keys.retain(|key| {
            let takes = |(places, taken): &(Vec<Context>, Vec<Vec<Chord>>)| {
                taken.contains(key) && places.iter().any(|place| contexts.contains(place))
            };
            !own.iter().any(takes)
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_stands_in_the_table_and_every_row_names_an_action() {
        let keymap = builtin_keymap().unwrap();
        for name in Action::names() {
            assert!(keymap.entry(name).is_some(), "{name} is missing in assets/keymap.toml");
        }
        for entry in keymap.entries() {
            assert!(!entry.help.is_empty() && !entry.keys.is_empty(), "{}", entry.name);
        }
    }
}
