//! Quitting, focus, panes, and opening dialogs.

use crate::app::account::Account;
use crate::app::action::{AppAction, Motion};
use crate::app::chat::completion::Completed;
use crate::app::chat::{Window, completion, history, outbox, sending};
use crate::app::commands;
use crate::app::effect::Effect;
use crate::app::figures::ShownFigures;
use crate::app::keymap::{Context, KeymapEntry};
use crate::app::model::Model;
use crate::app::overlay::{
    AccountsDialog, Help, Import, Overlay, Palette, Preview, Prompt, SignInDialog, Switcher,
    UserSettings, save_quietly,
};
use crate::app::state::Focus;
use crate::model::{ConnectionState, Request, SignInWay};

/// By how many columns a key press changes the width of the list.
const STEP: i16 = 4;

pub fn act(model: &mut Model, action: AppAction) {
    match action {
        AppAction::Quit => ask_quit(model),
        AppAction::Interrupt if model.app.interrupted() => quit(model),
        AppAction::Interrupt => model.app.note_interrupt(),
        AppAction::Escape => escape(model),
        AppAction::Help if model.overlays.shows_help() => {
            model.overlays.pop();
        }
        AppAction::Help => {
            let help = Help::new(model.context(), commands::help());
            model.overlays.push(Overlay::Help(help));
        }
        AppAction::Write(place) => write(model, place),
        AppAction::Search { here } => search(model, here),
        AppAction::NextHit { older } => next_hit(model, older),
        AppAction::Answer => {
            if !model.overlays.open_waiting() {
                model.app.note("No question is waiting");
            }
        }
        AppAction::Palette => model.overlays.push(Overlay::Palette(Palette::default())),
        AppAction::Switcher => {
            let switcher = Switcher::new(&model.app);
            model.overlays.push(Overlay::Switcher(switcher));
        }
        AppAction::Preview => {
            let shown = model.overlays.shows_preview();
            model.overlays.drop_passive();
            if !shown {
                model.overlays.push(Overlay::Preview(Preview));
            }
        }
        AppAction::FocusNext => {
            if model.context() != Context::Compose || !complete(model) {
                model.app.set_focus(match model.app.focus {
                    Focus::List => Focus::Compose,
                    Focus::Compose => Focus::List,
                });
            }
        }
        AppAction::Import => {
            let is_running = model.app.pending.import.is_some();
            let dialog = if is_running { Import::running() } else { Prompt::import() };
            model.overlays.push(dialog);
        }
        AppAction::TogglePanes => model.view.hide_list = !model.view.hide_list,
        AppAction::ResizeList { wider } => resize_list(model, if wider { STEP } else { -STEP }),
        AppAction::Bare => model.view.bare = !model.view.bare && model.app.open.is_some(),
        AppAction::SignIn => sign_in(model),
        AppAction::ToggleMouse => toggle_mouse(model),
        AppAction::Accounts if model.app.prefs.demo => {
            model.app.complain("The demo has no accounts to change");
        }
        AppAction::Accounts if model.app.prefs.read_only => {
            model.app.complain("Accounts cannot be changed in a read-only run");
        }
        AppAction::Accounts => {
            model.overlays.push(Overlay::Accounts(AccountsDialog::default()));
        }
        AppAction::Preferences => {
            model.overlays.push(Overlay::UserSettings(UserSettings::default()));
        }
        AppAction::Figures => {
            let figures = &mut model.app.presence.figures;
            *figures = if figures.is_none() { Some(ShownFigures::default()) } else { None };
        }
        AppAction::Inbox => super::inbox::open(model),
        AppAction::Redraw => model.app.effects.push(Effect::Redraw),
        AppAction::Suspend => model.app.effects.push(Effect::Suspend),
        AppAction::Resync => {
            model.app.request_all(&Request::RetryNow);
            model.app.with_open(|chat, env| {
                chat.forgive_older();
                env.request(Request::Resync { conversation: chat.info.id.clone() });
            });
        }
    }
}

/// Opens the sign-in of an account that is signed out: the one of the open chat, else the first such account.
fn resize_list(model: &mut Model, by: i16) {
    if let Some(width) = model.view.list_wider_by(by) {
        model.app.prefs.choices.ui.list_width = width;
        save_quietly(&mut model.app, "ui.list_width");
    }
}

fn sign_in(model: &mut Model) {
    let is_out =
        |account: &&Account| matches!(account.connection.state, ConnectionState::SignedOut { .. });
    let current = model.app.current_account();
    let out = Some(current).filter(is_out).or_else(|| model.app.accounts.iter().find(is_out));
    let account = out.unwrap_or(current);
    let id = account.id.clone();
    let ConnectionState::SignedOut { way, .. } = &account.connection.state else {
        model.app.note("This account is signed in");
        return;
    };
    match way {
        SignInWay::Token => model.app.complain(
            "The token of this account comes from its configuration: renew it there, then press F5",
        ),
        SignInWay::Personal | SignInWay::Work => {
            let sign_in = SignInDialog::new(id, *way == SignInWay::Work);
            model.overlays.push(Overlay::SignIn(sign_in));
        }
    }
}

/// Completes the word before the cursor; false if there is no word to complete.
fn complete(model: &mut Model) -> bool {
    let beyond = super::suggestions::beyond(model);
    let completed = model.app.with_open_box(|chat, env| {
        let done = completion::complete(chat, env.me, env.names, &beyond);
        match &done {
            Completed::Done => sending::draft_changed(chat, env.now.mono),
            Completed::NoMatch(word) => env.note(&format!("No completion for {word}")),
            Completed::NoWord => {}
        }
        done != Completed::NoWord
    });
    completed == Some(true)
}

fn ask_quit(model: &mut Model) {
    match reason_to_stay(model).filter(|_| !model.app.interrupted()) {
        Some(why) => {
            model.app.note_interrupt();
            model.app.complain(why);
        }
        None => quit(model),
    }
}

/// What the user should know before quitting.
fn reason_to_stay(model: &Model) -> Option<&'static str> {
    let now = model.app.clock.mono;
    let mut chats = model.app.accounts.chats();
    if chats.any(crate::app::chat::Chat::has_unsaved) {
        return Some("A message could not be saved and would be lost: press again to quit anyway");
    }
    let mut chats = model.app.accounts.chats();
    if chats.any(|c| outbox::is_holding(c, now)) {
        return Some(
            "A message has not been sent yet: press again to quit; it is sent at the next start",
        );
    }
    let mut chats = model.app.accounts.chats();
    let is_lost = !model.app.prefs.choices.drafts.persist;
    (is_lost && chats.any(|c| !c.composer.draft.is_empty())).then_some(
        "Drafts are not saved (drafts.persist = false): press again to quit without them",
    )
}

/// Saves what is being written, then ends the loop.
fn quit(model: &mut Model) {
    model.overlays.clear(&mut model.app);
    model.app.with_timed(|chat, env| sending::save_draft(chat, env, true));
    model.app.effects.push(Effect::Quit);
}

/// Goes back one step. Never deletes text.
fn escape(model: &mut Model) {
    model.app.notes.clear();
    if let Some(closed) = model.overlays.close_top() {
        closed.given_up(&mut model.app);
        return;
    }
    if std::mem::take(&mut model.view.bare) {
        return;
    }
    if model.app.focus == Focus::List {
        model.app.set_focus(Focus::Compose);
        return;
    }
    if model.app.stop_writing() {
        model.app.with_open(|chat, _| chat.selection = None);
        return;
    }
    let mut left_history = false;
    model.app.with_open(|chat, env| {
        if chat.selection.take().is_some() {
            return;
        }
        if chat.composer.drop_banner() {
            sending::draft_changed(chat, env.now.mono);
        } else if chat.is_at_bottom() && chat.paging.window == Window::Live {
            chat.drop_new_line();
        } else {
            history::to_newest(chat, env);
            left_history = true;
        }
    });
    if left_history {
        super::messages::note_skipped(model);
    }
}

fn search(model: &mut Model, here: bool) {
    let here = model.app.open.clone().filter(|_| here);
    model.overlays.open_search(&mut model.app, here, "");
}

/// Goes to the next hit of the last search.
fn next_hit(model: &mut Model, older: bool) {
    let (next, place) = model.overlays.next_hit(&mut model.app, older);
    model.follow(next);
    model.app.note(&place);
}

/// Goes to the message box, and to a place in its text.
fn write(model: &mut Model, place: Option<Motion>) {
    model.view.bare = false;
    model.app.set_focus(Focus::Compose);
    model.app.write();
    model.app.with_open_box(|chat, _| {
        chat.selection = None;
        if let Some(place) = place {
            chat.composer.go(place);
        }
    });
}

fn toggle_mouse(model: &mut Model) {
    let mouse = &mut model.app.prefs.choices.ui.mouse;
    *mouse = !*mouse;
    let on = *mouse;
    model.app.effects.push(Effect::Mouse(on));
    let key = model.app.prefs.keymap.entry("toggle-mouse").map(KeymapEntry::key);
    let key = key.unwrap_or_default();
    model.app.note(&if on {
        "skchat uses the mouse; hold Shift to select text".to_owned()
    } else {
        format!("The mouse selects text · {key} gives it back to skchat")
    });
}
