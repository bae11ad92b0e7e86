use super::*;
use crate::model::fold::folded;
use crate::model::search::Query;
use crate::model::{
    ChatChoices, ClientMessageId, ConversationId, Draft, Indexed, MessageKey, Outgoing, Point,
    Range, RawConversation, RawMessage, ReadMarker, Timestamp, UserId,
};
use proptest::prelude::*;

mod damage;
mod finding;
#[path = "../../tests/common/random.rs"]
#[expect(dead_code, reason = "each test uses its own part of this")]
mod random;

impl Store {
    async fn outbox(&self) -> Result<Vec<OutboxItem>, StoreError> {
        self.write(|c| outbox::all(c)).await
    }

    /// Lets the file grow to this many pages and no more, as a full disk would.
    async fn limit_size(&self, pages: u32) -> Result<(), StoreError> {
        let sql = format!("PRAGMA max_page_count = {pages}");
        self.write(move |c| c.query_row(&sql, [], |_| Ok(()))).await
    }
}

const ME: &str = "8:anna.7";
const CHAT: &str = "8:joe.4";

fn raw(at: i64, version: u64, sender: &str, text: &str) -> (RawMessage, Indexed) {
    let raw = RawMessage {
        id: at.to_string().into(),
        client_id: Some(ClientMessageId::from(format!("{at}7"))),
        conversation: CHAT.into(),
        sender: UserId::new(sender),
        sender_name: None,
        at: Timestamp(at),
        version,
        kind: "Text".into(),
        content: text.into(),
        extras: false,
        original_is_stored: false,
        json: format!("{{\"id\":\"{at}\",\"content\":\"{text}\"}}").into(),
    };
    let index = Indexed { text: text.into(), counts: true, ..Indexed::default() };
    (raw, index)
}

fn batch(messages: Vec<(RawMessage, Indexed)>, coverage: Option<CoverageUpdate>) -> Batch {
    let coverage =
        coverage.map(|coverage| (ConversationId::new(CHAT), coverage)).into_iter().collect();
    Batch { messages, coverage, ..Batch::default() }
}

fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

fn fresh() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("store.db")).unwrap();
    (dir, store)
}

#[test]
fn a_long_list_comes_in_parts_with_drafts_choices_and_the_last_open_chat_in_the_first() {
    const COUNT: i64 = 1_250;
    let id = |n: i64| ConversationId::new(format!("8:joe.{n}"));
    let (_dir, store) = fresh();
    let rows = (0..COUNT).map(|n| ConversationRow {
        raw: RawConversation { id: id(n), version: 1, activity: Timestamp(n), json: "{}".into() },
        read_marker: None,
        cleared_at: None,
        complete: true,
        sync_token: None,
        is_over: false,
    });
    let me = || UserId::new(ME);
    let first = run(async {
        let rows = Batch { conversations: rows.collect(), ..Batch::default() };
        store.apply(rows, me()).await.unwrap();
        let draft = Draft { text: "not sent".into(), ..Draft::default() };
        store.save_draft(id(3), draft.clone()).await.unwrap();
        let choices = ChatChoices { put_away: true, ..ChatChoices::default() };
        store.save_choices(&id(7), choices).await.unwrap();
        store.set_last_open(&id(9)).await.unwrap();
        let snapshot = store.snapshot(me()).await.unwrap();
        let mut listed: Vec<_> = snapshot.conversations.into_iter().map(|c| c.raw.id).collect();
        let first = listed.len();
        for part in snapshot.rest.chunks(100) {
            let part = store.cached_conversations(part.to_vec(), me()).await.unwrap();
            listed.extend(part.into_iter().map(|c| c.raw.id));
        }
        let rest = (0..COUNT - 1_000).rev().filter(|n| ![3, 7, 9].contains(n));
        let expected = (COUNT - 1_000..COUNT).rev().chain([9, 7, 3]).chain(rest);
        assert_eq!(listed, expected.map(id).collect::<Vec<_>>());
        first
    });
    assert_eq!(first, 1_003);
}

#[test]
fn the_open_chat_is_read_in_advance_and_again_after_a_change_or_for_another_request() {
    let (_dir, store) = fresh();
    let (me, chat) = (UserId::new(ME), ConversationId::new(CHAT));
    let conversation =
        RawConversation { id: chat.clone(), version: 1, activity: Timestamp(1), json: "{}".into() };
    let conversations = vec![ConversationRow {
        raw: conversation,
        read_marker: None,
        cleared_at: None,
        complete: true,
        sync_token: None,
        is_over: false,
    }];
    run(async {
        let ids = async |limit| -> Vec<String> {
            let page = store.newest(&chat, limit).await.unwrap();
            page.into_iter().map(|message| message.id.to_string()).collect()
        };
        store.apply(Batch { conversations, ..Batch::default() }, me.clone()).await.unwrap();
        let two = batch(vec![raw(1, 1, ME, "one"), raw(2, 2, ME, "two")], None);
        store.apply(two, me.clone()).await.unwrap();
        store.set_last_open(&chat).await.unwrap();
        store.read_ahead(me.clone(), 2);
        assert_eq!(store.snapshot(me.clone()).await.unwrap().to_open(), Some(&chat));
        // Not the answer that was read in advance, which had two.
        assert_eq!(ids(1).await, ["2"]);
        store.read_ahead(me.clone(), 2);
        assert_eq!(ids(2).await, ["2", "1"]);
        store.read_ahead(me.clone(), 2);
        store.apply(batch(vec![raw(3, 3, ME, "three")], None), me.clone()).await.unwrap();
        assert_eq!(ids(2).await, ["3", "2"]);
    });
}

async fn find(store: &Store, text: &str) -> Vec<String> {
    let query = Query { terms: vec![folded(text)], ..Query::default() };
    let found = store.search(store.begin_search(), query, None, 100).await.unwrap().unwrap();
    found.hits.iter().map(|hit| format!("{} {}", hit.key.id, hit.text)).collect()
}

/// Everything stored about the chat that matters here.
async fn contents(
    store: &Store,
) -> (Vec<(String, u64, String)>, u32, crate::model::Coverage, Vec<String>) {
    let id = ConversationId::new(CHAT);
    let rows = store.newest(&id, 1_000).await.unwrap();
    let rows = rows.iter().map(|m| (m.id.to_string(), m.version, m.json.to_string())).collect();
    let snapshot = store.snapshot(UserId::new(ME)).await.unwrap();
    let unread = snapshot.conversations.iter().map(|c| c.unread.messages).sum();
    (rows, unread, store.coverage(&id).await.unwrap(), find(store, "e").await)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Messages in any order and any number of times, older versions after newer ones: the same store.
    #[test]
    fn any_order_and_repetition_gives_the_same_store(
        list in proptest::collection::vec((1i64..30, 0u64..3, any::<bool>()), 1..25), turn in 0usize..25,
    ) {
        let message = |(at, edits, mine): &(i64, u64, bool)| {
            let version = at.unsigned_abs() * 10 + edits;
            let sender = if *mine && at % 2 == 0 { ME } else { CHAT };
            raw(at * 10, version, sender, &format!("text {edits} of the {at}th"))
        };
        // The same content for each id and version.
        let mut list: Vec<_> = list.into_iter().map(|(at, edits, _)| (at, edits, at % 4 == 0)).collect();
        let both = run(async {
            let mut seen = Vec::new();
            for repeated in [false, true] {
                let (_dir, store) = fresh();
                for one in &list {
                    store.apply(batch(vec![message(one)], None), UserId::new(ME)).await.unwrap();
                }
                if repeated {
                    let all = list.iter().map(message).collect();
                    store.apply(batch(all, None), UserId::new(ME)).await.unwrap();
                }
                seen.push(contents(&store).await);
                let middle = turn % list.len();
                list.rotate_left(middle);
                list.reverse();
            }
            seen
        });
        prop_assert_eq!(&both[0], &both[1]);
    }
}

#[test]
fn a_changed_text_is_found_by_its_new_words_only() {
    run(async {
        let (_dir, store) = fresh();
        let me = UserId::new(ME);
        store
            .apply(batch(vec![raw(100, 100, CHAT, "an old oven")], None), me.clone())
            .await
            .unwrap();
        assert_eq!(find(&store, "oven").await, ["100 an old oven"]);
        store
            .apply(batch(vec![raw(100, 101, CHAT, "a new stove")], None), me.clone())
            .await
            .unwrap();
        assert_eq!(find(&store, "oven").await, [""; 0]);
        assert_eq!(find(&store, "stove").await, ["100 a new stove"]);
        store.apply(batch(vec![raw(100, 100, CHAT, "an old oven")], None), me).await.unwrap();
        assert_eq!(find(&store, "oven").await, [""; 0], "an older version changes nothing");
    });
}

#[test]
fn an_edit_record_is_found_as_its_original_and_the_old_text_is_not() {
    run(async {
        let (_dir, store) = fresh();
        let me = UserId::new(ME);
        let (edit, mut index) = raw(300, 300, CHAT, "a new stove");
        index.edit_of = Some("1007".into());
        let both = vec![raw(100, 100, CHAT, "an old oven"), (edit, index)];
        store.apply(batch(both, None), me).await.unwrap();
        assert_eq!(find(&store, "oven").await, [""; 0]);
        assert_eq!(find(&store, "stove").await, ["100 a new stove"]);
    });
}

#[test]
fn a_message_that_an_edit_removed_or_that_someone_else_edits_is_found_by_what_is_shown() {
    run(async {
        let (_dir, store) = fresh();
        let me = UserId::new(ME);
        let edit = |at: i64, sender: &str, text: &str| {
            let (mut raw, mut index) = raw(at, at.unsigned_abs(), sender, text);
            raw.client_id = None;
            index.edit_of = Some("1007".into());
            (raw, index)
        };
        let original = raw(100, 100, CHAT, "an old oven");
        let forged = edit(200, ME, "a forged stove");
        store.apply(batch(vec![original, forged], None), me.clone()).await.unwrap();
        assert_eq!(find(&store, "oven").await, ["100 an old oven"]);
        assert_eq!(find(&store, "stove").await, [""; 0]);
        let removed = edit(300, CHAT, "");
        store.apply(batch(vec![removed], None), me.clone()).await.unwrap();
        assert_eq!(find(&store, "oven").await, [""; 0]);
        let restored = edit(400, CHAT, "a new fridge");
        store.apply(batch(vec![restored], None), me).await.unwrap();
        assert_eq!(find(&store, "fridge").await, ["100 a new fridge"]);
    });
}

#[test]
fn many_messages_of_one_moment_all_have_a_place() {
    run(async {
        let (_dir, store) = fresh();
        let me = UserId::new(ME);
        // One millisecond, distinct ids.
        let crowd = (0..500).map(|n| {
            let (mut raw, index) = raw(1_000, 1_000, CHAT, &format!("crowd {n}"));
            raw.id = (1_000 + n).to_string().into();
            raw.client_id = None;
            (raw, index)
        });
        store.apply(batch(crowd.collect(), None), me.clone()).await.unwrap();
        store.apply(batch(vec![raw(900, 900, CHAT, "before")], None), me.clone()).await.unwrap();
        store.apply(batch(vec![raw(2_001, 2_001, CHAT, "after")], None), me).await.unwrap();
        let query = Query { terms: vec!["crowd".into()], ..Query::default() };
        let mut below = None;
        let mut all = std::collections::BTreeSet::new();
        loop {
            let found = store
                .search(store.begin_search(), query.clone(), below, 60)
                .await
                .unwrap()
                .unwrap();
            all.extend(found.hits.iter().map(|hit| hit.key.id.to_string()));
            match found.next {
                Some(next) => below = Some(next),
                None => break,
            }
        }
        assert_eq!(all.len(), 500);
    });
}

#[test]
fn a_newer_question_ends_an_older_one() {
    run(async {
        let (_dir, store) = fresh();
        store.apply(batch(vec![raw(100, 100, CHAT, "text")], None), UserId::new(ME)).await.unwrap();
        let older = store.begin_search();
        let newer = store.begin_search();
        let query = Query { terms: vec!["text".into()], ..Query::default() };
        assert_eq!(store.search(older, query.clone(), None, 10).await.unwrap(), None);
        assert_eq!(store.search(newer, query, None, 10).await.unwrap().unwrap().hits.len(), 1);
    });
}

#[test]
fn what_comes_by_itself_follows_and_what_does_not_stands_alone() {
    run(async {
        let (_dir, store) = fresh();
        let (me, id) = (UserId::new(ME), ConversationId::new(CHAT));
        let point = |at: i64| Point { at: Timestamp(at), order: at.unsigned_abs() };
        let page = CoverageUpdate::Range(Range { lo: point(10), hi: point(20), floor: true });
        let two = vec![raw(10, 10, CHAT, "a"), raw(20, 20, CHAT, "b")];
        store.apply(batch(two, Some(page)), me.clone()).await.unwrap();
        store
            .apply(batch(vec![raw(30, 30, CHAT, "c")], Some(CoverageUpdate::Append)), me.clone())
            .await
            .unwrap();
        assert_eq!(store.coverage(&id).await.unwrap().ranges().len(), 1);
        let stored =
            store.apply(batch(vec![raw(50, 50, CHAT, "e")], None), me.clone()).await.unwrap();
        assert_eq!(stored.coverages.len(), 1);
        let gap = store.next_gap(None, Vec::new()).await.unwrap().unwrap();
        assert_eq!((gap.gap.below, gap.above.order), (point(30), 50));
        assert_eq!(store.next_gap(None, vec![(id.clone(), gap.gap.above)]).await.unwrap(), None);
        // Nothing older is returned before the gap is closed, though messages below it are stored.
        let key = MessageKey::server(Timestamp(50), "50");
        let older = store.before(&id, &key, 10).await.unwrap();
        assert_eq!(older.messages.len(), 3);
        assert!(older.reached_start);
    });
}

#[test]
fn a_message_is_in_the_box_or_in_the_outbox_and_never_in_both() {
    run(async {
        let (_dir, store) = fresh();
        let id = ConversationId::new(CHAT);
        let client_id = ClientMessageId::from("1");
        let draft = crate::model::Draft { text: "half".into(), ..Default::default() };
        let outgoing = Outgoing { text: "half".into(), ..Default::default() };
        let both = || async {
            let snapshot = store.snapshot(UserId::new(ME)).await.unwrap();
            (snapshot.drafts.len(), snapshot.outbox.len())
        };
        store.save_draft(id.clone(), draft.clone()).await.unwrap();
        assert_eq!(both().await, (1, 0));
        store.enqueue(&id, &client_id, &outgoing, Timestamp(1), OutboxState::Held).await.unwrap();
        assert_eq!(both().await, (0, 1));
        assert!(store.cancel(&id, &client_id, Some(draft.clone())).await.unwrap());
        assert_eq!(both().await, (1, 0));
        store.enqueue(&id, &client_id, &outgoing, Timestamp(1), OutboxState::Queued).await.unwrap();
        assert!(store.start_sending(&client_id, None).await.unwrap());
        assert!(!store.cancel(&id, &client_id, Some(draft)).await.unwrap(), "it is on its way");
        assert_eq!(both().await, (0, 1));
    });
}

#[test]
fn a_message_is_looked_for_since_the_server_s_time_or_the_newest_stored_message() {
    run(async {
        let (_dir, store) = fresh();
        let (id, own) = (ConversationId::new(CHAT), ClientMessageId::from("1"));
        let outgoing = Outgoing { text: "hi".into(), ..Default::default() };
        let day = 86_400_000;
        for (stored, queued, now, since) in [
            // The server's clock counts, whatever ours says.
            (None, 100 * day, Some(3 * day), 3 * day),
            (None, day, Some(3 * day), 3 * day),
            (None, 100 * day, None, 100 * day),
            // Messages have the server's time, too.
            (Some(2 * day), 100 * day, None, 2 * day + 2_001),
            (Some(2 * day), 100 * day, Some(9 * day), 2 * day + 2_001),
            (Some(50 * day), 100 * day, Some(9 * day), 9 * day),
        ] {
            if let Some(at) = stored {
                let old = raw(at, at.unsigned_abs(), CHAT, "old");
                store.apply(batch(vec![old], None), UserId::new(ME)).await.unwrap();
            }
            store
                .enqueue(&id, &own, &outgoing, Timestamp(queued), OutboxState::Queued)
                .await
                .unwrap();
            assert!(store.start_sending(&own, now.map(Timestamp)).await.unwrap());
            let item = store.next_to_send(&id).await.unwrap().unwrap();
            assert_eq!(item.queued_at, Timestamp(since), "{stored:?} {queued} {now:?}");
            store.set_outbox_state(&own, OutboxState::Failed, "").await.unwrap();
            assert!(store.cancel(&id, &own, None).await.unwrap());
        }
    });
}

#[test]
fn a_full_disk_says_so_and_keeps_what_was_there() {
    run(async {
        let (_dir, store) = fresh();
        let id = ConversationId::new(CHAT);
        let outgoing = |n: usize| Outgoing { text: "x".repeat(n), ..Default::default() };
        store
            .enqueue(&id, &"1".into(), &outgoing(1), Timestamp(1), OutboxState::Queued)
            .await
            .unwrap();
        store.limit_size(1).await.unwrap();
        let full = store
            .enqueue(&id, &"2".into(), &outgoing(100_000), Timestamp(2), OutboxState::Queued)
            .await;
        let told = full.unwrap_err().to_string();
        assert!(told.contains("full"), "{told}");
        let outbox = store.outbox().await.unwrap();
        assert_eq!(
            outbox.iter().map(|item| item.client_id.as_str().to_owned()).collect::<Vec<_>>(),
            ["1"]
        );
        store.limit_size(u32::MAX).await.unwrap();
        store
            .enqueue(&id, &"2".into(), &outgoing(100_000), Timestamp(2), OutboxState::Queued)
            .await
            .unwrap();
        assert_eq!(store.outbox().await.unwrap().len(), 2);
    });
}

#[test]
fn of_a_damaged_file_everything_that_can_be_read_is_saved_and_it_is_not_touched() {
    use std::io::{Seek, Write};
    let (dir, store) = fresh();
    let file = dir.path().join("store.db");
    let me = UserId::new(ME);
    run(async {
        let messages: Vec<_> = (1..=3_000)
            .map(|n| raw(n * 100, 1, CHAT, &format!("message {n} {}", "word ".repeat(30))))
            .collect();
        let range = |m: &[(RawMessage, Indexed)]| {
            let points = m.iter().map(|(raw, _)| Point::from(&raw.key()));
            CoverageUpdate::Range(Range {
                lo: points.clone().min().unwrap(),
                hi: points.max().unwrap(),
                floor: true,
            })
        };
        let coverage = range(&messages);
        store.apply(batch(messages, Some(coverage)), me.clone()).await.unwrap();
        let read_marker =
            ReadMarker { arrival: Timestamp(100), read_at: Timestamp(200), client_id: None };
        store.mark_read(&CHAT.into(), read_marker, false, false, me.clone()).await.unwrap();
        let choices = ChatChoices { put_away: true, ..ChatChoices::default() };
        store.save_choices(&CHAT.into(), choices).await.unwrap();
        let outgoing = Outgoing { text: "unsent".into(), ..Default::default() };
        store
            .enqueue(&CHAT.into(), &"1".into(), &outgoing, Timestamp(1), OutboxState::Queued)
            .await
            .unwrap();
        store.close().await.unwrap();
    });
    drop(store);
    let size = std::fs::metadata(&file).unwrap().len();
    let mut broken = std::fs::OpenOptions::new().write(true).open(&file).unwrap();
    broken.seek(std::io::SeekFrom::Start(size / 2)).unwrap();
    broken.write_all(&[0x5a; 12_288]).unwrap();
    drop(broken);
    let before = std::fs::read(&file).unwrap();
    let copy = dir.path().join("copy.db");
    let saved = salvage(&file, &copy).unwrap();
    assert_eq!(std::fs::read(&file).unwrap(), before, "the damaged file is only read");
    assert!(saved.messages > 2_000 && saved.messages <= 3_000, "{saved:?}");
    assert_eq!((saved.conversations, saved.outbox), (1, 1));
    run(async {
        let store = Store::open(&copy).unwrap();
        let snapshot = store.snapshot(me).await.unwrap();
        assert_eq!(snapshot.outbox.len(), 1);
        assert!(snapshot.choices[0].1.put_away, "{:?}", snapshot.choices);
        let stored = store.newest(&CHAT.into(), 1).await.unwrap();
        assert!(stored[0].json.contains("message 3000 "));
        if saved.messages < 3_000 {
            // They are no longer said to be adjacent.
            assert!(store.next_gap(None, Vec::new()).await.unwrap().is_some());
        }
    });
    std::fs::write(
        &file,
        "this is no database, and longer than a header of one would have to be".repeat(9),
    )
    .unwrap();
    assert!(matches!(Store::open(&file), Err(StoreError::Damaged)));
    assert!(file.exists());
}

#[test]
fn a_system_line_is_found_by_the_name_of_the_person_it_is_about() {
    run(async {
        let (_dir, store) = fresh();
        let line = |at: i64, text: &str, kind: &str| {
            let (message, index) = raw(at, at.unsigned_abs(), CHAT, text);
            (RawMessage { kind: kind.into(), ..message }, index)
        };
        let added = "ThreadActivity/AddMember";
        let messages = vec![
            line(10, "mia.tan added joe.4", added),
            line(20, "mia.tan added joe.42", added),
            line(30, "joe.4 is what someone wrote", "Text"),
            line(40, "Joe was here, mia.tan added it", "Text"),
        ];
        store.apply(batch(messages, None), UserId::new(ME)).await.unwrap();
        let query = |terms: &[&str], named: Vec<Vec<UserId>>| Query {
            terms: terms.iter().map(|term| (*term).to_owned()).collect(),
            named,
            ..Query::default()
        };
        let joe = || vec![UserId::new("8:joe.4")];
        for (query, expected) in [
            (query(&["joe b"], vec![joe()]), vec!["10"]),
            (query(&["joe"], vec![joe()]), vec!["40", "30", "20", "10"]),
            (query(&["joe b", "added"], vec![joe(), Vec::new()]), vec!["10"]),
            (query(&["joe b", "left"], vec![joe(), Vec::new()]), vec![]),
            (query(&["joe b"], Vec::new()), vec![]),
        ] {
            let handle = store.begin_search();
            let found = store.search(handle, query.clone(), None, 100).await.unwrap().unwrap();
            let ids: Vec<&str> = found.hits.iter().map(|hit| &*hit.key.id).collect();
            assert_eq!(ids, expected, "{query:?}");
        }
    });
}
