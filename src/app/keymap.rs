//! The mapping of keys to actions: the bindings in force, and the resolver that remembers the first chord of a pair.
//! `table` makes the bindings from `assets/keymap.toml`, a preset and the user's changes.

mod chord;
mod rebind;
pub mod table;

pub use chord::{Chord, parse_keys, write};
pub use rebind::Rebinding;
pub use table::{KeyChoices, KeymapError, builtin_keymap};

use super::action::{Action, ComposeAction, OverlayAction, PrefixKey};
use crossterm::event::KeyEvent;
use std::collections::{HashMap, HashSet};
use std::time::Duration;

/// Where keys work. Keys that are not bound in a place are looked up in `Global`; with a modal preset, those of
/// `Selection` and `List` are looked up in `Normal` before that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Context {
    Global,
    Compose,
    /// The message box does not take letters, and no message is selected. Only with a modal preset.
    Normal,
    Selection,
    List,
    Overlay,
}

impl Context {
    pub const ALL: [(&'static str, Context); 6] = [
        ("global", Context::Global),
        ("compose", Context::Compose),
        ("normal", Context::Normal),
        ("selection", Context::Selection),
        ("list", Context::List),
        ("overlay", Context::Overlay),
    ];

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(n, _)| *n == name).map(|(_, c)| *c)
    }

    /// Its name in the key table.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, c)| *c == self).map_or("", |(name, _)| name)
    }

    /// All contexts except dialogs, starting with this one.
    pub fn order_from(first: Self) -> impl Iterator<Item = Self> {
        let others = Self::ALL.into_iter().map(|(_, context)| context);
        std::iter::once(first).chain(others.filter(move |c| *c != first && *c != Self::Overlay))
    }

    pub fn heading(self) -> &'static str {
        match self {
            Self::Global => "Anywhere",
            Self::Compose => "Writing",
            Self::Normal => "In NORMAL mode",
            Self::Selection => "With a message selected",
            Self::List => "In the chat list",
            Self::Overlay => "In a dialog",
        }
    }

    /// Whether unbound keys type letters here, so that letters may only be bound with Ctrl or Alt.
    pub fn types(self) -> bool {
        matches!(self, Self::Global | Self::Compose)
    }
}

/// A row of the key table.
#[derive(Clone, Debug, PartialEq)]
pub struct KeymapEntry {
    pub name: String,
    /// Where its keys work.
    pub contexts: Vec<Context>,
    /// Each is one chord, or two that are pressed one after the other.
    pub keys: Vec<Vec<Chord>>,
    pub label: Option<String>,
    pub help: String,
}

impl KeymapEntry {
    /// The first binding as text.
    pub fn key(&self) -> String {
        self.keys.first().map(|k| write(k)).unwrap_or_default()
    }

    /// Each binding as text.
    pub fn key_texts(&self) -> Vec<String> {
        self.keys.iter().map(|keys| write(keys)).collect()
    }

    /// All bindings as text, leaving out those that need an enhanced keyboard if there is none.
    pub fn all_keys(&self, enhanced_keyboard: bool) -> String {
        let can_send =
            |keys: &&Vec<Chord>| enhanced_keyboard || !keys.iter().any(|k| k.is_enhanced());
        self.keys.iter().filter(can_send).map(|k| write(k)).collect::<Vec<_>>().join("  ")
    }
}

/// A key, or two pressed one after the other.
type OneOrTwoKeys = (Chord, Option<Chord>);

/// A key whose default action was replaced by a change of the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TakenKey {
    pub keys: String,
    /// Its action before.
    pub from: String,
    /// The action that the user has bound it to.
    pub to: String,
}

/// The bindings in force.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Keymap {
    entries: Vec<KeymapEntry>,
    bindings: HashMap<(Context, OneOrTwoKeys), Action>,
    /// The first keys of two-key bindings.
    prefixes: HashSet<(Context, Chord)>,
    /// Whether there are two modes, only one of which types letters.
    modal: bool,
    /// The keys that the user's changes took from other actions.
    taken: Vec<TakenKey>,
}

impl Keymap {
    /// Creates the map from a table.
    ///
    /// # Errors
    /// When a name is unknown or two actions share a key in the same place.
    pub fn new(entries: Vec<KeymapEntry>, modal: bool) -> Result<Self, KeymapError> {
        let mut map = Self { modal, ..Self::default() };
        let fail = |entry: &KeymapEntry, message: String| KeymapError {
            action: entry.name.clone(),
            message,
        };
        for entry in &entries {
            let action = Action::named(&entry.name)
                .ok_or_else(|| fail(entry, format!("there is no action \"{}\"", entry.name)))?;
            for keys in &entry.keys {
                let (Some(first), second) = (keys.first(), keys.get(1)) else { continue };
                for context in &entry.contexts {
                    if second.is_some() {
                        map.prefixes.insert((*context, *first));
                    }
                    let place = (*context, (*first, second.copied()));
                    if let Some(other) = map.bindings.insert(place, action.clone()) {
                        let other = Action::name_of(&other).unwrap_or_default();
                        let keys = write(keys);
                        let message = format!("\"{keys}\" is bound twice: {other}, {}", entry.name);
                        return Err(fail(entry, message));
                    }
                }
            }
        }
        map.entries = entries;
        Ok(map)
    }

    pub fn entries(&self) -> &[KeymapEntry] {
        &self.entries
    }

    /// The row of an action: the first one with keys, if there is any.
    pub fn entry(&self, name: &str) -> Option<&KeymapEntry> {
        let mut rows = self.entries.iter().filter(|e| e.name == name);
        let first = rows.next()?;
        if !first.keys.is_empty() {
            return Some(first);
        }
        rows.find(|e| !e.keys.is_empty()).or(Some(first))
    }

    /// The row of an action whose keys work in a place, or else its first row with keys.
    pub fn entry_in(&self, context: Context, name: &str) -> Option<&KeymapEntry> {
        let places = self.places(context);
        let mut here = places.iter().filter_map(|place| {
            let fits = |e: &&KeymapEntry| {
                e.name == name && e.contexts.contains(place) && !e.keys.is_empty()
            };
            self.entries.iter().find(fits)
        });
        here.next().or_else(|| self.entry(name))
    }

    /// Whether there is a mode in which letters are keys and not text.
    pub fn is_modal(&self) -> bool {
        self.modal
    }

    /// The keys that the user's changes took from other actions.
    pub fn taken(&self) -> &[TakenKey] {
        &self.taken
    }

    /// The places where a key pressed in `context` is looked up, in order.
    pub fn places(&self, context: Context) -> [Context; 3] {
        let is_normal = self.modal && matches!(context, Context::Selection | Context::List);
        [context, if is_normal { Context::Normal } else { context }, Context::Global]
    }

    fn find(&self, context: Context, keys: OneOrTwoKeys) -> Option<&Action> {
        self.places(context).into_iter().find_map(|place| self.bindings.get(&(place, keys)))
    }

    /// The action of these keys in a place.
    pub fn action(&self, context: Context, keys: &[Chord]) -> Option<&Action> {
        let first = keys.first()?;
        self.find(context, (*first, keys.get(1).copied()))
    }

    /// Whether this key begins a two-key binding.
    pub fn is_prefix(&self, context: Context, chord: Chord) -> bool {
        self.places(context).into_iter().any(|place| self.prefixes.contains(&(place, chord)))
    }
}

/// What the meaning of keys depends on besides the place where they are pressed.
#[derive(Clone, Debug, Default)]
pub struct KeyState {
    /// The first of two keys, and when (monotonic) it was pressed.
    pub prefix: Option<(String, Duration)>,
    /// With a modal preset: letters are keys and not text.
    pub normal: bool,
}

/// Turns key events into actions; remembers the first chord of a pair until the second one is pressed.
#[derive(Clone, Debug, Default)]
pub struct Resolver {
    pending: Option<Chord>,
}

impl Resolver {
    pub fn resolve(&mut self, map: &Keymap, context: Context, event: &KeyEvent) -> Option<Action> {
        let chord = Chord::of(event);
        if let Some(first) = self.pending.take() {
            let found = map.find(context, (first, Some(chord))).cloned();
            return found.or_else(|| Some(Action::Prefix(ended(first, chord))));
        }
        // Letters are not bound where they are typed.
        if context.types()
            && let Some(typed) = chord.typed()
        {
            return Some(Action::Compose(ComposeAction::Insert(typed)));
        }
        if let Some(action) = map.find(context, (chord, None)) {
            return Some(action.clone());
        }
        if map.is_prefix(context, chord) {
            self.pending = Some(chord);
            return Some(Action::Prefix(PrefixKey::Began(chord.short())));
        }
        let typed = chord.typed()?;
        Some(match context {
            Context::Overlay => Action::Overlay(OverlayAction::Type(typed)),
            Context::Normal | Context::Selection | Context::List if map.modal => {
                Action::Prefix(PrefixKey::Wrong(chord.short()))
            }
            _ => Action::Compose(ComposeAction::Insert(typed)),
        })
    }
}

/// The result of a second key that completes no binding: Esc and Ctrl-C cancel the first one.
fn ended(first: Chord, second: Chord) -> PrefixKey {
    if second.is_cancel() {
        PrefixKey::Cancelled
    } else {
        PrefixKey::Wrong(write(&[first, second]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> KeyEvent {
        Chord::parse(text).unwrap().event()
    }

    fn entry(name: &str, context: Context, keys: &str) -> KeymapEntry {
        KeymapEntry {
            name: name.into(),
            contexts: vec![context],
            keys: vec![parse_keys(keys).unwrap()],
            label: None,
            help: String::new(),
        }
    }

    #[test]
    fn a_pair_of_chords_waits_for_its_second_key() {
        let rows = vec![entry("toggle-joining", Context::Global, "ctrl-x j")];
        let map = Keymap::new(rows, false).unwrap();
        let mut resolver = Resolver::default();
        let mut press = |chord: &str| resolver.resolve(&map, Context::Compose, &key(chord));
        let began = Action::Prefix(PrefixKey::Began("Ctrl-X".into()));
        assert_eq!(press("ctrl-x"), Some(began));
        assert_eq!(press("j"), Action::named("toggle-joining"));
        assert_eq!(press("j"), Some(Action::Compose(ComposeAction::Insert('j'))));
        press("ctrl-x");
        let wrong = Action::Prefix(PrefixKey::Wrong("Ctrl-X z".into()));
        assert_eq!(press("z"), Some(wrong));
    }

    #[test]
    fn the_first_of_two_letters_is_text_where_letters_are_typed() {
        let rows = vec![entry("oldest", Context::Normal, "g g")];
        let map = Keymap::new(rows, true).unwrap();
        let mut resolver = Resolver::default();
        let mut press = |context, chord: &str| resolver.resolve(&map, context, &key(chord));
        let typed = Some(Action::Compose(ComposeAction::Insert('g')));
        assert_eq!(press(Context::Compose, "g"), typed);
        for context in [Context::Normal, Context::Selection, Context::List] {
            press(context, "g");
            assert_eq!(press(context, "g"), Action::named("oldest"), "{context:?}");
            let wrong = Action::Prefix(PrefixKey::Wrong("q".into()));
            assert_eq!(press(context, "q"), Some(wrong), "{context:?} types nothing");
        }
    }
}
