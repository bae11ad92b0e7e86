//! A storm of changes over a bad connection: afterwards the store holds what the server holds, no more and no less.

use crate::common::kill::Proxy;
use crate::common::random::Random;
use crate::common::*;
use skchat::client::{BaseUrl, Client, ClientOptions};
use skchat::gateway::fault::InjectedFault;
use skchat::model::PollMode;
use skchat::model::request::Change;
use skchat::model::{AccountId, ConversationId, Outgoing, Timestamp, UserId};
use skchat::store::Store;
use skchat::sync;
use std::collections::BTreeMap;
use std::time::Duration;

/// Changes made while the storm lasts.
const CHANGES: usize = 160;

/// Ids with their versions.
type Versions = BTreeMap<String, u64>;

async fn truth(client: &Client, id: &ConversationId) -> Versions {
    let mut page = client.messages(id, 200).await.unwrap();
    let mut all = Versions::new();
    loop {
        let before = all.len();
        all.extend(page.items.drain(..).map(|raw| (raw.id.to_string(), raw.version)));
        match page.older.take() {
            Some(link) if all.len() > before => {
                page = client.messages_next(id, &link, 200).await.unwrap();
            }
            _ => return all,
        }
    }
}

async fn stored(store: &Store, id: &ConversationId) -> Versions {
    let rows = store.newest(id, 10_000).await.unwrap();
    rows.into_iter().map(|raw| (raw.id.to_string(), raw.version)).collect()
}

/// What some servers send instead of events.
fn odd_poll(random: &Random) -> &'static str {
    match random.below(4) {
        0 => "{}",
        1 => "[]",
        2 => "{\"eventMessages\":null}",
        _ => "{\"eventMessages\":[null,{\"id\":7}]}",
    }
}

/// What happens to the answer to a poll whose events the server regards as received.
fn lost_poll(random: &Random) -> InjectedFault {
    let (code, body) = match random.below(4) {
        0 => (200, "{\"eventMessages\":[]}"),
        1 => (200, ""),
        2 => (500, "{}"),
        _ => (502, "<html>bad gateway</html>"),
    };
    InjectedFault::LostEvents { code, body }
}

/// Joe says, changes and removes things; the connection and the server misbehave meanwhile.
async fn storm(gateway: &Gateway, proxy: &Proxy, random: &Random) {
    let joe = gateway.client(JOE);
    let anna = ConversationId::new(ANNA);
    let mut said: Vec<String> = Vec::new();
    let faults = gateway.state.faults();
    for n in 0..CHANGES {
        if n % 20 == 0 {
            proxy.set_breaks(u32::try_from(random.below(25)).unwrap());
            faults.clear();
            for _ in 0..random.below(4) {
                let (method, path, odd) = match random.below(4) {
                    0 => ("GET", "/messages", InjectedFault::WithoutMetadata),
                    1 => ("GET", "/users/ME/conversations", InjectedFault::WithoutMetadata),
                    2 => ("POST", "/poll", InjectedFault::Body(odd_poll(random))),
                    _ => ("POST", "/poll", lost_poll(random)),
                };
                let fault = match random.below(6) {
                    0 => InjectedFault::Status { code: 503, error: 0, retry_after: None },
                    1 => InjectedFault::Html,
                    2 => InjectedFault::BrokenJson,
                    3 => InjectedFault::ErrorInside,
                    _ => odd,
                };
                let count = 1 + usize::try_from(random.below(3)).unwrap();
                // Joe's own requests are of other kinds, so the faults do not affect them.
                faults.add(method, path, count, fault);
            }
        }
        match random.below(10) {
            0 => gateway.state.forget_endpoints(),
            1 | 2 if !said.is_empty() => {
                let at = usize::try_from(random.below(said.len() as u64)).unwrap();
                let outgoing = Outgoing { text: format!("changed {n}"), ..Outgoing::default() };
                let change =
                    if random.below(4) == 0 { Change::Delete } else { Change::Edit(outgoing) };
                joe.change(&anna, &said[at], &change, "", Timestamp(0)).await.unwrap();
            }
            _ => {
                for i in 0..=random.below(4) {
                    said.push(say_as(&joe, ANNA, &format!("said {n}.{i}")).await);
                }
            }
        }
    }
    faults.clear();
    proxy.set_breaks(0);
}

/// Starts to fetch, with pages of ten messages.
fn fetch(options: ClientOptions, store: &Store, poll: PollMode) -> sync::Handle {
    fetch_by(options, store, poll, 10)
}

/// Starts to fetch, with pages of this many messages.
fn fetch_by(options: ClientOptions, store: &Store, poll: PollMode, page: u32) -> sync::Handle {
    let sync_options = sync::SyncOptions {
        poll,
        interval: Duration::from_millis(50),
        intervals: None,
        backoff_base: Duration::from_millis(20),
        backoff_cap: Duration::from_millis(200),
        page,
        grace: Duration::ZERO,
        seen_within: None,
        shown: None,
        ..sync::SyncOptions::default()
    };
    let (handle, mut deltas) =
        sync::start(AccountId::new("home"), Client::new(options), store.clone(), sync_options);
    tokio::spawn(async move { while deltas.recv().await.is_some() {} });
    handle
}

async fn until_stored(store: &Store, id: &ConversationId, is_so: impl Fn(&Versions) -> bool) {
    let comes = tokio::time::timeout(PATIENCE, async {
        while !is_so(&stored(store, id).await) {
            tokio::task::yield_now().await;
        }
    });
    comes.await.expect("messages to be stored");
}

async fn nothing_is_missing_after_a_storm(poll: PollMode, long_poll: bool) {
    let gateway = Gateway::with(long_poll, true).await;
    let port = gateway.origin.rsplit(':').next().unwrap().parse().unwrap();
    let random = Random::new(&format!("storm with {poll:?}"));
    let proxy = Proxy::start(port, random.split()).await;
    let id = ConversationId::new(JOE);
    for n in 0..30 {
        say_as(&gateway.client(JOE), ANNA, &format!("before {n}")).await;
    }
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("store.db")).unwrap();
    let mut options = gateway.options(ANNA);
    options.gateway = BaseUrl::parse(&format!("http://127.0.0.1:{}/v1", proxy.port)).unwrap();
    let handle = fetch(options, &store, poll);
    until_stored(&store, &id, |stored| !stored.is_empty()).await;
    storm(&gateway, &proxy, &random).await;
    // A client in doubt asks once more, as after every interruption.
    gateway.state.forget_endpoints();
    let anna = gateway.client(ANNA);
    let wanted = truth(&anna, &id).await;
    // Nothing before the first page was ever asked for; from there on everything must be there.
    let mut got = Versions::new();
    let calm = tokio::time::timeout(PATIENCE, async {
        loop {
            got = stored(&store, &id).await;
            let first = got.keys().next().cloned().unwrap_or_default();
            let stored = wanted.range(first..).map(|(id, version)| (id.clone(), *version));
            let gaps = store.coverage(&id).await.unwrap().gaps().count();
            if got == stored.collect::<Versions>() && gaps == 0 && got.len() > CHANGES {
                return;
            }
            tokio::task::yield_now().await;
        }
    });
    if calm.await.is_err() {
        let missing: Vec<_> = wanted.iter().filter(|(id, _)| !got.contains_key(*id)).collect();
        let extra: Vec<_> = got.keys().filter(|id| !wanted.contains_key(*id)).collect();
        let wrong: Vec<_> =
            wanted.iter().filter(|(id, v)| got.get(*id).is_some_and(|g| g != *v)).collect();
        let coverage = store.coverage(&id).await.unwrap();
        panic!(
            "missing {missing:?}, extra {extra:?}, wrong version {wrong:?}, {:?}",
            coverage.ranges()
        );
    }
    println!(
        "{} messages, {} stored: 0 missing, 0 extra, 0 of a wrong version",
        wanted.len(),
        got.len()
    );
    let snapshot = store.snapshot(UserId::new(ANNA)).await.unwrap();
    assert_eq!(snapshot.conversations.len(), 1);
    handle.stop(PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_storm_over_a_long_poll_nothing_is_missing_extra_or_old() {
    nothing_is_missing_after_a_storm(PollMode::Long, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_storm_with_intervals_nothing_is_missing_extra_or_old() {
    nothing_is_missing_after_a_storm(PollMode::Interval, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poll_whose_answer_is_lost_while_the_server_takes_it_for_received_loses_nothing() {
    for (code, body) in [(502, ""), (500, "{}"), (200, ""), (200, "{}"), (200, "<html>")] {
        let gateway = Gateway::start().await;
        say_as(&gateway.client(JOE), ANNA, "before").await;
        let mut anna = Runner::start(&gateway, ANNA).await;
        anna.wait_for("live").await;
        anna.open("Joe").await;
        anna.wait_for("before").await;
        let lost = InjectedFault::LostEvents { code, body };
        // The poll that is waiting now passes; the next one is lost.
        gateway.state.faults().add("POST", "/poll", 1, lost);
        say_as(&gateway.client(JOE), ANNA, "not lost").await;
        anna.wait_for("not lost").await;
        say_as(&gateway.client(JOE), ANNA, "gone on the way").await;
        anna.wait_for("gone on the way").await;
        anna.wait_for("live").await;
        anna.quit().await;
    }
}

/// Anna has 41 messages of Joe and is away. Returns 40 of them.
async fn away(gateway: &Gateway, store: &Store) -> Vec<String> {
    let joe = gateway.client(JOE);
    say_as(&joe, ANNA, "before").await;
    let handle = fetch(gateway.options(ANNA), store, PollMode::Interval);
    let id = ConversationId::new(JOE);
    until_stored(store, &id, |stored| stored.len() == 1).await;
    let mut said = Vec::new();
    for n in 0..40 {
        said.push(say_as(&joe, ANNA, &format!("said {n}")).await);
    }
    until_stored(store, &id, |stored| stored.len() == 41).await;
    handle.stop(PATIENCE).await;
    said
}

/// Joe changes messages. Returns what the server holds afterwards.
async fn changed(gateway: &Gateway, messages: &[String]) -> Versions {
    let (joe, anna) = (gateway.client(JOE), ConversationId::new(ANNA));
    for message in messages {
        let outgoing = Outgoing { text: "changed".into(), ..Outgoing::default() };
        joe.change(&anna, message, &Change::Edit(outgoing), "", Timestamp(0)).await.unwrap();
    }
    truth(&gateway.client(ANNA), &ConversationId::new(JOE)).await
}

/// Fetches until the store holds what the server holds.
async fn until_caught_up(gateway: &Gateway, store: &Store, wanted: &Versions) {
    let handle = fetch(gateway.options(ANNA), store, PollMode::Interval);
    until_stored(store, &ConversationId::new(JOE), |stored| stored == wanted).await;
    handle.stop(PATIENCE).await;
}

/// Possible answers instead of a page of messages.
fn useless_answers() -> Vec<InjectedFault> {
    let refusal = |code| InjectedFault::Json { code, body: r#"{"errorCode":201}"#.into() };
    vec![
        InjectedFault::WithoutMetadata,
        InjectedFault::Html,
        InjectedFault::BrokenJson,
        InjectedFault::ErrorInside,
        InjectedFault::Body("{}"),
        InjectedFault::CutOff,
        InjectedFault::Status { code: 503, error: 0, retry_after: None },
        refusal(400),
        refusal(403),
        refusal(404),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_arrive_after_any_useless_answer_to_the_request_for_them() {
    for fault in useless_answers() {
        // The newest page comes as it is, and then the first, second or third page of changes is wrong like this, or
        // two in a row.
        let mut cases = vec![(1, 1), (2, 1), (3, 1), (1, 2)];
        // The second one comes instead of the newest page, where it would mean that the chat cannot be read.
        if matches!(fault, InjectedFault::Json { code: 403 | 404, .. }) {
            cases.pop();
        }
        for (skip, times) in cases {
            let gateway = Gateway::with(false, true).await;
            let dir = tempfile::tempdir().unwrap();
            let store = Store::open(&dir.path().join("store.db")).unwrap();
            let said = away(&gateway, &store).await;
            let wanted = changed(&gateway, &said[..25]).await;
            let faults = gateway.state.faults();
            faults.add_after("GET", "/messages", skip, times, fault.clone());
            println!("{fault:?}, {times} times after {skip} pages");
            until_caught_up(&gateway, &store, &wanted).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_of_the_newest_pages_arrive_although_the_server_has_forgotten_the_token() {
    let stale = || InjectedFault::Json { code: 400, body: r#"{"errorCode":230}"#.into() };
    let cases = [(1, stale()), (5, InjectedFault::ErrorInside), (5, InjectedFault::Html)];
    for (times, fault) in cases {
        let gateway = Gateway::with(false, true).await;
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("store.db")).unwrap();
        let said = away(&gateway, &store).await;
        let wanted = changed(&gateway, &said[15..]).await;
        for _ in 0..times {
            // Each time the newest page comes as it is, and the changes do not.
            gateway.state.faults().add_after("GET", "/messages", 1, 1, fault.clone());
        }
        until_caught_up(&gateway, &store, &wanted).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_far_below_what_is_stored_downloads_no_history() {
    for lost in [false, true] {
        let gateway = Gateway::with(false, true).await;
        let (joe, id) = (gateway.client(JOE), ConversationId::new(JOE));
        let mut said = Vec::new();
        for n in 0..60 {
            said.push(say_as(&joe, ANNA, &format!("said {n}")).await);
        }
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("store.db")).unwrap();
        let handle = fetch(gateway.options(ANNA), &store, PollMode::Interval);
        until_stored(&store, &id, |stored| stored.len() == 10).await;
        handle.stop(PATIENCE).await;
        let wanted = changed(&gateway, &[said[3].clone(), said[55].clone()]).await;
        if lost {
            let stale = InjectedFault::Json { code: 400, body: r#"{"errorCode":230}"#.into() };
            gateway.state.faults().add_after("GET", "/messages", 1, 1, stale);
        }
        let handle = fetch(gateway.options(ANNA), &store, PollMode::Interval);
        let newest: Versions = wanted.into_iter().skip(50).collect();
        until_stored(&store, &id, |stored| *stored == newest).await;
        // The backfill has nothing left to do.
        assert_eq!(store.coverage(&id).await.unwrap().gaps().count(), 0, "lost: {lost}");
        handle.stop(PATIENCE).await;
        assert_eq!(stored(&store, &id).await, newest, "lost: {lost}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_arrive_after_answers_with_an_error_in_place_of_a_page() {
    // Instead of messages only, and instead of anything about the conversation.
    for path in ["/messages", "/users/ME/conversations/"] {
        for times in [1, 4, 7] {
            let gateway = Gateway::with(false, true).await;
            let dir = tempfile::tempdir().unwrap();
            let store = Store::open(&dir.path().join("store.db")).unwrap();
            let said = away(&gateway, &store).await;
            for n in 0..15 {
                say_as(&gateway.client(JOE), ANNA, &format!("new {n}")).await;
            }
            let wanted = changed(&gateway, &said[..25]).await;
            gateway.state.faults().add("GET", path, times, InjectedFault::ErrorInside);
            if times > 4 {
                // After five, it is given up for hours. The next start asks again.
                let handle = fetch(gateway.options(ANNA), &store, PollMode::Interval);
                let asked = gateway.state.faults().count("GET", path);
                gateway.state.faults().until("GET", path, asked + 5).await;
                handle.stop(PATIENCE).await;
            }
            until_caught_up(&gateway, &store, &wanted).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_a_message_fetched_just_before_is_kept_where_changes_come_in_parts() {
    // Some pages of one message reach from the new ones down to what is stored; the next one has the changes.
    for pages in 2..6 {
        let gateway = Gateway::with(false, true).await;
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("store.db")).unwrap();
        let said = away(&gateway, &store).await;
        let new = say_as(&gateway.client(JOE), ANNA, "new").await;
        say_as(&gateway.client(JOE), ANNA, "newer").await;
        // The new message is fetched and then changed, before the changes are asked for, which are more than are fetched
        // at once.
        let faults = gateway.state.faults();
        let before = faults.count("GET", "/messages");
        let delay = InjectedFault::Delay(Duration::from_secs(1));
        faults.add_after("GET", "/messages", pages, 1, delay);
        let handle = fetch_by(gateway.options(ANNA), &store, PollMode::Interval, 1);
        faults.until("GET", "/messages", before + pages + 1).await;
        let order: Vec<String> = [new].into_iter().chain(said[..30].to_vec()).collect();
        let wanted = changed(&gateway, &order).await;
        until_stored(&store, &ConversationId::new(JOE), |stored| *stored == wanted).await;
        handle.stop(PATIENCE).await;
    }
}
