//! What `update` wants done: values that it returns and the runtime carries out, not flags to be polled.

use crate::model::code::{CodeBlock, SyntaxPart};
use crate::model::spelling::{SpellingAnswer, SpellingRequest};
use crate::model::{ChatRef, Outbound, SafeText};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Sends a request to sync.
    Request(Box<Outbound>),
    /// Opens a target whose scheme was checked, or a file by its absolute path; by argv, never through a shell.
    OpenUrl(SafeText),
    /// Copies text to the clipboard; `what` describes it for the user.
    Copy {
        what: String,
        text: String,
    },
    /// Asks for the clipboard's text.
    PasteClipboard,
    /// Opens the text in the user's editor.
    EditOutside {
        chat: ChatRef,
        text: String,
    },
    Alert(Alert),
    /// Finds the syntax of a code block.
    Highlight(CodeBlock),
    /// Sends a request to the spell checker.
    Spelling(SpellingRequest),
    Redraw,
    /// Turns the terminal's mouse reports on or off.
    Mouse(bool),
    Suspend,
    Quit,
}

/// What draws attention to new messages, outside the window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Alert {
    Notify(Notification),
    /// Withdraws the notification with this number: its messages have been read.
    Withdraw(u64),
    /// Rings the terminal's bell.
    Bell,
}

/// A notification, with only the text that may be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// Unique in this run.
    pub number: u64,
    pub title: SafeText,
    pub text: SafeText,
}

/// The result of an effect that another program carried out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Outcome {
    /// `terminal`: sent with OSC 52, which the terminal may silently ignore. `program`: the names of the programs that
    /// have taken the text.
    Copied {
        what: String,
        terminal: bool,
        program: Option<String>,
    },
    NotOpened {
        program: String,
    },
    /// The program that shows notifications cannot be started.
    NotNotified {
        program: String,
    },
    /// No service on the D-Bus session shows notifications.
    NoNotificationService {
        /// The bell has rung for the notification.
        has_rung: bool,
    },
    /// The syntax of a code block, which may be incomplete.
    Highlighted {
        number: u64,
        parts: Vec<SyntaxPart>,
    },
    Spelling(SpellingAnswer),
    Pasted(Result<String, SafeText>),
    EditedOutside {
        chat: ChatRef,
        text: Result<String, SafeText>,
    },
}
