//! Parses `RichText` markup into [`RichText`], for any input and in linear time (facts 4.1).
//!
//! A first pass replaces every `<` that does not start a tag with a placeholder; then quick-xml reads the tags. If that
//! fails, the rest is literal text.

mod builder;
mod emoticon;
mod open_tags;
mod parts;
mod tag;

use super::{entity, tree};
use crate::model::{RichText, UserId};
use builder::Builder;
pub(super) use parts::{css, escape_stray};
use quick_xml::events::Event;
use std::borrow::Cow;
use tag::Tag;
pub(super) use tag::{Meaning, TAGS};

/// The people that numbers in mention tags refer to (`properties.mentions`, facts 4.1), sorted by number.
pub(crate) type MentionedPeople = [(String, UserId)];

/// The person that a number in a mention tag refers to.
pub(super) fn mentioned_person<'a>(
    people: &'a MentionedPeople,
    number: &str,
) -> Option<&'a UserId> {
    let at = people.binary_search_by(|(known, _)| known.as_str().cmp(number)).ok()?;
    people.get(at).map(|(_, who)| who)
}

/// Parses markup. Never fails: in the worst case everything is literal text.
pub fn parse(markup: &str) -> RichText {
    parse_with(markup, &[])
}

/// [`parse`], with the people that numbers in `at` tags refer to.
pub(crate) fn parse_with(markup: &str, mentioned: &MentionedPeople) -> RichText {
    read(markup, Builder::new(mentioned, false))
}

/// Placeholder for a `<` that does not start a tag: a noncharacter, which hardly any text has. For quick-xml it is
/// text, and thousands of them are read as fast as other text, unlike thousands of `&lt;`.
const STRAY: &str = "\u{FDD0}";

/// Text with every placeholder turned back into `<`.
fn with_brackets<'a>(text: &'a str, in_place: &str) -> Cow<'a, str> {
    // The length is compared first, which spares a search for each of a million lone `&`.
    if in_place == STRAY && text.len() >= STRAY.len() && text.contains(STRAY) {
        text.replace(STRAY, "<").into()
    } else {
        text.into()
    }
}

/// Replaces every `<` that does not start a tag with a placeholder. Returns the markup and the placeholder, which is
/// empty if there was no such `<`.
fn without_strays(markup: &str) -> (Cow<'_, str>, &'static str) {
    match escape_stray(markup, STRAY) {
        Cow::Borrowed(markup) => (markup.into(), ""),
        // In a text that already has the placeholder, it would be ambiguous.
        Cow::Owned(_) if markup.contains(STRAY) => (escape_stray(markup, "&lt;"), "&lt;"),
        Cow::Owned(escaped) => (escaped.into(), STRAY),
    }
}

fn read(markup: &str, mut builder: Builder<'_>) -> RichText {
    let (escaped, in_place) = without_strays(tree::without_byte_order_mark(markup));
    builder.make_room(escaped.len());
    let mut reader = tree::reader(&escaped);
    loop {
        let before = tree::position(&reader);
        match reader.read_event() {
            Ok(Event::Eof) => break,
            Ok(Event::Start(tag)) => builder.start(&tag, false),
            Ok(Event::Empty(tag)) => builder.start(&tag, true),
            Ok(Event::End(tag)) => builder.end(Tag::of(tag.name().0), tag.name().0),
            Ok(Event::Text(text)) => builder.text(&with_brackets(&text, in_place)),
            Ok(Event::CData(text)) => builder.text(&with_brackets(&text, in_place)),
            Ok(Event::GeneralRef(name)) => match entity::decode(&name) {
                Some(text) => builder.text(&text),
                None => builder.text(&with_brackets(&format!("&{};", &*name), in_place)),
            },
            Ok(_) => {}
            Err(_) => {
                builder.text(&with_brackets(escaped.get(before..).unwrap_or_default(), in_place));
                break;
            }
        }
    }
    builder.finish()
}

/// The text of markup without its tags.
pub(crate) fn strip(markup: &str) -> String {
    parse(markup).plain_text()
}

/// The text of a record: everything that looks like a tag is one, even if its name is unknown.
pub(crate) fn strip_record(content: &str) -> String {
    read(content, Builder::new(&[], true)).plain_text()
}

#[cfg(test)]
mod tests;
