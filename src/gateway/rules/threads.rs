//! Groups and their properties. Every change posts a system message.

use super::super::api_error::ApiError;
use super::super::chat_key::ChatKey;
use super::super::secret;
use super::super::storage::{MemberRow, StorageTx, ThreadRow};
use super::conversations::MAX_VALUE;
use super::members::{FULL, MAX_MEMBERS, check_id, note_added};
use super::{Activity, Work, member_thread, xml};
use crate::model::conversation::FlagSpec;
use crate::model::{Role, UserId};
use serde_json::{Map, Value};
use std::collections::HashMap;

/// Maximum length of a topic in bytes.
const MAX_TOPIC: usize = 1_024;
/// Maximum number of capabilities, and maximum length of one in bytes.
const MAX_CAPABILITIES: usize = 64;
const MAX_CAPABILITY: usize = 64;

/// The property of a thread that exists only once for its two members.
pub const UNIQUE: &str = "uniquerosterthread";

/// A group with its members.
pub struct Thread {
    pub row: ThreadRow,
    pub members: Vec<MemberRow>,
}

/// Creates a group and returns its id.
///
/// # Errors
/// If there are too many members, an id or property is not valid, or the creator is not listed as an admin.
pub fn create(
    work: &mut Work<'_>,
    me: &UserId,
    members: &[MemberRow],
    properties: &Map<String, Value>,
) -> Result<String, ApiError> {
    if members.len() > MAX_MEMBERS {
        return Err(FULL);
    }
    for member in members {
        check_id(work.directory, me, &member.id)?;
    }
    if !members.iter().any(|m| m.id == *me && m.role == Role::Admin) {
        return Err(ApiError::bad("The creator must be among the members, as Admin."));
    }
    let members = without_duplicates(members);
    let id = match unique_id(&members, properties)? {
        Some(id) if work.store.thread(&id)?.is_some() => return Ok(id),
        Some(id) => id,
        None => format!("19:{}@thread.skype", secret::token().get(..32).unwrap_or_default()),
    };
    let mut thread = ThreadRow {
        id: id.clone(),
        creator: me.as_str().to_owned(),
        created: work.now,
        version: work.now,
        topic: String::new(),
        joining: false,
        history: true,
        code: secret::join_code(),
        more: Map::new(),
        member_count: 0,
    };
    for (name, value) in properties {
        apply(&mut thread, name, value)?;
    }
    work.store.create_thread(&thread)?;
    work.store.add_members(&id, &members, true, work.now)?;
    note_added(work, &id, me, &members)?;
    if !thread.topic.is_empty() {
        work.note_activity(&id, Activity::TopicUpdate, me, &value_tag(&thread.topic))?;
    }
    Ok(id)
}

/// The id of a thread that exists only once for two people, if one is asked for (facts 8.7).
///
/// # Errors
/// If there are not two members.
fn unique_id(
    members: &[MemberRow],
    properties: &Map<String, Value>,
) -> Result<Option<String>, ApiError> {
    if properties.get(UNIQUE).and_then(flag) != Some(true) {
        return Ok(None);
    }
    let mut ids: Vec<&str> = members.iter().map(|member| member.id.as_str()).collect();
    ids.sort_unstable();
    let [_, _] = ids.as_slice() else {
        return Err(ApiError::bad("A one-to-one chat has two members."));
    };
    let digest = secret::digest(&ids);
    let name = digest.iter().fold(String::new(), |name, byte| name + &format!("{byte:02x}"));
    Ok(Some(format!("19:uni01_{name}@thread.v2")))
}

/// Removes duplicates. A member listed both as admin and as user is an admin.
fn without_duplicates(members: &[MemberRow]) -> Vec<MemberRow> {
    let mut places: HashMap<&UserId, usize> = HashMap::new();
    let mut kept: Vec<MemberRow> = Vec::new();
    for member in members {
        let place = *places.entry(&member.id).or_insert(kept.len());
        match kept.get_mut(place) {
            Some(known) if member.role == Role::Admin => known.role = Role::Admin,
            Some(_) => {}
            None => kept.push(member.clone()),
        }
    }
    kept
}

/// A group and its members.
///
/// # Errors
/// If there is no such group, or the caller is not a member.
pub fn one(store: &dyn StorageTx, me: &UserId, id: &str) -> Result<Thread, ApiError> {
    if !id.starts_with("19:") {
        return Err(ApiError::bad("The resource URL is misformatted."));
    }
    let (row, _) = member_thread(store, id, me)?;
    let members = store.members(id)?;
    Ok(Thread { row, members })
}

/// The group whose join link a member asks for.
///
/// # Errors
/// If the caller is not a member, or joining by link is turned off.
pub fn open_thread(store: &dyn StorageTx, me: &UserId, id: &str) -> Result<ThreadRow, ApiError> {
    let (thread, _) = member_thread(store, id, me)?;
    if !thread.joining {
        return Err(ApiError::forbidden("Joining by link is turned off."));
    }
    Ok(thread)
}

/// The group with this join code.
///
/// # Errors
/// If there is none, or joining by link is turned off.
pub fn behind_code(store: &dyn StorageTx, code: &str) -> Result<ThreadRow, ApiError> {
    let thread = store.thread_of_code(code)?.filter(|thread| thread.joining);
    thread.ok_or(ApiError::not_found("This link is not valid."))
}

/// Sets a property of a group. Members may change the topic, admins all properties.
///
/// # Errors
/// If the caller is not allowed to do this, or the value is not valid.
pub fn set_property(
    work: &mut Work<'_>,
    me: &UserId,
    id: &str,
    name: &str,
    value: &Value,
) -> Result<(), ApiError> {
    let (mut thread, place) = member_thread(work.store, id, me)?;
    if name != "topic" && place.role != Some(Role::Admin) {
        return Err(ApiError::admins_only());
    }
    apply(&mut thread, name, value)?;
    work.store.save_thread(&thread, work.now)?;
    let more = |name: &str| thread.more.get(name).and_then(Value::as_str).unwrap_or_default();
    let (activity, text) = match name {
        "topic" => (Activity::TopicUpdate, thread.topic.clone()),
        "picture" => (Activity::PictureUpdate, more("picture").to_owned()),
        "moderatedthread" => (Activity::ModeratedThreadUpdate, more(name).to_owned()),
        _ => match FlagSpec::of_property(name).and_then(|spec| spec.activity.as_ref()) {
            Some(activity) => {
                let on = flag(value).unwrap_or_default();
                (Activity::Flag(activity), on.to_string())
            }
            None => return work.announce_thread(id),
        },
    };
    work.note_activity(id, activity, me, &value_tag(&text))
}

fn value_tag(text: &str) -> String {
    format!("<value>{}</value>", xml(text))
}

/// A boolean, or a word for one.
fn flag(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::String(text) => text.to_ascii_lowercase().parse().ok(),
        _ => None,
    }
}

/// Sets a property of the row without checking permissions.
fn apply(thread: &mut ThreadRow, name: &str, value: &Value) -> Result<(), ApiError> {
    const WRONG: ApiError = ApiError::bad("The property's value has the wrong type.");
    match name {
        "topic" => {
            let topic = value.as_str().ok_or(WRONG)?;
            if topic.len() > MAX_TOPIC {
                return Err(ApiError::too_large("The topic is too long."));
            }
            topic.clone_into(&mut thread.topic);
        }
        "joiningenabled" => thread.joining = flag(value).ok_or(WRONG)?,
        "historydisclosed" => thread.history = flag(value).ok_or(WRONG)?,
        _ if name == "moderatedthread" || FlagSpec::of_property(name).is_some() => {
            let on = flag(value).ok_or(WRONG)?;
            thread.more.insert(name.into(), on.to_string().into());
        }
        "picture" => {
            let url = value.as_str().ok_or(WRONG)?;
            if url.len() > MAX_VALUE {
                return Err(ApiError::too_large("The picture's address is too long."));
            }
            thread.more.insert(name.into(), url.into());
        }
        "capabilities" => {
            let list = value.as_array().ok_or(WRONG)?;
            let long = |item: &Value| item.as_str().is_none_or(|text| text.len() > MAX_CAPABILITY);
            if list.len() > MAX_CAPABILITIES || list.iter().any(long) {
                return Err(ApiError::too_large("The capabilities are too many or too long."));
            }
            thread.more.insert(name.into(), value.clone());
        }
        UNIQUE => {
            thread.more.insert(name.into(), flag(value).ok_or(WRONG)?.to_string().into());
        }
        "threadType" | "fixedRoster" | "isStickyThread" | "chatFilesIndexId" => {}
        _ => return Err(ApiError::bad("Unknown property.")),
    }
    Ok(())
}

/// The chat of a group.
pub fn chat(id: &str) -> ChatKey {
    ChatKey::Thread(id.to_owned())
}
