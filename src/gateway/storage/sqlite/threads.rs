//! Groups and their members in SQLite.

use super::people::{JoinDetails, insert, number_of, role_of};
use super::{ChatKey, MemberRow, ThreadRow, chat_number, next_change, next_changes, open_chat};
use crate::model::{Role, UserId};
use rusqlite::{Connection, OptionalExtension, Result, Row, params};

fn read(row: &Row<'_>) -> Result<ThreadRow> {
    let more: String = row.get("more")?;
    Ok(ThreadRow {
        id: row.get("id")?,
        creator: row.get("creator")?,
        created: row.get("created")?,
        version: row.get("version")?,
        topic: row.get("topic")?,
        joining: row.get("joining")?,
        history: row.get("history")?,
        code: row.get("code")?,
        more: serde_json::from_str(&more).unwrap_or_default(),
        member_count: row.get("member_count")?,
    })
}

pub fn find(sql: &Connection, id: &str) -> Result<Option<ThreadRow>> {
    sql.prepare_cached("SELECT * FROM threads WHERE id = ?1")?.query_row([id], read).optional()
}

pub fn of_code(sql: &Connection, code: &str) -> Result<Option<ThreadRow>> {
    sql.prepare_cached("SELECT * FROM threads WHERE code = ?1")?.query_row([code], read).optional()
}

fn chat(thread: &str) -> ChatKey {
    ChatKey::Thread(thread.to_owned())
}

pub fn members(sql: &Connection, thread: &str) -> Result<Vec<MemberRow>> {
    let Some(chat) = chat_number(sql, &chat(thread))? else { return Ok(Vec::new()) };
    let mut query = sql.prepare_cached(
        "SELECT user, role FROM people WHERE chat = ?1 AND role > 0 ORDER BY joined, seat",
    )?;
    let members = query.query_map([chat], |row| {
        let id = UserId::from(row.get::<_, String>(0)?);
        Ok(MemberRow { id, role: role_of(row.get(1)?).unwrap_or_default() })
    })?;
    members.collect()
}

pub fn create(sql: &Connection, thread: &ThreadRow) -> Result<()> {
    sql.prepare_cached(
        "INSERT INTO threads (id, creator, created, version, topic, joining, history, code, more, member_count) \
         VALUES (?1, ?2, ?3, ?3, ?4, ?5, ?6, ?7, ?8, 0)",
    )?
    .execute(params![
        thread.id,
        thread.creator,
        thread.created,
        thread.topic,
        thread.joining,
        thread.history,
        thread.code,
        serde_json::to_string(&thread.more).unwrap_or_default()
    ])?;
    open_chat(sql, &chat(&thread.id), thread.created)?;
    Ok(())
}

pub fn save(sql: &Connection, thread: &ThreadRow, now: i64) -> Result<()> {
    sql.prepare_cached(
        "UPDATE threads SET version = max(version + 1, ?2), topic = ?3, joining = ?4, history = ?5, more = ?6 \
         WHERE id = ?1",
    )?
    .execute(params![
        thread.id,
        now,
        thread.topic,
        thread.joining,
        thread.history,
        serde_json::to_string(&thread.more).unwrap_or_default()
    ])?;
    Ok(())
}

pub fn add_members(
    sql: &Connection,
    thread: &str,
    members: &[MemberRow],
    history: bool,
    now: i64,
) -> Result<()> {
    let chat = open_chat(sql, &chat(thread), now)?;
    let last_id: i64 = sql
        .prepare_cached("SELECT last_id FROM chats WHERE id = ?1")?
        .query_row([chat], |row| row.get(0))?;
    let since = if history { 0 } else { now.max(last_id + 1) };
    let last = next_changes(sql, members.len())?;
    for (member, change) in members.iter().rev().zip((0..=last).rev()) {
        insert(sql, chat, member, thread, JoinDetails { now, since, change })?;
    }
    sql.prepare_cached("UPDATE threads SET member_count = member_count + ?2 WHERE id = ?1")?
        .execute(params![thread, i64::try_from(members.len()).unwrap_or(0)])?;
    Ok(())
}

pub fn set_role(sql: &Connection, thread: &str, user: &UserId, role: Role) -> Result<()> {
    let Some(chat) = chat_number(sql, &chat(thread))? else { return Ok(()) };
    sql.prepare_cached("UPDATE people SET role = ?3 WHERE chat = ?1 AND user = ?2 AND role > 0")?
        .execute(params![chat, user.as_str(), number_of(role)])?;
    Ok(())
}

pub fn remove_member(sql: &Connection, thread: &str, user: &UserId) -> Result<()> {
    let Some(chat) = chat_number(sql, &chat(thread))? else { return Ok(()) };
    let change = next_change(sql)?;
    let removed = sql
        .prepare_cached(
            "UPDATE people SET role = 0, own_changes = own_changes + 1, change = ?3, \
             left = max(joined + 1, (SELECT last_id FROM chats WHERE id = ?1)), \
             left_version = (SELECT version FROM chats WHERE id = ?1) \
             WHERE chat = ?1 AND user = ?2 AND role > 0",
        )?
        .execute(params![chat, user.as_str(), change])?;
    sql.prepare_cached("UPDATE threads SET member_count = member_count - ?2 WHERE id = ?1")?
        .execute(params![thread, i64::try_from(removed).unwrap_or(0)])?;
    Ok(())
}
