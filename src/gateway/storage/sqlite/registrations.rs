//! Registrations of clients in SQLite.

use super::RegistrationRow;
use crate::model::UserId;
use rusqlite::{Connection, Result, params};

pub fn all(sql: &Connection) -> Result<Vec<RegistrationRow>> {
    let mut query = sql.prepare_cached("SELECT * FROM registrations ORDER BY rowid")?;
    let rows = query.query_map([], |row| {
        Ok(RegistrationRow {
            endpoint: row.get("endpoint")?,
            user: UserId::from(row.get::<_, String>("user")?),
            token: row.get("token")?,
            credential: row.get("credential")?,
            expires: row.get("expires")?,
            subscribed: row.get("subscribed")?,
        })
    })?;
    rows.collect()
}

pub fn save(sql: &Connection, registration: &RegistrationRow) -> Result<()> {
    let RegistrationRow { endpoint, user, token, credential, expires, subscribed } = registration;
    sql.prepare_cached(
        "INSERT OR REPLACE INTO registrations (endpoint, user, token, credential, expires, subscribed) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![endpoint, user.as_str(), token, credential, expires, subscribed])?;
    Ok(())
}

pub fn note_subscribed(sql: &Connection, endpoint: &str) -> Result<()> {
    sql.prepare_cached("UPDATE registrations SET subscribed = 1 WHERE endpoint = ?1")?
        .execute([endpoint])?;
    Ok(())
}

pub fn end(sql: &Connection, endpoint: &str) -> Result<()> {
    sql.prepare_cached("DELETE FROM registrations WHERE endpoint = ?1")?.execute([endpoint])?;
    Ok(())
}
