//! The heart: [`Model`], [`update`], [`view::ViewState::layout`]. Synchronous and pure: inputs and the time go in,
//! effects come out. No await, no clock, no lock, no disk, no terminal.

pub mod action;
mod bidi;
pub mod chat;
mod complete;
pub mod compose;
pub mod conversations;
pub mod effect;
mod follow;
pub mod group;
pub mod inspect;
pub mod keymap;
pub mod layout;
mod members;
pub mod on_compose;
mod on_deadline;
mod on_delta;
mod on_history;
mod on_list;
mod on_messages;
mod on_outbox;
mod on_outcome;
mod on_overlay;
mod on_thread;
pub mod overlay;
pub mod pending;
mod qr;
mod responses;
pub mod search;
pub mod settings;
mod slash;
mod source;
pub mod state;
pub mod thread_overlay;
pub mod timeline;
pub mod view;
pub mod wrap;

pub use action::{
    Action, AppAction, ComposeAction, ListAction, MessagesAction, OverlayAction, ThreadAction,
};
pub use effect::Effect;
pub use state::{AppState, Focus, Prefs};

use crate::model::{Delta, MessageKey, Now};
use layout::Size;
use view::{ViewState, Want};

/// Everything the program knows (`app`), and what of it is in sight (`view`).
pub struct Model {
    pub app: AppState,
    pub view: ViewState,
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub enum Input {
    Action(Action),
    Delta(Delta),
    Want(Want),
    Outcome(effect::Outcome),
    Resize(Size),
    /// The terminal gained or lost the focus.
    Focus(bool),
    /// The time [`AppState::next_deadline`] named has come.
    Deadline,
}

impl Model {
    pub fn new(prefs: Prefs, size: Size) -> Self {
        Self { app: AppState::new(prefs), view: ViewState::new(size) }
    }
}

/// Applies one input. Everything it wants done comes back as effects.
pub fn update(model: &mut Model, input: Input, now: Now) -> Vec<Effect> {
    model.app.clock = now;
    match input {
        Input::Action(action) => on_action(model, action),
        Input::Delta(delta) => on_delta::apply(model, delta),
        Input::Want(want) => on_want(model, want),
        Input::Outcome(outcome) => on_outcome::apply(model, outcome),
        Input::Resize(size) => model.view.resize(size),
        Input::Focus(focused) => focus(model, focused),
        Input::Deadline => on_deadline::expire(model),
    }
    std::mem::take(&mut model.app.effects)
}

/// Nothing counts as read while nobody looks; the second begins anew when someone does again.
fn focus(model: &mut Model, focused: bool) {
    model.app.view_focus.focused = focused;
    if let Some(c) = model.app.opened_mut()
        && matches!(c.reading.on_screen, Some((_, Some(_))))
    {
        c.reading.on_screen = None;
    }
}

fn on_action(model: &mut Model, action: Action) {
    model.app.view_focus.acted = true;
    if model.app.overlay == Some(overlay::Overlay::Welcome) {
        model.app.overlay = None;
        if action == Action::App(AppAction::Escape) {
            return;
        }
    }
    if action != Action::App(AppAction::FocusNext)
        && let Some(c) = model.app.opened_mut()
    {
        c.compose.completion = None;
    }
    if model.app.prefs.read_only && action.writes() {
        model.app.note("Read-only: nothing can be written here");
        return;
    }
    match action {
        Action::App(action) => on_app(model, action),
        Action::List(action) => on_list::act(model, action),
        Action::Messages(action) => on_messages::act(model, action),
        Action::Compose(action) => on_compose::act(model, action),
        Action::Thread(action) => on_thread::act(model, action),
        Action::Overlay(action) => on_overlay::act(model, action),
    }
}

fn on_app(model: &mut Model, action: AppAction) {
    match action {
        AppAction::Quit => {
            let why = reason_to_stay(model).filter(|_| !model.app.interrupted());
            if let Some(why) = why {
                model.app.note_interrupt();
                model.app.complain(why);
            } else {
                quit(model);
            }
        }
        AppAction::Interrupt => {
            if model.app.interrupted() {
                quit(model);
            } else {
                model.app.note_interrupt();
            }
        }
        AppAction::Escape => escape(model),
        AppAction::Help => {
            let help = overlay::Overlay::help(model.app.context());
            if let Some(overlay::Overlay::Search(search)) = model.app.overlay.replace(help) {
                model.view.under_help = Some(search);
            }
        }
        AppAction::Search { here } => search::open(model, here, ""),
        AppAction::Palette => model.app.overlay = Some(overlay::Overlay::palette()),
        AppAction::Switcher => model.app.overlay = Some(overlay::Overlay::switcher(&model.app)),
        AppAction::Preview => {
            let open = model.app.overlay == Some(overlay::Overlay::Preview);
            model.app.overlay = (!open).then_some(overlay::Overlay::Preview);
        }
        AppAction::FocusNext
            if model.app.context() == keymap::Context::Compose && complete::complete(model) =>
        {
            on_compose::changed(model);
        }
        AppAction::FocusNext => {
            model.app.focus = match model.app.focus {
                Focus::List => Focus::Compose,
                Focus::Compose => Focus::List,
            };
            model.app.freeze_list();
        }
        AppAction::TogglePanes => model.view.hide_list = !model.view.hide_list,
        AppAction::Bare => model.view.bare = !model.view.bare && model.app.open.is_some(),
        AppAction::Redraw => model.app.effects.push(Effect::Redraw),
        AppAction::Suspend => model.app.effects.push(Effect::Suspend),
        AppAction::Resync => {
            model.app.request(crate::model::Request::RetryNow);
            if let Some(conversation) = model.app.open.clone() {
                on_messages::forgive_older(model, &conversation);
                model.app.request(crate::model::Request::Resync { conversation });
            }
        }
    }
}

/// What the user should know before the program ends.
fn reason_to_stay(model: &Model) -> Option<&'static str> {
    let now = model.app.clock.mono;
    let any =
        |is: &dyn Fn(&state::ConversationState) -> bool| model.app.conversations.iter().any(is);
    if any(&|c| c.has_unsaved()) {
        return Some("A message could not be saved and will be lost: once more quits");
    }
    any(&|c| c.sending.held.iter().any(|(_, until)| *until > now))
        .then_some("A message is still held back: once more quits, and it leaves at the next start")
}

/// Saves what is being written, then ends the loop.
fn quit(model: &mut Model) {
    on_deadline::save_drafts(model, true);
    model.app.effects.push(Effect::Quit);
}

/// Peels off one layer. Never deletes text.
fn escape(model: &mut Model) {
    model.app.toasts.clear();
    if let Some(under) = model.view.under_help.take() {
        model.app.overlay = Some(overlay::Overlay::Search(under));
        return;
    }
    if let Some(open) = model.app.overlay.take() {
        if let overlay::Overlay::Thread(open) = open {
            model.app.overlay = open.parent().map(overlay::Overlay::Thread);
        }
        return;
    }
    if std::mem::take(&mut model.view.bare) {
        return;
    }
    if model.app.focus == Focus::List {
        model.app.focus = Focus::Compose;
        model.app.freeze_list();
        return;
    }
    let Some(id) = model.app.open.clone() else { return };
    let Some(conversation) = model.app.conversations.get_mut(&id) else { return };
    if conversation.selection.take().is_some() {
        return;
    }
    if conversation.compose.drop_banner() {
        on_compose::changed(model);
        return;
    }
    if model.view.is_at_bottom(&id) && conversation.paging.window == state::Window::Live {
        conversation.reading.new_from = None;
        conversation.timeline.touch();
    } else {
        on_history::to_newest(model, &id);
    }
}

/// What drawing found missing. Said on every frame; the first one acts, the rest are ignored here.
fn on_want(model: &mut Model, want: Want) {
    match want {
        Want::Older(id) => on_messages::load_older(model, &id),
        Want::Newer(id) => on_history::load_newer(model, &id),
        Want::Seen { conversation, upto } => seen(model, &conversation, upto),
    }
}

/// The end of the open chat is on screen; after a second of that it counts as read.
fn seen(model: &mut Model, id: &crate::model::ConversationId, upto: MessageKey) {
    const READ_AFTER: std::time::Duration = std::time::Duration::from_secs(1);
    let app = &mut model.app;
    // A chat that opened by itself is read once someone does something.
    if !app.prefs.choices.reading.receipts.by_looking()
        || !app.view_focus.focused
        || !app.view_focus.acted
    {
        return;
    }
    let due = app.clock.mono + READ_AFTER;
    if let Some(conversation) = app.conversations.get_mut(id)
        && !conversation.reading.kept_unread
        && !conversation.misses_unread(&upto)
        && conversation.reading.on_screen.as_ref().is_none_or(|(key, _)| *key != upto)
    {
        conversation.reading.on_screen = Some((upto, Some(due)));
    }
}

#[cfg(test)]
mod tests;
