//! Searching: the words and filters of a search line, the query they resolve to, and its hits.

use super::body::MessageBody;
use super::fold::{folded, snippet};
use super::id::{ConversationId, UserId};
use super::message::MessageKey;
use super::text::SafeText;
use super::time::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// The number of characters of a message that are shown with a hit.
const SNIPPET: usize = 160;

/// A parsed search line. Names are not looked up yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SearchInput {
    /// Folded; a quoted phrase is one term.
    pub terms: Vec<String>,
    pub from: Vec<String>,
    pub within: Vec<String>,
    pub before: Option<Timestamp>,
    pub after: Option<Timestamp>,
    pub link: bool,
    pub file: bool,
    /// What is wrong with a filter, for the user.
    pub wrong: Option<String>,
}

impl SearchInput {
    /// Reads `oven from:joe in:"kitchen crew" after:2024-05 has:link`. A filter that cannot be read is reported in
    /// `wrong` and left out.
    pub fn read(text: &str, zone: &TimeZone) -> Self {
        let mut input = Self::default();
        for (word, quoted) in words(text) {
            let filter = word.split_once(':').filter(|_| !quoted);
            let filter = filter.map(|(name, value)| (name.to_ascii_lowercase(), value));
            match filter.as_ref().map(|(name, value)| (name.as_str(), *value)) {
                Some(("from", who)) => input.from.extend((!who.is_empty()).then(|| who.to_owned())),
                Some(("in", chat)) => {
                    input.within.extend((!chat.is_empty()).then(|| chat.to_owned()));
                }
                Some(("has", "link")) => input.link = true,
                Some(("has", "file")) => input.file = true,
                Some(("has", what)) if "link".starts_with(what) || "file".starts_with(what) => {}
                Some(("has", _)) => input.wrong = Some("has: takes link or file".into()),
                Some((which @ ("before" | "after"), date)) => match date_range(date, zone) {
                    Some((first, next)) if which == "before" => {
                        input.before = Some(first);
                        let _ = next;
                    }
                    Some((_, next)) => input.after = Some(next),
                    None => input.wrong = Some(format!("{which}: needs a date such as 2024-05-31")),
                },
                _ => {
                    let term = folded(&word);
                    let term = term.split(' ').filter(|w| !w.is_empty()).collect::<Vec<_>>();
                    if !term.is_empty() {
                        input.terms.push(term.join(" "));
                    }
                }
            }
        }
        input
    }

    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
            && self.from.is_empty()
            && self.within.is_empty()
            && self.before.is_none()
            && self.after.is_none()
            && !self.link
            && !self.file
    }
}

/// Words; quotes hold several together, also after a filter's colon.
fn words(text: &str) -> Vec<(String, bool)> {
    let mut out = Vec::new();
    let (mut word, mut open, mut quoted) = (String::new(), false, false);
    for c in text.chars() {
        match c {
            '"' => {
                open = !open;
                quoted |= word.is_empty();
            }
            c if c.is_whitespace() && !open => {
                if !word.is_empty() {
                    out.push((std::mem::take(&mut word), quoted));
                }
                quoted = false;
            }
            c => word.push(c),
        }
    }
    if !word.is_empty() {
        out.push((word, quoted));
    }
    out
}

/// The beginning of a year, month or day in the reader's zone, and of the one after it.
pub fn date_range(text: &str, zone: &TimeZone) -> Option<(Timestamp, Timestamp)> {
    let mut parts = text.split('-');
    let year: i16 = parts.next()?.parse().ok()?;
    let month: Option<i8> = parts.next().map(str::parse).transpose().ok()?;
    let date: Option<i8> = parts.next().map(str::parse).transpose().ok()?;
    let first = jiff::civil::Date::new(year, month.unwrap_or(1), date.unwrap_or(1)).ok()?;
    let next = match (month, date) {
        (None, _) => first.checked_add(jiff::Span::new().years(1)).ok()?,
        (_, None) => first.checked_add(jiff::Span::new().months(1)).ok()?,
        _ => first.tomorrow().ok()?,
    };
    let at = |date: jiff::civil::Date| {
        let zoned = date.to_zoned(zone.clone()).ok()?;
        Some(Timestamp(zoned.timestamp().as_millisecond()))
    };
    (parts.next().is_none() && year > 1000).then_some(())?;
    Some((at(first)?, at(next)?))
}

/// The position of a hit in the order of hits: by time, and by row for messages of the same moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SearchPosition {
    /// In milliseconds.
    pub at: i64,
    pub place: i64,
}

/// A query to the store. Lists are alternatives; an empty list matches everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    pub terms: Vec<String>,
    /// For each term, the people whose names contain it, if there are any: system lines are stored with ids instead of
    /// names.
    pub named: Vec<Vec<UserId>>,
    pub from: Vec<UserId>,
    pub within: Vec<ConversationId>,
    /// Messages that arrived before this.
    pub before: Option<Timestamp>,
    /// Messages that arrived at this time or later.
    pub after: Option<Timestamp>,
    pub link: bool,
    pub file: bool,
}

impl Query {
    /// Whether a folded text has all terms. In a system line, the id of a person counts as the name.
    pub fn matches(&self, text: &str, kind: &str) -> bool {
        self.terms.iter().enumerate().all(|(i, term)| {
            let people = self.named.get(i).into_iter().flatten();
            text.contains(term.as_str())
                || (is_system(kind) && people.into_iter().any(|id| has_id(text, id)))
        })
    }
}

/// Whether a message of this wire type is a system line.
fn is_system(kind: &str) -> bool {
    kind.starts_with("ThreadActivity/") || kind == "Event/Call"
}

/// Whether an id occurs in a folded text, and not as a part of a longer one.
fn has_id(text: &str, id: &UserId) -> bool {
    let id = folded(id.bare());
    let goes_on = |rest: &str| {
        let mut chars = rest.chars();
        match chars.next() {
            Some('.' | '-' | '_' | ':') => chars.next().is_some_and(char::is_alphanumeric),
            next => next.is_some_and(char::is_alphanumeric),
        }
    };
    let follows = |before: &str| {
        let is_of_id = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | ':');
        before.chars().next_back().is_some_and(is_of_id)
    };
    !id.is_empty()
        && text.match_indices(id.as_str()).any(|(at, _)| {
            let (before, rest) = text.split_at(at);
            !follows(before) && !goes_on(rest.get(id.len()..).unwrap_or_default())
        })
}

/// A message that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hit {
    pub conversation: ConversationId,
    pub key: MessageKey,
    pub sender: UserId,
    /// A piece of its text, and where in it the terms occur.
    pub text: SafeText,
    pub marks: Vec<Range<usize>>,
    /// A system line, whose stored text has ids instead of names.
    #[serde(default)]
    pub is_system: bool,
    /// The content of a system line, so that it can be shown with names.
    #[serde(default)]
    pub body: Option<Box<MessageBody>>,
}

impl Hit {
    pub fn new(
        conversation: ConversationId,
        key: MessageKey,
        sender: UserId,
        text: &str,
        terms: &[String],
    ) -> Self {
        let (text, marks) = snippet(text, terms, SNIPPET);
        Self { conversation, key, sender, text, marks, is_system: false, body: None }
    }

    /// The same for a message of this wire type.
    #[must_use]
    pub fn of_kind(self, kind: &str) -> Self {
        Self { is_system: is_system(kind), ..self }
    }

    /// The piece of the text around the terms, and where in it they occur. `name` gives people's names.
    pub fn named(
        &self,
        name: &dyn Fn(&UserId) -> SafeText,
        terms: &[String],
    ) -> (SafeText, Vec<Range<usize>>) {
        match &self.body {
            Some(body) => snippet(&body.text(name), terms, SNIPPET),
            None => (self.text.clone(), self.marks.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_phrases_and_filters_are_told_apart() {
        let input = SearchInput::read(
            "Öfen \"came before\" from:joe in:\"Kitchen crew\" has:link after:2024-05 before:2025 \"from:me\"",
            &TimeZone::UTC,
        );
        assert_eq!(input.terms, ["ofen", "came before", "from:me"]);
        assert_eq!(input.from, ["joe"]);
        assert_eq!(input.within, ["Kitchen crew"]);
        assert!(input.link && !input.file);
        assert_eq!(input.after, Timestamp::parse("2024-06-01T00:00:00Z"));
        assert_eq!(input.before, Timestamp::parse("2025-01-01T00:00:00Z"));
        assert_eq!(input.wrong, None);
    }

    #[test]
    fn an_id_stands_for_a_name_in_lines_of_the_system_only() {
        let query = Query {
            terms: vec!["bob".into(), "added".into()],
            named: vec![vec!["8:joe.4".into(), "8:live:bob".into()], Vec::new()],
            ..Query::default()
        };
        let added = "ThreadActivity/AddMember";
        for text in
            ["joe.4 added mia", "mia added joe.4.", "mia added live:bob and joe", "bob added"]
        {
            assert!(query.matches(text, added), "{text}");
        }
        for text in ["joe.42 added mia", "mia added joe.4.5", "ajoe.4 added", "joe.4 left", ""] {
            assert!(!query.matches(text, added), "{text}");
        }
        assert!(!query.matches("joe.4 added mia", "Text"));
    }

    #[test]
    fn an_invalid_filter_is_reported() {
        let wrong = |text: &str| SearchInput::read(text, &TimeZone::UTC).wrong;
        assert!(wrong("before:soon").unwrap().contains("2024-05-31"));
        assert!(wrong("has:luck").unwrap().contains("link or file"));
        assert_eq!(wrong("has:li"), None, "it is being typed");
        assert_eq!(wrong("at 10:30"), None);
    }
}
