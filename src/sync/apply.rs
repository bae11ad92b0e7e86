//! Ingests answers of the server: decodes them, stores them, and then sends the changes to the app. If storing fails,
//! the changes are still sent, with a warning.

use super::Shared;
use crate::model::{
    Arrival, Conversation, ConversationId, Delta, Indexed, Message, MessageBody, NameSource, Names,
    Placement, RawConversation, RawMessage, SafeText, ThreadActivity, ThreadFlag, UserId,
};
use crate::protocol::{decode, wire};
use crate::store::{Applied, Batch, ConversationRow, CoverageUpdate, SyncToken};
use std::collections::HashSet;

/// A conversation received from the server.
pub struct IncomingConversation {
    pub raw: RawConversation,
    /// All its messages are stored with it.
    pub complete: bool,
    /// See [`ConversationRow::sync_token`].
    pub sync_token: Option<SyncToken>,
}

impl IncomingConversation {
    /// An item of a list, for which no messages have been fetched yet.
    pub fn listed(raw: RawConversation) -> Self {
        Self { raw, complete: false, sync_token: None }
    }
}

/// Messages of one conversation received from the server.
pub struct IncomingMessages {
    pub conversation: ConversationId,
    pub messages: Vec<RawMessage>,
    pub placement: Placement,
    pub arrival: Arrival,
    /// Which parts of the history they are.
    pub coverage: Vec<CoverageUpdate>,
}

/// Completes a stored row with what is only in the item as received, such as its content. The row is the better source
/// for the message's place and its id here, and for its sender if the item does not name one.
pub fn decode_stored(row: RawMessage) -> RawMessage {
    match wire::raw_message(&row.json, Some(&row.conversation)) {
        Some(raw) => RawMessage {
            sender: if raw.sender.as_str().is_empty() { row.sender } else { raw.sender },
            id: row.id,
            conversation: row.conversation,
            original_is_stored: row.original_is_stored,
            ..raw
        },
        None => row,
    }
}

/// A decoded answer of the server: what is stored of it, and what is shown.
#[derive(Default)]
struct DecodedAnswer {
    batch: Batch,
    conversations: Vec<Conversation>,
    pages: Vec<DecodedPage>,
}

/// Messages of one conversation for the app.
struct DecodedPage {
    conversation: ConversationId,
    messages: Vec<Message>,
    placement: Placement,
    arrival: Arrival,
}

/// Completes an item from an older copy of the same message.
fn completed(
    newer: &str,
    older: &str,
    conversation: &ConversationId,
    me: &UserId,
) -> Option<(RawMessage, Indexed)> {
    let json = wire::completed(newer, older);
    let raw = wire::raw_message(json.as_deref().unwrap_or(newer), Some(conversation))?;
    let index = decode::indexed(&decode::message(&raw, me));
    Some((raw, index))
}

impl DecodedPage {
    /// Shows messages as they are stored, if the received copies lack something.
    fn complete(&mut self, completed: &[RawMessage], me: &UserId) {
        for raw in completed.iter().filter(|raw| raw.conversation == self.conversation) {
            for message in self.messages.iter_mut().filter(|m| m.key.id == raw.key().id) {
                *message = decode::message(raw, me);
            }
        }
    }

    /// Marks the edits whose originals are stored, so that they are not shown while the originals are not loaded.
    fn mark_edit_records(&mut self, records: &[(ConversationId, Box<str>)]) {
        let own = records.iter().filter(|(conversation, _)| *conversation == self.conversation);
        let ids: HashSet<&str> = own.map(|(_, id)| &**id).collect();
        if ids.is_empty() {
            return;
        }
        for message in &mut self.messages {
            let is_stored = ids.contains(&*message.key.id);
            if let Some(mark) = &mut message.edit_of {
                mark.is_stored = is_stored;
            }
        }
    }
}

impl DecodedAnswer {
    /// Decodes an answer. New names are learnt, and stored with it.
    fn new(
        conversations: Vec<IncomingConversation>,
        incoming: Vec<IncomingMessages>,
        me: &UserId,
        names: &mut Names,
    ) -> Self {
        let mut answer = Self::default();
        answer.batch.decoder = decode::DECODER_VERSION;
        answer.batch.completion = Some(completed);
        for conversation in conversations {
            answer.add_conversation(conversation, me, names);
        }
        for messages in incoming {
            answer.add_messages(messages, me, names);
        }
        answer
    }

    fn add_conversation(&mut self, incoming: IncomingConversation, me: &UserId, names: &mut Names) {
        let conversation = decode::conversation(&incoming.raw, me);
        let listed = decode::listed_names(&incoming.raw, me).into_iter();
        self.batch.names.extend(listed.filter(|(id, source, name)| names.learn(id, *source, name)));
        self.batch.conversations.push(ConversationRow {
            raw: incoming.raw,
            read_marker: conversation.read_marker.clone(),
            cleared_at: conversation.cleared_at,
            complete: incoming.complete,
            sync_token: incoming.sync_token,
            is_over: conversation.access.is_over(),
        });
        self.conversations.push(conversation);
    }

    fn add_messages(&mut self, incoming: IncomingMessages, me: &UserId, names: &mut Names) {
        let IncomingMessages { conversation, messages, placement, arrival, coverage } = incoming;
        let coverage = coverage.into_iter().map(|coverage| (conversation.clone(), coverage));
        self.batch.coverage.extend(coverage);
        let mut shown = Vec::with_capacity(messages.len());
        // Signals are of no use once they are over, so they are not stored.
        for raw in messages.into_iter().filter(|raw| decode::typing(raw).is_none()) {
            let message = decode::message(&raw, me);
            let new = decode::names(&raw).into_iter();
            self.batch
                .names
                .extend(new.filter(|(id, source, name)| names.learn(id, *source, name)));
            self.batch.messages.push((raw, decode::indexed(&message)));
            shown.push(message);
        }
        self.pages.push(DecodedPage { conversation, messages: shown, placement, arrival });
    }
}

impl Shared {
    /// Stores what was received and sends the changes to the app. Returns whether it was stored.
    pub(super) async fn ingest(
        &self,
        conversations: Vec<IncomingConversation>,
        incoming: Vec<IncomingMessages>,
    ) -> bool {
        let answer = DecodedAnswer::new(conversations, incoming, &self.me, &mut self.names());
        let DecodedAnswer { batch, mut conversations, mut pages } = answer;
        let names = batch.names.clone();
        let _delivery = self.deltas.delivery.read().await;
        let (stored, saved) = match self.store.apply(batch, self.me.clone()).await {
            Ok(stored) => (stored, true),
            Err(error) => {
                tracing::error!(%error, "a batch was not stored");
                self.notice(&format!("{error}; messages are shown but not stored")).await;
                (Applied::default(), false)
            }
        };
        conversations.retain(|conversation| !stored.forgotten.contains(&conversation.id));
        pages.retain(|page| !stored.forgotten.contains(&page.conversation));
        if !names.is_empty() {
            self.send(Delta::Names(names)).await;
        }
        for conversation in &mut conversations {
            let known = stored.unread.iter().find(|(id, ..)| *id == conversation.id);
            if let Some((_, unread, read_marker)) = known {
                conversation.unread = *unread;
                conversation.read_marker = read_marker.clone().or(conversation.read_marker.take());
            }
        }
        if !conversations.is_empty() {
            self.people.want(&conversations);
            self.send(Delta::Conversations(conversations)).await;
        }
        // Before the messages, so that the app does not show messages as adjacent that are not.
        for (conversation, coverage) in stored.coverages {
            if coverage.gaps().any(|gap| !gap.closed) {
                self.history.gaps.notify_one();
            }
            self.send(Delta::Coverage { conversation, coverage }).await;
        }
        for page in &mut pages {
            page.complete(&stored.completed, &self.me);
            page.mark_edit_records(&stored.edit_records);
        }
        for page in pages {
            self.send_page(page).await;
        }
        for (conversation, unread, read_marker) in stored.unread {
            self.send(Delta::Unread { conversation, unread, read_marker }).await;
        }
        saved
    }

    /// Sends messages to the app, and the settings that live ones announce.
    async fn send_page(&self, page: DecodedPage) {
        let DecodedPage { conversation, messages, placement, arrival } = page;
        let live = messages.iter().filter(|_| arrival == Arrival::Live);
        let flags: Vec<(ThreadFlag, bool)> = live.filter_map(announced_flag).collect();
        let id = conversation.clone();
        self.send(Delta::Messages { conversation, messages, placement, arrival }).await;
        for (flag, on) in flags {
            self.send(Delta::Flag { conversation: id.clone(), flag, on }).await;
        }
    }

    /// Stores names, and sends those that are new to the app.
    pub(super) async fn learn_names(&self, found: Vec<(UserId, NameSource, SafeText)>) {
        let fresh: Vec<_> = found
            .into_iter()
            .filter(|(id, source, name)| self.names().learn(id, *source, name))
            .collect();
        if fresh.is_empty() {
            return;
        }
        let batch = Batch { names: fresh.clone(), ..Batch::default() };
        if let Err(error) = self.store.apply(batch, self.me.clone()).await {
            tracing::error!(%error, "names were not stored");
        }
        self.send(Delta::Names(fresh)).await;
    }

    /// Sends a thread's members and settings to the app, and learns the members' names.
    pub(super) async fn send_thread(&self, id: &ConversationId, thread: wire::WireThread) {
        let names =
            thread.members.iter().map(|m| (m.id.clone(), NameSource::Member, m.name.clone()));
        self.learn_names(names.filter(|(_, _, name)| !name.is_empty()).collect()).await;
        if thread.lists_members {
            self.people.has_roster(id);
            self.send(Delta::Members { conversation: id.clone(), members: thread.members }).await;
        }
        self.send(Delta::Settings { conversation: id.clone(), settings: thread.settings }).await;
    }
}

/// The setting that a thread activity announces.
fn announced_flag(message: &Message) -> Option<(ThreadFlag, bool)> {
    match &message.body {
        MessageBody::Thread(ThreadActivity::Flag { flag, on, .. }) => Some((*flag, *on)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ClientMessageId, Timestamp};

    fn raw(kind: &str, content: &str) -> RawMessage {
        let item = serde_json::json!({
            "id": "50", "messagetype": kind, "content": content, "from": "8:joe.4", "imdisplayname": "Joe",
            "conversationid": "19:team@thread.skype",
        });
        wire::raw_message(&item.to_string(), None).unwrap()
    }

    fn decoded(messages: Vec<RawMessage>) -> DecodedAnswer {
        let conversation = ConversationId::new("19:team@thread.skype");
        let incoming = IncomingMessages {
            conversation,
            messages,
            placement: Placement::Event,
            arrival: Arrival::Live,
            coverage: Vec::new(),
        };
        DecodedAnswer::new(Vec::new(), vec![incoming], &"8:anna.7".into(), &mut Names::default())
    }

    #[test]
    fn typing_signals_are_neither_stored_nor_shown_as_messages() {
        let answer = decoded(vec![raw("Control/Typing", ""), raw("Text", "hi")]);
        assert_eq!(answer.batch.messages.len(), 1);
        assert_eq!(answer.pages[0].messages.len(), 1);
    }

    #[test]
    fn a_name_is_stored_once_however_many_messages_bring_it() {
        let answer = decoded(vec![raw("Text", "hi"), raw("Text", "again")]);
        assert_eq!(answer.batch.names.len(), 1);
        assert_eq!(&*answer.batch.names[0].2, "Joe");
    }

    #[test]
    fn only_shown_messages_make_the_line_of_the_conversation_list() {
        let me = UserId::new("8:anna.7");
        let line = |raw: &RawMessage| {
            decode::snippet(&decode::message(raw, &me)).map(|s| s.text.to_string())
        };
        assert_eq!(line(&raw("Text", "two\n lines")).as_deref(), Some("two lines"));
        assert_eq!(line(&raw("Signal/Flamingo", "x")), None);
        let item = r#"{"id":"51","skypeeditedid":"7","content":"x","conversationid":"19:a"}"#;
        let edited = wire::raw_message(item, None).unwrap();
        assert_eq!(line(&edited).as_deref(), Some("x"), "its original is not stored");
    }

    #[test]
    fn an_activity_announces_the_setting_it_changed() {
        let me = UserId::new("8:anna.7");
        let flag =
            |kind: &str, content: &str| announced_flag(&decode::message(&raw(kind, content), &me));
        let xml = "<a><initiator>8:joe.4</initiator><value>true</value></a>";
        let joining = flag("ThreadActivity/JoiningEnabledUpdate", xml);
        assert_eq!(joining, Some((ThreadFlag::JoiningEnabled, true)));
        let history = flag("ThreadActivity/HistoryDisclosedUpdate", &xml.replace("true", "false"));
        assert_eq!(history, Some((ThreadFlag::HistoryDisclosed, false)));
        assert_eq!(flag("ThreadActivity/TopicUpdate", xml), None);
    }

    /// Copies of one message: its version, and which fields are missing.
    fn copies() -> impl proptest::strategy::Strategy<Value = Vec<(i64, u8)>> {
        use proptest::prelude::*;
        proptest::collection::vec((1..4i64, 0..32u8), 1..7).prop_shuffle()
    }

    fn copy(id: &str, version: i64, missing: u8) -> String {
        let mut item = serde_json::json!({
            "id": id, "version": version, "conversationid": "19:team@thread.skype", "messagetype": "Text",
            "content": format!("text {version}"), "from": "8:joe.4", "clientmessageid": "77",
            "originalarrivaltime": "2026-01-02T03:04:05Z",
        });
        let fields = ["messagetype", "content", "from", "clientmessageid", "originalarrivaltime"];
        for (n, field) in fields.iter().enumerate().filter(|(n, _)| missing & (1 << n) != 0) {
            match n % 2 {
                0 => drop(item.as_object_mut().unwrap().remove(*field)),
                _ => item[*field] = serde_json::Value::Null,
            }
        }
        item.to_string()
    }

    #[test]
    fn copies_that_lack_fields_never_cost_a_message_its_text_sender_or_kind() {
        use proptest::test_runner::{Config, TestRunner};
        let dir = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let store = crate::store::Store::open(&dir.path().join("store.db")).unwrap();
        let (me, chat) = (UserId::new("8:anna.7"), ConversationId::new("19:team@thread.skype"));
        let next = std::cell::Cell::new(1_700_000_000_000i64);
        let config = Config { cases: 96, failure_persistence: None, ..Config::default() };
        let all = (copies(), 1..4i64, proptest::prelude::any::<proptest::sample::Index>());
        let checked = TestRunner::new(config).run(&all, |(mut copies, whole, place)| {
            // One of them is complete.
            copies.insert(place.index(copies.len() + 1), (whole, 0));
            let id = next.replace(next.get() + 1).to_string();
            let stored = runtime.block_on(async {
                for (version, missing) in &copies {
                    let raw = wire::raw_message(&copy(&id, *version, *missing), Some(&chat));
                    let batch = decoded(vec![raw.unwrap()]).batch;
                    store.apply(batch, me.clone()).await.unwrap();
                }
                let rows = store.newest(&chat, 10_000).await.unwrap();
                rows.into_iter().find(|raw| *raw.id == *id).map(decode_stored).unwrap()
            });
            let newest = copies.iter().map(|(version, _)| *version).max().unwrap();
            assert_eq!(stored.version, newest.unsigned_abs());
            assert_eq!((stored.sender.as_str(), &*stored.kind), ("8:joe.4", "Text"));
            assert_eq!(stored.client_id.as_ref().map(ClientMessageId::as_str), Some("77"));
            assert_eq!(stored.at, Timestamp(1_767_323_045_000));
            assert!(stored.content.starts_with("text "), "{}", stored.content);
            if copies.iter().any(|(version, missing)| *version == newest && missing & 2 == 0) {
                assert_eq!(&*stored.content, format!("text {newest}"));
            }
            Ok(())
        });
        checked.unwrap();
    }
}
