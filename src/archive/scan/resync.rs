//! Finds the next beginning of a message or conversation after damage: an object whose first field is `id`, as in every
//! export that was seen. The id of a message is digits only.

/// Longer ids do not occur.
const MAX_ID: usize = 256;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Match {
    Message,
    Conversation,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    #[default]
    Brace,
    /// This many bytes of `"id"` have been read.
    Key(u8),
    Colon,
    Value,
    Text,
    Number,
}

/// A search that may span several chunks.
#[derive(Default)]
pub struct Resync {
    stage: Stage,
    beginning: Vec<u8>,
    only_digits: bool,
}

impl Resync {
    /// Reads until a beginning is complete, up to and including its id. Returns the number of bytes that were read.
    pub fn search(&mut self, bytes: &[u8]) -> (usize, Option<Match>) {
        let mut at = 0;
        while let Some(byte) = bytes.get(at).copied() {
            if self.stage == Stage::Brace && byte != b'{' {
                let Some(next) = memchr::memchr(b'{', bytes.get(at..).unwrap_or_default()) else {
                    return (bytes.len(), None);
                };
                at += next;
                continue;
            }
            if self.stage == Stage::Number && !byte.is_ascii_digit() {
                return (at, Some(Match::Message));
            }
            at += 1;
            if let Some(found) = self.step(byte) {
                return (at, Some(found));
            }
        }
        (at, None)
    }

    /// The bytes of the beginning.
    pub fn take(&mut self) -> Vec<u8> {
        self.stage = Stage::Brace;
        std::mem::take(&mut self.beginning)
    }

    fn step(&mut self, byte: u8) -> Option<Match> {
        let is_blank = byte.is_ascii_whitespace();
        let next = match self.stage {
            Stage::Brace if byte == b'{' => Some(Stage::Key(0)),
            Stage::Key(0) | Stage::Colon | Stage::Value if is_blank => Some(self.stage),
            Stage::Key(n) if b"\"id\"".get(usize::from(n)) == Some(&byte) => {
                Some(if n == 3 { Stage::Colon } else { Stage::Key(n + 1) })
            }
            Stage::Colon if byte == b':' => Some(Stage::Value),
            Stage::Value if byte == b'"' => Some(Stage::Text),
            Stage::Value if byte.is_ascii_digit() => Some(Stage::Number),
            Stage::Text if byte == b'"' => {
                self.beginning.push(byte);
                let is_message = self.only_digits;
                return Some(if is_message { Match::Message } else { Match::Conversation });
            }
            Stage::Text if byte >= b' ' && byte != b'\\' => Some(Stage::Text),
            Stage::Number => Some(Stage::Number),
            _ => None,
        };
        if let Some(next) = next.filter(|_| self.beginning.len() < MAX_ID) {
            let is_id = self.stage == Stage::Text;
            self.only_digits = !is_id || (self.only_digits && byte.is_ascii_digit());
            self.stage = next;
            self.beginning.push(byte);
            return None;
        }
        self.take();
        if byte == b'{' {
            self.stage = Stage::Key(0);
            self.beginning.push(byte);
        }
        None
    }
}
