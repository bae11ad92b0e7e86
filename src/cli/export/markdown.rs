//! Markdown: a heading for each conversation and each day, a paragraph for each message.

use super::{ExportChat, ExportItem, ExportWriter, MediaState};
use std::io::{self, Write};

#[derive(Default)]
pub struct Markdown {
    day: Option<i64>,
}

/// Text in which nothing is markup. Line breaks stay.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let mut is_line_start = true;
    for c in text.chars() {
        let is_markup = matches!(
            c,
            '\\' | '`'
                | '*'
                | '_'
                | '{'
                | '}'
                | '['
                | ']'
                | '<'
                | '>'
                | '('
                | ')'
                | '#'
                | '!'
                | '|'
                | '~'
                | '&'
        );
        let begins_list = is_line_start && matches!(c, '+' | '-' | '=');
        if is_markup || begins_list {
            out.push('\\');
        }
        if c == '.' && ends_in_number(&out) {
            out.push('\\');
        }
        if c == '\n' {
            out.push_str("  ");
        }
        out.push(c);
        is_line_start = c == '\n' || (is_line_start && c == ' ');
    }
    out
}

/// Whether the last line so far is a number, which a dot would make an item of a list.
fn ends_in_number(text: &str) -> bool {
    let line = text.rsplit('\n').next().unwrap_or_default().trim_start();
    !line.is_empty() && line.len() < 10 && line.bytes().all(|b| b.is_ascii_digit())
}

impl ExportWriter for Markdown {
    fn begin(&mut self, _: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }

    fn chat(&mut self, chat: &ExportChat<'_>, out: &mut dyn Write) -> io::Result<()> {
        self.day = None;
        writeln!(out, "# {}\n", escaped(chat.title))
    }

    fn message(
        &mut self,
        chat: &ExportChat<'_>,
        item: &ExportItem<'_>,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let message = item.message;
        let day = message.at.day(chat.zone);
        if self.day.replace(day) != Some(day) {
            writeln!(out, "## {}\n", escaped(&message.at.date_name(chat.zone)))?;
        }
        let text = escaped(&chat.text(message));
        let edited = if super::html::is_edited(message) { " *(edited)*" } else { "" };
        let clock = message.at.clock(chat.zone);
        match chat.sender(message) {
            Some(name) => writeln!(out, "**{}** {clock}  \n{text}{edited}", escaped(&name))?,
            None => writeln!(out, "*{clock} {text}*")?,
        }
        match (&item.media, item.media.picture()) {
            (_, Some(path)) => writeln!(out, "\n![]({})", target(path))?,
            (MediaState::Here(path), _) => writeln!(out, "\n[file]({})", target(path))?,
            (MediaState::NotInExport, _) => writeln!(out, "\n*not in the export*")?,
            (MediaState::None, _) => {}
        }
        writeln!(out)
    }

    fn end(&mut self, _: &mut dyn Write) -> io::Result<()> {
        Ok(())
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
