//! Chooses a reaction; choosing the same one again removes it.

use super::content::{Content, DialogLine, step};
use super::{Dialog, DialogEnv, Next};
use crate::app::action::OverlayAction;
use crate::app::chat::message_change::{REACTIONS, react};
use crate::app::state::AppState;
use crate::app::view::layout::Size;
use crate::model::text::fit;
use crate::model::{ChatRef, MessageKey};

#[derive(Debug)]
pub struct Reactions {
    chat: ChatRef,
    message: MessageKey,
    marked: usize,
}

impl Reactions {
    pub fn new(chat: ChatRef, message: MessageKey) -> Self {
        Self { chat, message, marked: 0 }
    }
}

impl Dialog for Reactions {
    fn content(&self, _: &AppState, _: Size) -> Content {
        let lines = (1..).zip(REACTIONS);
        let lines = lines
            .map(|(n, (key, glyph))| DialogLine::new(format!("{n} {}  {key}", fit(glyph, 2)), ""));
        Content::new("React", lines.collect(), "Enter or a number reacts · again: removes it")
            .narrow()
            .with_marked(self.marked, "")
    }

    fn act(&mut self, action: OverlayAction, env: &mut DialogEnv<'_>) -> Next {
        let chosen = match action {
            OverlayAction::Choose => Some(self.marked),
            OverlayAction::Type(c) => digit(c),
            other => {
                step(&mut self.marked, other.step_or_tab(env.page).unwrap_or(0), REACTIONS.len());
                None
            }
        };
        let Some((key, _)) = chosen.and_then(|at| REACTIONS.get(at)) else { return Next::Stay };
        env.app.with_chat(&self.chat, |chat, env| react(chat, env, &self.message, key));
        Next::Close
    }
}

/// The index of the line with this digit.
pub fn digit(c: char) -> Option<usize> {
    let n = usize::try_from(c.to_digit(10)?).ok()?;
    n.checked_sub(1)
}
