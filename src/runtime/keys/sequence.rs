//! One key or answer at the front of the terminal's bytes: control characters, UTF-8, and the escape sequences of
//! xterm, VTE, kitty, foot, macOS Terminal, rxvt, tmux, screen and the Linux console.

use super::csi;
use crossterm::event::{KeyCode, KeyModifiers, MouseEventKind};

/// The result of reading the front of the bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Parsed {
    /// The number of bytes, and their meaning.
    Complete(usize, SequenceMeaning),
    Unfinished(Unfinished),
}

/// What is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfinished {
    /// Only Esc, alone or with an introducer: it may be a key.
    Escape,
    /// A sequence that has begun, or a character of several bytes.
    Sequence,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum SequenceMeaning {
    /// Not a key: an answer that is not waited for, or bytes without a meaning.
    Nothing,
    Key(KeyCode, KeyModifiers),
    /// A control character.
    Control(u8, KeyModifiers),
    Focus(bool),
    /// The cell is counted from zero.
    Mouse {
        kind: MouseEventKind,
        column: u16,
        row: u16,
    },
    PasteStart,
    /// OSC, DCS, APC, PM or SOS: everything up to its end belongs to an answer.
    StringStart,
    /// The terminal supports the kitty keyboard protocol.
    Keyboard,
    /// A cursor position report; counted from one.
    Position {
        row: u16,
        column: u16,
    },
}

const ESC: u8 = 0x1b;
/// Longer sequences are not valid.
const LONGEST: usize = 256;

/// Reads the front of `bytes`, which must not be empty.
pub fn parse(bytes: &[u8]) -> Parsed {
    match bytes.first() {
        Some(&ESC) => escape(bytes),
        Some(_) => plain(bytes, 0, KeyModifiers::NONE),
        None => Parsed::Unfinished(Unfinished::Sequence),
    }
}

/// A character that is not an escape sequence, after `skip` bytes.
fn plain(bytes: &[u8], skip: usize, modifiers: KeyModifiers) -> Parsed {
    let rest = bytes.get(skip..).unwrap_or_default();
    let Some(first) = rest.first().copied() else {
        return Parsed::Unfinished(Unfinished::Escape);
    };
    if first < 0x20 || first == 0x7f {
        return Parsed::Complete(skip + 1, SequenceMeaning::Control(first, modifiers));
    }
    let head = rest.get(..rest.len().min(4)).unwrap_or(rest);
    let valid = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(e) if e.valid_up_to() == 0 => {
            return match e.error_len() {
                None => Parsed::Unfinished(Unfinished::Sequence),
                // Invalid bytes are dropped; the next character is a separate key.
                Some(wrong) => Parsed::Complete(skip + wrong, SequenceMeaning::Nothing),
            };
        }
        Err(e) => head
            .get(..e.valid_up_to())
            .and_then(|valid| std::str::from_utf8(valid).ok())
            .unwrap_or_default(),
    };
    match valid.chars().next() {
        Some(c) => {
            Parsed::Complete(skip + c.len_utf8(), SequenceMeaning::Key(KeyCode::Char(c), modifiers))
        }
        None => Parsed::Complete(skip + 1, SequenceMeaning::Nothing),
    }
}

fn escape(bytes: &[u8]) -> Parsed {
    match bytes.get(1).copied() {
        None => Parsed::Unfinished(Unfinished::Escape),
        Some(b'[') => csi(bytes, 2),
        Some(b'O') => ss3(bytes, 2),
        Some(introducer @ (b']' | b'P' | b'_' | b'^' | b'X')) => {
            let alone =
                SequenceMeaning::Key(KeyCode::Char(char::from(introducer)), KeyModifiers::ALT);
            match (bytes.get(2), bytes.get(3)) {
                (None, _) | (Some(&ESC), None) => Parsed::Unfinished(Unfinished::Escape),
                (Some(&ESC), Some(b'\\')) => Parsed::Complete(4, SequenceMeaning::Nothing),
                (Some(b), _) if *b < 0x20 && *b != 0x07 => Parsed::Complete(2, alone),
                _ => Parsed::Complete(2, SequenceMeaning::StringStart),
            }
        }
        Some(ESC) => escape_twice(bytes),
        Some(_) => match plain(bytes, 1, KeyModifiers::ALT) {
            // An Esc before bytes without a meaning was a key.
            Parsed::Complete(_, SequenceMeaning::Nothing) => {
                Parsed::Complete(1, SequenceMeaning::Key(KeyCode::Esc, KeyModifiers::NONE))
            }
            parsed => parsed,
        },
    }
}

/// Esc Esc: either the Esc of Alt before a key's sequence, or the Esc key.
fn escape_twice(bytes: &[u8]) -> Parsed {
    let single = Parsed::Complete(1, SequenceMeaning::Key(KeyCode::Esc, KeyModifiers::NONE));
    let inner = match bytes.get(2) {
        None => return Parsed::Unfinished(Unfinished::Escape),
        Some(b'[') => csi(bytes, 3),
        Some(b'O') => ss3(bytes, 3),
        Some(_) => return single,
    };
    match inner {
        Parsed::Complete(length, SequenceMeaning::Key(code, modifiers)) if length > 3 => {
            Parsed::Complete(length, SequenceMeaning::Key(code, modifiers | KeyModifiers::ALT))
        }
        Parsed::Complete(..) => single,
        unfinished @ Parsed::Unfinished(_) => unfinished,
    }
}

/// A control sequence whose parameters begin at `start`.
fn csi(bytes: &[u8], start: usize) -> Parsed {
    let body = bytes.get(start..).unwrap_or_default();
    let nothing = |length: usize| Parsed::Complete(start + length, SequenceMeaning::Nothing);
    match body {
        [] => return Parsed::Unfinished(Unfinished::Escape),
        // The function keys of the Linux console.
        [b'['] => return Parsed::Unfinished(Unfinished::Sequence),
        [b'[', letter @ b'A'..=b'E', ..] => {
            let code = KeyCode::F(letter - b'A' + 1);
            return Parsed::Complete(start + 2, SequenceMeaning::Key(code, KeyModifiers::NONE));
        }
        // A mouse report in its oldest form: three bytes follow.
        [b'M', rest @ ..] if rest.len() < 3 => {
            return Parsed::Unfinished(Unfinished::Sequence);
        }
        [b'M', ..] => return nothing(4),
        _ => {}
    }
    let parameters = body.iter().take_while(|b| (0x30..=0x3f).contains(*b)).count();
    let rest = body.get(parameters..).unwrap_or_default();
    let middle = rest.iter().take_while(|b| (0x20..=0x2f).contains(*b)).count();
    let parameters = body.get(..parameters).unwrap_or_default();
    // rxvt ends keys with Shift by a dollar sign, which elsewhere comes before the last letter.
    if rest.first() == Some(&b'$')
        && !parameters.is_empty()
        && parameters.iter().all(u8::is_ascii_digit)
    {
        let meaning = csi::meaning(parameters, b'$');
        return Parsed::Complete(start + parameters.len() + 1, meaning);
    }
    match rest.get(middle).copied() {
        None if body.len() > LONGEST => nothing(body.len()),
        None => Parsed::Unfinished(Unfinished::Sequence),
        Some(last @ 0x40..=0x7e) => {
            let length = start + parameters.len() + middle + 1;
            let meaning =
                if middle > 0 { SequenceMeaning::Nothing } else { csi::meaning(parameters, last) };
            Parsed::Complete(length, meaning)
        }
        // Cut off: what comes now is a separate key.
        Some(_) if parameters.is_empty() && middle == 0 => {
            Parsed::Complete(start, SequenceMeaning::Key(KeyCode::Char('['), KeyModifiers::ALT))
        }
        Some(_) => nothing(parameters.len() + middle),
    }
}

/// A key of the application keypad; some terminals put modifiers before the letter.
fn ss3(bytes: &[u8], start: usize) -> Parsed {
    let body = bytes.get(start..).unwrap_or_default();
    if body.is_empty() {
        return Parsed::Unfinished(Unfinished::Escape);
    }
    let count = body.iter().take_while(|b| b.is_ascii_digit() || **b == b';').count();
    let parameters = body.get(..count).unwrap_or_default();
    let Some(last) = body.get(count).copied() else {
        return if count > LONGEST {
            Parsed::Complete(start + count, SequenceMeaning::Nothing)
        } else {
            Parsed::Unfinished(Unfinished::Sequence)
        };
    };
    let number = parameters.rsplit(|b| *b == b';').next().and_then(csi::number);
    let modifiers = number.and_then(modifiers).unwrap_or(KeyModifiers::NONE);
    match keypad(last) {
        Some((code, more)) => {
            Parsed::Complete(start + count + 1, SequenceMeaning::Key(code, modifiers | more))
        }
        None if count == 0 => {
            Parsed::Complete(start, SequenceMeaning::Key(KeyCode::Char('O'), KeyModifiers::ALT))
        }
        None => Parsed::Complete(start + count, SequenceMeaning::Nothing),
    }
}

fn keypad(last: u8) -> Option<(KeyCode, KeyModifiers)> {
    let code = match last {
        b'A'..=b'D' | b'F' | b'H' => return Some((csi::arrow(last)?, KeyModifiers::NONE)),
        // rxvt: with Ctrl.
        b'a'..=b'd' => return Some((csi::arrow(last - 32)?, KeyModifiers::CONTROL)),
        b'P'..=b'S' => KeyCode::F(last - b'P' + 1),
        b'M' => KeyCode::Enter,
        b'I' => KeyCode::Tab,
        b' ' => KeyCode::Char(' '),
        b'X' => KeyCode::Char('='),
        b'E' => KeyCode::KeypadBegin,
        // The keypad's keys, from the asterisk to the nine, are 64 above the characters they type.
        b'j'..=b'y' => KeyCode::Char(char::from(last - 64)),
        _ => return None,
    };
    Some((code, KeyModifiers::NONE))
}

/// The modifiers in a parameter, which is one more than their bits; `None` if it is not valid.
pub fn modifiers(parameter: u16) -> Option<KeyModifiers> {
    let bits = parameter.checked_sub(1).filter(|bits| (1..=255).contains(bits))?;
    let mut modifiers = KeyModifiers::NONE;
    for (bit, modifier) in [
        (1, KeyModifiers::SHIFT),
        (2, KeyModifiers::ALT),
        (4, KeyModifiers::CONTROL),
        (8, KeyModifiers::SUPER),
        (16, KeyModifiers::HYPER),
        (32, KeyModifiers::ALT),
    ] {
        if bits & bit != 0 {
            modifiers |= modifier;
        }
    }
    Some(modifiers)
}
