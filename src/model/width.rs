//! The width of text in terminal cells.
//!
//! Terminals count by character, `unicode-width` by string: a spacing vowel sign has a cell of its own in a terminal
//! and none in the crate. Where the two differ the terminal is right, and `ui` tells ratatui our width of the cell.

use unicode_properties::{GeneralCategory, UnicodeEmoji, UnicodeGeneralCategory};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthChar;

/// A cluster wider than this is divided: rows are never narrower, so every piece fits into one.
const MAX_CELLS: usize = 4;

/// One cell wide in every terminal, whatever is next to it: western letters, and the symbols of the program's frame.
pub fn is_narrow(c: char) -> bool {
    matches!(c,
        ' '..='~' | '\u{A1}'..='\u{A8}' | '\u{AA}'..='\u{AC}' | '\u{AF}'..='\u{2FF}'
        | '\u{370}'..='\u{482}' | '\u{48A}'..='\u{52F}' | '\u{1E00}'..='\u{1EFF}'
        | '\u{2010}'..='\u{2027}' | '\u{2030}'..='\u{203A}' | '\u{2190}'..='\u{2193}'
        | '\u{2500}'..='\u{259F}' | '●' | '○' | '⏎' | '✓')
}

/// The number of cells of one character in a row of the terminal.
///
/// The larger width where terminals differ, because a character that gets too few cells is overwritten by the next one.
fn char_width(c: char) -> usize {
    match c {
        // Rows hold no tabs: wrapping puts spaces in their place. unicode-width decomposes the two Khmer signs.
        '\t' | ' '..='~' | '\u{17A4}' | '\u{17D8}' => 1,
        '\0'..='\u{1F}' | '\u{7F}'..='\u{9F}' => 0,
        // Ambiguous for Unicode, wide in every table of a C library.
        '\u{3248}'..='\u{324F}' => 2,
        _ => match c.width() {
            Some(0) => invisible_or_spacing(c),
            Some(cells) => cells,
            None => 0,
        },
    }
}

/// The cells of a character that has no width in `unicode-width`.
fn invisible_or_spacing(c: char) -> usize {
    use GeneralCategory as G;
    match c {
        '\u{302E}' | '\u{302F}' | '\u{16FF0}' | '\u{16FF1}' => 2,
        // Vowels and finals join the Hangul consonant before them.
        '\u{1160}'..='\u{11FF}' | '\u{D7B0}'..='\u{D7FF}' => 0,
        // Format characters that are drawn below or above the digits after them.
        '\u{600}'..='\u{605}' | '\u{6DD}' | '\u{70F}' | '\u{890}' | '\u{891}' | '\u{8E2}' => 1,
        _ => match c.general_category() {
            G::NonspacingMark
            | G::EnclosingMark
            | G::Format
            | G::Control
            | G::Unassigned
            | G::LineSeparator
            | G::ParagraphSeparator
            | G::Surrogate => 0,
            _ => 1,
        },
    }
}

/// A character that belongs to the one before it: it needs a base.
pub fn is_mark(c: char) -> bool {
    use GeneralCategory::{EnclosingMark, NonspacingMark, SpacingMark};
    is_diacritic(c)
        || (!c.is_ascii()
            && (char_width(c) == 0
                || matches!(c.general_category(), NonspacingMark | EnclosingMark | SpacingMark)))
}

/// A character without a cell of its own.
pub fn is_zero_width(c: char) -> bool {
    is_diacritic(c) || char_width(c) == 0
}

/// The marks of Latin and Greek letters, which are found without a look at the tables.
fn is_diacritic(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36F}')
}

/// Several characters that are one picture: emoji with a variation selector, a skin tone, joined ones, keycaps.
fn is_joined_emoji(cluster: &str) -> bool {
    let mut chars = cluster.chars();
    let (Some(first), Some(second)) = (chars.next(), chars.next()) else { return false };
    first.is_emoji_char()
        && matches!(second, '\u{FE0F}' | '\u{200D}' | '\u{20E3}' | '\u{1F3FB}'..='\u{1F3FF}')
}

/// Width of one cluster of [`clusters`] in terminal cells.
pub fn cluster_width(cluster: &str) -> usize {
    match cluster.as_bytes() {
        [b] => return usize::from((0x20..0x7f).contains(b) || *b == b'\t'),
        [] => return 0,
        _ => {}
    }
    if is_joined_emoji(cluster) {
        let spacing = |c: &char| c.width() == Some(0) && char_width(*c) > 0;
        return 2 + cluster.chars().skip(1).filter(spacing).count();
    }
    cluster.chars().map(char_width).sum()
}

/// Width of a line in terminal cells.
pub fn width(line: &str) -> usize {
    if line.is_ascii() {
        return line.bytes().filter(|b| (0x20..0x7f).contains(b) || *b == b'\t').count();
    }
    // Nearly all other lines of the program contain some of its own symbols, which need no clusters.
    if line.chars().all(is_narrow) {
        return line.chars().count();
    }
    clusters(line).map(cluster_width).sum()
}

/// The clusters that fill cells, with the byte each begins at: grapheme clusters, and pieces of those that are wider
/// than four cells.
pub fn cluster_indices(line: &str) -> impl Iterator<Item = (usize, &str)> {
    line.grapheme_indices(true).flat_map(|(at, cluster)| Pieces { at, rest: cluster })
}

/// [`cluster_indices`] without the indices.
pub fn clusters(line: &str) -> impl Iterator<Item = &str> {
    cluster_indices(line).map(|(_, cluster)| cluster)
}

struct Pieces<'a> {
    at: usize,
    rest: &'a str,
}

impl<'a> Iterator for Pieces<'a> {
    type Item = (usize, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let mut end = self.rest.len();
        if end > MAX_CELLS && cluster_width(self.rest) > MAX_CELLS {
            let mut used = 0;
            for (at, c) in self.rest.char_indices() {
                used += char_width(c);
                if used > MAX_CELLS && at > 0 {
                    end = at;
                    break;
                }
            }
        }
        let (piece, rest) = self.rest.split_at_checked(end)?;
        let at = self.at;
        self.at += end;
        self.rest = rest;
        Some((at, piece))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_cluster_is_as_wide_as_the_terminal_draws_it() {
        for (cluster, cells) in [
            ("a", 1),
            ("あ", 2),
            ("e\u{301}", 1),
            ("ｶ\u{FF9E}", 2),
            ("あ\u{FF9F}", 3),
            // Spacing vowel signs: Tamil, Bengali, Kannada, Malayalam, Odia, Sinhala, Khmer, Javanese, Balinese.
            ("\u{B95}\u{BBE}", 2),
            ("\u{995}\u{9BE}", 2),
            ("\u{C95}\u{CC2}", 2),
            ("\u{D15}\u{D3E}", 2),
            ("\u{B15}\u{B3E}", 2),
            ("\u{D9A}\u{DCF}", 2),
            ("\u{1780}\u{17B6}", 2),
            ("\u{A98F}\u{A9B4}", 2),
            ("\u{1B13}\u{1B35}", 2),
            ("\u{915}\u{94D}\u{937}\u{93F}", 3),
            ("\u{1797}\u{17D2}\u{1793}", 2),
            ("\u{E01}\u{E33}", 2),
            ("\u{1100}\u{1161}\u{11A8}", 2),
            ("🇩🇪", 2),
            ("👍🏽", 2),
            ("👨\u{200D}👩\u{200D}👧", 2),
            ("❤\u{FE0F}", 2),
            ("1\u{FE0F}\u{20E3}", 2),
            ("⌚\u{FE0E}", 2),
            ("\u{845B}\u{E0100}", 2),
        ] {
            assert_eq!(cluster_width(cluster), cells, "{cluster} {}", cluster.escape_unicode());
            assert_eq!(clusters(cluster).collect::<Vec<_>>(), [cluster], "{cluster}");
        }
    }

    #[test]
    fn a_cluster_wider_than_the_narrowest_row_is_divided_and_a_picture_is_not() {
        let long = "\u{915}\u{94D}".repeat(9);
        let widths: Vec<usize> = clusters(&long).map(cluster_width).collect();
        assert_eq!(widths, [4, 4, 1]);
        let family = "👩🏽\u{200D}🤝\u{200D}👨🏿";
        assert_eq!(clusters(family).collect::<Vec<_>>(), [family]);
    }

    #[test]
    fn a_narrow_character_is_a_cluster_of_one_cell_beside_any_other() {
        let all: Vec<char> = ('\0'..=char::MAX).filter(|c| is_narrow(*c)).collect();
        assert!(all.len() > 1_500, "{}", all.len());
        for pair in all.windows(2) {
            for text in [pair.iter().collect::<String>(), format!("{}a{}", pair[1], pair[0])] {
                let widths: Vec<usize> = clusters(&text).map(cluster_width).collect();
                assert_eq!(widths, vec![1; text.chars().count()], "{text}");
            }
        }
    }

    proptest! {
        #[test]
        fn a_line_is_as_wide_as_its_clusters(line in "[ -~·›─●あ\u{301}\u{200D}👍✓]{0,12}") {
            prop_assert_eq!(width(&line), clusters(&line).map(cluster_width).sum::<usize>());
        }

        #[test]
        fn clusters_lose_nothing_and_none_is_wider_than_the_narrowest_row(text in any::<String>()) {
            let joined: String = clusters(&text).collect();
            prop_assert_eq!(&joined, &text);
            for (at, cluster) in cluster_indices(&text) {
                prop_assert!(text.get(at..).is_some_and(|rest| rest.starts_with(cluster)));
                prop_assert!(cluster_width(cluster) <= MAX_CELLS, "{:?}", cluster);
            }
        }
    }
}
