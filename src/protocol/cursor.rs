//! Reads JSON value by value, so that each item of a long list is scanned once: one pass finds its end and reads it.

use serde::Deserialize;
use serde::de::IgnoredAny;

/// JSON that has not been read yet. Methods that return an `Option` return `None` if the text is not JSON.
pub(super) struct Cursor<'a> {
    rest: &'a str,
}

impl<'a> Cursor<'a> {
    pub fn new(json: &'a str) -> Self {
        Self { rest: json }
    }

    fn skip_spaces(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
    }

    pub fn is_at(&mut self, sign: char) -> bool {
        self.skip_spaces();
        self.rest.starts_with(sign)
    }

    fn take(&mut self, sign: char) -> bool {
        self.skip_spaces();
        let rest = self.rest.strip_prefix(sign);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    pub fn is_at_end(&mut self) -> bool {
        self.skip_spaces();
        self.rest.is_empty()
    }

    /// Reads the next value and returns it with its text. `None` if it is not JSON or not a `T`; then the cursor stays
    /// where it is.
    pub fn value<T: Deserialize<'a>>(&mut self) -> Option<(&'a str, T)> {
        self.skip_spaces();
        let mut json = serde_json::Deserializer::from_str(self.rest);
        let value = T::deserialize(&mut json).ok()?;
        Some((self.pass(json)?, value))
    }

    /// [`Cursor::value`] for a large type: passes a reference to the value on, so that it is not moved.
    pub fn with_value<T: Deserialize<'a>, R>(
        &mut self,
        with: impl FnOnce(&'a str, &T) -> R,
    ) -> Option<R> {
        self.skip_spaces();
        let mut json = serde_json::Deserializer::from_str(self.rest);
        let read = T::deserialize(&mut json);
        let value = read.as_ref().ok()?;
        Some(with(self.pass(json)?, value))
    }

    /// Moves past the value that `json` has read, and returns its text.
    fn pass<R: serde_json::de::Read<'a>>(
        &mut self,
        json: serde_json::Deserializer<R>,
    ) -> Option<&'a str> {
        let read = json.into_iter::<IgnoredAny>().byte_offset();
        let (text, rest) = self.rest.split_at_checked(read)?;
        self.rest = rest;
        Some(text)
    }

    pub fn skip_value(&mut self) -> Option<()> {
        self.value::<IgnoredAny>().map(drop)
    }

    /// Reads an object. `member` is called with each name and has to read the value.
    pub fn object(&mut self, mut member: impl FnMut(&str, &mut Self) -> Option<()>) -> Option<()> {
        self.take('{').then_some(())?;
        if self.take('}') {
            return Some(());
        }
        loop {
            let name = self.is_at('"').then(|| self.value::<super::lenient::Text<'a>>())??.1;
            self.take(':').then_some(())?;
            member(name.as_str(), self)?;
            if !self.take(',') {
                return self.take('}').then_some(());
            }
        }
    }

    /// Reads a list. `item` is called for each item and has to read it.
    pub fn list(&mut self, mut item: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        self.take('[').then_some(())?;
        if self.take(']') {
            return Some(());
        }
        loop {
            item(self)?;
            if !self.take(',') {
                return self.take(']').then_some(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The JSON of each item of the list `a`, if all of it is JSON.
    fn items(json: &str) -> Option<Vec<&str>> {
        let mut cursor = Cursor::new(json);
        let mut items = Vec::new();
        cursor.object(|name, value| {
            if name != "a" {
                return value.skip_value();
            }
            value.list(|item| {
                let (text, _) = item.value::<IgnoredAny>()?;
                items.push(text);
                Some(())
            })
        })?;
        cursor.is_at_end().then_some(items)
    }

    #[test]
    fn items_are_read_in_their_place_wherever_they_stand() {
        assert_eq!(items("{}"), Some(vec![]));
        assert_eq!(items(r#" { "a" : [ ] } "#), Some(vec![]));
        let json =
            "{\"x\":{\"a\":[7]},\n\"\\u0061\": [1, \"]\\\"\",\t{\"b\":[{}]} , -2.5e3],\"y\":null}";
        assert_eq!(items(json), Some(vec!["1", r#""]\"""#, r#"{"b":[{}]}"#, "-2.5e3"]));
    }

    #[test]
    fn invalid_json_reads_as_nothing() {
        let broken = [
            "",
            "[]",
            "{",
            r#"{"a""#,
            r#"{"a":[1"#,
            r#"{"a":[1,]}"#,
            r#"{"a":[1]"#,
            r#"{"a":[1],}"#,
            r#"{"a":[1 2]}"#,
            r#"{"a" [1]}"#,
            r"{a:[1]}",
            r#"{"a":[1]}}"#,
            r#"{"a":[1]} x"#,
            r#"{"a":[tru]}"#,
            r"{,}",
            r#"{"a":[,]}"#,
        ];
        for json in broken {
            assert_eq!(items(json), None, "{json}");
            assert!(serde_json::from_str::<serde_json::Map<_, serde_json::Value>>(json).is_err());
        }
    }
}
