//! Recalls what was sent before into the box, to send it again or something like it.

use super::{Chat, Env, sending};
use crate::model::{Block, MessageBody, RichText, composer_markup};

/// The most lines that can be recalled.
const MAX: usize = 100;
/// How many loaded messages are searched for own ones.
const LOOK_BACK: usize = 1_000;

/// The user's position in the list of sent lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recall {
    /// Newest first.
    lines: Vec<String>,
    at: usize,
    /// The text that was in the box.
    before: String,
}

/// Remembers a sent line, which may be a command.
pub fn remember(sent: &mut Vec<String>, line: &str) {
    sent.retain(|known| known != line);
    sent.push(line.to_owned());
    if sent.len() > MAX {
        sent.remove(0);
    }
}

/// What was sent here, newest first: the lines of this run, then own messages from before.
fn lines(chat: &Chat, env: &Env<'_>) -> Vec<String> {
    let mut lines: Vec<String> = chat.composer.sent.iter().rev().cloned().collect();
    let own = chat.timeline.iter().rev().take(LOOK_BACK).filter(|m| m.sender == *env.me);
    for message in own {
        if lines.len() >= MAX {
            break;
        }
        let (MessageBody::Text(rich) | MessageBody::Emote(rich)) = &message.body else { continue };
        let answer = rich.blocks.iter().filter(|block| !matches!(block, Block::Quote { .. }));
        let rich = RichText { blocks: answer.cloned().collect() };
        let typed = composer_markup::write(&rich, &|_| None).map(|(text, _)| text);
        let text = typed.unwrap_or_else(|| rich.plain_text());
        let is_emote = matches!(message.body, MessageBody::Emote(_));
        let line = if is_emote { format!("/me {text}") } else { text };
        if !line.trim().is_empty() && !lines.contains(&line) {
            lines.push(line);
        }
    }
    lines
}

/// Puts the previous or next line into the box; after the newest one, the text that was there at first.
pub fn step(chat: &mut Chat, env: &mut Env<'_>, older: bool) {
    if chat.composer.draft.edit.is_some() {
        env.note("A message is being edited; Esc ends that");
        return;
    }
    let mut recall = match (chat.composer.recall.take(), older) {
        (Some(mut recall), true) => {
            recall.at = (recall.at + 1).min(recall.lines.len().saturating_sub(1));
            recall
        }
        (Some(Recall { at: 0, before, .. }), false) => {
            chat.composer.set_text(&before);
            sending::draft_changed(chat, env.now.mono);
            return;
        }
        (Some(mut recall), false) => {
            recall.at -= 1;
            recall
        }
        (None, true) => {
            let before = chat.composer.text().to_owned();
            Recall { lines: lines(chat, env), at: 0, before }
        }
        (None, false) => return,
    };
    if recall.lines.first().is_some_and(|line| *line == recall.before) && recall.at == 0 {
        // Skip the line that is in the box already.
        recall.lines.remove(0);
    }
    let Some(line) = recall.lines.get(recall.at) else {
        env.note("Nothing sent here yet");
        return;
    };
    chat.composer.set_text(line);
    chat.composer.recall = Some(recall);
    sending::draft_changed(chat, env.now.mono);
}
