//! The conversation list, one conversation, and its properties for one account.

use super::super::api_error::ApiError;
use super::super::chat_key::ChatKey;
use super::super::directory::Directory;
use super::super::storage::{
    ConversationEntry, MemberReadMark, MessageRow, Participant, StorageTx, ThreadRow,
};
use super::paging::{PageQuery, PageRoom, SyncState};
use super::{READ_MARK, Work, find_chat, member_thread, server_body};
use crate::model::UserId;
use serde_json::json;

const DEFAULT_PAGE: usize = 100;
/// Maximum length of a property value in bytes.
pub const MAX_VALUE: usize = 4 * 1024;
/// Properties that a user may set.
const OWN_PROPERTIES: [&str; 5] =
    ["consumptionhorizon", "alerts", "favorite", "alertmatches", "hidden"];
/// The kinds of `targetType` and the id prefixes they stand for.
const TARGETS: [(&str, &str); 6] = [
    ("Passport", "1:"),
    ("Skype", "8:"),
    ("Lync", "2:"),
    ("Thread", "19:"),
    ("PSTN", "4:"),
    ("Agent", "28:"),
];

/// A conversation as one user sees it.
pub struct OwnConversation {
    pub chat: ChatKey,
    pub place: Participant,
    /// The newest message that the user may read.
    pub last: Option<MessageRow>,
    pub thread: Option<ThreadRow>,
}

impl OwnConversation {
    fn size(&self) -> usize {
        let properties = self.place.properties.values().map(|v| v.as_str().map_or(8, str::len));
        let topic = self.thread.as_ref().map_or(0, |thread| thread.topic.len());
        1_024
            + properties.sum::<usize>()
            + topic
            + self.last.as_ref().map_or(0, |row| row.body.len())
    }
}

pub struct ConversationPage {
    pub items: Vec<OwnConversation>,
    pub state: SyncState,
    /// Whether there are further conversations.
    pub has_older: bool,
}

/// The kinds of a `targetType` as bits. Unknown kinds are ignored; 0 means no filter.
fn target_bits(target_type: Option<&str>) -> u8 {
    let named = |name: &str| target_type.unwrap_or_default().split('|').any(|n| n == name);
    let bits = TARGETS.iter().enumerate().filter(|(_, (name, _))| named(name));
    bits.fold(0, |bits, (i, _)| bits | 1 << i)
}

fn is_target(bits: u8, id: &str) -> bool {
    let of_kind =
        |(i, (_, prefix)): (usize, &(&str, &str))| bits & 1 << i != 0 && id.starts_with(prefix);
    bits == 0 || id.starts_with("48:") || TARGETS.iter().enumerate().any(of_kind)
}

/// The first page of the list, or the changes since a sync state followed by the next older conversations.
///
/// # Errors
/// If the sync state is not valid.
pub fn page(
    store: &dyn StorageTx,
    directory: &Directory,
    me: &UserId,
    request: &PageQuery,
    target_type: Option<&str>,
) -> Result<ConversationPage, ApiError> {
    let state = request.sync_state.as_deref().map(SyncState::decode).transpose()?;
    let bits = state.map_or_else(|| target_bits(target_type), |state| state.targets);
    let mut entries = store.conversations(me)?;
    entries.retain(|entry| is_target(bits, &entry.seen_as));
    let chosen = match state {
        None => first(&entries, request, bits),
        Some(state) => next(&entries, state, request.size_or(state.page)),
    };
    let mut room = PageRoom::new();
    let mut items = Vec::new();
    let (mut state, mut cut) = (chosen.start, false);
    for entry in chosen.new {
        if cut || !add((store, directory), me, entry, &mut room, &mut items)? {
            cut = true;
            break;
        }
        state.high = entry.change;
    }
    if !cut {
        state.high = chosen.complete.unwrap_or(state.high);
        for entry in chosen.older {
            if !add((store, directory), me, entry, &mut room, &mut items)? {
                break;
            }
            (state.low, state.row) = (entry.activity, entry.row);
        }
    }
    let has_older = entries.iter().any(|entry| is_below(entry, &state));
    items.sort_by_key(|(entry, _)| std::cmp::Reverse((entry.activity, entry.row)));
    let items = items.into_iter().map(|(_, conversation)| conversation).collect();
    Ok(ConversationPage { items, state, has_older })
}

/// Adds a conversation to a page. Returns false if there is no room for it.
fn add<'a>(
    (store, directory): (&dyn StorageTx, &Directory),
    me: &UserId,
    entry: &'a ConversationEntry,
    room: &mut PageRoom,
    items: &mut Vec<(&'a ConversationEntry, OwnConversation)>,
) -> Result<bool, ApiError> {
    let mut item = vec![one(store, directory, me, &entry.seen_as)?];
    room.cut(&mut item, OwnConversation::size);
    let Some(item) = item.pop() else { return Ok(false) };
    items.push((entry, item));
    Ok(true)
}

/// The conversations for a page, as far as there is room.
struct Chosen<'a> {
    /// In the order of their changes, so that none is skipped if the page is full.
    new: Vec<&'a ConversationEntry>,
    /// Most recently active first.
    older: Vec<&'a ConversationEntry>,
    /// The sync state of an empty page.
    start: SyncState,
    /// The sync state's `high` if all of `new` fit; `None` if there are more changes than a page can hold.
    complete: Option<i64>,
}

fn first<'a>(entries: &'a [ConversationEntry], request: &PageQuery, targets: u8) -> Chosen<'a> {
    let (start, page) = (request.start.unwrap_or(0), request.size_or(DEFAULT_PAGE));
    let high = entries.iter().map(|entry| entry.change).max().unwrap_or(0);
    let older = entries.iter().filter(|entry| entry.version >= start).take(page).collect();
    let start = SyncState { high, low: i64::MAX, row: i64::MAX, start, page, targets };
    Chosen { new: Vec::new(), older, start, complete: Some(high) }
}

fn next(entries: &[ConversationEntry], state: SyncState, page: usize) -> Chosen<'_> {
    let high = entries.iter().map(|entry| entry.change).max().unwrap_or(0);
    let (mut new, rest): (Vec<_>, Vec<_>) =
        entries.iter().partition(|entry| entry.change > state.high);
    let complete = (new.len() <= page).then_some(high.max(state.high));
    new.sort_by_key(|entry| entry.change);
    new.truncate(page);
    let older = rest.into_iter().filter(|entry| is_below(entry, &state)).take(page - new.len());
    Chosen { older: older.collect(), new, start: SyncState { page, ..state }, complete }
}

fn is_below(entry: &ConversationEntry, state: &SyncState) -> bool {
    (entry.activity, entry.row) < (state.low, state.row) && entry.version >= state.start
}

/// A conversation of this user, also after leaving it, or before its first message.
///
/// # Errors
/// If there is no such conversation.
pub fn one(
    store: &dyn StorageTx,
    directory: &Directory,
    me: &UserId,
    id: &str,
) -> Result<OwnConversation, ApiError> {
    let (chat, place) = find_chat(store, directory, me, id)?;
    let thread = match &chat {
        ChatKey::Thread(id) => store.thread(id)?,
        _ => None,
    };
    let last = store.messages_before(&chat, place.window, i64::MAX, 1)?.into_iter().next();
    Ok(OwnConversation { chat, place, last, thread })
}

/// Sets a property such as `consumptionhorizon` or `alerts`, which only this user sees.
///
/// # Errors
/// If the property or its value is not valid, or the user has no access to the conversation.
pub fn set_property(
    work: &mut Work<'_>,
    me: &UserId,
    id: &str,
    name: &str,
    value: &str,
) -> Result<(), ApiError> {
    if !OWN_PROPERTIES.contains(&name) {
        return Err(ApiError::bad("Unknown property."));
    }
    let is_horizon = name == "consumptionhorizon";
    if is_horizon && !is_well_formed(value) {
        return Err(ApiError::bad("The consumption horizon is malformed."));
    }
    if value.len() > MAX_VALUE {
        return Err(ApiError::too_large("The property's value is too long."));
    }
    let (chat, _) = find_chat(work.store, work.directory, me, id)?;
    put_property(work, me, &chat, name, value)
}

fn is_well_formed(horizon: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    horizon.split(';').count() == 3 && horizon.split(';').all(digits)
}

/// Stores a property and queues its events. For a read mark, the other participants get a signal that is not stored
/// (facts 3.7).
pub fn put_property(
    work: &mut Work<'_>,
    me: &UserId,
    chat: &ChatKey,
    name: &str,
    value: &str,
) -> Result<(), ApiError> {
    work.store.set_property(chat, me, name, value, work.now)?;
    let place = work.store.participant(chat, me)?;
    if name == "consumptionhorizon" && place.is_some_and(|place| place.is_present()) {
        let content = json!({ "user": me.as_str(), "consumptionhorizon": value }).to_string();
        work.announce_signal(chat, me, server_body(READ_MARK, &content))?;
    }
    work.announce_conversation(me, chat);
    Ok(())
}

/// How far each member has read.
///
/// # Errors
/// If the caller is not in the conversation.
pub fn read_marks(
    store: &dyn StorageTx,
    directory: &Directory,
    me: &UserId,
    id: &str,
) -> Result<Vec<MemberReadMark>, ApiError> {
    if id.starts_with("19:") {
        member_thread(store, id, me)?;
    }
    let (chat, _) = find_chat(store, directory, me, id)?;
    Ok(store.read_marks(&chat)?)
}

/// Hides all messages so far from this user.
///
/// # Errors
/// If the user never was in the conversation.
pub fn clear(work: &mut Work<'_>, me: &UserId, id: &str) -> Result<(), ApiError> {
    let (chat, _) = find_chat(work.store, work.directory, me, id)?;
    work.store.clear_history(&chat, me)?;
    work.announce_conversation(me, &chat);
    Ok(())
}
