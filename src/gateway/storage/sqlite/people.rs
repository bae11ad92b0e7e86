//! Participants of chats in SQLite.

use super::{
    ChatKey, ConversationEntry, MemberReadMark, MemberRow, Participant, ReadWindow, chat_number,
    next_change, open_chat,
};
use crate::model::{Role, UserId};
use rusqlite::{Connection, OptionalExtension, Result, Row, params};
use serde_json::{Map, Value};
use std::collections::HashSet;

/// Up to this number, users are looked up one by one. For more, all participants are read.
const FEW: usize = 32;

/// The number of a role in the table.
pub fn number_of(role: Role) -> i64 {
    match role {
        Role::User => 1,
        Role::Admin => 2,
    }
}

/// The role for a number in the table; 0 is a former participant.
pub fn role_of(number: i64) -> Option<Role> {
    match number {
        0 => None,
        1 => Some(Role::User),
        _ => Some(Role::Admin),
    }
}

/// When and how a user joins a chat.
#[derive(Clone, Copy)]
pub struct JoinDetails {
    pub now: i64,
    /// The id of the first message that the user may read.
    pub since: i64,
    /// The number of this change.
    pub change: i64,
}

pub fn insert(
    sql: &Connection,
    chat: i64,
    member: &MemberRow,
    seen_as: &str,
    join: JoinDetails,
) -> Result<()> {
    let JoinDetails { now, since, change } = join;
    sql.prepare_cached(
        "INSERT INTO people (chat, user, seen_as, role, joined, left, since, cleared_at, properties, own_changes, \
         left_version, change, seat) VALUES (?1, ?2, ?3, ?4, ?5, 0, ?6, 0, '{}', 0, 0, ?7, ?7) \
         ON CONFLICT (chat, user) DO UPDATE SET role = ?4, joined = max(?5, left + 1), since = ?6, \
         own_changes = own_changes + 1, change = ?7",
    )?
    .execute(params![
        chat,
        member.id.as_str(),
        seen_as,
        number_of(member.role),
        now,
        since,
        change
    ])?;
    Ok(())
}

/// The columns of a participant and its chat.
const PLACE: &str = "p.*, c.last_id, c.version AS chat_version, c.change AS chat_change \
     FROM people p JOIN chats c ON c.id = p.chat";

/// Former participants do not see changes after they left.
fn entry(row: &Row<'_>) -> Result<ConversationEntry> {
    let present = row.get::<_, i64>("role")? > 0;
    let (last_id, own): (i64, i64) = (row.get("last_id")?, row.get("change")?);
    let chat_change: i64 = row.get("chat_change")?;
    let version: i64 = row.get(if present { "chat_version" } else { "left_version" })?;
    Ok(ConversationEntry {
        seen_as: row.get("seen_as")?,
        activity: if present { last_id } else { last_id.min(row.get("left")?) },
        row: row.get("seat")?,
        version: version + row.get::<_, i64>("own_changes")?,
        change: if present { own.max(chat_change) } else { own },
    })
}

fn participant(row: &Row<'_>) -> Result<Participant> {
    let entry = entry(row)?;
    let properties: String = row.get("properties")?;
    let role = role_of(row.get("role")?);
    let (left, cleared_at): (i64, i64) = (row.get("left")?, row.get("cleared_at")?);
    let first = row.get::<_, i64>("since")?.max(cleared_at + 1);
    let last = if role.is_some() { i64::MAX } else { left };
    Ok(Participant {
        seen_as: entry.seen_as,
        role,
        joined: row.get("joined")?,
        left,
        properties: serde_json::from_str(&properties).unwrap_or_default(),
        cleared_at,
        version: entry.version,
        window: ReadWindow { first, last },
    })
}

pub fn find(sql: &Connection, chat: &ChatKey, user: &UserId) -> Result<Option<Participant>> {
    sql.prepare_cached(&format!("SELECT {PLACE} WHERE c.key = ?1 AND p.user = ?2"))?
        .query_row(params![chat.key(), user.as_str()], participant)
        .optional()
}

pub fn conversations(sql: &Connection, user: &UserId) -> Result<Vec<ConversationEntry>> {
    let mut query =
        sql.prepare_cached(&format!("SELECT {PLACE} WHERE p.user = ?1 AND c.last_id > 0"))?;
    let mut entries: Vec<ConversationEntry> =
        query.query_map([user.as_str()], entry)?.collect::<Result<_>>()?;
    entries.sort_by_key(|e| std::cmp::Reverse((e.activity, e.row)));
    Ok(entries)
}

pub fn present(sql: &Connection, chat: &ChatKey) -> Result<Vec<UserId>> {
    let Some(chat) = chat_number(sql, chat)? else { return Ok(Vec::new()) };
    sql.prepare_cached("SELECT user FROM people WHERE chat = ?1 AND role > 0 ORDER BY user")?
        .query_map([chat], |row| Ok(UserId::from(row.get::<_, String>(0)?)))?
        .collect()
}

pub fn readers(
    sql: &Connection,
    chat: &ChatKey,
    among: &HashSet<UserId>,
    reveals: i64,
) -> Result<Vec<UserId>> {
    let Some(chat) = chat_number(sql, chat)? else { return Ok(Vec::new()) };
    let who = "role > 0 AND since <= ?2 AND cleared_at < ?2";
    if among.len() > FEW {
        let everyone = format!("SELECT user FROM people WHERE chat = ?1 AND {who}");
        let mut query = sql.prepare_cached(&everyone)?;
        let users = query
            .query_map([chat, reveals], |row| Ok(UserId::from(row.get::<_, String>(0)?)))?
            .filter(|user| user.as_ref().map_or(true, |user| among.contains(user)));
        return users.collect();
    }
    let one = format!("SELECT 1 FROM people WHERE chat = ?1 AND user = ?3 AND {who}");
    let mut query = sql.prepare_cached(&one)?;
    let mut found = Vec::new();
    for user in among {
        if query.exists(params![chat, reveals, user.as_str()])? {
            found.push(user.clone());
        }
    }
    Ok(found)
}

pub fn read_marks(sql: &Connection, chat: &ChatKey) -> Result<Vec<MemberReadMark>> {
    let Some(chat) = chat_number(sql, chat)? else { return Ok(Vec::new()) };
    let mut query = sql.prepare_cached(
        "SELECT user, since, json_extract(properties, '$.consumptionhorizon') FROM people \
         WHERE chat = ?1 AND role > 0 ORDER BY user",
    )?;
    let marks = query.query_map([chat], |row| {
        Ok(MemberReadMark {
            user: UserId::from(row.get::<_, String>(0)?),
            since: row.get(1)?,
            horizon: row.get(2)?,
        })
    })?;
    marks.collect()
}

pub fn set_property(
    sql: &Connection,
    chat: &ChatKey,
    user: &UserId,
    (name, value): (&str, &str),
    now: i64,
) -> Result<()> {
    let chat = open_chat(sql, chat, now)?;
    let kept: Option<String> = sql
        .prepare_cached("SELECT properties FROM people WHERE chat = ?1 AND user = ?2")?
        .query_row(params![chat, user.as_str()], |row| row.get(0))
        .optional()?;
    let mut properties: Map<String, Value> =
        kept.and_then(|kept| serde_json::from_str(&kept).ok()).unwrap_or_default();
    properties.insert(name.to_owned(), value.into());
    let change = next_change(sql)?;
    sql.prepare_cached(
        "UPDATE people SET properties = ?4, own_changes = own_changes + 1, change = ?3 WHERE chat = ?1 AND user = ?2",
    )?
    .execute(params![chat, user.as_str(), change, Value::Object(properties).to_string()])?;
    Ok(())
}

pub fn clear_history(sql: &Connection, chat: &ChatKey, user: &UserId) -> Result<()> {
    let Some(chat) = chat_number(sql, chat)? else { return Ok(()) };
    let change = next_change(sql)?;
    sql.prepare_cached(
        "UPDATE people SET own_changes = own_changes + 1, change = ?3, cleared_at = max(cleared_at, \
         (SELECT CASE role WHEN 0 THEN min(left, last_id) ELSE last_id END FROM chats WHERE id = ?1)) \
         WHERE chat = ?1 AND user = ?2",
    )?
    .execute(params![chat, user.as_str(), change])?;
    Ok(())
}
