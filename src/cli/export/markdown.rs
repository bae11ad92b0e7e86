//! Markdown: a heading for each conversation and each day, a paragraph for each message.

use super::media::MediaView;
use super::{ExportChat, ExportItem, ExportWriter};
use std::io::{self, Write};

pub struct Markdown;

/// What stands for a character that would be markup anywhere, or that ends a line.
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

/// Text in which nothing is markup. Line breaks stay.
fn escaped(text: &str) -> String {
    let lines = text.split('\n').map(|line| {
        let start = line.len() - line.trim_start_matches(' ').len();
        let (spaces, rest) = line.split_at(start);
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, after) = rest.split_at(digits);
        // What would begin a list, or underline a heading.
        let is_numbered = (1..10).contains(&digits) && after.starts_with('.');
        let begins = is_numbered || rest.starts_with(['+', '-', '=']);
        let slash = if begins { "\\" } else { "" };
        format!("{spaces}{number}{slash}{}", super::escaped(after, escape))
    });
    lines.collect::<Vec<_>>().join("  \n")
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
        let text = escaped(&chat.text(message));
        let edited = if message.shows_edited() { " *(edited)*" } else { "" };
        let clock = message.at.clock(chat.zone);
        match chat.sender(message) {
            Some(name) => writeln!(out, "**{}** {clock}  \n{text}{edited}", escaped(&name))?,
            None => writeln!(out, "*{clock} {text}*")?,
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

/// A path as the target of a link.
fn target(path: &str) -> String {
    format!("<{}>", path.replace('\\', "\\\\").replace('<', "%3C").replace('>', "%3E"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_never_taken_for_markup() {
        assert_eq!(escaped("*a* _b_ <b> [x](y)"), "\\*a\\* \\_b\\_ \\<b\\> \\[x\\]\\(y\\)");
        assert_eq!(escaped("# one\n- two\n1. three"), "\\# one  \n\\- two  \n1\\. three");
        assert_eq!(escaped("a - b 1.5"), "a - b 1.5");
    }
}
