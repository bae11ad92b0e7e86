//! The terminal's background colour, as reported by the terminal (OSC 11) or by the environment.
//!
//! The question is written at the start, and nothing waits for the answer: until it arrives, frames are drawn in the
//! terminal's own colours, which are readable on every background. If the terminal does not answer, they are kept.

use crate::model::{Background, Rgb};

/// Asks for the background colour.
pub const QUESTION: &[u8] = b"\x1b]11;?\x1b\\";
/// The longest valid answer.
pub const LONGEST: usize = 64;

/// The colour in an answer, without the `ESC ]` before it and the end of the string: `11;rgb:1c1c/1c1c/1c1c`.
pub fn answer(text: &[u8]) -> Option<Rgb> {
    let color = std::str::from_utf8(text).ok()?.strip_prefix("11;")?;
    if let Some(digits) = color.strip_prefix('#').filter(|digits| digits.len() == 6) {
        let parts = [digits.get(..2)?, digits.get(2..4)?, digits.get(4..)?];
        return of_parts(parts.into_iter());
    }
    let (_, parts) = color.split_once("rgb:").or_else(|| color.split_once("rgba:"))?;
    of_parts(parts.split('/').take(3))
}

fn of_parts<'a>(parts: impl Iterator<Item = &'a str>) -> Option<Rgb> {
    let mut values = parts.map(part);
    let color = Rgb(values.next()??, values.next()??, values.next()??);
    values.next().is_none().then_some(color)
}

/// A component of a colour, of one to four hexadecimal digits.
fn part(digits: &str) -> Option<u8> {
    let is_hex = digits.bytes().all(|b| b.is_ascii_hexdigit());
    let most = match digits.len() {
        1..=4 if is_hex => (1_u32 << (4 * digits.len())) - 1,
        _ => return None,
    };
    let value = u32::from_str_radix(digits, 16).ok()?;
    u8::try_from(value * 255 / most).ok()
}

/// The background according to `COLORFGBG`, such as `15;0` or `0;default;15`: its number is the last part.
pub fn of_environment(variable: &str) -> Background {
    match variable.rsplit(';').next().and_then(|number| number.parse::<u8>().ok()) {
        Some(7 | 9..=15) => Background::Light,
        Some(0..=6 | 8) => Background::Dark,
        _ => Background::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn answers_of_all_forms_are_read() {
        for (text, color) in [
            ("11;rgb:1c1c/2d2d/3e3e", Some(Rgb(0x1c, 0x2d, 0x3e))),
            ("11;rgb:ff/00/80", Some(Rgb(255, 0, 128))),
            ("11;rgb:f/0/8", Some(Rgb(255, 0, 136))),
            ("11;rgba:ffff/ffff/ffff/8000", Some(Rgb(255, 255, 255))),
            ("11;#fdf6e3", Some(Rgb(0xfd, 0xf6, 0xe3))),
            ("10;rgb:0/0/0", None),
            ("11;?", None),
            ("11;rgb:0/0", None),
            ("11;rgb:00000/0/0", None),
            ("11;rgb:+1/0/0", None),
            ("11;#12345", None),
            ("", None),
        ] {
            assert_eq!(answer(text.as_bytes()), color, "{text}");
        }
    }

    #[test]
    fn the_environment_says_light_or_dark() {
        for (variable, expected) in [
            ("15;0", Background::Dark),
            ("0;default;15", Background::Light),
            ("0;7", Background::Light),
            ("12;8", Background::Dark),
            ("15;default", Background::Unknown),
            ("", Background::Unknown),
        ] {
            assert_eq!(of_environment(variable), expected, "{variable}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_colour_or_nothing(bytes: Vec<u8>, text in "11;(rgb:|#)?[0-9a-f/]{0,20}") {
            let _ = answer(&bytes);
            let _ = answer(text.as_bytes());
        }
    }
}
