//! Text as search compares it: without case, accents and forms of the same letter; and the grams it is indexed by.
//!
//! A gram is one to four neighbouring characters of a word. A word part is found through the grams it consists
//! of, from its first character on, in any script; what the index offers is then compared as text.

use super::text::SafeText;
use std::ops::Range;
use unicode_normalization::UnicodeNormalization;

/// Increases with every change of [`fold`] or [`each_gram`], so that a store rebuilds its
/// index in the background. Archives need a step of the schema for that.
pub const GRAMS_VERSION: u32 = 2;

/// Folded text, and where each of its bytes comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Folded {
    pub text: String,
    /// For each byte of `text` the byte offset of its character in the original; one more for the end.
    origin: Vec<u32>,
}

impl Folded {
    /// The bytes of the original that a range of the folded text comes from.
    pub fn origin(&self, range: &Range<usize>) -> Range<usize> {
        let at = |i: usize| self.origin.get(i).or(self.origin.last()).copied().unwrap_or(0);
        let (start, mut end) = (at(range.start), at(range.end));
        // Inside the expansion of one character: the whole of it.
        if end == start {
            let later = self.origin.iter().skip(range.end).find(|o| **o > start);
            end = later.copied().unwrap_or(start);
        }
        usize::try_from(start).unwrap_or(0)..usize::try_from(end).unwrap_or(0)
    }
}

/// Marks that distinguish letters which people type without them: Latin, Greek and Cyrillic accents, kana voicing,
/// Hebrew and Arabic vowels. Those of Indic and other scripts are letters and stay.
fn is_accent(c: char) -> bool {
    matches!(c,
        '\u{300}'..='\u{36F}' | '\u{591}'..='\u{5BD}' | '\u{64B}'..='\u{65F}' | '\u{1AB0}'..='\u{1AFF}'
        | '\u{1DC0}'..='\u{1DFF}' | '\u{20D0}'..='\u{20FF}' | '\u{3099}' | '\u{309A}' | '\u{FE0E}' | '\u{FE0F}')
}

fn fold_char(c: char, mut out: impl FnMut(char)) {
    match c {
        _ if c.is_ascii() => {
            out(if c.is_ascii_whitespace() { ' ' } else { c.to_ascii_lowercase() });
        }
        'ß' | 'ẞ' => ['s', 's'].into_iter().for_each(out),
        'ø' | 'Ø' => out('o'),
        'ł' | 'Ł' => out('l'),
        'đ' | 'Đ' => out('d'),
        'ς' => out('σ'),
        _ if c.is_whitespace() => out(' '),
        _ => {
            for lower in c.to_lowercase() {
                for part in std::iter::once(lower).nfkd().filter(|c| !is_accent(*c)) {
                    out(part);
                }
            }
        }
    }
}

pub fn fold(text: &str) -> Folded {
    let mut folded = Folded { text: String::with_capacity(text.len()), origin: Vec::new() };
    for (at, c) in text.char_indices() {
        fold_char(c, |c| {
            folded.text.push(c);
            let at = u32::try_from(at).unwrap_or(u32::MAX);
            folded.origin.extend(std::iter::repeat_n(at, c.len_utf8()));
        });
    }
    folded.origin.push(u32::try_from(text.len()).unwrap_or(u32::MAX));
    folded
}

/// [`fold`] without the offsets.
pub fn folded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    text.chars().for_each(|c| fold_char(c, |c| out.push(c)));
    out
}

/// Characters of the longest gram. Grams of three occur in every tenth message of a language with few syllables.
const MAX_CHARS: usize = 4;

/// Calls `take` with every gram of a folded text, in order and with repetitions.
pub fn each_gram<'a>(folded: &'a str, mut take: impl FnMut(&'a str)) {
    // Where the last characters of the word begin, the nearest first.
    let mut starts: [Option<usize>; MAX_CHARS] = [None; MAX_CHARS];
    for (at, c) in folded.char_indices() {
        if c == ' ' {
            starts = [None; MAX_CHARS];
            continue;
        }
        starts.rotate_right(1);
        starts[0] = Some(at);
        for start in starts.into_iter().flatten() {
            if let Some(gram) = folded.get(start..at + c.len_utf8()) {
                take(gram);
            }
        }
    }
}

/// The grams that a text holding this term must have: all of four characters, or the one shorter gram.
pub fn grams_of_term(term: &str) -> Vec<&str> {
    let mut wanted = Vec::new();
    for word in term.split(' ').filter(|word| !word.is_empty()) {
        let length = word.chars().count();
        each_gram(word, |gram| {
            if gram.chars().count() == length.min(MAX_CHARS) {
                wanted.push(gram);
            }
        });
    }
    wanted.sort_unstable();
    wanted.dedup();
    wanted
}

/// A piece of one line around the first place where any of the terms occurs, at most `most` characters, and where in it
/// the terms occur.
pub fn snippet(text: &str, terms: &[String], most: usize) -> (SafeText, Vec<Range<usize>>) {
    let line = SafeText::line(text);
    let first = find(&line, terms).into_iter().next().map_or(0, |range| range.start);
    // Include some words before the match, for context.
    let before = line.get(..first).unwrap_or_default();
    let back = before.char_indices().rev().nth(most / 3).map_or(0, |(i, _)| i);
    let rest = line.get(back..).unwrap_or_default();
    let end = rest.char_indices().nth(most).map_or(rest.len(), |(i, _)| i);
    let mut piece = String::new();
    if back > 0 {
        piece.push('…');
    }
    piece.push_str(rest.get(..end).unwrap_or_default());
    if end < rest.len() {
        piece.push('…');
    }
    let piece = SafeText::line(&piece);
    let found = find(&piece, terms);
    (piece, found)
}

/// Where the terms occur in a text, in order and without overlaps.
fn find(text: &str, terms: &[String]) -> Vec<Range<usize>> {
    let folded = fold(text);
    let mut found: Vec<Range<usize>> = Vec::new();
    for term in terms.iter().filter(|term| !term.is_empty()) {
        let places = folded.text.match_indices(term.as_str()).take(50);
        found.extend(places.map(|(at, _)| folded.origin(&(at..at + term.len()))));
    }
    found.sort_by_key(|range| (range.start, range.end));
    found.dedup_by(|next, before| next.start < before.end);
    found.retain(|range| text.get(range.clone()).is_some());
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn case_accents_and_forms_of_a_letter_are_the_same() {
        for (text, same) in [
            ("Ärger in ŁÓDŹ", "arger in lodz"),
            ("STRASSE", "straße"),
            ("ｆｕｌｌ", "full"),
            ("naïve", "nai\u{308}ve"),
            ("Øre", "ore"),
            ("ﬁne", "fine"),
        ] {
            assert_eq!(folded(text), folded(same), "{text}");
        }
        assert_ne!(folded("日本"), folded("日木"));
    }

    #[test]
    fn a_snippet_shows_the_place_and_where_it_is() {
        let long = format!("{} the straße is long {}", "word ".repeat(40), "more ".repeat(40));
        let (text, found) = snippet(&long, &["strasse".into()], 60);
        assert!(text.starts_with('…') && text.ends_with('…'), "{text}");
        assert_eq!(text.get(found[0].clone()), Some("straße"));
        let (text, found) = snippet("Ａ日本語", &["本".into(), "a".into()], 60);
        let marked: Vec<&str> = found.iter().filter_map(|r| text.get(r.clone())).collect();
        assert_eq!(marked, ["Ａ", "本"]);
    }

    proptest! {
        /// Whichever part of a word is looked for, the index offers the text that contains it.
        #[test]
        fn every_part_of_a_word_is_among_the_grams(text in "\\PC{0,40}", from in 0usize..40, length in 1usize..9) {
            let folded = folded(&text);
            let chars: Vec<char> = folded.chars().collect();
            let part: String = chars.iter().skip(from).take(length).collect();
            let mut all = Vec::new();
            each_gram(&folded, |gram| all.push(gram));
            for gram in grams_of_term(&part) {
                prop_assert!(all.contains(&gram), "{gram:?} of {part:?} in {folded:?}");
            }
            let (piece, found) = snippet(&text, std::slice::from_ref(&part), 30);
            for range in found {
                prop_assert!(piece.get(range).is_some());
            }
        }
    }
}
