//! A gateway process under load: what large groups cost, and what a kill leaves. `tests/bench/load.rs` prints the
//! figures of a release build; the bounds here leave room for a debug build on a busy machine.

use crate::common::served::{Connection, Served, members_body, write_users};
use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::time::{Duration, Instant};

/// Far below the cost of copying a group for each of its members (6 s, 2 GiB), and far above the cost without copies.
const MAX_TIME: Duration = Duration::from_secs(2);
const MAX_MEMORY_KIB: u64 = 20 * 1024;

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
    assert!(took < MAX_TIME && added_in < MAX_TIME, "made in {took:?}, added in {added_in:?}");
    assert!(grown < MAX_MEMORY_KIB, "{grown} KiB more");
    // A listener hears of both groups, and of each once.
    let events = listener.poll(0).await.unwrap().body;
    assert_eq!(count(&events, "\"resourceType\":\"ThreadUpdate\""), 2, "{}", events.len());
    assert_eq!(count(&events, "\"messagetype\":\"ThreadActivity/AddMember\""), 2);
    assert_eq!(count(&events, "\"type\":\"ThreadMember\""), 1_001 + 800);
    assert!(events.contains(&id) && events.contains(&smaller));
    let thread = admin.ask("GET", &format!("/v1/threads/{smaller}"), "").await.unwrap();
    assert_eq!(count(&thread.body, "\"type\":\"ThreadMember\""), 800);
}

/// Pages of a chat from the newest message down; returns how often each client id occurs.
async fn client_ids(caller: &mut Connection, chat: &str) -> HashMap<u64, usize> {
    let mut path = format!("/v1/users/ME/conversations/{chat}/messages?startTime=0&pageSize=200");
    let mut found = HashMap::new();
    loop {
        let page = caller.ask("GET", &path, "").await.unwrap().json();
        for message in page["messages"].as_array().unwrap() {
            let id = message["clientmessageid"].as_str().and_then(|id| id.parse().ok());
            if let Some(id) = id {
                *found.entry(id).or_default() += 1;
            }
        }
        let Some(next) = page["_metadata"]["backwardLink"].as_str() else { return found };
        path = next.split_once("/v1/").map(|(_, rest)| format!("/v1/{rest}")).unwrap();
    }
}

/// Sends until the gateway is gone; returns the client ids that were acknowledged, and all that were tried.
async fn send_until_killed(
    address: String,
    name: String,
    chat: String,
    first: u64,
) -> [Vec<u64>; 2] {
    let (mut acknowledged, mut tried) = (Vec::new(), Vec::new());
    let Ok(mut sender) = Connection::signed_in(&address, &name).await else {
        return [acknowledged, tried];
    };
    for id in first.. {
        tried.push(id);
        match sender.say(&chat, "under load", id).await {
            Ok(201) => acknowledged.push(id),
            Ok(status) => panic!("a send was answered by {status}"),
            Err(_) => break,
        }
    }
    [acknowledged, tried]
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_is_stored_once_however_often_it_is_killed_under_load() {
    const SENDERS: u64 = 8;
    let seed = getrandom::u64().unwrap();
    println!("seed {seed}");
    let names = names(SENDERS as usize);
    let dir = tempfile::tempdir().unwrap();
    write_users(dir.path(), names.iter().cloned());
    let program = Path::new(env!("CARGO_BIN_EXE_skchat"));
    let (mut chat, mut next) = (String::new(), 0);
    let (mut acknowledged, mut tried) = (HashSet::new(), HashSet::new());
    for round in 0..5 {
        let served = Served::start(program, dir.path(), &[]);
        if chat.is_empty() {
            let mut admin = Connection::signed_in(&served.address, &names[0]).await.unwrap();
            chat = admin.create_group(&names).await.unwrap();
        }
        let senders: Vec<_> = (0..SENDERS)
            .map(|i| {
                let first = next + i * 1_000_000;
                let name = names[i as usize].clone();
                tokio::spawn(send_until_killed(served.address.clone(), name, chat.clone(), first))
            })
            .collect();
        // The moment of the kill is what is random here.
        let wait = 50 + (seed >> (round * 8)) % 256;
        tokio::time::sleep(Duration::from_millis(wait)).await;
        served.kill();
        for sender in senders {
            let [done, all] = sender.await.unwrap();
            acknowledged.extend(done);
            tried.extend(all);
        }
        next += SENDERS * 1_000_000;
    }
    assert!(acknowledged.len() > 50, "there was load: {}", acknowledged.len());
    let served = Served::start(program, dir.path(), &[]);
    let mut reader = Connection::signed_in(&served.address, &names[0]).await.unwrap();
    let stored = client_ids(&mut reader, &chat).await;
    let lost: Vec<_> = acknowledged.iter().filter(|id| !stored.contains_key(id)).collect();
    let doubled: Vec<_> = stored.iter().filter(|(_, times)| **times > 1).collect();
    let invented: Vec<_> = stored.keys().filter(|id| !tried.contains(id)).collect();
    assert!(lost.is_empty(), "{} of {} are lost: {lost:?}", lost.len(), acknowledged.len());
    assert!(doubled.is_empty() && invented.is_empty(), "{doubled:?} {invented:?}");
    println!("{} acknowledged, {} stored, {} tried", acknowledged.len(), stored.len(), tried.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn no_client_waits_long_while_others_create_large_groups() {
    let names = names(2_000);
    let dir = tempfile::tempdir().unwrap();
    write_users(dir.path(), names.iter().cloned());
    let served = Served::start(Path::new(env!("CARGO_BIN_EXE_skchat")), dir.path(), &[]);
    let mut creators = Vec::new();
    for name in &names[..3] {
        let mut members = names.clone();
        members.retain(|other| other != name);
        members.insert(0, name.clone());
        let mut creator = Connection::signed_in(&served.address, name).await.unwrap();
        creators.push(tokio::spawn(async move {
            for _ in 0..3 {
                creator.create_group(&members).await.unwrap();
            }
        }));
    }
    let mut other = Connection::signed_in(&served.address, "user.9").await.unwrap();
    let (mut sends, mut reads) = (Vec::new(), Vec::new());
    while creators.iter().any(|creator| !creator.is_finished()) {
        let started = Instant::now();
        assert_eq!(other.say("8:user.8", "meanwhile", sends.len() as u64).await.unwrap(), 201);
        sends.push(started.elapsed());
        let started = Instant::now();
        let list = other.ask("GET", "/v1/users/ME/conversations?pageSize=1", "").await.unwrap();
        assert_eq!(list.status, 200);
        reads.push(started.elapsed());
    }
    let longest = |times: &[Duration]| times.iter().max().copied().unwrap_or_default();
    println!(
        "{} sends, the longest {:?}; reads {:?}",
        sends.len(),
        longest(&sends),
        longest(&reads)
    );
    assert!(longest(&sends) < MAX_TIME && longest(&reads) < MAX_TIME);
}
