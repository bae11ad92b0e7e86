//! Where the messages and files of an archive come from.

use super::ArchiveMedia;
use crate::model::{ConversationId, ImportOrigin, SafeText, Timestamp};
use crate::store::ids::IdValue;
use crate::store::{Store, StoreError};
use rusqlite::{Connection, OptionalExtension, params};

/// Whether this is the store of an archive.
pub(in crate::store) fn is_archive(c: &Connection) -> rusqlite::Result<bool> {
    c.prepare_cached("SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE name = 'archive_sources')")?
        .query_row([], |row| row.get(0))
}

/// What a message was imported from; `None` in other stores.
fn origin(
    c: &Connection,
    conversation: &ConversationId,
    id: &str,
) -> rusqlite::Result<Option<ImportOrigin>> {
    if !is_archive(c)? {
        return Ok(None);
    }
    c.prepare_cached(
        "SELECT s.path, s.imported_at FROM messages m \
         JOIN conversations c ON c.number = m.conversation AND c.id = ?1 \
         JOIN archive_sources s ON s.number = coalesce( \
           (SELECT source FROM archive_changed WHERE place = m.place), \
           (SELECT source FROM archive_places WHERE first <= m.place ORDER BY first DESC LIMIT 1)) \
         WHERE m.id = ?2",
    )?
    .query_row(params![conversation.as_str(), IdValue(id)], |row| {
        let file = SafeText::line(&row.get::<_, String>(0)?);
        Ok(ImportOrigin { archive: None, file, imported_at: Timestamp(row.get(1)?) })
    })
    .optional()
}

/// The files of an object.
pub(in crate::store) fn media(c: &Connection, object: &str) -> rusqlite::Result<Vec<ArchiveMedia>> {
    if !is_archive(c)? {
        return Ok(Vec::new());
    }
    let mut query = c.prepare_cached(
        "SELECT object, part, path, begins, size FROM archive_media WHERE object = ?1 ORDER BY part",
    )?;
    let rows = query.query_map([object], |row| {
        Ok(ArchiveMedia {
            object: row.get(0)?,
            part: row.get(1)?,
            path: row.get(2)?,
            begins: row.get::<_, i64>(3)?.unsigned_abs(),
            size: row.get::<_, i64>(4)?.unsigned_abs(),
        })
    })?;
    rows.collect()
}

impl Store {
    /// What a message of an archive was imported from.
    pub(crate) async fn origin(
        &self,
        conversation: &ConversationId,
        id: &str,
    ) -> Result<Option<ImportOrigin>, StoreError> {
        let (conversation, id) = (conversation.clone(), id.to_owned());
        self.read(move |c| origin(c, &conversation, &id)).await
    }

    /// The files of objects in the exports of an archive; none in other stores.
    pub(crate) async fn media(
        &self,
        objects: Vec<String>,
    ) -> Result<Vec<Vec<ArchiveMedia>>, StoreError> {
        self.read(move |c| objects.iter().map(|object| media(c, object)).collect()).await
    }
}
