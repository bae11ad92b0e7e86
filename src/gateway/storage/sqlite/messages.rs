//! Messages in SQLite.

use super::super::Digest;
use super::{ChatKey, MessageRow, NewMessage, ReadWindow, chat_number, next_change, open_chat};
use crate::model::{Timestamp, UserId};
use rusqlite::{Connection, OptionalExtension, Result, Row, params};
use serde_json::{Map, Value};

/// Number of messages with the same client id that are compared. A client that reuses ids more often than that does not
/// use them to identify messages.
const SAME_CLIENT_ID: i64 = 16;

fn read(row: &Row<'_>) -> Result<MessageRow> {
    Ok(MessageRow {
        id: row.get("id")?,
        sender: UserId::from(row.get::<_, String>("sender")?),
        kind: row.get("kind")?,
        reveals: row.get("reveals")?,
        version: row.get("version")?,
        change: row.get("change")?,
        body: row.get("body")?,
    })
}

pub fn find(sql: &Connection, chat: &ChatKey, id: i64) -> Result<Option<MessageRow>> {
    let Some(chat) = chat_number(sql, chat)? else { return Ok(None) };
    sql.prepare_cached("SELECT * FROM messages WHERE chat = ?1 AND id = ?2")?
        .query_row([chat, id], read)
        .optional()
}

pub fn of_client(
    sql: &Connection,
    chat: &ChatKey,
    sender: &UserId,
    client_id: &str,
) -> Result<Option<MessageRow>> {
    let Some(chat) = chat_number(sql, chat)? else { return Ok(None) };
    sql.prepare_cached(
        "SELECT * FROM messages INDEXED BY messages_by_client_id \
         WHERE chat = ?1 AND client_id = ?2 AND sender = ?3 ORDER BY id DESC LIMIT 1",
    )?
    .query_row(params![chat, client_id, sender.as_str()], read)
    .optional()
}

pub fn repeated(
    sql: &Connection,
    chat: &ChatKey,
    message: &NewMessage,
    since: i64,
) -> Result<Option<i64>> {
    let Some(chat) = chat_number(sql, chat)? else { return Ok(None) };
    let (Some(client_id), Some(digest)) = (&message.client_id, message.digest) else {
        return Ok(None);
    };
    let mut query = sql.prepare_cached(
        "SELECT id, digest FROM messages INDEXED BY messages_by_client_id \
         WHERE chat = ?1 AND client_id = ?2 AND sender = ?3 AND id >= ?4 ORDER BY id DESC LIMIT ?5",
    )?;
    let mut rows =
        query.query(params![chat, client_id, message.sender.as_str(), since, SAME_CLIENT_ID])?;
    while let Some(row) = rows.next()? {
        if row.get::<_, Option<Digest>>("digest")? == Some(digest) {
            return row.get("id").map(Some);
        }
    }
    Ok(None)
}

pub fn before(
    sql: &Connection,
    chat: &ChatKey,
    window: ReadWindow,
    before: i64,
    limit: usize,
) -> Result<Vec<MessageRow>> {
    let Some(chat) = chat_number(sql, chat)? else { return Ok(Vec::new()) };
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    sql.prepare_cached(
        "SELECT * FROM messages WHERE chat = ?1 AND id >= ?2 AND id <= ?3 AND id < ?4 AND reveals >= ?2 \
         ORDER BY id DESC LIMIT ?5",
    )?
    .query_map(params![chat, window.first, window.last, before, limit], read)?
    .collect()
}

pub fn changed(
    sql: &Connection,
    chat: &ChatKey,
    window: ReadWindow,
    change: i64,
    limit: usize,
) -> Result<Vec<MessageRow>> {
    let Some(chat) = chat_number(sql, chat)? else { return Ok(Vec::new()) };
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    sql.prepare_cached(
        "SELECT * FROM messages WHERE chat = ?1 AND id <= ?3 AND reveals >= ?2 AND change > ?4 \
         ORDER BY change LIMIT ?5",
    )?
    .query_map(params![chat, window.first, window.last, change, limit], read)?
    .collect()
}

pub fn last_change(sql: &Connection, chat: &ChatKey) -> Result<i64> {
    let Some(chat) = chat_number(sql, chat)? else { return Ok(0) };
    sql.prepare_cached("SELECT ifnull(max(change), 0) FROM messages WHERE chat = ?1")?
        .query_row([chat], |row| row.get(0))
}

pub fn post(sql: &Connection, chat: &ChatKey, message: NewMessage, now: i64) -> Result<MessageRow> {
    let number = open_chat(sql, chat, now)?;
    let change = next_change(sql)?;
    let id: i64 = sql
        .prepare_cached(
            "UPDATE chats SET last_id = max(last_id + 1, ?2), version = max(version + 1, ?2), change = ?3 \
             WHERE id = ?1 RETURNING last_id",
        )?
        .query_row([number, now, change], |row| row.get(0))?;
    let NewMessage { sender, kind, client_id, digest, reveals, mut body } = message;
    body.entry("composetime").or_insert_with(|| Timestamp(id).rfc3339().into());
    let body = Value::Object(body).to_string();
    let reveals = reveals.unwrap_or(id);
    sql.prepare_cached(
        "INSERT INTO messages (chat, id, sender, kind, client_id, digest, reveals, version, change, body) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?2, ?8, ?9)",
    )?
    .execute(params![number, id, sender.as_str(), kind, client_id, digest, reveals, change, body])?;
    Ok(MessageRow { id, sender, kind, reveals, version: id, change, body })
}

pub fn update(
    sql: &Connection,
    chat: &ChatKey,
    id: i64,
    body: &Map<String, Value>,
    now: i64,
) -> Result<MessageRow> {
    let number = chat_number(sql, chat)?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
    let change = next_change(sql)?;
    let kind = body.get("messagetype").and_then(Value::as_str).unwrap_or_default();
    let text = serde_json::to_string(body).unwrap_or_default();
    let row = sql
        .prepare_cached(
            "UPDATE messages SET version = max(version + 1, ?3), change = ?4, kind = ?5, body = ?6 \
             WHERE chat = ?1 AND id = ?2 RETURNING *",
        )?
        .query_row(params![number, id, now, change, kind, text], read)?;
    sql.prepare_cached(
        "UPDATE chats SET version = max(version + 1, ?2), change = ?3 WHERE id = ?1",
    )?
    .execute([number, row.version, change])?;
    Ok(row)
}
