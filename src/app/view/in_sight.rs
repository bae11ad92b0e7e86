//! The people whose presence is visible, and descriptions of it.

use super::{ListRow, Want};
use crate::app::account::Account;
use crate::app::chat::Chat;
use crate::app::state::AppState;
use crate::model::text::width;
use crate::model::{Availability, SafeText, UserId, UserKind};
use std::collections::BTreeSet;

/// At most this many members of a group are requested: they are not all visible.
const SMALL_GROUP: usize = 100;

/// The visible people of each account whose service says who is available, if they have changed.
pub fn wants(app: &AppState, rows: &[ListRow]) -> Vec<Want> {
    let accounts = app.accounts.iter().filter_map(|a| Some((a, a.reachable.as_ref()?)));
    let wants = accounts.filter_map(|(account, reachable)| {
        let people = people(app, account, rows);
        let is_new = people != reachable.reported;
        is_new.then(|| Want::Presence { account: account.id.clone(), people })
    });
    wants.collect()
}

/// The other person of each one-to-one chat in the list, and the people of the open chat.
fn people(app: &AppState, account: &Account, rows: &[ListRow]) -> Vec<UserId> {
    let listed = rows.iter().filter(|row| row.chat.account == account.id);
    let chats = listed.filter_map(|row| account.conversations.get(&row.chat.conversation));
    let open = app.opened().filter(|chat| chat.account == account.id);
    let members = open.into_iter().flat_map(|chat| &chat.group.members).map(|m| m.id.clone());
    let partners = chats.chain(open).filter_map(|chat| account.partner(chat));
    let all: BTreeSet<UserId> = members
        .take(SMALL_GROUP)
        .chain(partners)
        .filter(|id| *id != account.me && id.kind() == UserKind::Person)
        .collect();
    all.into_iter().collect()
}

/// Whether the other person of a one-to-one chat can be reached.
pub fn availability_in(app: &AppState, chat: &Chat) -> Option<Availability> {
    let account = app.accounts.of(chat);
    account.availability(&account.partner(chat)?)
}

/// What the service says about the other person of a one-to-one chat, if it fits into `columns`.
pub fn presence_words(app: &AppState, chat: &Chat, columns: usize) -> Option<String> {
    let account = app.accounts.of(chat);
    let words = account.presence(&account.partner(chat)?)?.words();
    (!words.is_empty() && width(&words) <= columns).then_some(words)
}

/// A known fact about a person's presence.
pub struct PresenceFact {
    pub label: &'static str,
    /// The label for use where labels begin with a capital letter.
    pub title: &'static str,
    pub value: String,
}

/// What is known of a person's presence.
pub fn presence_facts(app: &AppState, account: &Account, who: &UserId) -> Vec<PresenceFact> {
    let Some(presence) = account.presence(who) else { return Vec::new() };
    let now = app.clock.wall;
    let mut facts = Vec::new();
    let words = presence.words();
    if !words.is_empty() {
        let sign = presence.availability.map(Availability::sign).unwrap_or_default();
        let value = format!("{sign} {words}").trim_start().to_owned();
        facts.push(PresenceFact { label: "presence", title: "Presence", value });
    }
    if let Some(note) = presence.note_at(now) {
        let value = super::shown(&app.prefs, note).to_string();
        facts.push(PresenceFact { label: "note", title: "Note", value });
    }
    let is_here = presence.availability == Some(Availability::Available);
    if let Some(at) = presence.last_active.filter(|_| !is_here) {
        let day = app.prefs.day_name(at, now);
        let value = format!("{day} {}", app.prefs.clock(at));
        facts.push(PresenceFact { label: "last active", title: "Last active", value });
    }
    facts
}

/// A name, followed by the symbol of the person's presence if it is known.
pub fn with_sign(account: &Account, who: &UserId, name: &SafeText) -> SafeText {
    match account.availability(who) {
        Some(availability) => SafeText::line(&format!("{name} {}", availability.sign())),
        None => name.clone(),
    }
}
