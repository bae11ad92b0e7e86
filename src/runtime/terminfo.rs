//! What a terminal can show, according to the environment and the system's terminfo database.

use crate::model::Glyphs;
use crate::ui::ColorDepth;
use std::ffi::OsString;
use std::path::PathBuf;

/// Compiled entries are only larger than this if they are damaged.
const MAX_ENTRY: usize = 64 * 1024;
/// The index of `max_colors` among the numbers of an entry.
const MAX_COLORS: usize = 13;

/// What the environment says about colours.
#[derive(Default)]
pub struct ColorHints {
    /// `NO_COLOR` is set.
    pub none: bool,
    /// `COLORTERM` is `truecolor` or `24bit`.
    pub truecolor: bool,
    /// GNU screen, which passes `COLORTERM` on without supporting it.
    pub in_screen: bool,
    pub term: String,
}

impl ColorHints {
    pub fn of_environment() -> Self {
        let var = |name: &str| std::env::var(name).unwrap_or_default();
        Self {
            none: !var("NO_COLOR").is_empty(),
            truecolor: matches!(var("COLORTERM").as_str(), "truecolor" | "24bit"),
            in_screen: !var("STY").is_empty() && var("TERM").starts_with("screen"),
            term: var("TERM"),
        }
    }

    /// The colour depth to use; `colors` is the number in the database, `None` if it does not know the terminal.
    pub fn depth(&self, colors: Option<u32>) -> ColorDepth {
        let term = self.term.as_str();
        let ends = |ends: &[&str]| ends.iter().any(|end| term.ends_with(end));
        let is_old = ["vt1", "vt2", "vt3", "vt4", "vt5"].iter().any(|name| term.starts_with(name));
        // These names show what the terminal lacks, even if another terminal has left `COLORTERM` in the environment.
        let says_few = term == "linux" || ends(&["-16color", "-8color", "-88color", "-color"]);
        if self.none || is_old || ends(&["-m", "-mono"]) {
            return ColorDepth::None;
        }
        if self.truecolor && !says_few && !self.in_screen {
            return ColorDepth::True;
        }
        match colors {
            _ if term.contains("256color") => ColorDepth::Indexed,
            Some(0) => ColorDepth::None,
            Some(256..) if !says_few => ColorDepth::Indexed,
            _ => ColorDepth::Sixteen,
        }
    }
}

/// Whether the terminal is the Linux console, whose fonts have a few hundred characters. GNU screen includes the name
/// of the terminal around it in its own.
pub fn has_plain_font(term: &str) -> bool {
    let around = term.strip_prefix("screen.").unwrap_or(term);
    around == "linux" || around.starts_with("linux-")
}

/// The symbols that a terminal can show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Signs {
    #[default]
    All,
    /// Only symbols in the fonts of the Linux console.
    Console,
    Ascii,
}

impl Signs {
    /// The symbols for a terminal with this name, unless the user has chosen.
    pub fn of(term: &str, chosen: Glyphs) -> Self {
        match chosen {
            Glyphs::Ascii => Self::Ascii,
            Glyphs::Auto if has_plain_font(term) => Self::Console,
            Glyphs::Auto if term.starts_with("vt") => Self::Ascii,
            Glyphs::Auto | Glyphs::Unicode => Self::All,
        }
    }
}

/// The number of colours of a terminal in the database: 0 if it has none, `None` if the terminal is not known.
pub fn colors(term: &str) -> Option<u32> {
    let first = term.chars().next().filter(char::is_ascii_alphanumeric)?;
    if term.contains('/') {
        return None;
    }
    let hex = format!("{:x}", u32::from(first));
    folders()
        .into_iter()
        .flat_map(|dir| [dir.join(first.to_string()), dir.join(&hex)])
        .find_map(|dir| std::fs::read(dir.join(term)).ok())
        .and_then(|entry| colors_of(&entry))
}

fn folders() -> Vec<PathBuf> {
    let var = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let mut dirs: Vec<PathBuf> = var("TERMINFO").map(PathBuf::from).into_iter().collect();
    dirs.extend(var("HOME").map(|home| PathBuf::from(home).join(".terminfo")));
    let more: OsString = var("TERMINFO_DIRS").unwrap_or_default();
    dirs.extend(std::env::split_paths(&more).filter(|dir| !dir.as_os_str().is_empty()));
    let system = ["/etc/terminfo", "/lib/terminfo", "/usr/share/terminfo", "/usr/lib/terminfo"];
    dirs.extend(system.map(PathBuf::from));
    dirs
}

/// Reads `max_colors` from a compiled entry (term(5)): a header of six numbers, names, booleans, numbers.
fn colors_of(entry: &[u8]) -> Option<u32> {
    let entry = entry.get(..entry.len().min(MAX_ENTRY))?;
    let short = |at: usize| {
        let bytes = entry.get(at..at + 2)?.try_into().ok()?;
        Some(u16::from_le_bytes(bytes))
    };
    let size = |at: usize| short(at).map(usize::from);
    let cells = match short(0)? {
        0o432 => 2,
        0o1036 => 4,
        _ => return None,
    };
    let (names, booleans, numbers) = (size(2)?, size(4)?, size(6)?);
    if MAX_COLORS >= numbers {
        return Some(0);
    }
    // Numbers begin at an even offset.
    let begin = (12 + names + booleans).next_multiple_of(2) + MAX_COLORS * cells;
    let value = if cells == 2 {
        i32::from(short(begin)?.cast_signed())
    } else {
        i32::from_le_bytes(entry.get(begin..begin + 4)?.try_into().ok()?)
    };
    // Absent and cancelled numbers are negative.
    Some(u32::try_from(value).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(wide: bool, colors: i32) -> Vec<u8> {
        let mut entry = Vec::new();
        for number in [if wide { 0o1036u16 } else { 0o432 }, 4, 3, 14, 0, 0] {
            entry.extend(number.to_le_bytes());
        }
        entry.extend(b"abc\0\x01\0\x01\0");
        for at in 0..14 {
            let value = if at == MAX_COLORS { colors } else { 7 };
            if wide {
                entry.extend(value.to_le_bytes());
            } else {
                entry.extend(i16::try_from(value).unwrap().to_le_bytes());
            }
        }
        entry
    }

    #[test]
    fn entries_of_both_forms_are_read_and_damaged_ones_are_not() {
        for wide in [false, true] {
            assert_eq!(colors_of(&entry(wide, 256)), Some(256));
            assert_eq!(colors_of(&entry(wide, -1)), Some(0));
            let whole = entry(wide, 8);
            assert_eq!(colors_of(&whole), Some(8));
            assert!((0..whole.len()).all(|end| colors_of(&whole[..end]).is_none()));
        }
        assert_eq!(colors_of(b"no entry at all"), None);
        assert_eq!(colors("../../etc/passwd"), None);
    }

    #[test]
    fn the_linux_console_is_known_by_any_of_its_names() {
        for term in ["linux", "linux-16color", "screen.linux", "screen.linux-bce"] {
            assert!(has_plain_font(term), "{term}");
        }
        for term in ["", "xterm", "screen", "screen.xterm-256color", "linuxish", "tmux-256color"] {
            assert!(!has_plain_font(term), "{term}");
        }
    }

    #[test]
    fn every_terminal_gets_the_colours_it_knows() {
        use ColorDepth::{Indexed, None as NoColor, Sixteen, True};
        let hints = |term: &str, truecolor, in_screen| ColorHints {
            none: false,
            truecolor,
            in_screen,
            term: term.to_owned(),
        };
        for (term, truecolor, in_screen, colors, depth) in [
            ("xterm-256color", true, false, Some(256), True),
            ("xterm-256color", false, false, None, Indexed),
            ("tmux-256color", true, false, Some(256), True),
            ("foot", false, false, Some(256), Indexed),
            ("xterm", true, false, Some(8), True),
            ("xterm", false, false, Some(8), Sixteen),
            ("xterm-16color", true, false, Some(16), Sixteen),
            ("linux", true, false, Some(8), Sixteen),
            ("screen", true, true, Some(8), Sixteen),
            ("screen.xterm-256color", true, true, Some(256), Indexed),
            ("vt100", true, false, Some(0), NoColor),
            ("vt220", false, false, None, NoColor),
            ("xterm-mono", true, false, Some(0), NoColor),
            ("unheard-of", false, false, None, Sixteen),
            ("teletype", false, false, Some(0), NoColor),
        ] {
            assert_eq!(hints(term, truecolor, in_screen).depth(colors), depth, "{term}");
        }
        let no_color = ColorHints { none: true, ..hints("xterm-256color", true, false) };
        assert_eq!(no_color.depth(Some(256)), NoColor);
    }
}
