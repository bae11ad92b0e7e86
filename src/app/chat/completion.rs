//! Tab in the message box: names after `@`, emoticons after `:`, commands after `/`. Again: the next one.

use super::Chat;
use crate::model::names::{likeness, pretends};
use crate::model::{Mention, Names, SafeText, UserId, composer_markup, emoticon};
use std::collections::HashMap;

/// The word that mentions everyone in a group.
const ALL: &str = "all";

/// A completed word: where it stands in the text, and the alternatives.
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

/// Completes the word before the cursor. `commands` are the names of the slash commands.
pub fn complete(chat: &mut Chat, me: &UserId, names: &Names, commands: &[&str]) -> Completed {
    let next = match &chat.composer.completion {
        Some(known) => {
            let mut next = known.clone();
            next.at = (next.at + 1) % next.options.len().max(1);
            Some(next)
        }
        None => begin(chat, me, names, commands),
    };
    let option = next.as_ref().and_then(|next| next.options.get(next.at).cloned());
    let (Some(next), Some(option)) = (next, option) else {
        let word = open_word(chat.composer.before_cursor());
        return word.map_or(Completed::NoWord, |word| Completed::NoMatch(word.to_owned()));
    };
    chat.composer.replace_before_cursor(next.from, &option);
    chat.composer.completion = Some(next);
    Completed::Done
}

/// The last word of a text, if it begins a name, an emoticon or a command.
pub fn open_word(before: &str) -> Option<&str> {
    let from = before.rfind(char::is_whitespace).map_or(0, |at| at + 1);
    let word = before.get(from..)?;
    let mut chars = word.chars();
    let begins = match chars.next()? {
        '@' => true,
        // A face such as `:)` is complete.
        ':' => chars.all(|c| c.is_alphanumeric() || matches!(c, '_' | '+' | '-')),
        '/' => from == 0,
        _ => false,
    };
    begins.then_some(word)
}

fn begin(chat: &Chat, me: &UserId, names: &Names, commands: &[&str]) -> Option<Completion> {
    let before = chat.composer.before_cursor();
    let from = before.rfind(char::is_whitespace).map_or(0, |at| at + 1);
    let word = before.get(from..)?;
    let prefix = word.get(1..).unwrap_or_default().to_lowercase();
    let options: Vec<String> = if word.starts_with('@') {
        let people = people(chat, me, names);
        // People with a label are completed by their label.
        let is_plain = |m: &Mention| {
            m.label.is_none() && people.iter().any(|p| p.id == m.id && p.label.is_some())
        };
        let fits = |m: &&Mention| {
            let name = m.typed().to_lowercase();
            let parts = name.split(' ').any(|part| part.starts_with(&prefix));
            !is_plain(m) && (name.starts_with(&prefix) || parts || m.id.bare().starts_with(&prefix))
        };
        people.iter().filter(fits).map(|m| format!("@{} ", m.typed())).collect()
    } else if word.starts_with(':') && !prefix.is_empty() {
        emoticon::complete(&prefix).into_iter().map(|glyph| format!("{glyph} ")).collect()
    } else if word.starts_with('/') && from == 0 {
        let fitting = commands.iter().filter(|name| name.starts_with(&prefix));
        fitting.map(|name| format!("/{name} ")).collect()
    } else {
        Vec::new()
    };
    (!options.is_empty()).then_some(Completion { from, options, at: 0 })
}

/// Everyone who can be mentioned here. Someone whose name others have too, or whose name begins a longer one, has a
/// label with the id, so that it is always one person who is meant.
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

/// Whether one name is the beginning of another one.
fn begins(name: &str, other: &str) -> bool {
    other
        .strip_prefix(name)
        .and_then(|rest| rest.chars().next())
        .is_some_and(|c| !c.is_alphanumeric())
}

/// The people whose names or labels stand after an `@` in a text.
pub fn mentioned(chat: &Chat, me: &UserId, names: &Names, text: &str) -> Vec<Mention> {
    if !text.contains('@') {
        return Vec::new();
    }
    let is_named = |m: &Mention| text.contains(&format!("@{}", m.typed()));
    let mut found: Vec<Mention> = people(chat, me, names).into_iter().filter(is_named).collect();
    // A label may be the beginning of another one.
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
