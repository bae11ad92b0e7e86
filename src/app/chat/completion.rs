//! Tab in the message box: names after `@`, emoticons after `:`, commands after `/`, chats after `#`. Again: the next.

use super::Chat;
use super::suggestions::{self, Beyond, Suggestion};
use crate::model::names::{likeness, pretends};
use crate::model::{Mention, Names, SafeText, UserId, composer_markup};
use std::collections::HashMap;

/// The word that mentions everyone in a group.
const ALL: &str = "all";

/// A completed word: its place in the text, and the alternatives.
#[derive(Clone, Debug, PartialEq)]
pub struct Completion {
    from: usize,
    options: Vec<String>,
    at: usize,
}

/// What Tab did in the box.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Completed {
    Done,
    /// There is a word to complete, but no candidate for it.
    NoMatch(String),
    /// There is no word to complete: Tab can do something else.
    NoWord,
}

/// Completes the word before the cursor, with what is suggested for it.
pub fn complete(chat: &mut Chat, me: &UserId, names: &Names, beyond: &Beyond) -> Completed {
    if let Some(mut known) = chat.composer.completion.take() {
        known.at = (known.at + 1) % known.options.len().max(1);
        if let Some(option) = known.options.get(known.at) {
            chat.composer.replace_before_cursor(known.from, option);
        }
        chat.composer.completion = Some(known);
        return Completed::Done;
    }
    if take_suggestion(chat) {
        return Completed::Done;
    }
    let Some(word) = open_word(chat.composer.before_cursor()) else { return Completed::NoWord };
    let found = suggestions::of_word(chat, me, names, beyond, word);
    if found.is_empty() {
        return Completed::NoMatch(word.to_owned());
    }
    let from = chat.composer.before_cursor().len() - word.len();
    insert(chat, from, found, 0);
    Completed::Done
}

/// Takes the suggestion that the user has moved to, or the first one; false if none are shown.
pub fn take_suggestion(chat: &mut Chat) -> bool {
    let composer = &mut chat.composer;
    let are_shown = composer.suggestions.as_ref().is_some_and(|s| s.are_shown(composer));
    let Some(open) = composer.suggestions.take().filter(|_| are_shown) else { return false };
    insert(chat, open.from, open.found, open.marked.unwrap_or(0));
    true
}

fn insert(chat: &mut Chat, from: usize, found: Vec<Suggestion>, at: usize) {
    let found = found.into_iter().filter(|suggestion| suggestion.instead.is_none());
    let options: Vec<String> = found.map(|suggestion| suggestion.text).collect();
    if let Some(option) = options.get(at) {
        chat.composer.replace_before_cursor(from, option);
    }
    chat.composer.suggestions = None;
    chat.composer.completion = Some(Completion { from, options, at });
}

/// Commands whose arguments are people, each with what can follow a person.
const ABOUT_PEOPLE: [(&str, &[&str]); 2] = [("/kick ", &[]), ("/role ", &["admin", "user"])];

/// The person being typed in a command about people, and what can follow.
pub fn open_person(before: &str) -> Option<(&str, &'static [&'static str])> {
    ABOUT_PEOPLE.iter().find_map(|(command, roles)| {
        let people = before.strip_prefix(command).filter(|people| !people.contains('\n'))?;
        let person = people.rsplit(',').next().unwrap_or_default().trim_start();
        Some((person, *roles))
    })
}

/// The last word, if it begins a name, an emoticon or a command; in a command about people, the whole name.
pub fn open_word(before: &str) -> Option<&str> {
    if let Some((person, _)) = open_person(before) {
        return Some(person);
    }
    let from = before.rfind(char::is_whitespace).map_or(0, |at| at + 1);
    let word = before.get(from..)?;
    let mut chars = word.chars();
    let begins = match chars.next()? {
        '@' => true,
        // A face such as `:)` is already complete.
        ':' => chars.all(|c| c.is_alphanumeric() || matches!(c, '_' | '+' | '-')),
        '/' => from == 0,
        // A number such as `#17` does not begin a chat's title.
        '#' => chars.next().is_some_and(char::is_alphabetic),
        _ => false,
    };
    begins.then_some(word)
}

/// Everyone who can be mentioned here. Someone whose name others share, or whose name begins a longer one, has a label
/// with the id, so that it always means one person.
pub fn people(chat: &Chat, me: &UserId, names: &Names) -> Vec<Mention> {
    let members = chat.group.members.iter().map(|m| m.id.clone()).chain(chat.info.id.peer());
    let mut people: Vec<Mention> =
        members.filter(|id| id != me).map(|id| Mention::by_name(names.of(&id), id)).collect();
    people.sort_by(|a, b| a.name.cmp(&b.name).then_with(|| a.id.cmp(&b.id)));
    people.dedup();
    let everyone = chat.info.is_group().then(|| Mention::by_name(ALL.into(), UserId::new("*")));
    let mut bearers: HashMap<String, usize> = HashMap::new();
    for person in people.iter().chain(&everyone) {
        *bearers.entry(likeness(&person.name)).or_default() += 1;
    }
    let mut out: Vec<Mention> = Vec::with_capacity(people.len() + 1);
    for (i, person) in people.iter().enumerate() {
        let is_shared = pretends(&person.name)
            || bearers.get(&likeness(&person.name)).is_some_and(|count| *count > 1);
        let begins_another = people.get(i + 1).is_some_and(|next| begins(&person.name, &next.name));
        if begins_another && !is_shared {
            // When a name is typed out, the longest name that matches is meant.
            out.push(person.clone());
        }
        if is_shared || begins_another {
            out.push(Mention { label: Some(names.label(&person.id)), ..person.clone() });
        } else {
            out.push(person.clone());
        }
    }
    out.extend(everyone);
    out
}

/// Whether one name is the beginning of another.
fn begins(name: &str, other: &str) -> bool {
    other
        .strip_prefix(name)
        .and_then(|rest| rest.chars().next())
        .is_some_and(|c| !c.is_alphanumeric())
}

/// The people whose names or labels follow an `@` in a text.
pub fn mentioned(chat: &Chat, me: &UserId, names: &Names, text: &str) -> Vec<Mention> {
    if !text.contains('@') {
        return Vec::new();
    }
    let is_named = |m: &Mention| text.contains(&format!("@{}", m.typed()));
    let mut found: Vec<Mention> = people(chat, me, names).into_iter().filter(is_named).collect();
    // A label may be the beginning of another.
    let meant = composer_markup::read(text, &found);
    found.retain(|m| meant.names(&m.id));
    found
}

/// A name after an `@` that several members have, so that it is ambiguous.
pub fn ambiguous(chat: &Chat, me: &UserId, names: &Names, text: &str) -> Option<SafeText> {
    if !text.contains('@') {
        return None;
    }
    let people = people(chat, me, names);
    let is_one = |after: &str, name: &SafeText| {
        let is_longer = |m: &&Mention| m.typed().len() > name.len();
        people.iter().filter(is_longer).any(|m| after.starts_with(m.typed().as_str()))
    };
    let shared = people.iter().filter(|m| people.iter().all(|p| *p.typed() != m.name));
    let mut shared = shared.map(|m| &m.name);
    let stands_alone = |name: &&SafeText| {
        text.match_indices(&format!("@{name}")).any(|(at, _)| {
            let after = text.get(at + 1..).unwrap_or_default();
            let next = after.get(name.len()..).and_then(|rest| rest.chars().next());
            next.is_none_or(|c| !c.is_alphanumeric()) && !is_one(after, name)
        })
    };
    shared.find(stands_alone).cloned()
}
