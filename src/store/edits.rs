//! Stored edits: which rows belong to one message, and which of them is shown. The rules are those of
//! [`crate::model::edits`].

use super::ids::IdValue;
use super::read::{IS_EDIT_RECORD, MESSAGE, message, number};
use super::{Store, StoreError};
use crate::model::edits::{TextVersion, shown_version};
use crate::model::{ConversationId, MessageKey, RawMessage, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, params};

/// The maximum number of rows examined for one message.
const MAX_ROWS: usize = 200;

/// The columns of a row that matter for edits.
#[derive(Clone, Debug)]
struct EditRow {
    key: MessageKey,
    number: i64,
    client_id: Option<String>,
    edit_of: Option<String>,
    is_empty: bool,
}

/// A sender's rows with a given value in one column, before or after a place. Without the `+`, SQLite would walk the
/// whole conversation in time order instead of looking the value up.
fn first_before(column: &str) -> String {
    format!(
        "SELECT {COLUMNS} FROM messages m WHERE conversation = ?1 AND {column} = ?2 AND sender = ?3 \
         AND (+at, +number, +id) < (?4, ?5, ?6) ORDER BY +at, +number, +id LIMIT 1"
    )
}

/// The edits that carry a mark, after a place, newest first.
fn edits_after() -> String {
    format!(
        "SELECT {COLUMNS} FROM messages m WHERE conversation = ?1 AND edit_of = ?2 AND sender = ?3 \
         AND (+at, +number, +id) > (?4, ?5, ?6) ORDER BY +at DESC, +number DESC LIMIT {MAX_ROWS}"
    )
}

const COLUMNS: &str = "m.at, m.number, m.id, m.client_id, m.edit_of, m.text = '' AS is_empty";

impl EditRow {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let id = |column| -> rusqlite::Result<Option<String>> {
            Ok(row.get::<_, Option<IdValue<String>>>(column)?.map(|IdValue(id)| id))
        };
        Ok(Self {
            key: MessageKey::server(Timestamp(row.get("at")?), &id("id")?.unwrap_or_default()),
            number: row.get("number")?,
            client_id: id("client_id")?,
            edit_of: id("edit_of")?,
            is_empty: row.get("is_empty")?,
        })
    }

    fn version(&self) -> TextVersion {
        TextVersion {
            key: self.key.clone(),
            is_edit: self.edit_of.is_some(),
            is_removed: self.is_empty,
        }
    }

    /// The ids by which a mark may refer to this row.
    fn ids(&self) -> impl Iterator<Item = &str> {
        let given = [self.client_id.as_deref(), self.edit_of.as_deref()];
        std::iter::once(&*self.key.id).chain(given.into_iter().flatten())
    }
}

/// One sender's rows of one conversation.
struct SenderRows<'a> {
    connection: &'a Connection,
    conversation: i64,
    sender: &'a str,
}

impl SenderRows<'_> {
    fn of_id(&self, id: &str) -> rusqlite::Result<Option<EditRow>> {
        let sql = format!("SELECT {COLUMNS} FROM messages m WHERE conversation = ?1 AND id = ?2");
        let mut query = self.connection.prepare_cached(&sql)?;
        query.query_row(params![self.conversation, IdValue(id)], EditRow::read).optional()
    }

    /// The first row that this one is an edit of.
    fn original(&self, edit: &EditRow) -> rusqlite::Result<Option<EditRow>> {
        let Some(mark) = &edit.edit_of else { return Ok(None) };
        let mut first: Option<EditRow> = None;
        for column in ["client_id", "id", "edit_of"] {
            let sql = first_before(column);
            let id: &str = &edit.key.id;
            let found = self
                .connection
                .prepare_cached(&sql)?
                .query_row(
                    params![
                        self.conversation,
                        IdValue(mark.as_str()),
                        self.sender,
                        edit.key.at.0,
                        edit.number,
                        IdValue(id)
                    ],
                    EditRow::read,
                )
                .optional()?;
            first = first.into_iter().chain(found).min_by(|a, b| a.key.cmp(&b.key));
        }
        Ok(first)
    }

    /// The row that is shown in place of this one.
    fn root(&self, mut row: EditRow) -> rusqlite::Result<EditRow> {
        for _ in 0..MAX_ROWS {
            match self.original(&row)? {
                Some(original) => row = original,
                None => break,
            }
        }
        Ok(row)
    }

    /// The edits of a row, and the edits of those.
    fn edits(&self, root: &EditRow) -> rusqlite::Result<Vec<EditRow>> {
        let sql = edits_after();
        let mut query = self.connection.prepare_cached(&sql)?;
        let mut found: Vec<EditRow> = Vec::new();
        let mut next = Some(root.clone());
        let mut done = 0;
        while let Some(row) = next {
            for id in row.ids() {
                let own: &str = &row.key.id;
                let rows = query.query_map(
                    params![
                        self.conversation,
                        IdValue(id),
                        self.sender,
                        row.key.at.0,
                        row.number,
                        IdValue(own)
                    ],
                    EditRow::read,
                )?;
                for edit in rows {
                    let edit = edit?;
                    if !found.iter().any(|known| known.key == edit.key) {
                        found.push(edit);
                    }
                }
            }
            next = found.get(done).filter(|_| found.len() < MAX_ROWS).cloned();
            done += 1;
        }
        Ok(found)
    }
}

/// The key under which a row is shown; `None` if its text is not shown, because an edit has replaced it or it is a
/// forged edit.
pub(super) fn shown_as(
    connection: &Connection,
    conversation: i64,
    sender: &str,
    id: &str,
) -> rusqlite::Result<Option<MessageKey>> {
    let rows = SenderRows { connection, conversation, sender };
    let Some(row) = rows.of_id(id)? else { return Ok(None) };
    let key = row.key.clone();
    let is_edit = row.edit_of.is_some();
    let root = rows.root(row)?;
    if root.key == key && is_edit && is_record(connection, conversation, id)? {
        return Ok(None);
    }
    let edits = rows.edits(&root)?;
    let shown = shown_version(root.version(), edits.iter().map(EditRow::version));
    Ok((shown == key).then_some(root.key))
}

fn is_record(connection: &Connection, conversation: i64, id: &str) -> rusqlite::Result<bool> {
    let sql =
        format!("SELECT {IS_EDIT_RECORD} FROM messages m WHERE m.conversation = ?1 AND m.id = ?2");
    connection.prepare_cached(&sql)?.query_row(params![conversation, IdValue(id)], |row| row.get(0))
}

/// Whether the store holds the message that this one is an edit of.
pub(super) fn is_stored_record(
    connection: &Connection,
    conversation: &ConversationId,
    id: &str,
) -> rusqlite::Result<bool> {
    match number(connection, conversation)? {
        Some((number, _)) => is_record(connection, number, id),
        None => Ok(false),
    }
}

/// A stored message, and then the edits of it by the same sender, oldest first.
pub(super) fn with_edits(
    connection: &Connection,
    id: &ConversationId,
    message_id: &str,
) -> rusqlite::Result<Vec<RawMessage>> {
    let Some((conversation, _)) = number(connection, id)? else { return Ok(Vec::new()) };
    match by_id(connection, conversation, id, message_id).optional()? {
        Some(found) => of_message(connection, conversation, found),
        None => Ok(Vec::new()),
    }
}

/// The stored message `found`, and then the edits of it by the same sender, oldest first.
pub(super) fn of_message(
    connection: &Connection,
    conversation: i64,
    found: RawMessage,
) -> rusqlite::Result<Vec<RawMessage>> {
    let rows = SenderRows { connection, conversation, sender: found.sender.as_str() };
    let Some(root) = rows.of_id(&found.id)? else { return Ok(Vec::new()) };
    let mut edits = rows.edits(&root)?;
    edits.sort_by(|a, b| a.key.cmp(&b.key));
    let id = found.conversation.clone();
    let mut items = vec![found];
    for edit in edits {
        items.push(by_id(connection, conversation, &id, &edit.key.id)?);
    }
    Ok(items)
}

fn by_id(
    connection: &Connection,
    number: i64,
    conversation: &ConversationId,
    id: &str,
) -> rusqlite::Result<RawMessage> {
    let sql = format!("SELECT {MESSAGE} FROM messages m WHERE conversation = ?1 AND id = ?2");
    connection
        .prepare_cached(&sql)?
        .query_row(params![number, IdValue(id)], |row| message(connection, row, conversation))
}

impl Store {
    /// A stored message, and then the edits of it by the same sender, oldest first.
    pub(crate) async fn with_edits(
        &self,
        conversation: &ConversationId,
        message: &str,
    ) -> Result<Vec<RawMessage>, StoreError> {
        let (conversation, message) = (conversation.clone(), message.to_owned());
        self.read(move |c| with_edits(c, &conversation, &message)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::schema::migrate;

    #[test]
    fn what_belongs_to_an_edit_is_looked_up_by_an_index_of_its_column() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, None).unwrap();
        let records = format!("SELECT {IS_EDIT_RECORD} FROM messages m WHERE m.place = 1");
        let lookups = ["client_id", "id", "edit_of"].map(first_before);
        for sql in lookups.into_iter().chain([edits_after(), records]) {
            let mut plan = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
            let nothing: [Option<i64>; 6] = [None; 6];
            let count = plan.parameter_count();
            let steps = plan
                .query_map(rusqlite::params_from_iter(nothing.iter().take(count)), |row| {
                    row.get::<_, String>("detail")
                })
                .unwrap();
            let steps: Vec<String> = steps.map(Result::unwrap).collect();
            let searched: Vec<&String> = steps.iter().filter(|s| s.starts_with("SEARCH")).collect();
            assert!(!searched.is_empty(), "{steps:?}");
            for step in searched {
                let by_value = step.contains("=? AND ") || step.contains("PRIMARY KEY (rowid=?)");
                assert!(by_value && !step.contains("messages_by_time"), "{step} in {sql}");
            }
        }
    }
}
