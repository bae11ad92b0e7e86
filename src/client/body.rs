//! The body of an answer as it is read, within limits that count after decompression.
//!
//! An item of a list that is larger than any item should be is left out while the rest is read: one such message must
//! not make a whole page unreadable. It is replaced by `null`, which every reader of lists skips.

/// No answer may be larger than this, without the items that were left out.
const MAX_REPLY: usize = 8 * 1024 * 1024;
/// The largest item of a list that is kept.
const MAX_ITEM: usize = 4 * 1024 * 1024;
/// No more than this is read, whatever is left out of it.
const MAX_READ: usize = 64 * 1024 * 1024;

/// The answer is larger than it may be.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooLarge;

/// Follows the brackets of JSON; anything that is not JSON passes through unchanged.
#[derive(Default)]
pub(super) struct ReplyBody {
    kept: Vec<u8>,
    read: usize,
    depth: usize,
    in_string: bool,
    after_backslash: bool,
    /// The outermost value is an object, and the value inside it a list.
    in_object: bool,
    in_list: bool,
    /// Where the item that is being read began.
    item: Option<usize>,
    leaves_out: bool,
}

impl ReplyBody {
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<(), TooLarge> {
        self.read += bytes.len();
        if self.read > MAX_READ {
            return Err(TooLarge);
        }
        for byte in bytes {
            self.push_byte(*byte);
        }
        if self.kept.len() > MAX_REPLY { Err(TooLarge) } else { Ok(()) }
    }

    fn push_byte(&mut self, byte: u8) {
        let ends_item = self.follow(byte);
        if !self.leaves_out {
            self.kept.push(byte);
        }
        if let Some(start) = self.item
            && !self.leaves_out
            && self.kept.len() - start > MAX_ITEM
        {
            self.kept.truncate(start);
            self.leaves_out = true;
        }
        if ends_item {
            if self.leaves_out {
                self.kept.extend_from_slice(b"null");
            }
            self.leaves_out = false;
            self.item = None;
        }
    }

    /// Notes what a byte opens or closes. True when it is the last one of a list's item.
    fn follow(&mut self, byte: u8) -> bool {
        if self.in_string {
            self.in_string = self.after_backslash || byte != b'"';
            self.after_backslash = byte == b'\\' && !self.after_backslash;
            return false;
        }
        match byte {
            b'"' => self.in_string = true,
            b'{' | b'[' => {
                match self.depth {
                    0 => self.in_object = byte == b'{',
                    1 => self.in_list = byte == b'[',
                    2 if self.in_object && self.in_list => self.item = Some(self.kept.len()),
                    _ => {}
                }
                self.depth += 1;
            }
            b'}' | b']' => {
                self.depth = self.depth.saturating_sub(1);
                return self.depth == 2 && self.item.is_some();
            }
            _ => {}
        }
        false
    }

    /// The body as text. Bytes that are not UTF-8, and halves of a surrogate pair, become replacement characters: this
    /// costs one character each and not the item that contains them.
    pub(super) fn into_text(mut self) -> String {
        replace_lone_surrogates(&mut self.kept);
        let bytes = self.kept.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&self.kept);
        String::from_utf8_lossy(bytes).into_owned()
    }
}

/// Replaces `\ud8xx` without its other half in JSON, which readers of JSON refuse.
fn replace_lone_surrogates(json: &mut [u8]) {
    let mut at = 0;
    while let Some(found) = json.get(at..).and_then(|rest| rest.iter().position(|b| *b == b'\\')) {
        at += found;
        at += match (surrogate(json, at), surrogate(json, at + 6)) {
            (Some(0xD800..=0xDBFF), Some(0xDC00..=0xDFFF)) => 12,
            (Some(_), _) => {
                if let Some(escape) = json.get_mut(at..at + 6) {
                    escape.copy_from_slice(b"\\ufffd");
                }
                6
            }
            (None, _) => 2,
        };
    }
}

/// The surrogate that is escaped at this place.
fn surrogate(json: &[u8], at: usize) -> Option<u32> {
    let escape = json.get(at..at + 6)?.strip_prefix(b"\\u")?;
    let value = u32::from_str_radix(std::str::from_utf8(escape).ok()?, 16).ok()?;
    (0xD800..=0xDFFF).contains(&value).then_some(value)
}

/// Whether the JSON of an answer ends too early.
pub(super) fn is_cut_off(body: &str) -> bool {
    let body = body.trim();
    let ends = |open, close| body.starts_with(open) && !body.ends_with(close);
    ends('{', '}') || ends('[', ']')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(chunks: &[&[u8]]) -> Result<String, TooLarge> {
        let mut body = ReplyBody::default();
        for chunk in chunks {
            body.push(chunk)?;
        }
        Ok(body.into_text())
    }

    #[test]
    fn what_is_small_stays_as_it_is() {
        for text in [
            "",
            "<html>{[</html>",
            "{\"a\":[{\"b\":\"\\\"]}\"},{}],\"c\":{}}",
            "[[{}]]",
            "}}]",
            "\"é\"",
        ] {
            assert_eq!(read(&[text.as_bytes()]).as_deref(), Ok(text));
            let bytes: Vec<&[u8]> = text.as_bytes().chunks(1).collect();
            assert_eq!(read(&bytes).as_deref(), Ok(text), "byte by byte");
        }
    }

    #[test]
    fn half_a_surrogate_pair_costs_one_character() {
        for (json, expected) in [
            (r#"["a\ud800b"]"#, "a\u{fffd}b"),
            (r#"["\uDC00"]"#, "\u{fffd}"),
            (r#"["\ud83d\ude42"]"#, "\u{1f642}"),
            (r#"["\ud83d\ud83d\ude42"]"#, "\u{fffd}\u{1f642}"),
            (r#"["\ud800\n\ud800"]"#, "\u{fffd}\n\u{fffd}"),
            (r#"["\\ud800"]"#, "\\ud800"),
        ] {
            let text = read(&[json.as_bytes()]).unwrap();
            let list: Vec<String> = serde_json::from_str(&text).unwrap();
            assert_eq!(list, [expected], "{json}");
        }
        for odd in ["[\"\\", "[\"\\u", "[\"\\ud8", "\\ud800"] {
            assert_eq!(read(&[odd.as_bytes()]).unwrap().len(), odd.len(), "{odd}");
        }
        assert_eq!(read(&[b"\xef\xbb\xbf{}"]).as_deref(), Ok("{}"));
    }

    #[test]
    fn an_item_that_is_too_large_is_left_out_and_the_others_stay() {
        let large = "x".repeat(MAX_ITEM);
        let many = "{\"y\":[1]},".repeat(MAX_ITEM / 8);
        for item in [
            format!("{{\"id\":\"2\",\"content\":\"{large}\\\"}}]\"}}"),
            format!("{{\"z\":[{many}{{}}]}}"),
        ] {
            let text = format!(
                "{{\"_metadata\":{{}},\"messages\":[{{\"id\":\"1\"}},{item},{{\"id\":\"3\"}}],\"n\":3}}"
            );
            let expected =
                "{\"_metadata\":{},\"messages\":[{\"id\":\"1\"},null,{\"id\":\"3\"}],\"n\":3}";
            assert_eq!(read(&[text.as_bytes()]).as_deref(), Ok(expected));
        }
    }

    #[test]
    fn what_is_too_large_without_an_item_to_leave_out_is_refused() {
        let spaces = vec![b' '; MAX_REPLY + 1];
        assert_eq!(read(&[&spaces]), Err(TooLarge));
        let item = format!("{{\"c\":\"{}\"}},", "x".repeat(MAX_ITEM - 100));
        let list = format!("{{\"messages\":[{item}{item}{item}");
        assert_eq!(read(&[list.as_bytes()]), Err(TooLarge));
        let endless = vec![b'x'; 1024 * 1024];
        let mut chunks: Vec<&[u8]> = vec![b"{\"messages\":[{\"c\":\""];
        chunks.extend(std::iter::repeat_n(endless.as_slice(), 65));
        assert_eq!(read(&chunks), Err(TooLarge));
    }
}
