//! Converts Teams HTML (`RichText/Html`) to [`RichText`] by html2text, within limits (facts 4.2).
//!
//! html2text takes quadratic time for nested tags, so HTML that is too large or too deeply nested loses its tags.

mod prepare;

use super::richtext::MentionedPeople;
use super::{link, richtext};
use crate::model::{Align, Block, Link, RichText, SafeText, Span, SpanStyle, UserId};
use html2text::render::{RichAnnotation, TaggedLineElement};

const MAX_BYTES: usize = 64 * 1024;
const MAX_OPEN_TAGS: usize = 200;
/// Wide enough that html2text does not wrap lines; the message pane does that.
const WIDTH: usize = 1000;

/// Whether a `RichText` body is in fact HTML with block elements.
pub(crate) fn looks_like_html(content: &str) -> bool {
    const BLOCKS: [&str; 16] = [
        "p",
        "div",
        "table",
        "ul",
        "ol",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "blockquote",
        "section",
        "article",
        "html",
        "body",
    ];
    const DOCTYPE: &str = "!doctype html";
    let Some(tag) = content.trim_start().strip_prefix('<') else { return false };
    let end = tag.bytes().position(|byte| !byte.is_ascii_alphanumeric());
    let name = tag.get(..end.unwrap_or(tag.len())).unwrap_or_default();
    BLOCKS.iter().any(|block| name.eq_ignore_ascii_case(block))
        || tag.get(..DOCTYPE.len()).is_some_and(|start| start.eq_ignore_ascii_case(DOCTYPE))
}

/// A part of a body: HTML for html2text, or a block that needs no further conversion.
enum Section {
    Html(String),
    Ready(Block),
}

/// Converts a body. `mentioned` are the people that numbers in mention tags refer to.
pub fn parse(html: &str, mentioned: &MentionedPeople) -> RichText {
    if html.len() > MAX_BYTES || depth(html) > MAX_OPEN_TAGS {
        return RichText::plain(&richtext::strip(html));
    }
    RichText { blocks: blocks(prepare::sections(html, mentioned)) }
}

fn blocks(sections: Vec<Section>) -> Vec<Block> {
    let mut blocks = Vec::new();
    for section in sections {
        match section {
            Section::Ready(block) => blocks.push(block),
            Section::Html(html) => {
                let spans = spans(&html);
                if spans.iter().any(|s| !s.text.trim().is_empty()) {
                    blocks.push(Block::Paragraph { align: Align::Left, spans });
                }
            }
        }
    }
    blocks
}

fn spans(html: &str) -> Vec<Span> {
    let config = html2text::config::rich()
        .unicode_strikeout(false)
        .allow_width_overflow()
        .no_table_borders();
    let Ok(lines) = config.lines_from_read(html.as_bytes(), WIDTH) else {
        return vec![Span { text: SafeText::text(&richtext::strip(html)), ..Span::default() }];
    };
    let mut spans: Vec<Span> = Vec::new();
    let mut blank = true;
    for line in &lines {
        let line: Vec<Span> = line
            .iter()
            .filter_map(|element| match element {
                TaggedLineElement::Str(piece) => Some(span(&piece.s, &piece.tag)),
                TaggedLineElement::FragmentStart(_) => None,
            })
            .collect();
        // Editors insert empty paragraphs as spacing: keep one blank line at most, and none at the start.
        let is_blank = line.iter().all(|s| s.text.trim().is_empty());
        if is_blank && blank {
            continue;
        }
        if !spans.is_empty() {
            spans.push(Span { text: SafeText::text("\n"), ..Span::default() });
        }
        blank = is_blank;
        let last = line.len().saturating_sub(1);
        for (i, mut span) in line.into_iter().enumerate() {
            if i == last && !span.style.mono {
                span.text = SafeText::text(span.text.trim_end());
            }
            link::linkify(span, &mut spans);
        }
    }
    while spans.last().is_some_and(|s| s.text.trim().is_empty()) {
        spans.pop();
    }
    spans
}

fn span(text: &str, tags: &[RichAnnotation]) -> Span {
    let mut style = SpanStyle::default();
    let mut target = None;
    for tag in tags {
        match tag {
            RichAnnotation::Emphasis => style.italic = true,
            RichAnnotation::Strong => style.bold = true,
            RichAnnotation::Strikeout => style.strike = true,
            RichAnnotation::Code | RichAnnotation::Preformat(_) => style.mono = true,
            RichAnnotation::Link(url) => {
                if url == prepare::UNDERLINE {
                    style.underline = true;
                } else if let Some(who) = url.strip_prefix(prepare::MENTION) {
                    target = Some(Link::Mention(UserId::new(who)));
                } else if let Some(name) = url.strip_prefix(prepare::EMOTICON) {
                    target = Some(Link::Emoticon(SafeText::line(name)));
                } else {
                    target = link::safe_target(url).map(Link::Url);
                }
            }
            _ => {}
        }
    }
    Span { text: SafeText::text(text), style, link: target }
}

/// The largest number of tags that are open at the same time, estimated without parsing.
fn depth(html: &str) -> usize {
    let bytes = html.as_bytes();
    let mut open = 0usize;
    let mut worst = 0;
    for pair in bytes.windows(2) {
        match pair {
            [b'<', b'/'] | [b'/', b'>'] => open = open.saturating_sub(1),
            [b'<', c] if c.is_ascii_alphabetic() => {
                open += 1;
                worst = worst.max(open);
            }
            _ => {}
        }
    }
    worst
}

#[cfg(test)]
mod tests;
