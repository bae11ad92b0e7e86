//! The `[keys]` section, and the keys of all actions as they are listed outside of the program.

use super::KeySection;
use super::names::nearest;
use crate::app::action::Action;
use crate::app::keymap::{Keymap, KeymapEntry, KeymapError, builtin_keymap};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use std::fmt;

impl<'de> Deserialize<'de> for KeySection {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct SectionVisitor;

        impl<'de> Visitor<'de> for SectionVisitor {
            type Value = KeySection;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("actions with their keys")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<KeySection, A::Error> {
                let mut section = KeySection::default();
                while let Some(name) = map.next_key::<String>()? {
                    if name == "preset" {
                        section.preset = map.next_value()?;
                    } else {
                        section.changes.insert(name, map.next_value()?);
                    }
                }
                Ok(section)
            }
        }

        deserializer.deserialize_map(SectionVisitor)
    }
}

/// A warning for the name of an action that does not exist.
pub fn unknown_action(name: &str) -> Option<String> {
    if Action::named(name).is_some() {
        return None;
    }
    let near = nearest(name, Action::names().chain(["preset"]));
    let hint = near.map(|n| format!("; did you mean \"{n}\"?"));
    Some(format!("there is no action \"{name}\"{}", hint.unwrap_or_default()))
}

/// The actions that have no key any more because the user has bound all of theirs to others: the name of the other
/// action, and a warning. An action that the user has bound to nothing is meant to have no key.
pub fn left_without(keymap: &Keymap) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    let mut seen: Vec<&str> = Vec::new();
    for taken in keymap.taken() {
        let has_key = keymap.entry(&taken.from).is_some_and(|entry| !entry.keys.is_empty());
        if has_key || seen.contains(&taken.from.as_str()) {
            continue;
        }
        seen.push(&taken.from);
        let message = format!(
            "{} is now \"{to}\", so \"{from}\" has no key; set {from} = [] if it needs none",
            taken.keys,
            to = taken.to,
            from = taken.from
        );
        found.push((taken.to.clone(), message));
    }
    found
}

/// An action as it is listed outside of the program.
pub struct ActionKeys {
    pub action: String,
    /// The places where its keys work, as the key table calls them.
    pub contexts: Vec<&'static str>,
    /// The heading of the first of these places.
    pub heading: &'static str,
    pub keys: Vec<String>,
    /// Its keys without a preset and the user's changes.
    pub built_in: Vec<String>,
    pub help: String,
}

/// All actions in the order of the key table; without a keymap, they have the built-in keys.
///
/// # Errors
/// As [`builtin_keymap`].
pub fn action_keys(keymap: Option<&Keymap>) -> Result<Vec<ActionKeys>, KeymapError> {
    let built_in = builtin_keymap()?;
    let rows = keymap.unwrap_or(&built_in).entries().iter();
    let listed = rows.map(|entry| {
        let mut same = built_in.entries().iter();
        let before = same.find(|e| e.name == entry.name && e.contexts == entry.contexts);
        ActionKeys {
            action: entry.name.clone(),
            contexts: entry.contexts.iter().map(|context| context.name()).collect(),
            heading: entry.contexts.first().map_or("", |context| context.heading()),
            keys: entry.key_texts(),
            built_in: before.map(KeymapEntry::key_texts).unwrap_or_default(),
            help: entry.help.clone(),
        }
    });
    Ok(listed.collect())
}
