//! Choosing from a list by typing a few letters.

use crate::model::names::likeness;
use nucleo_matcher::pattern::{AtomKind, CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

/// Ranks names by how well they fit what was typed. Case and accents make no difference: "muller" finds "Müller".
pub struct Ranker {
    matcher: Matcher,
    pattern: Pattern,
    buffer: Vec<char>,
}

impl Ranker {
    pub fn new(input: &str) -> Self {
        Self {
            matcher: Matcher::new(Config::DEFAULT),
            pattern: Pattern::new(
                input,
                CaseMatching::Ignore,
                Normalization::Smart,
                AtomKind::Fuzzy,
            ),
            buffer: Vec::new(),
        }
    }

    /// The score of a name, higher is better; `None` if it does not match. With an empty input, everything matches
    /// equally.
    pub fn rank(&mut self, name: &str) -> Option<u32> {
        self.pattern.score(Utf32Str::new(name, &mut self.buffer), &mut self.matcher)
    }
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
