//! Parts of the markup parser: stray brackets, attributes, colours, quotes, and merging of spans.

use crate::model::rich::language_of;
use crate::model::{Attribution, Rgb, SafeText, Span, SpanStyle, Timestamp, UserId};
use crate::protocol::{entity, tree};
use memchr::{memchr, memchr2, memchr2_iter};
use quick_xml::events::BytesStart;
use std::borrow::Cow;

/// Replaces every `<` that does not start a tag with `stray`. A `<` starts a tag if a letter, or `/` and a letter,
/// follows, and there is a `>` before the next `<`.
pub fn escape_stray<'a>(markup: &'a str, stray: &str) -> Cow<'a, str> {
    if !markup.contains('<') {
        return Cow::Borrowed(markup);
    }
    let bytes = markup.as_bytes();
    let mut out = String::new();
    let mut copied = 0;
    let mut at = 0;
    let mut ends = TagEnds { comments: true, data: true, types: true };
    while let Some(offset) = bytes.get(at..).and_then(next_open) {
        let open = at + offset;
        let rest = bytes.get(open + 1..).unwrap_or_default();
        if rest.first() == Some(&b'!')
            && let Some((shown, len)) =
                declaration(markup.get(open..).unwrap_or_default(), &mut ends)
        {
            out.push_str(markup.get(copied..open).unwrap_or_default());
            out.push_str(&entity::escape(shown));
            at = open + len;
            copied = at;
            continue;
        }
        let name = rest.strip_prefix(b"/").unwrap_or(rest);
        let stop = next_bracket(rest);
        let closed = stop.is_some_and(|s| rest.get(s) == Some(&b'>'));
        if !(name.first().is_some_and(u8::is_ascii_alphabetic) && closed) {
            out.push_str(markup.get(copied..open).unwrap_or_default());
            out.push_str(stray);
            copied = open + 1;
        }
        at = open + 1 + stop.unwrap_or(rest.len());
    }
    if copied == 0 {
        return Cow::Borrowed(markup);
    }
    out.push_str(markup.get(copied..).unwrap_or_default());
    Cow::Owned(out)
}

/// Where the next `<` is. `memchr` has a start-up cost, and the next one often follows at once.
fn next_open(text: &[u8]) -> Option<usize> {
    if text.first() == Some(&b'<') { Some(0) } else { memchr(b'<', text) }
}

/// Where the next `<` or `>` is, which is mostly the end of a tag with a short name.
fn next_bracket(text: &[u8]) -> Option<usize> {
    const NEAR: usize = 16;
    let is_bracket = |byte: &u8| matches!(byte, b'<' | b'>');
    let near = text.iter().take(NEAR).position(is_bracket);
    near.or_else(|| Some(NEAR + memchr2(b'<', b'>', text.get(NEAR..)?)?))
}

/// Whether the end of a construct may still follow. If not, it is not searched for again, to keep the time linear.
struct TagEnds {
    comments: bool,
    data: bool,
    types: bool,
}

/// A comment, CDATA section or document type: the text to show, and the length.
fn declaration<'a>(text: &'a str, ends: &mut TagEnds) -> Option<(&'a str, usize)> {
    if let Some(rest) = text.strip_prefix("<!--").filter(|_| ends.comments) {
        let Some(end) = rest.find("-->") else {
            ends.comments = false;
            return None;
        };
        return Some(("", 4 + end + 3));
    }
    if let Some(rest) = text.strip_prefix("<![CDATA[").filter(|_| ends.data) {
        let Some(end) = rest.find("]]>") else {
            ends.data = false;
            return None;
        };
        return Some((rest.get(..end)?, 9 + end + 3));
    }
    let head = text.get(..9)?;
    if !head.eq_ignore_ascii_case("<!doctype") || !ends.types {
        return None;
    }
    let end = text.bytes().position(|b| b == b'>');
    ends.types = end.is_some();
    Some(("", end? + 1))
}

/// Removes line breaks at both ends of a block, which have no meaning next to quotes and centred lines.
pub fn trim_breaks(spans: &mut Vec<Span>) {
    let is_empty = |span: &Span| span.text.trim_matches('\n').is_empty();
    let empty = spans.iter().take_while(|span| is_empty(span)).count();
    spans.drain(..empty);
    if let Some(first) = spans.first_mut().filter(|span| span.text.starts_with('\n')) {
        first.text = first.text.without_breaks_before();
    }
    while spans.last().is_some_and(is_empty) {
        spans.pop();
    }
    if let Some(last) = spans.last_mut().filter(|span| span.text.ends_with('\n')) {
        last.text = last.text.without_breaks_after();
    }
}

pub fn attribute(tag: &BytesStart<'_>, name: &str) -> Option<String> {
    // A text may have 100,000 tags without attributes.
    if tag.name().0.len() == tag.len() {
        return None;
    }
    let mut attributes = tag.html_attributes();
    let mut readable = attributes.with_checks(false).flatten();
    let found = readable.find(|a| a.key.0.eq_ignore_ascii_case(name))?;
    Some(entity::unescape(&found.value).into_owned())
}

/// The programming language that the classes of a tag name.
pub fn language(tag: &BytesStart<'_>) -> Option<Box<str>> {
    attribute(tag, "class").and_then(|classes| language_of(&classes))
}

/// Tags that only structure the answer of a search engine.
pub fn is_answer_part(name: &str) -> bool {
    name.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("bing-"))
}

pub fn attribution(tag: &BytesStart<'_>) -> Option<Attribution> {
    if tag.name().0.len() == tag.len() {
        return None;
    }
    let attributes: Vec<_> = tree::attributes(tag).collect();
    let get =
        |name: &str| attributes.iter().find(|(k, v)| k == name && !v.is_empty()).map(|(_, v)| &**v);
    let name = get("authorname").or_else(|| get("author"))?;
    Some(Attribution {
        name: SafeText::line(name),
        // Seconds on the wire (facts 4.1).
        at: get("timestamp")
            .and_then(|t| t.parse::<i64>().ok())
            .map(|s| Timestamp(s.saturating_mul(1000))),
        author: get("author").map(UserId::with_prefix),
        message: get("messageid").map(Into::into),
        client_id: get("cuid").map(Into::into),
        conversation: get("conversation").map(Into::into),
    })
}

/// `#rrggbb`, `#rgb`, or one of the sixteen colour names of HTML.
pub fn color(value: &str) -> Option<Rgb> {
    const NAMES: [(&str, u32); 16] = [
        ("black", 0x00_0000),
        ("silver", 0xc0_c0c0),
        ("gray", 0x80_8080),
        ("white", 0xff_ffff),
        ("maroon", 0x80_0000),
        ("red", 0xff_0000),
        ("purple", 0x80_0080),
        ("fuchsia", 0xff_00ff),
        ("green", 0x00_8000),
        ("lime", 0x00_ff00),
        ("olive", 0x80_8000),
        ("yellow", 0xff_ff00),
        ("navy", 0x00_0080),
        ("blue", 0x00_00ff),
        ("teal", 0x00_8080),
        ("aqua", 0x00_ffff),
    ];
    let value = value.trim().to_ascii_lowercase();
    let number = match value.strip_prefix('#') {
        Some(hex) if hex.len() == 6 => u32::from_str_radix(hex, 16).ok()?,
        None if value.starts_with("rgb(") => {
            let parts = value.strip_prefix("rgb(")?.strip_suffix(')')?.split(',');
            parts.take(3).try_fold(0, |acc, part| {
                Some(acc * 256 + u32::from(part.trim().parse::<u8>().ok()?))
            })?
        }
        Some(hex) if hex.len() == 3 => {
            hex.chars().try_fold(0, |acc, c| Some(acc * 256 + c.to_digit(16)? * 17))?
        }
        _ => NAMES.iter().find(|(name, _)| *name == value)?.1,
    };
    Some(Rgb((number >> 16) as u8, (number >> 8) as u8, number as u8))
}

/// Applies a `style` attribute. False if it hides the element.
pub fn css(rules: &str, style: &mut SpanStyle) -> bool {
    let mut seen = true;
    for (name, value) in rules.split(';').filter_map(|rule| rule.split_once(':')) {
        let value = value.trim().to_ascii_lowercase();
        let value = value.trim_end_matches("!important").trim_end();
        let has = |word: &str| value.contains(word);
        match name.trim().to_ascii_lowercase().as_str() {
            "font-weight" => {
                style.bold = has("bold") || value.parse::<u16>().is_ok_and(|weight| weight >= 600);
            }
            "font-style" => style.italic = has("italic") || has("oblique"),
            "text-decoration" | "text-decoration-line" => {
                style.underline |= has("underline");
                style.strike |= has("line-through");
            }
            "font-family" => style.mono |= has("monospace") || has("courier") || has("consolas"),
            "color" => style.color = color(value).or(style.color),
            "display" => seen &= value != "none",
            "visibility" => seen &= value != "hidden",
            _ => {}
        }
    }
    seen
}

/// The `style` attribute of a tag, if it has one.
pub fn style_of(tag: &BytesStart<'_>) -> Option<String> {
    // Searching for the rarest letter of the name is quick, and avoids reading the attributes of most tags.
    let attributes = tag.as_bytes().get(tag.name().0.len()..)?;
    let is_style = |y: usize| {
        let word = y.checked_sub(2).and_then(|from| attributes.get(from..y + 3));
        word.is_some_and(|word| word.eq_ignore_ascii_case(b"style"))
    };
    let mut places = memchr2_iter(b'y', b'Y', attributes);
    places.any(is_style).then(|| attribute(tag, "style")).flatten()
}

/// Applies the attributes of a `font` tag to a style.
pub fn font(tag: &BytesStart<'_>, style: &mut SpanStyle) {
    for (key, value) in tree::attributes(tag) {
        match &*key {
            "color" => style.color = color(&value).or(style.color),
            "size" => style.size = value.trim().parse().ok().or(style.size),
            "style" => {
                css(&value, style);
            }
            _ => {}
        }
    }
}

/// Merges neighbouring spans of the same style, so that an address split by a dropped tag is recognised.
pub fn joined(spans: Vec<Span>) -> Vec<Span> {
    let are_same = |last: &Span, next: &Span| {
        last.style == next.style && last.link.is_none() && next.link.is_none()
    };
    if !spans.windows(2).any(|pair| matches!(pair, [last, next] if are_same(last, next))) {
        return spans;
    }
    let mut out: Vec<Span> = Vec::with_capacity(spans.len());
    let mut parts: Vec<SafeText> = Vec::new();
    for span in spans {
        if out.last().is_some_and(|last| are_same(last, &span)) {
            parts.push(span.text);
            continue;
        }
        append(&mut out, &mut parts);
        out.push(span);
    }
    append(&mut out, &mut parts);
    out
}

/// Appends all parts to the last span at once, so that the time stays linear.
fn append(out: &mut [Span], parts: &mut Vec<SafeText>) {
    if let Some(last) = out.last_mut().filter(|_| !parts.is_empty()) {
        let whole: String =
            std::iter::once(&last.text).chain(parts.iter()).map(SafeText::as_str).collect();
        last.text = SafeText::text(&whole);
        parts.clear();
    }
}
