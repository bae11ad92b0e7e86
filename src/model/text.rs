//! Untrusted text made safe, and cut to columns.
//!
//! [`SafeText`] is the only text the screen accepts: it is made here, after every decoding step, and nowhere else.

use super::names::SEPARATOR;
use super::width::{is_mark, is_zero_width};
use std::fmt;
use unicode_normalization::char::canonical_combining_class;

pub use super::width::{cluster_indices, cluster_width, clusters, is_narrow, width};

/// More combining marks than this on one base are cut: a stack of them would paint over the neighbouring rows.
const MAX_MARKS: usize = 4;
const REPLACEMENT: char = '\u{FFFD}';
/// The base of a mark that has none.
const DOTTED_CIRCLE: char = '\u{25CC}';
/// The combining class of signs that take a consonant's vowel away.
const VIRAMA: u8 = 9;
const BLACK_FLAG: char = '\u{1F3F4}';

/// Text without anything that could act on a terminal or pretend to be something else.
///
/// Holds no control characters but `\n` and `\t`, no bidi controls, no invisible characters outside emoji and scripts
/// that need them, and at most four combining marks on a base. Invisible characters that only guide layout are dropped;
/// those that could hide something show as U+FFFD.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SafeText(Box<str>);

impl SafeText {
    /// Cleans text that may have several lines. `\r\n`, `\r` and U+000B become `\n`.
    pub fn text(raw: &str) -> Self {
        if is_visible_ascii(raw, b'\n') || raw.chars().all(|c| c == '\n' || is_plain(c)) {
            return Self(raw.into());
        }
        Self(clean(raw, '\n').into_boxed_str())
    }

    /// Cleans text that must stay one line (a name, a topic, a reason): line breaks and tabs become spaces.
    pub fn line(raw: &str) -> Self {
        let raw = raw.trim();
        if is_visible_ascii(raw, b' ') || raw.chars().all(is_plain) {
            return Self(raw.into());
        }
        let cleaned = clean(raw, ' ');
        let line = cleaned.trim();
        // A mark on a space that is gone needs a base again.
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

    /// The text without the line breaks at its beginning.
    #[must_use]
    pub fn without_breaks_before(&self) -> Self {
        // What follows a line break was cleaned as the beginning of a text.
        Self(self.0.trim_start_matches('\n').into())
    }

    /// The text without the line breaks at its end.
    #[must_use]
    pub fn without_breaks_after(&self) -> Self {
        Self(self.0.trim_end_matches('\n').into())
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

/// Characters that stay as they are whatever is next to them, and that make up most of all text: letters, digits and
/// symbols, except those that combine, join, select or hide.
fn is_plain(c: char) -> bool {
    matches!(c,
        ' '..='~' | '\u{A1}'..='\u{AC}' | '\u{AE}'..='\u{24F}' | '\u{386}'..='\u{3FF}'
        | '\u{400}'..='\u{482}' | '\u{48A}'..='\u{52F}' | '\u{2010}'..='\u{2027}' | '\u{20A0}'..='\u{20BF}'
        | '\u{3041}'..='\u{3096}' | '\u{30A1}'..='\u{30FA}' | '\u{4E00}'..='\u{9FFF}' | '\u{AC00}'..='\u{D7A3}')
}

/// Whether the text consists of visible ASCII, spaces and `other`. Most text does, and this is quicker than
/// [`is_plain`] for each character.
fn is_visible_ascii(raw: &str, other: u8) -> bool {
    const AT_ONCE: usize = 16;
    let fits = |byte: &u8| matches!(byte, b' '..=b'~') || *byte == other;
    // The count looks at all bytes of a chunk, which the compiler can do in a few vector instructions.
    let all_fit = |bytes: &[u8; AT_ONCE]| bytes.iter().filter(|byte| fits(byte)).count() == AT_ONCE;
    let (chunks, rest) = raw.as_bytes().as_chunks();
    chunks.iter().all(all_fit)
        // The remaining bytes are checked as a part of the last sixteen, unless the text is shorter than that.
        && match raw.as_bytes().last_chunk() {
            Some(last) => rest.is_empty() || all_fit(last),
            None => rest.iter().all(fits),
        }
}

fn clean(raw: &str, line_break: char) -> String {
    let mut cleaner = Cleaner::new(raw.len(), line_break);
    let mut chars = raw.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '\r' || chars.peek() != Some(&'\n') {
            cleaner.take(c);
        }
    }
    cleaner.end_joiner(false);
    cleaner.out
}

struct Cleaner {
    out: String,
    line_break: char,
    /// The base that a mark would be placed on.
    base: Option<char>,
    /// The number of its marks.
    marks: usize,
    /// A joiner waits for what comes next: it shapes emoji and Indic or Arabic words; elsewhere it only hides.
    joiner: Option<char>,
    in_flag: bool,
    /// The base has a variation selector.
    varied: bool,
}

impl Cleaner {
    fn new(length: usize, line_break: char) -> Self {
        Self {
            out: String::with_capacity(length),
            line_break,
            base: None,
            marks: 0,
            joiner: None,
            in_flag: false,
            varied: false,
        }
    }

    fn take(&mut self, c: char) {
        match c {
            _ if self.joiner.is_none() && is_plain(c) => self.put_base(c),
            // Accents come first: everything else is rarer.
            '\u{300}'..='\u{36F}' => self.mark(c),
            _ if is_harmless_invisible(c) => {}
            '\u{200C}' | '\u{200D}' => self.join(c),
            '\r' | '\n' | '\u{B}' => {
                self.end_joiner(false);
                self.out.push(self.line_break);
                self.base = None;
            }
            '\t' => {
                let shown = if self.line_break == '\n' { '\t' } else { ' ' };
                self.end_joiner(false);
                self.put_base(shown);
                // A mark on a tab would be lost with it.
                self.base = (shown == ' ').then_some(' ');
            }
            '\u{E0020}'..='\u{E007F}' if self.in_flag => {
                self.end_joiner(false);
                self.out.push(c);
            }
            _ if self.varies(c) => {
                self.varied = true;
                self.out.push(c);
            }
            _ if is_trick(c) => {
                self.end_joiner(false);
                self.put_base(REPLACEMENT);
            }
            _ if is_mark(c) => self.mark(c),
            _ => {
                self.end_joiner(!c.is_ascii() && !c.is_whitespace());
                self.put_base(c);
            }
        }
    }

    fn put_base(&mut self, c: char) {
        self.out.push(c);
        self.base = Some(c);
        self.marks = 0;
        self.in_flag = c == BLACK_FLAG;
        self.varied = false;
    }

    /// A selector that chooses a form of the letter before it: of a Han character, or of a Mongolian one.
    fn varies(&self, c: char) -> bool {
        let Some(base) = self.base.filter(|_| !self.varied && self.joiner.is_none()) else {
            return false;
        };
        match c {
            '\u{E0100}'..='\u{E01EF}' => is_han(base),
            '\u{180B}'..='\u{180F}' => matches!(base, '\u{1820}'..='\u{18AA}'),
            _ => false,
        }
    }

    fn mark(&mut self, c: char) {
        if self.base.is_none() {
            self.put_base(DOTTED_CIRCLE);
        }
        if !is_zero_width(c) {
            self.end_joiner(true);
            self.out.push(c);
        } else if self.marks < MAX_MARKS {
            self.end_joiner(true);
            self.marks += 1;
            self.out.push(c);
        }
    }

    fn join(&mut self, c: char) {
        if self.joiner.is_some() {
            // Typed twice; the first one counts.
        } else if self.base.is_some_and(|b| !b.is_ascii() && b != REPLACEMENT) {
            self.joiner = Some(c);
        } else {
            self.put_base(REPLACEMENT);
        }
    }

    /// A joiner at the end of a word joins nothing; only after a virama it still shapes the letter before it.
    fn end_joiner(&mut self, joins: bool) {
        if let Some(c) = self.joiner.take() {
            let last = self.out.chars().next_back();
            if joins || last.is_some_and(|last| canonical_combining_class(last) == VIRAMA) {
                self.out.push(c);
            }
        }
    }
}

/// Characters that are there for the layout of text elsewhere: direction marks, possible breaks, forbidden breaks,
/// invisible operators. Dropping them changes nothing for the reader.
fn is_harmless_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{AD}' | '\u{61C}' | '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{2060}'
            ..='\u{2064}' | '\u{FEFF}'
    )
}

fn is_han(c: char) -> bool {
    matches!(c,
        '\u{2E80}'..='\u{2FDF}' | '\u{3005}'..='\u{3007}' | '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}'
        | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFD}')
}

/// Characters that act on the terminal, reorder text, or are invisible.
fn is_trick(c: char) -> bool {
    matches!(c,
        '\0'..='\u{1F}' | '\u{7F}'..='\u{9F}'
        | '\u{115F}' | '\u{1160}' | '\u{180B}'..='\u{180F}'
        | '\u{2028}'..='\u{202E}' | '\u{2065}'..='\u{206F}'
        | '\u{3164}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}'
        | '\u{FDD0}'..='\u{FDEF}' | '\u{E0000}'..='\u{E0FFF}')
        || (u32::from(c) & 0xFFFE) == 0xFFFE
}

/// Whether a message may contain a character: anything but control characters other than line breaks and tabs.
pub fn can_be_typed(c: char) -> bool {
    matches!(c, '\n' | '\t') || !c.is_control()
}

/// A number with commas between thousands.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
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

/// [`cut`] for a name: if an id follows the name, it stays and the name is cut, because the id tells people of the same
/// name apart.
pub fn cut_name(name: &str, columns: usize) -> String {
    let id = name.rsplit_once(SEPARATOR).map_or(0, |(_, id)| width(SEPARATOR) + width(id));
    if width(name) <= columns || id == 0 || id + 2 > columns {
        return cut(name, columns);
    }
    let (name, id) = name.rsplit_once(SEPARATOR).unwrap_or((name, ""));
    format!("{}{SEPARATOR}{id}", cut(name, columns - width(SEPARATOR) - width(id)))
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

    #[test]
    fn plain_characters_stay_as_they_are_beside_each_other() {
        let plain: Vec<char> = ('\0'..=char::MAX).filter(|c| is_plain(*c)).collect();
        assert!(plain.len() > 30_000);
        let mut before = 'x';
        for c in plain {
            let text: String = [before, c, before].iter().collect();
            assert_eq!(clean(&text, '\n'), text, "{:x}", u32::from(c));
            before = c;
        }
    }
    use proptest::prelude::*;

    #[test]
    fn control_characters_never_survive() {
        assert_eq!(&*SafeText::text("a\u{1b}[31mb\u{9b}c\u{7}"), "a\u{FFFD}[31mb\u{FFFD}c\u{FFFD}");
    }

    #[test]
    fn a_control_character_is_found_at_every_place_of_a_text_of_any_length() {
        for length in 1..=70 {
            assert_eq!(SafeText::text(&"x".repeat(length)).as_str(), "x".repeat(length));
            for at in 0..length {
                let raw = format!("{}\u{1b}{}", "x".repeat(at), "x".repeat(length - at - 1));
                let expected = raw.replace('\u{1b}', "\u{FFFD}");
                assert_eq!(SafeText::text(&raw).as_str(), expected, "{at} of {length}");
            }
        }
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
    fn harmless_invisible_characters_are_dropped() {
        assert_eq!(
            &*SafeText::text("\u{FEFF}a\u{200B}b\u{200E}\u{200F}c\u{2060}d\u{61C}e"),
            "abcde"
        );
        assert_eq!(&*SafeText::line("\u{FEFF}\u{200E}Anna\u{200F}"), "Anna");
        assert_eq!(&*SafeText::text("e\u{200B}\u{301}"), "e\u{301}");
        // Joiners where nothing is joined: at the end of a word, and twice.
        assert_eq!(&*SafeText::text("می\u{200C} و"), "می و");
        assert_eq!(&*SafeText::text("می\u{200C}\u{200C}خواهم\u{200C}"), "می\u{200C}خواهم");
        assert_eq!(&*SafeText::text("ന\u{D4D}\u{200D} ഒ"), "ന\u{D4D}\u{200D} ഒ");
    }

    #[test]
    fn variation_selectors_stay_with_the_letters_that_have_variants() {
        for text in ["葛\u{E0100}城市", "辻\u{E0101}", "ᠮ\u{180B}ᠣ", "葛\u{FE00}"] {
            assert_eq!(&*SafeText::text(text), text);
        }
        // Elsewhere, and more than one, they can carry hidden text.
        assert_eq!(&*SafeText::text("a\u{E0100}"), "a\u{FFFD}");
        assert_eq!(&*SafeText::text("葛\u{E0100}\u{E0101}"), "葛\u{E0100}\u{FFFD}");
        assert_eq!(&*SafeText::text("😀\u{E0154}"), "😀\u{FFFD}");
    }

    #[test]
    fn tricks_stay_visible() {
        for trick in ['\u{202E}', '\u{2066}', '\u{E0041}', '\u{3164}', '\u{FFF9}', '\u{115F}'] {
            assert_eq!(&*SafeText::text(&format!("a{trick}b")), "a\u{FFFD}b", "{trick:?}");
        }
    }

    #[test]
    fn a_tab_stays_in_text_and_is_a_space_in_a_line() {
        assert_eq!(&*SafeText::text("a\tb"), "a\tb");
        assert_eq!(&*SafeText::line("a\tb"), "a b");
        assert_eq!(&*SafeText::text("\t\u{301}"), "\t\u{25CC}\u{301}");
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

    #[test]
    fn the_id_behind_a_name_stays_when_the_name_is_cut() {
        assert_eq!(cut_name("Maximilian Schwarz · max.2", 18), "Maximilia… · max.2");
        assert_eq!(cut_name("Bob · bob.2", 11), "Bob · bob.2");
        assert_eq!(cut_name("Bob · bob.2", 9), "Bob · bo…");
        assert_eq!(cut_name("Bob · a.long.id.without.an.end", 12), "Bob · a.lon…");
        assert_eq!(cut_name("Robert the Great", 7), "Robert…");
    }

    proptest! {
        #[test]
        fn clean_text_has_no_tricks_and_cleaning_again_changes_nothing(raw in any::<String>()) {
            let once = SafeText::text(&raw);
            let flag_tags = '\u{E0020}'..='\u{E007F}';
            let chooses_form =
                |c: char| matches!(c, '\u{180B}'..='\u{180F}' | '\u{E0100}'..='\u{E01EF}');
            let shown = |c: char| {
                matches!(c, '\n' | '\t') || !is_trick(c) || flag_tags.contains(&c) || chooses_form(c)
            };
            prop_assert!(once.chars().all(shown));
            prop_assert_eq!(&SafeText::text(&once), &once);
        }

        #[test]
        fn fit_is_exactly_as_wide_as_asked(raw in any::<String>(), columns in 0usize..40) {
            prop_assert_eq!(width(&fit(&SafeText::line(&raw), columns)), columns);
        }
    }
}
