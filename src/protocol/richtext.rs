//! `RichText` markup to [`RichText`]: total and linear, whatever comes (facts 4.1).
//!
//! quick-xml reads the tags after one pass that escapes every `<` that cannot start one. What still fails is text.

mod parts;

use super::{entity, link, tree};
use crate::model::{Align, Attribution, Block, Clean, Link, RichText, Span, SpanStyle, UserId};
pub(super) use parts::escape_stray;
use parts::{attribute, attribution, color, is_foreign, is_ours, trim_breaks};
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use std::collections::HashMap;

/// Quotes in quotes deeper than this are drawn at this depth.
const MAX_QUOTES: usize = 6;

/// People called in a message whose tags hold only their number (`properties.mentions`, facts 4.1).
pub type Called = [(String, UserId)];

/// Parses markup. Never fails: in the worst case everything is literal text.
pub fn parse(markup: &str) -> RichText {
    parse_with(markup, &[])
}

/// [`parse`], with the people that numbers in `at` tags stand for.
pub fn parse_with(markup: &str, called: &Called) -> RichText {
    read(markup, Builder { called, ..Builder::default() })
}

fn read(markup: &str, builder: Builder<'_>) -> RichText {
    let escaped = escape_stray(markup);
    let mut builder = builder;
    let mut reader = Reader::from_str(&escaped);
    let config = reader.config_mut();
    config.check_end_names = false;
    config.allow_unmatched_ends = true;
    config.allow_dangling_amp = true;
    loop {
        let before = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
        match reader.read_event() {
            Ok(Event::Eof) => break,
            Ok(Event::Start(tag)) => builder.start(&tag, false),
            Ok(Event::Empty(tag)) => builder.start(&tag, true),
            Ok(Event::End(tag)) => builder.end(tag.name().0),
            Ok(Event::Text(text)) => builder.text(&text),
            Ok(Event::CData(text)) => builder.text(&text),
            Ok(Event::GeneralRef(name)) => match entity::decode(&name) {
                Some(text) => builder.text(&text),
                None => builder.text(&format!("&{};", &*name)),
            },
            Ok(_) => {}
            Err(_) => {
                builder.text(escaped.get(before..).unwrap_or_default());
                break;
            }
        }
    }
    builder.finish()
}

/// The text of markup without its tags.
pub fn strip(markup: &str) -> String {
    parse(markup).plain_text()
}

/// The text of content that is no message of people: whatever looks like a tag is one.
pub fn strip_record(content: &str) -> String {
    read(content, Builder { record: true, ..Builder::default() }).plain_text()
}

/// What an open tag changed, to be undone by its end.
struct Open {
    name: Box<str>,
    style: SpanStyle,
    link: Option<Link>,
    kind: Kind,
}

enum Kind {
    Style,
    /// An `a`, with the target and where its label began.
    Anchor {
        target: Clean,
        label_from: usize,
    },
    Centre,
    Quote,
    /// A `pre`, and where its text began: several lines become a block of their own.
    Pre {
        from: usize,
    },
    /// Its content is not shown.
    Silent,
}

/// A quote being read: what stood before it, and who is quoted.
struct Outer {
    blocks: Vec<Block>,
    from: Option<Attribution>,
}

#[derive(Default)]
struct Builder<'a> {
    called: &'a Called,
    /// Tags of any name are tags.
    record: bool,
    blocks: Vec<Block>,
    spans: Vec<Span>,
    align: Align,
    pending: String,
    style: SpanStyle,
    link: Option<Link>,
    stack: Vec<Open>,
    /// How often each name is open, so that an end without a start costs no search.
    open: HashMap<Box<str>, usize>,
    quotes: Vec<Outer>,
    silent: usize,
}

impl Builder<'_> {
    fn text(&mut self, text: &str) {
        if self.silent == 0 {
            self.pending.push_str(text);
        }
    }

    fn flush(&mut self) {
        if !self.pending.is_empty() {
            let text = Clean::text(&self.pending);
            self.pending.clear();
            self.spans.push(Span { text, style: self.style, link: self.link.clone() });
        }
    }

    fn end_block(&mut self) {
        self.flush();
        let raw = std::mem::take(&mut self.spans);
        let mut spans = Vec::with_capacity(raw.len());
        for span in raw {
            link::linkify(span, &mut spans);
        }
        if spans.iter().any(|s| !s.text.is_empty()) {
            trim_breaks(&mut spans);
            if !spans.is_empty() {
                self.blocks.push(Block::Paragraph { align: self.align, spans });
            }
        }
    }

    fn emoticon(&mut self, name: &str, text: &str) {
        if self.silent == 0 {
            self.flush();
            let link = Some(Link::Emoticon(Clean::line(name)));
            self.spans.push(Span { text: Clean::line(text), style: self.style, link });
        }
    }

    /// Several lines of preformatted text stand by themselves; one line stays in its line.
    fn end_pre(&mut self, from: usize) {
        self.flush();
        let inner = self.spans.get(from..).unwrap_or_default();
        let code: String = inner.iter().map(|s| s.text.as_str()).collect();
        let code = code.trim_matches('\n');
        if code.contains('\n') {
            let block = Block::Code(Clean::text(code));
            self.spans.truncate(from);
            self.end_block();
            self.blocks.push(block);
        }
    }

    fn start(&mut self, tag: &BytesStart<'_>, empty: bool) {
        let name = tag.name().0.to_ascii_lowercase();
        let before = self.style;
        let link_before = self.link.clone();
        let mut style = self.style;
        let mut new_link = None;
        let mut kind = Kind::Style;
        match name.as_str() {
            "b" | "strong" => style.bold = true,
            "i" | "em" => style.italic = true,
            "u" => style.underline = true,
            "s" | "strike" | "del" => style.strike = true,
            "pre" => {
                style.mono = true;
                self.flush();
                kind = Kind::Pre { from: self.spans.len() };
            }
            "code" => style.mono = true,
            "ss" => {
                let name = attribute(tag, "type").unwrap_or_default();
                // With a picture of its own the text inside is for others.
                let alt = attribute(tag, "alt").filter(|alt| !alt.trim().is_empty());
                if let Some(alt) = alt.or_else(|| empty.then(|| format!("({name})"))) {
                    self.emoticon(&name, &alt);
                    kind = Kind::Silent;
                } else if !name.is_empty() {
                    new_link = Some(Link::Emoticon(Clean::line(&name)));
                }
            }
            "flag" => {
                let country = attribute(tag, "country").unwrap_or_default();
                if country.len() == 2 {
                    let name = format!("flag:{}", country.to_ascii_lowercase());
                    if empty {
                        self.emoticon(&name, &format!("({name})"));
                    }
                    new_link = Some(Link::Emoticon(Clean::line(&name)));
                }
            }
            "img" => {
                let alt = attribute(tag, "alt").unwrap_or_default();
                self.text(&alt);
                return;
            }
            "blink" => style.blink = true,
            "font" => {
                for (key, value) in tree::attributes(tag) {
                    match key.as_str() {
                        "color" => style.color = color(&value).or(style.color),
                        "size" => style.size = value.trim().parse().ok().or(style.size),
                        _ => {}
                    }
                }
            }
            "center" => kind = Kind::Centre,
            "a" => {
                let href = attribute(tag, "href").unwrap_or_default();
                if let Some(target) = link::safe_target(&href) {
                    new_link = Some(Link::Url(target.clone()));
                    self.flush();
                    let label_from = self.spans.len();
                    kind = Kind::Anchor { target, label_from };
                }
            }
            "at" => {
                let id = attribute(tag, "id").unwrap_or_default();
                let numbered = self.called.iter().find(|(number, _)| *number == id);
                let who = match numbered {
                    Some((_, who)) => who.clone(),
                    None if id == "*" => UserId::new("*"),
                    None => UserId::with_prefix(&id),
                };
                new_link = Some(Link::Mention(who));
            }
            "quote" => kind = Kind::Quote,
            "legacyquote" | "e_m" | "context" => kind = Kind::Silent,
            "br" => {
                self.text("\n");
                return;
            }
            foreign if is_foreign(foreign) => {}
            "script" | "style" => kind = Kind::Silent,
            _ if self.record => self.text(" "),
            // Nobody types attributes: this is a tag, though of an unknown name.
            _ if tag.contains('=') && tag.contains(' ') => {}
            _ => {
                self.text(&format!("<{}>", &**tag));
                return;
            }
        }
        if empty {
            return;
        }
        self.flush();
        match kind {
            Kind::Centre => {
                self.end_block();
                self.align = Align::Centre;
            }
            Kind::Quote if self.quotes.len() < MAX_QUOTES => {
                self.end_block();
                let blocks = std::mem::take(&mut self.blocks);
                self.quotes.push(Outer { blocks, from: attribution(tag) });
            }
            Kind::Quote => kind = Kind::Style,
            Kind::Silent => self.silent += 1,
            Kind::Style | Kind::Anchor { .. } | Kind::Pre { .. } => {}
        }
        self.style = style;
        if let Some(link) = new_link {
            self.link = Some(link);
        }
        let name: Box<str> = name.into();
        *self.open.entry(name.clone()).or_default() += 1;
        self.stack.push(Open { name, style: before, link: link_before, kind });
    }

    fn end(&mut self, name: &str) {
        let name = name.to_ascii_lowercase();
        match self.open.get(name.as_str()) {
            Some(0) | None => {
                // An end of something never opened: shown only if it is no tag at all.
                let known = self.record || is_foreign(&name) || is_ours(&name);
                if !known {
                    self.text(&format!("</{name}>"));
                }
            }
            Some(_) => {
                while let Some(top) = self.stack.pop() {
                    let found = *top.name == *name;
                    self.close(top);
                    if found {
                        break;
                    }
                }
            }
        }
    }

    fn close(&mut self, open: Open) {
        if let Some(count) = self.open.get_mut(&open.name) {
            *count -= 1;
        }
        match open.kind {
            Kind::Style => self.flush(),
            Kind::Anchor { target, label_from } => {
                self.flush();
                self.show_host(&target, label_from);
            }
            Kind::Pre { from } => self.end_pre(from),
            Kind::Centre => {
                self.end_block();
                self.align = Align::Left;
            }
            Kind::Quote => {
                self.end_block();
                if let Some(outer) = self.quotes.pop() {
                    let body = std::mem::replace(&mut self.blocks, outer.blocks);
                    self.blocks.push(Block::Quote { from: outer.from, body });
                }
            }
            Kind::Silent => self.silent -= 1,
        }
        self.style = open.style;
        self.link = open.link;
    }

    /// A label that is not the address itself gets the real host beside it.
    fn show_host(&mut self, target: &Clean, label_from: usize) {
        let label: String = self.spans.iter().skip(label_from).map(|s| s.text.as_str()).collect();
        let bare = |s: &str| s.trim().trim_end_matches('/').to_ascii_lowercase();
        let address = bare(target);
        let label = bare(&label);
        let same = address == label
            || ["https://", "http://", "mailto:"]
                .iter()
                .any(|p| address.strip_prefix(p) == Some(&label));
        if same || label.is_empty() {
            if label.is_empty() {
                self.spans.push(Span {
                    text: target.clone(),
                    style: self.style,
                    link: Some(Link::Url(target.clone())),
                });
            }
            return;
        }
        let style = SpanStyle { dim: true, ..SpanStyle::default() };
        let host = link::host(target.strip_prefix("mailto:").unwrap_or(target));
        let text = Clean::line(host);
        let text = Clean::text(&format!(" [{text}]"));
        self.spans.push(Span { text, style, link: Some(Link::Url(target.clone())) });
    }

    fn finish(mut self) -> RichText {
        while let Some(open) = self.stack.pop() {
            self.close(open);
        }
        self.end_block();
        RichText { blocks: self.blocks }
    }
}

#[cfg(test)]
mod tests;
