//! The mouse: clicks and the wheel.

use super::{carry_out, suggestions};
use crate::app::action::{Action, ListAction, MessagesAction, Pointer, PointerKind, Scroll};
use crate::app::chat::{Chat, history};
use crate::app::model::Model;
use crate::app::overlay::{Confirm, ListedLink, Overlay, save_quietly};
use crate::app::state::Focus;
use crate::app::view::Pointed;
use crate::app::view::layout::list_width;
use crate::model::{MessageKey, SafeText};
use std::time::Duration;

/// How many lines one notch of the wheel moves.
const WHEEL: isize = 3;
/// Two clicks on a message within this time are a double click.
const DOUBLE_CLICK: Duration = Duration::from_millis(400);

/// Handles a mouse event; returns the action that a click triggers.
pub fn act(model: &mut Model, pointer: Pointer) -> Option<Action> {
    if std::mem::take(&mut model.view.drags) {
        match pointer.kind {
            PointerKind::Drag => return drag(model, pointer.column),
            PointerKind::Release => {
                save_quietly(&mut model.app, "ui.list_width");
                return None;
            }
            _ => {}
        }
    }
    if suggestions::covers(model, pointer.column, pointer.row) {
        if pointer.kind == PointerKind::Click {
            suggestions::take_clicked(model, pointer.row);
        }
        return None;
    }
    let target = model.view.pointed(pointer.column, pointer.row);
    let by = match pointer.kind {
        PointerKind::Click => return click(model, target),
        PointerKind::WheelUp => -1,
        PointerKind::WheelDown => 1,
        PointerKind::Drag | PointerKind::Release => return None,
    };
    match target {
        Pointed::List(_) if !model.overlays.takes_keys() => scroll_list(model, by * WHEEL),
        _ => {
            let line = if by < 0 { Scroll::LineUp } else { Scroll::LineDown };
            for _ in 0..WHEEL {
                carry_out(model, Action::Messages(MessagesAction::Scroll(line)));
            }
        }
    }
    None
}

fn click(model: &mut Model, pointed: Pointed) -> Option<Action> {
    let before = model.view.clicked.take();
    match pointed {
        Pointed::Key("previous-conversation") => Some(Action::List(ListAction::Next)),
        Pointed::Key(name) => Action::named(name),
        // While a dialog is open, clicks do not reach what is behind it, and do not answer a question.
        _ if model.overlays.takes_keys() => None,
        Pointed::List(Some(chat)) => {
            model.open(&chat);
            None
        }
        Pointed::Message { key, link } => click_message(model, key, link, before),
        Pointed::Box => {
            model.app.set_focus(Focus::Compose);
            model.app.write();
            model.app.with_open(|chat, _| chat.selection = None);
            None
        }
        Pointed::Divider => {
            model.view.drags = true;
            None
        }
        Pointed::List(None) | Pointed::Nothing => None,
    }
}

/// Moves the rule between list and messages to this column.
fn drag(model: &mut Model, column: u16) -> Option<Action> {
    model.view.drags = true;
    model.app.prefs.choices.ui.list_width = list_width(model.view.size, column);
    None
}

fn click_message(
    model: &mut Model,
    key: MessageKey,
    link: Option<SafeText>,
    before: Option<(MessageKey, Duration)>,
) -> Option<Action> {
    model.app.set_focus(Focus::Compose);
    model.app.stop_writing();
    let selected = model.app.with_open(|chat, env| history::select(chat, env, &key));
    if selected != Some(true) {
        return None;
    }
    if let Some(link) = link {
        let listed = model.app.opened().and_then(Chat::selected).map(ListedLink::of);
        let listed = listed.into_iter().flatten().find(|listed| listed.url == link);
        let question = match listed {
            Some(listed) => listed.question(&mut model.app),
            None => Confirm::open_link(&mut model.app, link),
        };
        model.overlays.extend(question.map(Overlay::Confirm));
        return None;
    }
    let now = model.app.clock.mono;
    if before.is_some_and(|(other, at)| other == key && now.saturating_sub(at) <= DOUBLE_CLICK) {
        return Some(Action::Messages(MessagesAction::Reply));
    }
    model.view.clicked = Some((key, now));
    None
}

/// Moves the list without opening another chat.
fn scroll_list(model: &mut Model, by: isize) {
    let first = model.view.visible.list.rows.first().map(|row| &row.chat);
    let Some(first) = first else { return };
    let at = model.app.shown_chats().position(|chat| chat.is(first)).unwrap_or(0);
    model.view.list_from = Some(at.saturating_add_signed(by));
}
