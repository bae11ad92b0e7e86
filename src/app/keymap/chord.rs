//! A key with its modifiers: how it is written, and how terminals report it.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// A key with its modifiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Chord {
    code: KeyCode,
    modifiers: KeyModifiers,
}

/// Chords that terminals without extra protocols send for other keys.
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

    /// Whether only terminals with an extended keyboard protocol send it; others send the same as for the key alone.
    pub fn is_enhanced(self) -> bool {
        let bare = matches!(self.code, KeyCode::Enter | KeyCode::Backspace | KeyCode::Esc);
        bare && self.modifiers.intersects(KeyModifiers::SHIFT | KeyModifiers::CONTROL)
    }

    /// Whether it is a letter with Alt, which many terminals send as Esc and the letter.
    pub fn is_alt_letter(self) -> bool {
        matches!(self.code, KeyCode::Char(c) if c.is_alphabetic())
            && self.modifiers == KeyModifiers::ALT
    }

    /// The character that it types when pressed alone in the box.
    pub fn typed(self) -> Option<char> {
        match self.code {
            KeyCode::Char(c) if self.modifiers.is_empty() && !c.is_control() => Some(c),
            _ => None,
        }
    }

    /// Whether it is Esc or Ctrl-C, which cancel a two-key binding that was begun.
    pub fn is_cancel(self) -> bool {
        self.code == KeyCode::Esc
            || (self.code == KeyCode::Char('c') && self.modifiers == KeyModifiers::CONTROL)
    }

    /// Whether it types a character when pressed in the box.
    pub fn types(self) -> bool {
        matches!(self.code, KeyCode::Char(_)) && self.modifiers.is_empty()
    }

    /// As written in the configuration: `ctrl-k`, `alt-down`, `Y`; `None` for a key that has no name there.
    pub fn name(self) -> Option<String> {
        let key = match self.code {
            KeyCode::Char(' ') => "space".to_owned(),
            KeyCode::Char(c) => c.to_string(),
            KeyCode::F(n @ 1..=12) => format!("f{n}"),
            KeyCode::Enter
            | KeyCode::Esc
            | KeyCode::Tab
            | KeyCode::Backspace
            | KeyCode::Delete
            | KeyCode::Insert
            | KeyCode::Up
            | KeyCode::Down
            | KeyCode::Left
            | KeyCode::Right
            | KeyCode::Home
            | KeyCode::End
            | KeyCode::PageUp
            | KeyCode::PageDown => format!("{:?}", self.code).to_lowercase(),
            _ => return None,
        };
        let modifiers = [
            (KeyModifiers::CONTROL, "ctrl-"),
            (KeyModifiers::ALT, "alt-"),
            (KeyModifiers::SHIFT, "shift-"),
        ];
        let held = modifiers.into_iter().filter(|(modifier, _)| self.modifiers.contains(*modifier));
        Some(held.map(|(_, name)| name).chain([key.as_str()]).collect())
    }

    /// As shown on the screen: `Ctrl-K`, `Alt-↓`, `Enter`, `F1`.
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
            // A letter without modifiers may mean something else in upper case.
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

/// Reads chords `"ctrl-x j"`.
pub fn parse_keys(text: &str) -> Result<Vec<Chord>, String> {
    let chords: Vec<Chord> = text.split_whitespace().map(Chord::parse).collect::<Result<_, _>>()?;
    if chords.is_empty() || chords.len() > 2 {
        return Err(format!("\"{text}\" must be one key or two"));
    }
    Ok(chords)
}

/// Chords as shown on the screen.
pub fn write(chords: &[Chord]) -> String {
    chords.iter().map(|c| c.short()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

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
            let chord = Chord::parse(text).unwrap();
            assert_eq!(chord.short(), shown);
            assert_eq!(chord.name().as_deref(), Some(text), "it is written as it is read");
        }
        assert!(Chord::parse("ctrl-i").is_err());
        assert!(Chord::parse("hyper-x").is_err());
        assert!(Chord::parse("banana").is_err());
    }

    #[test]
    fn control_underscore_is_found_however_the_terminal_reports_it() {
        let bound = Chord::parse("ctrl-_").unwrap();
        assert_eq!(Chord::of(&KeyEvent::new(KeyCode::Char('7'), KeyModifiers::CONTROL)), bound);
        assert_eq!(Chord::of(&KeyEvent::new(KeyCode::Char('_'), KeyModifiers::CONTROL)), bound);
    }
}
