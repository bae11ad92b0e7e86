//! What sync reports to the app. Applying a delta twice is the same as once; an older version changes nothing.

use super::account::{AccountId, SignInWay};
use super::account_change::ServiceChoice;
use super::availability::PersonPresence;
use super::chat_choices::ChatChoices;
use super::config_change::ConfigChange;
use super::conversation::{ChatAccess, Conversation, Member, ThreadFlag, ThreadSettings};
use super::coverage::{Coverage, Point};
use super::figures::AccountFigures;
use super::id::{ClientMessageId, ConversationId, UserId};
use super::importing::ImportNews;
use super::message::{Delivery, Draft, Message, MessageKey, Outgoing, RawMessage};
use super::names::NameSource;
use super::object_file::{DownloadProgress, ObjectHosts};
use super::read_marker::ReadMarker;
use super::request::{SignInCode, SignInTenant, Ticket};
use super::search::{Hit, SearchPosition};
use super::statistics::ChatStatistics;
use super::text::SafeText;
use super::time::Timestamp;
use super::unread::Unread;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A delta and the account whose sync sent it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Inbound {
    pub account: AccountId,
    pub delta: Delta,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Delta {
    Connection(ConnectionState),
    Conversations(Vec<Conversation>),
    Messages {
        conversation: ConversationId,
        messages: Vec<Message>,
        placement: Placement,
        arrival: Arrival,
    },
    /// Which parts of the history are stored.
    Coverage {
        conversation: ConversationId,
        coverage: Coverage,
    },
    /// How far others have read.
    ReadReceipts {
        conversation: ConversationId,
        read_receipts: Vec<(UserId, Timestamp)>,
    },
    /// A request for older messages failed.
    Older {
        conversation: ConversationId,
        fault: Fault,
    },
    Settings {
        conversation: ConversationId,
        settings: ThreadSettings,
    },
    Members {
        conversation: ConversationId,
        members: Vec<Member>,
    },
    /// What this account may do in a conversation has changed.
    Access {
        conversation: ConversationId,
        access: ChatAccess,
    },
    /// A group's topic as the server holds it now.
    Topic {
        conversation: ConversationId,
        topic: SafeText,
    },
    /// The state of one flag on the server, from an announcement.
    Flag {
        conversation: ConversationId,
        flag: ThreadFlag,
        on: bool,
    },
    Typing {
        conversation: ConversationId,
        who: UserId,
        active: bool,
    },
    Unread {
        conversation: ConversationId,
        unread: Unread,
        read_marker: Option<ReadMarker>,
    },
    Names(Vec<(UserId, NameSource, SafeText)>),
    /// Who of the people in sight is available; replaces what was known before. Not sent where the service does not
    /// say, or the user has not agreed.
    Presence(Vec<(UserId, PersonPresence)>),
    /// The hosts of the files that this account can fetch.
    ObjectHosts(ObjectHosts),
    /// The copies of the store that upgrades have left.
    StoreCopies(Vec<SafeText>),
    /// How much of the file that was requested with this ticket has arrived.
    Download {
        ticket: Ticket,
        progress: DownloadProgress,
    },
    /// The delivery state of a message of this account has changed.
    Delivery {
        conversation: ConversationId,
        client_id: ClientMessageId,
        delivery: Delivery,
        sent: Option<MessageKey>,
    },
    /// A message that was waiting in the outbox when the program started.
    Outbox {
        conversation: ConversationId,
        client_id: ClientMessageId,
        outgoing: Outgoing,
        queued_at: Timestamp,
        delivery: Delivery,
    },
    /// The conversation with a person has become a thread with an id of its own; what was written to the person and not
    /// sent yet belongs there from now on.
    BecameThread {
        from: ConversationId,
        to: ConversationId,
        with: UserId,
    },
    /// A message left the outbox without being sent, for good or back into the box; or it was too late for that.
    Discarded {
        conversation: ConversationId,
        client_id: ClientMessageId,
        result: Result<(), Fault>,
    },
    /// What the user has chosen for conversations on this machine.
    Choices(Vec<(ConversationId, ChatChoices)>),
    /// The chat that was open when the program ended.
    LastOpen(ConversationId),
    Drafts(Vec<(ConversationId, Draft)>),
    /// The answer to the request with this ticket.
    Response {
        ticket: Ticket,
        response: Response,
    },
    /// This account is shown from now on. The user's id is empty while nobody has signed in.
    Joined {
        me: UserId,
    },
    /// This account is not shown any more.
    Left,
    Import(ImportNews),
    /// The configuration file was changed on disk, or is wrong now: then the settings stay as they were.
    Configuration(Result<ConfigChange, SafeText>),
    /// Something the user should know that belongs to no message.
    Notice(SafeText),
}

/// The answer to a request. The variant follows from the request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Response {
    /// A change of a message or a conversation.
    Done(Result<(), Fault>),
    /// The new group.
    Created(Result<ConversationId, Fault>),
    /// The group a join URL leads to.
    Resolved(Result<ConversationId, Fault>),
    /// The URL under which others join.
    JoinUrl(Result<SafeText, Fault>),
    Found(Result<Findings, Fault>),
    /// The code that the user has to enter in a browser.
    SignInCode(Result<SignInCode, Fault>),
    /// The account belongs to several organisations, one of which is to be chosen.
    SignInTenants(Vec<SignInTenant>),
    Source(MessageSource),
    /// The path of a private copy of a file.
    FileCopy(Result<SafeText, Fault>),
    Neighbors(Neighbors),
    Statistics(ChatStatistics),
    Figures(AccountFigures),
    /// The services that an account can be added for.
    Services(Result<Vec<ServiceChoice>, Fault>),
}

/// A message as it is stored.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageSource {
    /// The item of the message first, then its edit records.
    pub items: Vec<RawMessage>,
    /// In an archive: what it was imported from.
    pub origin: Option<ImportOrigin>,
}

/// The export that a message came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportOrigin {
    /// The name of the archive, if the message is shown in the conversation of another account.
    #[serde(default)]
    pub archive: Option<SafeText>,
    /// The path of the file.
    pub file: SafeText,
    pub imported_at: Timestamp,
}

/// The stored messages next to a moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Neighbors {
    pub before: Option<MessageKey>,
    /// At that moment, or the next one after it.
    pub after: Option<MessageKey>,
}

/// How messages arrived, wherever in the history they belong. Only this decides what draws attention to them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Arrival {
    /// Posted while the connection was up: told by an event, or found at the next interval.
    Live,
    /// Posted while the connection was down, and fetched since.
    CatchUp,
    /// From before: stored already, fetched because it was scrolled to, or part of a conversation that is new here.
    History,
}

/// Where in the history a batch of messages belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Placement {
    /// Each at the place that its key gives, as events bring them.
    Event,
    /// The newest stored or fetched page.
    Newest,
    Older {
        /// The place before which messages were requested.
        before: Point,
        reached_start: bool,
    },
    /// What was missing between stored messages.
    Gap,
    /// A place further back and the messages around it, instead of those that were loaded. Without messages: it is not
    /// available.
    Around { place: Point, reached_start: bool, at_end: bool },
    /// After such a place.
    Newer {
        /// The place after which messages were requested.
        after: Point,
        at_end: bool,
    },
}

/// Hits of a search, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Findings {
    pub hits: Vec<Hit>,
    /// Where older hits begin; `None` when there are none.
    pub next: Option<SearchPosition>,
    /// These follow earlier ones of the same search.
    pub more: bool,
    /// Not all of the history is indexed yet.
    pub behind: bool,
}

/// The state of the connection, as the status line shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ConnectionState {
    Connecting,
    Online,
    /// `wait` from the moment this was sent.
    Waiting {
        wait: Duration,
        attempt: u32,
        why: SafeText,
        /// The service has asked for the wait, because there were too many requests.
        #[serde(default)]
        asked: bool,
    },
    SignedOut {
        why: SafeText,
        #[serde(default)]
        way: SignInWay,
    },
    /// Only stored messages are shown.
    ReadOnly,
}

/// Why something did not work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// For decisions; the sentence is for the user only.
    #[serde(default)]
    pub kind: FaultKind,
    pub reason: SafeText,
    /// Asking again later may work; follows from the kind.
    pub can_retry: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum FaultKind {
    /// The server cannot be reached or does not answer.
    Offline,
    /// The server is having problems.
    Unavailable,
    /// The server asks the client to slow down.
    RateLimited,
    /// The answer makes no sense.
    BadAnswer,
    /// The token was rejected, and there is no other one.
    SignedOut,
    /// Not a member, or not allowed to do this.
    NotAllowed,
    /// It does not exist, or not for this account.
    NotFound,
    TooLarge,
    /// Refused for another reason.
    Refused,
    /// What was given cannot be sent.
    Invalid,
    /// The server has no such service, or none is configured.
    Unsupported,
    /// No join service is configured, or the address is not one of its own.
    JoinUnavailable,
    /// A message that was to be taken back has been sent.
    AlreadySent,
    /// Too many requests are waiting already.
    Busy,
    /// The store cannot be read or written.
    Store,
    /// The program was started read-only.
    ReadOnly,
    #[default]
    Other,
}

impl FaultKind {
    /// Whether the same request may work later.
    pub fn can_retry(self) -> bool {
        matches!(
            self,
            Self::Offline
                | Self::Unavailable
                | Self::RateLimited
                | Self::BadAnswer
                | Self::Busy
                | Self::Store
        )
    }
}

impl Fault {
    pub fn new(kind: FaultKind, reason: impl AsRef<str>) -> Self {
        Self { kind, reason: SafeText::line(reason.as_ref()), can_retry: kind.can_retry() }
    }
}
