//! The things of the protocol as the rest of the program sees them: ids, times, messages, conversations, and the
//! facts (`Delta`) and requests (`Request`) that sync and app exchange.
//!
//! Knows no JSON, no HTTP, no SQL and no terminal. Everything here is plain data and pure functions.

pub mod account;
pub mod account_change;
mod availability;
pub mod body;
pub mod chat_choices;
pub mod code;
pub mod composer_markup;
mod config_change;
pub mod conversation;
mod copied;
pub mod coverage;
pub mod date;
pub mod delta;
pub mod edits;
pub mod emoticon;
mod figures;
pub mod fold;
pub mod id;
mod importing;
pub mod message;
pub mod names;
pub mod notice;
pub mod notifications;
mod object_file;
pub mod preferences;
pub mod qr;
mod read_marker;
pub mod request;
pub mod rich;
pub mod search;
pub mod setting;
pub mod spelling;
pub mod statistics;
pub mod text;
mod thread_flag;
pub mod time;
mod time_format;
mod undo;
pub mod unread;
pub mod width;

pub use account::{AccountId, AuthStyle, ChatRef, PollMode, SignInWay};
pub use account_change::{AccountChange, NewAccount, ServiceChoice};
pub use availability::{Availability, PersonPresence};
pub(crate) use body::human_size;
pub use body::{
    Call, CallPerson, CallState, Card, ExportedFile, Media, MediaKind, MessageBody, Poll,
    ThreadActivity,
};
pub use chat_choices::ChatChoices;
pub use composer_markup::Mention;
pub use config_change::ConfigChange;
pub use conversation::{
    ChatAccess, Conversation, ListedPeople, Member, RawConversation, Role, ThreadFlag,
    ThreadSettings,
};
pub use coverage::{Coverage, Gap, Point, Range};
pub use delta::{
    Arrival, ConnectionState, Delta, Fault, FaultKind, Findings, ImportOrigin, Inbound,
    MessageSource, Neighbors, Placement, Response,
};
pub use figures::{AccountFigures, FrameFigures};
pub use id::{ClientMessageId, ConversationId, ConversationKind, UserId, UserKind};
pub use importing::{ImportNews, ImportProgress};
pub use message::{
    Delivery, Draft, EditMark, EditTarget, Indexed, Message, MessageKey, NOT_CONFIRMED, Outgoing,
    QuoteOf, RawMessage, Reaction, failure,
};
pub use names::{NameSource, Names, YOU, is_name, title, title_people};
pub use notifications::{
    DesktopWay, NotificationDetail, NotificationPreferences, NotifyAbout, has_keyword,
};
pub use object_file::{DownloadProgress, ObjectFile, ObjectHosts};
pub use preferences::{
    Background, Bidi, Density, EmojiStyle, EmojiWidth, Enter, Glyphs, Hyperlinks, KeyPreset,
    ListOrder, Preferences, Receipts, UiPreferences,
};
pub use read_marker::ReadMarker;
pub use request::{Outbound, Request, SignInCode, SignInTenant, ThreadChange, Ticket};
pub use rich::{Align, Attribution, Block, Link, Rgb, RichText, Span, SpanStyle, SyntaxRole};
pub use statistics::ChatStatistics;
pub use text::SafeText;
pub use time::{Now, Timestamp};
pub use time_format::{DateFormat, TimeFormat};
pub use undo::UndoStep;
pub use unread::{Unread, UnreadRow, unread};
