//! Strings, numbers, and what is between them.

use super::{Expect, Lexeme, ScanPlace, Scanner, Sink};

/// Keys that matter are not longer than this.
const MAX_KEY: usize = 24;
/// Deeper nesting counts as damage.
const MAX_DEPTH: usize = 1_000_000;

impl Scanner {
    /// Inside a string; returns the number of bytes that were read.
    pub(super) fn text(&mut self, rest: &[u8], is_key: bool, escaped: bool) -> usize {
        if escaped {
            self.lexeme = Lexeme::Text { is_key, escaped: false };
            return 1;
        }
        let end = memchr::memchr2(b'"', b'\\', rest);
        if is_key && self.nested.is_empty() && self.key.len() < MAX_KEY {
            let part = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
            self.key.extend(part.iter().take(MAX_KEY));
        }
        match end.map(|end| (end, rest.get(end))) {
            Some((end, Some(b'"'))) => {
                self.lexeme = Lexeme::Between;
                self.expect = if is_key { Expect::Colon } else { Expect::CommaOrEnd };
                end + 1
            }
            Some((end, _)) => {
                self.lexeme = Lexeme::Text { is_key, escaped: true };
                end + 1
            }
            None => rest.len(),
        }
    }

    /// Inside a number or a word such as `null`.
    pub(super) fn scalar(&mut self, rest: &[u8]) -> usize {
        let is_end =
            |b: &u8| matches!(b, b',' | b']' | b'}' | b'"' | b'{' | b'[' | b':' | 0..=b' ');
        let end = rest.iter().position(is_end);
        if end.is_some() {
            self.lexeme = Lexeme::Between;
            self.expect = Expect::CommaOrEnd;
        }
        end.unwrap_or(rest.len())
    }

    /// Between two lexemes; returns the number of bytes that were read.
    pub(super) fn between(
        &mut self,
        chunk: &[u8],
        at: usize,
        from: &mut usize,
        sink: Sink<'_>,
    ) -> usize {
        let Some(byte) = chunk.get(at).copied() else { return 1 };
        let wants_value = self.expect == Expect::Value;
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' => {}
            // A byte order mark.
            0xef | 0xbb | 0xbf if self.place == ScanPlace::Outside => {}
            b'"' if wants_value || self.expect == Expect::Key => {
                let is_key = self.expect == Expect::Key;
                if is_key && self.nested.is_empty() {
                    self.key.clear();
                }
                self.lexeme = Lexeme::Text { is_key, escaped: false };
            }
            b':' if self.expect == Expect::Colon => self.expect = Expect::Value,
            b',' if self.expect == Expect::CommaOrEnd => self.comma(at - *from),
            b'{' | b'[' if wants_value && self.nested.len() < MAX_DEPTH => {
                self.open(byte == b'{', chunk, at, from, sink);
            }
            // A comma is missing between two messages.
            b'{' if self.place == ScanPlace::Messages => self.open(true, chunk, at, from, sink),
            b'}' | b']' if self.expect != Expect::Colon && self.ends(byte == b'}') => {
                self.close(chunk, at, from, sink);
            }
            b'{' | b'}' | b'[' | b']' | b',' | b':' | b'"' => {
                return self.lose(chunk, at, *from, sink);
            }
            _ if wants_value && self.place != ScanPlace::Outside => self.lexeme = Lexeme::Scalar,
            _ => return self.lose(chunk, at, *from, sink),
        }
        1
    }

    /// Whether this bracket ends the innermost container.
    fn ends(&self, is_object: bool) -> bool {
        self.place != ScanPlace::Outside && self.in_object() == is_object
    }

    /// A field or element ends; `kept` bytes of the chunk belong to it and to what precedes it.
    fn comma(&mut self, kept: usize) {
        self.expect = if self.in_object() { Expect::Key } else { Expect::Value };
        if !self.nested.is_empty() {
            return;
        }
        match self.place {
            ScanPlace::Document => self.document.complete = self.document.bytes.len() + kept,
            ScanPlace::Conversation => self.head.complete = self.head.bytes.len() + kept,
            _ => {}
        }
    }
}
