//! Everything known about one message, as labelled lines.

use super::content::{Content, DialogLine, wide_columns};
use super::help::scroll_key;
use super::{Dialog, DialogEnv, Next};
use crate::app::action::OverlayAction;
use crate::app::chat::Chat;
use crate::app::state::AppState;
use crate::app::view::layout::Size;
use crate::app::view::wrap::break_lines;
use crate::app::view::{Tone, presence_facts};
use crate::model::{
    Delivery, EmojiStyle, Message, MessageKey, MessageSource, SafeText, Timestamp, UserId,
    emoticon, failure,
};

/// The most rows shown for one value.
const MAX_ROWS: usize = 400;
/// The width of a label in cells.
const LABEL: usize = 13;

#[derive(Debug)]
pub struct Inspector {
    lines: Vec<(&'static str, SafeText)>,
    scroll: usize,
}

impl Inspector {
    /// The details of a message and its stored source. `None` if the message is not loaded.
    pub fn new(
        app: &AppState,
        chat: &Chat,
        key: &MessageKey,
        source: &MessageSource,
    ) -> Option<Self> {
        let lines = lines(app, chat, chat.timeline.get(key)?, source);
        Some(Self { lines, scroll: 0 })
    }
}

impl Dialog for Inspector {
    fn content(&self, _: &AppState, size: Size) -> Content {
        let columns = wide_columns(size).saturating_sub(LABEL).max(4);
        let mut lines = Vec::new();
        for (label, value) in &self.lines {
            let tone = if *label == "item" { Tone::Dim } else { Tone::Plain };
            let rows = break_lines(value, columns);
            let more = rows.len().saturating_sub(MAX_ROWS);
            for (i, range) in rows.into_iter().take(MAX_ROWS).enumerate() {
                let text = value.get(range).unwrap_or_default().trim_end_matches('\n');
                let label = if i == 0 { *label } else { "" };
                lines.push(DialogLine::toned(format!("{label:<LABEL$}{text}"), "", tone));
            }
            if more > 0 {
                lines.push(DialogLine::new(format!("{:LABEL$}… and {more} more lines", ""), ""));
            }
        }
        Content::new("Message details", lines, "↑↓ PgUp PgDn scroll · Esc closes")
            .scrolled(self.scroll)
    }

    fn act(&mut self, action: OverlayAction, env: &mut DialogEnv<'_>) -> Next {
        let max = self.content(env.app, env.size).max_scroll(env.size);
        scroll_key(&mut self.scroll, &action, max, env.page)
    }

    fn chooses(&self) -> bool {
        false
    }
}

fn lines(
    app: &AppState,
    chat: &Chat,
    message: &Message,
    source: &MessageSource,
) -> Vec<(&'static str, SafeText)> {
    let account = app.accounts.of(chat);
    let name = |id: &UserId| account.names.distinct(id);
    let mut lines = Vec::new();
    let mut add = |label: &'static str, value: &str| lines.push((label, SafeText::text(value)));
    add("from", &format!("{} ({})", name(&message.sender), message.sender.as_str()));
    for fact in presence_facts(app, account, &message.sender) {
        add(fact.label, &fact.value);
    }
    let zone = &app.prefs.zone;
    let day = app.prefs.day_name(message.at, app.clock.wall);
    add("time", &format!("{day} {} · {}", app.prefs.clock(message.at), message.at.rfc3339()));
    if let Some(edited) = message.edited {
        add("edited", &edited.rfc3339());
    }
    if message.key.is_unsent() {
        add("id", "none: the server has not accepted it yet");
    } else {
        add("id", &message.key.id);
        add("version", &version(message));
    }
    if let Some(client_id) = &message.client_id {
        add("client id", client_id.as_str());
    }
    add("conversation", chat.info.id.as_str());
    let archive = source.origin.as_ref().and_then(|origin| origin.archive.as_deref());
    if let Some(archive) = archive.or(chat.account.archive()) {
        add("archive", archive);
    } else if app.accounts.archives_of(chat).next().is_some() {
        add("account", account.label());
    }
    if let Some(origin) = &source.origin {
        add("export", &origin.file);
        let day = origin.imported_at.date(zone);
        add("imported", &format!("{day} {}", origin.imported_at.clock(zone)));
    }
    for reaction in &message.reactions {
        let people: Vec<String> =
            reaction.users.iter().map(|u| account.names.distinct(u).to_string()).collect();
        let picture = emoticon::shown(&reaction.key, "", EmojiStyle::Glyph);
        add("reaction", &format!("{picture} {}: {}", reaction.key, people.join(", ")));
    }
    let mine = message.sender == account.me;
    let readers = chat.reading.read_receipts.iter().filter(|(_, at)| mine && *at >= message.key.at);
    for (who, _) in readers {
        add("read by", &account.names.distinct(who));
    }
    let log = message.client_id.as_ref().and_then(|id| chat.sending.deliveries.get(id));
    for (at, delivery) in log.into_iter().flatten() {
        add("delivery", &format!("{} {}", at.rfc3339(), step(delivery)));
    }
    let items = &source.items;
    for item in items.iter().skip(1) {
        add("edit", &format!("{} id {}: {}", item.at.rfc3339(), item.id, item.content));
    }
    add("text", &message.body.text(&name));
    if let Some(item) = items.first() {
        add("type", &item.kind);
        add("content", &item.content);
        add("item", &item.json);
    } else if !message.key.is_unsent() {
        add("item", "not stored");
    }
    lines
}

fn version(message: &Message) -> String {
    let changed = i64::try_from(message.version).unwrap_or(0);
    if changed > message.key.at.0 {
        format!("{} (changed {})", message.version, Timestamp(changed).rfc3339())
    } else {
        message.version.to_string()
    }
}

/// Describes a step of sending a message.
fn step(delivery: &Delivery) -> String {
    match delivery {
        Delivery::Saving => "typed".into(),
        Delivery::Held => "saved, held so that it can be undone".into(),
        Delivery::Queued => "saved, waiting to be sent".into(),
        Delivery::Sending => "sending".into(),
        Delivery::Sent => "accepted by the server".into(),
        Delivery::Unconfirmed => "outcome unknown, checking the server".into(),
        Delivery::Failed { reason, .. } => failure(reason),
    }
}
