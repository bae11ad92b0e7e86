//! A gateway in a process of its own, under load: what large groups cost. `tests/bench/load.rs` prints the figures of a
//! release build; the bounds here leave room for a debug build on a busy machine.

#[path = "common/served.rs"]
mod served;

use served::{Connection, Served, members_body, write_users};
use std::path::Path;
use std::time::{Duration, Instant};

/// Far below what copies of a group for each of its members take (6 s, 2 GiB), and far above what it takes without.
const MOST_TIME: Duration = Duration::from_secs(2);
const MOST_MEMORY_KIB: u64 = 20 * 1024;

fn names(count: usize) -> Vec<String> {
    (0..count).map(|i| format!("user.{i}")).collect()
}

fn count(text: &str, part: &str) -> usize {
    text.matches(part).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_of_a_thousand_costs_little_and_tells_those_who_listen() {
    let names = names(1_001);
    let dir = tempfile::tempdir().unwrap();
    write_users(dir.path(), names.iter().cloned());
    let served = Served::start(Path::new(env!("CARGO_BIN_EXE_skchat")), dir.path(), &[]);
    let mut admin = Connection::signed_in(&served.address, "user.0").await.unwrap();
    let mut listener = Connection::signed_in(&served.address, "user.700").await.unwrap();
    listener.subscribe().await.unwrap();
    admin.create_group(&names[..2]).await.unwrap();
    let before = served.memory("VmHWM");
    let started = Instant::now();
    let id = admin.create_group(&names).await.unwrap();
    let took = started.elapsed();
    let smaller = admin.create_group(&names[..600]).await.unwrap();
    let started = Instant::now();
    let path = format!("/v1/threads/{smaller}/members");
    let added = admin.ask("POST", &path, &members_body(&names[600..800])).await.unwrap();
    let added_in = started.elapsed();
    let grown = served.memory("VmHWM") - before;
    assert_eq!(added.status, 201, "{}", added.body);
    assert!(took < MOST_TIME && added_in < MOST_TIME, "made in {took:?}, added in {added_in:?}");
    assert!(grown < MOST_MEMORY_KIB, "{grown} KiB more");
    // One who listens hears of both groups, of each once.
    let events = listener.poll(0).await.unwrap().body;
    assert_eq!(count(&events, "\"resourceType\":\"ThreadUpdate\""), 2, "{}", events.len());
    assert_eq!(count(&events, "\"messagetype\":\"ThreadActivity/AddMember\""), 2);
    assert_eq!(count(&events, "\"type\":\"ThreadMember\""), 1_001 + 800);
    assert!(events.contains(&id) && events.contains(&smaller));
    let thread = admin.ask("GET", &format!("/v1/threads/{smaller}"), "").await.unwrap();
    assert_eq!(count(&thread.body, "\"type\":\"ThreadMember\""), 800);
}
