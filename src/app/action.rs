//! What the user can do. Each action has a name, which the key table and the configuration use.

use crate::model::conversation::FLAGS;
use crate::model::{SafeText, ThreadFlag};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Action {
    App(AppAction),
    List(ListAction),
    Messages(MessagesAction),
    Compose(ComposeAction),
    Thread(ThreadAction),
    Overlay(OverlayAction),
    /// The first of two keys, or a second one that completes no binding.
    Prefix(PrefixKey),
    Pointer(Pointer),
}

/// What the mouse did, and in which cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pointer {
    pub column: u16,
    pub row: u16,
    pub kind: PointerKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PointerKind {
    /// The left button was pressed.
    Click,
    WheelUp,
    WheelDown,
}

/// What became of a key that waits for a second one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PrefixKey {
    /// It was pressed; its name.
    Began(String),
    /// No action has these two keys.
    Wrong(String),
    Cancelled,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AppAction {
    Quit,
    Interrupt,
    Escape,
    /// Opens the question that waits.
    Answer,
    Help,
    Palette,
    Switcher,
    FocusNext,
    Redraw,
    Suspend,
    Resync,
    /// Signs in again.
    SignIn,
    TogglePanes,
    /// Uses the mouse, or leaves it to the terminal, which selects text with it.
    ToggleMouse,
    /// Shows only text, on the whole screen, so that the terminal's own selection copies nothing else.
    Bare,
    /// Previews the text in the box.
    Preview,
    /// Puts an export into an archive.
    Import,
    /// Adds, renames and removes accounts.
    Accounts,
    /// Shows what is waiting in all chats.
    Inbox,
    /// Shows and changes the settings of the configuration file.
    Preferences,
    /// Searches everything that is stored, or the open chat.
    Search {
        here: bool,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ListAction {
    Up,
    Down,
    Open,
    Previous,
    Next,
    /// Moves the marked pinned chat among the pinned ones.
    MovePinned {
        up: bool,
    },
    NextUnread,
    /// Marks the open chat as read.
    MarkRead,
    /// The nth conversation on the screen, from 1.
    Nth(usize),
    /// One section per account, or all chats by activity.
    ChangeOrder,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MessagesAction {
    Scroll(Scroll),
    /// Goes to the line above new messages.
    FirstUnread,
    FirstNotSent,
    SelectUp,
    SelectDown,
    /// Extends the selection by one message.
    Extend {
        up: bool,
    },
    Menu,
    /// Shows the details of the message.
    Inspect,
    /// Goes to the message that this one quotes.
    Follow,
    /// Marks the chat as unread from this message on.
    MarkUnread,
    Reply,
    Edit,
    Delete,
    React,
    Copy {
        with_name: bool,
    },
    OpenLink,
    CopyId,
    /// Lists the links in the loaded messages of the conversation.
    AllLinks,
    /// To the messages of a date.
    GoToDate,
    Retry,
    TakeBack,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Scroll {
    PageUp,
    PageDown,
    LineUp,
    LineDown,
    Oldest,
    Newest,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ComposeAction {
    Insert(char),
    Paste(String),
    Send,
    Newline,
    Undo,
    /// Puts a line that was sent before into the box.
    Recall {
        older: bool,
    },
    Move(Motion),
    Delete(Motion),
    Yank,
    /// Asks a clipboard program for its text.
    PasteClipboard,
    /// Opens the text in the user's editor.
    EditOutside,
}

/// A place relative to the cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Motion {
    Left,
    Right,
    Up,
    Down,
    WordLeft,
    WordRight,
    LineStart,
    LineEnd,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ThreadAction {
    Toggle(ThreadFlag),
    Settings,
    /// Which messages of the chat are notified about.
    Notifications,
    EditTopic,
    CopyUrl,
    Members,
    AddMembers,
    Leave,
    Clear,
    /// Hides the chat until something new is said, or for good if the user has left it.
    Hide,
    /// Puts the chat away, or brings it back.
    PutAway,
    Create,
    Join,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum OverlayAction {
    Up,
    Down,
    Choose,
    /// Cycles the highlighted person through picked, picked as admin, and not picked.
    Pick,
    Scroll(Scroll),
    Erase,
    /// Erases the whole input.
    Clear,
    Type(char),
    Paste(String),
}

impl Action {
    /// Actions by their name in the key table; those that toggle a setting are in [`FLAGS`].
    const NAMED: &'static [(&'static str, Action)] = &[
        ("quit", Action::App(AppAction::Quit)),
        ("interrupt", Action::App(AppAction::Interrupt)),
        ("escape", Action::App(AppAction::Escape)),
        ("help", Action::App(AppAction::Help)),
        ("answer", Action::App(AppAction::Answer)),
        ("palette", Action::App(AppAction::Palette)),
        ("search", Action::App(AppAction::Search { here: false })),
        ("search-here", Action::App(AppAction::Search { here: true })),
        ("switcher", Action::App(AppAction::Switcher)),
        ("focus-next", Action::App(AppAction::FocusNext)),
        ("redraw", Action::App(AppAction::Redraw)),
        ("suspend", Action::App(AppAction::Suspend)),
        ("resync", Action::App(AppAction::Resync)),
        ("import", Action::App(AppAction::Import)),
        ("sign-in", Action::App(AppAction::SignIn)),
        ("accounts", Action::App(AppAction::Accounts)),
        ("inbox", Action::App(AppAction::Inbox)),
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
        ("toggle-mouse", Action::App(AppAction::ToggleMouse)),
        ("bare-view", Action::App(AppAction::Bare)),
        ("extend-up", Action::Messages(MessagesAction::Extend { up: true })),
        ("extend-down", Action::Messages(MessagesAction::Extend { up: false })),
        ("paste", Action::Compose(ComposeAction::PasteClipboard)),
        ("edit-outside", Action::Compose(ComposeAction::EditOutside)),
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
        ("line-start", Action::Compose(ComposeAction::Move(Motion::LineStart))),
        ("line-end", Action::Compose(ComposeAction::Move(Motion::LineEnd))),
        ("backspace", Action::Compose(ComposeAction::Delete(Motion::Left))),
        ("delete", Action::Compose(ComposeAction::Delete(Motion::Right))),
        ("delete-word-left", Action::Compose(ComposeAction::Delete(Motion::WordLeft))),
        ("delete-word-right", Action::Compose(ComposeAction::Delete(Motion::WordRight))),
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

    /// Whether the action needs a writable account.
    pub fn writes(&self) -> bool {
        use MessagesAction as M;
        match self {
            Self::Compose(ComposeAction::Move(Motion::Up)) => false,
            Self::Compose(_)
            | Self::Messages(
                M::Reply | M::Edit | M::Delete | M::React | M::Retry | M::TakeBack | M::MarkUnread,
            ) => true,
            _ => false,
        }
    }

    /// The action with this name in the key table.
    pub fn named(name: &str) -> Option<Action> {
        let toggles = FLAGS.iter().find(|spec| spec.action == name);
        let toggles = toggles.map(|spec| Self::Thread(ThreadAction::Toggle(spec.flag)));
        let named = || Self::NAMED.iter().find(|(known, _)| *known == name);
        toggles.or_else(|| named().map(|(_, action)| action.clone()))
    }

    /// The name of every action that a key can be bound to.
    pub fn names() -> impl Iterator<Item = &'static str> {
        let toggles = FLAGS.iter().map(|spec| spec.action);
        Self::NAMED.iter().map(|(name, _)| *name).chain(toggles)
    }
}

impl OverlayAction {
    /// The number of lines it moves by, if it moves; `page` is the number of visible lines.
    pub fn step(&self, page: isize) -> Option<isize> {
        match self {
            Self::Up | Self::Scroll(Scroll::LineUp) => Some(-1),
            Self::Down | Self::Scroll(Scroll::LineDown) => Some(1),
            Self::Scroll(Scroll::PageUp) => Some(-page),
            Self::Scroll(Scroll::PageDown) => Some(page),
            Self::Scroll(Scroll::Oldest) => Some(isize::MIN),
            Self::Scroll(Scroll::Newest) => Some(isize::MAX),
            _ => None,
        }
    }

    /// [`OverlayAction::step`] for dialogs in which Tab moves to the next line.
    pub fn step_or_tab(&self, page: isize) -> Option<isize> {
        self.step(page).or_else(|| (*self == Self::Pick).then_some(1))
    }

    /// Edits the input line; false if it is not an editing key.
    pub fn edit(&self, input: &mut String) -> bool {
        match self {
            Self::Type(c) => input.push(*c),
            Self::Paste(text) => input.push_str(&SafeText::line(text)),
            Self::Erase => {
                input.pop();
            }
            Self::Clear => input.clear(),
            _ => return false,
        }
        true
    }
}
