//! What the terminal reports, as inputs.

use crate::app::keymap::{Context, Resolver};
use crate::app::view::layout::Size;
use crate::app::{Action, ComposeAction, Input, Model, OverlayAction};
use crossterm::event::{Event, KeyEventKind, MouseEventKind};

/// A terminal event as an input; `None` for what means nothing.
pub fn input_of(event: Event, resolver: &mut Resolver, model: &Model) -> Option<Input> {
    match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => {
            let keymap = &model.app.prefs.keymap;
            resolver.resolve(keymap, model.context(), &key).map(Input::Action)
        }
        Event::Paste(text) => Some(Input::Action(match model.context() {
            Context::Overlay => Action::Overlay(OverlayAction::Paste(text)),
            _ => Action::Compose(ComposeAction::Paste(text)),
        })),
        Event::Resize(columns, rows) => Some(Input::Resize(Size { columns, rows })),
        Event::FocusGained => Some(Input::Focus(true)),
        Event::FocusLost => Some(Input::Focus(false)),
        Event::Mouse(mouse) => {
            use crate::app::MessagesAction::Scroll;
            use crate::app::action::Scroll as By;
            match mouse.kind {
                MouseEventKind::ScrollUp => {
                    Some(Input::Action(Action::Messages(Scroll(By::LineUp))))
                }
                MouseEventKind::ScrollDown => {
                    Some(Input::Action(Action::Messages(Scroll(By::LineDown))))
                }
                _ => None,
            }
        }
        Event::Key(_) => None,
    }
}
