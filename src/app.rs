//! The core of the program: [`Model`], [`update`] and [`Model::layout`]. Synchronous and pure: inputs and the time go
//! in, effects come out. No await, no clock, no lock, no disk, no terminal.
//!
//! The tiers, each of which may use those below it:
//!
//! ```text
//! app.rs       update(): which tier an input goes to
//! events       what comes from sync, from other programs, and with time
//! actions      what the user does
//! commands     slash commands
//! model        Model: state, dialogs and view together
//! overlay      dialogs: a stack; state, lines and keys of each
//! view         what is in sight: layout, rows, list, status
//! state        AppState: accounts, the open chat, notes, pending requests
//! chat         one conversation: timeline, history, reading, sending, composer, group
//! (the rest)   actions' names, keys, effects, preferences, pending requests, notes, what draws attention
//! ```

pub mod account;
pub mod action;
mod actions;
pub mod attention;
pub mod chat;
pub mod commands;
pub mod conversations;
pub mod effect;
mod events;
pub mod figures;
pub mod fuzzy;
mod ids;
pub mod keymap;
mod model;
pub mod notes;
pub mod overlay;
pub mod pending;
pub mod prefs;
mod reachable;
pub mod state;
pub mod view;

pub use account::{Account, Accounts};
pub use action::{
    Action, AppAction, ComposeAction, ListAction, MessagesAction, OverlayAction, ThreadAction,
};
pub use effect::Effect;
pub use model::Model;
pub use prefs::Prefs;
pub use state::{AppState, Focus};

use crate::model::{Background, EmojiWidth, FrameFigures, Inbound, Now, Rgb};
use std::time::Duration;
use view::Want;
use view::layout::Size;

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub enum Input {
    Action(Action),
    Delta(Inbound),
    Want(Want),
    Outcome(effect::Outcome),
    Resize(Size),
    /// The terminal gained or lost the focus.
    Focus(bool),
    /// The terminal distinguishes keys that are the same elsewhere, such as Enter and Shift-Enter.
    EnhancedKeyboard,
    /// The terminal has reported how it draws joined emoji.
    EmojiWidth(EmojiWidth),
    /// The terminal has reported its background.
    Background(Rgb),
    /// Measurements of keys and frames, while they are shown.
    Figures(FrameFigures),
    /// The time returned by [`next_deadline`] has come.
    Deadline,
}

impl Input {
    /// Whether it usually changes the text in the message box and nothing else.
    fn edits_text(&self) -> bool {
        use ComposeAction::{Delete, Insert, Move, Newline};
        let Self::Action(Action::Compose(action)) = self else { return false };
        matches!(action, Insert(_) | Delete(_) | Move(_) | Newline)
    }
}

/// Applies one input. Everything that has to be done outside is returned as effects.
pub fn update(model: &mut Model, input: Input, now: Now) -> Vec<Effect> {
    let mut changes_screen = match input {
        Input::Want(Want::Seen { .. } | Want::Spelling(_)) => false,
        Input::Deadline => events::deadline::is_due_beside_chats(&model.app, now.mono),
        _ => true,
    };
    let revision = if input.edits_text() { model.stable_revision() } else { None };
    model.app.tick(now);
    match input {
        Input::Action(action) => actions::act(model, action),
        Input::Delta(inbound) => events::delta(model, inbound),
        Input::Want(want) => events::want(model, want),
        Input::Outcome(outcome) => events::outcome(model, outcome),
        Input::Resize(size) => model.resize(size),
        Input::Focus(focused) => events::focus(model, focused),
        Input::EnhancedKeyboard => model.app.prefs.enhanced_keyboard = true,
        Input::EmojiWidth(width) => events::emoji_width(model, width),
        Input::Background(color) => model.app.prefs.background = Background::Color(color),
        Input::Figures(figures) => events::figures::measured(model, figures),
        Input::Deadline => changes_screen |= events::deadline::expire(model),
    }
    model.app.accounts.settle();
    if changes_screen {
        model.changed(revision.is_some() && model.stable_revision() == revision);
    }
    std::mem::take(&mut model.app.effects)
}

/// The next moment (monotonic) at which something changes without an input; `None` means never.
pub fn next_deadline(app: &AppState) -> Option<Duration> {
    events::deadline::next(app)
}

#[cfg(test)]
mod tests;
