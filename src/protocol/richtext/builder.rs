//! Builds formatted text from tags, which may be opened and closed in any order.

mod links;
mod pictures;

use super::emoticon;
use super::open_tags::{ElementKind, Open, OpenTags};
use super::parts::{
    attribute, attribution, css, font, is_answer_part, joined, language, style_of, trim_breaks,
};
use super::tag::{Meaning, Tag};
use super::{MentionedPeople, mentioned_person};
use crate::model::{Align, Attribution, Block, Link, RichText, SafeText, Span, SpanStyle, UserId};
use crate::protocol::link;
use quick_xml::events::BytesStart;

/// The deepest nesting of quotes; deeper ones are shown at this depth.
const MAX_QUOTES: usize = 6;

/// What surrounds an open quote: the blocks before it, and who is quoted.
struct Outer {
    blocks: Vec<Block>,
    from: Option<Box<Attribution>>,
}

pub struct Builder<'a> {
    mentioned: &'a MentionedPeople,
    /// The markup is a record, where unknown tags are tags, too.
    record: bool,
    blocks: Vec<Block>,
    spans: Vec<Span>,
    align: Align,
    pending: Pending,
    style: SpanStyle,
    link: Option<Link>,
    /// How many `a` tags were links.
    anchors: usize,
    open: OpenTags,
    quotes: Vec<Outer>,
    /// Open tags whose content is replaced or not shown if they have an end. Nothing in them begins a block.
    inline: usize,
}

/// Text that is not a span yet, and the style in which it was read.
#[derive(Default)]
struct Pending {
    text: String,
    style: SpanStyle,
    /// A tag has begun or ended since the style was compared.
    after_tag: bool,
}

/// What a tag changes for its content.
struct TagChange {
    style: SpanStyle,
    link: Option<Link>,
    kind: ElementKind,
}

impl<'a> Builder<'a> {
    pub fn new(mentioned: &'a MentionedPeople, record: bool) -> Self {
        Self {
            mentioned,
            record,
            blocks: Vec::new(),
            spans: Vec::new(),
            align: Align::Left,
            pending: Pending::default(),
            style: SpanStyle::default(),
            link: None,
            anchors: 0,
            open: OpenTags::new(),
            quotes: Vec::new(),
            inline: 0,
        }
    }

    /// Reserves room for this many bytes of text, so that it need not be moved as it grows.
    pub fn make_room(&mut self, bytes: usize) {
        self.pending.text.reserve(bytes);
    }

    pub fn text(&mut self, text: &str) {
        // Here and not at each tag: text of the same style may follow.
        if std::mem::take(&mut self.pending.after_tag) && self.pending.style != self.style {
            self.flush();
            self.pending.style = self.style;
        }
        self.pending.text.push_str(text);
    }

    /// Begins a new line, unless one has just begun.
    fn break_line(&mut self) {
        let at_start = match self.pending.text.chars().next_back() {
            Some(last) => last == '\n',
            None => self.spans.last().is_none_or(|span| span.text.ends_with('\n')),
        };
        if !at_start {
            self.text("\n");
        }
    }

    fn flush(&mut self) {
        if !self.pending.text.is_empty() {
            let text = SafeText::text(&self.pending.text);
            self.pending.text.clear();
            let style = self.pending.style;
            self.spans.push(Span { text, style, link: self.link.clone() });
        }
    }

    fn end_block(&mut self) {
        self.flush();
        if self.spans.is_empty() {
            return;
        }
        let mut raw = std::mem::take(&mut self.spans);
        // Preformatted text of several lines has no other style and no link, even if it did not become a block.
        for span in raw.iter_mut().filter(|s| s.style.mono && s.text.contains('\n')) {
            span.style = SpanStyle { mono: true, ..SpanStyle::default() };
            span.link = None;
        }
        let mut raw = joined(raw);
        let mut spans = Vec::with_capacity(raw.len());
        for span in raw.drain(..) {
            link::linkify(span, &mut spans);
        }
        self.spans = raw;
        if spans.iter().any(|s| !s.text.is_empty()) {
            trim_breaks(&mut spans);
            if !spans.is_empty() {
                self.blocks.push(Block::Paragraph { align: self.align, spans });
            }
        }
    }

    /// Makes a block of preformatted text that has several lines or names a language; otherwise it stays a span.
    fn end_pre(&mut self, from: usize, language: Option<Box<str>>) {
        self.flush();
        let inner = self.spans.get(from..).unwrap_or_default();
        if language.is_none() && inner.iter().all(|span| !span.text.contains('\n')) {
            return;
        }
        let code: String = inner.iter().map(|s| s.text.as_str()).collect();
        let code = code.trim_matches('\n');
        if code.contains('\n') || (language.is_some() && !code.is_empty()) {
            let block = Block::Code { text: SafeText::text(code), language };
            self.spans.truncate(from);
            self.end_block();
            self.blocks.push(block);
        }
    }

    /// Opens a tag, or draws one that has no content.
    pub fn start(&mut self, tag: &BytesStart<'_>, empty: bool) {
        let name = Tag::of(tag.name().0);
        let meaning = name.meaning();
        // Links are not nested: an open one ends here.
        if matches!(meaning, Meaning::Anchor) && self.open.holds(name) {
            self.end(name, "");
        }
        // Nested too deeply: ignored. A hostile text may have 100,000 of these.
        if !empty && self.open.is_full() && self.is_formatting(name, meaning, tag) {
            self.open.skip();
            return;
        }
        let Some(mut change) = self.change_of(name, tag, empty).filter(|_| !empty) else {
            return;
        };
        let is_style = matches!(change.kind, ElementKind::Style | ElementKind::Block);
        if is_style && self.open.is_full() {
            self.open.skip();
            return;
        }
        if !is_style || change.link.is_some() {
            self.flush();
        }
        let within_line = self.inline > 0;
        match change.kind {
            ElementKind::Centre | ElementKind::Quote | ElementKind::Pre { .. } if within_line => {
                change.kind = ElementKind::Style;
            }
            ElementKind::Centre => {
                self.end_block();
                self.align = Align::Centre;
            }
            ElementKind::Quote if self.quotes.len() < MAX_QUOTES => {
                self.end_block();
                // Most quotes have one block.
                let blocks = std::mem::replace(&mut self.blocks, Vec::with_capacity(1));
                self.quotes.push(Outer { blocks, from: attribution(tag).map(Box::new) });
            }
            ElementKind::Quote => change.kind = ElementKind::Style,
            ElementKind::Silent { .. } => {
                self.inline += 1;
                change.kind = ElementKind::Silent { from: self.spans.len() };
            }
            ElementKind::Emoticon { .. } => self.inline += 1,
            _ => {}
        }
        let before = std::mem::replace(&mut self.style, change.style);
        self.pending.after_tag = true;
        let link_before = self.link.clone();
        if let Some(link) = change.link {
            self.link = Some(link);
        }
        let open = Open { tag: name, style: before, link: link_before, kind: change.kind };
        if let Some(too_many) = self.open.push(open) {
            // Nested too deeply to be formatting: the change is undone at once, and the text is kept.
            self.undo(too_many, false);
        }
    }

    /// Whether a tag does nothing but change how its content looks, hide it, or say what it stands for.
    fn is_formatting(&self, name: Tag, meaning: Meaning, tag: &BytesStart<'_>) -> bool {
        match meaning {
            Meaning::Style { .. }
            | Meaning::Font
            | Meaning::Styled
            | Meaning::Mention
            | Meaning::Dropped => true,
            Meaning::Pre => self.open.holds(name),
            // With `alt` it has text of its own.
            Meaning::Emoticon => attribute(tag, "alt").is_none(),
            _ => false,
        }
    }

    /// What a tag changes for its content; `None` if it is a line break, a picture or literal text.
    fn change_of(&mut self, name: Tag, tag: &BytesStart<'_>, empty: bool) -> Option<TagChange> {
        let meaning = name.meaning();
        let mut change = TagChange { style: self.style, link: None, kind: ElementKind::Style };
        match meaning {
            Meaning::Style { field, .. } => *field(&mut change.style) = true,
            // Within another one it changes nothing.
            Meaning::Pre if self.open.holds(name) => change.style.mono = true,
            Meaning::Pre => {
                change.style.mono = true;
                self.flush();
                change.kind = ElementKind::Pre { from: self.spans.len(), language: language(tag) };
            }
            Meaning::Code => {
                change.style.mono = true;
                self.open.name_language(|| language(tag));
            }
            Meaning::Font => font(tag, &mut change.style),
            Meaning::Centre => change.kind = ElementKind::Centre,
            Meaning::Anchor => self.anchor(tag, &mut change),
            Meaning::Mention => change.link = Some(Link::Mention(self.mentioned(tag))),
            Meaning::Quote => change.kind = ElementKind::Quote,
            Meaning::Emoticon => self.emoticon(tag, empty, &mut change),
            Meaning::Emoji => {
                let alt = attribute(tag, "alt").or_else(|| attribute(tag, "title"));
                self.text(&alt.unwrap_or_default());
            }
            Meaning::Flag => change.link = self.flag(tag, empty),
            Meaning::Image => {
                self.text(&attribute(tag, "alt").unwrap_or_default());
                return None;
            }
            Meaning::Break => {
                self.text("\n");
                return None;
            }
            Meaning::Silent => change.kind = ElementKind::Silent { from: 0 },
            Meaning::Block | Meaning::Heading | Meaning::Item => {
                self.break_line();
                change.kind = ElementKind::Block;
                change.style.bold |= matches!(meaning, Meaning::Heading);
                if matches!(meaning, Meaning::Item) {
                    self.text("* ");
                }
            }
            Meaning::Answer => {
                self.break_line();
                change.kind = ElementKind::Block;
                if let Some(answer) = attribute(tag, "answer") {
                    self.text(&super::strip(&answer));
                    self.break_line();
                }
            }
            Meaning::Cell => self.text(" "),
            Meaning::Rule => {
                self.break_line();
                self.text("———\n");
                return None;
            }
            Meaning::Styled | Meaning::Dropped => {}
            Meaning::Unknown if self.record => self.text(" "),
            Meaning::Unknown if is_answer_part(tag.name().0) => {}
            // With attributes it was not typed by a person: it is an unknown tag, and is dropped.
            Meaning::Unknown if tag.contains('=') && tag.contains(' ') => {}
            Meaning::Unknown => {
                self.text("<");
                self.text(tag);
                self.text(">");
                return None;
            }
        }
        if let Some(rules) = style_of(tag)
            && !css(&rules, &mut change.style)
        {
            change.kind = ElementKind::Silent { from: 0 };
        }
        Some(change)
    }

    /// The person in an `at` tag, by id or by number.
    fn mentioned(&self, tag: &BytesStart<'_>) -> UserId {
        let id = attribute(tag, "id").unwrap_or_default();
        match mentioned_person(self.mentioned, &id) {
            Some(who) => who.clone(),
            None if id == "*" => UserId::new("*"),
            None => UserId::with_prefix(&id),
        }
    }

    pub fn end(&mut self, tag: Tag, name: &str) {
        if self.open.skip_end() {
            return;
        }
        if !self.open.holds(tag) {
            // The end of a tag that is not open. It is shown only if it is not a known tag.
            if tag == Tag::UNKNOWN && !self.record && !is_answer_part(name) {
                self.text("</");
                self.text(name);
                self.text(">");
            }
            return;
        }
        while let Some(top) = self.open.pop() {
            let found = top.tag == tag;
            self.undo(top, found);
            if found {
                break;
            }
        }
    }

    /// Puts back what an open tag changed. `ended` is false where its own end is missing.
    fn undo(&mut self, open: Open, ended: bool) {
        match open.kind {
            ElementKind::Anchor { target, label_from } => {
                self.flush();
                self.show_host(&target, label_from);
            }
            // Only for the outermost one: collecting the text of each nested one would take quadratic time.
            ElementKind::Pre { from, language } if !self.open.holds(open.tag) => {
                self.end_pre(from, language);
            }
            ElementKind::Style if self.link == open.link => {}
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
            ElementKind::Silent { from } => {
                self.flush();
                self.inline = self.inline.saturating_sub(1);
                // Without an end tag, there is no telling what was to be hidden.
                if ended {
                    self.spans.truncate(from);
                }
            }
            ElementKind::Emoticon { name, from } => {
                self.flush();
                self.inline = self.inline.saturating_sub(1);
                if from <= self.spans.len() {
                    let inner = self.spans.split_off(from);
                    self.spans.extend(emoticon::of_text(&name, inner, open.link.as_ref(), ended));
                }
            }
            ElementKind::Block => {
                self.break_line();
                if self.link != open.link {
                    self.flush();
                }
            }
        }
        self.style = open.style;
        self.link = open.link;
        self.pending.after_tag = true;
    }

    pub fn finish(mut self) -> RichText {
        while let Some(open) = self.open.pop() {
            self.undo(open, false);
        }
        self.end_block();
        RichText { blocks: self.blocks }
    }
}
