//! Prints what a gateway of its own process takes and needs under load: large groups, many messages, many pollers.
//! Figures, not tests; but what was acknowledged and is not delivered is counted as lost.
//!
//! `cargo build --release --bin skchat && cargo run --release --example load`, with the name of a case for that alone:
//! `groups`, `200`, `1000`, `abandoned` or `idle`.

#[path = "../common/served.rs"]
mod served;

use served::{Connection, Served, built, members_body, write_users};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long a poller is waited for after the last message.
const PATIENCE: Duration = Duration::from_secs(20);

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("threads");
    println!("the gateway in a process of its own, and its clients, on one machine\n");
    let only = std::env::args().nth(1);
    let is_asked = |case: &str| only.as_deref().is_none_or(|only| only == case);
    runtime.block_on(async {
        if is_asked("groups") {
            groups().await;
        }
        if is_asked("200") {
            messages(200, Duration::from_secs(30)).await;
        }
        if is_asked("1000") {
            messages(1_000, Duration::from_secs(10)).await;
        }
        if is_asked("abandoned") {
            abandoned().await;
        }
        if is_asked("idle") {
            idle(2_000).await;
        }
    });
}

fn names(count: usize) -> Vec<String> {
    (0..count).map(|i| format!("user.{i}")).collect()
}

fn start(names: &[String], more: &[&str]) -> (Served, TempDir) {
    let dir = tempfile::tempdir().expect("a folder");
    write_users(dir.path(), names.iter().cloned());
    (Served::start(&built("skchat"), dir.path(), more), dir)
}

fn mib(kib: u64) -> f64 {
    kib as f64 / 1024.0
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn percentile(times: &mut [Duration], hundredth: usize) -> f64 {
    times.sort_unstable();
    let at = (times.len() * hundredth / 100).min(times.len().saturating_sub(1));
    times.get(at).copied().map_or(0.0, ms)
}

/// One large group is made, and another grows by many at once.
async fn groups() {
    let names = names(1_001);
    let (served, _dir) = start(&names, &[]);
    let mut client = Connection::signed_in(&served.address, "user.0").await.expect("connected");
    // What the first request of all costs is not meant here.
    client.create_group(&names[..2]).await.expect("a small group");
    let before = served.memory("VmHWM");
    let started = Instant::now();
    client.create_group(&names).await.expect("a group");
    let (took, peak) = (started.elapsed(), served.memory("VmHWM"));
    println!(
        "POST /threads with 1,001 members: {:.1} ms, {:.1} MiB more at its peak",
        ms(took),
        mib(peak - before)
    );
    let id = client.create_group(&names[..600]).await.expect("a group");
    let before = served.memory("VmHWM");
    let started = Instant::now();
    let path = format!("/v1/threads/{id}/members");
    let answer = client.ask("POST", &path, &members_body(&names[600..800])).await.expect("added");
    let (took, peak) = (started.elapsed(), served.memory("VmHWM"));
    assert_eq!(answer.status, 201, "{}", answer.body);
    println!(
        "200 added at once to a group of 600: {:.1} ms, {:.1} MiB more at its peak",
        ms(took),
        mib(peak - before)
    );
    beside_large_groups().await;
}

/// What others wait for while groups of two thousand are made one after another.
async fn beside_large_groups() {
    let names = names(2_000);
    let (served, _dir) = start(&names, &[]);
    let mut creator = Connection::signed_in(&served.address, &names[0]).await.expect("connected");
    let members = names.clone();
    let creating = tokio::spawn(async move {
        for _ in 0..20 {
            creator.create_group(&members).await.expect("a group");
        }
    });
    let mut other = Connection::signed_in(&served.address, &names[9]).await.expect("connected");
    let (mut sends, mut reads) = (Vec::new(), Vec::new());
    while !creating.is_finished() {
        let started = Instant::now();
        other.say("8:user.8", "meanwhile", sends.len() as u64).await.expect("sent");
        sends.push(started.elapsed());
        let started = Instant::now();
        other.ask("GET", "/v1/users/ME/conversations?pageSize=1", "").await.expect("read");
        reads.push(started.elapsed());
    }
    println!(
        "beside 20 groups of 2,000: {} sends, the longest {:.1} ms; reads, the longest {:.1} ms\n",
        sends.len(),
        percentile(&mut sends, 100),
        percentile(&mut reads, 100)
    );
}

/// What one poller has seen, by the number of the message.
type Seen = Arc<Mutex<HashMap<u64, Instant>>>;

/// Fifty pollers in one group, in which so many messages are sent every second.
async fn messages(rate: u64, time: Duration) {
    let names = names(50);
    let (served, _dir) = start(&names, &[]);
    let mut admin = Connection::signed_in(&served.address, &names[0]).await.expect("connected");
    let group = admin.create_group(&names).await.expect("a group");
    let count = rate * time.as_secs();
    let delivered = Arc::new(AtomicU64::new(0));
    let mut pollers: Vec<Seen> = Vec::new();
    for name in &names {
        let mut poller = Connection::signed_in(&served.address, name).await.expect("connected");
        poller.subscribe().await.expect("subscribed");
        let seen = Seen::default();
        pollers.push(Arc::clone(&seen));
        tokio::spawn(take_events(poller, seen, Arc::clone(&delivered)));
    }
    let (sent, mut times) = send(&served.address, &names, &group, rate, count).await;
    let expected = sent.len() as u64 * pollers.len() as u64;
    let waited = Instant::now();
    while delivered.load(Ordering::Acquire) < expected && waited.elapsed() < PATIENCE {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let mut deliveries = Vec::new();
    let mut lost = 0;
    for seen in &pollers {
        let seen = seen.lock().expect("nobody panics with it");
        for (number, at) in &sent {
            match seen.get(number) {
                Some(arrived) => deliveries.push(arrived.duration_since(*at)),
                None => lost += 1,
            }
        }
    }
    println!(
        "{rate} messages/s to {} pollers for {} s: {} acknowledged of {count}\n  send p50 {:.1}, p99 {:.1} ms; \
         delivery p50 {:.1}, p99 {:.1} ms; {lost} deliveries lost; {:.1} MiB resident",
        names.len(),
        time.as_secs(),
        sent.len(),
        percentile(&mut times, 50),
        percentile(&mut times, 99),
        percentile(&mut deliveries, 50),
        percentile(&mut deliveries, 99),
        mib(served.memory("VmRSS"))
    );
}

/// Sends at a steady rate, over as many connections as are needed for it. Gives when each acknowledged message was
/// sent, and how long each send took.
async fn send(
    address: &str,
    names: &[String],
    group: &str,
    rate: u64,
    count: u64,
) -> (HashMap<u64, Instant>, Vec<Duration>) {
    let senders = 20u64;
    let begin = tokio::time::Instant::now() + Duration::from_millis(200);
    let mut tasks = Vec::new();
    for sender in 0..senders {
        let name = &names[sender as usize % names.len()];
        let mut connection = Connection::signed_in(address, name).await.expect("connected");
        let group = group.to_owned();
        tasks.push(tokio::spawn(async move {
            let (mut sent, mut times) = (Vec::new(), Vec::new());
            for number in (sender..count).step_by(senders as usize) {
                // The pace of the senders: this is what the load is.
                tokio::time::sleep_until(
                    begin + Duration::from_secs(1) * number as u32 / rate as u32,
                )
                .await;
                let at = Instant::now();
                let text = format!("message {number} with a few more words in it");
                if connection.say(&group, &text, number).await.is_ok_and(|status| status == 201) {
                    sent.push((number, at));
                    times.push(at.elapsed());
                }
            }
            (sent, times)
        }));
    }
    let (mut sent, mut times) = (HashMap::new(), Vec::new());
    for task in tasks {
        let (own_sent, own_times) = task.await.expect("it sends to its end");
        sent.extend(own_sent);
        times.extend(own_times);
    }
    (sent, times)
}

async fn take_events(mut poller: Connection, seen: Seen, delivered: Arc<AtomicU64>) {
    let mut ack = 0;
    loop {
        let Ok(answer) = poller.poll(ack).await else { return };
        let now = Instant::now();
        let mut new = 0;
        let mut seen = seen.lock().expect("nobody panics with it");
        for part in answer.body.split("\"content\":\"message ").skip(1) {
            let digits = part.split(' ').next().and_then(|n| n.parse().ok());
            if digits.is_some_and(|number| seen.insert(number, now).is_none()) {
                new += 1;
            }
        }
        drop(seen);
        ack = last_event(&answer.body).unwrap_or(ack);
        delivered.fetch_add(new, Ordering::Release);
    }
}

/// The highest event id: the events of an answer stand in order.
fn last_event(body: &str) -> Option<u64> {
    let at = body.rfind("{\"id\":")?;
    let digits: String = body.get(at + 6..)?.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

/// Endpoints that subscribed and never poll, while the chat goes on.
async fn abandoned() {
    let names = names(50);
    let (served, _dir) = start(&names, &[]);
    let mut admin = Connection::signed_in(&served.address, &names[0]).await.expect("connected");
    let group = admin.create_group(&names).await.expect("a group");
    for name in &names {
        let mut poller = Connection::signed_in(&served.address, name).await.expect("connected");
        poller.subscribe().await.expect("subscribed");
    }
    let before = served.memory("VmRSS");
    for number in 0..6_000 {
        let text = format!("message {number} with a few more words in it");
        assert_eq!(admin.say(&group, &text, number).await.expect("sent"), 201);
    }
    let grown = served.memory("VmRSS").saturating_sub(before);
    println!("50 abandoned endpoints and 6,000 messages: {:.1} MiB more resident", mib(grown));
}

/// Pollers that wait for something that does not come.
async fn idle(count: usize) {
    let names = names(count);
    let most = (count + count / 4).to_string();
    let (served, _dir) = start(&names, &["--max-connections", &most]);
    let before = served.memory("VmRSS");
    let mut waiting = Vec::new();
    for name in &names {
        let mut poller = Connection::signed_in(&served.address, name).await.expect("connected");
        poller.subscribe().await.expect("subscribed");
        waiting.push(tokio::spawn(async move {
            let _ = poller.poll(0).await;
        }));
    }
    println!(
        "{count} connected pollers: {:.1} MiB resident, {:.1} MiB before them",
        mib(served.memory("VmRSS")),
        mib(before)
    );
    drop(waiting);
}
