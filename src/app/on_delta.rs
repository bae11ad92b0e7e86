//! Remote changes. Each is idempotent; the server's word wins over anything local.

use super::follow::seek;
use super::group::JoinUrlState;
use super::on_list::draw_new_line;
use super::overlay::Overlay;
use super::state::{Connection, Older};
use super::{Model, on_history, on_list, on_outbox, responses};
use crate::model::{
    ConnectionState, Conversation, ConversationId, Delta, Page, SafeText, ThreadChange, ThreadFlag,
    ThreadSettings,
};
use std::time::Duration;

/// A typing signal is believed this long (facts 3.2; Teams resends every 20 s).
const TYPING_LASTS: Duration = Duration::from_secs(22);

pub fn apply(model: &mut Model, delta: Delta) {
    match delta {
        Delta::Connection(state) => connection(model, state),
        Delta::Conversations(list) => conversations(model, list),
        Delta::Messages { conversation, messages, page } => {
            on_history::take(model, &conversation, messages, page);
            match page {
                Page::Older { .. } => seek(model, &conversation),
                Page::Around { .. } => on_history::leave_empty_past(model, &conversation),
                _ => {}
            }
        }
        Delta::Coverage { conversation, coverage } => {
            on_history::coverage(model, &conversation, &coverage);
        }
        Delta::ReadReceipts { conversation, read_receipts } => {
            let c = model.app.conversations.ensure(&conversation);
            if c.reading.read_receipts != read_receipts {
                c.reading.read_receipts = read_receipts;
                c.timeline.touch();
            }
        }
        Delta::Older { conversation, fault } => {
            let is_open = model.app.open.as_ref() == Some(&conversation);
            if let Some(c) = model.app.conversations.get_mut(&conversation) {
                c.paging.older = Older::Failed(fault.reason.clone());
                c.paging.sought = None;
            }
            if is_open {
                model.app.complain(&format!("Older messages cannot be fetched: {}", fault.reason));
            }
        }
        Delta::Settings { conversation, settings } => {
            settings_of(model, &conversation, settings);
        }
        Delta::Members { conversation, members } => {
            model.app.conversations.ensure(&conversation).group.members = members;
        }
        Delta::Gone(id) => model.app.conversations.ensure(&id).info.left = true,
        Delta::Topic { conversation, topic } => set_topic(model, &conversation, topic),
        Delta::Flag { conversation, flag, on } => {
            let now = model.app.clock.wall;
            let ours = model.app.pending.flag(&conversation, flag) == Some(on);
            // The server has spoken: the answer to a change of ours adds nothing.
            model.app.pending.give_up_thread(
                &conversation,
                |change| matches!(change, ThreadChange::Flag(changing, _) if *changing == flag),
            );
            let c = model.app.conversations.ensure(&conversation);
            // The announcement may come before the answer: then it is the answer.
            if ours {
                c.note_change(flag.label(), now, &Ok(()));
            }
            c.know(flag, on);
            if flag == ThreadFlag::JoiningEnabled {
                // Each opening may bring another address.
                c.group.url = JoinUrlState::Unknown;
            }
            super::on_thread::fetch_url_if_wanted(model);
        }
        Delta::Typing { conversation, who, active } => {
            let until = model.app.clock.mono + TYPING_LASTS;
            let c = model.app.conversations.ensure(&conversation);
            c.typing.retain(|(known, _)| *known != who);
            if active {
                c.typing.push((who, until));
            }
        }
        Delta::Unread { conversation, unread, read_marker } => {
            let is_open = model.app.open.as_ref() == Some(&conversation);
            let me = model.app.me().clone();
            let c = model.app.conversations.ensure(&conversation);
            c.info.unread = unread;
            if read_marker.is_some() {
                c.info.read_marker = read_marker;
            }
            if is_open && unread.messages > 0 {
                draw_new_line(c, &me);
            }
        }
        Delta::Names(names) => {
            for (id, source, name) in names {
                model.app.names.learn(&id, source, &name);
            }
        }
        Delta::Delivery { conversation, client_id, delivery, sent } => {
            on_outbox::delivery_of(model, &conversation, &client_id, delivery, sent);
        }
        Delta::Outbox { conversation, client_id, outgoing, queued_at, delivery } => {
            on_outbox::waiting(model, &conversation, client_id, outgoing, queued_at, delivery);
        }
        Delta::Discarded { conversation, client_id, result } => {
            on_outbox::taken_out(model, &conversation, &client_id, result);
        }
        Delta::LastOpen(id) => {
            open_by_itself(model, &id);
        }
        Delta::Drafts(drafts) => {
            for (id, draft) in drafts {
                model.app.conversations.ensure(&id).compose.restore(draft);
            }
        }
        Delta::Response { ticket, response } => responses::apply(model, ticket, response),
        Delta::Notice(text) => model.app.complain(&text),
    }
}

fn connection(model: &mut Model, state: ConnectionState) {
    let came_online =
        state == ConnectionState::Online && model.app.connection.state != ConnectionState::Online;
    let now = model.app.clock.mono;
    let lost = match (&state, model.app.connection.lost) {
        (ConnectionState::Online, _) => None,
        (_, Some(known)) => Some(known),
        (ConnectionState::Connecting, None)
            if model.app.connection.state != ConnectionState::Online =>
        {
            None
        }
        (_, None) => Some(now),
    };
    model.app.connection = Connection { state, since: now, lost };
    if came_online {
        // What could not be fetched while offline may be asked for again.
        let failed: Vec<ConversationId> = model
            .app
            .conversations
            .iter()
            .filter(|c| matches!(c.paging.older, Older::Failed(_)))
            .map(|c| c.info.id.clone())
            .collect();
        for id in failed {
            if let Some(c) = model.app.conversations.get_mut(&id) {
                c.paging.older = Older::Unknown;
            }
        }
    }
}

fn conversations(model: &mut Model, list: Vec<Conversation>) {
    for new in list {
        let c = model.app.conversations.ensure(&new.id);
        if new.version < c.info.version {
            continue;
        }
        let cleared = new.cleared_at.filter(|at| c.info.cleared_at.is_none_or(|old| old < *at));
        if let Some(at) = cleared {
            c.timeline.clear_until(at);
        }
        for (flag, on) in [(ThreadFlag::Alerts, !new.muted), (ThreadFlag::Pinned, new.pinned)] {
            c.know(flag, on);
        }
        let old_topic = c.info.topic.take();
        c.info = new;
        if c.info.topic.is_none() && c.info.is_group() {
            c.info.topic = old_topic;
        }
    }
    model.app.conversations.sort();
    if model.app.prefs.demo {
        let first = model.app.conversations.shown(None).next().map(|c| c.info.id.clone());
        if let Some(id) = first {
            open_by_itself(model, &id);
        }
    }
}

/// Opens a chat that the user did not ask for: never while they are doing something.
fn open_by_itself(model: &mut Model, id: &ConversationId) {
    let busy = model.app.overlay.as_ref().is_some_and(|o| *o != Overlay::Welcome);
    if model.app.open.is_none() && !busy {
        let welcome = model.app.overlay.take();
        on_list::open(model, id);
        model.app.overlay = welcome;
        // What is unread may not be counted yet.
        if let Some(c) = model.app.opened_mut() {
            c.reading.wants_new_line = true;
        }
    }
}

fn set_topic(model: &mut Model, id: &ConversationId, topic: SafeText) {
    let now = model.app.clock.wall;
    let ours = model
        .app
        .pending
        .is_changing(id, |change| matches!(change, ThreadChange::Topic(own) if *own == *topic));
    // Whoever set it: the server has spoken, and a late answer to a change of ours is harmless.
    model.app.pending.give_up_thread(id, |change| matches!(change, ThreadChange::Topic(_)));
    let c = model.app.conversations.ensure(id);
    if ours {
        c.note_change("topic", now, &Ok(()));
    }
    c.info.topic = Some(topic);
}

fn settings_of(model: &mut Model, id: &ConversationId, settings: ThreadSettings) {
    let c = model.app.conversations.ensure(id);
    for (flag, value) in [
        (ThreadFlag::JoiningEnabled, settings.joining_enabled),
        (ThreadFlag::HistoryDisclosed, settings.history_disclosed),
    ] {
        if let Some(on) = value {
            c.know(flag, on);
        }
    }
    // An answer that was asked for before our change must not show the old topic again.
    let changing =
        model.app.pending.is_changing(id, |change| matches!(change, ThreadChange::Topic(_)));
    let c = model.app.conversations.ensure(id);
    c.group.settings = settings.clone();
    if let Some(topic) = settings.topic.filter(|_| !changing) {
        c.info.topic = Some(topic);
    }
    super::on_thread::fetch_url_if_wanted(model);
}
