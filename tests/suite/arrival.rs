//! How messages arrived, as sync reports it: live, by catching up, or as history; by long poll and at intervals.

use crate::common::*;
use skchat::model::{AccountId, Arrival, ConnectionState, Delta, Inbound, PollMode, SafeText};
use skchat::store::Store;
use skchat::sync::{self, Handle, SyncOptions};
use std::time::Duration;
use tokio::sync::mpsc;

/// The sync of Anna's account, and what it reported of messages so far.
struct Running {
    handle: Handle,
    deltas: mpsc::Receiver<Inbound>,
    arrived: Vec<(String, Arrival)>,
    is_online: bool,
}

impl Running {
    fn start(gateway: &Gateway, store: &Store, poll: PollMode) -> Self {
        let options = SyncOptions {
            poll,
            interval: Duration::from_millis(50),
            intervals: None,
            backoff_base: Duration::from_millis(20),
            backoff_cap: Duration::from_millis(200),
            page: 10,
            grace: Duration::ZERO,
            seen_within: None,
            shown: None,
            ..SyncOptions::default()
        };
        let client = gateway.client(ANNA);
        let (handle, deltas) = sync::start(AccountId::new("home"), client, store.clone(), options);
        Self { handle, deltas, arrived: Vec::new(), is_online: false }
    }

    async fn wait(&mut self, what: &str, is_so: impl Fn(&Self) -> bool) {
        let waiting = tokio::time::timeout(PATIENCE, async {
            while !is_so(self) {
                self.take().await;
            }
        });
        waiting.await.unwrap_or_else(|_| panic!("waited for {what}"));
    }

    async fn take(&mut self) {
        match self.deltas.recv().await.expect("sync runs").delta {
            Delta::Connection(state) => self.is_online = state == ConnectionState::Online,
            Delta::Messages { messages, arrival, .. } => {
                let text =
                    |m: &skchat::model::Message| m.body.text(&|id| SafeText::line(id.bare()));
                self.arrived.extend(messages.iter().map(|m| (text(m), arrival)));
            }
            _ => {}
        }
    }

    /// How a message arrived when it was first reported.
    async fn arrival(&mut self, text: &str) -> Arrival {
        let first = |running: &Self| running.arrived.iter().position(|(known, _)| known == text);
        self.wait(text, |running| first(running).is_some()).await;
        self.arrived[first(self).unwrap()].1
    }
}

async fn arrivals_are_told_apart(poll: PollMode, long_poll: bool) {
    let gateway = Gateway::with(long_poll, true).await;
    let (joe, mia) = (gateway.client(JOE), gateway.client(MIA));
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("store.db")).unwrap();
    say_as(&joe, ANNA, "before the first start").await;

    let mut first = Running::start(&gateway, &store, poll);
    assert_eq!(first.arrival("before the first start").await, Arrival::History);
    first.wait("the connection", |running| running.is_online).await;
    say_as(&joe, ANNA, "while online").await;
    assert_eq!(first.arrival("while online").await, Arrival::Live);
    first.handle.stop(PATIENCE).await;

    say_as(&joe, ANNA, "while away").await;
    say_as(&mia, ANNA, "a new chat while away").await;
    let mut second = Running::start(&gateway, &store, poll);
    assert_eq!(second.arrival("while away").await, Arrival::CatchUp);
    assert_eq!(second.arrival("a new chat while away").await, Arrival::CatchUp);
    second.wait("the connection", |running| running.is_online).await;
    say_as(&mia, ANNA, "while online again").await;
    assert_eq!(second.arrival("while online again").await, Arrival::Live);
    let told = |text: &str| {
        second.arrived.iter().any(|(known, how)| known == text && *how != Arrival::History)
    };
    assert!(!told("before the first start") && !told("while online"), "{:?}", second.arrived);
    second.handle.stop(PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_poll_tells_live_messages_from_missed_and_old_ones() {
    arrivals_are_told_apart(PollMode::Long, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn intervals_tell_live_messages_from_missed_and_old_ones() {
    arrivals_are_told_apart(PollMode::Interval, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_message_of_a_new_chat_is_live_at_intervals_too() {
    let gateway = Gateway::with(false, true).await;
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("store.db")).unwrap();
    say_as(&gateway.client(JOE), ANNA, "known before").await;
    let mut running = Running::start(&gateway, &store, PollMode::Interval);
    running.wait("the connection", |running| running.is_online).await;
    say_as(&gateway.client(MIA), ANNA, "out of the blue").await;
    assert_eq!(running.arrival("out of the blue").await, Arrival::Live);
    running.handle.stop(PATIENCE).await;
}
