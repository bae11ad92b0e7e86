//! Builds the text from tags: styles, links, quotes and blocks, whatever order they open and close in.

use super::MentionedPeople;
use super::parts::{attribute, attribution, color, trim_breaks};
use super::tag::{SLOTS, Tag};
use crate::model::{Align, Attribution, Block, Link, RichText, SafeText, Span, SpanStyle, UserId};
use crate::protocol::{link, tree};
use quick_xml::events::BytesStart;

/// Quotes in quotes deeper than this are drawn at this depth.
const MAX_QUOTES: usize = 6;
/// Tags open at once.
const MAX_OPEN: usize = 1_000;

/// What an open tag changed, to be undone by its end.
struct Open {
    tag: Tag,
    style: SpanStyle,
    link: Option<Link>,
    kind: ElementKind,
}

enum ElementKind {
    Style,
    /// An `a`, with the target and where its label began.
    Anchor {
        target: SafeText,
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

pub struct Builder<'a> {
    mentioned: &'a MentionedPeople,
    /// Tags of any name are tags.
    record: bool,
    blocks: Vec<Block>,
    spans: Vec<Span>,
    align: Align,
    pending: String,
    style: SpanStyle,
    link: Option<Link>,
    stack: Vec<Open>,
    /// How often each tag is open, so that an end without a start costs no search.
    open: [u32; SLOTS],
    quotes: Vec<Outer>,
    silent: usize,
    /// Starts that were passed over because too many tags were open.
    beyond: usize,
}

impl<'a> Builder<'a> {
    pub fn new(mentioned: &'a MentionedPeople, record: bool) -> Self {
        Self {
            mentioned,
            record,
            blocks: Vec::new(),
            spans: Vec::new(),
            align: Align::Left,
            pending: String::new(),
            style: SpanStyle::default(),
            link: None,
            stack: Vec::new(),
            open: [0; SLOTS],
            quotes: Vec::new(),
            silent: 0,
            beyond: 0,
        }
    }

    pub fn text(&mut self, text: &str) {
        if self.silent == 0 {
            self.pending.push_str(text);
        }
    }

    fn flush(&mut self) {
        if !self.pending.is_empty() {
            let text = SafeText::text(&self.pending);
            self.pending.clear();
            self.spans.push(Span { text, style: self.style, link: self.link.clone() });
        }
    }

    fn end_block(&mut self) {
        self.flush();
        let mut raw = std::mem::take(&mut self.spans);
        // Preformatted lines have no other style and no link, whether or not they became a block of their own.
        for span in raw.iter_mut().filter(|s| s.style.mono && s.text.contains('\n')) {
            span.style = SpanStyle { mono: true, ..SpanStyle::default() };
            span.link = None;
        }
        let mut spans = Vec::with_capacity(raw.len());
        for span in joined(raw) {
            link::linkify(span, &mut spans);
        }
        if spans.iter().any(|s| !s.text.is_empty()) {
            trim_breaks(&mut spans);
            if !spans.is_empty() {
                self.blocks.push(Block::Paragraph { align: self.align, spans });
            }
        }
    }

    fn is_open(&self, tag: Tag) -> bool {
        self.open.get(tag.slot()).is_some_and(|count| *count > 0)
    }

    fn emoticon(&mut self, name: &str, text: &str) {
        if self.silent == 0 {
            self.flush();
            let link = Some(Link::Emoticon(SafeText::line(name)));
            self.spans.push(Span { text: SafeText::line(text), style: self.style, link });
        }
    }

    /// Several lines of preformatted text stand by themselves; one line stays in its line.
    fn end_pre(&mut self, from: usize) {
        self.flush();
        let inner = self.spans.get(from..).unwrap_or_default();
        let code: String = inner.iter().map(|s| s.text.as_str()).collect();
        let code = code.trim_matches('\n');
        if code.contains('\n') {
            let block = Block::Code(SafeText::text(code));
            self.spans.truncate(from);
            self.end_block();
            self.blocks.push(block);
        }
    }

    pub fn start(&mut self, tag: &BytesStart<'_>, empty: bool) {
        let name = Tag::of(tag.name().0);
        // There is no link in a link: the one that is open ends here.
        if name == Tag::Anchor && self.is_open(name) {
            self.end(name, "");
        }
        let before = self.style;
        let link_before = self.link.clone();
        let mut style = self.style;
        let mut new_link = None;
        let mut kind = ElementKind::Style;
        match name {
            Tag::Bold => style.bold = true,
            Tag::Italic => style.italic = true,
            Tag::Underline => style.underline = true,
            Tag::Strike => style.strike = true,
            Tag::Pre => {
                style.mono = true;
                self.flush();
                kind = ElementKind::Pre { from: self.spans.len() };
            }
            Tag::Code => style.mono = true,
            Tag::Emoticon => {
                let name = attribute(tag, "type").unwrap_or_default();
                // With a picture of its own the text inside is for others.
                let alt = attribute(tag, "alt").filter(|alt| !alt.trim().is_empty());
                if let Some(alt) = alt.or_else(|| empty.then(|| format!("({name})"))) {
                    self.emoticon(&name, &alt);
                    kind = ElementKind::Silent;
                } else if !name.is_empty() {
                    new_link = Some(Link::Emoticon(SafeText::line(&name)));
                }
            }
            Tag::Flag => {
                let country = attribute(tag, "country").unwrap_or_default();
                if country.len() == 2 {
                    let name = format!("flag:{}", country.to_ascii_lowercase());
                    if empty {
                        self.emoticon(&name, &format!("({name})"));
                    }
                    new_link = Some(Link::Emoticon(SafeText::line(&name)));
                }
            }
            Tag::Image => {
                let alt = attribute(tag, "alt").unwrap_or_default();
                self.text(&alt);
                return;
            }
            Tag::Blink => style.blink = true,
            Tag::Font => {
                for (key, value) in tree::attributes(tag) {
                    match key.as_str() {
                        "color" => style.color = color(&value).or(style.color),
                        "size" => style.size = value.trim().parse().ok().or(style.size),
                        _ => {}
                    }
                }
            }
            Tag::Centre => kind = ElementKind::Centre,
            Tag::Anchor => {
                let href = attribute(tag, "href").unwrap_or_default();
                if let Some(target) = link::safe_target(&href) {
                    new_link = Some(Link::Url(target.clone()));
                    self.flush();
                    let label_from = self.spans.len();
                    kind = ElementKind::Anchor { target, label_from };
                }
            }
            Tag::At => {
                let id = attribute(tag, "id").unwrap_or_default();
                let numbered = self.mentioned.iter().find(|(number, _)| *number == id);
                let who = match numbered {
                    Some((_, who)) => who.clone(),
                    None if id == "*" => UserId::new("*"),
                    None => UserId::with_prefix(&id),
                };
                new_link = Some(Link::Mention(who));
            }
            Tag::Quote => kind = ElementKind::Quote,
            Tag::Silent(_) => kind = ElementKind::Silent,
            Tag::Break => {
                self.text("\n");
                return;
            }
            Tag::Foreign(_) => {}
            Tag::Unknown if self.record => self.text(" "),
            // Nobody types attributes: this is a tag, though of an unknown name.
            Tag::Unknown if tag.contains('=') && tag.contains(' ') => {}
            Tag::Unknown => {
                self.text(&format!("<{}>", &**tag));
                return;
            }
        }
        if empty {
            return;
        }
        self.flush();
        match kind {
            ElementKind::Centre => {
                self.end_block();
                self.align = Align::Centre;
            }
            ElementKind::Quote if self.quotes.len() < MAX_QUOTES => {
                self.end_block();
                let blocks = std::mem::take(&mut self.blocks);
                self.quotes.push(Outer { blocks, from: attribution(tag) });
            }
            ElementKind::Quote => kind = ElementKind::Style,
            ElementKind::Silent => self.silent += 1,
            ElementKind::Style | ElementKind::Anchor { .. } | ElementKind::Pre { .. } => {}
        }
        self.style = style;
        if let Some(link) = new_link {
            self.link = Some(link);
        }
        if self.stack.len() >= MAX_OPEN {
            // Undone at once: what is nested this deep is no formatting, and its text is kept.
            let open = Open { tag: name, style: before, link: link_before, kind };
            self.undo(open);
            self.beyond += 1;
            return;
        }
        if let Some(count) = self.open.get_mut(name.slot()) {
            *count += 1;
        }
        self.stack.push(Open { tag: name, style: before, link: link_before, kind });
    }

    pub fn end(&mut self, tag: Tag, name: &str) {
        if self.beyond > 0 {
            self.beyond -= 1;
            return;
        }
        if !self.is_open(tag) {
            // An end of something never opened: shown only if it is no tag at all.
            if tag == Tag::Unknown && !self.record {
                self.text(&format!("</{name}>"));
            }
            return;
        }
        while let Some(top) = self.stack.pop() {
            let found = top.tag == tag;
            self.close(top);
            if found {
                break;
            }
        }
    }

    fn close(&mut self, open: Open) {
        if let Some(count) = self.open.get_mut(open.tag.slot()) {
            *count -= 1;
        }
        self.undo(open);
    }

    /// Puts back what an open tag changed.
    fn undo(&mut self, open: Open) {
        match open.kind {
            ElementKind::Anchor { target, label_from } => {
                self.flush();
                self.show_host(&target, label_from);
            }
            // Only the outermost one: the text of one inside another would be gathered over and over.
            ElementKind::Pre { from } if !self.is_open(Tag::Pre) => self.end_pre(from),
            ElementKind::Style | ElementKind::Pre { .. } => self.flush(),
            ElementKind::Centre => {
                self.end_block();
                self.align = Align::Left;
            }
            ElementKind::Quote => {
                self.end_block();
                if let Some(outer) = self.quotes.pop() {
                    let body = std::mem::replace(&mut self.blocks, outer.blocks);
                    self.blocks.push(Block::Quote { from: outer.from, body });
                }
            }
            ElementKind::Silent => self.silent -= 1,
        }
        self.style = open.style;
        self.link = open.link;
    }

    /// A label that is not the address itself gets the real host beside it.
    fn show_host(&mut self, target: &SafeText, label_from: usize) {
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
                // White space is no label; it stays as what it is, and the address stands for itself.
                self.spans.iter_mut().skip(label_from).for_each(|span| span.link = None);
                self.spans.push(Span {
                    text: target.clone(),
                    style: self.style,
                    link: Some(Link::Url(target.clone())),
                });
            }
            return;
        }
        // White space at the end of a label is none of it: the host stands before it.
        let is_label = |span: &Span| !span.text.trim().is_empty();
        let end = self.spans.iter().rposition(is_label).map_or(self.spans.len(), |last| last + 1);
        self.spans.iter_mut().skip(end).for_each(|span| span.link = None);
        let style = SpanStyle { dim: true, ..SpanStyle::default() };
        let host = link::host(target.strip_prefix("mailto:").unwrap_or(target));
        let text = SafeText::line(host);
        let text = SafeText::text(&format!(" [{text}]"));
        self.spans.insert(end, Span { text, style, link: Some(Link::Url(target.clone())) });
    }

    pub fn finish(mut self) -> RichText {
        while let Some(open) = self.stack.pop() {
            self.close(open);
        }
        self.end_block();
        RichText { blocks: self.blocks }
    }
}

/// Neighbours of one style as one span: an address that a dropped tag cut in two is whole again.
fn joined(spans: Vec<Span>) -> Vec<Span> {
    let mut out: Vec<Span> = Vec::with_capacity(spans.len());
    let mut parts: Vec<SafeText> = Vec::new();
    for span in spans {
        let same = out.last().is_some_and(|last| {
            last.style == span.style && last.link.is_none() && span.link.is_none()
        });
        if same {
            parts.push(span.text);
            continue;
        }
        append(&mut out, &mut parts);
        out.push(span);
    }
    append(&mut out, &mut parts);
    out
}

/// All parts at once, so that many of them cost no more than their length.
fn append(out: &mut [Span], parts: &mut Vec<SafeText>) {
    if let Some(last) = out.last_mut().filter(|_| !parts.is_empty()) {
        let whole: String =
            std::iter::once(&last.text).chain(parts.iter()).map(SafeText::as_str).collect();
        last.text = SafeText::text(&whole);
        parts.clear();
    }
}
