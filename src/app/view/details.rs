//! The pane beside the messages on wide screens: settings, members and shared links of the conversation.

use super::in_sight::{presence_facts, with_sign};
use super::layout::Rect;
use super::shown;
use crate::app::account::Account;
use crate::app::chat::Chat;
use crate::app::keymap::KeymapEntry;
use crate::app::state::AppState;
use crate::model::conversation::{FLAGS, FlagSpec};
use crate::model::text::grouped;
use crate::model::{
    ChatAccess, ChatRef, ConnectionState, Member, MessageBody, Role, SafeText, Timestamp,
};

/// How many of the newest messages are searched for links and files.
const MAX_LOOKED_THROUGH: usize = 100;
const MAX_SHARED: usize = 6;
/// The most members that are sorted by name; larger groups are listed in the server's order.
const MAX_SORTED: usize = 1_000;

#[derive(Clone, Debug, PartialEq)]
pub enum DetailRow {
    Blank,
    Title(SafeText),
    Heading(&'static str),
    Dim(String),
    /// A label and its value.
    Pair(&'static str, String),
    /// Text at the left and a short text at the right.
    Item(SafeText, String),
}

#[derive(Clone, PartialEq)]
pub struct DetailsStamp {
    revision: u64,
    area: Rect,
    open: Option<ChatRef>,
    today: i64,
    choices: u64,
    /// Whether the account is online; presence is shown only then.
    online: bool,
}

impl DetailsStamp {
    pub fn of(app: &AppState, area: Rect) -> Self {
        Self {
            revision: app.list_revision(),
            area,
            open: app.open.clone(),
            today: app.clock.wall.day(&app.prefs.zone),
            choices: app.prefs.revision,
            online: app.current_account().connection.state == ConnectionState::Online,
        }
    }
}

/// The rows that fit; the last one shows the keys for more.
pub fn rows(app: &AppState, area: Rect) -> Vec<DetailRow> {
    let Some(c) = app.opened() else { return Vec::new() };
    let account = app.accounts.of(c);
    let height = usize::from(area.height);
    let title = shown(&app.prefs, &account.title(c));
    let mut rows = vec![DetailRow::Title(title), DetailRow::Dim(kind(c)), DetailRow::Blank];
    if let Some(who) = account.partner(c) {
        let facts = presence_facts(app, account, &who).into_iter();
        rows.extend(facts.map(|fact| DetailRow::Pair(fact.title, fact.value)));
    }
    for archive in app.accounts.archives_of(c) {
        rows.push(DetailRow::Pair(
            "Archive",
            shown(&app.prefs, &SafeText::line(archive.label())).to_string(),
        ));
    }
    if let Some(topic) = c.info.shown_topic().filter(|_| c.info.is_group()) {
        rows.push(DetailRow::Pair("Topic", shown(&app.prefs, topic).to_string()));
    }
    let flags = FLAGS.iter().filter(|f| !f.short_title.is_empty());
    rows.extend(flags.filter(|f| f.is_own() || c.info.is_group()).map(|f| flag_row(app, c, f)));
    let shared = shared(app, c);
    if c.info.is_group() && !c.group.members.is_empty() {
        let taken = rows.len() + shared.len() + 6;
        rows.extend(member_rows(app, account, c, height.saturating_sub(taken).max(3)));
    }
    let taken = rows.len() + if shared.is_empty() { 0 } else { shared.len() + 2 } + 2;
    rows.extend(history_rows(app, c, height.saturating_sub(taken)));
    if !shared.is_empty() {
        rows.push(DetailRow::Blank);
        rows.push(DetailRow::Heading("SHARED"));
        rows.extend(shared);
    }
    rows.truncate(height.saturating_sub(2));
    rows.push(DetailRow::Blank);
    let key = |name: &str| app.prefs.keymap.entry(name).map(KeymapEntry::key).unwrap_or_default();
    let last = format!("{} edits · {} hides this", key("settings"), key("toggle-panes"));
    rows.push(DetailRow::Dim(last));
    rows
}

/// When the conversation began, how many messages it has, and in which years.
fn history_rows(app: &AppState, c: &Chat, room: usize) -> Vec<DetailRow> {
    const FIXED: usize = 5;
    let counted = c.paging.statistics.counted.as_ref();
    let Some((counted, (first, last))) = counted.and_then(|c| Some((c, c.period?))) else {
        return Vec::new();
    };
    let day = |at: Timestamp| at.numeric_date(&app.prefs.zone);
    let heading = if c.paging.coverage.reached_start() { "HISTORY" } else { "HISTORY STORED HERE" };
    let mut rows = vec![
        DetailRow::Blank,
        DetailRow::Heading(heading),
        DetailRow::Pair("First", day(first)),
        DetailRow::Pair("Last", day(last.max(c.last_activity()))),
        DetailRow::Pair("Messages", grouped(counted.total())),
    ];
    let years = counted.years();
    if years.len() > 1 && room > FIXED {
        let is_cut = years.len() > room - FIXED;
        let shown = if is_cut { room - FIXED - 1 } else { years.len() };
        let row = |(year, count): &(i16, u64)| {
            DetailRow::Item(SafeText::line(&year.to_string()), grouped(*count))
        };
        rows.extend(years.iter().take(shown).map(row));
        if is_cut {
            rows.push(DetailRow::Dim(format!("and {} more years", years.len() - shown)));
        }
    }
    rows
}

fn member_rows(app: &AppState, account: &Account, c: &Chat, room: usize) -> Vec<DetailRow> {
    let mut rows = vec![DetailRow::Blank, DetailRow::Heading("MEMBERS")];
    let count = c.group.members.len();
    let people =
        if count <= MAX_SORTED { c.members_by_role(&account.names) } else { admins_first(c, room) };
    for member in people.iter().take(room) {
        let role = if member.role == Role::Admin { "admin" } else { "user" };
        let name = shown(&app.prefs, &account.distinct_name(&member.id));
        let name = with_sign(account, &member.id, &name);
        rows.push(DetailRow::Item(name, role.into()));
    }
    if count > room {
        rows.push(DetailRow::Dim(format!("and {} more", count - room)));
    }
    rows
}

/// Some members, admins first, in the order of the server: a large group cannot be sorted by name for every frame.
fn admins_first(c: &Chat, count: usize) -> Vec<&Member> {
    let of = |role: Role| c.group.members.iter().filter(move |m| m.role == role).take(count);
    of(Role::Admin).chain(of(Role::User)).take(count).collect()
}

fn kind(c: &Chat) -> String {
    use crate::model::ConversationKind as K;
    match c.info.kind() {
        K::Group if c.info.access == ChatAccess::Gone => "group · no longer exists".into(),
        K::Group if c.info.access == ChatAccess::Left => "group · you have left".into(),
        K::Group if c.group.members.is_empty() => "group".into(),
        K::Group => format!("group · {} members", c.group.members.len()),
        K::Bot => "bot".into(),
        K::Phone => "telephone".into(),
        K::Direct => c.info.id.as_str().to_owned(),
        _ => "chat".into(),
    }
}

fn flag_row(app: &AppState, c: &Chat, spec: &FlagSpec) -> DetailRow {
    let state = c.flag(&app.pending, spec.flag);
    let [on, off] = spec.short_words;
    let word = match state.shown() {
        None => "unknown",
        Some(true) => on,
        Some(false) => off,
    };
    let saving = if state.is_changing() { " ↑" } else { "" };
    DetailRow::Pair(spec.short_title, format!("{word}{saving}"))
}

/// The newest files and links, each once.
fn shared(app: &AppState, c: &Chat) -> Vec<DetailRow> {
    let mut seen: Vec<SafeText> = Vec::new();
    let mut rows = Vec::new();
    for message in c.timeline.iter().rev().take(MAX_LOOKED_THROUGH) {
        let named = match &message.body {
            MessageBody::Media(media) if !media.name.is_empty() => Some(media.name.clone()),
            body => body.links().first().map(|url| SafeText::line(crate::model::rich::host(url))),
        };
        if let Some(name) = named.filter(|name| !seen.contains(name)) {
            seen.push(name.clone());
            let at = app.prefs.short_time(message.at, app.clock.wall);
            rows.push(DetailRow::Item(name, at));
        }
        if rows.len() >= MAX_SHARED {
            break;
        }
    }
    rows
}
