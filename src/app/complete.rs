//! Tab in the message box: names after `@`, emoticons after `:`, commands after `/`. Again: the next one.

use super::Model;
use super::on_compose::COMMANDS;
use super::state::{AppState, ConversationState};
use crate::model::{Mention, SafeText, UserId, emoticon};

/// What stands at a place of the text, and what may stand there instead.
#[derive(Clone, Debug, PartialEq)]
pub struct Completion {
    from: usize,
    options: Vec<String>,
    at: usize,
}

/// Completes the word before the cursor; false when there is nothing to complete.
pub fn complete(model: &mut Model) -> bool {
    let Some(c) = model.app.opened() else { return false };
    let next = match &c.compose.completion {
        Some(known) => {
            let mut next = known.clone();
            next.at = (next.at + 1) % next.options.len().max(1);
            Some(next)
        }
        None => begin(&model.app, c),
    };
    let Some(next) = next else { return false };
    let Some(option) = next.options.get(next.at).cloned() else { return false };
    let from = next.from;
    if let Some(c) = model.app.opened_mut() {
        c.compose.replace_before_cursor(from, &option);
        c.compose.completion = Some(next);
    }
    true
}

fn begin(app: &AppState, c: &ConversationState) -> Option<Completion> {
    let before = c.compose.text().get(..c.compose.draft.cursor)?;
    let from = before.rfind(char::is_whitespace).map_or(0, |at| at + 1);
    let word = before.get(from..)?;
    let prefix = word.get(1..).unwrap_or_default().to_lowercase();
    let options: Vec<String> = if word.starts_with('@') {
        let people = people(app, c).into_iter().map(|m| m.name.to_string());
        let fits = |name: &String| {
            let name = name.to_lowercase();
            name.starts_with(&prefix) || name.split(' ').any(|part| part.starts_with(&prefix))
        };
        people.filter(fits).map(|name| format!("@{name} ")).collect()
    } else if word.starts_with(':') && prefix.len() >= 2 {
        emoticon::complete(&prefix).map(|(_, glyph)| format!("{glyph} ")).collect()
    } else if word.starts_with('/') && from == 0 {
        let commands = COMMANDS.iter().map(|(name, _)| *name);
        commands.filter(|name| name.starts_with(&prefix)).map(|name| format!("/{name} ")).collect()
    } else {
        Vec::new()
    };
    (!options.is_empty()).then_some(Completion { from, options, at: 0 })
}

/// Everyone who can be mentioned here.
fn people(app: &AppState, c: &ConversationState) -> Vec<Mention> {
    let me = app.me();
    let members = c.group.members.iter().map(|m| m.id.clone()).chain(c.info.id.peer());
    let mut people: Vec<Mention> =
        members.filter(|id| id != me).map(|id| Mention { name: app.names.of(&id), id }).collect();
    people.sort_by(|a, b| a.name.cmp(&b.name));
    people.dedup();
    if c.info.is_group() {
        people.push(Mention { name: SafeText::line("all"), id: UserId::new("*") });
    }
    people
}

/// The people whose names stand after an `@` in a text.
pub fn mentioned(app: &AppState, c: &ConversationState, text: &str) -> Vec<Mention> {
    if !text.contains('@') {
        return Vec::new();
    }
    let named = |m: &Mention| text.contains(&format!("@{}", m.name));
    people(app, c).into_iter().filter(named).collect()
}
