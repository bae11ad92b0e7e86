//! The poller: connects, catches up, and then receives events by long poll or polls at intervals.

use super::Shared;
use super::apply::{IncomingConversation, IncomingMessages};
use crate::client::{Error, ErrorKind};
use crate::model::PollMode;
use crate::model::{
    Arrival, ConnectionState, ConversationId, Delta, Placement, RawMessage, SafeText, UserId,
};
use crate::protocol::decode;
use crate::protocol::wire::{self, PolledEvent};

use crate::store::CoverageUpdate;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

/// How long to wait for the user after the token was rejected.
const SIGNED_OUT_WAIT: Duration = Duration::from_secs(24 * 3600);

/// An empty answer sooner than this means that the server does not hold the poll.
const QUICK: Duration = Duration::from_secs(1);

pub async fn run(shared: Arc<Shared>) {
    let mut attempts = Attempts::default();
    loop {
        if attempts.failed == 0 {
            shared.send(Delta::Connection(ConnectionState::Connecting)).await;
        }
        let error = match session(&shared, &mut attempts).await {
            Ok(never) => match never {},
            Err(error) => error,
        };
        shared.connection.set_online(false);
        tracing::info!(kind = ?error.kind, error = error.with_causes(), "the connection ended");
        let why = SafeText::line(&error.message);
        let wait = match attempts.after(error.kind) {
            NextAttempt::Now => continue,
            NextAttempt::SignedOut => {
                shared.send(Delta::Connection(ConnectionState::SignedOut { why })).await;
                shared.connection.wait(SIGNED_OUT_WAIT).await;
                shared.client.forget_registration();
                continue;
            }
            NextAttempt::After(wait) => wait,
            NextAttempt::Backoff => shared.backoff(attempts.failed),
        };
        let attempt = attempts.failed;
        shared.send(Delta::Connection(ConnectionState::Waiting { wait, attempt, why })).await;
        shared.connection.wait(wait).await;
    }
}

/// Attempts to connect since the last success.
#[derive(Debug, Default)]
struct Attempts {
    failed: u32,
    /// The last attempt only registered a new endpoint.
    registered: bool,
}

#[derive(Debug, PartialEq, Eq)]
enum NextAttempt {
    Now,
    /// When the user asks for it.
    SignedOut,
    /// When the server allows it.
    After(Duration),
    Backoff,
}

impl Attempts {
    /// What follows an error that ended the connection.
    fn after(&mut self, kind: ErrorKind) -> NextAttempt {
        // The server does answer, so a new endpoint is registered at once, but not twice in a row. What was missed is
        // fetched as after any other interruption.
        self.registered = kind == ErrorKind::EndpointGone && !self.registered;
        if self.registered {
            self.failed = 1;
            return NextAttempt::Now;
        }
        self.failed = self.failed.saturating_add(1);
        match kind {
            ErrorKind::SignedOut | ErrorKind::TokenRejected => {
                self.failed = 0;
                NextAttempt::SignedOut
            }
            ErrorKind::RetryAfter(wait) => NextAttempt::After(wait),
            _ => NextAttempt::Backoff,
        }
    }

    fn succeeded(&mut self) {
        self.failed = 0;
    }
}

/// Connects, and stays connected until there is an error.
async fn session(shared: &Arc<Shared>, attempts: &mut Attempts) -> Result<Infallible, Error> {
    let long = match shared.options.poll {
        PollMode::Interval => false,
        PollMode::Long => {
            shared.client.subscribe().await?;
            true
        }
        PollMode::Auto => match shared.client.subscribe().await {
            Ok(()) => true,
            Err(error) if error.kind == ErrorKind::Unsupported || error.is_inaccessible() => false,
            Err(error) => return Err(error),
        },
    };
    shared.connection.set_has_events(long);
    shared.refresh(true).await?;
    shared.connection.set_online(true);
    shared.send(Delta::Connection(ConnectionState::Online)).await;
    shared.flush_read_markers().await;
    shared.fetch_missing_names().await;
    if long {
        take_events(shared, attempts).await
    } else {
        ask_at_intervals(shared, attempts).await
    }
}

async fn take_events(shared: &Arc<Shared>, attempts: &mut Attempts) -> Result<Infallible, Error> {
    let mut ack = 0;
    loop {
        let asked = tokio::time::Instant::now();
        // A poll acknowledges the events of the one before, so that events are sent again if an answer is lost.
        let events = shared.client.poll(Some(ack)).await?;
        // Only an answered poll proves that the connection works.
        attempts.succeeded();
        let fresh = unseen(events, ack);
        if fresh.is_empty() && asked.elapsed() < QUICK {
            // Do not flood a server that does not hold the poll.
            shared.connection.wait(shared.options.interval).await;
        }
        ack = fresh.iter().map(|e| e.id).max().unwrap_or(ack).max(ack);
        apply_events(shared, fresh).await;
    }
}

/// Events after the acknowledged one. Events without an id are always included, because they cannot be compared.
fn unseen(events: Vec<PolledEvent>, ack: u64) -> Vec<PolledEvent> {
    events.into_iter().filter(|event| event.id == 0 || event.id > ack).collect()
}

async fn ask_at_intervals(
    shared: &Arc<Shared>,
    attempts: &mut Attempts,
) -> Result<Infallible, Error> {
    loop {
        shared.connection.wait(shared.options.interval).await;
        shared.refresh(false).await?;
        attempts.succeeded();
        if shared.people.misses_members() {
            shared.fetch_missing_names().await;
        }
    }
}

/// Stores a batch of events and sends what changed to the app. What cannot be read is skipped.
async fn apply_events(shared: &Arc<Shared>, events: Vec<PolledEvent>) {
    let batch = EventBatch::read(events);
    for (conversation, who, active) in batch.typing {
        if who != shared.me {
            shared.send(Delta::Typing { conversation, who, active }).await;
        }
    }
    let open = shared.open_chat();
    if batch.read_marks.iter().any(|id| open.as_ref() == Some(id)) {
        shared.receipts.announced();
    }
    let strangers = shared.unknown_conversations(batch.messages.keys()).await;
    apply_messages(shared, batch.conversations, batch.messages).await;
    for id in strangers {
        shared.fetch_new_conversation(&id).await;
    }
    for (json, thread) in batch.threads {
        apply_thread(shared, json, thread).await;
    }
    if shared.people.misses_members() {
        shared.fetch_missing_names().await;
    }
}

/// The events of one poll, sorted by what they contain.
#[derive(Default)]
struct EventBatch {
    messages: BTreeMap<ConversationId, Vec<RawMessage>>,
    conversations: Vec<IncomingConversation>,
    threads: Vec<(String, wire::WireThread)>,
    typing: Vec<(ConversationId, UserId, bool)>,
    /// Conversations in which someone has read further.
    read_marks: Vec<ConversationId>,
}

impl EventBatch {
    fn read(events: Vec<PolledEvent>) -> Self {
        let mut batch = Self::default();
        for event in events {
            batch.add(event);
        }
        batch
    }

    fn add(&mut self, event: PolledEvent) {
        match event.resource_type.as_str() {
            "NewMessage" | "MessageUpdate" => {
                self.add_message(wire::raw_message(&event.resource, None));
            }
            // Its messages are separate events and may come later, so its version is not recorded as stored.
            "ConversationUpdate" => {
                self.conversations.extend(
                    wire::raw_conversation(&event.resource).map(IncomingConversation::listed),
                );
            }
            "ThreadUpdate" => {
                let thread = wire::thread(&event.resource).ok();
                self.threads.extend(thread.map(|thread| (event.resource, thread)));
            }
            _ => {}
        }
    }

    fn add_message(&mut self, raw: Option<RawMessage>) {
        let Some(raw) = raw else { return };
        if let Some(active) = decode::typing(&raw) {
            self.typing.push((raw.conversation, raw.sender, active));
        } else if decode::is_read_mark(&raw) {
            self.read_marks.push(raw.conversation);
        } else {
            self.messages.entry(raw.conversation.clone()).or_default().push(raw);
        }
    }
}

async fn apply_messages(
    shared: &Shared,
    conversations: Vec<IncomingConversation>,
    messages: BTreeMap<ConversationId, Vec<RawMessage>>,
) {
    let real = messages.into_iter().filter(|(id, _)| !id.is_virtual());
    let incoming: Vec<IncomingMessages> = real
        .map(|(conversation, messages)| {
            // After coming back into a group, what was written meanwhile has to be fetched.
            if messages.iter().any(|raw| adds(raw, &shared.me)) {
                shared.fell_behind(&conversation);
            }
            let follows = !shared.history.is_behind(&conversation);
            let coverage = follows.then_some(CoverageUpdate::Append).into_iter().collect();
            let (placement, arrival) = (Placement::Event, Arrival::Live);
            IncomingMessages { conversation, messages, placement, arrival, coverage }
        })
        .collect();
    if incoming.is_empty() && conversations.is_empty() {
        return;
    }
    let touched: Vec<ConversationId> = incoming.iter().map(|i| i.conversation.clone()).collect();
    if !shared.ingest(conversations, incoming).await {
        // They are shown but not stored, so the next messages must not be appended to the stored ones.
        for id in &touched {
            shared.fell_behind(id);
        }
    }
}

async fn apply_thread(shared: &Shared, json: String, thread: wire::WireThread) {
    let Some(id) = wire::thread_id(&json) else { return };
    // What does not list the members must not replace what does.
    if thread.lists_members
        && let Err(error) = shared.store.save_thread(&id, json).await
    {
        tracing::error!(%error, "a thread was not stored");
    }
    if let Some(topic) = &thread.settings.topic {
        shared.send(Delta::Topic { conversation: id.clone(), topic: topic.clone() }).await;
    }
    shared.send_thread(&id, thread).await;
}

/// Whether a message says that this account was added to the conversation.
fn adds(raw: &RawMessage, me: &UserId) -> bool {
    let kind = raw.kind.strip_prefix("ThreadActivity/");
    kind.is_some_and(|kind| matches!(kind, "AddMember" | "MemberJoined"))
        && raw.content.contains(me.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(id: u64, kind: &str, resource: &str) -> PolledEvent {
        PolledEvent { id, resource_type: kind.into(), resource: resource.into() }
    }

    fn message(id: u64, kind: &str, content: &str) -> String {
        serde_json::json!({
            "id": id.to_string(), "messagetype": kind, "content": content, "from": "8:joe.4",
            "conversationid": "19:team@thread.skype",
        })
        .to_string()
    }

    #[test]
    fn a_lost_connection_is_tried_again_after_longer_and_longer_waits() {
        let mut attempts = Attempts::default();
        for failed in 1..=3 {
            assert_eq!(attempts.after(ErrorKind::Unreachable), NextAttempt::Backoff);
            assert_eq!(attempts.failed, failed);
        }
        attempts.succeeded();
        assert_eq!(attempts.failed, 0);
    }

    #[test]
    fn an_endpoint_that_is_gone_is_registered_at_once_but_not_twice_in_a_row() {
        let mut attempts = Attempts::default();
        assert_eq!(attempts.after(ErrorKind::EndpointGone), NextAttempt::Now);
        assert_eq!(attempts.after(ErrorKind::EndpointGone), NextAttempt::Backoff);
        assert_eq!(attempts.after(ErrorKind::EndpointGone), NextAttempt::Now);
    }

    #[test]
    fn a_rejected_token_waits_for_the_user_and_a_busy_server_for_the_time_it_asked_for() {
        let mut attempts = Attempts::default();
        attempts.after(ErrorKind::Unreachable);
        assert_eq!(attempts.after(ErrorKind::TokenRejected), NextAttempt::SignedOut);
        assert_eq!(attempts.failed, 0, "the next attempt says that it connects");
        let pause = Duration::from_secs(7);
        assert_eq!(attempts.after(ErrorKind::RetryAfter(pause)), NextAttempt::After(pause));
    }

    #[test]
    fn events_that_were_acknowledged_are_not_applied_again() {
        let events = [3, 0, 5, 4].map(|id| event(id, "NewMessage", "{}")).into();
        let ids: Vec<u64> = unseen(events, 4).iter().map(|event| event.id).collect();
        assert_eq!(ids, [0, 5]);
    }

    #[test]
    fn events_are_sorted_by_what_they_bring_and_unreadable_ones_are_skipped() {
        let batch = EventBatch::read(vec![
            event(1, "NewMessage", &message(11, "Text", "hi")),
            event(2, "NewMessage", &message(12, "Control/Typing", "")),
            event(3, "MessageUpdate", &message(11, "Text", "hello")),
            event(
                4,
                "NewMessage",
                &message(13, "ThreadActivity/MemberConsumptionHorizonUpdate", ""),
            ),
            event(5, "ConversationUpdate", r#"{"id":"8:mia.tan"}"#),
            event(6, "ThreadUpdate", r#"{"id":"19:team@thread.skype","members":[]}"#),
            event(7, "NewMessage", "[]"),
            event(8, "ThreadUpdate", "{}"),
            event(9, "EndpointPresence", "{}"),
        ]);
        let team = ConversationId::new("19:team@thread.skype");
        assert_eq!(batch.messages.len(), 1);
        assert_eq!(batch.messages[&team].len(), 2);
        assert_eq!(batch.typing, [(team.clone(), UserId::new("8:joe.4"), true)]);
        assert_eq!(batch.read_marks, [team]);
        assert_eq!((batch.conversations.len(), batch.threads.len()), (1, 1));
    }

    #[test]
    fn only_the_own_id_in_a_member_change_means_that_this_account_came_back() {
        let me = UserId::new("8:anna.7");
        let raw = |kind: &str, content: &str| {
            wire::raw_message(&message(1, kind, content), None).unwrap()
        };
        let added = "<addmember><target>8:anna.7</target></addmember>";
        assert!(adds(&raw("ThreadActivity/AddMember", added), &me));
        assert!(!adds(&raw("ThreadActivity/AddMember", "<target>8:mia.tan</target>"), &me));
        assert!(!adds(&raw("ThreadActivity/DeleteMember", added), &me));
        assert!(!adds(&raw("Text", added), &me));
    }
}
