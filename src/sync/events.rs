//! Handles events: messages, conversations, groups and signals are sorted, stored and sent to the app.

use super::Shared;
use super::apply::{IncomingConversation, IncomingMessages};
use crate::model::{Arrival, ConversationId, Delta, Placement, RawMessage, UserId};
use crate::protocol::decode;
use crate::protocol::wire::{self, PolledEvent};
use crate::store::CoverageUpdate;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Stores a batch of events and sends what changed to the app. `follows` says that nothing is missing before them or
/// between them. Returns whether every event could be read.
pub(super) async fn apply_events(
    shared: &Arc<Shared>,
    events: Vec<PolledEvent>,
    follows: bool,
) -> bool {
    let batch = EventBatch::read(events);
    shared.count_unplaced(batch.unplaced).await;
    let readable = batch.unreadable == 0;
    let follows = follows && readable;
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
    apply_messages(shared, batch.conversations, batch.messages, follows).await;
    for id in strangers {
        shared.fetch_new_conversation(&id).await;
    }
    for (json, thread) in batch.threads {
        apply_thread(shared, json, thread).await;
    }
    if shared.people.misses_members() {
        shared.fetch_missing_names().await;
    }
    readable
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
    /// Messages that say neither what they are nor where they belong.
    unplaced: usize,
    /// Messages that cannot be read, or of which only the id is there.
    unreadable: usize,
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
                // The event's link says where a message belongs if the message itself does not.
                let linked = wire::conversation_of_link(&event.link);
                self.add_message(wire::raw_message(&event.resource, linked.as_ref()));
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
        let Some(raw) = raw else {
            self.unreadable += 1;
            self.unplaced += 1;
            return;
        };
        if raw.kind.is_empty() {
            self.unreadable += 1;
        }
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
    follows: bool,
) {
    let real = messages.into_iter().filter(|(id, _)| !id.is_virtual());
    let incoming: Vec<IncomingMessages> = real
        .map(|(conversation, messages)| {
            // After rejoining a group, what was written meanwhile has to be fetched.
            if messages.iter().any(|raw| adds(raw, &shared.me)) {
                shared.fell_behind(&conversation);
            }
            let follows = follows && !shared.history.is_behind(&conversation);
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
    for id in &touched {
        shared.reading_works(id).await;
    }
}

async fn apply_thread(shared: &Shared, json: String, thread: wire::WireThread) {
    let Some(id) = wire::thread_id(&json) else { return };
    // A thread without its members must not replace one with them.
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
pub(super) mod tests {
    use super::*;

    pub fn event(id: u64, kind: &str, resource: &str) -> PolledEvent {
        PolledEvent {
            id,
            resource_type: kind.into(),
            link: String::new(),
            resource: resource.into(),
        }
    }

    fn message(id: u64, kind: &str, content: &str) -> String {
        serde_json::json!({
            "id": id.to_string(), "messagetype": kind, "content": content, "from": "8:joe.4",
            "conversationid": "19:team@thread.skype",
        })
        .to_string()
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
        assert_eq!(batch.unreadable, 1);
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
