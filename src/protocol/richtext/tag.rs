//! The tags of Skype markup: their names, and what each of them does (facts 4.1).
//!
//! They are all in one table, and a tag's number is its row in it: a new tag needs only a new row.

use crate::model::SpanStyle;
use std::sync::LazyLock;

/// What a tag does to its content.
#[derive(Clone, Copy, Debug)]
pub enum Meaning {
    /// Switches one style on. `typed` is the marker that people type for it; `raw_pre` and `raw_post` carry it.
    Style {
        field: fn(&mut SpanStyle) -> &mut bool,
        typed: Option<&'static str>,
    },
    /// Preformatted text: a style within a line, a block of its own over several lines.
    Pre,
    Code,
    Font,
    Centre,
    Anchor,
    Mention,
    Quote,
    Emoticon,
    /// An emoji of Teams: its `alt` is shown.
    Emoji,
    Flag,
    Image,
    Break,
    /// A part of a line with a `style`.
    Styled,
    /// A block with lines of its own.
    Block,
    Heading,
    /// The answer of a search engine.
    Answer,
    /// A cell of a table.
    Cell,
    Item,
    Rule,
    /// Its content is not shown, if it has an end.
    Silent,
    /// The tag is dropped, its content stays.
    Dropped,
    /// Not in the table: probably something that was typed (`Vec<String>`).
    Unknown,
}

/// The names of each tag and what it does. Names in one row are the same tag: `<b>` may be closed by `</strong>`. The
/// first name is the one that is written; styles are nested in the order of their rows.
pub const TAGS: &[(&[&str], Meaning)] = &[
    (&["b", "strong"], Meaning::Style { field: |style| &mut style.bold, typed: Some("*") }),
    (&["i", "em"], Meaning::Style { field: |style| &mut style.italic, typed: Some("_") }),
    (
        &["s", "strike", "del"],
        Meaning::Style { field: |style| &mut style.strike, typed: Some("~") },
    ),
    (&["pre"], Meaning::Pre),
    (&["u"], Meaning::Style { field: |style| &mut style.underline, typed: None }),
    (&["blink"], Meaning::Style { field: |style| &mut style.blink, typed: None }),
    (&["code"], Meaning::Code),
    (&["font"], Meaning::Font),
    (&["center"], Meaning::Centre),
    (&["a"], Meaning::Anchor),
    (&["at"], Meaning::Mention),
    (&["quote"], Meaning::Quote),
    (&["ss"], Meaning::Emoticon),
    (&["flag"], Meaning::Flag),
    (&["img"], Meaning::Image),
    (&["br"], Meaning::Break),
    (&["legacyquote"], Meaning::Silent),
    (&["e_m"], Meaning::Silent),
    (&["context"], Meaning::Silent),
    // An answer of a search engine, and its sources.
    (&["bing-response"], Meaning::Answer),
    (&["attribution"], Meaning::Silent),
    (&["attributions-group"], Meaning::Silent),
    (&["preheader"], Meaning::Block),
    (&["article"], Meaning::Block),
    (&["script"], Meaning::Silent),
    (&["style"], Meaning::Silent),
    (&["c_i"], Meaning::Dropped),
    // Tags of HTML.
    (&["attachment"], Meaning::Dropped),
    (&["big"], Meaning::Dropped),
    (&["blockquote"], Meaning::Block),
    (&["body"], Meaning::Block),
    (&["div"], Meaning::Block),
    (&["emoji"], Meaning::Emoji),
    (&["h1"], Meaning::Heading),
    (&["h2"], Meaning::Heading),
    (&["h3"], Meaning::Heading),
    (&["h4"], Meaning::Heading),
    (&["h5"], Meaning::Heading),
    (&["h6"], Meaning::Heading),
    (&["head"], Meaning::Dropped),
    (&["hr"], Meaning::Rule),
    (&["html"], Meaning::Dropped),
    (&["li"], Meaning::Item),
    (&["meta"], Meaning::Dropped),
    (&["ol"], Meaning::Block),
    (&["p"], Meaning::Block),
    (&["readonly"], Meaning::Dropped),
    (&["section"], Meaning::Block),
    (&["small"], Meaning::Dropped),
    (&["span"], Meaning::Styled),
    (&["sub"], Meaning::Dropped),
    (&["sup"], Meaning::Dropped),
    (&["table"], Meaning::Block),
    (&["tbody"], Meaning::Dropped),
    (&["td"], Meaning::Cell),
    (&["tfoot"], Meaning::Dropped),
    (&["th"], Meaning::Cell),
    (&["thead"], Meaning::Dropped),
    (&["tr"], Meaning::Block),
    (&["tt"], Meaning::Dropped),
    (&["ul"], Meaning::Block),
    (&["video"], Meaning::Dropped),
    // Tags of records (facts 3.7) that were put into a text.
    (&["description"], Meaning::Block),
    (&["filesize"], Meaning::Dropped),
    (&["initiator"], Meaning::Dropped),
    (&["originalname"], Meaning::Dropped),
    (&["swift"], Meaning::Dropped),
    (&["systemmessage"], Meaning::Dropped),
    (&["target"], Meaning::Dropped),
    (&["title"], Meaning::Block),
    (&["topic"], Meaning::Dropped),
    (&["uriobject"], Meaning::Dropped),
    (&["value"], Meaning::Dropped),
];

/// A tag: its row in [`TAGS`], or one past the last row for an unknown name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tag(u8);

/// As many counters as there are tags, unknown ones included.
pub const TAG_COUNT: usize = TAGS.len() + 1;

struct TagIndex {
    /// Tags whose name is one letter, which are most of those received.
    letters: [Tag; 26],
    /// Names of at most sixteen letters as numbers, by their first letter: numbers are compared in one step.
    short: [Vec<(u128, Tag)>; 26],
    /// All names, sorted.
    names: Vec<(&'static str, Tag)>,
}

/// A name of at most sixteen letters, in any case, as a number.
fn number_of(name: &str) -> Option<u128> {
    let mut bytes = [0u8; 16];
    bytes.get_mut(..name.len())?.copy_from_slice(name.as_bytes());
    bytes.make_ascii_lowercase();
    Some(u128::from_be_bytes(bytes))
}

/// The place of a name's first letter in the alphabet, or a number past its end.
fn letter_of(name: &str) -> usize {
    let first = name.as_bytes().first().copied().unwrap_or_default();
    usize::from(first.to_ascii_lowercase().wrapping_sub(b'a'))
}

static INDEX: LazyLock<TagIndex> = LazyLock::new(|| {
    let rows = TAGS.iter().zip(0u8..);
    let mut names: Vec<(&str, Tag)> = rows
        .flat_map(|((names, _), row)| names.iter().map(move |name| (*name, Tag(row))))
        .collect();
    names.sort_unstable_by_key(|(name, _)| *name);
    let mut letters = [Tag::UNKNOWN; 26];
    for (place, letter) in letters.iter_mut().zip(b'a'..) {
        let found = names.iter().find(|(name, _)| name.as_bytes() == [letter]);
        *place = found.map_or(Tag::UNKNOWN, |(_, tag)| *tag);
    }
    let mut short: [Vec<(u128, Tag)>; 26] = Default::default();
    for (name, tag) in &names {
        if let Some((numbers, number)) = short.get_mut(letter_of(name)).zip(number_of(name)) {
            numbers.push((number, *tag));
        }
    }
    TagIndex { letters, short, names }
});

impl Tag {
    /// The one tag for every name that is not in the table; a test keeps the table below 256 rows.
    pub const UNKNOWN: Self = Self(TAGS.len() as u8);

    /// The tag of a name in any case.
    pub fn of(name: &str) -> Self {
        if name.len() == 1 {
            return INDEX.letters.get(letter_of(name)).copied().unwrap_or(Self::UNKNOWN);
        }
        if let Some(number) = number_of(name) {
            let mut numbers = INDEX.short.get(letter_of(name)).into_iter().flatten();
            return numbers
                .find(|(known, _)| *known == number)
                .map_or(Self::UNKNOWN, |(_, tag)| *tag);
        }
        let mut lower = [0u8; 24];
        let Some(lower) = lower.get_mut(..name.len()) else { return Self::UNKNOWN };
        lower.copy_from_slice(name.as_bytes());
        lower.make_ascii_lowercase();
        let found = INDEX.names.binary_search_by(|(known, _)| known.as_bytes().cmp(lower));
        found.ok().and_then(|at| INDEX.names.get(at)).map_or(Self::UNKNOWN, |(_, tag)| *tag)
    }

    pub fn meaning(self) -> Meaning {
        TAGS.get(self.number()).map_or(Meaning::Unknown, |(_, meaning)| *meaning)
    }

    /// The tag's number, below [`TAG_COUNT`].
    pub fn number(self) -> usize {
        usize::from(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_found_in_any_case_and_no_name_occurs_twice() {
        assert!(u8::try_from(TAG_COUNT).is_ok());
        for (row, (names, _)) in TAGS.iter().enumerate() {
            for name in *names {
                assert_eq!(Tag::of(name).number(), row, "{name}");
                assert_eq!(Tag::of(&name.to_ascii_uppercase()).number(), row, "{name}");
            }
        }
        for unknown in ["", "x", "String", "<", "é", &"x".repeat(40)] {
            assert_eq!(Tag::of(unknown), Tag::UNKNOWN, "{unknown}");
        }
    }

    #[test]
    fn names_of_one_meaning_are_one_tag() {
        assert_eq!(Tag::of("b"), Tag::of("STRONG"));
        assert_eq!(Tag::of("s"), Tag::of("del"));
        assert_ne!(Tag::of("p"), Tag::of("div"));
    }
}
