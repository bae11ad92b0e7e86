//! `skchat chats`: lists the conversations, from the gateway or else from the store.

use super::archives::ArchiveAccount;
use super::context::{ExitError, STORE, Session};
use super::lines;
use crate::client::Client;
use crate::model::edits::Edits;
use crate::model::unread::COUNT_CAP;
use crate::model::{
    Conversation, ConversationId, NameSource, Names, SafeText, Unread, UnreadRow, UserId,
};
use crate::protocol::{decode, wire};
use crate::store::{self, ReadOnly};
use std::collections::HashSet;

/// The most pages of the list that are fetched, in case a server's links never end.
const MAX_PAGES: usize = 100;
/// The most people whose names are looked up with one request (facts 8.9).
const MAX_PROFILES: usize = 100;
/// Members of one conversation whose names are looked up for its title.
const MAX_NAMED: usize = 10;
/// Chats that an error lists.
const MAX_LISTED: usize = 10;

/// A conversation with its name and unread count.
pub struct ChatLine {
    pub conversation: Conversation,
    pub name: SafeText,
    pub unread: Unread,
}

/// The conversations, and the names of people, that a command works with.
pub struct KnownChats {
    pub chats: Vec<ChatLine>,
    pub names: Names,
    /// Why the gateway could not be reached. The conversations come from the store then.
    pub offline: Option<String>,
}

/// Prints the list.
///
/// # Errors
/// When the gateway cannot be reached and nothing is stored.
pub async fn run(session: &Session, json: bool) -> Result<(), ExitError> {
    let client = session.client()?;
    let known = list(session, &client, true).await?;
    if let Some(why) = &known.offline {
        lines::warn(&format!(
            "skchat: the gateway is not available ({why}); showing what is stored"
        ));
    }
    print(&known, json)
}

/// Prints the list of an archive.
///
/// # Errors
/// When it cannot be read.
pub fn run_archive(archive: &ArchiveAccount, json: bool) -> Result<(), ExitError> {
    let (_, known) = of_archive(archive)?;
    print(&known, json)
}

/// The store of an archive and the conversations in it.
///
/// # Errors
/// When it cannot be read.
pub fn of_archive(archive: &ArchiveAccount) -> Result<(ReadOnly, KnownChats), ExitError> {
    let path = archive.store();
    let failed = |e| ExitError::failed(format!("{}: {e}", path.display()));
    let store = store::open_read_only(&path).map_err(failed)?;
    let mut names = Names::default();
    for (id, source, name) in store.names().map_err(failed)? {
        names.learn(&id, source, &name);
    }
    let chats = from_store(&store, &names, &archive.owner);
    Ok((store, KnownChats { chats, names, offline: None }))
}

fn print(known: &KnownChats, json: bool) -> Result<(), ExitError> {
    let now = crate::model::Timestamp(jiff::Timestamp::now().as_millisecond());
    let zone = crate::config::local_zone();
    let line = |chat: &ChatLine| {
        if json {
            return lines::json_line(&lines::chat_json(
                &chat.conversation,
                &chat.name,
                chat.unread,
            ));
        }
        let unread = match chat.unread.messages {
            0 => String::new(),
            n => n.to_string(),
        };
        let at = chat.conversation.activity;
        let at = if at.0 > 0 { at.short(now, &zone) } else { String::new() };
        let name = crate::model::text::fit(&chat.name, 32);
        format!("{unread:>4}  {name}  {at:>5}  {}", SafeText::line(chat.conversation.id.as_str()))
    };
    lines::print(known.chats.iter().map(line)).map_err(|e| ExitError::failed(e.to_string()))
}

/// The conversations, most recently active first. Unread messages are counted only if `count` is set.
///
/// # Errors
/// When the gateway cannot be reached and nothing is stored.
pub async fn list(
    session: &Session,
    client: &Client,
    count: bool,
) -> Result<KnownChats, ExitError> {
    let store = store::open_read_only(&session.dir.join(STORE)).ok();
    let mut names = Names::default();
    for (id, source, name) in store.as_ref().and_then(|s| s.names().ok()).unwrap_or_default() {
        names.learn(&id, source, &name);
    }
    match from_gateway(client, store.as_ref(), &mut names, &session.me, count).await {
        Ok(chats) => Ok(KnownChats { chats, names, offline: None }),
        Err(error) => {
            let chats =
                store.as_ref().map(|s| from_store(s, &names, &session.me)).unwrap_or_default();
            if chats.is_empty() {
                return Err(ExitError::failed(format!(
                    "the gateway is not available ({error}) and nothing is stored"
                )));
            }
            Ok(KnownChats { chats, names, offline: Some(error.to_string()) })
        }
    }
}

async fn from_gateway(
    client: &Client,
    store: Option<&ReadOnly>,
    names: &mut Names,
    me: &UserId,
    count: bool,
) -> Result<Vec<ChatLine>, crate::client::Error> {
    let mut page = client.conversations(100).await?;
    let mut conversations = Vec::new();
    let mut seen = HashSet::new();
    for _ in 0..MAX_PAGES {
        let before = conversations.len();
        for raw in page.items.drain(..).filter(|c| !c.id.is_virtual()) {
            if seen.insert(raw.id.clone()) {
                lines::learn_listed(names, &raw, me);
                conversations.push(decode::conversation(&raw, me));
            }
        }
        match page.older.take() {
            Some(older) if conversations.len() > before => {
                page = match client.conversations_next(&older, 100).await {
                    Ok(page) => page,
                    // What was read is better than nothing.
                    Err(error) => {
                        lines::warn(&format!(
                            "skchat: the rest of the conversations could not be fetched: {error}"
                        ));
                        break;
                    }
                };
            }
            _ => break,
        }
    }
    let mut threads = Vec::with_capacity(conversations.len());
    for conversation in &conversations {
        threads.push(roster(client, store, conversation, names).await);
    }
    let people = conversations.iter().zip(&threads).flat_map(|(conversation, thread)| {
        let peer = conversation.id.peer().into_iter();
        peer.chain(
            lines::title_people(conversation, thread.as_ref(), me).into_iter().take(MAX_NAMED),
        )
    });
    look_up(client, names, people.collect()).await;
    let mut chats = Vec::with_capacity(conversations.len());
    for (conversation, thread) in conversations.into_iter().zip(threads) {
        let counted = count && !is_read(&conversation);
        let unread = if counted {
            unread(client, store, &conversation, names, me).await
        } else {
            Unread::default()
        };
        let people = lines::title_people(&conversation, thread.as_ref(), me);
        let nameless = conversation.id.is_thread() && people.iter().any(|id| !names.knows(id));
        if nameless && !counted && !conversation.is_group() {
            // The name that came with a message is better than none.
            if let Ok(page) = client.messages(&conversation.id, 30).await {
                lines::learn(names, &page.items);
            }
        }
        let name = lines::title(&conversation, names, thread.as_ref(), me);
        chats.push(ChatLine { conversation, name, unread });
    }
    Ok(chats)
}

/// The members of a thread that is named after them: from the gateway, or else as they are stored.
async fn roster(
    client: &Client,
    store: Option<&ReadOnly>,
    conversation: &Conversation,
    names: &mut Names,
) -> Option<wire::WireThread> {
    if !conversation.is_named_by_members() {
        return None;
    }
    let thread = match client.thread(&conversation.id).await {
        Ok(thread) => Some(thread),
        Err(_) => store.and_then(|store| stored_roster(store, conversation)),
    };
    if let Some(thread) = &thread {
        lines::learn_thread(names, thread);
    }
    thread
}

fn stored_roster(store: &ReadOnly, conversation: &Conversation) -> Option<wire::WireThread> {
    let json = store.thread_json(&conversation.id).ok().flatten()?;
    wire::thread(&json).ok()
}

/// Looks up the missing names of these people.
pub async fn look_up(client: &Client, names: &mut Names, mut who: Vec<UserId>) {
    who.retain(|id| id.is_addressable() && !names.knows(id));
    who.sort();
    who.dedup();
    for chunk in who.chunks(MAX_PROFILES) {
        let Ok(found) = client.profiles(chunk).await else { return };
        for (id, name) in found {
            names.learn(&id, NameSource::Profile, &name);
        }
    }
}

fn is_read(conversation: &Conversation) -> bool {
    conversation.read_marker.as_ref().is_some_and(|h| h.arrival >= conversation.activity)
}

/// The unread count by the gateway's messages and read marker, or else by what is stored.
async fn unread(
    client: &Client,
    store: Option<&ReadOnly>,
    conversation: &Conversation,
    names: &mut Names,
    me: &UserId,
) -> Unread {
    match unread_rows(client, conversation, names, me).await {
        Ok(rows) => crate::model::unread(conversation.read_marker.as_ref(), rows.into_iter()),
        Err(_) => store.and_then(|s| s.unread(&conversation.id, me).ok()).unwrap_or_default(),
    }
}

/// The messages after the read marker, newest first, from as many pages as the count needs.
async fn unread_rows(
    client: &Client,
    conversation: &Conversation,
    names: &mut Names,
    me: &UserId,
) -> Result<Vec<UnreadRow>, crate::client::Error> {
    let read_marker = conversation.read_marker.as_ref();
    let client_id = read_marker.and_then(|h| h.client_id.clone());
    let mut page = client.messages(&conversation.id, 200).await?;
    let mut rows: Vec<UnreadRow> = Vec::new();
    let (mut messages, mut edits) = (Vec::new(), Edits::default());
    loop {
        let before = rows.len();
        lines::learn(names, &page.items);
        for raw in
            page.items.drain(..).filter(|raw| conversation.cleared_at.is_none_or(|at| raw.at > at))
        {
            let mut message = decode::message(&raw, me);
            edits.take(&mut message);
            let index = decode::indexed(&message);
            messages.push(message);
            rows.push(UnreadRow {
                at: raw.at,
                mine: raw.sender == *me,
                counts: index.counts,
                mentions_me: index.mentions_me,
                is_read_marker: client_id.is_some() && raw.client_id == client_id,
            });
        }
        let oldest = rows.iter().map(|row| row.at).min();
        let enough = rows.len() >= COUNT_CAP
            || rows.len() == before
            || read_marker.zip(oldest).is_some_and(|(h, oldest)| oldest <= h.arrival)
            || (read_marker.is_none() && rows.iter().any(|row| row.mine && row.counts));
        match page.older.take() {
            Some(older) if !enough => {
                page = client.messages_next(&conversation.id, &older, 200).await?;
            }
            _ => break,
        }
    }
    // An edit of another message is not a message of its own.
    for (row, message) in rows.iter_mut().zip(&messages) {
        row.counts &= edits.is_shown(message);
    }
    rows.sort_by_key(|row| std::cmp::Reverse(row.at));
    Ok(rows)
}

fn from_store(store: &ReadOnly, names: &Names, me: &UserId) -> Vec<ChatLine> {
    let cached = store.conversations(me).unwrap_or_default();
    cached
        .into_iter()
        .map(|cached| {
            let mut conversation = decode::conversation(&cached.raw, me);
            conversation.activity = cached.raw.activity;
            let thread = stored_roster(store, &conversation);
            let name = lines::title(&conversation, names, thread.as_ref(), me);
            ChatLine { conversation, name, unread: cached.unread }
        })
        .collect()
}

/// The conversation that `wanted` names: by its id, or by a part of its name, ignoring case.
///
/// # Errors
/// When none or several match; the message lists the candidates.
pub fn choose<'a>(known: &'a KnownChats, wanted: &str) -> Result<&'a ChatLine, ExitError> {
    let by_id = known.chats.iter().find(|c| c.conversation.id.as_str() == wanted);
    if let Some(chat) = by_id {
        return Ok(chat);
    }
    let needle = wanted.to_lowercase();
    let has_id = |c: &ChatLine| {
        let id = c.conversation.id.as_str();
        id.split_once(':').is_some_and(|(_, rest)| rest == wanted)
    };
    let matches = |c: &&ChatLine| has_id(c) || c.name.to_lowercase().contains(&needle);
    let found: Vec<&ChatLine> = known.chats.iter().filter(matches).collect();
    let exact: Vec<&&ChatLine> = found.iter().filter(|c| c.name.to_lowercase() == needle).collect();
    match (found.as_slice(), exact.as_slice()) {
        ([one], _) => Ok(one),
        (_, [one]) => Ok(one),
        (candidates, _) => {
            let all: Vec<&ChatLine> = if candidates.is_empty() {
                known.chats.iter().collect()
            } else {
                candidates.to_vec()
            };
            let mut list: Vec<String> = all
                .iter()
                .take(MAX_LISTED)
                .map(|c| format!("{} ({})", c.name, SafeText::line(c.conversation.id.as_str())))
                .collect();
            if all.len() > MAX_LISTED {
                list.push(format!("{} more: skchat chats", all.len() - MAX_LISTED));
            }
            let wanted = SafeText::line(wanted);
            let list = list.join(", ");
            Err(ExitError::usage(if all.is_empty() {
                format!("no chat matches \"{wanted}\": there are no chats yet")
            } else if candidates.is_empty() {
                format!("no chat matches \"{wanted}\"; known chats: {list}")
            } else {
                format!("several chats match \"{wanted}\": {list}")
            }))
        }
    }
}

/// Whether a string is a full id, which may name a conversation that does not exist yet.
pub fn is_full_id(text: &str) -> bool {
    let id = ConversationId::new(text);
    id.kind() != crate::model::ConversationKind::Other && !text.contains(char::is_whitespace)
}
