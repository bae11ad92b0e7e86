//! Suggestions for the word being typed: people after `@`, emoji after `:`, commands after `/`, chats after `#`.
//!
//! Entries that begin with the typed letters come first, then those that contain them in this order. Tab goes through
//! the same list. The people of a group are listed once per word, so that each further letter only has to be compared.

use super::Chat;
use super::completion::{open_person, open_word, people};
use super::composer::Composer;
use crate::app::fuzzy::Ranker;
use crate::model::{Names, SafeText, UserId, emoticon};
use std::cmp::Reverse;
use std::collections::HashSet;

/// The typographic apostrophe, which phones type.
const APOSTROPHE: &str = "\u{2019}";
/// How many entries are visible at once.
pub const IN_SIGHT: usize = 8;
/// The id that stands for everyone in a group.
const EVERYONE: &str = "*";
/// The most entries in a list.
const MAX: usize = 50;
/// With at least this many letters, fuzzy matches are found too, not only beginnings.
const FUZZY_FROM: usize = 2;
/// Emoji are suggested from this many letters on: fewer are often a face, such as `:D`.
const EMOJI_FROM: usize = 2;

/// How a slash command is written, and what it does.
pub type CommandUsage = (String, &'static str);

/// What can be suggested that is not part of the chat: only what the word calls for.
#[derive(Clone, Debug, Default)]
pub struct Beyond {
    pub commands: Vec<CommandUsage>,
    /// Titles of the chats, in the order of the list.
    pub chats: Vec<SafeText>,
}

/// A suggestion that the user can take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggestion {
    /// The text for the box.
    pub text: String,
    pub label: SafeText,
    pub detail: SafeText,
    /// What is done with the word instead of replacing it.
    pub instead: Option<WithWord>,
}

/// What can be done with a word that is not misspelt after all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WithWord {
    Learn,
    Ignore,
}

/// A person who can be mentioned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MentionCandidate {
    /// The name in lower case, and the id without its prefix.
    keys: [String; 2],
    suggestion: Suggestion,
}

/// The suggestions for the word before the cursor.
#[derive(Clone, Debug, PartialEq)]
pub struct Suggestions {
    /// Where the word begins.
    pub from: usize,
    pub word: String,
    people: Vec<MentionCandidate>,
    pub found: Vec<Suggestion>,
    /// The entry that the user has moved to; Enter takes it only then.
    pub marked: Option<usize>,
    /// The user does not want to see them for this word.
    pub closed: bool,
}

impl Suggestions {
    /// Suggestions for a misspelt word that ends at the cursor. The first is marked: the user asked for them.
    pub fn for_misspelt(from: usize, word: &str, words: &[SafeText]) -> Self {
        let own_sign = |text: &str| {
            if word.contains(APOSTROPHE) { text.replace('\'', APOSTROPHE) } else { text.to_owned() }
        };
        let replacing = words.iter().map(|text| Suggestion {
            text: own_sign(text),
            label: text.clone(),
            detail: SafeText::default(),
            instead: None,
        });
        let keeping =
            [("Add to dictionary", WithWord::Learn), ("Ignore for now", WithWord::Ignore)];
        let keeping = keeping.map(|(label, does)| Suggestion {
            text: word.to_owned(),
            label: label.into(),
            detail: SafeText::line(word),
            instead: Some(does),
        });
        let found = replacing.chain(keeping).collect();
        let word = word.to_owned();
        Self { from, word, people: Vec::new(), found, marked: Some(0), closed: false }
    }

    /// Whether they are about a misspelt word.
    pub fn are_about_spelling(&self) -> bool {
        self.found.iter().any(|suggestion| suggestion.instead.is_some())
    }

    /// Whether they are shown, and are still about the word before the cursor.
    pub fn are_shown(&self, composer: &Composer) -> bool {
        let before = composer.before_cursor();
        !self.closed && !self.found.is_empty() && before.get(self.from..) == Some(&self.word)
    }

    /// The first visible entry: scrolled down just far enough to show the marked one.
    pub fn first_shown(&self) -> usize {
        self.marked.map_or(0, |at| (at + 1).saturating_sub(IN_SIGHT))
    }

    /// Moves to the next or previous entry; if none is marked, to the first or last one.
    pub fn step(&mut self, forward: bool) {
        let count = self.found.len().max(1);
        self.marked = Some(match (self.marked, forward) {
            (None, true) => 0,
            (None, false) => count - 1,
            (Some(at), true) => (at + 1) % count,
            (Some(at), false) => (at + count - 1) % count,
        });
    }
}

/// Renews the suggestions after something was typed or deleted.
pub fn renew(chat: &mut Chat, me: &UserId, names: &Names, beyond: &Beyond) {
    let last = chat.composer.suggestions.take();
    let is_markup = chat.composer.draft.edit.as_ref().is_some_and(|edit| edit.source.is_some());
    let after = chat.composer.draft.text.get(chat.composer.draft.cursor..).unwrap_or_default();
    let is_inside = after.chars().next().is_some_and(char::is_alphanumeric);
    let Some(word) = open_word(chat.composer.before_cursor()).filter(|_| !is_markup && !is_inside)
    else {
        return;
    };
    let is_short = word.starts_with(':') && word.chars().count() <= EMOJI_FROM;
    let from = chat.composer.before_cursor().len() - word.len();
    let word = word.to_owned();
    let last = last.filter(|last| last.from == from);
    let closed = last.as_ref().is_some_and(|last| last.closed);
    let argument = open_person(chat.composer.before_cursor());
    let begins_person = argument.is_some() || word.starts_with('@');
    let people = match last {
        Some(last) if begins_person && !last.people.is_empty() => last.people,
        _ if argument.is_some() && !closed => member_candidates(chat, me, names),
        _ if word.starts_with('@') && !closed => candidates(chat, me, names),
        _ => Vec::new(),
    };
    let mut found = Vec::new();
    if let Some((person, roles)) = argument.filter(|_| !closed) {
        found = arguments(&people, person, roles);
    } else if !closed && !is_short {
        found = find(&word, &people, beyond);
        // The only suggestion is what was typed already.
        found = if matches!(found.as_slice(), [only] if only.text.trim_end() == word) {
            Vec::new()
        } else {
            found
        };
    }
    let suggestions = Suggestions { from, word, people, found, marked: None, closed };
    chat.composer.suggestions = Some(suggestions);
}

/// What matches a word, without its context.
pub fn of_word(
    chat: &Chat,
    me: &UserId,
    names: &Names,
    beyond: &Beyond,
    word: &str,
) -> Vec<Suggestion> {
    if let Some((person, roles)) = open_person(chat.composer.before_cursor()) {
        return arguments(&member_candidates(chat, me, names), person, roles);
    }
    let people = if word.starts_with('@') { candidates(chat, me, names) } else { Vec::new() };
    find(word, &people, beyond)
}

/// The members as a command about people names them: by id if the name is ambiguous, or would be read as several names.
fn member_candidates(chat: &Chat, me: &UserId, names: &Names) -> Vec<MentionCandidate> {
    let mut people = people(chat, me, names);
    people.retain(|m| m.id.as_str() != EVERYONE);
    let mut seen = HashSet::new();
    people.retain(|m| seen.insert(m.id.clone()));
    let candidate = people.into_iter().map(|m| {
        let is_ambiguous = m.label.is_some() || m.name.contains([',', ':']);
        let name = if is_ambiguous { m.id.as_str() } else { m.name.as_str() };
        MentionCandidate {
            keys: [m.typed().to_lowercase(), m.id.bare().to_lowercase()],
            suggestion: Suggestion {
                text: format!("{name} "),
                label: m.typed().clone(),
                detail: SafeText::line(m.id.as_str()),
                instead: None,
            },
        }
    });
    candidate.collect()
}

/// Suggestions for a command about people: those whose names match what was typed and, after a name, what can follow
/// it.
fn arguments(people: &[MentionCandidate], person: &str, roles: &[&str]) -> Vec<Suggestion> {
    let mut found = find_people(people, &person.trim_start_matches('@').to_lowercase());
    if let Some((name, begun)) = person.rsplit_once(' ').filter(|(name, _)| !name.is_empty()) {
        let fitting = roles.iter().filter(|role| role.starts_with(begun));
        found.extend(fitting.map(|role| Suggestion {
            text: format!("{name} {role}"),
            label: (*role).into(),
            detail: SafeText::default(),
            instead: None,
        }));
    }
    found
}

fn find_people(people: &[MentionCandidate], prefix: &str) -> Vec<Suggestion> {
    let begins = |c: &&MentionCandidate| {
        let [name, id] = &c.keys;
        name.starts_with(prefix)
            || id.starts_with(prefix)
            || name.split(' ').any(|part| part.starts_with(prefix))
    };
    ranked(people, prefix, begins, |c| &c.keys, |c| c.suggestion.clone())
}

fn find(word: &str, people: &[MentionCandidate], beyond: &Beyond) -> Vec<Suggestion> {
    let prefix = word.get(1..).unwrap_or_default().to_lowercase();
    match word.chars().next() {
        Some('@') => find_people(people, &prefix),
        Some(':') if !prefix.is_empty() => emoji(&prefix),
        Some('/') => {
            let name = |usage: &CommandUsage| {
                let word = usage.0.split(' ').next().unwrap_or_default();
                word.trim_start_matches('/').to_owned()
            };
            let commands: Vec<([String; 1], &CommandUsage)> =
                beyond.commands.iter().map(|usage| ([name(usage)], usage)).collect();
            let begins = |(names, _): &&([String; 1], &CommandUsage)| {
                names.iter().any(|name| name.starts_with(&prefix))
            };
            ranked(
                &commands,
                &prefix,
                begins,
                |(names, _)| names,
                |(names, usage)| Suggestion {
                    text: format!("/{} ", names.concat()),
                    label: SafeText::line(&usage.0),
                    detail: usage.1.into(),
                    instead: None,
                },
            )
        }
        Some('#') if !prefix.is_empty() => chats(&prefix, &beyond.chats),
        _ => Vec::new(),
    }
}

fn chats(prefix: &str, titles: &[SafeText]) -> Vec<Suggestion> {
    let chats: Vec<([String; 1], &SafeText)> =
        titles.iter().map(|title| ([title.to_lowercase()], title)).collect();
    let begins = |([title], _): &&([String; 1], &SafeText)| {
        title.starts_with(prefix) || title.split(' ').any(|part| part.starts_with(prefix))
    };
    let suggest = |(_, title): &([String; 1], &SafeText)| Suggestion {
        text: format!("#{title} "),
        label: (*title).clone(),
        detail: SafeText::default(),
        instead: None,
    };
    ranked(&chats, prefix, begins, |(keys, _)| keys, suggest)
}

/// First the items that begin with the letters, in the given order; then those that contain them, best matches first.
fn ranked<'a, T>(
    all: &'a [T],
    prefix: &str,
    begins: impl Fn(&&'a T) -> bool,
    keys: impl Fn(&'a T) -> &'a [String],
    suggest: impl Fn(&'a T) -> Suggestion,
) -> Vec<Suggestion> {
    let mut found: Vec<Suggestion> =
        all.iter().filter(|item| begins(item)).take(MAX).map(&suggest).collect();
    if found.len() < MAX && prefix.chars().count() >= FUZZY_FROM {
        let mut ranker = Ranker::new(prefix);
        let others = all.iter().filter(|item| !begins(item));
        let mut others: Vec<(u32, &T)> = others
            .filter_map(|item| {
                let ranks = keys(item).iter().filter_map(|key| ranker.rank(key));
                Some((ranks.max()?, item))
            })
            .collect();
        others.sort_by_key(|(rank, _)| Reverse(*rank));
        let room = MAX - found.len();
        found.extend(others.into_iter().take(room).map(|(_, item)| suggest(item)));
    }
    found
}

fn emoji(prefix: &str) -> Vec<Suggestion> {
    let suggest = |(name, glyph): (&str, &str)| Suggestion {
        text: format!("{glyph} "),
        label: SafeText::line(&format!("{glyph}  {name}")),
        detail: SafeText::default(),
        instead: None,
    };
    find_emoji(prefix).into_iter().map(suggest).collect()
}

/// The emoji whose names begin with the letters or contain them, each with that name.
pub fn find_emoji(prefix: &str) -> Vec<(&'static str, &'static str)> {
    let mut found = emoticon::named(prefix);
    found.truncate(MAX);
    if found.len() < MAX && prefix.chars().count() >= FUZZY_FROM {
        let mut seen: HashSet<&str> = found.iter().map(|(_, glyph)| *glyph).collect();
        let mut ranker = Ranker::new(prefix);
        let names = emoticon::names();
        let mut others: Vec<(u32, (&str, &str))> =
            names.filter_map(|named| Some((ranker.rank(named.0)?, named))).collect();
        others.sort_by_key(|(rank, (name, _))| (Reverse(*rank), name.len()));
        let others = others.into_iter().map(|(_, named)| named);
        let room = MAX - found.len();
        found.extend(others.filter(|(_, glyph)| seen.insert(*glyph)).take(room));
    }
    found
}

/// Everyone who can be mentioned. People with a label are completed by their label.
fn candidates(chat: &Chat, me: &UserId, names: &Names) -> Vec<MentionCandidate> {
    let people = people(chat, me, names);
    let labelled: HashSet<&UserId> =
        people.iter().filter(|m| m.label.is_some()).map(|m| &m.id).collect();
    let shown = people.iter().filter(|m| m.label.is_some() || !labelled.contains(&m.id));
    let candidate = shown.map(|m| {
        let is_everyone = m.id.as_str() == EVERYONE;
        let detail = if is_everyone { "everyone here" } else { m.id.as_str() };
        MentionCandidate {
            keys: [m.typed().to_lowercase(), m.id.bare().to_lowercase()],
            suggestion: Suggestion {
                text: format!("@{} ", m.typed()),
                label: m.typed().clone(),
                detail: SafeText::line(detail),
                instead: None,
            },
        }
    });
    candidate.collect()
}
