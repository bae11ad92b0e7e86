//! Recovery: copies what can be read of a damaged store to a new file. The damaged file is not changed.

use super::file_state::{self, SUFFIXES, with_suffix};
use super::ids::IdValue;
use super::texts::TextWriter;
use super::{StoreError, coverage, drafts, messages, prepare, schema, write};
use crate::model::{
    ClientMessageId, ConversationId, Coverage, Draft, Indexed, NameSource, Point, Range,
    RawMessage, SafeText, Timestamp, UserId,
};
use rusqlite::{Connection, Row, params};
use std::collections::{BTreeMap, HashMap};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

/// Rows read with one query.
const CHUNK: i64 = 256;
/// Rows written in one transaction.
const BATCH: usize = 5_000;

/// Numbers of recovered rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Salvaged {
    pub conversations: usize,
    pub messages: usize,
    pub drafts: usize,
    pub outbox: usize,
    /// Places in the file that could not be read.
    pub unreadable: usize,
}

struct PageReader {
    from: Connection,
    unreadable: usize,
}

/// A table, and the columns that are read.
struct SalvageTable {
    name: &'static str,
    columns: &'static str,
}

/// How a scan of a table ended.
enum ScanEnd {
    Complete,
    /// At a place that cannot be read.
    Interrupted,
}

impl PageReader {
    /// All readable rows of a table: forwards to the first damaged place, then backwards from the end.
    fn rows<T>(
        &mut self,
        table: &SalvageTable,
        read: impl Fn(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Vec<T> {
        let mut found = BTreeMap::new();
        if let ScanEnd::Interrupted = self.scan(table, false, &read, &mut found) {
            self.scan(table, true, &read, &mut found);
        }
        found.into_values().collect()
    }

    fn scan<T>(
        &mut self,
        table: &SalvageTable,
        backwards: bool,
        read: &impl Fn(&Row<'_>) -> rusqlite::Result<T>,
        found: &mut BTreeMap<i64, T>,
    ) -> ScanEnd {
        let (side, order, mut from) =
            if backwards { ("<", "DESC", i64::MAX) } else { (">", "ASC", i64::MIN) };
        let SalvageTable { name, columns } = table;
        let sql = format!(
            "SELECT rowid, {columns} FROM {name} WHERE rowid {side} ?1 ORDER BY rowid {order} LIMIT {CHUNK}"
        );
        loop {
            let (mut last, mut broken) = (None, 0);
            let chunk = (|| {
                let mut query = self.from.prepare(&sql)?;
                let mut rows = query.query([from])?;
                while let Some(row) = rows.next()? {
                    let rowid: i64 = row.get(0)?;
                    last = Some(rowid);
                    // A row with invalid columns is skipped, the others are not affected.
                    match read(row) {
                        Ok(value) => drop(found.insert(rowid, value)),
                        Err(_) => broken += 1,
                    }
                }
                Ok::<(), rusqlite::Error>(())
            })();
            self.unreadable += broken;
            match (chunk, last) {
                (Ok(()), None) => return ScanEnd::Complete,
                (Ok(()), Some(last)) if (last > from) != backwards && last != from => from = last,
                // Row ids of a damaged tree can decrease: without this the scan would never end.
                _ => {
                    self.unreadable += 1;
                    return ScanEnd::Interrupted;
                }
            }
        }
    }
}

const CONVERSATIONS: SalvageTable = SalvageTable {
    name: "conversations",
    columns: "number, id, json, version, activity, horizon, horizon_unsent, cleared_at, thread_json",
};
const MESSAGES: SalvageTable = SalvageTable {
    name: "messages",
    columns: "conversation, at, id, version, sender, client_id, kind, text, edit_of, counts, mentions, item",
};
/// Until version 3 of the schema, items were not compressed.
const MESSAGES_TO_3: SalvageTable = SalvageTable {
    name: "messages",
    columns: "conversation, at, id, version, sender, client_id, kind, text, edit_of, counts, mentions, json",
};
const NAMES: SalvageTable = SalvageTable { name: "names", columns: "id, rank, name" };
const DRAFTS: SalvageTable = SalvageTable { name: "drafts", columns: "conversation, draft" };
const OUTBOX: SalvageTable = SalvageTable {
    name: "outbox",
    columns: "number, conversation, client_id, outgoing, queued_at, state, reason",
};

type SalvagedConversation = (i64, String, String, i64, i64, String, bool, i64, String);

fn conversation(row: &Row<'_>) -> rusqlite::Result<SalvagedConversation> {
    Ok((
        row.get(1)?,
        row.get(2)?,
        row.get(3)?,
        row.get(4)?,
        row.get(5)?,
        row.get(6)?,
        row.get(7)?,
        row.get(8)?,
        row.get(9)?,
    ))
}

struct SalvagedMessage {
    number: i64,
    raw: RawMessage,
    index: Indexed,
}

/// A message of one of these conversations; `None` if it belongs to none of them.
fn message(
    row: &Row<'_>,
    conversations: &HashMap<i64, ConversationId>,
    is_compressed: bool,
) -> rusqlite::Result<Option<SalvagedMessage>> {
    let number = row.get("conversation")?;
    let Some(conversation) = conversations.get(&number) else { return Ok(None) };
    let text = |column| -> rusqlite::Result<String> { row.get(column) };
    let given_id = |column| -> rusqlite::Result<Option<String>> {
        Ok(row.get::<_, Option<IdValue<String>>>(column)?.map(|IdValue(id)| id))
    };
    let version: i64 = row.get("version")?;
    let mut raw = RawMessage {
        id: row.get::<_, IdValue<String>>("id")?.0.into(),
        client_id: given_id("client_id")?.map(ClientMessageId::from),
        conversation: conversation.clone(),
        sender: UserId::from(text("sender")?),
        sender_name: None,
        at: Timestamp(row.get("at")?),
        version: u64::try_from(version).unwrap_or(0),
        kind: text("kind")?.into(),
        content: "".into(),
        extras: true,
        original_is_stored: false,
        json: "".into(),
    };
    let index = Indexed {
        text: text("text")?,
        edit_of: given_id("edit_of")?.map(Into::into),
        counts: row.get("counts")?,
        mentions_me: row.get("mentions")?,
        link: false,
        file: false,
    };
    raw.json = if is_compressed {
        let stored = row.get_ref("item")?.as_blob()?;
        messages::item_columns(&raw, &raw.id, &index.text).item(stored)?
    } else {
        text("json")?.into()
    };
    Ok(Some(SalvagedMessage { number, raw, index }))
}

/// Copies what can be read of `damaged` into the new file `copy`.
///
/// # Errors
/// If the copy cannot be written, or a newer skchat wrote the store. If nothing at all can be read, the copy is empty.
pub fn salvage(damaged: &Path, copy: &Path) -> Result<Salvaged, StoreError> {
    // Work on a scratch copy, so that its header can be repaired without changing the damaged file.
    let scratch = copy.with_extension("scratch");
    let result = make_scratch_copy(damaged, &scratch).and_then(|()| recover(&scratch, copy));
    for suffix in SUFFIXES {
        let _ = std::fs::remove_file(with_suffix(&scratch, suffix));
    }
    result
}

/// Copies the damaged database, and restores the first bytes of its header, which are the same in every database. A
/// truncated database is put together from its log.
///
/// # Errors
/// If a copy fails.
fn make_scratch_copy(damaged: &Path, scratch: &Path) -> Result<(), StoreError> {
    const MAGIC: &[u8; 16] = b"SQLite format 3\0";
    let failed = |error: std::io::Error| StoreError::Backup(error.to_string());
    if file_state::is_cut_off(damaged) {
        std::fs::write(scratch, b"").map_err(failed)?;
        file_state::write_back(&with_suffix(damaged, "-wal"), scratch).map_err(failed)?;
    } else {
        for suffix in ["", "-wal"] {
            let from = with_suffix(damaged, suffix);
            if from.exists() {
                std::fs::copy(&from, with_suffix(scratch, suffix)).map_err(failed)?;
            }
        }
    }
    let mut file =
        std::fs::OpenOptions::new().read(true).write(true).open(scratch).map_err(failed)?;
    let mut first = [0; 16];
    if file.read_exact(&mut first).is_ok() && first != *MAGIC {
        file.seek(SeekFrom::Start(0)).and_then(|_| file.write_all(MAGIC)).map_err(failed)?;
    }
    Ok(())
}

fn recover(scratch: &Path, copy: &Path) -> Result<Salvaged, StoreError> {
    let from = Connection::open(scratch)?;
    // Otherwise SQLite refuses a file that is shorter than its header says.
    from.pragma_update(None, "writable_schema", true).ok();
    if let Err(error @ StoreError::Newer(_)) = schema::version(&from) {
        // Anything the newer version added would be lost.
        return Err(error);
    }
    let mut reader = PageReader { from, unreadable: 0 };
    let mut to = Connection::open(copy)?;
    prepare(&to)?;
    // The copy counts only once it replaces the damaged file, and it is flushed to disk before that.
    to.pragma_update(None, "synchronous", "OFF")?;
    schema::migrate(&mut to, None)?;
    let mut recovered = Salvaged::default();
    let conversations = reader.rows(&CONVERSATIONS, conversation);
    let mut ids: HashMap<i64, ConversationId> = HashMap::new();
    for (number, id, json, version, activity, read_marker, unsent, cleared, thread) in conversations
    {
        let put = to.execute(
            "INSERT OR IGNORE INTO conversations (number, id, json, version, activity, horizon, horizon_unsent, \
             cleared_at, thread_json) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            params![number, id, json, version, activity, read_marker, unsent, cleared, thread],
        )?;
        recovered.conversations += put;
        ids.insert(number, ConversationId::from(id));
    }
    recover_small_tables(&mut reader, &mut to, &mut recovered)?;
    let before = reader.unreadable;
    let is_compressed = reader.from.prepare("SELECT item FROM messages").is_ok();
    let table = if is_compressed { MESSAGES } else { MESSAGES_TO_3 };
    let stored = reader.rows(&table, |row| message(row, &ids, is_compressed));
    let complete = reader.unreadable == before;
    let mut points: HashMap<i64, Vec<Point>> = HashMap::new();
    let stored: Vec<SalvagedMessage> = stored.into_iter().flatten().collect();
    for chunk in stored.chunks(BATCH) {
        let tx = write::begin(&mut to)?;
        let mut texts = TextWriter::default();
        for row in chunk {
            // Decoder 0: the program decodes and indexes these rows again.
            messages::put(&tx, row.number, &row.raw, &row.index, 0, &mut texts)?;
            points.entry(row.number).or_default().push(Point::from(&row.raw.key()));
        }
        texts.write(&tx)?;
        tx.commit()?;
    }
    recovered.messages =
        usize::try_from(
            to.query_row("SELECT count(*) FROM messages", [], |row| row.get::<_, i64>(0))?,
        )
        .unwrap_or(0);
    let tx = write::begin(&mut to)?;
    for (number, points) in points {
        let known = if complete {
            coverage::load(&reader.from, number).unwrap_or_default()
        } else {
            Coverage::default()
        };
        // Rows may be missing anywhere, so no two messages can be treated as adjacent until they are fetched again.
        let alone = points.into_iter().filter(|point| !known.covers(*point)).map(Range::alone);
        let coverage: Coverage = known.ranges().iter().copied().chain(alone).collect();
        coverage::save(&tx, number, &coverage)?;
    }
    if !complete {
        // Fetch all conversations again, including those without any recovered message.
        tx.execute("UPDATE conversations SET version = 0", [])?;
    }
    tx.execute("INSERT OR REPLACE INTO meta VALUES ('index_below', ?1)", [i64::MAX.to_string()])?;
    tx.commit()?;
    to.close().map_err(|(_, error)| error)?;
    let written = std::fs::File::open(copy).and_then(|copy| copy.sync_all());
    written.map_err(|error| StoreError::Backup(error.to_string()))?;
    recovered.unreadable = reader.unreadable;
    Ok(recovered)
}

/// What the user has chosen for conversations, as far as it can be read.
fn choices(from: &Connection) -> Vec<(String, String)> {
    let found = from
        .prepare(
            "SELECT key, value FROM meta WHERE key LIKE 'choices:%' OR key LIKE 'hidden:%' \
                  OR key LIKE 'forgotten:%'",
        )
        .and_then(|mut query| {
            let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            // The first row that cannot be read ends it: what follows may be damaged as well.
            Ok(rows.map_while(Result::ok).collect())
        });
    found.unwrap_or_default()
}

/// Recovers names, drafts, the outbox and which chat was open.
fn recover_small_tables(
    reader: &mut PageReader,
    to: &mut Connection,
    recovered: &mut Salvaged,
) -> rusqlite::Result<()> {
    let names = reader.rows(&NAMES, |row| {
        Ok((row.get::<_, String>(1)?, row.get::<_, i64>(2)?, row.get::<_, String>(3)?))
    });
    let drafts =
        reader.rows(&DRAFTS, |row| Ok((row.get::<_, String>(1)?, row.get::<_, String>(2)?)));
    let outbox = reader.rows(&OUTBOX, |row| {
        Ok((
            row.get::<_, i64>(1)?,
            row.get::<_, String>(2)?,
            row.get::<_, String>(3)?,
            row.get::<_, String>(4)?,
            row.get::<_, i64>(5)?,
            row.get::<_, String>(6)?,
            row.get::<_, String>(7)?,
        ))
    });
    let open: Option<String> = reader
        .from
        .query_row("SELECT value FROM meta WHERE key = 'last_open'", [], |row| row.get(0))
        .ok();
    let choices = choices(&reader.from);
    let tx = write::begin(to)?;
    for (key, value) in choices {
        tx.execute("INSERT OR REPLACE INTO meta VALUES (?1, ?2)", [key, value])?;
    }
    for (id, rank, name) in names {
        write::put_name(
            &tx,
            &UserId::from(id),
            NameSource::from_rank(rank),
            &SafeText::line(&name),
        )?;
    }
    for (conversation, draft) in drafts {
        let draft: Draft = serde_json::from_str(&draft).unwrap_or_default();
        drafts::put_draft(&tx, &ConversationId::from(conversation), &draft)?;
        recovered.drafts += 1;
    }
    for (number, conversation, client_id, outgoing, queued_at, state, reason) in outbox {
        recovered.outbox += tx.execute(
            "INSERT OR IGNORE INTO outbox (number, conversation, client_id, outgoing, queued_at, state, reason) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![number, conversation, client_id, outgoing, queued_at, state, reason],
        )?;
    }
    if let Some(open) = open {
        tx.execute("INSERT OR REPLACE INTO meta VALUES ('last_open', ?1)", [open])?;
    }
    tx.commit()
}
