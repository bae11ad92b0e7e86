//! A table for spreadsheets (RFC 4180). Cells that a spreadsheet would take for a formula begin with an apostrophe.

use super::{ExportChat, ExportItem, ExportWriter};
use crate::model::{MessageBody, SafeText};
use std::io::{self, Write};

pub struct Csv;

fn cell(text: &str) -> String {
    let guard = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
    if text.contains([',', '"', '\n', '\r']) || !guard.is_empty() {
        format!("\"{guard}{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

fn row(cells: &[&str], out: &mut dyn Write) -> io::Result<()> {
    let cells: Vec<String> = cells.iter().map(|text| cell(text)).collect();
    write!(out, "{}\r\n", cells.join(","))
}

impl ExportWriter for Csv {
    fn begin(&mut self, out: &mut dyn Write) -> io::Result<()> {
        let columns = [
            "conversation",
            "name",
            "at",
            "from",
            "from_name",
            "text",
            "state",
            "media",
            "id",
            "media_state",
        ];
        row(&columns, out)
    }

    fn message(
        &mut self,
        chat: &ExportChat<'_>,
        item: &ExportItem<'_>,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let message = item.message;
        let state = match &message.body {
            MessageBody::Deleted => "deleted",
            _ if message.shows_edited() => "edited",
            _ => "",
        };
        let sender = chat.sender(message).unwrap_or_default();
        let cells = [
            &SafeText::line(chat.id),
            chat.title.as_str(),
            &message.at.rfc3339(),
            &SafeText::line(message.sender.as_str()),
            &sender,
            &chat.text(message),
            state,
            item.media.path().unwrap_or_default(),
            &item.raw.id,
            item.media.word(),
        ];
        row(&cells, out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_and_quotes_cannot_leave_their_cell() {
        assert_eq!(cell("plain"), "plain");
        assert_eq!(cell("a \"b\", c"), "\"a \"\"b\"\", c\"");
        assert_eq!(cell("=HYPERLINK(\"x\")"), "\"'=HYPERLINK(\"\"x\"\")\"");
        assert_eq!(cell("-1"), "\"'-1\"");
        assert_eq!(cell("@x"), "\"'@x\"");
    }
}
