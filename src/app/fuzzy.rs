//! Fuzzy matching: choosing from a list by typing a few letters.

use crate::model::names::likeness;
use nucleo_matcher::pattern::{Atom, AtomKind, CaseMatching, Normalization};
use nucleo_matcher::{Config, Matcher, Utf32Str};

/// Ranks names by how well they match what was typed. Case and accents make no difference: "muller" finds "Müller". A
/// name that contains what was typed comes before one that only has its letters in order; letters scattered over a long
/// name do not match.
pub struct Ranker {
    matcher: Matcher,
    words: Vec<Word>,
    buffer: Vec<char>,
    places: Vec<u32>,
}

/// A word of the input.
struct Word {
    letters: u32,
    whole: Atom,
    scattered: Atom,
}

/// The score for each word that a name contains as a whole.
const WHOLE: u32 = 10_000;

impl Ranker {
    pub fn new(input: &str) -> Self {
        let atom = |word: &str, kind| {
            Atom::new(word, CaseMatching::Ignore, Normalization::Smart, kind, false)
        };
        let words = input.split_whitespace().map(|word| Word {
            letters: u32::try_from(word.chars().count()).unwrap_or(u32::MAX),
            whole: atom(word, AtomKind::Substring),
            scattered: atom(word, AtomKind::Fuzzy),
        });
        Self {
            matcher: Matcher::new(Config::DEFAULT),
            words: words.collect(),
            buffer: Vec::new(),
            places: Vec::new(),
        }
    }

    /// The score of a name, higher is better; `None` if it does not match. With an empty input, everything matches
    /// equally.
    pub fn rank(&mut self, name: &str) -> Option<u32> {
        let name = Utf32Str::new(name, &mut self.buffer);
        let mut rank = 0;
        for word in &self.words {
            if let Some(score) = word.whole.score(name, &mut self.matcher) {
                rank += WHOLE + u32::from(score);
                continue;
            }
            self.places.clear();
            let score = word.scattered.indices(name, &mut self.matcher, &mut self.places)?;
            if !is_close(name, &self.places, word.letters) {
                return None;
            }
            rank += u32::from(score);
        }
        Some(rank)
    }
}

/// Whether letters found at these places look like an abbreviation: close together, or at the beginnings of words, with
/// one exception.
fn is_close(name: Utf32Str<'_>, places: &[u32], letters: u32) -> bool {
    let (Some(first), Some(last)) = (places.first(), places.last()) else { return true };
    if last - first < letters.saturating_mul(2) {
        return true;
    }
    let begins_word = |at: u32| at == 0 || !name.get(at - 1).is_alphanumeric();
    let goes_on = |(n, at): (usize, u32)| {
        n.checked_sub(1).and_then(|before| places.get(before)).is_some_and(|p| p + 1 == at)
    };
    let inside = (0..).zip(places.iter().copied()).filter(|(n, at)| !goes_on((*n, *at)));
    begins_word(*first) && inside.filter(|(_, at)| !begins_word(*at)).count() <= 1
}

/// How a name matches a part of it, best first: as a whole, at its beginning, at the beginning of a word, anywhere.
/// `None` if the part does not occur.
pub fn part_of(name: &str, part: &str) -> Option<u32> {
    let (name, part) = (likeness(name), likeness(part));
    if name == part {
        return Some(0);
    }
    if name.starts_with(&part) {
        return Some(1);
    }
    if name.split(|c: char| !c.is_alphanumeric()).any(|word| word.starts_with(&part)) {
        return Some(2);
    }
    name.contains(&part).then_some(3)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn best<'a>(input: &str, names: &[&'a str]) -> Vec<&'a str> {
        let mut ranker = Ranker::new(input);
        let mut found: Vec<_> =
            names.iter().filter_map(|name| Some((ranker.rank(name)?, *name))).collect();
        found.sort_by_key(|(rank, _)| std::cmp::Reverse(*rank));
        found.into_iter().map(|(_, name)| name).collect()
    }

    #[test]
    fn letters_without_accents_find_those_with_them() {
        assert_eq!(best("muller", &["Miller", "Jörg Müller"]), ["Jörg Müller"]);
        assert_eq!(best("apfel", &["Äpfel"]), ["Äpfel"]);
    }

    #[test]
    fn the_beginning_of_a_word_ranks_above_scattered_letters() {
        assert_eq!(best("crew", &["Car rental web", "Kitchen crew"])[0], "Kitchen crew");
        assert_eq!(best("kcw", &["Kitchen crew", "Kite"]), ["Kitchen crew"]);
    }

    #[test]
    fn letters_scattered_over_a_sentence_match_nothing() {
        let sentence = "others see when you are typing a message";
        assert_eq!(best("theme", &[sentence, "colours of the screen", "ui.theme"]), ["ui.theme"]);
        assert_eq!(best("swtchr", &["switcher", sentence]), ["switcher"], "letters left out");
        assert_eq!(best("jbl", &["Joe Bloggs", "Job offers by mail"])[0], "Joe Bloggs");
        assert_eq!(best("anna lind", &["Lindqvist, Anna", "Anna Tan"]), ["Lindqvist, Anna"]);
        assert_eq!(best("", &["b", "a"]), ["b", "a"]);
    }

    #[test]
    fn signs_in_a_name_mean_themselves() {
        assert_eq!(best("!ops", &["!ops", "Shops"]), ["!ops"]);
        assert_eq!(best("$", &["US$ club", "Pound"]), ["US$ club"]);
    }

    #[test]
    fn a_part_means_a_name_from_the_whole_of_it_to_any_part() {
        let ranks = ["anna", "ann", "lind", "qvist", "xyz"].map(|p| part_of("Anna Lindqvist", p));
        assert_eq!(ranks, [Some(1), Some(1), Some(2), Some(3), None]);
        assert_eq!(part_of("Müller", "muller"), Some(0));
        assert_eq!(part_of("BOB  Smith", "bob smith"), Some(0), "spaces look alike");
    }
}
