//! The two threads before the writer: one reads and cuts, one decodes. Queues between them are short, so that memory
//! stays small however fast the disk is.

use super::head::{self, ArchiveHead};
use super::people::People;
use super::report::ImportReport;
use super::scan::{Found, Scanner};
use super::source::{DocumentForm, ExportDocument};
use super::{item, lines};
use crate::model::fold::folded;
use crate::model::{ConversationId, NameSource, Point, RawMessage, SafeText, Timestamp, UserId};
use crate::protocol::decode;
use crate::store::{ArchiveBatch, ArchiveMessage, imported_range};
use std::io::Read;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender};

/// Bytes read at once.
const CHUNK: usize = 1024 * 1024;
/// Messages stored in one transaction.
const BATCH: usize = 4_000;
/// At most this many bytes of messages are stored in one transaction, unless one message is larger.
const BATCH_BYTES: usize = 8 * 1024 * 1024;

/// Something found in a document; its bytes are in [`DocumentPieces`].
enum DocumentPiece {
    Document(Range<usize>),
    Conversation {
        offset: u64,
    },
    Head {
        json: Range<usize>,
        is_last: bool,
        has_list: bool,
    },
    Message {
        json: Range<usize>,
        offset: u64,
    },
    Line {
        text: Range<usize>,
        offset: u64,
    },
    Broken {
        offset: u64,
        why: &'static str,
    },
    /// The end of the document, and whether it was complete.
    End {
        is_complete: bool,
    },
}

/// What was found in a part of a document.
#[derive(Default)]
pub struct DocumentPieces {
    bytes: Vec<u8>,
    list: Vec<DocumentPiece>,
    /// Bytes of the document that were read.
    read: u64,
}

impl DocumentPieces {
    fn keep(&mut self, bytes: &[u8]) -> Range<usize> {
        let from = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        from..self.bytes.len()
    }

    fn take(&mut self, found: Found<'_>) {
        let piece = match found {
            Found::Document(json) => DocumentPiece::Document(self.keep(json)),
            Found::Conversation { offset } => DocumentPiece::Conversation { offset },
            Found::Head { json, is_last, has_list } => {
                DocumentPiece::Head { json: self.keep(json), is_last, has_list }
            }
            Found::Message { json, offset } => {
                DocumentPiece::Message { json: self.keep(json), offset }
            }
            Found::Broken { offset, why } => DocumentPiece::Broken { offset, why },
        };
        self.list.push(piece);
    }
}

/// Reads a document from `from` on and cuts it into pieces. Ends early when cancelled, or when nobody takes them.
pub fn read(
    document: &ExportDocument,
    from: u64,
    cancel: &AtomicBool,
    out: &SyncSender<DocumentPieces>,
) -> Result<(), super::ArchiveError> {
    let mut file = document.section.open(from)?;
    let mut cutter = Cutter::new(document.form, from);
    let mut chunk = vec![0; CHUNK];
    let mut at = from;
    while !cancel.load(Ordering::Relaxed) {
        let mut pieces = DocumentPieces::default();
        let read = file.read(&mut chunk);
        let is_end = !matches!(read, Ok(1..));
        if let Ok(read) = read {
            at += read as u64;
            cutter.feed(chunk.get(..read).unwrap_or_default(), &mut pieces);
        } else {
            pieces.list.push(DocumentPiece::Broken {
                offset: at,
                why: "the rest of the file cannot be read",
            });
        }
        if is_end {
            let is_complete = cutter.finish(&mut pieces) && !document.section.is_cut;
            pieces.list.push(DocumentPiece::End { is_complete });
        }
        pieces.read = at;
        if out.send(pieces).is_err() || is_end {
            break;
        }
    }
    Ok(())
}

/// Cuts a document of either form.
enum Cutter {
    Json(Box<Scanner>),
    Lines { line: Vec<u8>, at: u64 },
}

impl Cutter {
    fn new(form: DocumentForm, from: u64) -> Self {
        match form {
            DocumentForm::Lines => Self::Lines { line: Vec::new(), at: from },
            DocumentForm::Json if from > 0 => Self::Json(Box::new(Scanner::at_conversation(from))),
            DocumentForm::Json => Self::Json(Box::default()),
        }
    }

    fn feed(&mut self, chunk: &[u8], pieces: &mut DocumentPieces) {
        match self {
            Self::Json(scanner) => scanner.feed(chunk, &mut |found| pieces.take(found)),
            Self::Lines { line, at } => {
                for part in chunk.split_inclusive(|b| *b == b'\n') {
                    line.extend_from_slice(part);
                    if part.ends_with(b"\n") {
                        end_line(line, at, pieces);
                    }
                }
            }
        }
    }

    fn finish(&mut self, pieces: &mut DocumentPieces) -> bool {
        match self {
            Self::Json(scanner) => scanner.finish(&mut |found| pieces.take(found)),
            Self::Lines { line, at } => {
                end_line(line, at, pieces);
                true
            }
        }
    }
}

fn end_line(line: &mut Vec<u8>, at: &mut u64, pieces: &mut DocumentPieces) {
    let offset = *at;
    *at += line.len() as u64;
    if !line.iter().all(u8::is_ascii_whitespace) {
        let text = pieces.keep(line);
        pieces.list.push(DocumentPiece::Line { text, offset });
    }
    line.clear();
}

/// A part of a document that is ready to be stored.
pub struct DecodedPart {
    pub batch: ArchiveBatch,
    pub report: ImportReport,
    /// Bytes of the document that were read.
    pub read: u64,
    /// The end of the document was reached, and the document was complete.
    pub is_complete: bool,
}

/// The conversation that is being read.
#[derive(Default)]
struct CurrentChat {
    id: Option<ConversationId>,
    /// Until the id is known.
    provisional: Option<ConversationId>,
    offset: u64,
    range: Option<(Point, Point)>,
}

impl CurrentChat {
    fn id(&self) -> Option<&ConversationId> {
        self.id.as_ref().or(self.provisional.as_ref())
    }
}

/// Decodes pieces into batches.
pub struct ArchiveDecoder {
    me: UserId,
    chat: CurrentChat,
    people: People,
    batch: ArchiveBatch,
    bytes: usize,
    report: ImportReport,
    /// The conversations of lines, each of which repeats its conversation.
    named: std::collections::HashSet<ConversationId>,
}

impl ArchiveDecoder {
    /// `me` is the owner, if known.
    pub fn new(me: Option<UserId>) -> Self {
        Self {
            me: me.unwrap_or_else(|| UserId::new("")),
            chat: CurrentChat::default(),
            people: People::default(),
            batch: ArchiveBatch::default(),
            bytes: 0,
            report: ImportReport::default(),
            named: std::collections::HashSet::new(),
        }
    }

    /// Decodes until no more pieces come, or nobody takes the result.
    pub fn run(mut self, pieces: &Receiver<DocumentPieces>, out: &SyncSender<DecodedPart>) {
        let (mut read, mut is_complete) = (0, false);
        while let Ok(part) = pieces.recv() {
            read = part.read;
            let bytes = |range: &Range<usize>| part.bytes.get(range.clone()).unwrap_or_default();
            for piece in &part.list {
                match piece {
                    DocumentPiece::Document(json) => self.document(bytes(json)),
                    DocumentPiece::Conversation { offset } => {
                        self.chat = CurrentChat { offset: *offset, ..CurrentChat::default() };
                    }
                    DocumentPiece::Head { json, is_last, has_list } => {
                        self.head(bytes(json), *is_last, *has_list);
                    }
                    DocumentPiece::Message { json, offset } => self.message(bytes(json), *offset),
                    DocumentPiece::Line { text, offset } => self.line(bytes(text), *offset),
                    DocumentPiece::Broken { offset, why } => self.unreadable(*offset, why),
                    DocumentPiece::End { is_complete: complete } => is_complete = *complete,
                }
                if (self.batch.messages.len() >= BATCH || self.bytes >= BATCH_BYTES)
                    && out.send(self.part(read, false)).is_err()
                {
                    return;
                }
            }
        }
        self.end_chat(false);
        // The writer may be gone after an error of the store.
        let _ = out.send(self.part(read, is_complete));
    }

    fn part(&mut self, read: u64, is_complete: bool) -> DecodedPart {
        let mut batch = std::mem::take(&mut self.batch);
        batch.names = self.people.take_changed();
        batch.resume_at = self.chat.offset;
        batch.decoder = decode::DECODER_VERSION;
        self.bytes = 0;
        DecodedPart { batch, report: std::mem::take(&mut self.report), read, is_complete }
    }

    fn unreadable(&mut self, offset: u64, why: &'static str) {
        let chat = self.chat.id.as_ref().map(|id| SafeText::line(id.as_str()));
        self.report.unreadable(chat, offset, why);
    }

    fn document(&mut self, json: &[u8]) {
        if let Some(owner) = head::owner(json).filter(|owner| *owner != self.me) {
            self.own(owner);
        }
    }

    fn own(&mut self, owner: UserId) {
        self.me = owner.clone();
        self.batch.owner = Some(owner);
    }

    fn head(&mut self, json: &[u8], is_last: bool, has_list: bool) {
        let Some(head) = head::read(json) else {
            if is_last {
                self.unreadable(self.chat.offset, "the conversation has no id");
                self.end_chat(true);
            }
            return;
        };
        // A list of messages alone looks like a list of conversations, but the ids of conversations are not numbers.
        let is_number = head.raw.id.as_str().bytes().all(|b| b.is_ascii_digit());
        if is_last && !has_list && is_number {
            self.chat.id = None;
            self.message(json, self.chat.offset);
            return;
        }
        if let Some(old) = self.chat.provisional.take() {
            self.batch.renamed.push((old, head.raw.id.clone()));
        }
        self.chat.id = Some(head.raw.id.clone());
        if !is_last {
            return;
        }
        self.report.conversations += 1;
        self.put_head(head);
        self.end_chat(true);
    }

    fn put_head(&mut self, head: ArchiveHead) {
        if let Some((peer, name)) = &head.peer {
            self.people.learn(peer, NameSource::Message, Timestamp(i64::MAX), name);
        }
        self.bytes += head.raw.json.len();
        self.batch.conversations.push((head.raw, head.thread_json));
    }

    /// The messages of a conversation have been read; all of them if it is complete.
    fn end_chat(&mut self, is_complete: bool) {
        let chat = std::mem::take(&mut self.chat);
        self.chat.offset = chat.offset;
        if let (Some(id), Some((lo, hi))) = (chat.id(), chat.range) {
            self.batch.coverage.push((id.clone(), imported_range(lo, hi, is_complete)));
        }
    }

    fn message(&mut self, json: &[u8], offset: u64) {
        if self.chat.id().is_none() && item::read(json, None).is_err() {
            let id = format!("unknown:{}", self.chat.offset);
            self.chat.provisional = Some(id.into());
        }
        match item::read(json, self.chat.id()) {
            Ok(raw) => self.put(raw),
            Err(why) => self.unreadable(offset, why),
        }
    }

    fn put(&mut self, mut raw: RawMessage) {
        if decode::typing(&raw).is_some() {
            self.report.signals += 1;
            return;
        }
        match &self.chat.id {
            Some(id) => raw.conversation = id.clone(),
            None if self.chat.provisional.is_none() => {
                self.chat.id = Some(raw.conversation.clone());
            }
            None => {}
        }
        if raw.sender.as_str().is_empty()
            && let Some(sender) = item::sender_by_name(&raw)
        {
            raw.sender = sender;
        }
        let message = decode::message(&raw, &self.me);
        for (id, source, name) in decode::names(&raw) {
            self.people.learn(&id, source, raw.at, &name);
        }
        let point = Point::from(&raw.key());
        let (lo, hi) = self.chat.range.unwrap_or((point, point));
        self.chat.range = Some((lo.min(point), hi.max(point)));
        self.report.saw(raw.at);
        self.bytes += raw.json.len() * 2;
        let index = decode::indexed(&message);
        let folded = folded(&index.text);
        self.batch.messages.push(ArchiveMessage { raw, index, folded });
    }

    /// A line of `skchat export`.
    fn line(&mut self, text: &[u8], offset: u64) {
        let line = match lines::read(&String::from_utf8_lossy(text)) {
            Ok(line) => line,
            Err(why) => return self.unreadable(offset, why),
        };
        if let Some(owner) = line.owner.filter(|owner| *owner != self.me) {
            self.own(owner);
        }
        if self.chat.id.as_ref() != Some(&line.conversation) {
            self.end_chat(true);
            self.chat.id = Some(line.conversation.clone());
        }
        if self.named.insert(line.conversation.clone()) {
            self.report.conversations += 1;
            let name = line.conversation_name.as_deref();
            if let Some(head) = head::of_name(&line.conversation, name) {
                self.put_head(head);
            }
        }
        for json in &line.items {
            self.message(json.as_bytes(), offset);
        }
        if let Some(name) = &line.from_name {
            self.people.learn(&line.from, NameSource::Member, Timestamp(0), &SafeText::line(name));
        }
        // Lines are complete ones: an import continues after the last that was stored.
        self.chat.offset = offset;
    }
}
