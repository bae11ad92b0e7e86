//! Keys to actions, as data: the table of `assets/keymap.toml` with the user's changes, and the resolver that
//! remembers the first chord of a pair.

use super::action::{Action, ComposeAction, OverlayAction, PrefixKey};
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use std::collections::HashMap;

/// Where keys work. Keys that a place does not bind are looked up in `Global`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Context {
    Global,
    Compose,
    Selection,
    List,
    Overlay,
}

impl Context {
    pub const ALL: [(&'static str, Context); 5] = [
        ("global", Context::Global),
        ("compose", Context::Compose),
        ("selection", Context::Selection),
        ("list", Context::List),
        ("overlay", Context::Overlay),
    ];

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(n, _)| *n == name).map(|(_, c)| *c)
    }

    /// What the key table calls it.
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
            Self::Selection => "With a message selected",
            Self::List => "In the conversation list",
            Self::Overlay => "In a dialog",
        }
    }
}

/// One key with its modifiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Chord {
    code: KeyCode,
    modifiers: KeyModifiers,
}

/// Chords that a terminal without extra protocols sends for other keys.
const UNREACHABLE: [&str; 6] = ["ctrl-i", "ctrl-m", "ctrl-[", "ctrl-@", "ctrl-space", "ctrl-enter"];

impl Chord {
    /// Reads `ctrl-x`, `alt-enter`, `f1`, `+`, `Y`.
    pub fn parse(text: &str) -> Result<Self, String> {
        if UNREACHABLE.contains(&text.to_ascii_lowercase().as_str()) {
            return Err(format!("a terminal cannot tell \"{text}\" from another key"));
        }
        let mut modifiers = KeyModifiers::NONE;
        let mut rest = text;
        while let Some((head, tail)) = rest.split_once('-').filter(|(_, tail)| !tail.is_empty()) {
            modifiers |= match head.to_ascii_lowercase().as_str() {
                "ctrl" => KeyModifiers::CONTROL,
                "alt" => KeyModifiers::ALT,
                "shift" => KeyModifiers::SHIFT,
                _ => return Err(format!("\"{head}\" is not a modifier (ctrl, alt or shift)")),
            };
            rest = tail;
        }
        let code = match rest.to_ascii_lowercase().as_str() {
            "enter" => KeyCode::Enter,
            "esc" => KeyCode::Esc,
            "tab" => KeyCode::Tab,
            "backspace" => KeyCode::Backspace,
            "delete" => KeyCode::Delete,
            "insert" => KeyCode::Insert,
            "space" => KeyCode::Char(' '),
            "up" => KeyCode::Up,
            "down" => KeyCode::Down,
            "left" => KeyCode::Left,
            "right" => KeyCode::Right,
            "home" => KeyCode::Home,
            "end" => KeyCode::End,
            "pageup" => KeyCode::PageUp,
            "pagedown" => KeyCode::PageDown,
            name => match (
                name.strip_prefix('f').and_then(|n| n.parse().ok()),
                rest.chars().collect::<Vec<_>>().as_slice(),
            ) {
                (Some(n @ 1..=12), _) => KeyCode::F(n),
                (_, [c]) => KeyCode::Char(*c),
                _ => return Err(format!("\"{rest}\" is not a key")),
            },
        };
        Ok(Self { code, modifiers }.normal())
    }

    pub fn of(event: &KeyEvent) -> Self {
        Self { code: event.code, modifiers: event.modifiers }.normal()
    }

    /// The key as a terminal reports it.
    pub fn event(self) -> KeyEvent {
        KeyEvent::new(self.code, self.modifiers)
    }

    /// The canonical form: terminals report the same chord in several ways. Shift is part of the letter, back-tab is
    /// shift-tab, and Ctrl-_ is reported as Ctrl-7.
    fn normal(mut self) -> Self {
        self.modifiers &= KeyModifiers::CONTROL | KeyModifiers::ALT | KeyModifiers::SHIFT;
        match self.code {
            KeyCode::Char(c) => {
                self.modifiers -= KeyModifiers::SHIFT;
                if self.modifiers.contains(KeyModifiers::CONTROL) {
                    let c = match c.to_ascii_lowercase() {
                        '4' => '\\',
                        '5' => ']',
                        '6' => '^',
                        '7' | '/' => '_',
                        c => c,
                    };
                    self.code = KeyCode::Char(c);
                }
            }
            KeyCode::BackTab => {
                self.code = KeyCode::Tab;
                self.modifiers |= KeyModifiers::SHIFT;
            }
            _ => {}
        }
        self
    }

    /// Sent by terminals with an extended keyboard protocol only; others send the same as for the key alone.
    fn is_enhanced(self) -> bool {
        let bare = matches!(self.code, KeyCode::Enter | KeyCode::Backspace | KeyCode::Esc);
        bare && self.modifiers.intersects(KeyModifiers::SHIFT | KeyModifiers::CONTROL)
    }

    /// Whether it types a character when pressed in the box.
    pub fn types(self) -> bool {
        matches!(self.code, KeyCode::Char(_)) && self.modifiers.is_empty()
    }

    /// As the screen writes it: `Ctrl-K`, `Alt-↓`, `Enter`, `F1`.
    pub fn short(self) -> String {
        let mut out = String::new();
        for (modifier, letter) in [
            (KeyModifiers::CONTROL, "Ctrl-"),
            (KeyModifiers::ALT, "Alt-"),
            (KeyModifiers::SHIFT, "Shift-"),
        ] {
            if self.modifiers.contains(modifier) {
                out.push_str(letter);
            }
        }
        match self.code {
            KeyCode::Char(' ') => out.push_str("Space"),
            // A letter alone may mean something else in upper case.
            KeyCode::Char(c) if self.modifiers.is_empty() => out.push(c),
            KeyCode::Char(c) => out.extend(c.to_uppercase()),
            KeyCode::Up => out.push('↑'),
            KeyCode::Down => out.push('↓'),
            KeyCode::Left => out.push('←'),
            KeyCode::Right => out.push('→'),
            KeyCode::F(n) => out = format!("{out}F{n}"),
            KeyCode::PageUp => out.push_str("PgUp"),
            KeyCode::PageDown => out.push_str("PgDn"),
            code => out = format!("{out}{code:?}"),
        }
        out
    }
}

/// One action of the table.
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

    /// All bindings as text, without those that need an enhanced keyboard if there is none.
    pub fn all_keys(&self, enhanced_keyboard: bool) -> String {
        let can_send =
            |keys: &&Vec<Chord>| enhanced_keyboard || !keys.iter().any(|k| k.is_enhanced());
        self.keys.iter().filter(can_send).map(|k| write(k)).collect::<Vec<_>>().join("  ")
    }
}

fn write(chords: &[Chord]) -> String {
    chords.iter().map(|c| c.short()).collect::<Vec<_>>().join(" ")
}

/// The bindings in force.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Keymap {
    entries: Vec<KeymapEntry>,
    bindings: HashMap<(Context, Vec<Chord>), Action>,
    prefixes: Vec<Chord>,
}

impl Keymap {
    /// Creates the map from a table.
    ///
    /// # Errors
    /// A line for the user when a name is unknown or two actions of one place share a key.
    pub fn new(entries: Vec<KeymapEntry>) -> Result<Self, String> {
        let mut map = Self::default();
        for entry in &entries {
            let action = Action::named(&entry.name)
                .ok_or_else(|| format!("there is no action \"{}\"", entry.name))?;
            for keys in &entry.keys {
                if let [first, _] = keys.as_slice()
                    && !map.prefixes.contains(first)
                {
                    map.prefixes.push(*first);
                }
                for context in &entry.contexts {
                    let place = (*context, keys.clone());
                    if map.bindings.insert(place, action.clone()).is_some() {
                        let keys = write(keys);
                        return Err(format!("\"{keys}\" is bound twice ({})", entry.name));
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

    pub fn entry(&self, name: &str) -> Option<&KeymapEntry> {
        self.entries.iter().find(|e| e.name == name)
    }

    fn find(&self, context: Context, keys: &[Chord]) -> Option<&Action> {
        let here = self.bindings.get(&(context, keys.to_vec()));
        here.or_else(|| self.bindings.get(&(Context::Global, keys.to_vec())))
    }
}

/// Reads chords `"ctrl-x j"`.
pub fn parse_keys(text: &str) -> Result<Vec<Chord>, String> {
    let chords: Vec<Chord> = text.split_whitespace().map(Chord::parse).collect::<Result<_, _>>()?;
    if chords.is_empty() || chords.len() > 2 {
        return Err(format!("\"{text}\" has to be one key, or two keys"));
    }
    Ok(chords)
}

/// Turns key events into actions; remembers a first chord that waits for its second.
#[derive(Clone, Debug, Default)]
pub struct Resolver {
    pending: Option<Chord>,
}

impl Resolver {
    pub fn resolve(&mut self, map: &Keymap, context: Context, event: &KeyEvent) -> Option<Action> {
        let chord = Chord::of(event);
        if let Some(first) = self.pending.take() {
            let found = map.find(context, &[first, chord]).cloned();
            return found.or_else(|| Some(Action::Prefix(ended(first, chord))));
        }
        if let Some(action) = map.find(context, &[chord]) {
            return Some(action.clone());
        }
        if map.prefixes.contains(&chord) {
            self.pending = Some(chord);
            return Some(Action::Prefix(PrefixKey::Began(chord.short())));
        }
        match chord.code {
            KeyCode::Char(c) if chord.modifiers.is_empty() && !c.is_control() => {
                Some(match context {
                    Context::Overlay => Action::Overlay(OverlayAction::Type(c)),
                    _ => Action::Compose(ComposeAction::Insert(c)),
                })
            }
            _ => None,
        }
    }
}

/// The result of a second key that completes no binding: Esc and Ctrl-C cancel the first one.
fn ended(first: Chord, second: Chord) -> PrefixKey {
    let is_cancel = second.code == KeyCode::Esc
        || (second.code == KeyCode::Char('c') && second.modifiers == KeyModifiers::CONTROL);
    if is_cancel { PrefixKey::Cancelled } else { PrefixKey::Wrong(write(&[first, second])) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(code: KeyCode, modifiers: KeyModifiers) -> KeyEvent {
        KeyEvent::new(code, modifiers)
    }

    #[test]
    fn chords_read_and_write() {
        for (text, shown) in [
            ("ctrl-k", "Ctrl-K"),
            ("alt-enter", "Alt-Enter"),
            ("f1", "F1"),
            ("+", "+"),
            ("Y", "Y"),
            ("ctrl--", "Ctrl--"),
            ("alt-down", "Alt-↓"),
            ("backspace", "Backspace"),
            ("shift-tab", "Shift-Tab"),
            ("pageup", "PgUp"),
        ] {
            assert_eq!(Chord::parse(text).unwrap().short(), shown);
        }
        assert!(Chord::parse("ctrl-i").is_err());
        assert!(Chord::parse("hyper-x").is_err());
        assert!(Chord::parse("banana").is_err());
    }

    #[test]
    fn control_underscore_is_found_however_the_terminal_reports_it() {
        let bound = Chord::parse("ctrl-_").unwrap();
        assert_eq!(Chord::of(&event(KeyCode::Char('7'), KeyModifiers::CONTROL)), bound);
        assert_eq!(Chord::of(&event(KeyCode::Char('_'), KeyModifiers::CONTROL)), bound);
    }

    #[test]
    fn a_pair_of_chords_waits_for_its_second_key() {
        let entry = KeymapEntry {
            name: "toggle-joining".into(),
            contexts: vec![Context::Global],
            keys: vec![parse_keys("ctrl-x j").unwrap()],
            label: None,
            help: String::new(),
        };
        let map = Keymap::new(vec![entry]).unwrap();
        let mut resolver = Resolver::default();
        let x = event(KeyCode::Char('x'), KeyModifiers::CONTROL);
        let j = event(KeyCode::Char('j'), KeyModifiers::NONE);
        let began = Action::Prefix(PrefixKey::Began("Ctrl-X".into()));
        assert_eq!(resolver.resolve(&map, Context::Compose, &x), Some(began));
        assert_eq!(resolver.resolve(&map, Context::Compose, &j), Action::named("toggle-joining"));
        assert_eq!(
            resolver.resolve(&map, Context::Compose, &j),
            Some(Action::Compose(ComposeAction::Insert('j')))
        );
        let z = event(KeyCode::Char('z'), KeyModifiers::NONE);
        resolver.resolve(&map, Context::Compose, &x);
        let wrong = Action::Prefix(PrefixKey::Wrong("Ctrl-X z".into()));
        assert_eq!(resolver.resolve(&map, Context::Compose, &z), Some(wrong));
    }
}
