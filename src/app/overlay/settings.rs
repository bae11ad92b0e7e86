//! The settings of a conversation: what is stored on the server, what is being saved, and what the user may change.

use super::content::{Content, DialogLine, Position, step, wide_columns};
use super::questions::{ask_clear, ask_leave, change_flag};
use super::{Dialog, DialogEnv, Members, Next, Overlay, Prompt, QrCode};
use crate::app::account::Account;
use crate::app::action::{Action, OverlayAction, ThreadAction};
use crate::app::chat::{Blocked, Chat};
use crate::app::chat::{JoinUrlState, change_words, join_url};
use crate::app::state::AppState;
use crate::app::view::layout::Size;
use crate::app::view::wrap::break_lines;
use crate::app::view::{Tone, presence_facts, shown};
use crate::model::conversation::{FLAGS, FlagSpec};
use crate::model::text::{cut, fit, width};
use crate::model::{ChatAccess, ChatRef, Role, SafeText, ThreadChange, ThreadFlag, UserId};

/// The width of a row's label in cells.
const LABEL: usize = 25;
const SHORT_LABEL: usize = 15;
/// In a dialog with fewer columns, rows have no text at the right.
const TWO_TEXTS: usize = 50;

#[derive(Debug)]
pub struct Settings {
    chat: ChatRef,
    marked: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RowId {
    Topic,
    Flag(ThreadFlag),
    Url,
    Members,
    Fact,
    Leave,
    Hide,
    Forget,
    Clear,
}

#[derive(Clone, Debug, PartialEq)]
struct SettingRow {
    id: RowId,
    /// The letter that highlights the row and then acts like Enter.
    key: Option<char>,
    label: &'static str,
    value: String,
    /// What Enter does, in a few words.
    does: &'static str,
    /// Why the user cannot change it.
    blocked: Option<Blocked>,
    saving: bool,
}

impl Settings {
    pub fn new(chat: ChatRef) -> Self {
        Self { chat, marked: 0 }
    }

    fn use_row(&self, row: SettingRow, app: &mut AppState) -> Next {
        if let Some(why) = row.blocked {
            app.complain(&format!("{}: {why}", row.label));
            return Next::Stay;
        }
        let chat = self.chat.clone();
        match row.id {
            RowId::Topic => return Prompt::topic(app, chat).map_or(Next::Stay, Next::Push),
            RowId::Flag(flag) => {
                return change_flag(app, &chat, flag, None).map_or(Next::Stay, Next::Push);
            }
            RowId::Url => {
                let url = app.with_chat(&chat, |chat, env| {
                    if let JoinUrlState::Known(url) = &chat.group.url {
                        env.copy("the join URL", url.as_str());
                        return Some(url.clone());
                    }
                    join_url::fetch(chat, env);
                    None
                });
                if let Some(url) = url.flatten() {
                    return Next::Push(Overlay::QrCode(QrCode::new(url)));
                }
            }
            RowId::Members => return Next::Push(Overlay::Members(Members::new(app, chat))),
            RowId::Fact => {
                app.with_chat(&chat, |_, env| env.copy(&row.label.to_lowercase(), row.value));
            }
            RowId::Leave => return ask_leave(app, chat).map_or(Next::Stay, Next::Push),
            RowId::Hide => return Next::Do(Action::Thread(ThreadAction::Hide)),
            RowId::Forget => return Next::Do(Action::Thread(ThreadAction::Forget)),
            RowId::Clear => return ask_clear(app, chat).map_or(Next::Stay, Next::Push),
        }
        Next::Stay
    }
}

impl Dialog for Settings {
    fn content(&self, app: &AppState, size: Size) -> Content {
        let Some(chat) = app.accounts.chat(&self.chat) else {
            return Content::new("", Vec::new(), "");
        };
        let account = app.accounts.of(chat);
        let rows = rows(app, account, chat);
        let columns = wide_columns(size);
        let mut lines: Vec<DialogLine> = rows.iter().map(|row| row.line(columns)).collect();
        lines.push(DialogLine::default());
        for (i, status) in status(app, account, chat).into_iter().enumerate() {
            let head = if i == 0 { "Server: " } else { "        " };
            lines.push(DialogLine::new(format!("{head}{status}"), ""));
        }
        let role = if chat.info.access == ChatAccess::Gone {
            "This group no longer exists, or you have no access to it."
        } else if chat.info.access == ChatAccess::Left {
            "You are no longer a member."
        } else if rows.iter().any(|r| r.blocked == Some(Blocked::AdminsOnly)) {
            "You are not an admin: only admins can change the dimmed rows."
        } else if chat.my_role(&account.me) == Some(Role::Admin) {
            "You are an admin."
        } else {
            ""
        };
        if !role.is_empty() {
            let rows = break_lines(role, columns).into_iter().filter_map(|row| role.get(row));
            lines.extend(rows.map(|row| DialogLine::dim(row.trim_end())));
        }
        let at = self.marked.min(rows.len().saturating_sub(1));
        if let Some(line) = lines.get_mut(at) {
            line.marked = true;
        }
        // When the last row is highlighted, also show the lines below the rows.
        let last = if at + 1 >= rows.len() { lines.len().saturating_sub(1) } else { at };
        let title = shown(&app.prefs, &account.title(chat));
        Content {
            position: Position::Marked { at, last },
            ..Content::new(
                format!("Chat settings ─ {title}"),
                lines,
                "Enter or letter changes · Esc closes · ↑↓ move",
            )
        }
    }

    fn act(&mut self, action: OverlayAction, env: &mut DialogEnv<'_>) -> Next {
        let Some(chat) = env.app.accounts.chat(&self.chat) else { return Next::Close };
        let rows = rows(env.app, env.app.accounts.of(chat), chat);
        match action {
            OverlayAction::Choose => {}
            OverlayAction::Type(letter) => {
                let Some(at) = rows.iter().position(|row| row.key == Some(letter)) else {
                    step(&mut self.marked, by_letter(letter), rows.len());
                    return Next::Stay;
                };
                self.marked = at;
            }
            other => {
                step(&mut self.marked, other.step_or_tab(env.page).unwrap_or(0), rows.len());
                return Next::Stay;
            }
        }
        match rows.into_iter().nth(self.marked) {
            Some(row) => self.use_row(row, env.app),
            None => Next::Stay,
        }
    }
}

/// `j` and `k` move the highlight if they have no other meaning.
fn by_letter(letter: char) -> isize {
    match letter {
        'j' => 1,
        'k' => -1,
        _ => 0,
    }
}

impl SettingRow {
    /// A row that can only be read and copied.
    fn fact(label: &'static str, value: String) -> Self {
        Self { does: "copy", ..Self::new(RowId::Fact, None, label, value) }
    }

    fn new(id: RowId, key: Option<char>, label: &'static str, value: String) -> Self {
        Self { id, key, label, value, does: "asks first", blocked: None, saving: false }
    }

    /// The label for a dialog that has no room for the full one.
    fn short_label(&self) -> String {
        let label = match self.id {
            RowId::Flag(flag) => flag.spec().short_title,
            _ => self.label,
        };
        let label = if label.is_empty() { "Pinned" } else { label };
        fit(label, SHORT_LABEL)
    }

    fn line(&self, columns: usize) -> DialogLine {
        let key = self.key.map_or_else(|| " ".to_owned(), String::from);
        let right = match self.blocked {
            _ if self.saving => "saving ↑".to_owned(),
            Some(why) => why.to_string(),
            None => self.does.to_owned(),
        };
        let value = SafeText::line(&self.value);
        let is_narrow = columns < TWO_TEXTS;
        let label = if is_narrow { self.short_label() } else { fit(self.label, LABEL) };
        let room = columns.saturating_sub(width(&label) + 3);
        // The value takes precedence over the text at the right.
        let fits = |right: &str| width(&value) + width(right) < room;
        let right = match self.blocked.filter(|_| !self.saving) {
            _ if is_narrow => String::new(),
            Some(why) if !fits(&right) => why.short().to_owned(),
            _ => right,
        };
        let beside = if right.is_empty() { 0 } else { width(&right) + 1 };
        let value = cut(&value, room.saturating_sub(beside).max(8));
        let left = format!("{key}  {label}{value}");
        let tone = if self.blocked.is_some() { Tone::Dim } else { Tone::Plain };
        DialogLine::toned(left, right, tone)
    }
}

/// The rows that apply to this conversation.
fn rows(app: &AppState, account: &Account, chat: &Chat) -> Vec<SettingRow> {
    let mut rows = Vec::new();
    let is_group = chat.info.is_group();
    if is_group {
        rows.push(topic(app, account, chat));
        for spec in FLAGS.iter().filter(|f| !f.is_own()) {
            rows.push(flag(app, account, chat, spec));
            if spec.flag == ThreadFlag::JoiningEnabled {
                rows.push(url(app, chat));
            }
        }
        rows.push(members(app, account, chat));
    }
    if let Some(who) = account.partner(chat) {
        let facts = presence_facts(app, account, &who).into_iter();
        rows.extend(facts.map(|fact| SettingRow::fact(fact.title, fact.value)));
    }
    rows.extend(FLAGS.iter().filter(|f| f.is_own()).map(|spec| flag(app, account, chat, spec)));
    if is_group {
        rows.extend(facts(app, account, chat));
        let value = if chat.info.access.is_over() { "no longer a member" } else { "this group" };
        rows.push(SettingRow {
            blocked: chat.info.access.is_over().then_some(Blocked::NotAMember),
            saving: is_saving(
                app,
                chat,
                |change| matches!(change, ThreadChange::Remove(who) if *who == account.me),
            ),
            ..SettingRow::new(RowId::Leave, Some('q'), "Leave", value.into())
        });
    }
    if is_group && chat.info.access.is_over() {
        rows.push(SettingRow {
            does: "hide",
            ..SettingRow::new(RowId::Hide, Some('x'), "Hide", "from the list".into())
        });
    }
    if chat.may_be_forgotten() {
        rows.push(SettingRow::new(
            RowId::Forget,
            Some('f'),
            "Forget",
            "what is stored here".into(),
        ));
    }
    rows.push(SettingRow {
        saving: is_saving(app, chat, |change| *change == ThreadChange::Clear),
        ..SettingRow::new(RowId::Clear, Some('d'), "Delete history", "only for you".into())
    });
    rows
}

fn is_saving(app: &AppState, chat: &Chat, is_it: impl Fn(&ThreadChange) -> bool) -> bool {
    app.pending.is_changing(&chat.chat_ref(), is_it)
}

fn topic(app: &AppState, account: &Account, chat: &Chat) -> SettingRow {
    let changes = app.pending.thread_changes(&chat.chat_ref());
    let changing = changes.into_iter().rev().find_map(|change| match change {
        ThreadChange::Topic(topic) => Some(topic.clone()),
        _ => None,
    });
    let saving = changing.is_some();
    let now = || chat.info.shown_topic().map(|t| shown(&app.prefs, t).to_string());
    let value = changing.or_else(now).unwrap_or_else(|| "none".into());
    SettingRow {
        does: "edit",
        blocked: chat.blocked(&account.me, &ThreadChange::Topic(String::new())),
        saving,
        ..SettingRow::new(RowId::Topic, Some('t'), "Topic", value)
    }
}

fn flag(app: &AppState, account: &Account, chat: &Chat, spec: &'static FlagSpec) -> SettingRow {
    let state = chat.flag(&app.pending, spec.flag);
    let [on, off] = spec.words;
    let value = match state.shown() {
        None => "unknown".to_owned(),
        Some(true) => format!("[x] {on}"),
        Some(false) => format!("[ ] {off}"),
    };
    SettingRow {
        does: "toggle",
        blocked: chat.blocked(&account.me, &ThreadChange::Flag(spec.flag, true)),
        saving: state.is_changing(),
        ..SettingRow::new(RowId::Flag(spec.flag), Some(spec.key), spec.title, value)
    }
}

fn url(app: &AppState, chat: &Chat) -> SettingRow {
    let open = chat.flag(&app.pending, ThreadFlag::JoiningEnabled).shown() == Some(true);
    let value = match &chat.group.url {
        _ if !open => "none".to_owned(),
        JoinUrlState::Known(url) => url.to_string(),
        JoinUrlState::Failed(why) => why.to_string(),
        JoinUrlState::Unknown => "loading…".to_owned(),
    };
    SettingRow {
        does: "copy, QR",
        blocked: (!open).then_some(Blocked::JoiningIsOff),
        ..SettingRow::new(RowId::Url, Some('u'), "Join URL", value)
    }
}

fn members(app: &AppState, account: &Account, chat: &Chat) -> SettingRow {
    let admins = chat.group.members.iter().filter(|m| m.role == Role::Admin).count();
    let word = if admins == 1 { "admin" } else { "admins" };
    let value = match chat.group.members.len() {
        0 => "not loaded yet".into(),
        n => format!("{n} · {admins} {word}"),
    };
    SettingRow {
        does: "open",
        saving: is_saving(app, chat, |change| match change {
            ThreadChange::Member(..) => true,
            ThreadChange::Remove(who) => *who != account.me,
            _ => false,
        }),
        ..SettingRow::new(RowId::Members, Some('m'), "Members", value)
    }
}

/// Read-only properties of the group.
fn facts(app: &AppState, account: &Account, chat: &Chat) -> Vec<SettingRow> {
    let settings = &chat.group.settings;
    let mut rows = Vec::new();
    if let Some(picture) = settings.picture.as_ref().filter(|p| !p.is_empty()) {
        rows.push(SettingRow::fact("Picture", picture.to_string()));
    }
    if let Some(creator) = &settings.creator {
        rows.push(SettingRow::fact("Created by", name_and_id(app, account, creator)));
    }
    if let Some(created) = settings.created {
        let day = app.prefs.day_name(created, app.clock.wall);
        rows.push(SettingRow::fact("Created", format!("{day} {}", app.prefs.clock(created))));
    }
    if !settings.capabilities.is_empty() {
        let words: Vec<&str> = settings.capabilities.iter().map(SafeText::as_str).collect();
        rows.push(SettingRow::fact("Capabilities", words.join(", ")));
    }
    rows
}

/// A person's name and id; only the id if the name does not add anything.
pub fn name_and_id(app: &AppState, account: &Account, who: &UserId) -> String {
    let name = shown(&app.prefs, &account.name(who));
    if name.as_str() == who.bare() {
        who.as_str().to_owned()
    } else {
        format!("{name} ({})", who.as_str())
    }
}

/// The results of the latest changes, and the changes that are still being saved.
fn status(app: &AppState, account: &Account, chat: &Chat) -> Vec<String> {
    let results = chat.group.results.iter().rev().map(|result| {
        let mark = if result.accepted { "✓" } else { "!" };
        format!("{} {} {mark}", result.text, app.prefs.clock(result.at))
    });
    let saving = app.pending.thread_changes(&chat.chat_ref());
    let saving = saving.into_iter().map(|change| {
        format!("{}: saving ↑", change_words::words(&account.names, &account.me, change))
    });
    results.chain(saving).collect()
}
