//! Cards of bots, and polls (facts 3.7): titles, text and links. Actions of cards are never executed.

use crate::model::{Card, MessageBody, Poll, RichText, SafeText};
use crate::protocol::tree::Node;
use crate::protocol::{html, link, richtext};
use base64::Engine as _;
use serde_json::Value;

/// The largest card that is decoded, in bytes of base64.
const MAX_PACKED: usize = 256 * 1024;
/// The most cards of one message that are shown.
const MAX_CARDS: usize = 20;

/// A `SWIFT.1` object: the card is JSON in base64. If it cannot be decoded, the object's fallback link is shown instead.
pub fn swift(object: &Node) -> Option<MessageBody> {
    let packed = object.find("swift")?.attribute("b64")?;
    if packed.len() > MAX_PACKED {
        return None;
    }
    let bytes = base64::engine::general_purpose::STANDARD.decode(packed.trim()).ok()?;
    card_object(std::str::from_utf8(&bytes).ok()?)
}

/// A card as JSON: `{"type":"message/card","attachments":[…]}`, or the attachment's content itself.
pub fn card_object(json: &str) -> Option<MessageBody> {
    let json: Value = serde_json::from_str(json).ok()?;
    let attachments = json.get("attachments").and_then(Value::as_array);
    let contents: Vec<&Value> = match attachments {
        Some(list) => list.iter().take(MAX_CARDS).map(|a| a.get("content").unwrap_or(a)).collect(),
        None => vec![json.get("content").unwrap_or(&json)],
    };
    let mut card = Card::default();
    let mut text = RichText::default();
    for content in contents {
        let line = |key: &str| content.get(key).and_then(Value::as_str).unwrap_or_default();
        if card.title.is_empty() {
            card.title = SafeText::line(&richtext::strip(line("title")));
        } else if !line("title").is_empty() {
            text.blocks.extend(RichText::plain(&richtext::strip(line("title"))).blocks);
        }
        for part in ["subtitle", "text", "summary"] {
            if !line(part).is_empty() {
                text.blocks.extend(rich(line(part)).blocks);
            }
        }
        adaptive(content.get("body"), &mut text, 0);
        for image in list(content, "images") {
            let named = |key: &str| image.get(key).and_then(Value::as_str);
            if let Some(url) = named("url").and_then(link::safe_target) {
                let label = named("alt").filter(|alt| !alt.is_empty()).unwrap_or("picture");
                card.links.push((SafeText::line(label), url));
            }
        }
        for button in list(content, "buttons").chain(list(content, "actions")) {
            let named = |key: &str| button.get(key).and_then(Value::as_str);
            let label = SafeText::line(named("title").unwrap_or("open"));
            match named("value").or_else(|| named("url")).and_then(link::safe_target) {
                Some(url) => card.links.push((label, url)),
                None => card.buttons.push(label),
            }
        }
    }
    card.text = text;
    let empty = card.title.is_empty()
        && card.text.blocks.is_empty()
        && card.links.is_empty()
        && card.buttons.is_empty();
    (!empty).then_some(MessageBody::Card(card))
}

fn list<'a>(content: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    content.get(key).and_then(Value::as_array).into_iter().flatten().take(50)
}

fn rich(text: &str) -> RichText {
    if html::looks_like_html(text) { html::parse(text, &[]) } else { richtext::parse(text) }
}

/// Collects the texts of an adaptive card's body.
fn adaptive(body: Option<&Value>, text: &mut RichText, depth: usize) {
    if depth > 8 {
        return;
    }
    for item in body.and_then(Value::as_array).into_iter().flatten().take(100) {
        if let Some(words) = item.get("text").and_then(Value::as_str) {
            text.blocks.extend(RichText::plain(words).blocks);
        }
        for key in ["items", "columns", "body"] {
            adaptive(item.get(key), text, depth + 1);
        }
    }
}

/// A poll, as `<URIObject type="poll.1">` or as the content of a `Poll`: the question and its answers.
pub fn poll(object: &Node) -> Option<MessageBody> {
    let text = |name: &str| {
        let node = object.find(name)?;
        let text = node.attribute("v").unwrap_or_else(|| node.trimmed());
        let text = text.strip_prefix("Title: ").unwrap_or(text);
        (!text.is_empty()).then(|| SafeText::line(text))
    };
    let question = text("question").or_else(|| text("title")).or_else(|| text("description"))?;
    let answers = object.find("answers").into_iter().flat_map(|a| a.all("answer"));
    let answers = answers
        .map(|a| SafeText::line(a.attribute("v").filter(|v| !v.is_empty()).unwrap_or(a.trimmed())))
        .filter(|a| !a.is_empty());
    Some(MessageBody::Poll(Poll { question, answers: answers.collect() }))
}
