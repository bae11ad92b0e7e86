//! Finds a conversation or a person. The results do not change while the user looks at them.

use super::content::{Content, DialogLine, narrow_columns, step};
use super::{Dialog, DialogEnv, Next, Overlay, Palette};
use crate::app::account::Account;
use crate::app::action::OverlayAction;
use crate::app::fuzzy::Ranker;
use crate::app::state::AppState;
use crate::app::view::layout::Size;
use crate::app::view::shown;
use crate::model::fold::folded;
use crate::model::text::{cut, cut_name, width};
use crate::model::{ChatRef, ConversationId, ConversationKind, SafeText};
use std::cmp::Reverse;

#[derive(Debug)]
pub struct Switcher {
    input: String,
    marked: usize,
    found: Vec<SwitcherEntry>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct SwitcherEntry {
    pub chat: ChatRef,
    pub name: SafeText,
    pub unread: u32,
    /// There is no such chat yet; opening it creates one.
    pub is_new: bool,
}

impl SwitcherEntry {
    /// Whether it is a person with exactly this name.
    pub fn is_named(&self, app: &AppState, name: &str) -> bool {
        let peer = self.chat.conversation.peer();
        let account = app.accounts.get(&self.chat.account).unwrap_or(app.current_account());
        peer.is_some_and(|peer| folded(&account.names.of(&peer)) == folded(name))
    }
}

impl Switcher {
    pub fn new(app: &AppState) -> Self {
        Self::with_input(app, "")
    }

    /// A switcher with this input.
    pub fn with_input(app: &AppState, input: &str) -> Self {
        Self { input: input.to_owned(), marked: 0, found: find(app, input) }
    }

    fn edited(&mut self, app: &AppState) {
        self.marked = 0;
        self.found = find(app, &self.input);
    }
}

impl Dialog for Switcher {
    fn content(&self, app: &AppState, size: Size) -> Content {
        let lines = self.found.iter().map(|entry| {
            let id = &entry.chat.conversation;
            let state = match (entry.is_new, entry.unread) {
                _ if entry.chat.account.archive().is_some() => Some("archive".to_owned()),
                (true, _) => Some(format!("new chat · {}", cut(id.as_str(), 20))),
                (false, 0) => None,
                (false, n) => Some(format!("{n} unread")),
            };
            let archive = has_archive(app, &entry.chat).then(|| "with archive".to_owned());
            let tags = [state, archive, account_tag(app, &entry.chat)];
            let right = tags.into_iter().flatten().collect::<Vec<_>>().join(" · ");
            let room = narrow_columns(size).saturating_sub(width(&right) + 2);
            DialogLine::new(cut_name(&entry.name, room), right)
        });
        let hint = "Enter opens · an id (8:name) starts a chat · > actions";
        Content::new("Find a chat or a person", lines.collect(), hint)
            .narrow()
            .with_input(&self.input)
            .with_marked(self.marked, "Nothing found.")
    }

    fn act(&mut self, action: OverlayAction, env: &mut DialogEnv<'_>) -> Next {
        match action {
            OverlayAction::Choose => {
                if let Some(chosen) = self.found.get(self.marked) {
                    return Next::Open(chosen.chat.clone(), None);
                }
                env.app.note("No chat or person with that name");
            }
            OverlayAction::Type('>') if self.input.is_empty() => {
                return Next::Replace(Overlay::Palette(Palette::default()));
            }
            OverlayAction::Pick => step(&mut self.marked, 1, self.found.len()),
            other => {
                if let Some(by) = other.step(env.page) {
                    step(&mut self.marked, by, self.found.len());
                } else if other.edit(&mut self.input) {
                    self.edited(env.app);
                }
            }
        }
        Next::Stay
    }
}

/// The results: conversations by name, then known people without a chat, then the id itself. With an empty input,
/// unread conversations come first, so that Enter opens the next unread one.
pub fn find(app: &AppState, input: &str) -> Vec<SwitcherEntry> {
    let input = input.trim().trim_start_matches('@');
    let mut found = chats(app, input);
    if !input.is_empty() {
        for account in writable(app) {
            found.extend(people(account, input, &found));
            let named = by_id(account, input);
            let is_new = |entry: &SwitcherEntry| found.iter().all(|(_, f)| f.chat != entry.chat);
            if let Some(entry) = named.filter(is_new) {
                found.push((u32::MAX, entry));
            }
        }
    }
    found.sort_by_key(|(rank, _)| Reverse(*rank));
    found.into_iter().map(|(_, entry)| entry).collect()
}

/// The accounts in which a chat can be started, that of the open chat first.
fn writable(app: &AppState) -> impl Iterator<Item = &Account> {
    let current = app.current_account();
    let others = app.accounts.iter().filter(|account| account.id != current.id);
    std::iter::once(current).chain(others).filter(|account| account.id.archive().is_none())
}

/// Whether a chat of a live account includes years from an archive.
fn has_archive(app: &AppState, chat: &ChatRef) -> bool {
    app.accounts.chat(chat).is_some_and(|chat| app.accounts.archives_of(chat).next().is_some())
}

/// The name of an account, if there are several. Archives are labelled as such instead.
fn account_tag(app: &AppState, chat: &ChatRef) -> Option<String> {
    let account = app.accounts.get(&chat.account).filter(|_| app.accounts.has_several())?;
    account.id.archive().is_none().then(|| cut(account.label(), 16))
}

fn chats(app: &AppState, input: &str) -> Vec<(u32, SwitcherEntry)> {
    let mut ranker = Ranker::new(input);
    let mut found = Vec::new();
    let hidden = app.accounts.chats().filter(|c| !input.is_empty() && c.is_hidden());
    for c in app.shown_chats().chain(hidden) {
        let chat = c.chat_ref();
        if input.is_empty() && app.open.as_ref() == Some(&chat) {
            continue;
        }
        let name = shown(&app.prefs, &app.accounts.of(c).title(c));
        let unread = c.info.unread.messages;
        let id = c.info.id.as_str();
        let rank = match input {
            "" => Some(u32::from(unread > 0)),
            _ if id == input => Some(u32::MAX),
            // Ranks above a person who matches equally well.
            _ => ranker.rank(&name).map(|rank| rank * 2 + 1).or_else(|| id_rank(id, input)),
        };
        if let Some(rank) = rank {
            found.push((rank, SwitcherEntry { chat, name, unread, is_new: false }));
        }
    }
    found
}

fn id_rank(id: &str, input: &str) -> Option<u32> {
    (input.len() >= 3 && id.contains(input)).then_some(1)
}

/// Known people without a chat.
fn people(
    account: &Account,
    input: &str,
    found: &[(u32, SwitcherEntry)],
) -> Vec<(u32, SwitcherEntry)> {
    let mut ranker = Ranker::new(input);
    let people = account.names.people();
    let mut people: Vec<(u32, SwitcherEntry)> = people
        .filter(|(id, _)| **id != account.me && id.as_str().starts_with("8:"))
        .filter_map(|(id, name)| {
            let chat = account.chat_ref(&ConversationId::new(id.as_str()));
            let entry =
                SwitcherEntry { chat, name: account.names.distinct(id), unread: 0, is_new: true };
            Some((ranker.rank(name)? * 2, entry))
        })
        .filter(|(_, p)| found.iter().all(|(_, f)| f.chat != p.chat))
        .collect();
    people.sort_by(|(_, a), (_, b)| a.name.cmp(&b.name));
    people
}

/// A chat with the conversation id in the input.
fn by_id(account: &Account, input: &str) -> Option<SwitcherEntry> {
    let id = ConversationId::new(input);
    let opens = matches!(
        id.kind(),
        ConversationKind::Direct | ConversationKind::Bot | ConversationKind::Phone
    );
    let complete =
        id.peer().is_some_and(|p| !p.bare().is_empty() && !input.contains(char::is_whitespace));
    let name = SafeText::line(input);
    let valid = opens && complete && name.as_str() == input;
    let chat = account.chat_ref(&id);
    valid.then_some(SwitcherEntry { chat, name, unread: 0, is_new: true })
}
