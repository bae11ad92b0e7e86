//! Untrusted text made safe, and cut to columns.
//!
//! [`SafeText`] is the only text the screen accepts: it is made here, after every decoding step, and nowhere else.

use super::width::{is_mark, is_zero_width};
use std::fmt;

pub use super::width::{cluster_indices, cluster_width, clusters, width};

/// More combining marks than this on one base are cut: a stack of them would paint over the neighbouring rows.
const MAX_MARKS: usize = 4;
const TAB: &str = "    ";
const REPLACEMENT: char = '\u{FFFD}';
const BLACK_FLAG: char = '\u{1F3F4}';

/// Text without anything that could act on a terminal or pretend to be something else.
///
/// Holds no control characters but `\n`, no bidi controls, no invisible characters outside emoji and scripts that
/// need them, and at most four combining marks on a base.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SafeText(Box<str>);

impl SafeText {
    /// Cleans text that may have several lines. `\r\n`, `\r` and U+000B become `\n`; a tab becomes four spaces.
    pub fn text(raw: &str) -> Self {
        if raw.bytes().all(|b| b == b'\n' || (0x20..0x7f).contains(&b)) {
            return Self(raw.into());
        }
        Self(clean(raw, '\n').into_boxed_str())
    }

    /// Cleans text that must stay one line (a name, a topic, a reason): line breaks become spaces.
    pub fn line(raw: &str) -> Self {
        let raw = raw.trim();
        if raw.bytes().all(|b| (0x20..0x7f).contains(&b)) {
            return Self(raw.into());
        }
        let cleaned = clean(raw, ' ');
        let line = cleaned.trim();
        // A mark that stood on a space which is gone needs a base again.
        let bare = line.chars().next().is_some_and(is_mark);
        if bare { Self(clean(line, ' ').into_boxed_str()) } else { Self(line.into()) }
    }

    /// [`SafeText::line`] without trimming: a row of the message box keeps its spaces.
    pub fn line_as_is(raw: &str) -> Self {
        let raw = raw.trim_end_matches('\n');
        Self(clean(raw, ' ').into_boxed_str())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::ops::Deref for SafeText {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SafeText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for SafeText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

impl From<&str> for SafeText {
    fn from(raw: &str) -> Self {
        Self::text(raw)
    }
}

fn clean(raw: &str, line_break: char) -> String {
    let mut out = String::with_capacity(raw.len());
    let mut marks = 0usize;
    let mut base: Option<char> = None;
    let mut in_flag = false;
    // A joiner waits for what comes out next: it shapes emoji and Indic or Arabic words; elsewhere it only hides.
    let mut joiner: Option<char> = None;
    let flush_joiner = |joiner: &mut Option<char>, out: &mut String, joins: bool| {
        if let Some(c) = joiner.take() {
            out.push(if joins { c } else { REPLACEMENT });
        }
    };
    let mut chars = raw.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\u{AD}' => {}
            '\u{200C}' | '\u{200D}' => {
                let joinable = base.is_some_and(|b| !b.is_ascii() && b != REPLACEMENT);
                if joinable && joiner.is_none() {
                    joiner = Some(c);
                } else {
                    flush_joiner(&mut joiner, &mut out, false);
                    out.push(REPLACEMENT);
                    base = Some(REPLACEMENT);
                    marks = 0;
                }
            }
            '\r' | '\n' | '\u{B}' => {
                flush_joiner(&mut joiner, &mut out, false);
                if c == '\r' && chars.peek() == Some(&'\n') {
                    chars.next();
                }
                out.push(line_break);
                base = None;
            }
            '\t' => {
                flush_joiner(&mut joiner, &mut out, false);
                out.push_str(TAB);
                base = Some(' ');
                marks = 0;
            }
            '\u{E0020}'..='\u{E007F}' if in_flag => {
                flush_joiner(&mut joiner, &mut out, false);
                out.push(c);
            }
            _ if is_trick(c) => {
                flush_joiner(&mut joiner, &mut out, false);
                out.push(REPLACEMENT);
                base = Some(REPLACEMENT);
                marks = 0;
            }
            _ if is_mark(c) => {
                if base.is_none() {
                    out.push('\u{25CC}');
                    base = Some('\u{25CC}');
                    marks = 0;
                }
                if !is_zero_width(c) {
                    flush_joiner(&mut joiner, &mut out, true);
                    out.push(c);
                } else if marks < MAX_MARKS {
                    flush_joiner(&mut joiner, &mut out, true);
                    marks += 1;
                    out.push(c);
                }
            }
            _ => {
                flush_joiner(&mut joiner, &mut out, !c.is_ascii() && !c.is_whitespace());
                out.push(c);
                in_flag = c == BLACK_FLAG;
                base = Some(c);
                marks = 0;
            }
        }
    }
    flush_joiner(&mut joiner, &mut out, false);
    out
}

/// Characters that act on the terminal, reorder text, or are there but cannot be seen.
fn is_trick(c: char) -> bool {
    matches!(c,
        '\0'..='\u{1F}' | '\u{7F}'..='\u{9F}'
        | '\u{61C}' | '\u{115F}' | '\u{1160}' | '\u{180B}'..='\u{180F}'
        | '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}'
        | '\u{3164}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}'
        | '\u{FDD0}'..='\u{FDEF}' | '\u{E0000}'..='\u{E0FFF}')
        || (u32::from(c) & 0xFFFE) == 0xFFFE
}

/// The longest beginning of `line` that fits `columns`, cut between clusters.
pub fn head(line: &str, columns: usize) -> &str {
    let mut used = 0;
    for (at, cluster) in cluster_indices(line) {
        used += cluster_width(cluster);
        if used > columns {
            return line.get(..at).unwrap_or_default();
        }
    }
    line
}

/// Cuts `line` to `columns`, with `…` at the end where something was cut.
pub fn cut(line: &str, columns: usize) -> String {
    if width(line) <= columns {
        return line.to_owned();
    }
    match columns {
        0 => String::new(),
        _ => format!("{}…", head(line, columns - 1)),
    }
}

/// The end of a line in at most `columns`: what was typed last.
pub fn tail(line: &str, columns: usize) -> &str {
    let mut room = columns;
    let mut start = line.len();
    let all: Vec<(usize, &str)> = cluster_indices(line).collect();
    for (at, cluster) in all.into_iter().rev() {
        let cells = cluster_width(cluster);
        if cells > room {
            break;
        }
        room -= cells;
        start = at;
    }
    line.get(start..).unwrap_or_default()
}

/// [`cut`], filled with spaces to exactly `columns`.
pub fn fit(line: &str, columns: usize) -> String {
    let mut out = cut(line, columns);
    let missing = columns.saturating_sub(width(&out));
    out.extend(std::iter::repeat_n(' ', missing));
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn control_characters_never_survive() {
        assert_eq!(&*SafeText::text("a\u{1b}[31mb\u{9b}c\u{7}"), "a\u{FFFD}[31mb\u{FFFD}c\u{FFFD}");
    }

    #[test]
    fn a_name_stays_on_one_line() {
        assert_eq!(&*SafeText::line(" Anna\r\n09:12 Joe\u{2028}x"), "Anna 09:12 Joe\u{FFFD}x");
    }

    #[test]
    fn family_emoji_and_flags_keep_their_joiners_and_hidden_joiners_show() {
        assert_eq!(&*SafeText::text("👨\u{200D}👩\u{200D}👧"), "👨\u{200D}👩\u{200D}👧");
        let wales = "\u{1F3F4}\u{E0067}\u{E0062}\u{E0077}\u{E006C}\u{E0073}\u{E007F}";
        assert_eq!(&*SafeText::text(wales), wales);
        assert_eq!(&*SafeText::text("pay\u{200D}pal"), "pay\u{FFFD}pal");
    }

    #[test]
    fn a_tower_of_marks_is_cut_to_four() {
        let tower: String =
            std::iter::once('e').chain(std::iter::repeat_n('\u{301}', 50)).collect();
        assert_eq!(SafeText::text(&tower).chars().count(), 5);
    }

    #[test]
    fn what_fuzzing_found_stays_mended() {
        for raw in [
            "\u{ad}\t\u{735}\u{7f}\0",
            "\u{19}\u{5a8}\u{5a8}\u{5b8}\u{5a8}\u{200c}\u{5a8}",
            "あ\u{200d}\u{ad}\t",
            "あ\u{200d}\u{2006}",
            "\u{1}\u{200d}é",
        ] {
            for once in [SafeText::line(raw), SafeText::text(raw)] {
                assert_eq!(SafeText::text(&once), once, "{raw:?}");
            }
        }
    }

    #[test]
    fn cutting_wide_text_keeps_to_the_columns() {
        assert_eq!(cut("ありがとう", 5), "あり…");
        assert_eq!(fit("ありがとう", 6), "あり… ");
        assert_eq!(cut("abc", 0), "");
    }

    proptest! {
        #[test]
        fn clean_text_has_no_tricks_and_cleaning_again_changes_nothing(raw in any::<String>()) {
            let once = SafeText::text(&raw);
            let flag_tags = '\u{E0020}'..='\u{E007F}';
            let shown = |c: char| c == '\n' || !is_trick(c) || flag_tags.contains(&c);
            prop_assert!(once.chars().all(shown));
            prop_assert_eq!(&SafeText::text(&once), &once);
        }

        #[test]
        fn fit_is_exactly_as_wide_as_asked(raw in any::<String>(), columns in 0usize..40) {
            prop_assert_eq!(width(&fit(&SafeText::line(&raw), columns)), columns);
        }
    }
}
