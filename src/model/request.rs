//! Requests of the app to sync. Every answer comes back as a [`super::Delta`].
//!
//! Requests live in `model` and not in `app`, because sync must not know the app and runtime would otherwise hold a
//! second list of the same things.

use super::account::AccountId;
use super::account_change::AccountChange;
use super::chat_choices::ChatChoices;
use super::conversation::{Role, ThreadFlag};
use super::id::{ClientMessageId, ConversationId, UserId};
use super::message::{Draft, MessageKey, Outgoing};
use super::object_file::ObjectFile;
use super::read_marker::ReadMarker;
use super::search::{Query, SearchPosition};
use super::text::SafeText;
use super::time::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

/// Names one request, so that a late or second answer is harmless.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Ticket(pub u64);

/// A request and the account whose sync is asked.
#[derive(Clone, Debug, PartialEq)]
pub struct Outbound {
    pub account: AccountId,
    pub request: Request,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Request {
    /// Show a conversation: newest stored page, then the server's, then members and settings.
    Open {
        conversation: ConversationId,
    },
    /// Messages before `before`, from the store or else from the server.
    Older {
        conversation: ConversationId,
        before: MessageKey,
    },
    /// A stored place of the history, and the messages around it.
    Around {
        conversation: ConversationId,
        key: MessageKey,
    },
    /// Stored messages after `after`.
    Newer {
        conversation: ConversationId,
        after: MessageKey,
    },
    /// Fetches what is missing above a gap, now.
    Fill {
        conversation: ConversationId,
        above: MessageKey,
    },
    /// Searches everything stored; `below` is where older hits begin, according to an earlier answer.
    Search {
        query: Query,
        below: Option<SearchPosition>,
        ticket: Ticket,
    },
    Send {
        conversation: ConversationId,
        client_id: ClientMessageId,
        outgoing: Outgoing,
    },
    /// Try a failed message again.
    Resend {
        conversation: ConversationId,
        client_id: ClientMessageId,
    },
    /// Takes a message that has not left yet out of the outbox. With a draft, that draft is saved in the same step, so
    /// that the text is in one place or the other whatever happens.
    Discard {
        conversation: ConversationId,
        client_id: ClientMessageId,
        draft: Option<Draft>,
    },
    Change {
        conversation: ConversationId,
        message: Box<str>,
        change: Change,
        ticket: Ticket,
    },
    Thread {
        conversation: ConversationId,
        change: ThreadChange,
        ticket: Ticket,
    },
    /// Fetch members and settings again.
    Refresh {
        conversation: ConversationId,
    },
    /// The address under which others join a group.
    JoinUrl {
        conversation: ConversationId,
        ticket: Ticket,
    },
    /// A new group; this account is its admin.
    Create {
        topic: String,
        members: Vec<(UserId, Role)>,
        ticket: Ticket,
    },
    /// What a join address leads to; asked without credentials.
    Resolve {
        url: String,
        ticket: Ticket,
    },
    MarkRead {
        conversation: ConversationId,
        read_marker: ReadMarker,
        /// Even if it is earlier than the one known: the user wants it unread.
        back: bool,
        /// The server is told. Otherwise it only counts here.
        tell: bool,
    },
    Typing {
        conversation: ConversationId,
        active: bool,
    },
    SaveDraft {
        conversation: ConversationId,
        draft: Draft,
    },
    /// Keep what the user has chosen for a conversation on this machine.
    SaveChoices {
        conversation: ConversationId,
        choices: ChatChoices,
    },
    /// Deletes everything that is stored about a conversation on this machine. The server is not asked.
    Forget {
        conversation: ConversationId,
        /// The conversation was left, or does not exist any more.
        is_over: bool,
        ticket: Ticket,
    },
    /// A message as the server sent it, with its edit records.
    Source {
        conversation: ConversationId,
        key: MessageKey,
        ticket: Ticket,
    },
    /// A code for signing in again.
    SignInCode {
        ticket: Ticket,
    },
    /// Goes on with a sign-in in the organisation that the user has chosen.
    SignInTenant {
        tenant: String,
        ticket: Ticket,
    },
    /// Waits until the user has confirmed that code, and signs in.
    SignInApproval {
        /// Whether names may be looked up.
        names: bool,
        ticket: Ticket,
    },
    /// Copies the file of a message out of the export, so that another program can open it.
    ExportedFile {
        conversation: ConversationId,
        key: MessageKey,
        ticket: Ticket,
    },
    /// Fetches a file that the service holds, so that another program can open it. Answered by
    /// [`super::Delta::Download`] now and then, and by [`super::Response::FileCopy`].
    Download {
        conversation: ConversationId,
        file: ObjectFile,
        ticket: Ticket,
    },
    /// The file that was asked for with this ticket is not wanted any more.
    CancelDownload {
        ticket: Ticket,
    },
    /// The stored messages next to a moment.
    Neighbors {
        conversation: ConversationId,
        at: Timestamp,
        ticket: Ticket,
    },
    /// Counts the stored messages of a conversation by months of this zone.
    Statistics {
        conversation: ConversationId,
        zone: TimeZone,
        ticket: Ticket,
    },
    /// How the connection is doing. Asks nothing of the server.
    Figures {
        ticket: Ticket,
    },
    /// Imports an export into an archive. Concerns no account; answered by [`super::ImportNews`].
    Import {
        path: String,
    },
    /// Ends the import; what is complete is kept.
    CancelImport,
    /// Concerns the configured accounts themselves. Answered by [`super::Response::Done`] or `Services`.
    Accounts {
        change: AccountChange,
        ticket: Ticket,
    },
    /// The people whose presence the user can see.
    InSight {
        people: Vec<UserId>,
    },
    /// End a wait between two attempts.
    RetryNow,
    /// Fetch the newest messages of one conversation again.
    Resync {
        conversation: ConversationId,
    },
}

impl Request {
    /// Whether it was caused by something that the user has just done. The program sends the others by itself, for
    /// example to mark as read what arrives on the screen.
    pub fn is_caused_by_user(&self) -> bool {
        !matches!(
            self,
            Self::MarkRead { back: false, .. }
                | Self::Statistics { .. }
                | Self::Figures { .. }
                | Self::InSight { .. }
        )
    }
}

/// A code to be entered on a page of the sign-in service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignInCode {
    pub user_code: SafeText,
    /// The address of the page.
    pub address: SafeText,
    /// How long the code is valid.
    pub minutes: u64,
}

/// An organisation that an account belongs to (facts 8.5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignInTenant {
    pub id: String,
    /// Empty if the service does not say.
    pub name: SafeText,
}

/// A change of a conversation: one property or one person per request (facts 5).
#[derive(Clone, Debug, PartialEq)]
pub enum ThreadChange {
    Flag(ThreadFlag, bool),
    Topic(String),
    /// Adds someone or sets their role; with the user's own id: joins.
    Member(UserId, Role),
    /// Takes someone out; with the user's own id: leaves.
    Remove(UserId),
    /// Deletes the history for this account.
    Clear,
}

/// A change of a message that the server already has.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    Edit(Outgoing),
    Delete,
    /// Sets or takes back this account's reaction. The key is the wire's, as in [`Reaction`](super::Reaction).
    React {
        key: String,
        on: bool,
    },
}
