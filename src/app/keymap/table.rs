//! The bindings: the table of `assets/keymap.toml`, changed by a preset of `assets/keys` and then by the user.

use super::{Chord, Context, Keymap, KeymapEntry, TakenKey, parse_keys};
use crate::model::{Enter, KeyPreset};
use serde::Deserialize;
use std::collections::BTreeMap;

/// `assets/keymap.toml`, converted by `build.rs` because every start reads it: one line per action, with its name,
/// contexts, label and help, and then its keys, separated by tabs.
const TABLE: &str = include_str!(concat!(env!("OUT_DIR"), "/keymap.tsv"));
const READLINE: &str = include_str!("../../../assets/keys/readline.toml");
const VIM: &str = include_str!("../../../assets/keys/vim.toml");
const EMACS: &str = include_str!("../../../assets/keys/emacs.toml");

/// The user's choices about keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyChoices {
    pub preset: KeyPreset,
    /// With [`Enter::Newline`], the keys of `send` and `newline` are swapped, unless the user has changed them.
    pub enter: Enter,
    /// Actions by name, with the keys that replace their own.
    pub changes: BTreeMap<String, Vec<String>>,
}

/// Why these bindings are not possible.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct KeymapError {
    /// The name of the action that the error is about; empty if there is none.
    pub action: String,
    pub message: String,
}

/// A preset: its differences from the table.
#[derive(Default, Deserialize)]
#[serde(default)]
struct PresetTable {
    /// Whether there are two modes, only one of which types letters.
    modal: bool,
    /// Actions by name, with the keys that replace those of the table.
    keys: BTreeMap<String, Vec<String>>,
    /// Keys that work in NORMAL mode, besides those that work everywhere: the name of an action, then its keys, in the
    /// order in which help lists them.
    normal: Vec<Vec<String>>,
}

/// The bindings without any changes.
///
/// # Errors
/// Only when the built-in table is broken, which the tests rule out.
pub fn builtin_keymap() -> Result<Keymap, KeymapError> {
    KeyChoices::default().keymap()
}

impl KeyChoices {
    /// The bindings: a key bound by the user replaces any other action of it in the same place. Otherwise a new
    /// built-in key could make an older configuration invalid.
    ///
    /// # Errors
    /// When a change has an invalid key, a key that types a letter, or the same key twice. Unknown actions are ignored.
    pub fn keymap(&self) -> Result<Keymap, KeymapError> {
        let mut entries = rows()?;
        let preset = self.preset_table()?;
        for entry in &mut entries {
            if let Some(keys) = preset.keys.get(&entry.name) {
                entry.keys = parsed(&entry.name, keys)?;
            }
            // Most terminals send the same for Esc and a letter typed quickly.
            if preset.modal {
                entry.keys.retain(|keys| !keys.first().is_some_and(|first| first.is_alt_letter()));
            }
        }
        give_way(&mut entries, &|name| preset.keys.contains_key(name));
        self.swap_enter(&mut entries)?;
        add_normal_rows(&mut entries, &preset)?;
        let mut entries = self.with_changes(entries, preset.modal)?;
        let taken = give_way(&mut entries, &|name| self.changes.contains_key(name));
        let mut map = Keymap::new(entries, preset.modal).map_err(|e| self.blamed(e))?;
        map.taken = taken;
        Ok(map)
    }

    fn preset_table(&self) -> Result<PresetTable, KeymapError> {
        let text = match self.preset {
            KeyPreset::Default => return Ok(PresetTable::default()),
            KeyPreset::Readline => READLINE,
            KeyPreset::Vim => VIM,
            KeyPreset::Emacs => EMACS,
        };
        toml::from_str(text).map_err(|e| broken(&e))
    }

    fn swap_enter(&self, entries: &mut [KeymapEntry]) -> Result<(), KeymapError> {
        if self.enter == Enter::Send {
            return Ok(());
        }
        let (enter, alt_enter) = (parse("send", "enter")?, parse("send", "alt-enter")?);
        for entry in entries {
            match entry.name.as_str() {
                "send" => entry.keys = vec![alt_enter.clone()],
                "newline" => {
                    entry.keys.retain(|keys| *keys != alt_enter);
                    entry.keys.insert(0, enter.clone());
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The rows with the user's keys. With a modal preset, letters for an action that also works while writing are for
    /// NORMAL mode.
    fn with_changes(
        &self,
        entries: Vec<KeymapEntry>,
        modal: bool,
    ) -> Result<Vec<KeymapEntry>, KeymapError> {
        let mut changed: Vec<KeymapEntry> = Vec::with_capacity(entries.len());
        let mut letters_to_place: BTreeMap<&str, Vec<Vec<Chord>>> = BTreeMap::new();
        for mut entry in entries {
            let Some((name, keys)) = self.changes.get_key_value(&entry.name) else {
                changed.push(entry);
                continue;
            };
            let keys = parsed(&entry.name, keys)?;
            let is_letter = |keys: &Vec<Chord>| keys.first().is_some_and(|first| first.types());
            let (letters, others): (Vec<_>, Vec<_>) = keys.iter().cloned().partition(is_letter);
            if !entry.contexts.iter().any(|context| context.types()) {
                let types = |other: &KeymapEntry| {
                    other.name == entry.name && other.contexts.iter().any(|place| place.types())
                };
                let is_second = changed.iter().any(types);
                if !is_second {
                    entry.keys = keys;
                } else if entry.contexts != [Context::Normal] {
                    // Letters of this row cannot be in the user's list, because they would be typed elsewhere.
                    entry.keys.retain(|own| is_letter(own) && !keys.is_empty());
                    entry.keys.extend(others);
                } else if let Some(letters) = letters_to_place.remove(name.as_str()) {
                    entry.keys = letters;
                } else if keys.is_empty() {
                    entry.keys.clear();
                }
                changed.push(entry);
                continue;
            }
            if let Some(chord) = letters.first().and_then(|keys| keys.first()).filter(|_| !modal) {
                let message =
                    format!("\"{}\" would type a letter there; add ctrl- or alt-", chord.short());
                return Err(KeymapError { action: entry.name, message });
            }
            if letters.is_empty() || !others.is_empty() {
                entry.keys = others;
            }
            if !letters.is_empty() {
                letters_to_place.insert(name.as_str(), letters);
            }
            changed.push(entry);
        }
        // These actions have no key in NORMAL mode in the preset.
        for (name, letters) in letters_to_place {
            let row = changed.iter().find(|entry| entry.name == name).cloned();
            let contexts = vec![Context::Normal];
            changed.extend(row.map(|row| KeymapEntry { contexts, keys: letters, ..row }));
        }
        Ok(changed)
    }

    /// Attributes the error to a change of the user if there is any: only those can be corrected.
    fn blamed(&self, mut error: KeymapError) -> KeymapError {
        if !self.changes.contains_key(&error.action) {
            error.action = self.changes.keys().next().cloned().unwrap_or_default();
        }
        error
    }
}

fn broken(error: &toml::de::Error) -> KeymapError {
    KeymapError { action: String::new(), message: error.message().to_owned() }
}

fn parse(action: &str, keys: &str) -> Result<Vec<Chord>, KeymapError> {
    parse_keys(keys).map_err(|message| KeymapError { action: action.to_owned(), message })
}

fn parsed(action: &str, keys: &[String]) -> Result<Vec<Vec<Chord>>, KeymapError> {
    keys.iter().map(|keys| parse(action, keys)).collect()
}

/// The rows of the table.
fn rows() -> Result<Vec<KeymapEntry>, KeymapError> {
    TABLE.lines().map(row).collect()
}

fn row(line: &str) -> Result<KeymapEntry, KeymapError> {
    let mut columns = line.split('\t');
    let mut column = || columns.next().unwrap_or_default();
    let (name, contexts, label, help) = (column(), column(), column(), column());
    let context = |context: &str| {
        let message = format!("there is no context \"{context}\"");
        Context::named(context).ok_or(KeymapError { action: name.to_owned(), message })
    };
    Ok(KeymapEntry {
        contexts: contexts.split(' ').map(context).collect::<Result<_, _>>()?,
        keys: columns.map(|keys| parse(name, keys)).collect::<Result<_, _>>()?,
        name: name.to_owned(),
        label: (!label.is_empty()).then(|| label.to_owned()),
        help: help.to_owned(),
    })
}

/// Adds the keys of a preset for NORMAL mode: to the row of an action that exists only in this mode, otherwise in a
/// separate row.
fn add_normal_rows(
    entries: &mut Vec<KeymapEntry>,
    preset: &PresetTable,
) -> Result<(), KeymapError> {
    for row in &preset.normal {
        let Some((name, keys)) = row.split_first() else { continue };
        let keys = parsed(name, keys)?;
        let message = format!("there is no action \"{name}\"");
        let error = KeymapError { action: name.clone(), message };
        let row = entries.iter_mut().find(|entry| entry.name == *name).ok_or(error)?;
        if row.contexts == [Context::Normal] {
            row.keys = keys;
        } else {
            let row = KeymapEntry { contexts: vec![Context::Normal], keys, ..row.clone() };
            entries.push(row);
        }
    }
    Ok(())
}

/// Takes the keys of the actions that are `strong` from the others, where both work in the same place. There, the first
/// key of a pair cannot be bound on its own.
fn give_way(entries: &mut [KeymapEntry], strong: &dyn Fn(&str) -> bool) -> Vec<TakenKey> {
    let own: Vec<KeymapEntry> =
        entries.iter().filter(|entry| strong(&entry.name)).cloned().collect();
    let mut taken = Vec::new();
    for entry in entries.iter_mut().filter(|entry| !strong(&entry.name)) {
        let KeymapEntry { name, contexts, keys, .. } = entry;
        keys.retain(|key| {
            let clashes_with = |row: &&KeymapEntry| {
                let clashes = |own: &Vec<Chord>| own.starts_with(key) || key.starts_with(own);
                row.contexts.iter().any(|place| contexts.contains(place))
                    && row.keys.iter().any(clashes)
            };
            let Some(by) = own.iter().find(clashes_with) else { return true };
            let keys = super::write(key);
            taken.push(TakenKey { keys, from: name.clone(), to: by.name.clone() });
            false
        });
    }
    taken
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::action::Action;

    const PRESETS: [KeyPreset; 4] =
        [KeyPreset::Default, KeyPreset::Readline, KeyPreset::Vim, KeyPreset::Emacs];

    fn with(preset: KeyPreset, changes: &[(&str, &[&str])]) -> Result<Keymap, KeymapError> {
        let owned = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect();
        let changes = changes.iter().map(|(name, keys)| ((*name).to_owned(), owned(keys)));
        KeyChoices { preset, changes: changes.collect(), ..KeyChoices::default() }.keymap()
    }

    fn named(map: &Keymap, context: Context, keys: &str) -> Option<&'static str> {
        map.action(context, &parse_keys(keys).unwrap()).and_then(Action::name_of)
    }

    #[test]
    fn every_action_stands_in_the_table_and_every_row_names_an_action() {
        let keymap = builtin_keymap().unwrap();
        for name in Action::names() {
            assert!(keymap.entry(name).is_some(), "{name} is missing in assets/keymap.toml");
        }
        let vim = with(KeyPreset::Vim, &[]).unwrap();
        for entry in keymap.entries() {
            let has_keys = |map: &Keymap| !map.entry(&entry.name).unwrap().keys.is_empty();
            assert!(!entry.help.is_empty() && has_keys(&vim), "{}", entry.name);
        }
    }

    #[test]
    fn with_every_preset_every_action_of_the_default_has_a_key() {
        let default = builtin_keymap().unwrap();
        for preset in PRESETS {
            for enter in [Enter::Send, Enter::Newline] {
                let choices = KeyChoices { preset, enter, ..KeyChoices::default() };
                let map = choices.keymap().unwrap_or_else(|e| panic!("{preset:?}: {e}"));
                assert_eq!(map.taken(), []);
                for entry in default.entries().iter().filter(|entry| !entry.keys.is_empty()) {
                    let now = map.entry(&entry.name).unwrap();
                    assert!(!now.keys.is_empty(), "{preset:?} leaves {} no key", entry.name);
                }
            }
        }
    }

    #[test]
    fn no_preset_binds_a_letter_where_letters_are_typed_or_a_key_that_hides_a_pair() {
        for preset in PRESETS {
            let map = with(preset, &[]).unwrap();
            for entry in map.entries() {
                for keys in &entry.keys {
                    let types = entry.contexts.iter().any(|context| context.types());
                    assert!(!(types && keys[0].types()), "{preset:?} {}", entry.name);
                    for context in entry.contexts.iter().filter(|_| keys.len() == 2) {
                        let hidden = map.bindings.get(&(*context, (keys[0], None)));
                        assert_eq!(hidden, None, "{preset:?} {} {keys:?}", entry.name);
                    }
                }
            }
        }
    }

    #[test]
    fn readline_and_emacs_edit_as_their_users_expect() {
        for preset in [KeyPreset::Readline, KeyPreset::Emacs] {
            let map = with(preset, &[]).unwrap();
            for (keys, action) in [
                ("ctrl-a", "line-start"),
                ("ctrl-e", "line-end"),
                ("ctrl-b", "left"),
                ("ctrl-f", "right"),
                ("ctrl-k", "kill-to-end"),
                ("ctrl-u", "kill-to-start"),
                ("ctrl-w", "delete-word-left"),
                ("ctrl-y", "yank"),
                ("alt-b", "word-left"),
                ("alt-f", "word-right"),
                ("alt-d", "delete-word-right"),
                ("ctrl-p", "recall-older"),
                ("ctrl-n", "recall-newer"),
                ("ctrl-_", "undo"),
            ] {
                assert_eq!(named(&map, Context::Compose, keys), Some(action), "{preset:?} {keys}");
            }
        }
        let emacs = with(KeyPreset::Emacs, &[]).unwrap();
        for (keys, action) in [
            ("ctrl-x ctrl-c", "quit"),
            ("ctrl-x b", "switcher"),
            ("ctrl-x o", "focus-next"),
            ("ctrl-x u", "undo"),
            ("ctrl-s", "search-here"),
            ("ctrl-g", "escape"),
            ("alt-x", "palette"),
        ] {
            assert_eq!(named(&emacs, Context::Compose, keys), Some(action), "{keys}");
        }
    }

    #[test]
    fn vim_binds_no_letter_with_alt_because_esc_and_a_letter_may_arrive_as_one() {
        let map = with(KeyPreset::Vim, &[("inbox", &["alt-n"])]).unwrap();
        assert!(map.is_modal());
        let alt = |entry: &&KeymapEntry| entry.keys.iter().any(|keys| keys[0].is_alt_letter());
        let left: Vec<&str> =
            map.entries().iter().filter(alt).map(|entry| entry.name.as_str()).collect();
        assert_eq!(left, ["inbox"], "only what the user has bound");
    }

    #[test]
    fn the_keys_of_the_user_win_over_a_preset_and_what_they_take_is_known() {
        let map = with(KeyPreset::Readline, &[("switcher", &["ctrl-p"])]).unwrap();
        assert_eq!(named(&map, Context::List, "ctrl-p"), Some("switcher"));
        // The same key may mean something else in another place.
        assert_eq!(named(&map, Context::Compose, "ctrl-p"), Some("recall-older"));
        let map = with(KeyPreset::Readline, &[("undo", &["ctrl-p"])]).unwrap();
        assert_eq!(named(&map, Context::Compose, "ctrl-p"), Some("undo"));
        let taken = |keys: &str, from: &str, to: &str| TakenKey {
            keys: keys.into(),
            from: from.into(),
            to: to.into(),
        };
        assert!(map.taken().contains(&taken("Ctrl-P", "recall-older", "undo")));
        let map = with(KeyPreset::Default, &[("redraw", &["ctrl-x"])]).unwrap();
        assert!(map.taken().contains(&taken("Ctrl-X j", "toggle-joining", "redraw")));
    }

    #[test]
    fn letters_that_the_user_binds_work_in_normal_mode_only() {
        let map =
            with(KeyPreset::Vim, &[("quit", &["Z Q"]), ("palette", &["ctrl-p", "!"])]).unwrap();
        assert_eq!(named(&map, Context::Normal, "Z Q"), Some("quit"));
        assert_eq!(named(&map, Context::Compose, "Z Q"), None);
        assert_eq!(named(&map, Context::Compose, "ctrl-q"), Some("quit"), "it keeps its other key");
        assert_eq!(named(&map, Context::Compose, "ctrl-p"), Some("palette"));
        assert_eq!(named(&map, Context::Normal, "!"), Some("palette"));
        assert_eq!(named(&map, Context::Normal, ":"), None);
        let map = with(KeyPreset::Vim, &[("undo", &["alt-z"]), ("help", &[])]).unwrap();
        assert_eq!(named(&map, Context::Normal, "u"), Some("undo"));
        assert_eq!(named(&map, Context::Normal, "?"), None);
        // Without modes, a letter is text.
        let error = with(KeyPreset::Emacs, &[("quit", &["Z Q"])]).unwrap_err();
        assert_eq!(error.action, "quit");
        assert!(error.message.contains("would type a letter"), "{error}");
    }

    #[test]
    fn a_key_that_the_user_binds_twice_is_an_error_about_one_of_the_two() {
        for preset in PRESETS {
            let changes: [(&str, &[&str]); 2] = [("quit", &["f11"]), ("help", &["f11"])];
            let error = with(preset, &changes).unwrap_err();
            assert!(["quit", "help"].contains(&error.action.as_str()), "{error:?}");
            assert!(error.message.contains("bound twice"), "{error}");
        }
    }
}
