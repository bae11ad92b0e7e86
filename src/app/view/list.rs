//! The rows of the conversation list.

use super::layout::Rect;
use super::shown;
use crate::app::chat::Chat;
use crate::app::state::{AppState, Focus};
use crate::model::{ChatRef, MessageBody, SafeText};

/// One conversation in the list.
#[derive(Clone, Debug, PartialEq)]
pub struct ListRow {
    pub chat: ChatRef,
    pub title: SafeText,
    pub badge: Badge,
    pub time: String,
    /// The last message, where the list is wide.
    pub snippet: Option<SafeText>,
    /// It is the open one.
    pub current: bool,
    /// The list has the focus and Enter opens this one.
    pub marked: bool,
    pub unread: bool,
    pub muted: bool,
    pub pinned: bool,
    /// It belongs to an archive.
    pub is_archived: bool,
}

/// What the right edge shows, most important first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Badge {
    Failed,
    Mentions(u32),
    Draft,
    Unread(u32),
    None,
}

#[derive(Clone, PartialEq)]
pub struct ListStamp {
    revision: u64,
    area: Rect,
    open: Option<ChatRef>,
    marked: Option<ChatRef>,
    focused: bool,
    today: i64,
}

impl ListStamp {
    pub fn of(app: &AppState, area: Rect) -> Self {
        Self {
            revision: app.list_revision(),
            area,
            open: app.open.clone(),
            marked: app.marked.clone(),
            focused: app.focus == Focus::List,
            today: app.clock.wall.day(&app.prefs.zone),
        }
    }
}

/// The rows in sight, and the unread messages of those below.
pub fn rows(app: &AppState, area: Rect, wide: bool) -> (Vec<ListRow>, u32) {
    let all: Vec<&Chat> = app.shown_chats().collect();
    let per_row = if wide { 2 } else { 1 };
    let mut room = usize::from(area.height) / per_row;
    let marked = match app.focus {
        Focus::List => app.marked.as_ref().or(app.open.as_ref()),
        Focus::Compose => app.open.as_ref(),
    };
    let at = marked.and_then(|id| all.iter().position(|c| c.chat_ref() == *id)).unwrap_or(0);
    // If not everything fits, the last line says what is below.
    if all.len() > room {
        room = (usize::from(area.height) - 1) / per_row;
    }
    let skip = if all.len() > room { at.saturating_sub(room / 2).min(all.len() - room) } else { 0 };
    let rows = all.iter().skip(skip).take(room).map(|c| row(app, c, wide, marked)).collect();
    let below = all
        .iter()
        .skip(skip + room)
        .filter(|c| !c.info.muted)
        .map(|c| c.info.unread.messages)
        .sum();
    (rows, below)
}

fn row(app: &AppState, c: &Chat, wide: bool, marked: Option<&ChatRef>) -> ListRow {
    let chat = c.chat_ref();
    let current = app.open.as_ref() == Some(&chat);
    let unread = c.info.unread;
    let badge = if c.has_failed() {
        Badge::Failed
    } else if unread.mentions > 0 {
        Badge::Mentions(unread.mentions)
    } else if !c.composer.draft.text.is_empty() && !current {
        Badge::Draft
    } else if unread.messages > 0 {
        Badge::Unread(unread.messages)
    } else {
        Badge::None
    };
    let at = c.last_activity();
    let time = if at.0 > 0 { at.short(app.clock.wall, &app.prefs.zone) } else { String::new() };
    ListRow {
        title: shown(&app.prefs, &app.accounts.of(c).title(c)),
        badge,
        time,
        snippet: wide.then(|| shown(&app.prefs, &snippet(app, c, current))),
        current,
        marked: app.focus == Focus::List && marked == Some(&chat),
        unread: unread.messages > 0,
        muted: c.info.muted,
        pinned: c.info.pinned,
        is_archived: chat.account.archive().is_some(),
        chat,
    }
}

fn snippet(app: &AppState, c: &Chat, current: bool) -> SafeText {
    let account = app.accounts.of(c);
    let draft = &c.composer.draft.text;
    if !draft.is_empty() && !current {
        return SafeText::line(&format!("draft: {draft}"));
    }
    let (sender, text, system) = match (c.timeline.last(), &c.info.last) {
        (Some(m), _) => {
            let text = m.body.preview(&|id| account.name(id));
            (m.sender.clone(), text, m.body.is_system() || matches!(m.body, MessageBody::Deleted))
        }
        (None, Some(last)) => {
            (last.sender.clone(), last.text(&|id| account.name(id)), last.system.is_some())
        }
        (None, None) => return SafeText::line(""),
    };
    let text = text.split_whitespace().take(40).collect::<Vec<_>>().join(" ");
    let mine = sender == account.me;
    if system || !(mine || c.info.is_group()) {
        return SafeText::line(&text);
    }
    let name = account.name(&sender);
    let first = name.split_whitespace().next().unwrap_or_default();
    SafeText::line(&format!("{first}: {text}"))
}
