//! A query in the terms of the index.

use crate::model::fold::{folded, grams_of_term};
use crate::model::search::{Query, SearchPosition};
use crate::store::texts::signature::{self, Bit};
use crate::store::texts::{BlockReader, TextEntry, id_hash};
use memchr::memmem::Finder;
use rusqlite::Connection;

/// How many grams of a term are looked up in the signatures; the texts decide the rest.
const MAX_GRAMS: usize = 12;
/// With this few blocks left, reading them is cheaper than looking up more signatures.
const FEW_BLOCKS: u32 = 4;

/// What a text must contain.
pub(super) struct WantedTexts<'a> {
    query: &'a Query,
    below: SearchPosition,
    terms: Vec<Term>,
    from: Vec<u32>,
    within: Vec<u32>,
}

/// A term, and the ids that represent it in system lines.
struct Term {
    text: Finder<'static>,
    ids: Vec<Finder<'static>>,
    /// The bits that a block has if it contains the text, and the same for each id.
    bits: Vec<Vec<Bit>>,
}

impl Term {
    fn new(term: &str, ids: &[String]) -> Self {
        let bits = |text: &str| {
            let grams = grams_of_term(text).into_iter().take(MAX_GRAMS);
            grams.map(Bit::gram).collect::<Vec<_>>()
        };
        Self {
            text: Finder::new(term).into_owned(),
            ids: ids.iter().map(|id| Finder::new(id).into_owned()).collect(),
            bits: std::iter::once(term).chain(ids.iter().map(String::as_str)).map(bits).collect(),
        }
    }

    fn is_in(&self, text: &[u8]) -> bool {
        self.text.find(text).is_some() || self.ids.iter().any(|id| id.find(text).is_some())
    }
}

impl<'a> WantedTexts<'a> {
    pub fn new(query: &'a Query, below: Option<SearchPosition>) -> Self {
        let terms = query.terms.iter().enumerate().map(|(i, term)| {
            let people = query.named.get(i).into_iter().flatten();
            let ids: Vec<String> =
                people.map(|id| folded(id.bare())).filter(|id| !id.is_empty()).collect();
            Term::new(term, &ids)
        });
        Self {
            query,
            below: below.unwrap_or(SearchPosition { at: i64::MAX, place: i64::MAX }),
            terms: terms.collect(),
            from: query.from.iter().map(|id| id_hash(id.as_str())).collect(),
            within: query.within.iter().map(|id| id_hash(id.as_str())).collect(),
        }
    }

    /// The start and the end of the time span that a block must overlap.
    pub fn times(&self) -> (i64, i64) {
        let before = self.query.before.map_or(i64::MAX, |before| before.0);
        (self.query.after.map_or(i64::MIN, |after| after.0), before.min(self.below.at))
    }

    /// For each condition the ways to meet it, and for each way the bits that a block has.
    fn conditions(&self) -> Vec<Vec<Vec<Bit>>> {
        let any = |bits: Vec<Bit>| bits.into_iter().map(|bit| vec![bit]).collect::<Vec<_>>();
        let mut all = vec![
            any(self.from.iter().map(|id| Bit::sender(*id)).collect()),
            any(self.within.iter().map(|id| Bit::conversation(*id)).collect()),
            any(self.query.link.then(Bit::link).into_iter().collect()),
            any(self.query.file.then(Bit::file).into_iter().collect()),
        ];
        all.extend(self.terms.iter().map(|term| term.bits.clone()));
        // A condition that some way meets without any bit excludes nothing.
        all.retain(|ways| !ways.is_empty() && ways.iter().all(|bits| !bits.is_empty()));
        all
    }

    /// A bit for each block that may have hits; `None` if any block may.
    pub fn blocks(&self, c: &Connection) -> rusqlite::Result<Option<Vec<u64>>> {
        let mut left: Option<Vec<u64>> = None;
        for ways in self.conditions() {
            let mut met: Option<Vec<u64>> = None;
            for bits in ways {
                let one = all_of(c, &bits)?;
                met = Some(match met {
                    Some(met) => combined(met, &one, |a, b| a | b),
                    None => one,
                });
            }
            left = match (left, met) {
                (Some(left), Some(met)) => Some(combined(left, &met, |a, b| a & b)),
                (left, met) => left.or(met),
            };
        }
        Ok(left)
    }

    /// The texts of a block that may be hits.
    pub fn candidates<'b>(
        &self,
        block: BlockReader<'b>,
    ) -> impl Iterator<Item = SearchPosition> + use<'_, 'a, 'b> {
        // Every hit has these.
        let certain = self.terms.iter().filter(|term| term.ids.is_empty());
        let longest = certain.map(|term| &term.text).max_by_key(|text| text.needle().len());
        let texts = WithTerm { block, term: longest };
        texts.filter(|entry| self.matches(entry)).map(|entry| position(&entry))
    }

    /// Whether a text may be a hit. Whether an id in it really names a person is checked in its row.
    fn matches(&self, entry: &TextEntry<'_>) -> bool {
        position(entry) < self.below
            && (self.from.is_empty() || self.from.contains(&entry.sender))
            && (self.within.is_empty() || self.within.contains(&entry.conversation))
            && (!self.query.link || entry.has_link())
            && (!self.query.file || entry.has_file())
            && self.terms.iter().all(|term| term.is_in(entry.text))
    }
}

fn position(entry: &TextEntry<'_>) -> SearchPosition {
    SearchPosition { at: entry.at, place: entry.place }
}

/// The blocks that have all of these bits, or a few more where reading those is cheaper than looking up all bits.
fn all_of(c: &Connection, bits: &[Bit]) -> rusqlite::Result<Vec<u64>> {
    let mut all: Option<Vec<u64>> = None;
    for bit in bits {
        let one = signature::row(c, *bit)?;
        let left = match all {
            Some(all) => combined(all, &one, |a, b| a & b),
            None => one,
        };
        let blocks: u32 = left.iter().map(|word| word.count_ones()).sum();
        all = Some(left);
        if blocks <= FEW_BLOCKS {
            break;
        }
    }
    Ok(all.unwrap_or_default())
}

/// Combines two rows. Nothing is known about blocks beyond their ends.
fn combined(mut one: Vec<u64>, other: &[u64], with: impl Fn(u64, u64) -> u64) -> Vec<u64> {
    one.resize(one.len().max(other.len()), u64::MAX);
    for (i, word) in one.iter_mut().enumerate() {
        *word = with(*word, other.get(i).copied().unwrap_or(u64::MAX));
    }
    one
}

/// The texts of a block that contain a term. Most blocks have none, which is found out without looking at each text.
struct WithTerm<'b, 'q> {
    block: BlockReader<'b>,
    /// All of them if there is no term.
    term: Option<&'q Finder<'static>>,
}

impl<'b> Iterator for WithTerm<'b, '_> {
    type Item = TextEntry<'b>;

    fn next(&mut self) -> Option<TextEntry<'b>> {
        let Some(term) = self.term else { return self.block.next() };
        let rest = self.block.rest.len();
        let found = term.find(self.block.rest)?;
        // The entry that contains the position: the first one that ends after it.
        loop {
            let entry = self.block.next()?;
            if rest - self.block.rest.len() > found {
                return Some(entry);
            }
        }
    }
}
