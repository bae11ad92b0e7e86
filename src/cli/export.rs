//! `skchat export`: writes conversations from the store of an archive or a configured account. Uses no network.

mod csv;
mod html;
mod json;
mod markdown;
mod media;
mod pages;
mod plain;

use super::Global;
use super::archives::{self, ArchiveAccount, chosen};
use super::chats::{self, ChatLine, KnownChats};
use super::context::{ExitError, STORE, Session};
use crate::model::search::date_range;
use crate::model::{
    EmojiStyle, Message, Names, RawMessage, SafeText, SpanStyle, Timestamp, UserId,
};
use crate::store::ReadOnly;
use clap::{Args, ValueEnum};
use jiff::tz::TimeZone;
use media::{MediaFolder, MediaState};
use pages::{Pages, ShownMessage};
use std::borrow::Cow;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
pub struct ExportArgs {
    /// An id, or part of a name
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    chat: Option<String>,
    /// Every conversation
    #[arg(long)]
    all: bool,
    /// Output format; json has one object per line, which skchat import can read
    #[arg(long, value_enum, default_value_t = ExportFormat::Txt)]
    format: ExportFormat,
    /// Only messages since this day, month or year, such as 2019-12-31
    #[arg(long, value_name = "DATE")]
    since: Option<String>,
    /// Only messages up to the end of this day, month or year
    #[arg(long, value_name = "DATE")]
    until: Option<String>,
    /// Write pictures and other files from the archive's exports to this folder, and link to them
    #[arg(long, value_name = "DIR")]
    media: Option<PathBuf>,
    /// Write to this new file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    /// A page that opens offline in a browser
    Html,
    /// Markdown
    Md,
    /// Plain text, as skchat log prints it
    Txt,
    /// One JSON object per line
    Json,
    /// A table for spreadsheets
    Csv,
}

/// The conversations of an account, and what is needed to show them.
struct StoredAccount {
    store: ReadOnly,
    is_archive: bool,
    known: KnownChats,
    me: UserId,
    emoji: EmojiStyle,
}

/// A message with everything that a format may write of it.
struct ExportItem<'a> {
    raw: &'a RawMessage,
    message: &'a Message,
    /// Records of edits that were folded into it.
    edits: &'a [RawMessage],
    media: MediaState,
}

/// What all messages of a conversation share.
struct ExportChat<'a> {
    title: &'a SafeText,
    id: &'a str,
    /// The name, if it is a real one.
    name: Option<&'a str>,
    names: &'a Names,
    me: &'a UserId,
    zone: &'a TimeZone,
}

impl ExportChat<'_> {
    /// The sender's name as the log shows it; `None` for lines about the conversation itself.
    fn sender(&self, message: &Message) -> Option<SafeText> {
        if message.body.is_system() {
            return None;
        }
        Some(match &message.sender_name {
            Some(name) if !self.names.knows(&message.sender) => name.clone(),
            _ => self.names.distinct(&message.sender),
        })
    }

    fn text(&self, message: &Message) -> String {
        super::lines::shown_text(message, self.names, None)
    }
}

/// Writes one format. The default methods write nothing.
trait ExportWriter {
    fn begin(&mut self, _out: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }

    fn chat(&mut self, _chat: &ExportChat<'_>, _out: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }

    /// Before the first message of each day.
    fn day(&mut self, _name: &str, _out: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }

    fn message(
        &mut self,
        chat: &ExportChat<'_>,
        item: &ExportItem<'_>,
        out: &mut dyn Write,
    ) -> io::Result<()>;

    fn end(&mut self, _out: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }
}

/// Text in which characters with a meaning in a format are escaped. Most text has none and is copied as a whole.
fn escaped(text: &str, escape: impl Fn(char) -> Option<&'static str>) -> Cow<'_, str> {
    let Some(first) = text.find(|c| escape(c).is_some()) else { return Cow::Borrowed(text) };
    let (before, rest) = text.split_at(first);
    let mut out = String::with_capacity(text.len() + 16);
    out.push_str(before);
    for c in rest.chars() {
        match escape(c) {
            Some(instead) => out.push_str(instead),
            None => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// The HTML elements of a style, the outermost first.
fn style_tags(style: SpanStyle) -> Vec<&'static str> {
    let tags = [
        (style.bold, "b"),
        (style.italic, "i"),
        (style.underline, "u"),
        (style.strike, "s"),
        (style.mono, "code"),
    ];
    tags.into_iter().filter(|(is, _)| *is).map(|(_, tag)| tag).collect()
}

/// The headings between the messages: that of the conversation, and one for each day.
#[derive(Default)]
struct Headings {
    has_begun: bool,
    day: Option<i64>,
}

impl Headings {
    /// Writes the headings that come before a message.
    fn before(
        &mut self,
        message: &Message,
        chat: &ExportChat<'_>,
        writer: &mut dyn ExportWriter,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        if !std::mem::replace(&mut self.has_begun, true) {
            writer.chat(chat, out)?;
        }
        let day = message.at.day(chat.zone);
        if self.day.replace(day) != Some(day) {
            writer.day(&message.at.date_name(chat.zone), out)?;
        }
        Ok(())
    }
}

fn writer(format: ExportFormat) -> Box<dyn ExportWriter> {
    match format {
        ExportFormat::Html => Box::new(html::Html),
        ExportFormat::Md => Box::new(markdown::Markdown),
        ExportFormat::Txt => Box::new(plain::Plain),
        ExportFormat::Json => Box::new(json::Json),
        ExportFormat::Csv => Box::new(csv::Csv),
    }
}

/// Exports a conversation or all.
///
/// # Errors
/// When there is no such conversation, the store cannot be read, or the output cannot be written.
pub fn run(global: &Global, arguments: &ExportArgs) -> Result<(), ExitError> {
    let zone = crate::config::local_zone();
    let since = date(arguments.since.as_deref(), "--since", &zone)?.map(|(first, _)| first);
    let until = date(arguments.until.as_deref(), "--until", &zone)?.map(|(_, next)| next);
    let account = account(global)?;
    let chats: Vec<&ChatLine> = match &arguments.chat {
        Some(chat) => vec![chats::choose(&account.known, chat)?],
        None => account.known.chats.iter().collect(),
    };
    let period = (since.unwrap_or(Timestamp(i64::MIN)), until.unwrap_or(Timestamp(i64::MAX)));
    let failed = |e: io::Error| ExitError::failed(format!("the export was not written: {e}"));
    let Some(path) = &arguments.output else {
        let mut out = BufWriter::new(io::stdout().lock());
        let written = write((global, &account), &chats, arguments, period, &zone, &mut out)?;
        return match written.and_then(|()| out.flush()) {
            Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            other => other.map_err(failed),
        };
    };
    // Either complete under its name, or not there at all.
    let mut half = path.clone().into_os_string();
    half.push(".half");
    let half = PathBuf::from(half);
    if path.exists() {
        return Err(ExitError::usage(format!("{} already exists", path.display())));
    }
    let file = new_file(&half).map_err(failed)?;
    let mut out = BufWriter::new(file);
    let written = write((global, &account), &chats, arguments, period, &zone, &mut out);
    let written = written.and_then(|done| done.and_then(|()| out.flush()).map_err(failed));
    let moved = written.and_then(|()| std::fs::rename(&half, path).map_err(failed));
    if moved.is_err() {
        let _ = std::fs::remove_file(&half);
    }
    moved
}

fn new_file(path: &Path) -> io::Result<std::fs::File> {
    use std::os::unix::fs::OpenOptionsExt;
    std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

fn date(
    text: Option<&str>,
    option: &str,
    zone: &TimeZone,
) -> Result<Option<(Timestamp, Timestamp)>, ExitError> {
    let wrong = || ExitError::usage(format!("{option} needs a date such as 2019-12-31 or 2019"));
    text.map(|text| date_range(text, zone).ok_or_else(wrong)).transpose()
}

/// The names that an account knows, and those of people whom only archives know.
fn names_with<'a>(known: &'a Names, archives: &[ReadOnly]) -> Result<Cow<'a, Names>, ExitError> {
    let mut names = Cow::Borrowed(known);
    for archive in archives {
        let others = archive.names().map_err(|e| ExitError::failed(e.to_string()))?;
        for (id, source, name) in others {
            if !names.knows(&id) {
                names.to_mut().learn(&id, source, &name);
            }
        }
    }
    Ok(names)
}

fn account(global: &Global) -> Result<StoredAccount, ExitError> {
    let emoji = archives::config(global)?
        .map_or_else(EmojiStyle::default, |config| config.preferences.ui.emoji);
    let chosen = chosen(global)?;
    let is_archive = chosen.is_some();
    let account = if let Some(archive) = chosen {
        archive
    } else {
        let session = Session::open(global)?;
        ArchiveAccount { name: session.name, dir: session.dir, owner: session.me }
    };
    if !account.dir.join(STORE).exists() {
        return Err(ExitError::failed("nothing is stored yet"));
    }
    let (store, known) = chats::of_archive(&account)?;
    Ok(StoredAccount { store, is_archive, known, me: account.owner, emoji })
}

/// Writes conversations; an error of the store is one of the command, one of the output is returned.
fn write(
    (global, account): (&Global, &StoredAccount),
    chats: &[&ChatLine],
    arguments: &ExportArgs,
    period: (Timestamp, Timestamp),
    zone: &TimeZone,
    out: &mut dyn Write,
) -> Result<io::Result<()>, ExitError> {
    let now = Timestamp(jiff::Timestamp::now().as_millisecond());
    let mut media = MediaFolder::new(arguments.media.as_deref(), arguments.output.as_deref(), now)
        .map_err(|e| ExitError::failed(format!("the folder for media cannot be created: {e}")))?;
    let mut writer = writer(arguments.format);
    if let Err(error) = writer.begin(out) {
        return Ok(Err(error));
    }
    for line in chats {
        let id = &line.conversation.id;
        let archives = if account.is_archive {
            Vec::new()
        } else {
            archives::earlier_years(global, id, &account.me)?
        };
        let names = names_with(&account.known.names, &archives)?;
        let is_named = id.peer().is_none_or(|peer| account.known.names.knows(&peer));
        let chat = ExportChat {
            title: &line.name,
            id: id.as_str(),
            name: is_named.then(|| line.name.as_str()),
            names: &names,
            me: &account.me,
            zone,
        };
        let stores: Vec<&ReadOnly> = std::iter::once(&account.store).chain(&archives).collect();
        let mut pages = Pages::new(stores.clone(), id, &account.me, account.emoji, period)?;
        let mut headings = Headings::default();
        while let Some(page) = pages.next()? {
            for ShownMessage { raw, message, is_archived } in &page {
                let edits = pages.edits_of(raw);
                let state = if account.is_archive || *is_archived {
                    media.take(&stores, raw, message)?
                } else {
                    MediaState::None
                };
                let item = ExportItem { raw, message, edits: &edits, media: state };
                let begun = headings.before(message, &chat, &mut *writer, out);
                if let Err(error) = begun.and_then(|()| writer.message(&chat, &item, out)) {
                    return Ok(Err(error));
                }
            }
        }
    }
    Ok(writer.end(out))
}
