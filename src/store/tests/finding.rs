//! Compares search with a scan of all texts.

use super::random::Random;
use super::*;
use std::collections::BTreeMap;

const SYLLABLES: [&str; 16] = [
    "ba", "Öl", "nú", "ßo", "日", "東京", "ти", "κο", "x", "re", "mi", "fa", "q-", "é", "th", "天",
];

fn word(random: &Random) -> String {
    // A few words make up most of what is said.
    let rank = random.below(900).min(random.below(900)).min(random.below(900));
    let mut rest = rank * 7_919 + 13;
    let mut word = String::new();
    for _ in 0..=(rank % 4) {
        word.push_str(SYLLABLES[index(rest % 16)]);
        rest /= 5;
    }
    word
}

fn index(n: u64) -> usize {
    usize::try_from(n).unwrap()
}

fn text(random: &Random) -> String {
    let words: Vec<String> = (0..=random.below(130)).map(|_| word(random)).collect();
    words.join(" ")
}

#[derive(Clone)]
struct Stored {
    chat: ConversationId,
    raw: RawMessage,
    index: Indexed,
    /// Its text as search compares it.
    folded: String,
}

const CHATS: [&str; 3] = [CHAT, "8:live:mary-ann", "19:crew@thread.skype"];
const PEOPLE: [&str; 4] = [ME, CHAT, "8:live:mary-ann", "8:zoe"];

/// A message of a random chat. In every second chat, time goes backwards as messages arrive, as in a history.
fn any_message(random: &Random, n: i64) -> Stored {
    let chat = index(random.below(3));
    let at = 1_700_000_000_000 + if chat == 1 { -n } else { n } * 977;
    let sender = PEOPLE[index(random.below(3) + u64::from(n % 500 == 7))];
    let (mut raw, mut index) = raw(at, 1, sender, &text(random));
    raw.conversation = CHATS[chat].into();
    raw.client_id = None;
    raw.json = "{}".into();
    index.link = random.below(40) == 0;
    index.file = random.below(90) == 0;
    let folded = folded(&index.text);
    Stored { chat: raw.conversation.clone(), raw, index, folded }
}

/// Stores a few thousand messages in batches of all sizes, and changes some of them. Returns what is stored in the end.
async fn fill(store: &Store, random: &Random) -> BTreeMap<(i64, ConversationId), Stored> {
    let mut all = BTreeMap::new();
    let mut n = 0;
    while n < 4_000 {
        let size = [1, 3, 40, 700][index(random.below(4))];
        let mut messages: Vec<Stored> = (n..n + size).map(|n| any_message(random, n)).collect();
        n += size;
        // Now and then an older message is changed.
        if random.below(2) == 0 && !all.is_empty() {
            let which = index(random.below(all.len() as u64));
            let mut changed: Stored = all.values().nth(which).cloned().unwrap();
            changed.raw.version += 1;
            if random.below(3) == 0 {
                all.remove(&(changed.raw.at.0, changed.chat.clone()));
                changed.raw.at = Timestamp(changed.raw.at.0 - 501);
            }
            changed.index.text = if random.below(4) == 0 { String::new() } else { text(random) };
            changed.folded = folded(&changed.index.text);
            messages.push(changed);
        }
        let batch_of = |m: &Stored| (m.raw.clone(), m.index.clone());
        let rows = messages.iter().map(batch_of).collect();
        store.apply(batch(rows, None), UserId::new(ME)).await.unwrap();
        for message in messages {
            all.insert((message.raw.at.0, message.chat.clone()), message);
        }
    }
    all
}

fn any_query(random: &Random, all: &BTreeMap<(i64, ConversationId), Stored>) -> Query {
    let mut query = Query::default();
    let terms = [1, 1, 1, 2, 3, 0][index(random.below(6))];
    for _ in 0..terms {
        // A part of an existing text, also across words, or a word that may not exist.
        let which = index(random.below(all.len() as u64));
        let text = &all.values().nth(which).unwrap().folded;
        let from = index(random.below(60));
        let size = index(1 + random.below(9));
        let part: String = text.chars().skip(from).take(size).collect();
        let part = part.trim().to_owned();
        query.terms.push(if part.is_empty() { folded(&word(random)) } else { part });
    }
    if random.below(4) == 0 {
        query.from = vec![UserId::new(PEOPLE[index(random.below(4))])];
    }
    if random.below(4) == 0 {
        query.within = vec![CHATS[index(random.below(3))].into()];
    }
    let around = |random: &Random| {
        let offset = i64::try_from(random.below(8_000)).unwrap() - 4_000;
        Timestamp(1_700_000_000_000 + offset * 977)
    };
    query.before = (random.below(5) == 0).then(|| around(random));
    query.after = (random.below(5) == 0).then(|| around(random));
    query.link = random.below(8) == 0;
    query.file = random.below(12) == 0;
    query
}

fn is_hit(query: &Query, message: &Stored) -> bool {
    let (text, at) = (&message.folded, message.raw.at);
    (!text.is_empty() || query.link || query.file)
        && query.terms.iter().all(|term| text.contains(term))
        && (query.from.is_empty() || query.from.contains(&message.raw.sender))
        && (query.within.is_empty() || query.within.contains(&message.chat))
        && query.before.is_none_or(|before| at < before)
        && query.after.is_none_or(|after| at >= after)
        && (!query.link || message.index.link)
        && (!query.file || message.index.file)
}

#[test]
fn a_search_finds_what_a_look_at_every_text_finds_in_the_same_order_page_by_page() {
    let random = Random::new("messages and queries");
    run(async {
        let (dir, store) = fresh();
        let mut all = fill(&store, &random).await;
        let reader = rusqlite::Connection::open(dir.path().join("store.db")).unwrap();
        let count = |sql: &str| reader.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
        assert!(count("SELECT count(*) FROM text_signatures") > 0, "some groups are sealed");
        let unsealed = "SELECT count(*) FROM text_blocks WHERE number >= 1 << 40";
        // The last one may have made a group.
        while count(unsealed) == 0 {
            let message = any_message(&random, 9_000);
            let rows = vec![(message.raw.clone(), message.index.clone())];
            store.apply(batch(rows, None), UserId::new(ME)).await.unwrap();
            all.insert((message.raw.at.0, message.chat.clone()), message);
        }
        for _ in 0..150 {
            let query = any_query(&random, &all);
            let expected: Vec<_> = all.iter().rev().filter(|(_, m)| is_hit(&query, m)).collect();
            let expected: Vec<_> = expected.into_iter().map(|(key, _)| key.clone()).collect();
            let (mut found, mut below) = (Vec::new(), None);
            while found.len() < 300 {
                let handle = store.begin_search();
                let page = store.search(handle, query.clone(), below, 60).await.unwrap().unwrap();
                found.extend(page.hits.into_iter().map(|hit| (hit.key.at.0, hit.conversation)));
                below = page.next;
                if below.is_none() {
                    break;
                }
            }
            let most = expected.len().min(300);
            assert!(found.len() >= most, "{query:?}: {} of {}", found.len(), expected.len());
            // Messages of the same moment may be in any order.
            for (found, expected) in found.iter().zip(&expected) {
                assert_eq!(found.0, expected.0, "{query:?}");
            }
            found.sort();
            found.dedup();
            assert!(found.iter().all(|key| is_hit(&query, &all[key])), "{query:?}");
            assert!(found.len() >= most, "{query:?}: some were found twice");
        }
    });
}

/// Turns the tables into those of version 2 of the schema.
const TO_VERSION_2: &str = r#"
DROP TABLE text_blocks; DROP TABLE text_groups; DROP TABLE text_signatures;
CREATE VIRTUAL TABLE words USING fts5 (grams, content = '', columnsize = 0, detail = none, tokenize = 'ascii');
CREATE TABLE archive_texts (number INTEGER PRIMARY KEY, newest INTEGER NOT NULL, entries BLOB NOT NULL) STRICT;
CREATE TABLE archive_people (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE old (
    place INTEGER PRIMARY KEY, conversation INTEGER NOT NULL, at INTEGER NOT NULL, number INTEGER NOT NULL,
    id TEXT NOT NULL, version INTEGER NOT NULL, sender TEXT NOT NULL, client_id TEXT, kind TEXT NOT NULL,
    text TEXT NOT NULL, edit_of TEXT, counts INTEGER NOT NULL, mentions INTEGER NOT NULL,
    link INTEGER NOT NULL DEFAULT 0, file INTEGER NOT NULL DEFAULT 0, decoder INTEGER NOT NULL,
    indexed INTEGER NOT NULL DEFAULT 0, json TEXT NOT NULL) STRICT;
INSERT INTO old SELECT place, conversation, at, number, CAST(id AS TEXT), version, sender, client_id, kind, text,
    CAST(edit_of AS TEXT), counts, mentions, link, file, decoder, indexed, '{"id":"' || id || '"}' FROM messages;
DROP TABLE messages;
ALTER TABLE old RENAME TO messages;
CREATE UNIQUE INDEX messages_by_id ON messages (conversation, id);
CREATE INDEX messages_by_time ON messages (conversation, at, number);
CREATE INDEX messages_by_client_id ON messages (conversation, client_id) WHERE client_id IS NOT NULL;
CREATE INDEX messages_by_edit ON messages (conversation, edit_of) WHERE edit_of IS NOT NULL;
PRAGMA user_version = 2;
"#;

#[test]
fn a_store_of_an_older_version_has_the_same_after_it_was_brought_up_to_date() {
    let random = Random::new("messages");
    run(async {
        let (dir, store) = fresh();
        let all = fill(&store, &random).await;
        let query = Query { terms: vec!["ba".into()], ..Query::default() };
        let search = async |store: &Store| {
            let page = store.search(store.begin_search(), query.clone(), None, 500).await;
            let hits = page.unwrap().unwrap().hits;
            hits.into_iter().map(|hit| (hit.key.at, hit.conversation)).collect::<Vec<_>>()
        };
        let before = search(&store).await;
        assert!(!before.is_empty() && before.len() < all.len());
        store.close().await.unwrap();
        let file = dir.path().join("store.db");
        rusqlite::Connection::open(&file).unwrap().execute_batch(TO_VERSION_2).unwrap();
        let store = Store::open(&file).unwrap();
        assert_eq!(search(&store).await, before);
        let items = store.newest(&ConversationId::new(CHAT), 100).await.unwrap();
        assert_eq!(items.len(), 100);
        for raw in items {
            assert_eq!(*raw.json, format!("{{\"id\":\"{}\"}}", raw.id));
        }
        let newer = raw(1_800_000_000_000, 1, CHAT, "ba");
        store.apply(batch(vec![newer], None), UserId::new(ME)).await.unwrap();
        assert_eq!(search(&store).await.len(), before.len().min(499) + 1);
    });
}
