//! The rest of a report that arrives long after its beginning.
//!
//! When a connection stalls inside a report, the beginning is given up, so that no key has to wait for it. The rest
//! would then be typed into the message box. It is recognised here by forms that nobody types all at once.

use super::sequence::{Parsed, SequenceMeaning, Unfinished, parse};
use std::time::{Duration, Instant};

/// How long after its beginning the rest of a report may arrive.
const KEPT: Duration = Duration::from_secs(5);
/// The beginnings, without Esc, of answers that are control strings (DCS, APC).
const STRINGS: [&[u8]; 6] = [b"P>|", b"P0+r", b"P1+r", b"P0$r", b"P1$r", b"_G"];

/// The beginning of a report that was given up.
pub struct GivenUp {
    begun: Vec<u8>,
    /// The kind of report; `None` for a control string, whose bytes are gone.
    what: Option<Unfinished>,
    at: Instant,
}

impl GivenUp {
    pub fn sequence(begun: &[u8], what: Unfinished, at: Instant) -> Self {
        Self { begun: begun.to_vec(), what: Some(what), at }
    }

    pub fn control_string(at: Instant) -> Self {
        Self { begun: Vec::new(), what: None, at }
    }

    /// What to decode in place of the bytes of one read, if they begin with the rest.
    pub fn with_rest(&self, bytes: &[u8], now: Instant) -> Option<Vec<u8>> {
        if now.duration_since(self.at) > KEPT {
            return None;
        }
        let whole = [self.begun.as_slice(), bytes].concat();
        match self.what {
            None => after_string(bytes).map(<[u8]>::to_vec),
            Some(Unfinished::Escape) => is_report(&whole).then_some(whole),
            Some(Unfinished::Sequence) => self.goes_on(bytes).then_some(whole),
        }
    }

    /// Whether the bytes continue the parameters of a sequence, and do not look typed.
    fn goes_on(&self, bytes: &[u8]) -> bool {
        let Some(body) = self.begun.strip_prefix(b"\x1b[") else { return false };
        if body.first() == Some(&b'M') {
            // The oldest form of a mouse report has three bytes of any kind.
            return body.len() + bytes.len() == 4;
        }
        let is_mouse = body.first() == Some(&b'<');
        let is_answer = matches!(body.first(), Some(b'=' | b'>' | b'?'));
        let is_parameter =
            |b: &&u8| (0x30..=0x3f).contains(*b) || (is_answer && (0x20..=0x2f).contains(*b));
        let parameters = bytes.iter().take_while(is_parameter).count();
        match bytes.get(parameters) {
            Some(b'M' | b'm') if is_mouse => true,
            Some(0x40..=0x7e) => !is_mouse && parameters > 0,
            Some(_) => false,
            None => is_mouse && parameters > 1,
        }
    }
}

/// Whether these bytes begin with a report and not with a key. Esc and an introducer may also be typed.
fn is_report(whole: &[u8]) -> bool {
    let Some(body) = whole.strip_prefix(b"\x1b") else { return false };
    if let [b']', digit, rest @ ..] = body {
        let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
        return digit.is_ascii_digit() && rest.get(digits) == Some(&b';');
    }
    if let [b'[', b'<' | b'=' | b'>' | b'?', ..] = body {
        let is_key = |meaning| matches!(meaning, SequenceMeaning::Key(..));
        return matches!(parse(whole), Parsed::Complete(length, meaning) if length > 4 && !is_key(meaning));
    }
    STRINGS.iter().any(|start| body.starts_with(start))
}

/// The bytes after the end of a control string, if it ends in these bytes.
fn after_string(bytes: &[u8]) -> Option<&[u8]> {
    let end = bytes.iter().position(|b| *b < 0x20)?;
    match bytes.get(end..)? {
        [0x1b, b'\\', rest @ ..] => Some(rest),
        // On its own, it is Ctrl-G.
        [0x07, rest @ ..] if end > 0 => Some(rest),
        _ => None,
    }
}
