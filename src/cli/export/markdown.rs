//! Markdown: a heading for each conversation and each day, a paragraph for each message. Styles are written as the HTML
//! tags that every renderer of Markdown knows: `**` does not work next to every letter.

use super::media::MediaView;
use super::{ExportChat, ExportItem, ExportWriter};
use crate::model::{Attribution, Block, Link, MessageBody, RichText, Span};
use std::fmt::Write as _;
use std::io::{self, Write};

pub struct Markdown;

/// A line break within a paragraph.
const BREAK: &str = "  \n";

/// The replacement of a character that would be markup anywhere.
fn escape(c: char) -> Option<&'static str> {
    Some(match c {
        '\\' => "\\\\",
        '`' => "\\`",
        '*' => "\\*",
        '_' => "\\_",
        '{' => "\\{",
        '}' => "\\}",
        '[' => "\\[",
        ']' => "\\]",
        '<' => "\\<",
        '>' => "\\>",
        '(' => "\\(",
        ')' => "\\)",
        '#' => "\\#",
        '!' => "\\!",
        '|' => "\\|",
        '~' => "\\~",
        '&' => "\\&",
        _ => return None,
    })
}

/// A line, or the rest of one, in which nothing is markup.
fn escaped_line(line: &str, begins_line: bool) -> String {
    if !begins_line {
        return super::escaped(line, escape).into_owned();
    }
    let rest = line.trim_start_matches([' ', '\t']);
    let (spaces, _) = line.split_at(line.len() - rest.len());
    let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, after) = rest.split_at(digits);
    // These would begin a list, or underline a heading.
    let is_numbered = (1..10).contains(&digits) && after.starts_with('.');
    let begins = is_numbered || rest.starts_with(['+', '-', '=']);
    let slash = if begins { "\\" } else { "" };
    // Four spaces would begin a block of code.
    let spaces = spaces.replace(' ', "&nbsp;").replace('\t', "&#9;");
    format!("{spaces}{number}{slash}{}", super::escaped(after, escape))
}

/// Text in which nothing is markup. Line breaks stay.
fn escaped(text: &str) -> String {
    let lines: Vec<String> = text.split('\n').map(|line| escaped_line(line, true)).collect();
    lines.join(BREAK)
}

/// The target of a link, between angle brackets.
fn target(path: &str) -> String {
    let path = path.replace('\\', "\\\\").replace('<', "%3C").replace('>', "%3E");
    format!("<{}>", path.replace(['\n', '\r'], ""))
}

/// One line of a span. The tags are closed at its end: a line of just a tag would start HTML up to the next empty line.
fn span_line(span: &Span, line: &str, begins_line: bool, out: &mut String) {
    if line.is_empty() {
        return;
    }
    let tags = super::style_tags(span.style);
    for tag in &tags {
        let _ = write!(out, "<{tag}>");
    }
    let text = escaped_line(line, begins_line);
    match &span.link {
        Some(Link::Url(url)) => {
            let _ = write!(out, "[{text}]({})", target(url));
        }
        _ => out.push_str(&text),
    }
    for tag in tags.iter().rev() {
        let _ = write!(out, "</{tag}>");
    }
}

fn paragraph(spans: &[Span]) -> String {
    let mut out = String::new();
    for span in spans {
        for (at, line) in span.text.split('\n').enumerate() {
            if at > 0 {
                out.push_str(BREAK);
            }
            let begins_line = out.is_empty() || out.ends_with('\n');
            span_line(span, line, begins_line, &mut out);
        }
    }
    out
}

/// A block of code, between fences that are longer than any in it.
fn code(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}\n{}\n{fence}", text.trim_end_matches('\n'))
}

/// The separator of two blocks.
fn separator(before: Option<&Block>, block: &Block) -> &'static str {
    match (before, block) {
        (None, _) => "",
        (Some(Block::Paragraph { .. }), Block::Paragraph { .. }) => BREAK,
        // A line that follows would be part of the quote.
        (Some(Block::Quote { .. }), _) => "\n\n",
        (Some(_), _) => "\n",
    }
}

fn blocks(list: &[Block]) -> String {
    let mut out = String::new();
    let mut before = None;
    for block in list {
        out.push_str(separator(before, block));
        before = Some(block);
        match block {
            Block::Paragraph { spans, .. } => out.push_str(&paragraph(spans)),
            Block::Quote { from, body } => {
                // A block of code must begin on a new line.
                let follows = matches!(body.first(), None | Some(Block::Paragraph { .. }));
                let gap = if follows { " " } else { "\n" };
                let name = |from: &Attribution| format!("**{}**:{gap}", escaped(from.name.trim()));
                let who = from.as_deref().map(name);
                let quoted = format!("{}{}", who.unwrap_or_default(), blocks(body));
                let lines: Vec<String> = quoted.split('\n').map(|l| format!("> {l}")).collect();
                out.push_str(&lines.join("\n"));
            }
            Block::Code { text, .. } => out.push_str(&code(text)),
            Block::Media(_) => {
                let text = RichText { blocks: vec![block.clone()] }.plain_text();
                out.push_str(&escaped(&text));
            }
        }
    }
    out
}

/// The content of a message, so that it can follow the line of its sender.
fn body(chat: &ExportChat<'_>, item: &ExportItem<'_>) -> (String, &'static str) {
    match &item.message.body {
        MessageBody::Text(text) => {
            let follows = matches!(text.blocks.first(), None | Some(Block::Paragraph { .. }));
            (blocks(&text.blocks), if follows { BREAK } else { "\n" })
        }
        _ => (escaped(&chat.text(item.message)), BREAK),
    }
}

impl ExportWriter for Markdown {
    fn chat(&mut self, chat: &ExportChat<'_>, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "# {}\n", escaped(chat.title))
    }

    fn day(&mut self, name: &str, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "## {}\n", escaped(name))
    }

    fn message(
        &mut self,
        chat: &ExportChat<'_>,
        item: &ExportItem<'_>,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let message = item.message;
        let clock = message.at.clock(chat.zone);
        let (text, follows) = body(chat, item);
        match chat.sender(message) {
            Some(name) => writeln!(out, "**{}** {clock}{follows}{text}", escaped(name.trim()))?,
            None => writeln!(out, "<i>{clock} {}</i>", text.trim())?,
        }
        if message.shows_edited() {
            writeln!(out, "\n*(edited)*")?;
        }
        match item.media.view() {
            MediaView::Picture(path) => writeln!(out, "\n![]({})", target(path))?,
            MediaView::File(path) => writeln!(out, "\n[file]({})", target(path))?,
            MediaView::Missing(why) => writeln!(out, "\n*{}*", escaped(why))?,
            MediaView::None => {}
        }
        writeln!(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::richtext;

    #[test]
    fn text_is_never_taken_for_markup() {
        assert_eq!(escaped("*a* _b_ <b> [x](y)"), "\\*a\\* \\_b\\_ \\<b\\> \\[x\\]\\(y\\)");
        assert_eq!(escaped("# one\n- two\n1. three"), "\\# one  \n\\- two  \n1\\. three");
        assert_eq!(escaped("a - b 1.5"), "a - b 1.5");
        assert_eq!(escaped("a\n\n    code"), "a  \n  \n&nbsp;&nbsp;&nbsp;&nbsp;code");
    }

    #[test]
    fn styles_quotes_and_code_are_kept() {
        let shown = |markup: &str| blocks(&richtext::parse(markup).blocks);
        assert_eq!(shown("a<b>*b*</b>c"), "a<b>\\*b\\*</b>c");
        assert_eq!(shown("<b>a\n\nb</b>"), "<b>a</b>  \n  \n<b>b</b>");
        assert_eq!(
            shown("<a href=\"https://a.example/?x=%3E\">here</a>"),
            "[here](<https://a.example/?x=%3E>)[ \\[a.example\\]](<https://a.example/?x=%3E>)"
        );
        assert_eq!(
            shown("<quote authorname=\"Joe\">Who?\nYou?</quote>Me"),
            "> **Joe**: Who?  \n> You?\n\nMe"
        );
        assert_eq!(shown("<pre>a ``` *b*\n    c</pre>"), "````\na ``` *b*\n    c\n````");
    }
}
