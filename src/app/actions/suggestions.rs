//! Keys that mean something else while suggestions are shown above the message box.

use super::spelling;
use crate::app::action::{Action, AppAction, ComposeAction, Motion};
use crate::app::chat::suggestions::Beyond;
use crate::app::chat::{completion, sending, suggestions};
use crate::app::commands;
use crate::app::keymap::Context;
use crate::app::model::Model;

/// At most this many of the most recently active chats are suggested after `#`: titles are made for every letter.
const MAX_TITLES: usize = 2_000;

/// Whether the suggestions have handled the key. They take Enter only after the user has moved to one of them;
/// otherwise it sends what was typed.
pub fn take(model: &mut Model, action: &Action) -> bool {
    if model.context() != Context::Compose {
        return false;
    }
    if matches!(action, Action::App(AppAction::FocusNext) | Action::Compose(ComposeAction::Send))
        && spelling::take_marked(model)
    {
        return true;
    }
    let taken = model.app.with_open_box(|chat, env| {
        let composer = &mut chat.composer;
        let are_shown = composer.suggestions.as_ref().is_some_and(|s| s.are_shown(composer));
        let Some(open) = composer.suggestions.as_mut().filter(|_| are_shown) else { return false };
        match action {
            Action::Compose(ComposeAction::Move(Motion::Up)) => open.step(false),
            Action::Compose(ComposeAction::Move(Motion::Down)) => open.step(true),
            Action::App(AppAction::Escape) => open.closed = true,
            Action::Compose(ComposeAction::Send) if open.marked.is_some() => {
                completion::take_suggestion(chat);
                sending::draft_changed(chat, env.now.mono);
            }
            _ => return false,
        }
        true
    });
    taken == Some(true)
}

/// Whether the suggestions cover a cell of the screen.
pub fn covers(model: &Model, column: u16, row: u16) -> bool {
    let is_shown = model.app.opened().is_some_and(|chat| {
        let open = chat.composer.suggestions.as_ref();
        open.is_some_and(|open| open.are_shown(&chat.composer))
    });
    let area = model.dialog.as_ref().filter(|dialog| !dialog.takes_keys).map(|dialog| dialog.area);
    is_shown
        && area.is_some_and(|area| {
            (area.x..area.x + area.width).contains(&column)
                && (area.y..area.y + area.height).contains(&row)
        })
}

/// Takes the suggestion in a row of the screen, if there is one.
pub fn take_clicked(model: &mut Model, row: u16) {
    let Some(body) = model.dialog.as_ref().map(|dialog| dialog.body) else { return };
    let Some(line) = row.checked_sub(body.y).filter(|line| *line < body.height) else { return };
    model.app.with_open_box(|chat, _| {
        if let Some(open) = &mut chat.composer.suggestions {
            let at = open.first_shown() + usize::from(line);
            open.marked = Some(at.min(open.found.len().saturating_sub(1)));
        }
    });
    if spelling::take_marked(model) {
        return;
    }
    model.app.with_open_box(|chat, env| {
        if completion::take_suggestion(chat) {
            sending::draft_changed(chat, env.now.mono);
        }
    });
}

/// Whether an action leaves the suggestions as they are, or renews them itself.
pub fn stay_with(action: &Action) -> bool {
    matches!(
        action,
        Action::App(AppAction::FocusNext)
            | Action::Compose(ComposeAction::Insert(_) | ComposeAction::Delete(Motion::Left))
            | Action::Pointer(_)
    )
}

/// Renews them after something was typed.
pub fn renew(model: &mut Model) {
    if !model.app.prefs.choices.ui.suggestions {
        return;
    }
    let beyond = beyond(model);
    model.app.with_open_box(|chat, env| suggestions::renew(chat, env.me, env.names, &beyond));
}

/// The commands and chats that may be suggested for the word before the cursor.
pub fn beyond(model: &Model) -> Beyond {
    let before = model.app.opened().map(|chat| chat.composer.before_cursor()).unwrap_or_default();
    let commands = if before.starts_with('/') { commands::help() } else { Vec::new() };
    let is_chat = completion::open_word(before).is_some_and(|word| word.starts_with('#'));
    let titles = || {
        let chats = model.app.shown_chats().take(MAX_TITLES);
        chats.map(|chat| model.app.accounts.of(chat).title(chat)).collect()
    };
    Beyond { commands, chats: if is_chat { titles() } else { Vec::new() } }
}
