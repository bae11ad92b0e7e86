use super::super::tar;
use super::*;
use crate::model::search::Query;
use crate::model::{ConversationId, Point};
use crate::store::Store;
use std::collections::HashSet;
use std::path::PathBuf;
use tempfile::TempDir;

struct Fixture {
    dir: TempDir,
}

impl Fixture {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    fn store(&self) -> PathBuf {
        self.dir.path().join("store.db")
    }

    fn import(&self, json: &str) -> ImportReport {
        self.import_until(json, u64::MAX)
    }

    /// Imports until this many messages are stored.
    fn import_until(&self, json: &str, messages: u64) -> ImportReport {
        self.import_file("messages.json", json, messages, Timestamp(1))
    }

    fn import_file(&self, name: &str, json: &str, messages: u64, now: Timestamp) -> ImportReport {
        let path = self.dir.path().join(name);
        std::fs::write(&path, json).unwrap();
        let cancel = AtomicBool::new(false);
        let mut progress = |progress: &ImportProgress| {
            if progress.messages >= messages {
                cancel.store(true, Ordering::Relaxed);
            }
        };
        let options = ImportOptions { owner: None, now, cancel: &cancel, progress: &mut progress };
        import(&Export::open(&path).unwrap(), &self.store(), options).unwrap()
    }

    async fn ids(&self, chat: &str) -> Vec<String> {
        let store = Store::open_archive(&self.store()).unwrap();
        let rows = store.newest(&ConversationId::new(chat), u32::MAX).await.unwrap();
        rows.into_iter().map(|raw| raw.id.to_string()).collect()
    }
}

fn message(n: u64, content: &str) -> String {
    let id = 1_594_000_000_000 + n * 1_000;
    format!(
        r#"{{"id":"{id}","messagetype":"Text","version":{id},"content":"{content}","conversationid":"8:joe","from":"8:joe","displayName":"Joe"}}"#
    )
}

fn export(messages: &[String]) -> String {
    format!(
        r#"{{"userId":"8:anna","conversations":[{{"id":"8:joe","displayName":"Joe","MessageList":[{}]}}]}}"#,
        messages.join(",")
    )
}

#[tokio::test]
async fn the_head_may_follow_the_messages_and_messages_need_not_name_it() {
    let fixture = Fixture::new();
    let bare = r#"{"id":"1594000000000","messagetype":"Text","content":"hi","from":"8:joe"}"#;
    let json =
        format!(r#"{{"conversations":[{{"MessageList":[{bare}],"id":"8:joe"}}],"userId":"anna"}}"#);
    let report = fixture.import(&json);
    assert_eq!((report.conversations, report.counts.new, report.unreadable_count), (1, 1, 0));
    assert_eq!(fixture.ids("8:joe").await.len(), 1);
    let store = Store::open_archive(&fixture.store()).unwrap();
    let snapshot = store.snapshot("8:anna".into()).await.unwrap();
    assert_eq!(snapshot.conversations.len(), 1);
    assert_eq!(crate::store::archive_owner(&fixture.store()).unwrap().as_str(), "8:anna");
}

#[tokio::test]
async fn any_truncation_keeps_every_whole_message_before_the_cut() {
    let messages: Vec<String> = (0..6).rev().map(|n| message(n, "x")).collect();
    let json = export(&messages);
    for cut in (0..json.len()).step_by(7).filter(|cut| *cut > 1) {
        let fixture = Fixture::new();
        let whole: Vec<&String> =
            messages.iter().filter(|m| json.find(*m).unwrap() + m.len() <= cut).collect();
        let report = fixture.import(json.get(..cut).unwrap());
        assert_eq!(report.counts.new, whole.len() as u64, "cut at {cut}");
        assert_eq!(report.end, ImportEnd::Cut);
        let store = Store::open_archive(&fixture.store()).unwrap();
        let coverage = store.coverage(&"8:joe".into()).await.unwrap();
        // Unless the list itself was complete, older messages may be missing.
        assert_eq!(coverage.reached_start(), cut >= json.len() - 2, "cut at {cut}");
        assert_eq!(coverage.ranges().len(), usize::from(!whole.is_empty()));
    }
}

#[tokio::test]
async fn a_whole_conversation_is_covered_from_its_first_message_to_its_last() {
    let fixture = Fixture::new();
    fixture.import(&export(&[message(9, "b"), message(2, "a")]));
    let store = Store::open_archive(&fixture.store()).unwrap();
    let coverage = store.coverage(&"8:joe".into()).await.unwrap();
    assert!(coverage.reached_start());
    let point = |n: u64| {
        let id = 1_594_000_000_000 + n * 1_000;
        Point { at: Timestamp(i64::try_from(id).unwrap()), order: id }
    };
    assert!(coverage.covers(point(2)) && coverage.covers(point(5)) && coverage.covers(point(9)));
}

#[tokio::test]
async fn a_cancelled_import_keeps_what_is_whole_and_the_next_one_continues() {
    let fixture = Fixture::new();
    let chat = |n: u64| {
        let list: Vec<String> = (0..3_000)
            .map(|i| message(n * 10_000 + i, "some text").replace("8:joe", &format!("8:joe{n}")))
            .collect();
        format!(r#"{{"id":"8:joe{n}","MessageList":[{}]}}"#, list.join(","))
    };
    let chats: Vec<String> = (0..20).map(chat).collect();
    let json = format!(r#"{{"userId":"8:anna","conversations":[{}]}}"#, chats.join(","));
    let report = fixture.import_until(&json, 1);
    assert_eq!(report.end, ImportEnd::Cancelled);
    let kept = report.counts.new;
    assert!((1..60_000).contains(&kept), "{kept}");
    let report = fixture.import(&json);
    assert_eq!(report.end, ImportEnd::Complete);
    assert_eq!(kept + report.counts.new, 60_000);
    // The import continued at the conversation in which it had stopped.
    assert!(report.counts.unchanged <= 4_000 + 3_000, "{report:?}");
    let report = fixture.import(&json);
    assert_eq!((report.counts.new, report.counts.unchanged), (0, 60_000));
}

#[tokio::test]
async fn a_search_finds_parts_of_words_newest_first_page_by_page() {
    let fixture = Fixture::new();
    let messages: Vec<String> = (0..300)
        .map(|n| message(n, if n % 3 == 0 { "Sauerteig für 東京" } else { "bread" }))
        .collect();
    fixture.import(&export(&messages));
    let store = Store::open_archive(&fixture.store()).unwrap();
    for term in ["teig fur", "東", "sauer"] {
        let query = Query { terms: vec![term.to_owned()], ..Query::default() };
        let (mut seen, mut below) = (Vec::new(), None);
        loop {
            let handle = store.begin_search();
            let page = store.search(handle, query.clone(), below, 30).await.unwrap().unwrap();
            assert!(!page.behind);
            seen.extend(page.hits.into_iter().map(|hit| hit.key));
            below = page.next;
            if below.is_none() {
                break;
            }
        }
        assert_eq!(seen.len(), 100, "{term}");
        assert_eq!(seen.iter().collect::<HashSet<_>>().len(), 100);
        assert!(seen.windows(2).all(|pair| pair[0] > pair[1]), "newest first");
    }
    let from = Query { from: vec!["8:mia".into()], ..Query::default() };
    let handle = store.begin_search();
    assert_eq!(store.search(handle, from, None, 30).await.unwrap().unwrap().hits, []);
}

#[tokio::test]
async fn a_system_line_is_found_by_the_name_of_the_person_it_is_about() {
    let fixture = Fixture::new();
    let added = "<addmember><initiator>8:mia</initiator><target>8:live:joe</target></addmember>";
    let line = message(1, added).replace("\"Text\"", "\"ThreadActivity/AddMember\"");
    assert_ne!(line, message(1, added));
    fixture.import(&export(&[line, message(2, "live:joe"), message(3, "nothing of it")]));
    let store = Store::open_archive(&fixture.store()).unwrap();
    for (terms, hits) in
        [(vec!["joseph"], 1), (vec!["joseph", "added"], 1), (vec!["joseph", "left"], 0)]
    {
        let mut named = vec![Vec::new(); terms.len()];
        named[0].push("8:live:joe".into());
        let terms = terms.into_iter().map(str::to_owned).collect();
        let query = Query { terms, named, ..Query::default() };
        let handle = store.begin_search();
        let page = store.search(handle, query, None, 30).await.unwrap().unwrap();
        assert_eq!(page.hits.len(), hits);
    }
}

#[tokio::test]
async fn a_changed_text_is_found_and_the_one_before_is_not() {
    let fixture = Fixture::new();
    fixture.import(&export(&[message(1, "rye")]));
    let changed =
        message(1, "wheat").replace("\"version\":1594000001000", "\"version\":1594000002000");
    assert_eq!(fixture.import(&export(&[changed])).counts.changed, 1);
    let store = Store::open_archive(&fixture.store()).unwrap();
    for (term, hits) in [("rye", 0), ("wheat", 1)] {
        let query = Query { terms: vec![term.to_owned()], ..Query::default() };
        let handle = store.begin_search();
        let page = store.search(handle, query, None, 30).await.unwrap().unwrap();
        assert_eq!(page.hits.len(), hits, "{term}");
    }
}

#[tokio::test]
async fn each_message_names_the_export_that_brought_or_last_changed_it() {
    let fixture = Fixture::new();
    let first = export(&[message(1, "rye"), message(2, "oats")]);
    fixture.import_file("first.json", &first, u64::MAX, Timestamp(10));
    let changed =
        message(1, "wheat").replace("\"version\":1594000001000", "\"version\":1594000002000");
    let second = export(&[changed, message(2, "oats"), message(3, "millet")]);
    fixture.import_file("second.json", &second, u64::MAX, Timestamp(20));
    let store = Store::open_archive(&fixture.store()).unwrap();
    for (n, file, at) in [(1, "second.json", 20), (2, "first.json", 10), (3, "second.json", 20)] {
        let id = (1_594_000_000_000_u64 + n * 1_000).to_string();
        let origin = store.origin(&"8:joe".into(), &id).await.unwrap().unwrap();
        assert!(origin.file.ends_with(file), "{n}: {}", origin.file);
        assert_eq!(origin.imported_at, Timestamp(at));
    }
    assert_eq!(store.origin(&"8:joe".into(), "1").await.unwrap(), None);
    let live = Store::open(&fixture.dir.path().join("live.db")).unwrap();
    assert_eq!(live.origin(&"8:joe".into(), "1594000001000").await.unwrap(), None);
}

#[test]
fn a_document_that_is_cut_anywhere_is_taken_for_an_export() {
    let json = export(&[message(1, "rye")]);
    let dir = tempfile::tempdir().unwrap();
    assert!(!tar::begins(json.as_bytes()));
    let path = dir.path().join("cut.json");
    for cut in 0..json.len() {
        std::fs::write(&path, json.get(..cut).unwrap()).unwrap();
        assert_eq!(Export::open(&path).is_ok(), cut > 0, "cut at {cut}");
    }
}
