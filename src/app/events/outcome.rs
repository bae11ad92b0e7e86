//! Results of other programs: the clipboard, the editor.

use crate::app::actions::{compose, spelling};
use crate::app::chat::sending;
use crate::app::effect::{Alert, Effect, Outcome};
use crate::app::model::Model;
use crate::model::DesktopWay;
use crate::model::text::can_be_typed;

pub fn apply(model: &mut Model, outcome: Outcome) {
    match outcome {
        Outcome::Copied { what, terminal, program } => {
            match program {
                Some(program) => model.app.note(&format!("Copied {what} ({program})")),
                // Terminals do not say whether they have put it on the clipboard.
                None if terminal => model.app.note(&format!("Sent to the terminal: {what}")),
                None => model.app.complain(&format!(
                    "Not copied: {what} is too long for the terminal's clipboard"
                )),
            }
        }
        Outcome::NotOpened { program } => {
            model.app.complain(&format!("{program} cannot be started; y copies the link"));
        }
        // Once is enough: it would be repeated with every message.
        Outcome::NotNotified { .. } if model.app.presence.attention.told_of_program => {}
        Outcome::NotNotified { program } => {
            model.app.presence.attention.told_of_program = true;
            model.app.complain(&format!("{program} cannot be started (notifications.command)"));
        }
        Outcome::NoNotificationService { has_rung } => no_notification_service(model, has_rung),
        Outcome::Highlighted { number, parts } => model.view.highlighted(number, parts),
        Outcome::Spelling(answer) => spelling::answer(model, answer),
        Outcome::Pasted(Ok(text)) => {
            compose::paste_clipboard(model, text);
        }
        Outcome::Pasted(Err(why)) | Outcome::EditedOutside { text: Err(why), .. } => {
            model.app.complain(&why);
        }
        Outcome::EditedOutside { chat, text: Ok(text) } => {
            let text: String = text.chars().filter(|c| can_be_typed(*c)).collect();
            model.app.with_chat(&chat, |chat, env| {
                if chat.composer.text() != text {
                    chat.composer.set_text(&text);
                }
                sending::draft_changed(chat, env.now.mono);
            });
        }
    }
}

/// Rings the bell instead; a user who has chosen D-Bus is told once.
fn no_notification_service(model: &mut Model, has_rung: bool) {
    let app = &mut model.app;
    if !has_rung {
        app.effects.push(Effect::Alert(Alert::Bell));
    }
    let is_chosen = app.prefs.choices.notifications.desktop == DesktopWay::Dbus;
    if is_chosen && !app.presence.attention.told_of_service {
        app.presence.attention.told_of_service = true;
        app.complain("No notification service answers on D-Bus (notifications.desktop)");
    }
}
