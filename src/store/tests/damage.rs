//! Damaged stores: what is refused, what is recovered, and that recovery always ends.

use super::random::Random;
use super::{CHAT, ME, batch, fresh, raw, run};
use crate::model::{Outgoing, Timestamp, UserId};
use crate::store::{OutboxState, Store, StoreError, open_read_only, salvage};
use rusqlite::Connection;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const PAGE: usize = 4096;

/// Stores messages and an unsent one. Returns the folder and the store, which is still open.
fn filled(messages: i64) -> (tempfile::TempDir, Store) {
    let (dir, store) = fresh();
    run(async {
        let rows = (1..=messages)
            .map(|n| {
                raw(n * 100, 1, CHAT, &format!("message {n} {}", "word ".repeat(n as usize % 40)))
            })
            .collect();
        store.apply(batch(rows, None), UserId::new(ME)).await.unwrap();
        let outgoing = Outgoing { text: "unsent".into(), ..Default::default() };
        store
            .enqueue(&CHAT.into(), &"1".into(), &outgoing, Timestamp(1), OutboxState::Queued)
            .await
            .unwrap();
    });
    (dir, store)
}

fn beside(file: &Path, suffix: &str) -> PathBuf {
    PathBuf::from(format!("{}{suffix}", file.display()))
}

#[test]
fn an_empty_or_missing_database_beside_a_full_log_is_damage_and_is_recovered_from_the_log() {
    for is_missing in [false, true] {
        let (dir, store) = filled(200);
        let log = std::fs::read(beside(&dir.path().join("store.db"), "-wal")).unwrap();
        assert!(log.len() > 20 * PAGE);
        drop(store);
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("store.db");
        if !is_missing {
            std::fs::write(&file, b"").unwrap();
        }
        std::fs::write(beside(&file, "-wal"), &log).unwrap();
        assert!(matches!(Store::open(&file), Err(StoreError::Damaged)));
        assert!(matches!(open_read_only(&file), Err(StoreError::Damaged)));
        assert_eq!(std::fs::read(beside(&file, "-wal")).unwrap(), log, "nothing was changed");
        let saved = salvage(&file, &dir.path().join("copy.db")).unwrap();
        assert_eq!((saved.messages, saved.outbox), (200, 1), "{saved:?}");
        assert_eq!(std::fs::read(beside(&file, "-wal")).unwrap(), log, "nothing was changed");
    }
}

#[test]
fn an_empty_database_without_a_log_is_a_new_store() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("store.db");
    std::fs::write(&file, b"").unwrap();
    assert!(Store::open(&file).is_ok());
}

#[test]
fn a_store_of_a_newer_schema_is_not_salvaged_and_a_version_that_cannot_be_is_damage() {
    let (dir, store) = filled(20);
    let file = dir.path().join("store.db");
    run(store.close()).unwrap();
    drop(store);
    let copy = dir.path().join("copy.db");
    for (version, is_newer) in [(7, true), (0x5a5a_5a5a, false), (-3, false)] {
        let connection = Connection::open(&file).unwrap();
        connection.pragma_update(None, "user_version", version).unwrap();
        drop(connection);
        let opened = Store::open(&file).map(|_| ()).unwrap_err();
        let salvaged = salvage(&file, &copy);
        if is_newer {
            assert!(matches!(opened, StoreError::Newer(7)), "{opened}");
            assert!(matches!(salvaged, Err(StoreError::Newer(7))));
            assert!(!copy.exists());
        } else {
            assert!(matches!(opened, StoreError::Damaged), "{opened}");
            assert_eq!(salvaged.unwrap().messages, 20);
        }
    }
}

#[test]
fn a_store_that_was_cut_short_is_refused_at_the_start() {
    let (dir, store) = filled(300);
    let file = dir.path().join("store.db");
    run(store.close()).unwrap();
    drop(store);
    let sound = std::fs::read(&file).unwrap();
    for length in
        [sound.len() - PAGE, sound.len() / 2 / PAGE * PAGE, sound.len() / 2 + 100, PAGE, 100, 17]
    {
        // In a file next to it: threads of the closed store may still have the file open.
        let cut = dir.path().join(format!("cut-{length}.db"));
        std::fs::write(&cut, &sound[..length]).unwrap();
        let opened = Store::open(&cut).map(|_| ());
        assert!(matches!(opened, Err(StoreError::Damaged)), "{length} bytes: {opened:?}");
    }
}

/// Damages a file at random places in one of several ways.
fn damage(bytes: &mut Vec<u8>, random: &Random) {
    let at = |bytes: &Vec<u8>| random.below(bytes.len() as u64) as usize;
    for _ in 0..=random.below(4) {
        let start = at(bytes);
        let end = (start + 1 + random.below(3 * PAGE as u64) as usize).min(bytes.len());
        match random.below(6) {
            0 => bytes[start..end].fill(0),
            1 => bytes[start..end].fill_with(|| random.below(256) as u8),
            2 => bytes[start] ^= 1 << random.below(8),
            3 => bytes.truncate(start.max(PAGE)),
            // A page in place of another: row ids decrease, and trees have cycles.
            4 => {
                let pages = (bytes.len() / PAGE) as u64;
                let (from, to) =
                    (random.below(pages) as usize * PAGE, random.below(pages) as usize * PAGE);
                bytes.copy_within(from..from + PAGE, to);
            }
            // A number in a page, such as a link to another page.
            _ => {
                let start = start / 2 * 2;
                let number = random.below(bytes.len() as u64 / PAGE as u64 + 2) as u32;
                for (place, byte) in bytes.iter_mut().skip(start).zip(number.to_be_bytes()) {
                    *place = byte;
                }
            }
        }
    }
}

#[test]
fn salvage_ends_in_time_whatever_is_damaged_and_its_copy_opens() {
    let (dir, store) = filled(150);
    let file = dir.path().join("store.db");
    run(store.close()).unwrap();
    drop(store);
    let sound = std::fs::read(&file).unwrap();
    let random = Random::new("salvage");
    let copy = dir.path().join("copy.db");
    let mut recovered = 0;
    for n in 0..1_000 {
        let mut bytes = sound.clone();
        damage(&mut bytes, &random);
        std::fs::write(&file, &bytes).unwrap();
        let began = Instant::now();
        match salvage(&file, &copy) {
            Ok(saved) => recovered += saved.messages,
            // The version may be what was damaged.
            Err(error) => assert!(matches!(error, StoreError::Newer(_)), "damage {n}: {error}"),
        }
        assert!(began.elapsed() < Duration::from_secs(10), "damage {n}: {:?}", began.elapsed());
        if copy.exists() {
            let checked = open_read_only(&copy).and_then(|copy| copy.check());
            assert!(checked.is_ok(), "damage {n}: {checked:?}");
        }
        for suffix in ["", "-wal", "-shm", "-journal"] {
            let _ = std::fs::remove_file(beside(&copy, suffix));
        }
    }
    println!("of 1,000 x 150 messages {recovered} were recovered");
    assert!(recovered > 60_000, "{recovered}");
}
