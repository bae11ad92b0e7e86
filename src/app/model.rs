//! Everything the program knows ([`AppState`]), the open dialogs, and what is visible.

use super::account::Accounts;
use super::action::{Action, OverlayAction};
use super::chat::{Chat, history};
use super::keymap::{Chord, Context, Resolver};
use super::overlay::{self, Confirm, DialogView, Next, OverlayStack};
use super::prefs::Prefs;
use super::state::{AppState, Focus};
use super::view::layout::Size;
use super::view::{StatusInput, StatusRows, ViewState, Want, status};
use crate::model::{ChatRef, MessageKey};
use crossterm::event::KeyEvent;
use std::time::Duration;

/// A question that was not opened by a key press opens once no key was pressed for this long.
const QUIET: Duration = Duration::from_millis(500);

/// A quarter of an hour in milliseconds. Midnight falls on such a boundary in every time zone, and how dates are shown
/// depends on the day.
pub const QUARTER: i64 = 15 * 60_000;

pub struct Model {
    pub app: AppState,
    pub overlays: OverlayStack,
    pub view: ViewState,
    /// The dialog on top as it is painted, derived by [`Model::layout`].
    pub dialog: Option<DialogView>,
    since_layout: SinceLayout,
    /// The quarter of an hour in which everything was last laid out.
    quarter: i64,
    /// The last layout derived the message box only.
    pub derived_box_only: bool,
}

/// What has changed since the last layout.
#[derive(Clone, Copy, PartialEq, Eq)]
enum SinceLayout {
    /// Nothing is known to have changed; the state may have been changed without an input.
    Unknown,
    /// Only the text in the message box, and nothing else that is visible.
    Text,
    Anything,
}

impl Model {
    pub fn new(prefs: Prefs, accounts: Accounts, size: Size) -> Self {
        Self {
            app: AppState::new(prefs, accounts),
            overlays: OverlayStack::default(),
            view: ViewState::new(size),
            dialog: None,
            since_layout: SinceLayout::Anything,
            quarter: 0,
            derived_box_only: false,
        }
    }

    /// The revision of everything but the text in the message box, while nothing temporary is shown and typing does
    /// nothing else; `None` otherwise. If it is the same after a change of the text, only the box has changed.
    pub fn stable_revision(&self) -> Option<u64> {
        let app = &self.app;
        let chat = app.opened()?;
        let (composer, held) = (&chat.composer, &chat.sending.held);
        let suggests = composer.suggestions.as_ref().is_some_and(|open| open.are_shown(composer));
        let is_plain = self.context() == Context::Compose && !self.view.bare;
        let has_dialog = self.dialog.is_some()
            || !self.overlays.is_empty()
            || self.overlays.waiting().is_some()
            || app.keys.prefix.is_some()
            || suggests
            || app.presence.figures.is_some();
        let is_temporary = app.notes.current().is_some() || !held.is_empty();
        let follows_mouse = self.view.list_from.is_some() || self.view.clicked.is_some();
        // Until the user has done something, visible messages do not count as read.
        let reads = app.presence.acted;
        (is_plain && !has_dialog && !is_temporary && !follows_mouse && reads)
            .then(|| app.list_revision())
    }

    /// An input was applied. `only_text`: the only visible change is the text in the message box.
    pub fn changed(&mut self, only_text: bool) {
        self.since_layout = match self.since_layout {
            SinceLayout::Unknown | SinceLayout::Text if only_text => SinceLayout::Text,
            _ => SinceLayout::Anything,
        };
    }

    /// Whether an input may have changed what is shown since the last layout: a saved draft needs no frame.
    pub fn has_changed(&self) -> bool {
        self.since_layout != SinceLayout::Unknown || self.quarter != self.quarter_now()
    }

    /// The context in which keys are looked up now.
    pub fn context(&self) -> Context {
        let selecting = self.app.opened().is_some_and(|c| c.selection.is_some());
        match self.app.focus {
            _ if self.overlays.takes_keys() => Context::Overlay,
            Focus::List => Context::List,
            Focus::Compose if selecting => Context::Selection,
            Focus::Compose if self.app.is_normal() => Context::Normal,
            Focus::Compose => Context::Compose,
        }
    }

    /// What a key does now.
    pub fn key_action(&self, resolver: &mut Resolver, event: &KeyEvent) -> Option<Action> {
        if self.overlays.captures() {
            return Chord::of(event).name().map(|key| Action::Overlay(OverlayAction::Press(key)));
        }
        resolver.resolve(&self.app.prefs.keymap, self.context(), event)
    }

    /// Derives the next frame; returns what turned out to be missing.
    pub fn layout(&mut self) -> Vec<Want> {
        let since = std::mem::replace(&mut self.since_layout, SinceLayout::Unknown);
        let only_text = since == SinceLayout::Text && self.quarter == self.quarter_now();
        let wants = only_text.then(|| self.view.layout_box(&self.app)).flatten();
        self.derived_box_only = wants.is_some();
        wants.unwrap_or_else(|| self.layout_all())
    }

    fn quarter_now(&self) -> i64 {
        self.app.clock.wall.0.div_euclid(QUARTER)
    }

    /// Derives everything in the next frame, regardless of what has changed.
    pub fn layout_all(&mut self) -> Vec<Want> {
        self.quarter = self.quarter_now();
        let wants = self.view.layout(&self.app, !self.overlays.is_empty());
        let Some(layout) = self.view.visible.layout else { return wants };
        let context = self.context();
        let fitting = if context == Context::Selection {
            let actions = overlay::fitting_actions(&self.app).into_iter();
            actions.map(|(entry, _)| entry.name.clone()).collect()
        } else {
            Vec::new()
        };
        let input = StatusInput {
            layout: &layout,
            context,
            bare: self.view.bare,
            below: self.view.visible.messages.below,
            day: self.view.visible.messages.day.as_deref(),
            fitting: &fitting,
            chooses: self.overlays.chooses(),
            question: self.overlays.waiting().filter(|_| self.app.presence.question_due.is_none()),
        };
        let status = status(&self.app, &input);
        if self.view.visible.status.rows != status {
            let stamp = self.view.visible.status.stamp + 1;
            self.view.visible.status = StatusRows { rows: status, stamp };
        }
        let size = self.view.size;
        let box_top = layout.divider.or(layout.compose).map_or(size.rows, |area| area.y);
        let suggested = || match context {
            Context::Compose => overlay::suggestions(&self.app, size, box_top),
            _ => None,
        };
        self.dialog = overlay::which_key(&self.app, context, size, box_top)
            .or_else(suggested)
            .or_else(|| self.overlays.view(&self.app, size, box_top))
            .or_else(|| overlay::figures(&self.app, size, box_top));
        wants
    }

    /// Opens a chat, or the one that continues it; every dialog is closed.
    pub fn open(&mut self, chat: &ChatRef) {
        let successor = self.app.accounts.successor(chat).map(Chat::chat_ref);
        self.app.open_chat(successor.as_ref().unwrap_or(chat));
        // After opening the chat, which clears the notes.
        self.overlays.clear(&mut self.app);
        self.go_to_new();
    }

    /// Opens a chat that was requested earlier, unless the user has done something else since (`acted`): text that is
    /// being typed must not end up in another conversation. `news` says what happened.
    pub fn open_unless_busy(&mut self, chat: &ChatRef, acted: bool, news: &str) {
        if acted {
            self.app.note(&format!("{news}; Ctrl-K finds it"));
        } else {
            self.open(chat);
            self.app.note(news);
        }
    }

    /// Asks a question that was not just triggered by a key press. It opens by itself after a while without a key
    /// press, but only on request if the user has done something since (`acted`): text typed for the message box must
    /// not answer it.
    pub fn ask_later(&mut self, question: Confirm, acted: bool) {
        self.overlays.wait(question);
        let due = self.app.clock.mono + QUIET;
        self.app.presence.question_due = (!acted).then_some(due);
    }

    /// Opens a waiting question if no key was pressed for a while.
    pub fn ask_if_quiet(&mut self) {
        let now = self.app.clock.mono;
        if self.app.presence.question_due.is_some_and(|due| due <= now) {
            self.app.presence.question_due = None;
            if !self.overlays.takes_keys() {
                self.overlays.open_waiting();
            }
        }
    }

    /// Moves the view of a chat that is being opened to its first unread message, unless a message is selected already,
    /// such as a search hit.
    pub fn go_to_new(&mut self) {
        let now = self.app.clock.mono;
        let goes = |chat: &Chat| chat.reading.goes_to_new(now) && chat.selected().is_none();
        if self.app.opened().is_some_and(goes) {
            self.view.show_new(&mut self.app);
        }
    }

    /// Takes a new screen size. The selected message stays visible.
    pub fn resize(&mut self, size: Size) {
        self.view.size = size;
        let selected = self.app.opened().and_then(|chat| Some(chat.selected()?.key.clone()));
        if let Some(key) = selected {
            self.view.reveal(&mut self.app, &key);
        }
    }

    /// Shows a message of the open chat, anywhere in its history.
    pub fn go_to(&mut self, key: &MessageKey) {
        let loaded = self.app.with_open(|chat, env| history::go_to(chat, env, key));
        if loaded == Some(true) {
            self.view.show_in_place(&mut self.app, key);
        }
    }

    /// Passes a key to the dialog on top; returns the action that it asks for.
    pub fn act_on_dialog(&mut self, action: OverlayAction) -> Option<Action> {
        let next = self.overlays.act(action, &mut self.app, self.view.size);
        self.follow(next)
    }

    /// Carries out what a dialog wants done outside of itself.
    pub fn follow(&mut self, next: Next) -> Option<Action> {
        match self.overlays.follow(next, &mut self.app) {
            Next::Do(action) => return Some(action),
            Next::Open(chat, place) => {
                self.open(&chat);
                if let Some(key) = place {
                    self.go_to(&key);
                }
            }
            _ => {}
        }
        None
    }
}
