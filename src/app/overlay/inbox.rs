//! What is waiting in all chats, oldest first: messages that were not sent, mentions, unread messages, and what changed
//! in groups. Everything can be dealt with here. The list does not change while the user works through it.

use super::content::{Content, DialogLine, step, wide_columns};
use super::{Alerts, Dialog, DialogEnv, Next, Overlay, Prompt, Reactions};
use crate::app::action::OverlayAction;
use crate::app::chat::{Chat, reading};
use crate::app::state::AppState;
use crate::app::view::layout::Size;
use crate::app::view::{Tone, shown, snippet};
use crate::model::text::cut;
use crate::model::{ChatAccess, ChatRef, Delivery, MessageBody, MessageKey, SafeText};

/// The most chats that are listed at once; the rest follow when these are done.
const MAX: usize = 300;

#[derive(Debug)]
pub struct Inbox {
    entries: Vec<InboxEntry>,
    /// The number of chats beyond the limit.
    more: usize,
    marked: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct InboxEntry {
    chat: ChatRef,
    kind: InboxKind,
}

/// Why a chat is listed.
#[derive(Clone, Debug, PartialEq, Eq)]
enum InboxKind {
    /// This message was not sent.
    NotSent(MessageKey),
    Unread,
    /// Somebody changed the group.
    Changed,
}

impl Inbox {
    /// What is waiting now; `None` if nothing is.
    pub fn new(app: &AppState) -> Option<Self> {
        let mut found: Vec<(i64, InboxEntry)> = Vec::new();
        for chat in app.shown_chats() {
            let kinds = [not_sent(chat), unread(chat), changed(app, chat)];
            // One entry per chat: opening a chat for its unread messages shows its changes, too.
            let first = kinds.into_iter().flatten().next();
            found.extend(
                first.map(|kind| {
                    (chat.last_activity().0, InboxEntry { chat: chat.chat_ref(), kind })
                }),
            );
        }
        found.sort_by_key(|(at, _)| *at);
        let more = found.len().saturating_sub(MAX);
        let entries: Vec<InboxEntry> =
            found.into_iter().take(MAX).map(|(_, entry)| entry).collect();
        (!entries.is_empty()).then_some(Self { entries, more, marked: 0 })
    }

    fn current(&self) -> Option<&InboxEntry> {
        self.entries.get(self.marked)
    }

    /// Removes the current entry, which was dealt with.
    fn drop_current(&mut self, app: &AppState) -> Next {
        if self.marked < self.entries.len() {
            self.entries.remove(self.marked);
        }
        self.marked = self.marked.min(self.entries.len().saturating_sub(1));
        if !self.entries.is_empty() {
            return Next::Stay;
        }
        if self.more > 0
            && let Some(next) = Self::new(app)
        {
            *self = next;
        }
        // An empty inbox stays open: the next key was meant for it, and must not reach the box.
        Next::Stay
    }

    fn mark_read(&mut self, app: &mut AppState) -> Next {
        let Some(entry) = self.current().cloned() else { return Next::Stay };
        if matches!(entry.kind, InboxKind::NotSent(_)) {
            app.note("Enter opens the chat, where R sends the message again and d discards it");
            return Next::Stay;
        }
        app.with_chat(&entry.chat, reading::read_all);
        self.drop_current(app)
    }

    fn reply(&self, app: &mut AppState) -> Next {
        let Some(entry) = self.current() else { return Next::Stay };
        let Some(chat) = app.accounts.chat(&entry.chat) else { return Next::Stay };
        let refusal = if chat.info.access != ChatAccess::Full {
            "You cannot write in this chat any more"
        } else if !chat.composer.draft.is_empty() {
            "There is a draft in this chat: Enter opens it"
        } else if app.prefs.read_only {
            "Read-only: nothing can be sent or changed"
        } else {
            let title = app.accounts.of(chat).title(chat);
            return Next::Push(Prompt::reply(entry.chat.clone(), title));
        };
        app.note(refusal);
        Next::Stay
    }

    fn react(&self, app: &mut AppState) -> Next {
        let Some(entry) = self.current() else { return Next::Stay };
        let chat = app.accounts.chat(&entry.chat);
        let newest = chat.and_then(Chat::newest).filter(|message| {
            !message.key.is_unsent() && !message.body.is_system() && !app.prefs.read_only
        });
        let Some(message) = newest else {
            app.note("Its last message is not loaded: Enter opens the chat");
            return Next::Stay;
        };
        let reactions = Reactions::new(entry.chat.clone(), message.key.clone());
        Next::Push(Overlay::Reactions(reactions))
    }
}

fn not_sent(chat: &Chat) -> Option<InboxKind> {
    const LOOK_BACK: usize = 50;
    let mut newest = chat.timeline.iter().rev().take(LOOK_BACK);
    let failed =
        newest.find(|m| matches!(m.delivery, Delivery::Failed { .. } | Delivery::Unconfirmed));
    failed.map(|message| InboxKind::NotSent(message.key.clone()))
}

fn unread(chat: &Chat) -> Option<InboxKind> {
    let unread = chat.info.unread;
    (unread.mentions > 0 || unread.messages > 0 && !chat.is_muted()).then_some(InboxKind::Unread)
}

/// An entry if the last event in a group is a change by someone else that was not on the screen.
fn changed(app: &AppState, chat: &Chat) -> Option<InboxKind> {
    let read = chat.info.read_marker.as_ref()?.arrival;
    let me = &app.accounts.of(chat).me;
    let is_change =
        |by_me: bool, body: &MessageBody| !by_me && matches!(body, MessageBody::Thread(_));
    let is_new = match chat.newest() {
        Some(last) => last.key.at > read && is_change(last.sender == *me, &last.body),
        None => chat.info.last.as_ref().is_some_and(|last| {
            let body = last.system.as_ref();
            chat.info.activity > read
                && body.is_some_and(|body| is_change(last.sender == *me, body))
        }),
    };
    (is_new && chat.info.is_group() && !chat.is_muted()).then_some(InboxKind::Changed)
}

/// The two lines of an entry.
fn lines(app: &AppState, entry: &InboxEntry, columns: usize) -> Vec<DialogLine> {
    let Some(chat) = app.accounts.chat(&entry.chat) else { return vec![DialogLine::default(); 2] };
    let unread = chat.info.unread;
    let (sign, what, tone) = match &entry.kind {
        InboxKind::NotSent(_) => ("!", "not sent".to_owned(), Tone::Bad),
        InboxKind::Changed => ("·", "changed".to_owned(), Tone::Plain),
        InboxKind::Unread if unread.mentions > 0 => {
            let what = format!("@{} · {} unread", unread.mentions, unread.messages);
            ("@", what, Tone::New)
        }
        InboxKind::Unread if unread.messages == 0 => (" ", "read".to_owned(), Tone::Dim),
        InboxKind::Unread => (" ", format!("{} unread", unread.messages), Tone::Plain),
    };
    let at = chat.last_activity();
    let time = if at.0 > 0 { app.prefs.short_time(at, app.clock.wall) } else { String::new() };
    let title = shown(&app.prefs, &app.accounts.of(chat).title(chat));
    let account = app.account_tag(chat).map(|tag| format!(" · {tag}")).unwrap_or_default();
    let text = match &entry.kind {
        InboxKind::NotSent(key) => {
            let message = chat.timeline.get(key);
            let text =
                message.map(|m| m.body.preview(&|id| app.accounts.of(chat).distinct_name(id)));
            SafeText::line(&text.unwrap_or_default())
        }
        _ => snippet(app, chat, true),
    };
    let text = cut(&shown(&app.prefs, &text), columns.saturating_sub(3));
    let mut first =
        DialogLine::toned(format!("{sign} {title}"), format!("{what} · {time}{account}"), tone);
    first.right_tone = Tone::Dim;
    vec![first, DialogLine::dim(format!("  {text}"))]
}

impl Dialog for Inbox {
    fn content(&self, app: &AppState, size: Size) -> Content {
        let columns = wide_columns(size);
        let entries = self.entries.iter().map(|entry| lines(app, entry, columns)).collect();
        let title = match self.more {
            0 => format!("Inbox, {}", self.entries.len()),
            more => format!("Inbox, {} and {more} more", self.entries.len()),
        };
        let hint = "Enter opens · r: reply · m: mark read · +: react · n: notify, mute";
        Content::new(title, Vec::new(), hint).with_entries(
            entries,
            self.marked,
            "Nothing is waiting.",
        )
    }

    fn act(&mut self, action: OverlayAction, env: &mut DialogEnv<'_>) -> Next {
        match action {
            OverlayAction::Choose | OverlayAction::Type('o') => {
                let Some(entry) = self.current() else { return Next::Close };
                let place = match &entry.kind {
                    InboxKind::NotSent(key) => Some(key.clone()),
                    _ => None,
                };
                return Next::Open(entry.chat.clone(), place);
            }
            OverlayAction::Type('r') => return self.reply(env.app),
            OverlayAction::Type('m') => return self.mark_read(env.app),
            OverlayAction::Type('+' | 'a') => return self.react(env.app),
            OverlayAction::Type('n') => {
                let chat = self.current().map(|entry| entry.chat.clone());
                return chat
                    .map_or(Next::Stay, |chat| Next::Push(Overlay::Alerts(Alerts::new(chat))));
            }
            OverlayAction::Type('j') => step(&mut self.marked, 1, self.entries.len()),
            OverlayAction::Type('k') => step(&mut self.marked, -1, self.entries.len()),
            other => {
                if let Some(by) = other.step_or_tab(env.page) {
                    step(&mut self.marked, by, self.entries.len());
                }
            }
        }
        Next::Stay
    }
}
