//! Turns terminal events into inputs.

use super::keys::{Report, TerminalEvent};
use crate::app::action::{Pointer, PointerKind};
use crate::app::chat::completion::open_word;
use crate::app::keymap::{Context, Resolver};
use crate::app::view::layout::Size;
use crate::app::{Action, ComposeAction, Input, Model, OverlayAction};
use crossterm::event::{
    Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEventKind,
};

/// What the loop does about an event of the terminal.
pub enum EventReaction {
    Feed(Box<Input>),
    /// Several keys that arrived as one event.
    PutBack(Vec<TerminalEvent>),
    EnhanceKeyboard,
    /// The modes of the terminal may be lost.
    SetModes,
    Nothing,
}

/// Decides what to do about an event.
pub fn reaction(event: TerminalEvent, resolver: &mut Resolver, model: &Model) -> EventReaction {
    match event {
        TerminalEvent::Input(event) => match input_of(event.clone(), resolver, model) {
            Some(input) => EventReaction::Feed(Box::new(input)),
            None => apart(&event, model).map_or(EventReaction::Nothing, EventReaction::PutBack),
        },
        TerminalEvent::Burst(text) => {
            let lines = text.trim_end_matches(['\r', '\n']);
            // In a dialog, the first line makes a choice, and the rest is for what the choice opens.
            let is_dialog = model.context() == Context::Overlay;
            let is_one_line = !lines.contains(['\r', '\n']);
            if is_dialog || is_one_line && tabs_are_keys(lines, model) {
                EventReaction::PutBack(first_line(&text))
            } else {
                let paste = ComposeAction::Paste(lines.to_owned());
                EventReaction::Feed(Box::new(Input::Action(Action::Compose(paste))))
            }
        }
        TerminalEvent::Report(Report::EnhancedKeyboard) => EventReaction::EnhanceKeyboard,
        TerminalEvent::Report(Report::EmojiWidth(width)) => {
            EventReaction::Feed(Box::new(Input::EmojiWidth(width)))
        }
        TerminalEvent::Report(Report::Background(color)) => {
            EventReaction::Feed(Box::new(Input::Background(color)))
        }
        TerminalEvent::Report(Report::Position { .. }) => EventReaction::Nothing,
        TerminalEvent::Continued => EventReaction::SetModes,
    }
}

/// An unbound character with Alt, as the two keys it may have been, because many terminals send Alt as Esc: after `Esc
/// :q` typed quickly, the colon must not get lost, or "q" would be a message.
fn apart(event: &Event, model: &Model) -> Option<Vec<TerminalEvent>> {
    let Event::Key(key) = event else { return None };
    let is_char = matches!(key.code, KeyCode::Char(_)) && key.kind == KeyEventKind::Press;
    let was_two = is_char && key.modifiers.contains(KeyModifiers::ALT);
    (was_two && !model.app.prefs.enhanced_keyboard).then(|| {
        let escape = KeyEvent::new(KeyCode::Esc, KeyModifiers::NONE);
        let second = KeyEvent::new(key.code, key.modifiers - KeyModifiers::ALT);
        [escape, second].map(|key| TerminalEvent::Input(Event::Key(key))).into()
    })
}

/// Whether each tab in a line that arrived at once completes the word before it: then the line was typed, else pasted.
fn tabs_are_keys(line: &str, model: &Model) -> bool {
    let draft = model.app.opened().map(|chat| chat.composer.before_cursor()).unwrap_or_default();
    line.match_indices('\t').all(|(at, _)| {
        let before = line.get(..at).unwrap_or_default();
        open_word(&format!("{draft}{before}")).is_some()
    })
}

/// The first line as keys, and the rest unchanged.
fn first_line(text: &str) -> Vec<TerminalEvent> {
    let key = |code| TerminalEvent::Input(Event::Key(KeyEvent::new(code, KeyModifiers::NONE)));
    let (line, rest) = match text.split_once(['\r', '\n']) {
        Some((line, rest)) => (line, Some(rest)),
        None => (text, None),
    };
    let letter = |c| key(if c == '\t' { KeyCode::Tab } else { KeyCode::Char(c) });
    let mut events: Vec<TerminalEvent> = line.chars().map(letter).collect();
    if let Some(rest) = rest {
        events.push(key(KeyCode::Enter));
        if !rest.is_empty() {
            events.push(TerminalEvent::Burst(rest.to_owned()));
        }
    }
    events
}

/// A terminal event as an input; `None` if it has no meaning here.
fn input_of(event: Event, resolver: &mut Resolver, model: &Model) -> Option<Input> {
    match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => {
            model.key_action(resolver, &key).map(Input::Action)
        }
        Event::Paste(text) => Some(Input::Action(match model.context() {
            Context::Overlay => Action::Overlay(OverlayAction::Paste(text)),
            _ => Action::Compose(ComposeAction::Paste(text)),
        })),
        Event::Resize(columns, rows) => Some(Input::Resize(Size { columns, rows })),
        Event::FocusGained => Some(Input::Focus(true)),
        Event::FocusLost => Some(Input::Focus(false)),
        // A report may still arrive after mouse reports were turned off.
        Event::Mouse(mouse) if model.app.prefs.choices.ui.mouse => {
            let kind = match mouse.kind {
                MouseEventKind::Down(MouseButton::Left) => PointerKind::Click,
                MouseEventKind::Drag(MouseButton::Left) if model.view.drags => PointerKind::Drag,
                MouseEventKind::Up(MouseButton::Left) if model.view.drags => PointerKind::Release,
                MouseEventKind::ScrollUp => PointerKind::WheelUp,
                MouseEventKind::ScrollDown => PointerKind::WheelDown,
                _ => return None,
            };
            let pointer = Pointer { column: mouse.column, row: mouse.row, kind };
            Some(Input::Action(Action::Pointer(pointer)))
        }
        Event::Key(_) | Event::Mouse(_) => None,
    }
}
