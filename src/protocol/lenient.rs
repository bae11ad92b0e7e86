//! Values that occur in more than one form: number or string, bool or `"true"`, null or missing (facts 3, 7).

use serde::de::{self, Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// A scalar of any JSON type as text. Null, objects and arrays are empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text<'a>(pub Cow<'a, str>);

impl Text<'_> {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `None` when empty.
    pub fn some(&self) -> Option<&str> {
        (!self.0.is_empty()).then_some(&*self.0)
    }

    pub fn number(&self) -> Option<u64> {
        let number = self.0.parse().ok();
        number.or_else(|| self.0.trim().parse().ok())
    }

    /// `true`/`false` in any case; anything else is unknown.
    pub fn flag(&self) -> Option<bool> {
        match self.0.trim() {
            t if t.eq_ignore_ascii_case("true") => Some(true),
            t if t.eq_ignore_ascii_case("false") => Some(false),
            _ => None,
        }
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }
    fn visit_borrowed_str<E>(self, v: &'de str) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Borrowed(v)))
    }
    fn visit_str<E>(self, v: &str) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Owned(v.to_owned())))
    }
    fn visit_u64<E>(self, v: u64) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Owned(v.to_string())))
    }
    fn visit_i64<E>(self, v: i64) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Owned(v.to_string())))
    }
    fn visit_f64<E>(self, v: f64) -> Result<Text<'de>, E> {
        // Times occur as `1622540621409.0`, and long ids in exponent form.
        Ok(Text(Cow::Owned(if v.fract() == 0.0 { format!("{v:.0}") } else { v.to_string() })))
    }
    fn visit_bool<E>(self, v: bool) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Borrowed(if v { "true" } else { "false" })))
    }
    fn visit_unit<E>(self) -> Result<Text<'de>, E> {
        Ok(Text::default())
    }
    fn visit_none<E>(self) -> Result<Text<'de>, E> {
        Ok(Text::default())
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Text<'de>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Text::default())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Text<'de>, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Text::default())
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        d.deserialize_any(TextVisitor)
    }
}

/// A value that is nearly always a string. A value of any other type is skipped, and has to be read in another way.
#[derive(Debug, Default, PartialEq, Eq)]
pub enum MaybeText<'a> {
    /// No value, or null.
    #[default]
    Missing,
    Text(Cow<'a, str>),
    Other,
}

impl MaybeText<'_> {
    pub fn is_other(&self) -> bool {
        matches!(self, Self::Other)
    }
}

struct MaybeTextVisitor;

impl<'de> Visitor<'de> for MaybeTextVisitor {
    type Value = MaybeText<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }
    fn visit_borrowed_str<E>(self, v: &'de str) -> Result<MaybeText<'de>, E> {
        Ok(MaybeText::Text(Cow::Borrowed(v)))
    }
    fn visit_str<E>(self, v: &str) -> Result<MaybeText<'de>, E> {
        Ok(MaybeText::Text(Cow::Owned(v.to_owned())))
    }
    fn visit_u64<E>(self, _: u64) -> Result<MaybeText<'de>, E> {
        Ok(MaybeText::Other)
    }
    fn visit_i64<E>(self, _: i64) -> Result<MaybeText<'de>, E> {
        Ok(MaybeText::Other)
    }
    fn visit_f64<E>(self, _: f64) -> Result<MaybeText<'de>, E> {
        Ok(MaybeText::Other)
    }
    fn visit_bool<E>(self, _: bool) -> Result<MaybeText<'de>, E> {
        Ok(MaybeText::Other)
    }
    fn visit_unit<E>(self) -> Result<MaybeText<'de>, E> {
        Ok(MaybeText::Missing)
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<MaybeText<'de>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(MaybeText::Other)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<MaybeText<'de>, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(MaybeText::Other)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for MaybeText<'a> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        d.deserialize_any(MaybeTextVisitor)
    }
}

/// A struct that may be missing; anything but an object gives the default.
pub fn object_or_default<'de, D, T>(d: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    let raw = <&RawValue>::deserialize(d)?;
    if !raw.get().starts_with('{') {
        return Ok(T::default());
    }
    Ok(serde_json::from_str(raw.get()).unwrap_or_default())
}

/// JSON that may itself be inside a JSON string, even twice.
pub fn unpacked(raw: &str) -> Cow<'_, str> {
    let mut text = Cow::Borrowed(raw);
    for _ in 0..2 {
        if !text.starts_with('"') {
            break;
        }
        text = Cow::Owned(serde_json::from_str(&text).unwrap_or_default());
    }
    text
}

/// The items of a list, to be parsed one by one; `None` for anything but a list.
#[derive(Debug, Default)]
pub struct Items<'a>(pub Option<Vec<&'a RawValue>>);

struct ItemsVisitor;

impl<'de> Visitor<'de> for ItemsVisitor {
    type Value = Items<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Items<'de>, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element::<&RawValue>()? {
            items.push(item);
        }
        Ok(Items(Some(items)))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Items<'de>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Items::default())
    }
    fn visit_str<E>(self, _: &str) -> Result<Items<'de>, E> {
        Ok(Items::default())
    }
    fn visit_u64<E>(self, _: u64) -> Result<Items<'de>, E> {
        Ok(Items::default())
    }
    fn visit_i64<E>(self, _: i64) -> Result<Items<'de>, E> {
        Ok(Items::default())
    }
    fn visit_f64<E>(self, _: f64) -> Result<Items<'de>, E> {
        Ok(Items::default())
    }
    fn visit_bool<E>(self, _: bool) -> Result<Items<'de>, E> {
        Ok(Items::default())
    }
    fn visit_unit<E>(self) -> Result<Items<'de>, E> {
        Ok(Items::default())
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Items<'a> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        d.deserialize_any(ItemsVisitor)
    }
}

/// The items of a list, to be parsed one by one, so that one bad item does not affect the others. Empty if it is not a
/// list.
pub fn items<'de, D>(d: D) -> Result<Vec<&'de RawValue>, D::Error>
where
    D: Deserializer<'de>,
{
    let raw = <&'de RawValue>::deserialize(d)?;
    serde_json::from_str(raw.get()).map_err(de::Error::custom).or_else(|_: D::Error| Ok(Vec::new()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_json_type_reads_as_text() {
        let read = |json: &str| serde_json::from_str::<Text<'_>>(json).unwrap().0.into_owned();
        assert_eq!(read("\"a\\n\""), "a\n");
        assert_eq!(read("1451606400000"), "1451606400000");
        assert_eq!(read("1622540621409.0"), "1622540621409");
        assert_eq!(read("true"), "true");
        assert_eq!(read("null"), "");
        assert_eq!(read("{\"a\":[1]}"), "");
        assert_eq!(read("[1,2]"), "");
    }

    #[test]
    fn only_strings_are_text_and_null_is_missing() {
        for (json, expected) in [
            (r#""plain""#, MaybeText::Text("plain".into())),
            (r#""""#, MaybeText::Text("".into())),
            (r#""a\"b \u00fc\n\\""#, MaybeText::Text("a\"b ü\n\\".into())),
            ("null", MaybeText::Missing),
            ("5", MaybeText::Other),
            ("-5", MaybeText::Other),
            ("5.0", MaybeText::Other),
            ("true", MaybeText::Other),
            (r#"{"a":["b"]}"#, MaybeText::Other),
            (r#"[{"a":"b"},1]"#, MaybeText::Other),
        ] {
            assert_eq!(serde_json::from_str::<MaybeText<'_>>(json).unwrap(), expected, "{json}");
        }
    }

    #[test]
    fn flags_read_as_bool_or_word() {
        let flag = |json: &str| serde_json::from_str::<Text<'_>>(json).unwrap().flag();
        assert_eq!(flag("true"), Some(true));
        assert_eq!(flag("\"False\""), Some(false));
        assert_eq!(flag("\"maybe\""), None);
        assert_eq!(flag("null"), None);
    }
}
