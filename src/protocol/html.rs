//! Teams HTML (`RichText/Html`) to [`RichText`] through html2text, with limits (facts 4.2).
//!
//! html2text slows with the square of nesting, so what is too large or too deep is shown as stripped text.

use super::{link, richtext};
use crate::model::{Align, Block, Clean, Link, RichText, Span, SpanStyle};
use html2text::render::{RichAnnotation, TaggedLineElement};

const MAX_BYTES: usize = 64 * 1024;
const MAX_OPEN_TAGS: usize = 200;
/// Wide enough that html2text never wraps; the pane does that.
const WIDTH: usize = 1000;

/// True for a `RichText` body that is really block HTML.
pub fn looks_like_html(content: &str) -> bool {
    let start = content.trim_start();
    ["<div", "<p>", "<p ", "<table", "<ul", "<ol"]
        .iter()
        .any(|tag| start.get(..tag.len()).is_some_and(|s| s.eq_ignore_ascii_case(tag)))
}

pub fn parse(html: &str) -> RichText {
    if html.len() > MAX_BYTES || depth(html) > MAX_OPEN_TAGS {
        return RichText::plain(&richtext::strip(html));
    }
    let config = html2text::config::rich().unicode_strikeout(false).allow_width_overflow();
    match config.lines_from_read(html.as_bytes(), WIDTH) {
        Ok(lines) => {
            let mut spans: Vec<Span> = Vec::new();
            for (i, line) in lines.iter().enumerate() {
                if i > 0 {
                    spans.push(Span { text: Clean::text("\n"), ..Span::default() });
                }
                for element in line.iter() {
                    if let TaggedLineElement::Str(piece) = element {
                        link::linkify(span(&piece.s, &piece.tag), &mut spans);
                    }
                }
            }
            while spans.last().is_some_and(|s| s.text.trim().is_empty()) {
                spans.pop();
            }
            RichText { blocks: vec![Block::Paragraph { align: Align::Left, spans }] }
        }
        Err(_) => RichText::plain(&richtext::strip(html)),
    }
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
            RichAnnotation::Link(url) => target = link::safe_target(url).map(Link::Url),
            _ => {}
        }
    }
    Span { text: Clean::text(text), style, link: target }
}

/// Tags opened and not closed at the worst place, counted without parsing.
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
mod tests {
    use super::*;

    #[test]
    fn a_teams_body_reads_as_text_with_styles_and_links() {
        let rich = parse(
            "<div><p>Hello <strong>all</strong> &amp; <a href=\"https://x.example\">here</a></p><ul><li>one</li></ul></div>",
        );
        assert_eq!(rich.plain_text(), "Hello all & here\n* one");
        assert_eq!(rich.links().len(), 1);
    }

    #[test]
    fn a_tower_of_tags_is_stripped_and_nothing_is_lost() {
        let tower = format!("{}end", "<div>".repeat(5000));
        assert_eq!(parse(&tower).plain_text(), "end");
    }
}
