//! Tab in the message box: names after `@`, emoticons after `:`, commands after `/`. Again: the next one.

use super::Chat;
use crate::model::{Mention, Names, SafeText, UserId, emoticon};

/// What stands at a place of the text, and what may stand there instead.
#[derive(Clone, Debug, PartialEq)]
pub struct Completion {
    from: usize,
    options: Vec<String>,
    at: usize,
}

/// Completes the word before the cursor; false when there is nothing to complete. `commands` are the names of the slash
/// commands.
pub fn complete(chat: &mut Chat, me: &UserId, names: &Names, commands: &[&str]) -> bool {
    let next = match &chat.composer.completion {
        Some(known) => {
            let mut next = known.clone();
            next.at = (next.at + 1) % next.options.len().max(1);
            Some(next)
        }
        None => begin(chat, me, names, commands),
    };
    let Some(next) = next else { return false };
    let Some(option) = next.options.get(next.at).cloned() else { return false };
    chat.composer.replace_before_cursor(next.from, &option);
    chat.composer.completion = Some(next);
    true
}

fn begin(chat: &Chat, me: &UserId, names: &Names, commands: &[&str]) -> Option<Completion> {
    let before = chat.composer.text().get(..chat.composer.draft.cursor)?;
    let from = before.rfind(char::is_whitespace).map_or(0, |at| at + 1);
    let word = before.get(from..)?;
    let prefix = word.get(1..).unwrap_or_default().to_lowercase();
    let options: Vec<String> = if word.starts_with('@') {
        let people = people(chat, me, names).into_iter().map(|m| m.name.to_string());
        let fits = |name: &String| {
            let name = name.to_lowercase();
            name.starts_with(&prefix) || name.split(' ').any(|part| part.starts_with(&prefix))
        };
        people.filter(fits).map(|name| format!("@{name} ")).collect()
    } else if word.starts_with(':') && prefix.len() >= 2 {
        emoticon::complete(&prefix).map(|(_, glyph)| format!("{glyph} ")).collect()
    } else if word.starts_with('/') && from == 0 {
        let fitting = commands.iter().filter(|name| name.starts_with(&prefix));
        fitting.map(|name| format!("/{name} ")).collect()
    } else {
        Vec::new()
    };
    (!options.is_empty()).then_some(Completion { from, options, at: 0 })
}

/// Everyone who can be mentioned here.
fn people(chat: &Chat, me: &UserId, names: &Names) -> Vec<Mention> {
    let members = chat.group.members.iter().map(|m| m.id.clone()).chain(chat.info.id.peer());
    let mut people: Vec<Mention> =
        members.filter(|id| id != me).map(|id| Mention { name: names.of(&id), id }).collect();
    people.sort_by(|a, b| a.name.cmp(&b.name));
    people.dedup();
    if chat.info.is_group() {
        people.push(Mention { name: SafeText::line("all"), id: UserId::new("*") });
    }
    people
}

/// The people whose names stand after an `@` in a text.
pub fn mentioned(chat: &Chat, me: &UserId, names: &Names, text: &str) -> Vec<Mention> {
    if !text.contains('@') {
        return Vec::new();
    }
    let is_named = |m: &Mention| text.contains(&format!("@{}", m.name));
    people(chat, me, names).into_iter().filter(is_named).collect()
}
