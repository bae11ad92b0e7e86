//! `skchat log`: prints the newest messages of a conversation.

use super::archives::{self, ArchiveAccount};
use super::context::{ExitError, STORE, Session};
use super::lines;
use super::{Global, chats};
use crate::client::Client;
use crate::model::edits::{EditRole, Edits};
use crate::model::{ConversationId, EmojiStyle, EmojiWidth, Names, RawMessage, UserId};
use crate::protocol::decode;
use crate::store;
use crate::sync::decode_stored;
use clap::Args;
use std::collections::HashSet;

#[derive(Debug, Args)]
pub struct LogArgs {
    /// An id, or part of a name
    chat: String,
    /// Number of messages to print
    #[arg(short = 'n', value_name = "N", default_value_t = 20)]
    count: usize,
    /// Print one JSON object per line
    #[arg(long)]
    json: bool,
}

/// Prints the log.
///
/// # Errors
/// When the conversation is not found, or the gateway cannot be reached and nothing is stored.
pub async fn run(global: &Global, session: &Session, arguments: &LogArgs) -> Result<(), ExitError> {
    let client = session.client()?;
    let mut known = chats::list(session, &client, false).await?;
    let id = chats::choose(&known, &arguments.chat)?.conversation.id.clone();
    let archived = archived(global, &id, &session.me, arguments.count)?;
    let (mut raw, offline) = match fetch(&client, &id, arguments.count, &session.me).await {
        Ok((raw, None)) => (raw, known.offline.clone()),
        Ok((raw, Some(error))) => {
            lines::warn(&format!("skchat: older messages could not be fetched: {error}"));
            (raw, known.offline.clone())
        }
        Err(error) => {
            let stored = store::open_read_only(&session.dir.join(STORE))
                .and_then(|s| s.newest(&id, rows(arguments.count)));
            let stored: Vec<RawMessage> =
                stored.unwrap_or_default().into_iter().map(decode_stored).collect();
            if stored.is_empty() && archived.is_empty() {
                let message =
                    format!("the gateway is not available ({error}) and nothing is stored");
                return Err(ExitError::failed(message));
            }
            (stored, Some(error.to_string()))
        }
    };
    if let Some(why) = &offline {
        lines::warn(&format!(
            "skchat: the gateway is not available ({why}); showing what is stored"
        ));
    }
    raw.extend(archived);
    lines::learn(&mut known.names, &raw);
    if offline.is_none() {
        let senders = raw.iter().map(|message| message.sender.clone()).collect();
        chats::look_up(&client, &mut known.names, senders).await;
    }
    print(known.names, raw, &session.me, session.config.preferences.ui.emoji, arguments)
}

/// Prints the log of a conversation in an archive.
///
/// # Errors
/// When the archive cannot be read, or there is no such conversation.
pub fn run_archive(
    global: &Global,
    archive: &ArchiveAccount,
    arguments: &LogArgs,
) -> Result<(), ExitError> {
    let (store, known) = chats::of_archive(archive)?;
    let id = chats::choose(&known, &arguments.chat)?.conversation.id.clone();
    let raw = store.newest(&id, rows(arguments.count));
    let raw = raw.map_err(|e| ExitError::failed(e.to_string()))?;
    let raw = raw.into_iter().map(decode_stored).collect();
    let style =
        archives::config(global)?.map_or_else(EmojiStyle::default, |c| c.preferences.ui.emoji);
    print(known.names, raw, &archive.owner, style, arguments)
}

/// The part that archives have of a conversation, as far as this many messages may need it.
fn archived(
    global: &Global,
    id: &ConversationId,
    me: &UserId,
    count: usize,
) -> Result<Vec<RawMessage>, ExitError> {
    let mut found = Vec::new();
    for archive in archives::earlier_years(global, id, me)? {
        let rows = archive.newest(id, rows(count));
        let rows = rows.map_err(|e| ExitError::failed(e.to_string()))?;
        found.extend(rows.into_iter().map(decode_stored));
    }
    Ok(found)
}

/// The rows that this many messages need: edit records and signals are rows, too.
fn rows(count: usize) -> u32 {
    u32::try_from(count.saturating_mul(2).saturating_add(50)).unwrap_or(u32::MAX)
}

fn print(
    mut names: Names,
    raw: Vec<RawMessage>,
    me: &UserId,
    style: EmojiStyle,
    arguments: &LogArgs,
) -> Result<(), ExitError> {
    lines::learn(&mut names, &raw);
    let mut all = lines::merged(raw, me);
    for (_, message) in &mut all {
        message.body.show_emoji(style, EmojiWidth::Cluster);
    }
    let skip = all.len().saturating_sub(arguments.count);
    let zone = crate::config::local_zone();
    let line = |(raw, message): &(RawMessage, crate::model::Message)| {
        if arguments.json {
            lines::json_line(&lines::message_json(raw, message, &names, Some(me)))
        } else {
            lines::message_line(message, &names, Some(me), &zone)
        }
    };
    lines::print(all.iter().skip(skip).map(line)).map_err(|e| ExitError::failed(e.to_string()))
}

/// Pages in a row that may bring nothing new, such as those with signals only.
const MAX_IDLE: usize = 3;

/// Fetches pages from the newest one back until there are enough messages. Also returns the error that ended it early.
async fn fetch(
    client: &Client,
    id: &ConversationId,
    count: usize,
    me: &UserId,
) -> Result<(Vec<RawMessage>, Option<crate::client::Error>), crate::client::Error> {
    let mut page = client.messages(id, 100).await?;
    let mut edits = Edits::default();
    let (mut seen, mut ids) = (HashSet::new(), HashSet::new());
    let mut all: Vec<RawMessage> = Vec::new();
    let (mut shown, mut idle) = (0, 0);
    let mut links = HashSet::new();
    loop {
        let before = all.len();
        for raw in page.items.drain(..).filter(|raw| seen.insert((raw.id.clone(), raw.version))) {
            let is_shown = edits.take(&mut decode::message(&raw, me)).role == EditRole::Shown;
            shown += usize::from(is_shown && ids.insert(raw.id.clone()));
            all.push(raw);
        }
        idle = if all.len() > before { 0 } else { idle + 1 };
        // A link that was followed before leads nowhere new.
        let older = page.older.take().filter(|older| links.insert(older.clone()));
        match older {
            Some(older) if shown < count && idle < MAX_IDLE => {
                page = match client.messages_next(id, &older, 200).await {
                    Ok(page) => page,
                    Err(error) => return Ok((all, Some(error))),
                };
            }
            _ => return Ok((all, None)),
        }
    }
}
