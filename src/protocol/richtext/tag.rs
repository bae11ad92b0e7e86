//! The names of tags: which ones mean something, which ones are known and dropped.

/// A tag by its name. What has the same meaning is the same tag: `<b>` may be ended by `</strong>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tag {
    Bold,
    Italic,
    Underline,
    Strike,
    Pre,
    Code,
    Blink,
    Font,
    Centre,
    Anchor,
    At,
    Quote,
    Emoticon,
    Flag,
    Image,
    Break,
    /// Its content is not shown.
    Silent(u8),
    /// Dropped while its text stays.
    Foreign(u8),
    /// No tag of any list: probably something that was typed (`Vec<String>`).
    Unknown,
}

/// Sorted by name.
const TABLE: [(&str, Tag); 72] = [
    ("a", Tag::Anchor),
    ("at", Tag::At),
    ("attachment", Tag::Foreign(0)),
    ("b", Tag::Bold),
    ("big", Tag::Foreign(1)),
    ("blink", Tag::Blink),
    ("blockquote", Tag::Foreign(2)),
    ("body", Tag::Foreign(3)),
    ("br", Tag::Break),
    ("c_i", Tag::Foreign(4)),
    ("center", Tag::Centre),
    ("code", Tag::Code),
    ("context", Tag::Silent(0)),
    ("del", Tag::Strike),
    ("description", Tag::Foreign(5)),
    ("div", Tag::Foreign(6)),
    ("e_m", Tag::Silent(1)),
    ("em", Tag::Italic),
    ("emoji", Tag::Foreign(7)),
    ("filesize", Tag::Foreign(8)),
    ("flag", Tag::Flag),
    ("font", Tag::Font),
    ("h1", Tag::Foreign(9)),
    ("h2", Tag::Foreign(10)),
    ("h3", Tag::Foreign(11)),
    ("h4", Tag::Foreign(12)),
    ("h5", Tag::Foreign(13)),
    ("h6", Tag::Foreign(14)),
    ("head", Tag::Foreign(15)),
    ("hr", Tag::Foreign(16)),
    ("html", Tag::Foreign(17)),
    ("i", Tag::Italic),
    ("img", Tag::Image),
    ("initiator", Tag::Foreign(18)),
    ("legacyquote", Tag::Silent(2)),
    ("li", Tag::Foreign(19)),
    ("meta", Tag::Foreign(20)),
    ("ol", Tag::Foreign(21)),
    ("originalname", Tag::Foreign(22)),
    ("p", Tag::Foreign(PARAGRAPH)),
    ("pre", Tag::Pre),
    ("quote", Tag::Quote),
    ("readonly", Tag::Foreign(24)),
    ("s", Tag::Strike),
    ("script", Tag::Silent(3)),
    ("section", Tag::Foreign(25)),
    ("small", Tag::Foreign(26)),
    ("span", Tag::Foreign(27)),
    ("ss", Tag::Emoticon),
    ("strike", Tag::Strike),
    ("strong", Tag::Bold),
    ("style", Tag::Silent(4)),
    ("sub", Tag::Foreign(28)),
    ("sup", Tag::Foreign(29)),
    ("swift", Tag::Foreign(30)),
    ("systemmessage", Tag::Foreign(31)),
    ("table", Tag::Foreign(32)),
    ("target", Tag::Foreign(33)),
    ("tbody", Tag::Foreign(34)),
    ("td", Tag::Foreign(35)),
    ("tfoot", Tag::Foreign(36)),
    ("th", Tag::Foreign(37)),
    ("thead", Tag::Foreign(38)),
    ("title", Tag::Foreign(39)),
    ("topic", Tag::Foreign(40)),
    ("tr", Tag::Foreign(41)),
    ("tt", Tag::Foreign(42)),
    ("u", Tag::Underline),
    ("ul", Tag::Foreign(43)),
    ("uriobject", Tag::Foreign(44)),
    ("value", Tag::Foreign(45)),
    ("video", Tag::Foreign(46)),
];

const PARAGRAPH: u8 = 23;

/// Places for counting how often each tag is open.
pub const SLOTS: usize = 16 + 5 + 47 + 1;

impl Tag {
    pub fn of(name: &str) -> Self {
        if let [letter] = name.as_bytes() {
            // Most tags by far.
            return match letter.to_ascii_lowercase() {
                b'a' => Self::Anchor,
                b'b' => Self::Bold,
                b'i' => Self::Italic,
                b'p' => Self::Foreign(PARAGRAPH),
                b's' => Self::Strike,
                b'u' => Self::Underline,
                _ => Self::Unknown,
            };
        }
        let mut lower = [0u8; 16];
        let Some(lower) = lower.get_mut(..name.len()) else { return Self::Unknown };
        lower.copy_from_slice(name.as_bytes());
        lower.make_ascii_lowercase();
        let found = TABLE.binary_search_by(|(known, _)| known.as_bytes().cmp(lower));
        found.ok().and_then(|at| TABLE.get(at)).map_or(Self::Unknown, |(_, tag)| *tag)
    }

    /// Its place among the counts.
    pub fn slot(self) -> usize {
        match self {
            Self::Bold => 0,
            Self::Italic => 1,
            Self::Underline => 2,
            Self::Strike => 3,
            Self::Pre => 4,
            Self::Code => 5,
            Self::Blink => 6,
            Self::Font => 7,
            Self::Centre => 8,
            Self::Anchor => 9,
            Self::At => 10,
            Self::Quote => 11,
            Self::Emoticon => 12,
            Self::Flag => 13,
            Self::Image => 14,
            Self::Break => 15,
            Self::Silent(n) => 16 + usize::from(n),
            Self::Foreign(n) => 21 + usize::from(n),
            Self::Unknown => SLOTS - 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_every_tag_has_its_place() {
        assert!(TABLE.is_sorted_by(|a, b| a.0 < b.0));
        for (name, tag) in TABLE {
            assert_eq!(Tag::of(&name.to_ascii_uppercase()), tag);
            assert!(tag.slot() < SLOTS - 1, "{name}");
        }
        assert_eq!(Tag::of("String"), Tag::Unknown);
        assert_eq!(Tag::of(&"x".repeat(40)), Tag::Unknown);
    }
}
