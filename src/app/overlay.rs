//! Dialogs above the panes: a stack of dialogs, and one file per dialog with its state, its lines and its keys.
//!
//! Esc closes the top dialog; the ones below keep their state. A dialog carries out by itself what affects one chat or
//! is a request to sync; what affects the whole program, it returns as [`Next`].

mod accounts;
mod add_account;
mod alerts;
mod confirm;
mod content;
mod download;
mod figures;
mod help;
mod import;
mod inbox;
mod inspector;
mod key_binding;
mod links;
mod members;
mod message_menu;
mod palette;
mod people_picker;
mod person;
mod preview;
mod prompt;
mod qr_code;
mod questions;
mod reactions;
mod repeated;
pub mod search;
mod settings;
mod sign_in;
mod suggestions;
mod switcher;
mod theme_list;
mod user_settings;
mod welcome;
mod which_key;

pub use accounts::AccountsDialog;
pub use add_account::AddAccount;
pub use alerts::Alerts;
pub use confirm::{Confirm, Consent};
pub use content::{DialogBody, DialogLine, DialogView, InputView};
pub use download::Download;
pub use figures::figures;
pub use help::Help;
pub use import::Import;
pub use inbox::Inbox;
pub use inspector::Inspector;
pub use key_binding::KeyBinding;
pub use links::{Links, ListedLink};
pub use members::Members;
pub use message_menu::{MessageMenu, fitting_actions};
pub use palette::Palette;
pub use people_picker::{PeoplePicker, PickPurpose};
pub use person::Person;
pub use preview::Preview;
pub use prompt::{Prompt, resolve as resolve_join_url};
pub use qr_code::QrCode;
pub use questions::{ask_clear, ask_forget, ask_leave, ask_remove, change_flag, role_question};
pub use reactions::Reactions;
pub use search::Search;
pub use settings::Settings;
pub use sign_in::SignInDialog;
pub use suggestions::suggestions;
pub use switcher::{Switcher, find};
pub use theme_list::ThemeList;
pub use user_settings::{UserSettings, save_quietly, take_over, value};
pub use welcome::Welcome;
pub use which_key::{SHOWN_AFTER, which_key};

use super::action::{Action, OverlayAction};
use super::state::AppState;
use super::view::layout::Size;
use crate::model::{ChatRef, MessageKey};
use content::Content;
use std::collections::VecDeque;

/// What a dialog has access to.
pub struct DialogEnv<'a> {
    pub app: &'a mut AppState,
    pub size: Size,
    /// How many lines PageUp and PageDown move by: one less than are visible at once.
    pub page: isize,
}

/// What happens after a dialog has handled a key.
#[derive(Debug)]
pub enum Next {
    Stay,
    Close,
    Push(Overlay),
    /// Replaces this dialog.
    Replace(Overlay),
    /// Closes every dialog and runs this action.
    Do(Action),
    /// Closes every dialog and opens a chat, at the given message if there is one.
    Open(ChatRef, Option<MessageKey>),
}

trait Dialog {
    /// What the dialog shows.
    fn content(&self, app: &AppState, size: Size) -> Content;

    /// Handles a key.
    fn act(&mut self, action: OverlayAction, env: &mut DialogEnv<'_>) -> Next;

    /// Whether keys go to the panes below, except Esc.
    fn is_passive(&self) -> bool {
        false
    }

    /// Whether Enter chooses something.
    fn chooses(&self) -> bool {
        true
    }

    /// Whether every key arrives as [`OverlayAction::Press`], even if something is bound to it.
    fn captures(&self) -> bool {
        false
    }
}

#[derive(Debug)]
pub enum Overlay {
    Welcome(Welcome),
    Help(Help),
    KeyBinding(KeyBinding),
    Switcher(Switcher),
    Palette(Palette),
    MessageMenu(MessageMenu),
    Reactions(Reactions),
    Links(Links),
    Preview(Preview),
    Search(Search),
    Inspector(Inspector),
    Confirm(Confirm),
    Settings(Settings),
    Alerts(Alerts),
    Inbox(Inbox),
    UserSettings(UserSettings),
    ThemeList(ThemeList),
    Members(Members),
    Person(Person),
    Prompt(Prompt),
    PeoplePicker(PeoplePicker),
    QrCode(QrCode),
    Import(Import),
    Download(Download),
    SignIn(SignInDialog),
    Accounts(AccountsDialog),
    AddAccount(AddAccount),
}

impl Overlay {
    fn dialog(&self) -> &dyn Dialog {
        match self {
            Self::Welcome(d) => d,
            Self::Help(d) => d,
            Self::KeyBinding(d) => d,
            Self::Switcher(d) => d,
            Self::Palette(d) => d,
            Self::MessageMenu(d) => d,
            Self::Reactions(d) => d,
            Self::Links(d) => d,
            Self::Preview(d) => d,
            Self::Search(d) => d,
            Self::Inspector(d) => d,
            Self::Confirm(d) => d,
            Self::Settings(d) => d,
            Self::Alerts(d) => d,
            Self::Inbox(d) => d,
            Self::UserSettings(d) => d,
            Self::ThemeList(d) => d,
            Self::Members(d) => d,
            Self::Person(d) => d,
            Self::Prompt(d) => d,
            Self::PeoplePicker(d) => d,
            Self::QrCode(d) => d,
            Self::Import(d) => d,
            Self::Download(d) => d,
            Self::SignIn(d) => d,
            Self::Accounts(d) => d,
            Self::AddAccount(d) => d,
        }
    }

    fn dialog_mut(&mut self) -> &mut dyn Dialog {
        match self {
            Self::Welcome(d) => d,
            Self::Help(d) => d,
            Self::KeyBinding(d) => d,
            Self::Switcher(d) => d,
            Self::Palette(d) => d,
            Self::MessageMenu(d) => d,
            Self::Reactions(d) => d,
            Self::Links(d) => d,
            Self::Preview(d) => d,
            Self::Search(d) => d,
            Self::Inspector(d) => d,
            Self::Confirm(d) => d,
            Self::Settings(d) => d,
            Self::Alerts(d) => d,
            Self::Inbox(d) => d,
            Self::UserSettings(d) => d,
            Self::ThemeList(d) => d,
            Self::Members(d) => d,
            Self::Person(d) => d,
            Self::Prompt(d) => d,
            Self::PeoplePicker(d) => d,
            Self::QrCode(d) => d,
            Self::Import(d) => d,
            Self::Download(d) => d,
            Self::SignIn(d) => d,
            Self::Accounts(d) => d,
            Self::AddAccount(d) => d,
        }
    }
}

impl Overlay {
    /// Handles that the dialog was closed without a choice.
    pub fn given_up(self, app: &mut AppState) {
        match self {
            Self::SignIn(dialog) => dialog.given_up(app),
            Self::ThemeList(dialog) => dialog.given_up(app),
            Self::Download(download) => download.stop(app),
            _ => {}
        }
    }
}

/// The open dialogs, with the top one last.
#[derive(Debug, Default)]
pub struct OverlayStack {
    stack: Vec<Overlay>,
    /// The search that the last hit was opened from; opening the search again resumes it.
    last_search: Option<Search>,
    /// Questions that were not opened by a key press, oldest first. They are not shown as dialogs yet and take no keys.
    waiting: VecDeque<Confirm>,
}

impl OverlayStack {
    pub fn top(&self) -> Option<&Overlay> {
        self.stack.last()
    }

    pub fn is_empty(&self) -> bool {
        self.stack.is_empty()
    }

    /// Whether the top dialog takes the keys.
    pub fn takes_keys(&self) -> bool {
        self.top().is_some_and(|top| !top.dialog().is_passive())
    }

    /// Whether the top dialog asks for a key.
    pub fn captures(&self) -> bool {
        self.top().is_some_and(|top| top.dialog().captures())
    }

    /// Whether Enter chooses something in the top dialog.
    pub fn chooses(&self) -> bool {
        self.top().is_some_and(|top| top.dialog().chooses())
    }

    /// Opens a dialog if there is one.
    pub fn extend(&mut self, overlay: Option<Overlay>) {
        if let Some(overlay) = overlay {
            self.push(overlay);
        }
    }

    pub fn pop(&mut self) {
        self.stack.pop();
    }

    /// Closes the top dialog and returns it.
    pub fn close_top(&mut self) -> Option<Overlay> {
        self.stack.pop()
    }

    /// Closes every dialog. As with Esc, a sign-in or a download in progress is cancelled.
    pub fn clear(&mut self, app: &mut AppState) {
        for overlay in self.stack.drain(..).rev() {
            overlay.given_up(app);
        }
    }

    /// Closes the dialogs that take no keys.
    pub fn drop_passive(&mut self) {
        self.stack.retain(|overlay| !overlay.dialog().is_passive());
    }

    pub fn shows_welcome(&self) -> bool {
        matches!(self.top(), Some(Overlay::Welcome(_)))
    }

    pub fn shows_preview(&self) -> bool {
        matches!(self.top(), Some(Overlay::Preview(_)))
    }

    pub fn shows_help(&self) -> bool {
        matches!(self.top(), Some(Overlay::Help(_)))
    }

    /// Queues a question until it can be opened.
    pub fn wait(&mut self, question: Confirm) {
        self.waiting.push_back(question);
    }

    /// The text of the oldest waiting question.
    pub fn waiting(&self) -> Option<&str> {
        self.waiting.front().map(Confirm::question)
    }

    /// Opens the oldest waiting question; false if there is none.
    pub fn open_waiting(&mut self) -> bool {
        let question = self.waiting.pop_front();
        let is_there = question.is_some();
        self.extend(question.map(Overlay::Confirm));
        is_there
    }

    /// Whether chat settings or a member list are open.
    pub fn shows_settings(&self) -> bool {
        self.stack.iter().any(|o| matches!(o, Overlay::Settings(_) | Overlay::Members(_)))
    }

    /// Opens the search. With an empty input it resumes the search that the last hit was opened from.
    pub fn open_search(&mut self, app: &mut AppState, here: Option<ChatRef>, input: &str) {
        let last = self.last_search.take().filter(|last| input.is_empty() && last.here == here);
        let search = last.map(Search::again);
        let search = search.unwrap_or_else(|| Search::begin(app, here, input));
        self.push(Overlay::Search(search));
    }

    /// The open search, which receives the hits.
    pub fn search_mut(&mut self) -> Option<&mut Search> {
        self.stack.iter_mut().rev().find_map(|overlay| match overlay {
            Overlay::Search(search) => Some(search),
            _ => None,
        })
    }

    /// The dialog of an import, which receives the report.
    pub fn import_mut(&mut self) -> Option<&mut Import> {
        self.stack.iter_mut().rev().find_map(|overlay| match overlay {
            Overlay::Import(import) => Some(import),
            _ => None,
        })
    }

    /// Passes a key to the top dialog. Returns what the caller has to do.
    pub fn act(&mut self, action: OverlayAction, app: &mut AppState, size: Size) -> Next {
        let Some(top) = self.stack.last_mut() else { return Next::Stay };
        let page = top.dialog().content(app, size).page(size);
        let next = top.dialog_mut().act(action, &mut DialogEnv { app, size, page });
        self.follow(next, app)
    }

    /// Does what concerns the stack and returns the rest.
    pub fn follow(&mut self, next: Next, app: &mut AppState) -> Next {
        match next {
            Next::Stay => {}
            Next::Close => {
                self.pop();
            }
            Next::Push(overlay) => self.push(overlay),
            Next::Replace(overlay) => {
                self.pop();
                self.push(overlay);
            }
            Next::Do(_) | Next::Open(..) => {
                if let Some(Overlay::Search(search)) = self.stack.pop() {
                    self.last_search = Some(search);
                }
                self.clear(app);
                return next;
            }
        }
        Next::Stay
    }

    /// The top dialog, ready to be drawn. A dialog with `Extent::AboveBox` ends at row `above`.
    pub fn view(&self, app: &AppState, size: Size, above: u16) -> Option<DialogView> {
        let mut content = self.top()?.dialog().content(app, size);
        content.hint = app.prefs.key_words(&content.hint).into_owned();
        content.place(size, above)
    }
}
