//! The pane beside the messages on wide screens: what the conversation is, who is in it, what was shared.

use crate::app::layout::Rect;
use crate::app::settings::members;
use crate::app::state::{AppState, ConversationState};
use crate::model::{ConversationId, MessageBody, Role, SafeText, ThreadFlag};

/// Messages looked through for what was shared, newest first.
const LOOKED_THROUGH: usize = 100;
const MOST_SHARED: usize = 6;

#[derive(Clone, Debug, PartialEq)]
pub enum DetailRow {
    Blank,
    Title(SafeText),
    Heading(&'static str),
    Dim(String),
    /// A label and its value.
    Pair(&'static str, String),
    /// Something at the left and something short at the right.
    Item(SafeText, String),
}

#[derive(Clone, PartialEq)]
pub struct DetailsStamp {
    revision: u64,
    names: u64,
    area: Rect,
    open: Option<ConversationId>,
    today: i64,
}

impl DetailsStamp {
    pub fn of(app: &AppState, area: Rect) -> Self {
        Self {
            revision: app.conversations.revision(),
            names: app.names.revision(),
            area,
            open: app.open.clone(),
            today: app.clock.wall.day(&app.prefs.zone),
        }
    }
}

/// The rows that fit; the last one says which keys lead on.
pub fn rows(app: &AppState, area: Rect) -> Vec<DetailRow> {
    let Some(c) = app.opened() else { return Vec::new() };
    let height = usize::from(area.height);
    let mut rows = vec![DetailRow::Title(app.title(c)), DetailRow::Dim(kind(c)), DetailRow::Blank];
    let keymap = &app.prefs.keymap;
    let key = |name: &str| keymap.entry(name).map(super::super::keymap::KeymapEntry::key);
    let last = format!(
        "{} edits · {} hides this",
        key("settings").unwrap_or_default(),
        key("toggle-panes").unwrap_or_default()
    );
    if c.info.is_group() {
        if let Some(topic) = c.info.shown_topic() {
            rows.push(DetailRow::Pair("Topic", app.shown(topic).to_string()));
        }
        rows.push(pair(app, c, ThreadFlag::JoiningEnabled, "Join link", ["on", "off"]));
        rows.push(pair(
            app,
            c,
            ThreadFlag::HistoryDisclosed,
            "History",
            ["shown to new", "hidden"],
        ));
    }
    rows.push(pair(app, c, ThreadFlag::Alerts, "Alerts", ["on", "off"]));
    let shared = shared(app, c);
    if c.info.is_group() && !c.group.members.is_empty() {
        rows.push(DetailRow::Blank);
        rows.push(DetailRow::Heading("MEMBERS"));
        let taken = rows.len() + shared.len() + 4;
        let room = height.saturating_sub(taken).max(3);
        let people = members(app, c);
        for member in people.iter().take(room) {
            let role = if member.role == Role::Admin { "admin" } else { "user" };
            rows.push(DetailRow::Item(app.name_of(&member.id), role.into()));
        }
        if people.len() > room {
            rows.push(DetailRow::Dim(format!("and {} more", people.len() - room)));
        }
    }
    if !shared.is_empty() {
        rows.push(DetailRow::Blank);
        rows.push(DetailRow::Heading("SHARED"));
        rows.extend(shared);
    }
    rows.truncate(height.saturating_sub(2));
    rows.push(DetailRow::Blank);
    rows.push(DetailRow::Dim(last));
    rows
}

fn kind(c: &ConversationState) -> String {
    use crate::model::ConversationKind as K;
    match c.info.id.kind() {
        K::Group if c.info.left => "group · you have left".into(),
        K::Group if c.group.members.is_empty() => "group".into(),
        K::Group => format!("group · {} members", c.group.members.len()),
        K::Bot => "bot".into(),
        K::Phone => "telephone".into(),
        K::Direct => c.info.id.as_str().to_owned(),
        _ => "conversation".into(),
    }
}

fn pair(
    app: &AppState,
    c: &ConversationState,
    flag: ThreadFlag,
    label: &'static str,
    words: [&str; 2],
) -> DetailRow {
    let setting = app.flag(c, flag);
    let word = match setting.shown() {
        None => "not known",
        Some(true) => words[0],
        Some(false) => words[1],
    };
    let saving = if setting.is_changing() { " ↑" } else { "" };
    DetailRow::Pair(label, format!("{word}{saving}"))
}

/// The newest files and links, each once.
fn shared(app: &AppState, c: &ConversationState) -> Vec<DetailRow> {
    let mut seen: Vec<SafeText> = Vec::new();
    let mut rows = Vec::new();
    for message in c.timeline.iter().rev().take(LOOKED_THROUGH) {
        let named = match &message.body {
            MessageBody::Media(media) if !media.name.is_empty() => Some(media.name.clone()),
            body => body.links().first().map(|url| SafeText::line(crate::model::rich::host(url))),
        };
        if let Some(name) = named.filter(|name| !seen.contains(name)) {
            seen.push(name.clone());
            let at = message.at.short(app.clock.wall, &app.prefs.zone);
            rows.push(DetailRow::Item(name, at));
        }
        if rows.len() >= MOST_SHARED {
            break;
        }
    }
    rows
}
