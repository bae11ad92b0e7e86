//! Drafts: text that is being written.

use super::{Store, StoreError};
use crate::model::{ConversationId, Draft};
use rusqlite::{Connection, params};

pub(super) fn put_draft(
    c: &Connection,
    id: &ConversationId,
    draft: &Draft,
) -> rusqlite::Result<()> {
    if draft.is_empty() && draft.undo.is_empty() {
        c.prepare_cached("DELETE FROM drafts WHERE conversation = ?1")?.execute([id.as_str()])?;
        return Ok(());
    }
    let json = serde_json::to_string(draft).unwrap_or_default();
    c.prepare_cached(
        "INSERT INTO drafts VALUES (?1, ?2) ON CONFLICT (conversation) DO UPDATE SET draft = ?2",
    )?
    .execute(params![id.as_str(), json])?;
    Ok(())
}

impl Store {
    /// Saves a draft; an empty one is deleted.
    pub(crate) async fn save_draft(
        &self,
        id: ConversationId,
        draft: Draft,
    ) -> Result<(), StoreError> {
        self.write(move |c| put_draft(c, &id, &draft)).await
    }
}
