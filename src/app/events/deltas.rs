//! Remote changes. Each is idempotent; the server's state wins over any local one.

use super::{
    accounts, attention, became_thread, configuration, figures, imports, messages, responses,
};
use crate::app::chat::{Chat, Older, group, join_url, outbox, sending};
use crate::app::model::Model;
use crate::model::{
    AccountId, ChatRef, ConnectionState, Conversation, ConversationId, Delivery, Delta, Inbound,
    NameSource, SafeText, ThreadFlag, UserId,
};
use std::time::Duration;

/// How long a typing signal is shown (facts 3.2; Teams repeats it every 20 s).
const TYPING_LASTS: Duration = Duration::from_secs(22);

pub fn apply(model: &mut Model, inbound: Inbound) {
    let Inbound { account, delta } = inbound;
    let at = |conversation: ConversationId| ChatRef { account: account.clone(), conversation };
    match delta {
        Delta::Connection(state) => connection(model, &account, state),
        Delta::Conversations(list) => conversations(model, &account, list),
        Delta::Messages { conversation, messages, placement, arrival } => {
            messages::take(model, &at(conversation), messages, placement, arrival);
        }
        Delta::Response { ticket, response } => responses::apply(model, ticket, response),
        Delta::Notice(text) => model.app.complain(&text),
        Delta::Configuration(change) => configuration::changed(model, change),
        Delta::Joined { me } => accounts::joined(model, account, me),
        Delta::Left => accounts::left(model, &account),
        Delta::Import(news) => imports::apply(model, news),
        Delta::Names(names) => {
            if account.archive().is_some() {
                lend_names(model, &names);
            }
            if let Some(account) = model.app.accounts.get_mut(&account) {
                for (id, source, name) in names {
                    account.names.learn(&id, source, &name);
                }
            }
        }
        Delta::Presence(people) => {
            if let Some(account) = model.app.accounts.get_mut(&account) {
                account.reachable.get_or_insert_default().learn(people);
            }
        }
        Delta::ObjectHosts(hosts) => {
            if let Some(account) = model.app.accounts.get_mut(&account) {
                account.objects = hosts;
            }
        }
        Delta::StoreCopies(names) => {
            if let Some(account) = model.app.accounts.get_mut(&account) {
                account.copies = names;
            }
        }
        Delta::Download { ticket, progress } => model.overlays.downloaded(ticket, progress),
        Delta::Choices(choices) => {
            for (id, choices) in choices {
                model.app.with_new_chat(&at(id), |chat, _| chat.choices = choices);
            }
        }
        Delta::LastOpen(id) => open_by_itself(model, &at(id)),
        Delta::Drafts(drafts) => {
            for (id, draft) in drafts {
                model
                    .app
                    .with_new_chat(&at(id), |chat, env| sending::restore_draft(chat, env, draft));
            }
        }
        Delta::Delivery { conversation, client_id, delivery, sent } => {
            let chat = at(conversation);
            let failed = matches!(delivery, Delivery::Failed { .. });
            if model.app.presence.figures.is_some() {
                let sent = model.app.accounts.chat(&chat);
                let sent = sent.and_then(|chat| chat.timeline.of_client_id(&client_id)).cloned();
                figures::accepted(&mut model.app, sent.as_ref(), &delivery);
            }
            model.app.with_chat(&chat, |chat, env| {
                outbox::delivery_of(chat, env, &client_id, delivery, sent.as_ref());
            });
            if failed && model.app.open.as_ref() != Some(&chat) {
                not_sent(model, &chat);
            }
        }
        delta => chat_delta(model, &account, delta),
    }
}

/// Changes of one chat.
fn chat_delta(model: &mut Model, account: &AccountId, delta: Delta) {
    let at = |conversation: ConversationId| ChatRef { account: account.clone(), conversation };
    match delta {
        Delta::Coverage { conversation, coverage } => {
            messages::coverage(model, &at(conversation), &coverage);
        }
        Delta::Older { conversation, fault } => {
            messages::older_failed(model, &at(conversation), &fault);
        }
        Delta::ReadReceipts { conversation, read_receipts } => {
            model.app.with_new_chat(&at(conversation), |chat, _| {
                if chat.reading.read_receipts != read_receipts {
                    chat.reading.read_receipts = read_receipts;
                    chat.timeline.touch();
                }
            });
        }
        Delta::Unread { conversation, unread, read_marker } => {
            let chat = at(conversation);
            let is_open = model.app.open.as_ref() == Some(&chat);
            model.app.with_new_chat(&chat, |chat, env| {
                chat.info.unread = unread;
                if read_marker.is_some() {
                    chat.info.read_marker = read_marker;
                }
                if is_open && unread.messages > 0 {
                    chat.draw_new_line(env.me);
                }
            });
            if is_open {
                model.go_to_new();
            }
            if unread.messages == 0 {
                attention::read(model, &chat);
            }
        }
        Delta::Typing { conversation, who, active } => {
            model.app.with_new_chat(&at(conversation), |chat, env| {
                chat.typing.retain(|(known, _)| *known != who);
                if active {
                    chat.typing.push((who, env.now.mono + TYPING_LASTS));
                }
            });
        }
        Delta::Outbox { conversation, client_id, outgoing, queued_at, delivery } => {
            model.app.with_new_chat(&at(conversation), |chat, env| {
                outbox::waiting(chat, env, client_id, outgoing, queued_at, delivery);
            });
        }
        Delta::BecameThread { from, to, with } => {
            became_thread::apply(model, &at(from), &at(to), with);
        }
        Delta::Discarded { conversation, client_id, result } => {
            model.app.with_chat(&at(conversation), |chat, env| {
                outbox::taken_out(chat, env, &client_id, result);
            });
        }
        delta => group_delta(model, account, delta),
    }
}

/// Changes of a chat's members and settings.
fn group_delta(model: &mut Model, account: &AccountId, delta: Delta) {
    let at = |conversation: ConversationId| ChatRef { account: account.clone(), conversation };
    match delta {
        Delta::Settings { conversation, settings } => {
            let chat = at(conversation);
            model.app.with_chat(&chat, |chat, env| group::take_settings(chat, env, settings));
            fetch_url_if_shown(model);
        }
        Delta::Members { conversation, members } => {
            model.app.with_chat(&at(conversation), |chat, _| {
                chat.info.listed.count = Some(members.len());
                chat.group.members = members;
            });
        }
        Delta::Access { conversation, access } => {
            model.app.with_chat(&at(conversation), |chat, _| chat.info.access = access);
        }
        Delta::Topic { conversation, topic } => {
            let chat = at(conversation);
            model.app.with_new_chat(&chat, |chat, env| group::topic_announced(chat, env, topic));
        }
        Delta::Flag { conversation, flag, on } => {
            let chat = at(conversation);
            model.app.with_new_chat(&chat, |chat, env| group::flag_announced(chat, env, flag, on));
            fetch_url_if_shown(model);
        }
        _ => {}
    }
}

/// Asks for the join URL while the settings are on the screen.
pub fn fetch_url_if_shown(model: &mut Model) {
    if model.overlays.shows_settings() {
        model.app.with_open(|chat, env| join_url::fetch(chat, env));
    }
}

fn connection(model: &mut Model, id: &AccountId, state: ConnectionState) {
    let now = model.app.clock.mono;
    let Some(account) = model.app.accounts.get_mut(id) else { return };
    if account.connection.set(state, now) {
        // Pages that could not be fetched while offline may be requested again.
        let failed: Vec<ConversationId> = account
            .conversations
            .iter()
            .filter(|c| matches!(c.paging.older, Older::Failed(_)))
            .map(|c| c.info.id.clone())
            .collect();
        for id in failed {
            if let Some(chat) = account.conversations.get_mut(&id) {
                chat.forgive_older();
            }
        }
    }
}

fn conversations(model: &mut Model, id: &AccountId, list: Vec<Conversation>) {
    for new in list {
        let chat = ChatRef { account: id.clone(), conversation: new.id.clone() };
        look_for_older(model, &chat);
        model.app.with_new_chat(&chat, |chat, _| {
            if new.version < chat.info.version {
                return;
            }
            let before = chat.info.cleared_at;
            if let Some(at) = new.cleared_at.filter(|at| before.is_none_or(|old| old < *at)) {
                chat.timeline.clear_until(at);
            }
            chat.know(ThreadFlag::Alerts, !new.muted);
            chat.know(ThreadFlag::Pinned, new.pinned);
            let old_topic = chat.info.topic.take();
            let old_listed = std::mem::take(&mut chat.info.listed);
            chat.info = new;
            // Known members are still members, even if the last message is by somebody else.
            let listed = &mut chat.info.listed;
            if listed.others.len() <= 1 {
                let known = listed.others.clone().into_iter();
                let others = old_listed.others.into_iter().filter(|id| !listed.others.contains(id));
                listed.others = known.chain(others).collect();
            }
            listed.count = listed.count.or(old_listed.count);
            if chat.info.topic.is_none() && chat.info.is_group() {
                chat.info.topic = old_topic;
            }
        });
    }
    model.app.sort(id);
    if model.app.prefs.demo {
        let first = model.app.shown_chats().next().map(Chat::chat_ref);
        if let Some(chat) = first {
            open_by_itself(model, &chat);
        }
    }
}

/// Opens a chat automatically, unless the user has opened something already.
fn open_by_itself(model: &mut Model, chat: &ChatRef) {
    if model.app.open.is_some() || model.overlays.takes_keys() {
        return;
    }
    model.app.open_chat(chat);
    // Unread messages may not be counted yet.
    model.app.with_open(|chat, env| chat.reading.begin(true, env.now.mono));
}

/// Archived messages are also shown in chats of other accounts, which may not know the names of their senders.
fn lend_names(model: &mut Model, names: &[(UserId, NameSource, SafeText)]) {
    let accounts = model.app.accounts.iter_mut().filter(|account| account.id.archive().is_none());
    for account in accounts {
        for (id, _, name) in names {
            if !account.names.knows(id) {
                account.names.learn(id, NameSource::Message, name);
            }
        }
    }
}

/// An archive was added that may hold earlier years of a chat that was loaded up to its start.
fn look_for_older(model: &mut Model, archived: &ChatRef) {
    let Some(chat) = model.app.accounts.successor(archived).map(Chat::chat_ref) else { return };
    model.app.with_chat(&chat, |chat, _| {
        if chat.paging.older == Older::Reached {
            chat.paging.older = Older::Unknown;
        }
        chat.paging.statistics.is_asked = false;
    });
}

fn not_sent(model: &mut Model, chat: &ChatRef) {
    let Some(chat) = model.app.accounts.chat(chat) else { return };
    let title = model.app.accounts.of(chat).title(chat);
    model.app.complain(&format!("A message to {title} was not sent"));
}
