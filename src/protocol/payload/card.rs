//! Cards of bots (facts 3.7): titles, text, choices and links. Actions of cards are never executed.

mod adaptive;
mod markdown;

use crate::model::{Card, MessageBody, RichText, SafeText};
use crate::protocol::tree::Node;
use crate::protocol::{html, link, richtext};
use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::Value;

/// The largest card that is decoded, in bytes of base64.
const MAX_PACKED: usize = 256 * 1024;
/// The maximum number of cards that are shown for one message.
const MAX_CARDS: usize = 20;
/// The maximum number of items of a list in a card that are shown.
const MAX_ITEMS: usize = 100;

/// A `SWIFT.1` object: the card is JSON in base64, in either alphabet and with or without padding. If it cannot be
/// decoded, the object's fallback link is shown instead.
pub fn swift(object: &Node<'_>) -> Option<MessageBody> {
    let packed = object.find("swift")?.attribute("b64")?.trim();
    if packed.len() > MAX_PACKED {
        return None;
    }
    if packed.starts_with(['{', '[']) {
        return card_object(packed);
    }
    card_object(std::str::from_utf8(&unpack(packed)?).ok()?)
}

fn unpack(packed: &str) -> Option<Vec<u8>> {
    let lenient = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    let standard = packed.chars().filter(|c| !c.is_whitespace()).map(|c| match c {
        '-' => '+',
        '_' => '/',
        other => other,
    });
    GeneralPurpose::new(&alphabet::STANDARD, lenient).decode(standard.collect::<String>()).ok()
}

/// A card as JSON: `{"type":"message/card","attachments":[…]}`, a list of cards, or a card's content itself.
pub fn card_object(json: &str) -> Option<MessageBody> {
    let json: Value = serde_json::from_str(json).ok()?;
    let card = match &json {
        Value::Array(list) => cards(list),
        other => cards(std::slice::from_ref(other)),
    };
    card.map(MessageBody::Card)
}

/// Several cards as one; `None` if there is nothing to show in them.
pub fn cards(list: &[Value]) -> Option<Card> {
    let mut reader = Reader::default();
    for item in list.iter().take(MAX_CARDS) {
        match item.get("attachments").and_then(Value::as_array) {
            Some(inner) => {
                reader.line(item.get("text"));
                inner.iter().take(MAX_CARDS).for_each(|attachment| reader.attachment(attachment));
            }
            None => reader.attachment(item),
        }
    }
    reader.finish()
}

/// Collects what is shown of cards.
#[derive(Default)]
struct Reader {
    card: Card,
}

impl Reader {
    /// An attachment with the card in `content`, which may be JSON inside a string, or a card itself.
    fn attachment(&mut self, attachment: &Value) {
        let unpacked = attachment.get("content").and_then(Value::as_str);
        let unpacked = unpacked.and_then(|text| serde_json::from_str::<Value>(text).ok());
        let inner = attachment.get("content").filter(|content| content.is_object());
        self.content(unpacked.as_ref().or(inner).unwrap_or(attachment));
        if let Some(url) = text(attachment, &["contentUrl"]).and_then(link::safe_target) {
            let label = text(attachment, &["name"]).map_or_else(|| url.clone(), SafeText::line);
            self.link(label, url);
        }
    }

    fn content(&mut self, content: &Value) {
        self.title(text(content, &["title"]));
        for part in ["subtitle", "text"] {
            self.line(content.get(part));
        }
        for section in list(content, "sections") {
            self.section(section);
        }
        self.facts(content);
        for item in list(content, "items") {
            for part in ["title", "subtitle", "text", "price"] {
                self.line(item.get(part));
            }
        }
        for (part, name) in [("tax", "Tax"), ("vat", "VAT"), ("total", "Total")] {
            if let Some(amount) = text(content, &[part]) {
                self.add(RichText::plain(&format!("{name}: {amount}")));
            }
        }
        self.elements(content.get("body"), 0);
        let summary = text(content, &["summary"]);
        self.title(summary.filter(|_| self.card.title.is_empty()));
        if self.is_empty() {
            self.line(content.get("fallbackText"));
        }
        self.pictures(content);
        self.media(content);
        for key in ["buttons", "actions", "potentialAction"] {
            self.actions(content, key, 0);
        }
        self.tap(content.get("tap"), 0);
        if self.is_empty() {
            self.unknown(content, 0);
        }
    }

    /// A card of unknown form: all its fields with the name of a text.
    fn unknown(&mut self, json: &Value, depth: usize) {
        const TEXTS: [&str; 5] = ["title", "text", "subtitle", "description", "label"];
        if depth > adaptive::MAX_DEPTH || is_hidden(json) {
            return;
        }
        match json {
            Value::Object(fields) => {
                for name in TEXTS {
                    self.line(fields.get(name));
                }
                fields.values().for_each(|value| self.unknown(value, depth + 1));
            }
            Value::Array(items) => {
                items.iter().take(MAX_ITEMS).for_each(|item| self.unknown(item, depth + 1));
            }
            _ => {}
        }
    }

    /// A section of an Office 365 card.
    fn section(&mut self, section: &Value) {
        let parts = ["title", "activityTitle", "activitySubtitle", "activityText", "text"];
        for part in parts {
            self.line(section.get(part));
        }
        self.facts(section);
        self.pictures(section);
        self.actions(section, "potentialAction", 0);
    }

    /// Facts: one name and value per line.
    fn facts(&mut self, content: &Value) {
        for fact in list(content, "facts") {
            let name = text(fact, &["name", "title", "key"]).unwrap_or_default();
            let value = text(fact, &["value"]).unwrap_or_default();
            let name = name.trim_end_matches(':');
            match (name.is_empty(), value.is_empty()) {
                (true, true) => {}
                (true, false) => self.add(rich(value)),
                (false, true) => self.add(rich(name)),
                (false, false) => self.add(rich(&format!("{name}: {value}"))),
            }
        }
    }

    fn pictures(&mut self, content: &Value) {
        for image in list(content, "images").chain(content.get("image")) {
            let url = image.as_str().or_else(|| text(image, &["url", "image"]));
            if let Some(url) = url.and_then(link::safe_target) {
                let label = text(image, &["alt", "altText", "title"]).unwrap_or("picture");
                self.link(SafeText::line(label), url);
            }
        }
    }

    /// What an audio, video or animation card plays.
    fn media(&mut self, content: &Value) {
        for source in list(content, "media").chain(list(content, "sources")) {
            if let Some(url) = text(source, &["url"]).and_then(link::safe_target) {
                let label = text(source, &["profile", "name"]).unwrap_or("play");
                self.link(SafeText::line(label), url);
            }
        }
    }

    /// Buttons: those that lead to an address are links, the others are only named.
    fn actions(&mut self, content: &Value, key: &str, depth: usize) {
        for action in list(content, key) {
            self.action(action, depth);
        }
    }

    fn action(&mut self, action: &Value, depth: usize) {
        if depth > adaptive::MAX_DEPTH || is_hidden(action) {
            return;
        }
        // What a button posts to is not a page to open.
        let posts = text(action, &["@type", "type"])
            .is_some_and(|kind| matches!(kind, "HttpPOST" | "Action.Http" | "invoke"));
        let url = text(action, &["url", "value", "target"]).and_then(link::safe_target);
        let url = url.or_else(|| {
            let targets = list(action, "targets").chain(list(action, "target"));
            targets
                .filter_map(|t| t.as_str().or_else(|| text(t, &["uri", "url"])))
                .find_map(link::safe_target)
        });
        let label = text(action, &["title", "name"]);
        match (url.filter(|_| !posts), label) {
            (Some(url), label) => {
                self.link(label.map_or_else(|| SafeText::line("open"), SafeText::line), url);
            }
            (None, Some(label)) => self.card.buttons.push(SafeText::line(label)),
            (None, None) => {}
        }
        // A button that opens another card, or asks for something.
        if let Some(card) = action.get("card") {
            self.elements(card.get("body"), depth + 1);
            self.actions(card, "actions", depth + 1);
        }
        self.elements(action.get("inputs"), depth + 1);
        self.actions(action, "actions", depth + 1);
    }

    /// What happens when the card or an element of it is chosen.
    fn tap(&mut self, action: Option<&Value>, depth: usize) {
        if let Some(action) = action.filter(|action| action.is_object()) {
            self.action(action, depth);
        }
    }

    fn title(&mut self, title: Option<&str>) {
        let Some(title) = title else { return };
        let line = SafeText::line(rich(title).plain_text().trim());
        if self.card.title.is_empty() {
            self.card.title = line;
        } else if self.card.title != line {
            self.add(RichText::plain(&line));
        }
    }

    fn line(&mut self, text: Option<&Value>) {
        let words = match text {
            Some(Value::String(words)) => words.clone(),
            Some(Value::Number(number)) => number.to_string(),
            _ => return,
        };
        self.add(rich(&words));
    }

    fn add(&mut self, rich: RichText) {
        if !rich.is_blank() {
            self.card.text.blocks.extend(rich.blocks);
        }
    }

    fn link(&mut self, label: SafeText, url: SafeText) {
        let label = if label.is_empty() { url.clone() } else { label };
        if !self.card.links.iter().any(|(known, target)| *known == label && *target == url) {
            self.card.links.push((label, url));
        }
    }

    fn is_empty(&self) -> bool {
        let card = &self.card;
        card.title.is_empty()
            && card.text.blocks.is_empty()
            && card.links.is_empty()
            && card.buttons.is_empty()
    }

    fn finish(self) -> Option<Card> {
        (!self.is_empty()).then_some(self.card)
    }
}

/// The first of these fields that is a non-empty string.
fn text<'a>(item: &'a Value, names: &[&str]) -> Option<&'a str> {
    names.iter().find_map(|name| item.get(*name)?.as_str().map(str::trim).filter(|t| !t.is_empty()))
}

fn list<'a>(content: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    content.get(key).and_then(Value::as_array).into_iter().flatten().take(MAX_ITEMS)
}

/// Whether an element is hidden until something is done with the card.
fn is_hidden(element: &Value) -> bool {
    match element.get("isVisible") {
        Some(Value::Bool(visible)) => !visible,
        Some(Value::String(word)) => word.eq_ignore_ascii_case("false"),
        _ => false,
    }
}

/// Text of a card: HTML, Skype's markup, or Markdown.
fn rich(text: &str) -> RichText {
    if html::looks_like_html(text) {
        html::parse(text, &[])
    } else if text.contains('<') {
        richtext::parse(text)
    } else {
        markdown::parse(text)
    }
}
