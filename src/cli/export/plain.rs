//! Plain text, as `skchat log` prints it.

use super::media::MediaView;
use super::{ExportChat, ExportItem, ExportWriter};
use crate::cli::lines;
use std::io::{self, Write};

pub struct Plain;

impl ExportWriter for Plain {
    fn chat(&mut self, chat: &ExportChat<'_>, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "== {} ==\n", chat.title)
    }

    fn message(
        &mut self,
        chat: &ExportChat<'_>,
        item: &ExportItem<'_>,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        write!(out, "{}", lines::message_line(item.message, chat.names, None, chat.zone))?;
        match item.media.view() {
            MediaView::Picture(path) | MediaView::File(path) => writeln!(out, "  {path}"),
            MediaView::Missing(why) => writeln!(out, "  ({why})"),
            MediaView::None => writeln!(out),
        }
    }
}
