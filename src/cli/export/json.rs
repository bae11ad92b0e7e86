//! One JSON object per line: the fields of `skchat log --json`, and those that an import needs to restore the message.

use super::{ExportChat, ExportItem, ExportWriter, MediaState};
use crate::cli::lines;
use serde_json::{Value, json};
use std::io::{self, Write};

pub struct Json;

fn item(json: &str) -> Value {
    serde_json::from_str(json).unwrap_or_default()
}

impl ExportWriter for Json {
    fn message(
        &mut self,
        chat: &ExportChat<'_>,
        item_of: &ExportItem<'_>,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let mut line = lines::message_json(item_of.raw, item_of.message, chat.names, None);
        line["conversation_name"] = json!(chat.name);
        line["owner"] = json!(chat.me.as_str());
        line["item"] = item(&item_of.raw.json);
        line["edits"] = item_of.edits.iter().map(|edit| item(&edit.json)).collect();
        if let Some(path) = item_of.media.path() {
            line["media"] = json!(path);
        }
        if item_of.media != MediaState::None {
            line["media_state"] = json!(item_of.media.word());
        }
        writeln!(out, "{}", lines::json_line(&line))
    }
}
