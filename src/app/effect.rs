//! What `update` wants done. Returned values, carried out by the runtime; no flags to be polled.

use crate::model::code::{CodeBlock, SyntaxPart};
use crate::model::spelling::{SpellingAnswer, SpellingRequest};
use crate::model::{ChatRef, Outbound, SafeText};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// For sync.
    Request(Box<Outbound>),
    /// Opens a target whose scheme was checked, or a file by its absolute path; by argv, never by a shell.
    OpenUrl(SafeText),
    /// To the clipboard; `what` names it for the user.
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
    /// Asks the dictionaries.
    Spelling(SpellingRequest),
    Redraw,
    /// Asks the terminal to report the mouse, or not to.
    Mouse(bool),
    Suspend,
    Quit,
}

/// What draws attention to new messages, outside the window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Alert {
    Notify(Notification),
    /// What the notification with this number was about has been read.
    Withdraw(u64),
    /// Rings the terminal's bell.
    Bell,
}

/// A notification, in the words that may be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// Tells it from others of this run.
    pub number: u64,
    pub title: SafeText,
    pub text: SafeText,
}

/// The result of an effect that another program carried out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Outcome {
    /// `terminal`: by OSC 52, which the terminal may ignore without a word. `program`: the programs that have taken the
    /// text, by name.
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
    /// Nothing on the D-Bus session shows notifications.
    NoNotificationService {
        /// The bell has rung for the notification.
        has_rung: bool,
    },
    /// The syntax of a code block, as far as it was found.
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
