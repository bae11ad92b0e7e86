//! Makes text unreadable, by type: everything that is serialised as a string or a character is scrambled, except for
//! names of variants and fields. So nothing that was typed or received remains.

use crate::model::ConversationId;
use crate::model::text::cluster_width;
use serde::de::DeserializeOwned;
use serde::ser::{self, Serialize};
use serde_json::{Map, Value};
use std::cell::Cell;

/// Scrambles with a key: equal strings stay equal, so that ids still refer to the same things.
pub struct Redactor {
    key: u64,
    /// A counter for typed letters, which would otherwise always become the same one.
    typed: Cell<u64>,
}

impl Redactor {
    pub fn new(key: u64) -> Self {
        Self { key, typed: Cell::new(0) }
    }

    /// The same value with its text scrambled.
    ///
    /// # Errors
    /// When the value cannot be serialised or read back.
    pub fn turn<T: Serialize + DeserializeOwned>(&self, value: &T) -> Result<T, String> {
        let scrambled = value.serialize(Scrambling { redactor: self, what: What::Text });
        let scrambled = scrambled.map_err(|e: serde_json::Error| e.to_string())?;
        serde_json::from_value(scrambled).map_err(|e| e.to_string())
    }

    /// Scrambles text; an address stays recognisable as one.
    fn text(&self, text: &str) -> String {
        let schemes = ["https://", "http://", "mailto:"];
        let head = schemes.into_iter().find(|scheme| text.starts_with(scheme)).unwrap_or_default();
        self.scrambled(head, text.strip_prefix(head).unwrap_or(text), "")
    }

    /// Scrambles an id; its kind stays recognisable.
    fn id(&self, id: &str) -> String {
        if id == ConversationId::NOTES {
            return id.to_owned();
        }
        let digits = id.bytes().take_while(u8::is_ascii_digit).count();
        let (head, rest) = match id.as_bytes().get(digits) {
            Some(b':') if (1..=2).contains(&digits) => id.split_at(digits + 1),
            _ => ("", id),
        };
        match rest.find('@') {
            Some(at) if head == "19:" => {
                let (rest, tail) = rest.split_at(at);
                let known = [
                    "@thread.skype",
                    "@thread.v2",
                    "@thread.tacv2",
                    "@unq.gbl.spaces",
                    "@oneToOne.skype",
                ];
                let tail =
                    known.into_iter().find(|known| *known == tail).unwrap_or("@thread.skype");
                self.scrambled(head, rest, tail)
            }
            _ => self.scrambled(head, rest, ""),
        }
    }

    fn scrambled(&self, head: &str, text: &str, tail: &str) -> String {
        let rest = text;
        let mut state = text.bytes().fold(self.key, |h, b| mix(h ^ u64::from(b)));
        let mut out = head.to_owned();
        for c in rest.chars() {
            state = mix(state);
            out.push(other(c, state));
        }
        out.push_str(tail);
        out
    }

    fn letter(&self, c: char) -> char {
        self.typed.set(self.typed.get() + 1);
        other(c, mix(self.key ^ mix(self.typed.get())))
    }
}

fn mix(mut n: u64) -> u64 {
    n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    n ^ (n >> 31)
}

/// Another character of the same kind and width.
fn other(c: char, random: u64) -> char {
    let of = |from: char, count: u32| {
        char::from_u32(u32::from(from) + u32::try_from(random % u64::from(count)).unwrap_or(0))
            .unwrap_or(from)
    };
    match c {
        'a'..='z' => of('a', 26),
        'A'..='Z' => of('A', 26),
        '0'..='9' => of('0', 10),
        '\u{5D0}'..='\u{5EA}' => of('\u{5D0}', 22),
        '\u{627}'..='\u{64A}' => 'ب',
        _ if c.is_alphabetic() => match cluster_width(c.encode_utf8(&mut [0; 4])) {
            2 => of('一', 100),
            1 if c.is_uppercase() => 'Ä',
            1 => 'ä',
            _ => c,
        },
        '\u{660}'..='\u{669}' | '\u{966}'..='\u{96F}' => '9',
        _ => c,
    }
}

/// Serialises anything to a JSON value, with its text scrambled.
#[derive(Clone, Copy)]
struct Scrambling<'a> {
    redactor: &'a Redactor,
    what: What,
}

/// The kind of the next string, by its type.
#[derive(Clone, Copy)]
enum What {
    Text,
    /// The id of a person or a conversation.
    Id,
    /// A random number, which has to stay because a replay generates it again.
    Kept,
}

type Made = Result<Value, serde_json::Error>;

/// A list, a struct, or a variant that holds one, while it is being built.
struct Making<'a> {
    with: Scrambling<'a>,
    variant: Option<&'static str>,
    list: Vec<Value>,
    map: Map<String, Value>,
    key: Option<String>,
    is_map: bool,
}

impl<'a> Making<'a> {
    fn new(with: Scrambling<'a>, variant: Option<&'static str>, is_map: bool) -> Self {
        Self { with, variant, list: Vec::new(), map: Map::new(), key: None, is_map }
    }

    fn push<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<(), serde_json::Error> {
        self.list.push(value.serialize(self.with)?);
        Ok(())
    }

    fn put<T: ?Sized + Serialize>(
        &mut self,
        key: &str,
        value: &T,
    ) -> Result<(), serde_json::Error> {
        self.map.insert(key.to_owned(), value.serialize(self.with)?);
        Ok(())
    }

    #[expect(clippy::unnecessary_wraps, reason = "what serde asks for")]
    fn done(self) -> Made {
        let value = if self.is_map { Value::Object(self.map) } else { Value::Array(self.list) };
        Ok(match self.variant {
            Some(variant) => named(variant, value),
            None => value,
        })
    }
}

fn named(variant: &str, value: Value) -> Value {
    Value::Object(Map::from_iter([(variant.to_owned(), value)]))
}

macro_rules! plain {
    ($($method:ident: $type:ty),*) => {
        $(fn $method(self, value: $type) -> Made {
            serde_json::to_value(value)
        })*
    };
}

impl<'a> ser::Serializer for Scrambling<'a> {
    type Ok = Value;
    type Error = serde_json::Error;
    type SerializeSeq = Making<'a>;
    type SerializeTuple = Making<'a>;
    type SerializeTupleStruct = Making<'a>;
    type SerializeTupleVariant = Making<'a>;
    type SerializeMap = Making<'a>;
    type SerializeStruct = Making<'a>;
    type SerializeStructVariant = Making<'a>;

    plain!(
        serialize_bool: bool, serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64,
        serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64, serialize_f32: f32,
        serialize_f64: f64
    );

    fn serialize_char(self, c: char) -> Made {
        Ok(Value::String(self.redactor.letter(c).to_string()))
    }
    fn serialize_str(self, text: &str) -> Made {
        Ok(Value::String(match self.what {
            What::Text => self.redactor.text(text),
            What::Id => self.redactor.id(text),
            What::Kept => text.to_owned(),
        }))
    }
    fn serialize_bytes(self, _: &[u8]) -> Made {
        Err(ser::Error::custom("bytes are not redacted"))
    }
    fn serialize_none(self) -> Made {
        Ok(Value::Null)
    }
    fn serialize_some<T: ?Sized + Serialize>(self, value: &T) -> Made {
        value.serialize(self)
    }
    fn serialize_unit(self) -> Made {
        Ok(Value::Null)
    }
    fn serialize_unit_struct(self, _: &'static str) -> Made {
        Ok(Value::Null)
    }
    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Made {
        Ok(Value::String(variant.to_owned()))
    }
    fn serialize_newtype_struct<T: ?Sized + Serialize>(
        self,
        name: &'static str,
        value: &T,
    ) -> Made {
        let what = match name {
            "ClientMessageId" => What::Kept,
            "UserId" | "ConversationId" => What::Id,
            _ => What::Text,
        };
        value.serialize(Self { what, ..self })
    }
    fn serialize_newtype_variant<T: ?Sized + Serialize>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Made {
        Ok(named(variant, value.serialize(self)?))
    }
    fn serialize_seq(self, _: Option<usize>) -> Result<Making<'a>, Self::Error> {
        Ok(Making::new(self, None, false))
    }
    fn serialize_tuple(self, _: usize) -> Result<Making<'a>, Self::Error> {
        Ok(Making::new(self, None, false))
    }
    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Making<'a>, Self::Error> {
        Ok(Making::new(self, None, false))
    }
    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Making<'a>, Self::Error> {
        Ok(Making::new(self, Some(variant), false))
    }
    fn serialize_map(self, _: Option<usize>) -> Result<Making<'a>, Self::Error> {
        Ok(Making::new(self, None, true))
    }
    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Making<'a>, Self::Error> {
        Ok(Making::new(self, None, true))
    }
    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Making<'a>, Self::Error> {
        Ok(Making::new(self, Some(variant), true))
    }
}

macro_rules! collects {
    ($($trait:ident $method:ident),*) => {
        $(impl ser::$trait for Making<'_> {
            type Ok = Value;
            type Error = serde_json::Error;
            fn $method<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<(), Self::Error> {
                self.push(value)
            }
            fn end(self) -> Made {
                self.done()
            }
        })*
    };
}

collects!(
    SerializeSeq serialize_element, SerializeTuple serialize_element,
    SerializeTupleStruct serialize_field, SerializeTupleVariant serialize_field
);

macro_rules! records {
    ($($trait:ident),*) => {
        $(impl ser::$trait for Making<'_> {
            type Ok = Value;
            type Error = serde_json::Error;
            fn serialize_field<T: ?Sized + Serialize>(
                &mut self,
                key: &'static str,
                value: &T,
            ) -> Result<(), Self::Error> {
                self.put(key, value)
            }
            fn end(self) -> Made {
                self.done()
            }
        })*
    };
}

records!(SerializeStruct, SerializeStructVariant);

impl ser::SerializeMap for Making<'_> {
    type Ok = Value;
    type Error = serde_json::Error;
    fn serialize_key<T: ?Sized + Serialize>(&mut self, key: &T) -> Result<(), Self::Error> {
        self.key = key.serialize(self.with)?.as_str().map(str::to_owned);
        Ok(())
    }
    fn serialize_value<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<(), Self::Error> {
        let key = self.key.take().unwrap_or_default();
        self.put(&key, value)
    }
    fn end(self) -> Made {
        self.done()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::{Action, ComposeAction, Input};
    use crate::model::text::width;
    use crate::model::{AccountId, ConversationId, Delivery, Delta, Inbound, SafeText, UserId};
    use proptest::prelude::*;

    #[test]
    fn ids_keep_their_kind_and_their_equality_and_say_nothing() {
        let redactor = Redactor::new(7);
        let turn = |id: &str| redactor.turn(&ConversationId::new(id)).unwrap();
        let group = turn("19:ab12@thread.skype");
        assert!(group.as_str().starts_with("19:") && group.as_str().ends_with("@thread.skype"));
        assert_eq!(group, turn("19:ab12@thread.skype"));
        assert!(!group.as_str().contains("ab12"));
        let person = redactor.turn(&UserId::new("8:anna.7")).unwrap();
        assert_eq!(person.as_str(), turn("8:anna.7").as_str());
        assert_eq!(turn("48:notes").as_str(), "48:notes");
    }

    #[test]
    fn what_a_thing_is_stays_and_what_it_says_goes() {
        let redactor = Redactor::new(7);
        let delta = Delta::Delivery {
            conversation: "8:joe.4".into(),
            client_id: "42".into(),
            delivery: Delivery::Failed { reason: SafeText::line("secret 日本"), can_retry: true },
            sent: None,
        };
        let inbound = Inbound { account: AccountId::new("home"), delta };
        let Input::Delta(Inbound { account, delta: Delta::Delivery { client_id, delivery, .. } }) =
            redactor.turn(&Input::Delta(inbound)).unwrap()
        else {
            panic!("another input");
        };
        assert!(!account.as_str().contains("home"), "an account's name is its owner's words");
        assert_eq!(client_id.as_str(), "42");
        let Delivery::Failed { reason, can_retry: true } = delivery else { panic!("another step") };
        assert_eq!(width(&reason), width("secret 日本"));
        assert!(!reason.contains("secret") && !reason.contains('日'), "{reason}");
        let key = Input::Action(Action::Compose(ComposeAction::Insert('x')));
        let typed: Vec<Input> = (0..20).map(|_| redactor.turn(&key).unwrap()).collect();
        assert!(typed.iter().any(|t| t != &typed[0]), "the same key is not always the same letter");
    }

    proptest! {
        #[test]
        fn scrambled_text_is_as_wide_and_as_long_as_before(text in "\\PC{0,40}") {
            let once = SafeText::text(&text);
            let turned = Redactor::new(3).turn(&once).unwrap();
            prop_assert_eq!(width(&turned), width(&once));
            prop_assert_eq!(turned.chars().count(), once.chars().count());
        }
    }
}
