//! What the user can do. Each action has a name, which the key table and the configuration use.

mod names;

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
    /// Runs a slash command (written without its slash) that needs no open chat.
    Command(String),
    /// The first key of a two-key binding, or a second key that completes no binding.
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
    /// The mouse was moved with the button held, after a click on something that can be dragged.
    Drag,
    Release,
    WheelUp,
    WheelDown,
}

/// The state of a two-key binding that was begun.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PrefixKey {
    /// The first key was pressed; its name.
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
    /// Opens the waiting question.
    Answer,
    Help,
    /// With a modal preset: returns to writing, with the cursor at this place of the text.
    Write(Option<Motion>),
    Palette,
    Switcher,
    FocusNext,
    Redraw,
    Suspend,
    Resync,
    /// Signs in again.
    SignIn,
    TogglePanes,
    /// Gives the list more columns, or fewer.
    ResizeList {
        wider: bool,
    },
    /// Switches between mouse support and leaving the mouse to the terminal for selecting text.
    ToggleMouse,
    /// Shows only text, on the whole screen, so that the terminal's own selection copies nothing else.
    Bare,
    /// Previews the text in the box.
    Preview,
    /// Imports an export into an archive.
    Import,
    /// Adds, renames and removes accounts.
    Accounts,
    /// Shows what is waiting in all chats.
    Inbox,
    /// Shows or hides the performance figures of keys, frames and the connection.
    Figures,
    /// Shows and changes the settings of the configuration file.
    Preferences,
    /// Searches everything that is stored, or the open chat.
    Search {
        here: bool,
    },
    /// Goes to the next hit of the last search.
    NextHit {
        older: bool,
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
    /// Goes to the messages of a date.
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
    HalfUp,
    HalfDown,
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
    /// Recalls a line that was sent before into the box.
    Recall {
        older: bool,
    },
    Move(Motion),
    Delete(Motion),
    /// Deletes the line at the cursor.
    DeleteLine,
    Yank,
    /// Asks a clipboard program for its text.
    PasteClipboard,
    /// Opens the text in the user's editor.
    EditOutside,
    /// Suggests corrections for a misspelt word.
    Respell,
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
    /// The beginning of the next word.
    NextWord,
    LineStart,
    LineEnd,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ThreadAction {
    Toggle(ThreadFlag),
    Settings,
    /// Chooses which messages of the chat cause notifications.
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
    /// Deletes everything stored of the chat.
    Forget,
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
    /// A key of any kind, as the configuration writes it, for a dialog that asks for one.
    Press(String),
}

impl Action {
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
}

impl OverlayAction {
    /// The number of lines it moves by, if it moves; `page` is the number of visible lines.
    pub fn step(&self, page: isize) -> Option<isize> {
        match self {
            Self::Up | Self::Scroll(Scroll::LineUp) => Some(-1),
            Self::Down | Self::Scroll(Scroll::LineDown) => Some(1),
            Self::Scroll(Scroll::PageUp) => Some(-page),
            Self::Scroll(Scroll::PageDown) => Some(page),
            Self::Scroll(Scroll::HalfUp) => Some(-((page + 1) / 2)),
            Self::Scroll(Scroll::HalfDown) => Some((page + 1) / 2),
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
