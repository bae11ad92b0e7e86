//! The meaning of control sequences.

use super::sequence::{SequenceMeaning, modifiers};
use crossterm::event::{KeyCode, KeyModifiers, MouseButton, MouseEventKind};

/// The meaning of a control sequence, by its parameters and its last byte.
pub fn meaning(parameters: &[u8], last: u8) -> SequenceMeaning {
    match parameters.first().copied() {
        Some(b'<') if matches!(last, b'M' | b'm') => {
            mouse(parameters.get(1..).unwrap_or_default(), last == b'M')
        }
        Some(b'?') if last == b'u' => SequenceMeaning::Keyboard,
        Some(b'?') if last == b'R' => position(parameters.get(1..).unwrap_or_default()),
        Some(b'<'..=b'?') => SequenceMeaning::Nothing,
        _ => key_meaning(parameters, last),
    }
}

fn key_meaning(parameters: &[u8], last: u8) -> SequenceMeaning {
    let first = parameter(parameters, 0, 0);
    let second = parameter(parameters, 1, 0);
    let released = parameter(parameters, 1, 1) == Some(3);
    let held = second.and_then(modifiers).unwrap_or(KeyModifiers::NONE);
    let code = match last {
        b'A'..=b'D' | b'F' | b'H' => arrow(last),
        // rxvt: with Shift.
        b'a'..=b'd' => {
            return arrow(last - 32).map_or(SequenceMeaning::Nothing, |code| {
                SequenceMeaning::Key(code, held | KeyModifiers::SHIFT)
            });
        }
        b'E' => Some(KeyCode::KeypadBegin),
        b'P' | b'Q' | b'S' => Some(KeyCode::F(last - b'P' + 1)),
        b'R' if parameters.is_empty() => Some(KeyCode::F(3)),
        b'R' if !released => return position(parameters),
        b'Z' => return SequenceMeaning::Key(KeyCode::BackTab, held | KeyModifiers::SHIFT),
        b'I' if parameters.is_empty() => return SequenceMeaning::Focus(true),
        b'O' if parameters.is_empty() => return SequenceMeaning::Focus(false),
        b'u' => return unicode(parameters, held, released),
        b'~' => return numbered(parameters, first, held, released),
        // rxvt: with Shift, Ctrl, and both.
        b'$' => return with(first.and_then(editing), KeyModifiers::SHIFT),
        b'^' => return with(first.and_then(editing), KeyModifiers::CONTROL),
        b'@' => {
            return with(first.and_then(editing), KeyModifiers::CONTROL | KeyModifiers::SHIFT);
        }
        _ => None,
    };
    if released { SequenceMeaning::Nothing } else { with(code, held) }
}

fn with(code: Option<KeyCode>, modifiers: KeyModifiers) -> SequenceMeaning {
    code.map_or(SequenceMeaning::Nothing, |code| SequenceMeaning::Key(code, modifiers))
}

fn numbered(
    parameters: &[u8],
    first: Option<u16>,
    held: KeyModifiers,
    released: bool,
) -> SequenceMeaning {
    match first {
        Some(200) => SequenceMeaning::PasteStart,
        // xterm's modifyOtherKeys: 27, the modifiers, the character.
        Some(27) => match parameter(parameters, 2, 0).and_then(|c| char::from_u32(c.into())) {
            Some(c) => with(character(c), held),
            None => SequenceMeaning::Nothing,
        },
        Some(number) if !released => with(editing(number), held),
        _ => SequenceMeaning::Nothing,
    }
}

/// A key of the kitty protocol or of xterm's formatOtherKeys: the character, its form with Shift, and the one on a
/// Latin keyboard.
fn unicode(parameters: &[u8], held: KeyModifiers, released: bool) -> SequenceMeaning {
    let part = |n| wide_parameter(parameters, 0, n).and_then(char::from_u32);
    if released {
        return SequenceMeaning::Nothing;
    }
    let Some(mut c) = part(0) else { return SequenceMeaning::Nothing };
    if ('\u{e000}'..='\u{f8ff}').contains(&c) {
        return with(functional(c), held);
    }
    let shortcut = held.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT);
    if shortcut && !c.is_ascii() {
        // Shortcuts work on keyboards of any script.
        c = part(2).unwrap_or(c);
    }
    let mut modifiers = held;
    if held.contains(KeyModifiers::SHIFT) && !c.is_control() && c != '\u{7f}' && c != ' ' {
        if held.contains(KeyModifiers::CONTROL) {
            // Without the protocol, terminals send the same byte with and without Shift.
            c = c.to_ascii_lowercase();
        } else {
            c = part(1).unwrap_or_else(|| c.to_uppercase().next().unwrap_or(c));
        }
        modifiers -= KeyModifiers::SHIFT;
    }
    with(character(c), modifiers)
}

/// The named key that a character stands for, if any.
fn character(c: char) -> Option<KeyCode> {
    Some(match c {
        '\r' | '\n' => KeyCode::Enter,
        '\t' => KeyCode::Tab,
        '\u{1b}' => KeyCode::Esc,
        '\u{7f}' | '\u{8}' => KeyCode::Backspace,
        c if c.is_control() => return None,
        c => KeyCode::Char(c),
    })
}

/// The keys for which the kitty protocol uses private characters; `None` for those that mean nothing here.
fn functional(c: char) -> Option<KeyCode> {
    let number = u32::from(c);
    let digit = |n: u32| char::from_digit(n, 10).map(KeyCode::Char);
    match number {
        57_376..=57_398 => u8::try_from(number - 57_376 + 13).ok().map(KeyCode::F),
        57_399..=57_408 => digit(number - 57_399),
        57_409 => Some(KeyCode::Char('.')),
        57_410 => Some(KeyCode::Char('/')),
        57_411 => Some(KeyCode::Char('*')),
        57_412 => Some(KeyCode::Char('-')),
        57_413 => Some(KeyCode::Char('+')),
        57_414 => Some(KeyCode::Enter),
        57_415 => Some(KeyCode::Char('=')),
        57_416 => Some(KeyCode::Char(',')),
        57_417 => Some(KeyCode::Left),
        57_418 => Some(KeyCode::Right),
        57_419 => Some(KeyCode::Up),
        57_420 => Some(KeyCode::Down),
        57_421 => Some(KeyCode::PageUp),
        57_422 => Some(KeyCode::PageDown),
        57_423 => Some(KeyCode::Home),
        57_424 => Some(KeyCode::End),
        57_425 => Some(KeyCode::Insert),
        57_426 => Some(KeyCode::Delete),
        _ => None,
    }
}

/// The keys that are sent as a number.
fn editing(number: u16) -> Option<KeyCode> {
    let function = |n: u16| u8::try_from(n).ok().map(KeyCode::F);
    match number {
        1 | 7 => Some(KeyCode::Home),
        2 => Some(KeyCode::Insert),
        3 => Some(KeyCode::Delete),
        4 | 8 => Some(KeyCode::End),
        5 => Some(KeyCode::PageUp),
        6 => Some(KeyCode::PageDown),
        11..=15 => function(number - 10),
        17..=21 => function(number - 11),
        23..=26 => function(number - 12),
        28 | 29 => function(number - 13),
        31..=34 => function(number - 14),
        _ => None,
    }
}

pub fn arrow(letter: u8) -> Option<KeyCode> {
    Some(match letter {
        b'A' => KeyCode::Up,
        b'B' => KeyCode::Down,
        b'C' => KeyCode::Right,
        b'D' => KeyCode::Left,
        b'F' => KeyCode::End,
        b'H' => KeyCode::Home,
        _ => return None,
    })
}

fn position(parameters: &[u8]) -> SequenceMeaning {
    match (parameter(parameters, 0, 0), parameter(parameters, 1, 0)) {
        (Some(row), Some(column)) => SequenceMeaning::Position { row, column },
        _ => SequenceMeaning::Nothing,
    }
}

/// The left button without modifiers, and the wheel. With Shift, terminals select text themselves.
fn mouse(parameters: &[u8], pressed: bool) -> SequenceMeaning {
    let cell = |index| parameter(parameters, index, 0)?.checked_sub(1);
    let (Some(button), Some(column), Some(row)) = (parameter(parameters, 0, 0), cell(1), cell(2))
    else {
        return SequenceMeaning::Nothing;
    };
    // Bits 2 to 4 are modifiers.
    let kind = match (button, button & !0b1_1100) {
        (0, _) if pressed => MouseEventKind::Down(MouseButton::Left),
        (_, 0) if !pressed => MouseEventKind::Up(MouseButton::Left),
        // Bit 5: the mouse was moved.
        (_, 32) if pressed => MouseEventKind::Drag(MouseButton::Left),
        (_, 64) if pressed => MouseEventKind::ScrollUp,
        (_, 65) if pressed => MouseEventKind::ScrollDown,
        _ => return SequenceMeaning::Nothing,
    };
    SequenceMeaning::Mouse { kind, column, row }
}

/// A part of a parameter: parameters are separated by `;`, their parts by `:`.
fn parameter(parameters: &[u8], index: usize, part: usize) -> Option<u16> {
    wide_parameter(parameters, index, part).and_then(|n| u16::try_from(n).ok())
}

fn wide_parameter(parameters: &[u8], index: usize, part: usize) -> Option<u32> {
    let parameter = parameters.split(|b| *b == b';').nth(index)?;
    let part = parameter.split(|b| *b == b':').nth(part)?;
    std::str::from_utf8(part).ok()?.parse().ok()
}

/// A number in decimal digits.
pub fn number(digits: &[u8]) -> Option<u16> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}
