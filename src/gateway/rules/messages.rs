//! Reading, sending, changing and removing messages.

use super::super::api_error::ApiError;
use super::super::chat_key::ChatKey;
use super::super::directory::Directory;
use super::super::storage::{MessageRow, Participant, ReadWindow, StorageTx};
use super::fields::SenderFields;
use super::paging::{PageQuery, PageRoom, SyncState};
use super::{ACTIVITY, Work, enter, enter_to_write, find_chat};
use crate::model::UserId;
use serde_json::{Map, Value, json};

const DEFAULT_PAGE: usize = 30;
/// Time within which a message can be a repetition, in milliseconds. Client ids are not unique for ever.
const REPEAT_TIME: i64 = 10 * 60 * 1_000;
/// Maximum number of different reactions to a message. Each user has each of them once.
const MAX_EMOTIONS: usize = 64;
/// Maximum length of the key of a reaction, and of all reactions to a message, in bytes.
const MAX_EMOTION_KEY: usize = 64;
const MAX_EMOTIONS_SIZE: usize = 256 * 1024;

const OTHER_KIND: ApiError = ApiError::bad("An edit cannot change the type of a message.");

pub struct MessagePage {
    pub chat: ChatKey,
    pub rows: Vec<MessageRow>,
    pub state: SyncState,
    /// Whether there are older messages.
    pub has_older: bool,
}

fn row_size(row: &MessageRow) -> usize {
    row.body.len() + 512
}

/// The newest messages, or the changes since a sync state followed by the next older messages.
///
/// # Errors
/// If the caller never was in the conversation, or the sync state is not valid.
pub fn page(
    store: &dyn StorageTx,
    directory: &Directory,
    me: &UserId,
    id: &str,
    request: &PageQuery,
) -> Result<MessagePage, ApiError> {
    let (chat, place) = find_chat(store, directory, me, id)?;
    let window = place.window;
    let (state, rows) = match &request.sync_state {
        None => first(store, &chat, window, request)?,
        Some(token) => {
            let state = SyncState::decode(token)?;
            next(store, &chat, window, state, request.size_or(state.page))?
        }
    };
    let bounds = ReadWindow { first: window.first.max(state.start), ..window };
    let has_older =
        state.low != i64::MAX && !store.messages_before(&chat, bounds, state.low, 1)?.is_empty();
    Ok(MessagePage { chat, rows, state, has_older })
}

fn first(
    store: &dyn StorageTx,
    chat: &ChatKey,
    window: ReadWindow,
    request: &PageQuery,
) -> Result<(SyncState, Vec<MessageRow>), ApiError> {
    let (start, page) = (request.start.unwrap_or(0), request.size_or(DEFAULT_PAGE));
    let bounds = ReadWindow {
        first: window.first.max(start),
        last: window.last.min(request.end.unwrap_or(i64::MAX)),
    };
    let mut rows = store.messages_before(chat, bounds, i64::MAX, page)?;
    PageRoom::new().cut(&mut rows, row_size);
    let low = rows.last().map_or(i64::MAX, |row| row.id);
    let high = store.last_change(chat)?;
    Ok((SyncState { high, low, row: 0, start, page, targets: 0 }, rows))
}

/// First the changes in their order, so that none is skipped, then the next older messages.
fn next(
    store: &dyn StorageTx,
    chat: &ChatKey,
    window: ReadWindow,
    state: SyncState,
    page: usize,
) -> Result<(SyncState, Vec<MessageRow>), ApiError> {
    let mut room = PageRoom::new();
    let mut rows = store.messages_changed(chat, window, state.high, page)?;
    let full = rows.len() == page;
    let more_new = room.cut(&mut rows, row_size) || full;
    let high = if more_new {
        rows.last().map_or(state.high, |row| row.change)
    } else {
        store.last_change(chat)?
    };
    rows.sort_by_key(|row| std::cmp::Reverse(row.id));
    let mut low = state.low;
    if !more_new {
        let bounds = ReadWindow { first: window.first.max(state.start), ..window };
        let mut older = store.messages_before(chat, bounds, state.low, page - rows.len())?;
        room.cut(&mut older, row_size);
        low = older.last().map_or(low, |row| row.id);
        rows.extend(older.into_iter().filter(|old| old.change <= state.high));
    }
    Ok((SyncState { high, low, page, ..state }, rows))
}

/// Posts a message or a signal such as typing. Returns the arrival time, which is the id.
///
/// # Errors
/// If the caller may not write in the conversation.
pub fn send(
    work: &mut Work<'_>,
    me: &UserId,
    id: &str,
    fields: SenderFields,
    deduplicate: bool,
) -> Result<i64, ApiError> {
    let chat = enter_to_write(work, me, id)?;
    if fields.kind().starts_with("Control/") {
        work.announce_signal(&chat, me, fields.into_body())?;
        return Ok(work.now);
    }
    let edited = match fields.edited() {
        Some(client_id) => work.store.message_of_client(&chat, me, client_id)?,
        None => None,
    };
    if edited.as_ref().is_some_and(|row| !fields.fits(&row.kind)) {
        return Err(OTHER_KIND);
    }
    let mut message = fields.into_message(me);
    // Users who may not read a message may not read its edited version either.
    message.reveals = edited.map(|row| row.reveals);
    if deduplicate
        && let Some(known) = work.store.repeated(&chat, &message, work.now - REPEAT_TIME)?
    {
        return Ok(known);
    }
    Ok(work.post(&chat, message)?.id)
}

/// Finds a message that the caller may read, by its id or, for own messages, by its client id.
fn readable(
    store: &dyn StorageTx,
    me: &UserId,
    chat: &ChatKey,
    name: &str,
) -> Result<MessageRow, ApiError> {
    let digits = name.bytes().all(|b| b.is_ascii_digit());
    let by_id = match name.parse() {
        Ok(id) if digits => store.message(chat, id)?,
        _ => None,
    };
    let row = match by_id {
        Some(row) => Some(row),
        None => store.message_of_client(chat, me, name)?,
    };
    let place: Option<Participant> = store.participant(chat, me)?;
    row.filter(|row| place.is_some_and(|place| place.window.contains(row)))
        .ok_or(ApiError::not_found("There is no such message."))
}

/// Finds a message of the caller.
fn own(
    store: &dyn StorageTx,
    me: &UserId,
    chat: &ChatKey,
    name: &str,
) -> Result<MessageRow, ApiError> {
    let row = readable(store, me, chat, name)?;
    if row.kind.starts_with(ACTIVITY) {
        return Err(ApiError::forbidden("Messages written by the server cannot be changed."));
    }
    if row.sender != *me {
        return Err(ApiError::forbidden("Only the sender may change a message."));
    }
    Ok(row)
}

fn body_of(row: &MessageRow) -> Map<String, Value> {
    serde_json::from_str(&row.body).unwrap_or_default()
}

/// Changes the properties of a body. Anything but an object is replaced by an empty object.
fn with_properties(
    mut body: Map<String, Value>,
    change: impl FnOnce(&mut Map<String, Value>),
) -> Map<String, Value> {
    let mut properties = match body.remove("properties") {
        Some(Value::Object(properties)) => properties,
        _ => Map::new(),
    };
    change(&mut properties);
    body.insert("properties".into(), properties.into());
    body
}

fn store_change(
    work: &mut Work<'_>,
    chat: &ChatKey,
    id: i64,
    body: &Map<String, Value>,
) -> Result<(), ApiError> {
    let row = work.store.update_message(chat, id, body, work.now)?;
    work.announce_message(chat, row, false)
}

/// Edits a message of the caller. Returns the time of the edit.
///
/// # Errors
/// If the caller may not change the message.
pub fn edit(
    work: &mut Work<'_>,
    me: &UserId,
    id: &str,
    message: &str,
    fields: SenderFields,
) -> Result<i64, ApiError> {
    let chat = enter_to_write(work, me, id)?;
    let row = own(work.store, me, &chat, message)?;
    if !fields.fits(&row.kind) {
        return Err(OTHER_KIND);
    }
    let mut body = body_of(&row);
    for (field, value) in fields.into_body() {
        if field != "clientmessageid" && field != "properties" {
            body.insert(field, value);
        }
    }
    let body = with_properties(body, |properties| {
        properties.insert("edittime".into(), work.now.to_string().into());
        properties.remove("deletetime");
    });
    store_change(work, &chat, row.id, &body)?;
    Ok(work.now)
}

/// Removes the content of a message of the caller. Returns the time of the deletion.
///
/// # Errors
/// If the caller may not change the message.
pub fn delete(work: &mut Work<'_>, me: &UserId, id: &str, message: &str) -> Result<i64, ApiError> {
    let chat = enter(work, me, id)?;
    let row = own(work.store, me, &chat, message)?;
    let mut body = body_of(&row);
    body.insert("content".into(), "".into());
    let body = with_properties(body, |properties| {
        properties.insert("deletetime".into(), work.now.to_string().into());
        properties.remove("emotions");
    });
    store_change(work, &chat, row.id, &body)?;
    Ok(work.now)
}

/// Adds or removes a reaction.
///
/// # Errors
/// If the caller may not read the message.
pub fn react(
    work: &mut Work<'_>,
    me: &UserId,
    id: &str,
    message: &str,
    (key, on): (&str, bool),
) -> Result<(), ApiError> {
    if key.is_empty() || key.len() > MAX_EMOTION_KEY {
        return Err(ApiError::bad("The reaction's key is missing or too long."));
    }
    let chat = enter(work, me, id)?;
    let row = readable(work.store, me, &chat, message)?;
    let (body, none) = (body_of(&row), Map::new());
    let known = body.get("properties").and_then(Value::as_object).unwrap_or(&none);
    let emotions = set_emotion(known, key, me.as_str(), on.then_some(work.now))?;
    let body = with_properties(body, |properties| {
        properties.insert("emotions".into(), emotions.into());
    });
    store_change(work, &chat, row.id, &body)
}

/// Adds a reaction, or removes it if there is no time. Returns all reactions.
fn set_emotion(
    properties: &Map<String, Value>,
    key: &str,
    me: &str,
    at: Option<i64>,
) -> Result<Vec<Value>, ApiError> {
    const FULL: ApiError = ApiError::too_large("There are too many reactions to this message.");
    let mut emotions: Vec<Value> =
        properties.get("emotions").and_then(Value::as_array).cloned().unwrap_or_default();
    if !emotions.iter().any(|e| e["key"] == *key) {
        emotions.push(json!({ "key": key, "users": [] }));
    }
    for emotion in emotions.iter_mut().filter(|e| e["key"] == *key) {
        let Some(users) = emotion["users"].as_array_mut() else { continue };
        users.retain(|u| u["mri"] != me);
        if let Some(at) = at {
            users.push(json!({ "mri": me, "time": at, "value": at.to_string() }));
        }
    }
    emotions.retain(|e| e["users"].as_array().is_some_and(|u| !u.is_empty()));
    if at.is_some() {
        let size = serde_json::to_string(&emotions).map_or(usize::MAX, |text| text.len());
        if emotions.len() > MAX_EMOTIONS || size > MAX_EMOTIONS_SIZE {
            return Err(FULL);
        }
    }
    Ok(emotions)
}
