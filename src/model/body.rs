//! The content of a message, by kind. One variant per family of `messagetype`s.

mod sentence;

use super::conversation::ThreadFlag;
use super::id::UserId;
use super::preferences::{EmojiStyle, EmojiWidth};
use super::rich::{Align, Block, Link, RichText, Span, SpanStyle, host};
use super::text::SafeText;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MessageBody {
    /// `Text`, `RichText`, `RichText/Html`.
    Text(RichText),
    /// `/me`: the text without the sender's name.
    Emote(RichText),
    Media(Media),
    Card(Card),
    Poll(Poll),
    /// Text with a label: an SMS, an invitation to a call, a notice.
    Labelled {
        label: SafeText,
        text: RichText,
    },
    Contacts(Vec<SafeText>),
    Location {
        address: SafeText,
        link: Option<SafeText>,
    },
    Call(Call),
    /// A change of the conversation itself.
    Thread(ThreadActivity),
    /// Signals that are never shown: typing, live state, read markers.
    Hidden,
    Deleted,
    /// `MessageDelete`: names another message that is gone. Never shown itself.
    Deletes(Box<str>),
    /// Not a message: messages are missing here, or the server no longer has them. Only the timeline creates it.
    Gap {
        closed: bool,
    },
    /// A type this version does not know, or nothing to show: its name and its text without tags. The raw content stays
    /// in the store.
    Unknown {
        kind: SafeText,
        text: RichText,
    },
}

/// A file, picture, video or voice message (`URIObject`, `files`): what it is and where it can be fetched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Media {
    pub kind: MediaKind,
    pub name: SafeText,
    pub bytes: Option<u64>,
    /// Length of audio and video.
    pub seconds: Option<u32>,
    pub link: Option<SafeText>,
    /// The address of the object that the service holds, where the message names one.
    pub object: Option<SafeText>,
    /// In an archive: whether the export has the file.
    #[serde(default)]
    pub exported: ExportedFile,
}

/// Whether an export has the file of a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ExportedFile {
    /// The message is not in an archive, or nobody looked.
    #[default]
    Unknown,
    Here,
    /// The export has nothing of the file, or only its metadata.
    Missing,
    /// The export has only the file's metadata, and the time in which the file could be fetched is over.
    Expired,
    /// The export is no longer where it was imported from.
    Moved,
}

impl ExportedFile {
    pub fn word(self) -> &'static str {
        match self {
            Self::Unknown => "",
            Self::Here => "in the export",
            Self::Missing => "not in the export",
            Self::Expired => "expired",
            Self::Moved => "the export was moved or deleted",
        }
    }
}

/// A bot's card: title, text, pictures and buttons as links.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    pub title: SafeText,
    pub text: RichText,
    /// Label and checked target.
    pub links: Vec<(SafeText, SafeText)>,
    /// Buttons that only work inside the bot.
    pub buttons: Vec<SafeText>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Poll {
    pub question: SafeText,
    pub answers: Vec<SafeText>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MediaKind {
    File,
    Image,
    Video,
    Voice,
    Card,
    Recording,
    Transcript,
}

impl MediaKind {
    pub fn word(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Image => "image",
            Self::Video => "video",
            Self::Voice => "voice message",
            Self::Card => "card",
            Self::Recording => "call recording",
            Self::Transcript => "call transcript",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    pub state: CallState,
    /// The longest time that anyone took part, where the wire says it.
    pub seconds: Option<u32>,
    /// Who was in it.
    pub people: Vec<CallPerson>,
}

/// Someone in a call. The id can be empty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallPerson {
    pub id: UserId,
    /// The name that the call itself gives.
    pub name: SafeText,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CallState {
    Started,
    Ended,
    Missed,
    Declined,
    /// It is only known that there was a call.
    Unknown,
}

/// The `ThreadActivity/…` types. Names come with the ids where the wire has them (facts 3.7). `by` is empty where the
/// wire does not say who did it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ThreadActivity {
    Topic {
        by: UserId,
        topic: SafeText,
    },
    /// A two-state setting of the group was changed.
    Flag {
        by: UserId,
        flag: ThreadFlag,
        on: bool,
    },
    Picture {
        by: UserId,
    },
    Added {
        by: UserId,
        targets: Vec<UserId>,
    },
    Removed {
        by: UserId,
        targets: Vec<UserId>,
    },
    Joined(Vec<UserId>),
    Left(Vec<UserId>),
    Roles {
        by: UserId,
        targets: Vec<(UserId, bool)>,
    },
    /// Something else that someone did, as the rest of a sentence.
    Did {
        by: UserId,
        what: SafeText,
    },
    /// Any other type of the family, in words.
    Other {
        by: Option<UserId>,
        what: SafeText,
    },
}

impl MessageBody {
    /// The message as text without styles: for search, `log`, snippets and copying. `name` gives people's names.
    pub fn text(&self, name: &dyn Fn(&UserId) -> SafeText) -> String {
        match self {
            Self::Text(rich) | Self::Emote(rich) => rich.plain_text(),
            Self::Media(media) => media.text(),
            Self::Card(card) => card.rich().plain_text(),
            Self::Poll(poll) => poll.rich().plain_text(),
            Self::Labelled { label, text } => format!("[{label}] {}", text.plain_text()),
            Self::Contacts(names) => {
                let names: Vec<&str> = names.iter().map(SafeText::as_str).collect();
                format!("[contact] {}", names.join(", "))
            }
            Self::Location { address, .. } => format!("[location] {address}"),
            Self::Call(call) => call.text(name),
            Self::Thread(activity) => activity.text(name),
            Self::Hidden | Self::Deletes(_) => String::new(),
            Self::Deleted => "[message removed]".into(),
            Self::Gap { closed: false } => "messages are missing here".into(),
            Self::Gap { closed: true } => "the server no longer has the messages in between".into(),
            Self::Unknown { kind, text } => {
                let text = text.plain_text();
                if text.is_empty() { format!("[{kind}]") } else { format!("[{kind}] {text}") }
            }
        }
    }

    /// [`MessageBody::text`] for a list or a notification: a reply without the text that it quotes.
    pub fn preview(&self, name: &dyn Fn(&UserId) -> SafeText) -> String {
        match self {
            Self::Text(rich) => rich.answer_text(),
            body => body.text(name),
        }
    }

    /// Replaces emoticons with the form in which they are shown.
    pub fn show_emoji(&mut self, style: EmojiStyle, width: EmojiWidth) {
        match self {
            Self::Text(rich) | Self::Emote(rich) | Self::Labelled { text: rich, .. } => {
                rich.show_emoji(style, width);
            }
            _ => {}
        }
    }

    pub fn has_emoticons(&self) -> bool {
        match self {
            Self::Text(rich) | Self::Emote(rich) | Self::Labelled { text: rich, .. } => {
                rich.has_emoticons()
            }
            _ => false,
        }
    }

    pub fn links(&self) -> Vec<SafeText> {
        match self {
            Self::Text(rich)
            | Self::Emote(rich)
            | Self::Labelled { text: rich, .. }
            | Self::Unknown { text: rich, .. } => rich.links(),
            Self::Media(Media { link, .. }) | Self::Location { link, .. } => {
                link.iter().cloned().collect()
            }
            Self::Card(card) => card.rich().links(),
            _ => Vec::new(),
        }
    }

    /// Whether it is a file, picture or recording, or has one beside its text.
    pub fn has_file(&self) -> bool {
        match self {
            Self::Media(_) => true,
            Self::Text(rich) => rich.has_file(),
            _ => false,
        }
    }

    /// Whether it is a system line, which is shown dim and without a sender.
    pub fn is_system(&self) -> bool {
        matches!(self, Self::Thread(_) | Self::Call(_) | Self::Gap { .. })
    }
}

impl Media {
    /// The kind, name, length and size of the file in one line.
    pub fn text(&self) -> String {
        let mut parts = Vec::new();
        if !self.name.is_empty() {
            parts.push(self.name.to_string());
        }
        parts.extend(self.seconds.map(|s| format!("{}:{:02}", s / 60, s % 60)));
        parts.extend(self.bytes.map(human_size));
        if self.exported != ExportedFile::Unknown {
            parts.push(self.exported.word().to_owned());
        }
        format!("[{}] {}", self.kind.word(), parts.join(" · ")).trim_end().to_owned()
    }
}

impl Card {
    /// Title, text, and a line for each link and button.
    pub fn rich(&self) -> RichText {
        let bold = SpanStyle { bold: true, ..SpanStyle::default() };
        let mut blocks = Vec::new();
        let title = if self.title.is_empty() { "[card]".into() } else { self.title.clone() };
        blocks.push(paragraph(vec![Span { text: title, style: bold, link: None }]));
        blocks.extend(self.text.blocks.iter().cloned());
        for (label, url) in &self.links {
            let link = Some(Link::Url(url.clone()));
            let mut spans =
                vec![Span { text: label.clone(), link: link.clone(), ..Span::default() }];
            if label != url {
                let dim = SpanStyle { dim: true, ..SpanStyle::default() };
                let text = SafeText::text(&format!(" [{}]", SafeText::line(host(url))));
                spans.push(Span { text, style: dim, link });
            }
            blocks.push(paragraph(spans));
        }
        for button in &self.buttons {
            let text = SafeText::line(&format!("({button})"));
            blocks.push(paragraph(vec![Span { text, ..Span::default() }]));
        }
        RichText { blocks }
    }
}

impl Poll {
    pub fn rich(&self) -> RichText {
        let bold = SpanStyle { bold: true, ..SpanStyle::default() };
        let question = SafeText::text(&format!("[poll] {}", self.question));
        let mut blocks = vec![paragraph(vec![Span { text: question, style: bold, link: None }])];
        for (number, answer) in (1..).zip(&self.answers) {
            let text = SafeText::text(&format!("{number}. {answer}"));
            blocks.push(paragraph(vec![Span { text, ..Span::default() }]));
        }
        RichText { blocks }
    }
}

fn paragraph(spans: Vec<Span>) -> Block {
    Block::Paragraph { align: Align::Left, spans }
}

/// The maximum number of people of a call that are named.
const CALL_NAMES: usize = 5;

impl Call {
    fn text(&self, name: &dyn Fn(&UserId) -> SafeText) -> String {
        let length = self.seconds.map(|s| match (s / 3600, s / 60 % 60, s % 60) {
            (0, 0, s) => format!(" · {s} s"),
            (0, m, s) => format!(" · {m} min {s} s"),
            (h, m, _) => format!(" · {h} h {m} min"),
        });
        let state = match self.state {
            CallState::Started => "Call started",
            CallState::Ended => "Call ended",
            CallState::Missed => "Missed call",
            CallState::Declined => "Declined call",
            CallState::Unknown => "Call",
        };
        let called = |person: &CallPerson| {
            let known = name(&person.id);
            let nameless = person.id.as_str().is_empty() || known.as_str() == person.id.bare();
            if nameless && !person.name.is_empty() { person.name.clone() } else { known }
        };
        let people = self.people.iter().map(|person| called(person).to_string());
        let people: Vec<String> = people.filter(|name| !name.is_empty()).collect();
        let named = people.iter().take(CALL_NAMES).cloned().collect::<Vec<_>>().join(", ");
        let people = match (people.len(), people.len().saturating_sub(CALL_NAMES)) {
            (0, _) => String::new(),
            (_, 0) => format!(" · {named}"),
            (_, more) => format!(" · {named} +{more}"),
        };
        format!("{state}{}{people}", length.unwrap_or_default())
    }
}

/// Bytes in the largest unit that keeps at most four digits.
pub(crate) fn human_size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64;
    let mut unit = "B";
    for next in UNITS {
        value /= 1000.0;
        unit = next;
        if value < 999.95 {
            break;
        }
    }
    format!("{value:.1} {unit}")
}

#[cfg(test)]
mod tests;
