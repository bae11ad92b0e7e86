//! Rows of the gateway's database.

use crate::model::UserId;
use rusqlite::Row;
use serde_json::{Map, Value};

pub struct MessageRow {
    pub id: i64,
    pub sender: String,
    pub version: i64,
    pub change: i64,
    pub body: Map<String, Value>,
}

/// Says that someone has read further (facts 3.7).
pub const READ_MARK: &str = "ThreadActivity/MemberConsumptionHorizonUpdate";

impl MessageRow {
    pub fn kind(&self) -> &str {
        self.body.get("messagetype").and_then(Value::as_str).unwrap_or_default()
    }

    /// Something that is told and not stored: typing, a read mark.
    pub fn signal(sender: &UserId, kind: &str, content: &str, now: i64) -> Self {
        let mut body = Map::new();
        body.insert("messagetype".into(), kind.into());
        body.insert("contenttype".into(), "text".into());
        body.insert("content".into(), content.into());
        Self { id: now, sender: sender.as_str().to_owned(), version: now, change: 0, body }
    }

    pub fn is_signal(&self) -> bool {
        self.kind().starts_with("Control/") || self.kind() == READ_MARK
    }

    pub fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let body: String = row.get("body")?;
        Ok(Self {
            id: row.get("id")?,
            sender: row.get("sender")?,
            version: row.get("version")?,
            change: row.get("change")?,
            body: serde_json::from_str(&body).unwrap_or_default(),
        })
    }
}

pub struct MemberRow {
    pub id: String,
    pub admin: bool,
    pub name: String,
}

pub struct ThreadRow {
    pub id: String,
    pub creator: String,
    pub created: i64,
    pub version: i64,
    pub topic: String,
    pub joining: bool,
    pub history: bool,
    pub code: String,
    /// Further properties (picture, moderatedthread, …) as they are shown.
    pub more: Map<String, Value>,
    pub members: Vec<MemberRow>,
}

impl ThreadRow {
    pub fn member(&self, user: &UserId) -> Option<&MemberRow> {
        self.members.iter().find(|m| m.id == user.as_str())
    }
}

pub struct ViewRow {
    pub row: i64,
    pub space: String,
    pub id: String,
    pub properties: Map<String, Value>,
    pub cleared_at: i64,
    pub joined: i64,
    pub left: i64,
    pub since: i64,
    pub activity: i64,
    pub version: i64,
    pub change: i64,
}

impl ViewRow {
    pub fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let properties: String = row.get("properties")?;
        Ok(Self {
            row: row.get("rowid")?,
            space: row.get("space")?,
            id: row.get("id")?,
            properties: serde_json::from_str(&properties).unwrap_or_default(),
            cleared_at: row.get("cleared_at")?,
            joined: row.get("joined")?,
            left: row.get("left")?,
            since: row.get("since")?,
            activity: row.get("activity")?,
            version: row.get("version")?,
            change: row.get("change")?,
        })
    }

    /// The first and last message id this person may read.
    pub fn window(&self) -> (i64, i64) {
        let last = if self.left > self.joined { self.left } else { i64::MAX };
        (self.since.max(self.cleared_at + 1), last)
    }
}
