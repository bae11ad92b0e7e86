use super::*;
use crate::model::search::Query;
use crate::model::{
    ChatChoices, ClientMessageId, Draft, Indexed, NameSource, Outgoing, RawConversation,
    RawMessage, SafeText,
};
use crate::store::{ConversationRow, OutboxState};

const ME: &str = "8:anna.7";

fn id(n: usize) -> ConversationId {
    ConversationId::new(format!("19:group{n}@thread.skype"))
}

fn row(n: usize, activity: i64, is_over: bool) -> ConversationRow {
    let json = format!(r#"{{"id":"{}","members":["8:both","8:only{n}"]}}"#, id(n).as_str());
    ConversationRow {
        raw: RawConversation {
            id: id(n),
            version: activity.unsigned_abs(),
            activity: Timestamp(activity),
            json: json.into(),
        },
        read_marker: None,
        cleared_at: None,
        complete: true,
        sync_token: None,
        is_over,
    }
}

fn message(n: usize, at: i64, text: &str) -> (RawMessage, Indexed) {
    let sender = if at % 2 == 0 { format!("8:writer{n}") } else { "8:both".to_owned() };
    let raw = RawMessage {
        id: at.to_string().into(),
        client_id: None,
        conversation: id(n),
        sender: UserId::new(sender),
        sender_name: None,
        at: Timestamp(at),
        version: at.unsigned_abs(),
        kind: "Text".into(),
        content: text.into(),
        extras: false,
        original_is_stored: false,
        json: format!(r#"{{"id":"{at}","content":"{text}"}}"#).into(),
    };
    (raw, Indexed { text: text.into(), counts: true, ..Indexed::default() })
}

fn names() -> Vec<(UserId, NameSource, SafeText)> {
    let ids = ["8:both", "8:only0", "8:only1", "8:writer0", "8:writer1", ME];
    let name = |id: &str| (UserId::new(id), NameSource::Profile, SafeText::line(id));
    ids.map(name).into()
}

/// Two conversations with `each` messages, drafts and choices.
async fn filled(each: i64) -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("store.db")).unwrap();
    let filler = "word ".repeat(100);
    let messages = (1..=each).flat_map(|at| {
        [0, 1].map(|n| message(n, at * 10, &format!("pear{n} and apple number {at} {filler}")))
    });
    let odd = [0, 1].map(|n| message(n, 11, "odd"));
    let batch = Batch {
        conversations: [0, 1].map(|n| row(n, each * 10, false)).into(),
        messages: messages.chain(odd).collect(),
        names: names(),
        ..Batch::default()
    };
    store.apply(batch, UserId::new(ME)).await.unwrap();
    for n in [0, 1] {
        let draft = Draft { text: format!("draft {n}"), ..Draft::default() };
        store.save_draft(id(n), draft.clone()).await.unwrap();
        let choices = ChatChoices { hidden: true, ..ChatChoices::default() };
        store.save_choices(&id(n), choices).await.unwrap();
    }
    store.set_last_open(&id(0)).await.unwrap();
    (dir, store)
}

async fn hits(store: &Store, term: &str) -> Vec<(ConversationId, String)> {
    let query = Query { terms: vec![term.into()], ..Query::default() };
    let found = store.search(store.begin_search(), query, None, 10_000).await.unwrap().unwrap();
    found.hits.iter().map(|hit| (hit.conversation.clone(), hit.text.to_string())).collect()
}

/// Everything that the screen can show of a store, without the conversation.
async fn shown(store: &Store, without: &ConversationId) -> String {
    let snapshot = store.snapshot(UserId::new(ME)).await.unwrap();
    let chats = snapshot.conversations.iter().filter(|chat| chat.raw.id != *without);
    let chats: Vec<String> = chats.map(|chat| format!("{chat:?}")).collect();
    let drafts: Vec<_> = snapshot.drafts.iter().filter(|(id, _)| id != without).collect();
    let choices: Vec<_> = snapshot.choices.iter().filter(|(id, _)| id != without).collect();
    let mut found = hits(store, "apple").await;
    found.retain(|(id, _)| id != without);
    let rows = store.newest(&id(1), 10_000).await.unwrap();
    let coverage = store.coverage(&id(1)).await.unwrap();
    format!("{chats:?} {drafts:?} {choices:?} {found:?} {rows:?} {coverage:?}")
}

fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

#[test]
fn nothing_of_a_forgotten_conversation_is_found_and_everything_else_is_as_before() {
    // A few texts in an open block, and enough to seal groups of blocks.
    for each in [3, 1_500] {
        run(async {
            let (_dir, store) = filled(each).await;
            let before = shown(&store, &id(0)).await;
            let outcome = store.forget(&id(0), false, UserId::new(ME)).await.unwrap();
            assert_eq!(outcome, ForgetOutcome::Forgotten);
            assert_eq!(shown(&store, &id(0)).await, before);
            let all = shown(&store, &ConversationId::new("none")).await;
            assert!(!all.contains("group0"), "it is still listed");
            assert_eq!(hits(&store, "pear0").await, []);
            assert!(store.newest(&id(0), 10).await.unwrap().is_empty());
            assert!(store.write(|c| texts::are_sound(c)).await.unwrap());
            // Only the people of that conversation lose their names.
            let snapshot = store.snapshot(UserId::new(ME)).await.unwrap();
            let mut named: Vec<_> = snapshot.names.iter().map(|(id, ..)| id.as_str()).collect();
            named.sort_unstable();
            assert_eq!(named, [ME, "8:both", "8:only1", "8:writer1"]);
            assert_eq!(snapshot.last_open, None);
        });
    }
}

#[test]
fn new_texts_after_forgetting_are_found() {
    run(async {
        let (_dir, store) = filled(3).await;
        store.forget(&id(1), true, UserId::new(ME)).await.unwrap();
        store.forget(&id(0), false, UserId::new(ME)).await.unwrap();
        let batch = Batch { messages: vec![message(2, 900, "a plum")], ..Batch::default() };
        store.apply(batch, UserId::new(ME)).await.unwrap();
        assert_eq!(hits(&store, "plum").await, [(id(2), "a plum".into())]);
        assert!(store.write(|c| texts::are_sound(c)).await.unwrap());
    });
}

#[test]
fn a_forgotten_conversation_stays_away_until_there_is_something_new_in_it() {
    run(async {
        let (_dir, store) = filled(3).await;
        store.forget(&id(0), false, UserId::new(ME)).await.unwrap();
        let is_listed = async || {
            let snapshot = store.snapshot(UserId::new(ME)).await.unwrap();
            snapshot.conversations.iter().any(|chat| chat.raw.id == id(0))
        };
        // A message that was on its way, the list as it was, and the user's own leaving.
        let old = Batch {
            conversations: vec![row(0, 30, false)],
            messages: vec![message(0, 20, "again")],
            ..Batch::default()
        };
        let left = Batch { conversations: vec![row(0, 99, true)], ..Batch::default() };
        for batch in [old, left] {
            let applied = store.apply(batch, UserId::new(ME)).await.unwrap();
            assert!(applied.forgotten.contains(&id(0)));
            assert!(applied.unread.is_empty() && applied.coverages.is_empty());
            assert!(!is_listed().await);
        }
        let new = Batch { messages: vec![message(0, 31, "come back")], ..Batch::default() };
        let applied = store.apply(new, UserId::new(ME)).await.unwrap();
        assert!(applied.forgotten.is_empty());
        assert!(is_listed().await);
        assert!(store.forgotten().await.unwrap().is_empty());
    });
}

#[test]
fn what_was_forgotten_stays_away_after_a_salvage() {
    run(async {
        let (dir, store) = filled(3).await;
        store.forget(&id(0), false, UserId::new(ME)).await.unwrap();
        let marks = store.forgotten().await.unwrap();
        store.close().await.unwrap();
        drop(store);
        let copy = dir.path().join("copy.db");
        crate::store::salvage(&dir.path().join("store.db"), &copy).unwrap();
        let store = Store::open(&copy).unwrap();
        assert_eq!(store.forgotten().await.unwrap(), marks);
        assert_eq!(marks.len(), 1);
        let batch = Batch { messages: vec![message(0, 20, "again")], ..Batch::default() };
        let applied = store.apply(batch, UserId::new(ME)).await.unwrap();
        assert!(applied.forgotten.contains(&id(0)));
    });
}

#[test]
fn a_forgotten_conversation_that_is_opened_takes_its_old_messages_again() {
    run(async {
        let (_dir, store) = filled(3).await;
        assert!(!store.remember(&id(0)).await.unwrap(), "it was not forgotten");
        store.forget(&id(0), true, UserId::new(ME)).await.unwrap();
        assert!(store.remember(&id(0)).await.unwrap());
        assert!(!store.remember(&id(0)).await.unwrap());
        let batch = Batch { messages: vec![message(0, 20, "quince")], ..Batch::default() };
        let applied = store.apply(batch, UserId::new(ME)).await.unwrap();
        assert!(applied.forgotten.is_empty());
        assert_eq!(hits(&store, "quince").await.len(), 1);
    });
}

#[test]
fn the_copies_of_upgrades_are_found_and_deleted_and_nothing_else_is() {
    run(async {
        let (dir, store) = filled(3).await;
        let others = ["store.db.v", "store.db.vx", "other.db.v2", "store.db.v2.old"];
        for name in others.iter().chain(&["store.db.v2", "store.db.v11", "store.db.v3.half"]) {
            std::fs::write(dir.path().join(name), "pear0").unwrap();
        }
        let copies = ["store.db.v11", "store.db.v2", "store.db.v3.half"];
        assert_eq!(store.copies().await, copies);
        assert_eq!(store.delete_copies().await, Vec::<String>::new());
        assert!(copies.iter().all(|name| !dir.path().join(name).exists()));
        assert!(others.iter().all(|name| dir.path().join(name).exists()));
        assert!(dir.path().join("store.db").exists());
    });
}

#[test]
fn messages_about_the_own_leaving_do_not_bring_a_conversation_back_but_being_added_again_does() {
    run(async {
        let (_dir, store) = filled(3).await;
        store.forget(&id(0), true, UserId::new(ME)).await.unwrap();
        let left = Batch { messages: vec![message(0, 900, "has left")], ..Batch::default() };
        let applied = store.apply(left, UserId::new(ME)).await.unwrap();
        assert!(applied.forgotten.contains(&id(0)));
        let back = Batch {
            conversations: vec![row(0, 950, false)],
            messages: vec![message(0, 900, "has left"), message(0, 950, "is back")],
            ..Batch::default()
        };
        let applied = store.apply(back, UserId::new(ME)).await.unwrap();
        assert!(applied.forgotten.is_empty());
        assert_eq!(hits(&store, "back").await.len(), 1);
    });
}

#[test]
fn a_conversation_with_a_message_that_was_not_sent_is_not_forgotten() {
    run(async {
        let (_dir, store) = filled(3).await;
        let before = shown(&store, &ConversationId::new("none")).await;
        let outgoing = Outgoing { text: "wait".into(), ..Outgoing::default() };
        let own = ClientMessageId::from("1".to_owned());
        // Another conversation's outbox does not matter.
        let other = ClientMessageId::from("2".to_owned());
        store.enqueue(&id(2), &other, &outgoing, Timestamp(1), OutboxState::Failed).await.unwrap();
        store.enqueue(&id(3), &own, &outgoing, Timestamp(1), OutboxState::Failed).await.unwrap();
        let outcome = store.forget(&id(3), false, UserId::new(ME)).await.unwrap();
        assert_eq!(outcome, ForgetOutcome::HasUnsent(1));
        assert_eq!(shown(&store, &ConversationId::new("none")).await, before);
        assert!(store.forgotten().await.unwrap().is_empty());
    });
}
