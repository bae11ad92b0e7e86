//! Cuts the messages out of an export's `messages.json`, in one pass and in constant memory, whatever its size.
//!
//! A JSON parser reads a document completely or not at all. This scanner only follows strings and brackets; each
//! message is parsed alone, so that only a broken one itself is lost. Where even the brackets make no sense, scanning
//! continues at the next thing that begins like a message or a conversation.

mod capture;
mod lexeme;
mod resync;

use capture::Capture;
use resync::{Match, Resync};

/// What the scanner finds, in the order of the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found<'a> {
    /// An object with the document's own fields, as far as known; may come several times.
    Document(&'a [u8]),
    /// A conversation begins at this offset.
    Conversation {
        offset: u64,
    },
    /// An object with the conversation's fields: once before its messages, and again at its end.
    Head {
        json: &'a [u8],
        /// The conversation is over.
        is_last: bool,
        /// It has a list of messages.
        has_list: bool,
    },
    Message {
        json: &'a [u8],
        offset: u64,
    },
    /// Something that cannot be read.
    Broken {
        offset: u64,
        why: &'static str,
    },
}

type Sink<'a> = &'a mut dyn FnMut(Found<'_>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ScanPlace {
    /// Before or after a document.
    Outside,
    Document,
    Conversations,
    Conversation,
    Messages,
    Message,
    /// After damage: looking for the next beginning.
    Lost,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lexeme {
    Between,
    Text { is_key: bool, escaped: bool },
    Scalar,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expect {
    Value,
    Key,
    Colon,
    CommaOrEnd,
}

/// See the module.
pub struct Scanner {
    place: ScanPlace,
    lexeme: Lexeme,
    expect: Expect,
    /// Containers that are open inside the current place; true for objects.
    nested: Vec<bool>,
    key: Vec<u8>,
    /// Where the current chunk begins in the document.
    offset: u64,
    began: Began,
    document: Capture,
    head: Capture,
    message: Capture,
    resync: Resync,
}

/// Where the current conversation and message began, and what encloses them.
#[derive(Default)]
struct Began {
    conversation: u64,
    message: u64,
    /// The current conversation has a list of messages.
    has_list: bool,
    /// The list of messages is in the document itself.
    without_conversation: bool,
    /// The document is a list.
    is_list: bool,
}

impl Default for Scanner {
    fn default() -> Self {
        Self {
            place: ScanPlace::Outside,
            lexeme: Lexeme::Between,
            expect: Expect::Value,
            nested: Vec::new(),
            key: Vec::new(),
            offset: 0,
            began: Began::default(),
            document: Capture::default(),
            head: Capture::default(),
            message: Capture::default(),
            resync: Resync::default(),
        }
    }
}

impl Scanner {
    /// Continues at a conversation that begins at this offset.
    pub fn at_conversation(offset: u64) -> Self {
        Self { place: ScanPlace::Conversations, offset, ..Self::default() }
    }

    /// Takes the next bytes of the document.
    pub fn feed(&mut self, chunk: &[u8], sink: Sink<'_>) {
        let (mut at, mut from) = (0, 0);
        while let Some(rest) = chunk.get(at..).filter(|rest| !rest.is_empty()) {
            at += match (self.place, self.lexeme) {
                (ScanPlace::Lost, _) => self.search(rest, at, &mut from, sink),
                (_, Lexeme::Text { is_key, escaped }) => self.text(rest, is_key, escaped),
                (_, Lexeme::Scalar) => self.scalar(rest),
                (_, Lexeme::Between) => self.between(chunk, at, &mut from, sink),
            };
        }
        self.keep(chunk, from, chunk.len());
        self.offset += chunk.len() as u64;
    }

    /// Ends the document. True if it was complete.
    pub fn finish(&mut self, sink: Sink<'_>) -> bool {
        match self.place {
            ScanPlace::Outside => return self.lexeme == Lexeme::Between,
            ScanPlace::Message => {
                sink(Found::Broken {
                    offset: self.began.message,
                    why: "the export ends in the middle of it",
                });
            }
            ScanPlace::Conversation => self.report_head(false, sink),
            ScanPlace::Document => sink(Found::Document(&self.document.object())),
            ScanPlace::Conversations | ScanPlace::Messages | ScanPlace::Lost => {}
        }
        false
    }

    /// Keeps the bytes of a chunk that belong to the current object.
    fn keep(&mut self, chunk: &[u8], from: usize, to: usize) {
        let Some(bytes) = chunk.get(from..to) else { return };
        match self.place {
            ScanPlace::Document => self.document.add(bytes),
            ScanPlace::Conversation => self.head.add(bytes),
            ScanPlace::Message => self.message.add(bytes),
            ScanPlace::Outside
            | ScanPlace::Conversations
            | ScanPlace::Messages
            | ScanPlace::Lost => {}
        }
    }

    fn in_object(&self) -> bool {
        let own = matches!(
            self.place,
            ScanPlace::Document | ScanPlace::Conversation | ScanPlace::Message
        );
        self.nested.last().copied().unwrap_or(own)
    }

    fn open(&mut self, is_object: bool, chunk: &[u8], at: usize, from: &mut usize, sink: Sink<'_>) {
        self.expect = if is_object { Expect::Key } else { Expect::Value };
        let is_messages = matches!(self.key.as_slice(), b"MessageList" | b"messages");
        let next = match (self.place, is_object) {
            _ if !self.nested.is_empty() => None,
            (ScanPlace::Outside, true) => Some(ScanPlace::Document),
            (ScanPlace::Outside, false) => Some(ScanPlace::Conversations),
            (ScanPlace::Document, false) if self.key == b"conversations" => {
                Some(ScanPlace::Conversations)
            }
            (ScanPlace::Document | ScanPlace::Conversation, false) if is_messages => {
                Some(ScanPlace::Messages)
            }
            (ScanPlace::Conversations, true) => Some(ScanPlace::Conversation),
            (ScanPlace::Messages, true) => Some(ScanPlace::Message),
            _ => None,
        };
        let Some(next) = next else {
            self.nested.push(is_object);
            return;
        };
        self.keep(chunk, *from, at + 1);
        let before = self.place;
        self.place = next;
        // The opening bracket belongs to the kept bytes.
        *from = at;
        match next {
            ScanPlace::Document => self.document.clear(),
            ScanPlace::Conversations => {
                self.began.is_list = before == ScanPlace::Outside;
                if before == ScanPlace::Document {
                    sink(Found::Document(&self.document.object()));
                }
            }
            ScanPlace::Conversation => self.begin_conversation(self.offset + at as u64, sink),
            ScanPlace::Messages => {
                self.began.without_conversation = before == ScanPlace::Document;
                self.began.has_list = true;
                if before == ScanPlace::Conversation {
                    self.report_head(false, sink);
                } else {
                    sink(Found::Document(&self.document.object()));
                }
            }
            _ => {
                self.message.clear();
                self.began.message = self.offset + at as u64;
            }
        }
    }

    fn begin_conversation(&mut self, offset: u64, sink: Sink<'_>) {
        self.head.clear();
        self.began.conversation = offset;
        self.began.has_list = false;
        sink(Found::Conversation { offset });
    }

    /// Reports the conversation's fields; the last time, those after its messages, too.
    fn report_head(&mut self, is_last: bool, sink: Sink<'_>) {
        let (offset, has_list) = (self.began.conversation, self.began.has_list);
        if self.head.is_too_large {
            let why = "the description of the conversation is too large";
            sink(Found::Broken { offset, why });
        } else if is_last {
            sink(Found::Head { json: &self.head.bytes, is_last, has_list });
        } else {
            sink(Found::Head { json: &self.head.object(), is_last, has_list });
        }
    }

    fn close(&mut self, chunk: &[u8], at: usize, from: &mut usize, sink: Sink<'_>) {
        self.expect = Expect::CommaOrEnd;
        if self.nested.pop().is_some() {
            return;
        }
        match self.place {
            ScanPlace::Message => {
                self.end_message(chunk.get(*from..=at).unwrap_or_default(), sink);
                self.place = ScanPlace::Messages;
            }
            ScanPlace::Messages if self.began.without_conversation => {
                self.place = ScanPlace::Document;
            }
            ScanPlace::Messages => self.place = ScanPlace::Conversation,
            ScanPlace::Conversation => {
                self.keep(chunk, *from, at + 1);
                self.report_head(true, sink);
                self.place = ScanPlace::Conversations;
            }
            ScanPlace::Conversations if !self.began.is_list => self.place = ScanPlace::Document,
            ScanPlace::Document => {
                self.keep(chunk, *from, at + 1);
                sink(Found::Document(&self.document.bytes));
                self.leave();
            }
            _ => self.leave(),
        }
        *from = at;
    }

    /// The document is over; another one may follow.
    fn leave(&mut self) {
        self.place = ScanPlace::Outside;
        self.expect = Expect::Value;
    }

    /// Reports a message that ends with these bytes.
    fn end_message(&mut self, last: &[u8], sink: Sink<'_>) {
        let offset = self.began.message;
        if self.message.bytes.is_empty() && !self.message.is_too_large {
            sink(Found::Message { json: last, offset });
            return;
        }
        self.message.add(last);
        if self.message.is_too_large {
            sink(Found::Broken { offset, why: "it is larger than 16 MB" });
        } else {
            sink(Found::Message { json: &self.message.bytes, offset });
        }
    }

    /// The brackets make no sense here: the current byte is looked at again while searching for the next beginning.
    fn lose(&mut self, chunk: &[u8], at: usize, from: usize, sink: Sink<'_>) -> usize {
        let why = "this is not JSON";
        let offset = match self.place {
            ScanPlace::Message => self.began.message,
            ScanPlace::Conversation => self.began.conversation,
            _ => self.offset,
        };
        sink(Found::Broken { offset, why });
        self.resync = Resync::default();
        if self.place == ScanPlace::Message {
            // An unterminated string extends to the first quote of the next message, and swallows its bracket.
            let kept = self.message.bytes.iter().chain(chunk.get(from..at).unwrap_or_default());
            let mut last: Vec<u8> = kept.rev().take(2).copied().collect();
            last.reverse();
            self.resync.search(&last);
        }
        self.place = ScanPlace::Lost;
        self.nested.clear();
        0
    }

    /// Searches for the next beginning of a message or a conversation; returns the number of bytes that were read.
    fn search(&mut self, rest: &[u8], at: usize, from: &mut usize, sink: Sink<'_>) -> usize {
        let (read, found) = self.resync.search(rest);
        let Some(found) = found else { return read };
        *from = at + read;
        let beginning = self.resync.take();
        let offset = (self.offset + *from as u64).saturating_sub(beginning.len() as u64);
        self.lexeme = Lexeme::Between;
        self.expect = Expect::CommaOrEnd;
        match found {
            Match::Message => {
                self.place = ScanPlace::Message;
                self.began.message = offset;
                self.message.clear();
                self.message.add(&beginning);
            }
            Match::Conversation => {
                self.place = ScanPlace::Conversation;
                self.began.without_conversation = false;
                self.begin_conversation(offset, sink);
                self.head.add(&beginning);
            }
        }
        read
    }
}

#[cfg(test)]
mod tests;
