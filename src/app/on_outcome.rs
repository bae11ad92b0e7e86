//! What other programs gave back: the clipboard, the editor.

use super::effect::Outcome;
use super::{Action, ComposeAction, Model, on_action, on_compose};

pub fn apply(model: &mut Model, outcome: Outcome) {
    match outcome {
        Outcome::Copied { what, terminal, program } => {
            let ways: Vec<&str> =
                terminal.then_some("OSC 52").into_iter().chain(program.as_deref()).collect();
            if ways.is_empty() {
                model.app.complain(&format!("{what}: too long for the terminal's clipboard"));
            } else {
                model.app.note(&format!("Copied {what} ({})", ways.join(" and ")));
            }
        }
        Outcome::NotOpened { program } => {
            model.app.complain(&format!("{program} cannot be started; y copies the link"));
        }
        Outcome::Pasted(Ok(text)) => {
            on_action(model, Action::Compose(ComposeAction::Paste(text)));
        }
        Outcome::Pasted(Err(why)) | Outcome::EditedOutside { text: Err(why), .. } => {
            model.app.complain(&why);
        }
        Outcome::EditedOutside { conversation, text: Ok(text) } => {
            let text: String = text.chars().filter(|c| *c == '\n' || !c.is_control()).collect();
            if let Some(c) = model.app.conversations.get_mut(&conversation)
                && c.compose.text() != text
            {
                c.compose.set_text(&text);
            }
            on_compose::changed(model);
        }
    }
}
