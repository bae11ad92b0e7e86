//! The names of the actions in the key table and in the configuration.

use super::{
    Action, AppAction, ComposeAction, ListAction, MessagesAction, Motion, OverlayAction, Scroll,
    ThreadAction,
};
use crate::model::conversation::FLAGS;

impl Action {
    /// Actions by their name in the key table; those that toggle a setting are in [`FLAGS`].
    const NAMED: &'static [(&'static str, Action)] = &[
        ("quit", Action::App(AppAction::Quit)),
        ("interrupt", Action::App(AppAction::Interrupt)),
        ("escape", Action::App(AppAction::Escape)),
        ("help", Action::App(AppAction::Help)),
        ("answer", Action::App(AppAction::Answer)),
        ("insert", Action::App(AppAction::Write(None))),
        ("insert-at-start", Action::App(AppAction::Write(Some(Motion::LineStart)))),
        ("insert-at-end", Action::App(AppAction::Write(Some(Motion::LineEnd)))),
        ("palette", Action::App(AppAction::Palette)),
        ("search", Action::App(AppAction::Search { here: false })),
        ("search-here", Action::App(AppAction::Search { here: true })),
        ("next-hit", Action::App(AppAction::NextHit { older: true })),
        ("previous-hit", Action::App(AppAction::NextHit { older: false })),
        ("switcher", Action::App(AppAction::Switcher)),
        ("focus-next", Action::App(AppAction::FocusNext)),
        ("redraw", Action::App(AppAction::Redraw)),
        ("suspend", Action::App(AppAction::Suspend)),
        ("resync", Action::App(AppAction::Resync)),
        ("import", Action::App(AppAction::Import)),
        ("sign-in", Action::App(AppAction::SignIn)),
        ("accounts", Action::App(AppAction::Accounts)),
        ("inbox", Action::App(AppAction::Inbox)),
        ("figures", Action::App(AppAction::Figures)),
        ("preferences", Action::App(AppAction::Preferences)),
        ("list-up", Action::List(ListAction::Up)),
        ("list-down", Action::List(ListAction::Down)),
        ("list-open", Action::List(ListAction::Open)),
        ("pinned-up", Action::List(ListAction::MovePinned { up: true })),
        ("pinned-down", Action::List(ListAction::MovePinned { up: false })),
        ("previous-conversation", Action::List(ListAction::Previous)),
        ("next-conversation", Action::List(ListAction::Next)),
        ("mark-read", Action::List(ListAction::MarkRead)),
        ("list-order", Action::List(ListAction::ChangeOrder)),
        ("next-unread", Action::List(ListAction::NextUnread)),
        ("scroll-up", Action::Messages(MessagesAction::Scroll(Scroll::PageUp))),
        ("scroll-down", Action::Messages(MessagesAction::Scroll(Scroll::PageDown))),
        ("half-page-up", Action::Messages(MessagesAction::Scroll(Scroll::HalfUp))),
        ("half-page-down", Action::Messages(MessagesAction::Scroll(Scroll::HalfDown))),
        ("line-up", Action::Messages(MessagesAction::Scroll(Scroll::LineUp))),
        ("line-down", Action::Messages(MessagesAction::Scroll(Scroll::LineDown))),
        ("oldest", Action::Messages(MessagesAction::Scroll(Scroll::Oldest))),
        ("newest", Action::Messages(MessagesAction::Scroll(Scroll::Newest))),
        ("first-unread", Action::Messages(MessagesAction::FirstUnread)),
        ("first-not-sent", Action::Messages(MessagesAction::FirstNotSent)),
        ("select-message", Action::Messages(MessagesAction::SelectUp)),
        ("select-up", Action::Messages(MessagesAction::SelectUp)),
        ("select-down", Action::Messages(MessagesAction::SelectDown)),
        ("message-menu", Action::Messages(MessagesAction::Menu)),
        ("view", Action::Messages(MessagesAction::Inspect)),
        ("go-to-quoted", Action::Messages(MessagesAction::Follow)),
        ("preview", Action::App(AppAction::Preview)),
        ("mark-unread", Action::Messages(MessagesAction::MarkUnread)),
        ("reply", Action::Messages(MessagesAction::Reply)),
        ("edit", Action::Messages(MessagesAction::Edit)),
        ("delete-message", Action::Messages(MessagesAction::Delete)),
        ("react", Action::Messages(MessagesAction::React)),
        ("copy", Action::Messages(MessagesAction::Copy { with_name: false })),
        ("copy-with-name", Action::Messages(MessagesAction::Copy { with_name: true })),
        ("copy-id", Action::Messages(MessagesAction::CopyId)),
        ("all-links", Action::Messages(MessagesAction::AllLinks)),
        ("go-to-date", Action::Messages(MessagesAction::GoToDate)),
        ("toggle-panes", Action::App(AppAction::TogglePanes)),
        ("widen-list", Action::App(AppAction::ResizeList { wider: true })),
        ("narrow-list", Action::App(AppAction::ResizeList { wider: false })),
        ("toggle-mouse", Action::App(AppAction::ToggleMouse)),
        ("bare-view", Action::App(AppAction::Bare)),
        ("extend-up", Action::Messages(MessagesAction::Extend { up: true })),
        ("extend-down", Action::Messages(MessagesAction::Extend { up: false })),
        ("paste", Action::Compose(ComposeAction::PasteClipboard)),
        ("edit-outside", Action::Compose(ComposeAction::EditOutside)),
        ("spelling", Action::Compose(ComposeAction::Respell)),
        ("conversation-1", Action::List(ListAction::Nth(1))),
        ("conversation-2", Action::List(ListAction::Nth(2))),
        ("conversation-3", Action::List(ListAction::Nth(3))),
        ("conversation-4", Action::List(ListAction::Nth(4))),
        ("conversation-5", Action::List(ListAction::Nth(5))),
        ("conversation-6", Action::List(ListAction::Nth(6))),
        ("conversation-7", Action::List(ListAction::Nth(7))),
        ("conversation-8", Action::List(ListAction::Nth(8))),
        ("conversation-9", Action::List(ListAction::Nth(9))),
        ("open-link", Action::Messages(MessagesAction::OpenLink)),
        ("retry", Action::Messages(MessagesAction::Retry)),
        ("take-back", Action::Messages(MessagesAction::TakeBack)),
        ("send", Action::Compose(ComposeAction::Send)),
        ("newline", Action::Compose(ComposeAction::Newline)),
        ("undo", Action::Compose(ComposeAction::Undo)),
        ("recall-older", Action::Compose(ComposeAction::Recall { older: true })),
        ("recall-newer", Action::Compose(ComposeAction::Recall { older: false })),
        ("yank", Action::Compose(ComposeAction::Yank)),
        ("left", Action::Compose(ComposeAction::Move(Motion::Left))),
        ("right", Action::Compose(ComposeAction::Move(Motion::Right))),
        ("up", Action::Compose(ComposeAction::Move(Motion::Up))),
        ("down", Action::Compose(ComposeAction::Move(Motion::Down))),
        ("word-left", Action::Compose(ComposeAction::Move(Motion::WordLeft))),
        ("word-right", Action::Compose(ComposeAction::Move(Motion::WordRight))),
        ("next-word", Action::Compose(ComposeAction::Move(Motion::NextWord))),
        ("line-start", Action::Compose(ComposeAction::Move(Motion::LineStart))),
        ("line-end", Action::Compose(ComposeAction::Move(Motion::LineEnd))),
        ("backspace", Action::Compose(ComposeAction::Delete(Motion::Left))),
        ("delete", Action::Compose(ComposeAction::Delete(Motion::Right))),
        ("delete-word-left", Action::Compose(ComposeAction::Delete(Motion::WordLeft))),
        ("delete-word-right", Action::Compose(ComposeAction::Delete(Motion::WordRight))),
        ("delete-to-next-word", Action::Compose(ComposeAction::Delete(Motion::NextWord))),
        ("delete-line", Action::Compose(ComposeAction::DeleteLine)),
        ("kill-to-start", Action::Compose(ComposeAction::Delete(Motion::LineStart))),
        ("kill-to-end", Action::Compose(ComposeAction::Delete(Motion::LineEnd))),
        ("settings", Action::Thread(ThreadAction::Settings)),
        ("notifications", Action::Thread(ThreadAction::Notifications)),
        ("edit-topic", Action::Thread(ThreadAction::EditTopic)),
        ("copy-join-url", Action::Thread(ThreadAction::CopyUrl)),
        ("members", Action::Thread(ThreadAction::Members)),
        ("add-members", Action::Thread(ThreadAction::AddMembers)),
        ("leave-group", Action::Thread(ThreadAction::Leave)),
        ("delete-history", Action::Thread(ThreadAction::Clear)),
        ("put-away", Action::Thread(ThreadAction::PutAway)),
        ("hide-group", Action::Thread(ThreadAction::Hide)),
        ("forget-chat", Action::Thread(ThreadAction::Forget)),
        ("create-group", Action::Thread(ThreadAction::Create)),
        ("join-group", Action::Thread(ThreadAction::Join)),
        ("choose-up", Action::Overlay(OverlayAction::Up)),
        ("choose-first", Action::Overlay(OverlayAction::Scroll(Scroll::Oldest))),
        ("choose-last", Action::Overlay(OverlayAction::Scroll(Scroll::Newest))),
        ("choose-down", Action::Overlay(OverlayAction::Down)),
        ("choose", Action::Overlay(OverlayAction::Choose)),
        ("pick", Action::Overlay(OverlayAction::Pick)),
        ("erase", Action::Overlay(OverlayAction::Erase)),
        ("erase-all", Action::Overlay(OverlayAction::Clear)),
    ];

    /// The action with this name in the key table.
    pub fn named(name: &str) -> Option<Action> {
        let toggles = FLAGS.iter().find(|spec| spec.action == name);
        let toggles = toggles.map(|spec| Self::Thread(ThreadAction::Toggle(spec.flag)));
        let named = || Self::NAMED.iter().find(|(known, _)| *known == name);
        toggles.or_else(|| named().map(|(_, action)| action.clone()))
    }

    /// The name of an action in the key table; the first one if it has several.
    pub fn name_of(action: &Action) -> Option<&'static str> {
        if let Self::Thread(ThreadAction::Toggle(flag)) = action {
            return Some(flag.spec().action);
        }
        Self::NAMED.iter().find(|(_, known)| known == action).map(|(name, _)| *name)
    }

    /// The name of every action that a key can be bound to.
    pub fn names() -> impl Iterator<Item = &'static str> {
        let toggles = FLAGS.iter().map(|spec| spec.action);
        Self::NAMED.iter().map(|(name, _)| *name).chain(toggles)
    }
}
