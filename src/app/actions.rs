//! The user's actions: one file per area.

pub mod compose;
mod general;
pub mod inbox;
mod links;
mod list;
mod messages;
mod pointer;
pub mod spelling;
mod suggestions;
mod thread;

use super::action::{Action, AppAction, ComposeAction, Motion, OverlayAction, PrefixKey};
use super::commands;
use super::model::Model;

/// Carries out an action, and the actions it leads to.
pub fn act(model: &mut Model, action: Action) {
    inbox::welcome_back(model);
    model.app.presence.acted = true;
    model.app.presence.acted_at = model.app.clock.mono;
    model.app.presence.question_due = None;
    model.app.pending.count_action();
    model.app.keys.prefix = None;
    if !matches!(action, Action::Pointer(_)) {
        model.view.list_from = None;
        model.view.clicked = None;
    }
    if let Action::Prefix(key) = action {
        prefix(model, key);
        return;
    }
    if model.overlays.shows_welcome() {
        model.overlays.drop_passive();
        if action == Action::App(AppAction::Escape) {
            return;
        }
    }
    carry_out(model, action);
}

/// Carries out an action that does not come from a key press, and the actions it leads to.
pub fn carry_out(model: &mut Model, action: Action) {
    let mut next = Some(action);
    while let Some(action) = next.take() {
        next = act_once(model, action);
    }
}

fn prefix(model: &mut Model, key: PrefixKey) {
    match key {
        PrefixKey::Began(name) => model.app.keys.prefix = Some((name, model.app.clock.mono)),
        PrefixKey::Wrong(keys) => model.app.complain(&format!("No action is bound to {keys}")),
        PrefixKey::Cancelled => {}
    }
}

/// Whether the action determines which part of the chat is visible.
fn moves_the_view(action: &Action) -> bool {
    matches!(
        action,
        Action::Messages(_) | Action::App(AppAction::Escape) | Action::Compose(ComposeAction::Send)
    )
}

fn act_once(model: &mut Model, action: Action) -> Option<Action> {
    if moves_the_view(&action) {
        model.app.with_open(|chat, _| chat.reading.stay_put());
    }
    if suggestions::take(model, &action) {
        return None;
    }
    if action != Action::App(AppAction::FocusNext) {
        let keeps_suggestions = suggestions::stay_with(&action);
        let again = action == Action::Compose(ComposeAction::Delete(Motion::LineStart));
        model.app.with_open_box(|chat, _| {
            chat.composer.completion = None;
            if !matches!(action, Action::Compose(ComposeAction::Recall { .. })) {
                chat.composer.recall = None;
            }
            if !keeps_suggestions {
                chat.composer.suggestions = None;
            }
            chat.composer.cleared_line &= again;
        });
    }
    if action.writes() {
        if model.app.is_in_archive() {
            model.app.note("This is an archive: it can be read, searched and exported");
            return None;
        }
        if model.app.prefs.read_only {
            model.app.note("Read-only: nothing can be sent or changed");
            return None;
        }
    }
    match action {
        Action::App(action) => general::act(model, action),
        Action::List(action) => list::act(model, action),
        Action::Messages(super::MessagesAction::Scroll(scroll)) if model.overlays.takes_keys() => {
            return model.act_on_dialog(OverlayAction::Scroll(scroll));
        }
        Action::Messages(action) => messages::act(model, action),
        Action::Compose(action) => return compose::act(model, action),
        Action::Thread(action) => thread::act(model, action),
        Action::Overlay(action) => return model.act_on_dialog(action),
        Action::Command(line) => return commands::run_alone(model, &line),
        Action::Pointer(pointer) => return pointer::act(model, pointer),
        // Handled above.
        Action::Prefix(_) => {}
    }
    None
}
