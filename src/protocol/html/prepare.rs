//! Prepares HTML for html2text: replaces what it would drop (quotes of replies, mentions, emoji, underline, pictures)
//! or draw badly. Takes linear time, and leaves unknown tags as they are (facts 4.2).

use super::Section;
use crate::model::{Attribution, Block, RichText, SafeText, SpanStyle, Timestamp, UserId};
use crate::protocol::richtext::{self, MentionedPeople, css, escape_stray, mentioned_person};
use crate::protocol::tree::{self, Node, position};
use crate::protocol::{entity, link};
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

/// Link targets that carry other information through html2text, which keeps nothing but the targets of links.
pub const MENTION: &str = "x-mention:";
pub const EMOTICON: &str = "x-emoticon:";
pub const UNDERLINE: &str = "x-underline:";

/// Splits HTML into parts for html2text and quotes, which are converted here.
pub fn sections(html: &str, mentioned: &MentionedPeople) -> Vec<Section> {
    let escaped = escape_stray(tree::without_byte_order_mark(html), "&lt;");
    let mut pass =
        Pass { mentioned, out: String::new(), sections: Vec::new(), ends: Vec::new(), anchors: 0 };
    let mut reader = tree::reader(&escaped);
    // The hidden element that is being skipped, and how many of the same name are open in it.
    let mut hidden: Option<(String, usize)> = None;
    // The quote or code being read: where it begins, its tag, and how many of the same name are open in it.
    let mut whole: Option<(usize, BytesStart<'_>, usize)> = None;
    loop {
        let before = position(&reader);
        let Ok(event) = reader.read_event() else {
            pass.out.push_str(&entity::escape(escaped.get(before..).unwrap_or_default()));
            break;
        };
        if let Some((name, open)) = &mut hidden {
            match &event {
                Event::Start(inner) if is(inner.name().0, name) => *open += 1,
                Event::End(inner) if is(inner.name().0, name) => *open -= 1,
                Event::Eof => *open = 0,
                _ => {}
            }
            if *open == 0 {
                hidden = None;
            }
            if !matches!(event, Event::Eof) {
                continue;
            }
        }
        if let Some((from, tag, open)) = &mut whole {
            match &event {
                Event::Start(inner) if is(inner.name().0, tag.name().0) => *open += 1,
                Event::End(inner) if is(inner.name().0, tag.name().0) => *open -= 1,
                Event::Eof => *open = 0,
                _ => {}
            }
            if *open == 0 {
                let inner = escaped.get(*from..before).unwrap_or_default();
                if is(tag.name().0, "pre") {
                    pass.code(tag, inner);
                } else {
                    pass.quote(tag, inner);
                }
                whole = None;
            }
            if !matches!(event, Event::Eof) {
                continue;
            }
        }
        match event {
            Event::Eof => break,
            Event::Start(tag) if is_hidden(&tag) && has_end(&tag, &reader, &escaped) => {
                hidden = Some((tag.name().0.to_owned(), 1));
            }
            Event::Start(tag)
                if is(tag.name().0, "blockquote")
                    || is(tag.name().0, "pre") && has_end(&tag, &reader, &escaped) =>
            {
                whole = Some((position(&reader), tag.into_owned(), 1));
            }
            Event::Start(tag) => pass.start(&tag, false),
            Event::Empty(tag) => pass.start(&tag, true),
            Event::End(tag) => pass.end(&tag.name().0.to_ascii_lowercase()),
            Event::Text(text) => pass.out.push_str(&text),
            Event::GeneralRef(name) => pass.out.extend(["&", &*name, ";"]),
            _ => {}
        }
    }
    pass.cut();
    pass.sections
}

/// Whether an element is hidden: by its style (such as the preheader of an email), or because it only names the source
/// of an answer.
fn is_hidden(tag: &BytesStart<'_>) -> bool {
    let name = tag.name().0;
    if is(name, "attribution") || is(name, "attributions-group") {
        return true;
    }
    let may_be = tag.contains("none") || tag.contains("hidden");
    may_be && attribute(tag, "style").is_some_and(|rules| !css(&rules, &mut SpanStyle::default()))
}

/// Whether the end of an element follows. Without it, there is no telling what the element encloses.
fn has_end(tag: &BytesStart<'_>, reader: &Reader<&[u8]>, html: &str) -> bool {
    let rest = html.get(position(reader)..).unwrap_or_default();
    let end = format!("</{}", tag.name().0);
    rest.contains(&end)
}

fn is(name: &str, wanted: &str) -> bool {
    name.eq_ignore_ascii_case(wanted)
}

struct Pass<'a> {
    mentioned: &'a MentionedPeople,
    out: String,
    sections: Vec<Section>,
    /// The open tags that were replaced: their name, and what their end is replaced by.
    ends: Vec<(String, String)>,
    /// The number of open links; links must not be nested.
    anchors: usize,
}

impl Pass<'_> {
    fn start(&mut self, tag: &BytesStart<'_>, empty: bool) {
        let name = tag.name().0.to_ascii_lowercase();
        let kind = attribute(tag, "itemtype").unwrap_or_default();
        match name.as_str() {
            "span" | "readonly" | "attachment" | "video" | "u" if empty => {}
            "span" if kind.ends_with("/Mention") && self.anchors == 0 => {
                let number = attribute(tag, "itemid").unwrap_or_default();
                let who = mentioned_person(self.mentioned, &number).map_or("", UserId::as_str);
                self.open(&name, &format!("{MENTION}{who}"));
            }
            "u" if self.anchors == 0 => self.open(&name, UNDERLINE),
            "a" => {
                self.copy(tag);
                if !empty {
                    self.anchors += 1;
                }
            }
            "span" | "font" if attribute(tag, "style").is_some() && !empty => {
                self.styled(name, &attribute(tag, "style").unwrap_or_default());
            }
            "emoji" => {
                let alt = attribute(tag, "alt").or_else(|| attribute(tag, "title"));
                self.out.push_str(&entity::escape(&alt.unwrap_or_default()));
                if !empty {
                    self.ends.push((name, String::new()));
                }
            }
            "span" | "readonly" | "u" | "attachment" => self.ends.push((name, String::new())),
            "video" => {
                let length = attribute(tag, "data-duration").and_then(|d| seconds(&d));
                let label = match length {
                    None => "[video]".to_owned(),
                    Some(s) => format!("[video · {}:{:02}]", s / 60, s % 60),
                };
                self.linked(&attribute(tag, "src").unwrap_or_default(), &label);
                self.ends.push((name, String::new()));
            }
            "img" => self.picture(tag, &kind),
            // html2text would draw a line of its full width.
            "hr" => self.out.push_str("<p>———</p>"),
            _ => self.copy(tag),
        }
    }

    fn end(&mut self, name: &str) {
        if let Some(at) = self.ends.iter().rposition(|(open, _)| open == name) {
            let (_, text) = self.ends.remove(at);
            if text.contains("</a>") {
                self.anchors = self.anchors.saturating_sub(1);
            }
            self.out.push_str(&text);
            return;
        }
        if matches!(
            name,
            "span" | "readonly" | "u" | "attachment" | "video" | "img" | "hr" | "emoji"
        ) {
            return;
        }
        if name == "a" {
            self.anchors = self.anchors.saturating_sub(1);
        }
        self.out.extend(["</", name, ">"]);
    }

    /// Copies a tag with the attributes that html2text uses.
    fn copy(&mut self, tag: &BytesStart<'_>) {
        let name = tag.name().0.to_ascii_lowercase();
        self.out.extend(["<", &name]);
        for key in ["href", "start", "colspan"] {
            if let Some(value) = attribute(tag, key) {
                self.out.push_str(&format!(" {key}=\"{}\"", entity::escape(&value)));
            }
        }
        self.out.push('>');
    }

    fn open(&mut self, name: &str, target: &str) {
        self.anchors += 1;
        self.ends.push((name.to_owned(), "</a>".to_owned()));
        self.out.push_str(&format!("<a href=\"{}\">", entity::escape(target)));
    }

    /// Opens the tags that mean the same as a `style` attribute.
    fn styled(&mut self, name: String, rules: &str) {
        let mut style = SpanStyle::default();
        css(rules, &mut style);
        let mut end = String::new();
        for (on, tag) in [
            (style.bold, "strong"),
            (style.italic, "em"),
            (style.strike, "s"),
            (style.mono, "code"),
        ] {
            if on {
                self.out.extend(["<", tag, ">"]);
                end.insert_str(0, &format!("</{tag}>"));
            }
        }
        if style.underline && self.anchors == 0 {
            self.anchors += 1;
            self.out.push_str(&format!("<a href=\"{UNDERLINE}\">"));
            end.insert_str(0, "</a>");
        }
        self.ends.push((name, end));
    }

    fn linked(&mut self, url: &str, label: &str) {
        let label = entity::escape(label);
        match link::safe_target(url).filter(|_| self.anchors == 0) {
            Some(url) => {
                self.out.push_str(&format!("<a href=\"{}\">{label}</a>", entity::escape(&url)));
            }
            None => self.out.push_str(&label),
        }
    }

    fn picture(&mut self, tag: &BytesStart<'_>, kind: &str) {
        let alt = attribute(tag, "alt").unwrap_or_default();
        let name = attribute(tag, "itemid").unwrap_or_default();
        if kind.ends_with("/Emoji") || kind.ends_with("/EmojiAsImage") {
            let text = if alt.trim().is_empty() { format!("({name})") } else { alt };
            if self.anchors == 0 && !name.is_empty() {
                let target = entity::escape(&format!("{EMOTICON}{name}"));
                self.out.push_str(&format!("<a href=\"{target}\">{}</a>", entity::escape(&text)));
            } else {
                self.out.push_str(&entity::escape(&text));
            }
            return;
        }
        let word = match kind.rsplit('/').next() {
            Some("Giphy") => "gif",
            Some("Sticker") => "sticker",
            _ => "image",
        };
        let label = match alt.trim() {
            "" | "image" => format!("[{word}]"),
            alt => format!("[{word}: {alt}]"),
        };
        self.linked(&attribute(tag, "src").unwrap_or_default(), &label);
    }

    /// Converts a blockquote. A reply's blockquote says who is quoted, and which message.
    fn quote(&mut self, tag: &BytesStart<'_>, inner: &str) {
        self.cut();
        let reply = attribute(tag, "itemtype").is_some_and(|t| t.ends_with("/Reply"));
        if !reply {
            let body = super::blocks(sections(inner, self.mentioned));
            self.sections.push(Section::Ready(Block::Quote { from: None, body }));
            return;
        }
        let root = Node::parse(inner);
        let name = find_prop(&root, "mri").or_else(|| root.find("strong"));
        let time = find_prop(&root, "time").and_then(|n| n.attribute("itemid"));
        let from = Attribution {
            name: SafeText::line(&author(inner, name)),
            author: name.and_then(|n| n.attribute("itemid")).map(UserId::with_prefix),
            at: time.and_then(Timestamp::parse),
            message: attribute(tag, "itemid").filter(|id| !id.is_empty()).map(Into::into),
            client_id: None,
            conversation: None,
        };
        let body = if let Some(preview) = preview(inner) {
            super::blocks(sections(preview, self.mentioned))
        } else {
            // Without a preview, everything but the author and the time is the quoted text.
            let quoted = without_props(&root, name);
            if quoted.is_empty() { Vec::new() } else { RichText::plain(&quoted).blocks }
        };
        self.sections.push(Section::Ready(Block::Quote { from: Some(Box::new(from)), body }));
    }

    /// Converts preformatted code. Ends the current part.
    fn code(&mut self, tag: &BytesStart<'_>, inner: &str) {
        self.cut();
        let markup = format!("<{}>{inner}</pre>", &**tag);
        let read = richtext::parse_with(&markup, self.mentioned);
        self.sections.extend(read.blocks.into_iter().map(Section::Ready));
    }

    fn cut(&mut self) {
        let html = std::mem::take(&mut self.out);
        if !html.trim().is_empty() {
            self.sections.push(Section::Html(html));
        }
    }
}

/// A duration such as `PT1H2M3.5S` in whole seconds.
fn seconds(duration: &str) -> Option<u64> {
    let mut total = 0.0;
    let mut number = String::new();
    for c in duration.strip_prefix("PT")?.chars() {
        let unit = match c {
            'H' => 3600.0,
            'M' => 60.0,
            'S' => 1.0,
            _ => {
                number.push(c);
                continue;
            }
        };
        total += number.parse::<f64>().ok()? * unit;
        number.clear();
    }
    (0.0..1e6).contains(&total).then_some(total as u64)
}

fn attribute(tag: &BytesStart<'_>, name: &str) -> Option<String> {
    tree::attributes(tag).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

fn find_prop<'a>(node: &'a Node<'a>, prop: &str) -> Option<&'a Node<'a>> {
    node.children.iter().find_map(|c| {
        if c.attribute("itemprop") == Some(prop) { Some(c) } else { find_prop(c, prop) }
    })
}

/// The name in a quote: the text of the element with the author's id, whatever tags are in it.
fn author(inner: &str, element: Option<&Node<'_>>) -> String {
    let Some(element) = element else { return String::new() };
    if element.children.is_empty() {
        return element.trimmed().to_owned();
    }
    let within = || {
        let from = inner.find(&format!("<{}", element.name))?;
        let rest = inner.get(from..)?;
        let end = rest.rfind(&format!("</{}", element.name)).unwrap_or(rest.len());
        // Only up to the next element.
        match rest.find("itemprop=\"time\"").filter(|next| *next < end) {
            Some(next) => Some(rest.get(..next)?.rsplit_once('<')?.0),
            None => rest.get(..end),
        }
    };
    let text = within().map(crate::protocol::richtext::strip_record).unwrap_or_default();
    let words: Vec<&str> = text.split_whitespace().collect();
    if words.is_empty() { element.whole_text() } else { words.join(" ") }
}

/// The text of a quote without the elements that say who is quoted, and when.
fn without_props(node: &Node<'_>, name: Option<&Node<'_>>) -> String {
    let mut words: Vec<String> = node.text.split_whitespace().map(str::to_owned).collect();
    for child in &node.children {
        let is_prop = matches!(child.attribute("itemprop"), Some("mri" | "time"));
        if !is_prop && !name.is_some_and(|name| std::ptr::eq(name, child)) {
            words.push(without_props(child, name));
        }
    }
    words.retain(|word| !word.is_empty());
    words.join(" ")
}

/// The content of the element with the quoted text.
fn preview(inner: &str) -> Option<&str> {
    let forms = ["itemprop=\"preview\"", "itemprop='preview'", "itemprop=preview"];
    let at = forms.iter().find_map(|form| inner.find(form))?;
    let rest = inner.get(at..)?;
    let from = rest.find('>')? + 1;
    let rest = rest.get(from..)?;
    let end = rest.rfind("</p>").unwrap_or(rest.len());
    rest.get(..end)
}
