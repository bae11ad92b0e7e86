//! The rows of the conversation list.

use super::layout::Rect;
use super::shown;
use crate::app::account::Account;
use crate::app::chat::Chat;
use crate::app::state::{AppState, Focus};
use crate::model::{Availability, ChatRef, ConnectionState, ListOrder, MessageBody, SafeText};
use std::ops::Range;

/// One conversation in the list.
#[derive(Clone, Debug, PartialEq)]
pub struct ListRow {
    pub chat: ChatRef,
    pub title: SafeText,
    pub badge: Badge,
    pub time: String,
    /// The last message, if the list is wide.
    pub snippet: Option<SafeText>,
    /// It is the open conversation.
    pub current: bool,
    /// The list has the focus and Enter opens this one.
    pub marked: bool,
    pub unread: bool,
    pub signs: RowSigns,
    /// How the account is shown, if there are several.
    pub account: RowAccount,
}

/// What the symbols beside a conversation's name say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowSigns {
    /// The presence of the other person in a one-to-one chat, if it is known.
    pub presence: Option<Availability>,
    pub muted: bool,
    pub pinned: bool,
    /// It belongs to an archive, or an archive has earlier years of it.
    pub is_archived: bool,
}

/// How the account of a row is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowAccount {
    None,
    /// A section of the list begins with this row.
    Heading(SectionHeading),
    /// The chats of several accounts are mixed.
    Beside(String),
}

/// The heading above the chats of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SectionHeading {
    pub name: String,
    pub online: bool,
    pub unread: u32,
}

/// What is shown at the right edge, most important first.
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
    order: ListOrder,
    choices: u64,
    first: Option<usize>,
    /// A bit for each account.
    online: u64,
}

impl ListStamp {
    pub fn of(app: &AppState, area: Rect, first: Option<usize>) -> Self {
        Self {
            revision: app.list_revision(),
            area,
            open: app.open.clone(),
            marked: app.marked.clone(),
            focused: app.focus == Focus::List,
            today: app.clock.wall.day(&app.prefs.zone),
            order: app.prefs.choices.ui.list,
            choices: app.prefs.revision,
            first,
            online: app.accounts.iter().fold(0, |bits, a| bits << 1 | u64::from(is_online(a))),
        }
    }
}

/// The visible rows, and the number of unread messages in the chats below. The rows begin with the chat at `first`, or
/// are around the open one.
pub fn rows(
    app: &AppState,
    area: Rect,
    two_lines: bool,
    first: Option<usize>,
) -> (Vec<ListRow>, u32) {
    let all: Vec<&Chat> = app.shown_chats().collect();
    let marked = match app.focus {
        Focus::List => app.marked.as_ref().or(app.open.as_ref()),
        Focus::Compose => app.open.as_ref(),
    };
    let at = marked.and_then(|id| all.iter().position(|c| c.is(id))).unwrap_or(0);
    let sections = app.accounts.has_several() && app.prefs.choices.ui.list == ListOrder::Accounts;
    let heights = Heights { chats: &all, per_row: if two_lines { 2 } else { 1 }, sections };
    let height = usize::from(area.height);
    let range = match first {
        Some(first) => heights.from(first, height),
        None => heights.in_sight(at, height),
    };
    let (first, end) = (range.start, range.end);
    let in_sight = all.iter().enumerate().take(end).skip(first);
    let rows = in_sight.map(|(i, c)| {
        let account = match app.account_tag(c) {
            Some(name) if !sections => RowAccount::Beside(name.to_owned()),
            Some(_) if i == first || heights.begins_section(i) => {
                RowAccount::Heading(heading(app.accounts.of(c)))
            }
            _ => RowAccount::None,
        };
        ListRow { account, ..row(app, c, two_lines, marked) }
    });
    let below = all.iter().skip(end).filter(|c| !c.is_muted());
    (rows.collect(), below.map(|c| c.info.unread.messages).sum())
}

/// Computes how many lines the chats of the list take.
struct Heights<'a> {
    chats: &'a [&'a Chat],
    per_row: usize,
    /// Each account has a heading; there is also one above the first visible row.
    sections: bool,
}

impl Heights<'_> {
    fn begins_section(&self, at: usize) -> bool {
        let account = |at: usize| self.chats.get(at).map(|c| &c.account);
        at == 0 || account(at) != account(at - 1)
    }

    fn of(&self, range: &Range<usize>) -> usize {
        let inner = range.clone().skip(1).filter(|at| self.begins_section(*at)).count();
        let headings = if self.sections && !range.is_empty() { 1 + inner } else { 0 };
        range.len() * self.per_row + headings
    }

    /// The chats that fit, including the one at `at`. If there are more, the last line is left free.
    fn in_sight(&self, at: usize, height: usize) -> Range<usize> {
        let room = height.saturating_sub(1);
        let mut range = at.saturating_sub(room / self.per_row / 2)..(at + 1).min(self.chats.len());
        while range.start < at && self.of(&range) > room {
            range.start += 1;
        }
        self.filled(range, height)
    }

    /// The chats that fit, beginning with the one at `first`.
    fn from(&self, first: usize, height: usize) -> Range<usize> {
        let first = first.min(self.chats.len().saturating_sub(1));
        self.filled(first..(first + 1).min(self.chats.len()), height)
    }

    /// Extends a range with as many chats as fit, first after it and then before it.
    fn filled(&self, mut range: Range<usize>, height: usize) -> Range<usize> {
        let all = 0..self.chats.len();
        if all.len() <= height && self.of(&all) <= height {
            return all;
        }
        let room = height.saturating_sub(1);
        let fits = |range: &Range<usize>| self.of(range) <= room;
        while range.end < all.end && fits(&(range.start..range.end + 1)) {
            range.end += 1;
        }
        while range.start > 0 && fits(&(range.start - 1..range.end)) {
            range.start -= 1;
        }
        range
    }
}

fn heading(account: &Account) -> SectionHeading {
    let (unread, _) = account.unread();
    SectionHeading { name: account.label().to_owned(), online: is_online(account), unread }
}

fn is_online(account: &Account) -> bool {
    account.connection.state == ConnectionState::Online
}

fn row(app: &AppState, c: &Chat, two_lines: bool, marked: Option<&ChatRef>) -> ListRow {
    let (chat, account) = (c.chat_ref(), app.accounts.of(c));
    let current = app.open.as_ref().is_some_and(|open| c.is(open));
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
    let time = if at.0 > 0 { app.prefs.short_time(at, app.clock.wall) } else { String::new() };
    ListRow {
        title: shown(&app.prefs, &account.title(c)),
        badge,
        time,
        snippet: two_lines.then(|| shown(&app.prefs, &snippet(app, c, current))),
        current,
        marked: app.focus == Focus::List && marked == Some(&chat),
        unread: unread.messages > 0,
        signs: RowSigns {
            presence: account.partner(c).and_then(|who| account.availability(&who)),
            muted: c.is_muted(),
            pinned: c.info.pinned,
            is_archived: chat.account.archive().is_some()
                || app.accounts.archives_of(c).next().is_some(),
        },
        account: RowAccount::None,
        chat,
    }
}

/// The last message of a chat in one line, or its draft if it is not the current chat.
pub fn snippet(app: &AppState, c: &Chat, current: bool) -> SafeText {
    let account = app.accounts.of(c);
    let draft = &c.composer.draft.text;
    if !draft.is_empty() && !current {
        return SafeText::line(&format!("draft: {draft}"));
    }
    let (sender, text, system) = match (c.newest(), &c.info.last) {
        (Some(m), _) => {
            let text = m.body.preview(&|id| account.distinct_name(id));
            (m.sender.clone(), text, m.body.is_system() || matches!(m.body, MessageBody::Deleted))
        }
        (None, Some(last)) => {
            (last.sender.clone(), last.text(&|id| account.distinct_name(id)), last.system.is_some())
        }
        (None, None) => return SafeText::line(""),
    };
    let text = text.split_whitespace().take(40).collect::<Vec<_>>().join(" ");
    let mine = sender == account.me;
    if system || !(mine || c.info.is_group()) {
        return SafeText::line(&text);
    }
    let name = account.distinct_name(&sender);
    let is_shared = !mine && account.names.is_shared(&sender);
    let first = name.split_whitespace().next().filter(|_| !is_shared).unwrap_or(&name);
    SafeText::line(&format!("{first}: {text}"))
}
