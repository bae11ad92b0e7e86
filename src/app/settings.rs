//! The rows of the settings screen: what the server holds, what is being saved, what may be changed and by whom.

use super::group::{JoinUrlState, blocked};
use super::state::{AppState, ConversationState};
use crate::model::{Role, ThreadChange, ThreadFlag, UserId};

/// What a row is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowId {
    Topic,
    Flag(ThreadFlag),
    Url,
    Members,
    Picture,
    Creator,
    Created,
    Capabilities,
    Leave,
    Clear,
}

/// One row as it is drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct SettingRow {
    pub id: RowId,
    /// The letter that goes to it and does what Enter does.
    pub key: Option<char>,
    pub label: &'static str,
    pub value: String,
    /// What Enter does.
    pub does: &'static str,
    /// Why it cannot be changed here.
    pub blocked: Option<&'static str>,
    pub saving: bool,
}

/// The rows that apply to a conversation.
pub fn rows(app: &AppState, c: &ConversationState) -> Vec<SettingRow> {
    let mut rows = Vec::new();
    let is_group = c.info.is_group();
    if is_group {
        let topic = ThreadChange::Topic(String::new());
        rows.push(SettingRow {
            id: RowId::Topic,
            key: Some('t'),
            label: "Topic",
            value: pending_topic(app, c)
                .or_else(|| c.info.shown_topic().map(|t| app.shown(t).to_string()))
                .unwrap_or_else(|| "none".into()),
            does: "edit",
            blocked: blocked(app, c, &topic),
            saving: app.is_changing(c, |change| matches!(change, ThreadChange::Topic(_))),
        });
        rows.push(flag(app, c, ThreadFlag::JoiningEnabled, 'l', "Joining by link", ["on", "off"]));
        rows.push(url(app, c));
        rows.push(flag(
            app,
            c,
            ThreadFlag::HistoryDisclosed,
            'h',
            "History for new",
            ["shown (history disclosed)", "hidden"],
        ));
        let admins = c.group.members.iter().filter(|m| m.role == Role::Admin).count();
        rows.push(SettingRow {
            id: RowId::Members,
            key: Some('m'),
            label: "Members",
            value: if c.group.members.is_empty() {
                "not loaded yet".into()
            } else {
                let word = if admins == 1 { "admin" } else { "admins" };
                format!("{} · {admins} {word}", c.group.members.len())
            },
            does: "open",
            blocked: None,
            saving: app.is_changing(c, |change| {
                matches!(change, ThreadChange::Member(..))
                    || matches!(change, ThreadChange::Remove(who) if who != app.me())
            }),
        });
    }
    rows.push(flag(app, c, ThreadFlag::Alerts, 'n', "Alerts", ["on", "off (muted)"]));
    rows.push(flag(app, c, ThreadFlag::Pinned, 'p', "Pinned to the top", ["yes", "no"]));
    if is_group {
        rows.extend(facts(app, c));
        rows.push(SettingRow {
            id: RowId::Leave,
            key: Some('q'),
            label: "Leave",
            value: if c.info.left { "you have left".into() } else { "…".into() },
            does: "asks first",
            blocked: c.info.left.then_some("you are not a member any more"),
            saving: app
                .is_changing(c, |ch| matches!(ch, ThreadChange::Remove(who) if who == app.me())),
        });
    }
    rows.push(SettingRow {
        id: RowId::Clear,
        key: Some('d'),
        label: "Delete history",
        value: "for this account only".into(),
        does: "asks first",
        blocked: None,
        saving: app.is_changing(c, |change| *change == ThreadChange::Clear),
    });
    rows
}

fn pending_topic(app: &AppState, c: &ConversationState) -> Option<String> {
    app.pending.thread_changes(&c.info.id).into_iter().rev().find_map(|change| match change {
        ThreadChange::Topic(topic) => Some(topic.clone()),
        _ => None,
    })
}

fn flag(
    app: &AppState,
    c: &ConversationState,
    flag: ThreadFlag,
    key: char,
    label: &'static str,
    words: [&str; 2],
) -> SettingRow {
    let setting = app.flag(c, flag);
    let value = match setting.shown() {
        None => "not known".to_owned(),
        Some(true) => format!("[x] {}", words[0]),
        Some(false) => format!("[ ] {}", words[1]),
    };
    SettingRow {
        id: RowId::Flag(flag),
        key: Some(key),
        label,
        value,
        does: "toggle",
        blocked: blocked(app, c, &ThreadChange::Flag(flag, true)),
        saving: setting.is_changing(),
    }
}

fn url(app: &AppState, c: &ConversationState) -> SettingRow {
    let open = app.flag(c, ThreadFlag::JoiningEnabled).shown() == Some(true);
    let (value, blocked) = match (&c.group.url, open) {
        (_, false) => ("none".to_owned(), Some("joining by link is off")),
        (JoinUrlState::Known(url), true) => (url.to_string(), None),
        (JoinUrlState::Failed(why), true) => (format!("not available: {why}"), None),
        (JoinUrlState::Unknown, true) => ("being fetched…".to_owned(), None),
    };
    SettingRow {
        id: RowId::Url,
        key: Some('u'),
        label: "Join URL",
        value,
        does: "copy, QR",
        blocked,
        saving: false,
    }
}

/// What can only be read.
fn facts(app: &AppState, c: &ConversationState) -> Vec<SettingRow> {
    let thread = &c.group.settings;
    let fact = |id, label, value: String| SettingRow {
        id,
        key: None,
        label,
        value,
        does: "copy",
        blocked: None,
        saving: false,
    };
    let mut rows = Vec::new();
    if let Some(picture) = thread.picture.as_ref().filter(|p| !p.is_empty()) {
        rows.push(fact(RowId::Picture, "Picture", picture.to_string()));
    }
    if let Some(creator) = &thread.creator {
        rows.push(fact(RowId::Creator, "Created by", name_and_id(app, creator)));
    }
    if let Some(created) = thread.created {
        let zone = &app.prefs.zone;
        let day = created.day_name(app.clock.wall, zone);
        rows.push(fact(RowId::Created, "Created", format!("{day} {}", created.clock(zone))));
    }
    if !thread.capabilities.is_empty() {
        let words: Vec<&str> =
            thread.capabilities.iter().map(crate::model::SafeText::as_str).collect();
        rows.push(fact(RowId::Capabilities, "Capabilities", words.join(", ")));
    }
    rows
}

pub fn name_and_id(app: &AppState, who: &UserId) -> String {
    let name = app.name_of(who);
    if name.as_str() == who.bare() {
        who.as_str().to_owned()
    } else {
        format!("{name} ({})", who.as_str())
    }
}

/// What became of the last change, and what is still under way.
pub fn status(app: &AppState, c: &ConversationState) -> Vec<String> {
    let mut parts = Vec::new();
    for said in c.group.results.iter().rev() {
        let mark = if said.taken { "✓" } else { "!" };
        parts.push(format!("{} {} {mark}", said.text, said.at.clock(&app.prefs.zone)));
    }
    let saving = app.pending.thread_changes(&c.info.id);
    parts.extend(
        saving.into_iter().map(|change| format!("{}: saving ↑", super::group::words(app, change))),
    );
    parts
}

/// The members as they are listed: admins first, then by name.
pub fn members<'a>(app: &AppState, c: &'a ConversationState) -> Vec<&'a crate::model::Member> {
    let mut list: Vec<&crate::model::Member> = c.group.members.iter().collect();
    list.sort_by_cached_key(|m| (m.role == Role::User, app.names.of(&m.id), m.id.clone()));
    list
}
