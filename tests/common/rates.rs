//! How many requests a live service gets from an account in the course of a day. Shared by the test and the figures.

use super::clock::SteppedClock;
use super::outages::longest_silence;
use super::scripted::{Asked, Reply, Scripted, item};
use super::{ANNA, JOE, Runner, Setup};
use skchat::model::PollMode;
use skchat::protocol::service::ServiceProfile;
use skchat::sync::PollIntervals;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;

const CHATS: u64 = 10;
const MINUTE: Duration = Duration::from_secs(60);

/// The number of requests in each minute of a part of the day.
pub struct Rate {
    pub name: &'static str,
    pub counts: Vec<usize>,
    /// The longest time without a request.
    pub silence: Duration,
}

/// The account, and what is written in its first chat.
struct Day {
    clock: SteppedClock,
    server: Scripted,
    anna: Runner,
    said: u64,
}

impl Day {
    async fn start(profile: &ServiceProfile) -> Self {
        let clock = SteppedClock::start();
        let server = Scripted::start(|script| {
            for n in 0..CHATS {
                let id = format!("8:friend.{n}");
                script.chat(&id, vec![item(n, &id, &id, "hi")]);
            }
            script.chat(JOE, vec![item(CHATS, JOE, JOE, "hello")]);
        })
        .await;
        let mut options = server.options_without_events(ANNA);
        options.service = profile.clone();
        let polling = &profile.polling;
        let intervals = PollIntervals {
            active: Duration::from_secs(polling.active_seconds),
            idle: Duration::from_secs(polling.idle_seconds),
            away: Duration::from_secs(polling.away_seconds),
            reads_open_chat: true,
        };
        let setup = Setup {
            poll: PollMode::Interval,
            intervals: Some(intervals),
            backoff: (Duration::from_secs(1), MINUTE),
            ..Setup::default()
        };
        let mut anna = Runner::launch(options, &setup);
        anna.passes(&clock, "live").await;
        anna.press(&["alt-down"]).await;
        anna.passes(&clock, "To joe.4").await;
        // The requests of the first start are not part of the day.
        clock.pass(5 * MINUTE).await;
        Self { clock, server, anna, said: CHATS }
    }

    /// Someone sends a message in the open chat.
    fn receive_message(&mut self) {
        self.said += 1;
        let said = (CHATS..=self.said).rev();
        let messages = said.map(|n| item(n, JOE, JOE, &format!("said {n}."))).collect();
        self.server.change(|script| script.chat(JOE, messages));
    }

    /// Passes this many minutes, with a message of someone else in each and, if in use, a key press every ten seconds.
    async fn pass(&mut self, name: &'static str, minutes: usize, in_use: bool) -> Rate {
        let (mut counts, began) = (Vec::new(), Instant::now());
        for _ in 0..minutes {
            let start = Instant::now();
            self.receive_message();
            for _ in 0..6 {
                if in_use {
                    self.anna.type_text("a").await;
                }
                self.clock.pass(MINUTE / 6).await;
            }
            counts.push(self.asked_since(start).len());
        }
        let silence = longest_silence(began, &self.asked_since(began), Instant::now());
        Rate { name, counts, silence }
    }

    /// When requests were made, in their order.
    fn asked_since(&self, start: Instant) -> Vec<Instant> {
        let methods = ["GET", "POST", "PUT", "DELETE"];
        let asked = methods.iter().flat_map(|method| self.server.asked(method, "/"));
        let mut times: Vec<Instant> =
            asked.map(|asked| asked.at).filter(|at| *at >= start).collect();
        times.sort_unstable();
        times
    }
}

/// An account of Microsoft Teams (personal): in use, idle, in the background, and during an outage with a message that
/// waits.
pub async fn rates() -> Vec<Rate> {
    let profile = ServiceProfile::named("teams-free", &BTreeMap::new()).expect("a profile");
    let mut day = Day::start(&profile).await;
    let mut rates = vec![day.pass("in use, a message a minute", 5, true).await];
    // Three minutes after the last key press the user is idle, and half an hour after it away.
    day.clock.pass(4 * MINUTE).await;
    rates.push(day.pass("idle, a message a minute", 5, false).await);
    day.clock.pass(25 * MINUTE).await;
    rates.push(day.pass("in the background, a message a minute", 5, false).await);
    let unavailable = |_: &Asked| Some(Reply::status(503, ""));
    day.anna.press(&["ctrl-u", "ctrl-u"]).await;
    day.anna.type_text("waits").await;
    day.server.change(|script| script.answer(unavailable));
    day.anna.press(&["enter"]).await;
    rates.push(day.pass("an outage, in use", 5, true).await);
    day.anna.end(&day.clock).await;
    rates
}
