//! The poller: connects, repairs what was missed, then takes events by long poll or asks at intervals.

use super::Shared;
use super::apply::{Incoming, Seen};
use crate::client::{Error, ErrorKind};
use crate::model::PollMode;
use crate::model::{ConnectionState, ConversationId, Delta, Page, RawMessage, SafeText, UserId};
use crate::protocol::decode;
use crate::protocol::wire::{self, PolledEvent};

use crate::store::Cover;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Waits longer than this are told to the user as such; a server that asks for a pause sets its own.
const SIGNED_OUT_WAIT: Duration = Duration::from_secs(24 * 3600);

/// An empty answer faster than this was not waited for.
const QUICK: Duration = Duration::from_secs(1);

pub async fn run(shared: Arc<Shared>) {
    let mut attempt = 0u32;
    let mut registered_anew = false;
    loop {
        if attempt == 0 {
            shared.tell(Delta::Connection(ConnectionState::Connecting)).await;
        }
        let error = match session(&shared, &mut attempt).await {
            Ok(never) => match never {},
            Err(error) => error,
        };
        shared.connection.set_online(false);
        tracing::info!(kind = ?error.kind, error = error.with_causes(), "the connection ended");
        // An answer, and so the gateway is there: registered anew at once, then the gap is repaired like after any other
        // interruption. Not twice in a row.
        registered_anew = error.kind == ErrorKind::EndpointGone && !registered_anew;
        if registered_anew {
            attempt = 1;
            continue;
        }
        attempt += 1;
        let why = SafeText::line(&error.message);
        let wait = match error.kind {
            ErrorKind::SignedOut | ErrorKind::TokenRejected => {
                shared.tell(Delta::Connection(ConnectionState::SignedOut { why })).await;
                shared.connection.wait(SIGNED_OUT_WAIT).await;
                shared.client.forget_registration();
                attempt = 0;
                continue;
            }
            ErrorKind::RetryAfter(wait) => wait,
            _ => shared.backoff(attempt),
        };
        shared.tell(Delta::Connection(ConnectionState::Waiting { wait, attempt, why })).await;
        shared.connection.wait(wait).await;
    }
}

/// Connects and stays connected until something breaks.
async fn session(
    shared: &Arc<Shared>,
    attempt: &mut u32,
) -> Result<std::convert::Infallible, Error> {
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
    shared.tell(Delta::Connection(ConnectionState::Online)).await;
    shared.flush_read_markers().await;
    shared.look_up_names().await;
    if long { take_events(shared, attempt).await } else { ask_at_intervals(shared, attempt).await }
}

async fn take_events(
    shared: &Arc<Shared>,
    attempt: &mut u32,
) -> Result<std::convert::Infallible, Error> {
    let mut ack = 0;
    loop {
        let asked = tokio::time::Instant::now();
        // Events are acknowledged with the next poll: an answer that is lost comes again.
        let events = shared.client.poll(Some(ack)).await?;
        // Only now it is known that this connection carries anything.
        *attempt = 0;
        let fresh: Vec<PolledEvent> =
            events.into_iter().filter(|e| e.id == 0 || e.id > ack).collect();
        if fresh.is_empty() && asked.elapsed() < QUICK {
            // A server that does not hold the poll must not be asked without a pause.
            shared.connection.wait(shared.options.interval).await;
        }
        ack = fresh.iter().map(|e| e.id).max().unwrap_or(ack).max(ack);
        apply_events(shared, fresh).await;
    }
}

async fn ask_at_intervals(
    shared: &Arc<Shared>,
    attempt: &mut u32,
) -> Result<std::convert::Infallible, Error> {
    loop {
        shared.connection.wait(shared.options.interval).await;
        shared.refresh(false).await?;
        *attempt = 0;
    }
}

/// Stores a batch of events and sends what changed to the app. What cannot be read is skipped.
async fn apply_events(shared: &Arc<Shared>, events: Vec<PolledEvent>) {
    let batch = EventBatch::read(events);
    for (conversation, who, active) in batch.typing {
        if who != shared.me {
            shared.tell(Delta::Typing { conversation, who, active }).await;
        }
    }
    let open = shared.open_chat();
    if batch.read_marks.iter().any(|id| open.as_ref() == Some(id)) {
        shared.receipts.announced();
    }
    let strangers = shared.unknown(batch.messages.keys()).await;
    apply_messages(shared, batch.conversations, batch.messages).await;
    for id in strangers {
        shared.get_to_know(&id).await;
    }
    for (json, thread) in batch.threads {
        apply_thread(shared, json, thread).await;
    }
}

/// Events of one poll by what they bring.
#[derive(Default)]
struct EventBatch {
    messages: BTreeMap<ConversationId, Vec<RawMessage>>,
    conversations: Vec<Seen>,
    threads: Vec<(String, wire::Thread)>,
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
            // Its messages come as events of their own, maybe after this one: the next start asks once more.
            "ConversationUpdate" => {
                self.conversations.extend(wire::raw_conversation(&event.resource).map(Seen::only));
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
    conversations: Vec<Seen>,
    messages: BTreeMap<ConversationId, Vec<RawMessage>>,
) {
    let real = messages.into_iter().filter(|(id, _)| !id.is_virtual());
    let incoming: Vec<Incoming> = real
        .map(|(conversation, messages)| {
            // Whoever comes back into a group has missed what was said there meanwhile.
            if messages.iter().any(|raw| adds(raw, &shared.me)) {
                shared.fell_behind(&conversation);
            }
            let cover = (!shared.history.is_behind(&conversation)).then_some(Cover::Follows);
            Incoming { conversation, messages, page: Page::Live, cover }
        })
        .collect();
    if incoming.is_empty() && conversations.is_empty() {
        return;
    }
    let touched: Vec<ConversationId> = incoming.iter().map(|i| i.conversation.clone()).collect();
    if !shared.take(conversations, incoming).await {
        // Shown but not stored: what comes next must not look as if it followed.
        for id in &touched {
            shared.fell_behind(id);
        }
    }
}

async fn apply_thread(shared: &Shared, json: String, thread: wire::Thread) {
    let Some(id) = wire::thread_id(&json) else { return };
    if let Err(error) = shared.store.save_thread(&id, json).await {
        tracing::error!(%error, "a thread was not stored");
    }
    if let Some(topic) = &thread.settings.topic {
        shared.tell(Delta::Topic { conversation: id.clone(), topic: topic.clone() }).await;
    }
    shared.take_thread(&id, thread).await;
}

/// Whether an activity puts someone into the conversation.
fn adds(raw: &RawMessage, me: &UserId) -> bool {
    let kind = raw.kind.strip_prefix("ThreadActivity/");
    kind.is_some_and(|kind| matches!(kind, "AddMember" | "MemberJoined"))
        && raw.content.contains(me.as_str())
}
