//! The gate that every request of an account passes. It keeps all of them back after the server has asked for a pause,
//! and spaces them out while requests fail, so that an outage costs a few requests a minute, however many tasks wait.
//!
//! - A pause that the server asks for (429, or `Retry-After`) holds for everything. It lasts at least as long as the usual
//!   back-off, so that a server which asks for no time at all is not flooded.
//! - Requests without an answer hold everything back; a 5xx does so once different kinds of requests fail. What fails in
//!   one conversation only holds nothing else back.
//! - While something fails, and before the first answer, one request at a time goes out; the others wait for what comes
//!   of it. Polls are no such attempts, because they take long to be answered.

use super::backoff;
use super::error::{Error, ErrorKind};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// The longest pause that is kept.
pub(super) const MAX_PAUSE: Duration = Duration::from_secs(15 * 60);
/// The time between two requests after a first 429, which doubles with each further one.
const FIRST_PACE: Duration = Duration::from_millis(250);
const SLOWEST_PACE: Duration = Duration::from_secs(4);
/// After so much time without a 429 requests may follow each other twice as fast.
const PACE_HOLDS: Duration = Duration::from_secs(60);

/// What a request is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Purpose {
    /// The kind of request, such as sending.
    kind: String,
    /// What it is about, such as a conversation.
    target: String,
    is_poll: bool,
}

impl Purpose {
    pub fn new(method: &str, path: &str, is_poll: bool) -> Self {
        let path = path.split('?').next().unwrap_or_default();
        let last = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        Self { kind: format!("{method} {last}"), target: path.to_owned(), is_poll }
    }
}

/// Failures in a row.
#[derive(Debug, Default)]
struct Failing {
    count: u32,
    /// What the last one was about.
    last: String,
    /// They were about different things.
    many: bool,
    until: Option<Instant>,
}

impl Failing {
    fn add(&mut self, what: &str) {
        self.many |= self.count > 0 && self.last != what;
        self.count = self.count.saturating_add(1);
        what.clone_into(&mut self.last);
    }
}

#[derive(Default)]
struct GateState {
    /// A request has been answered.
    proven: bool,
    /// A single request is on its way while others wait for what comes of it.
    trying: bool,
    all: Failing,
    kinds: HashMap<String, Failing>,
    /// Pauses asked for in a row, by kind of request.
    pauses: HashMap<String, u32>,
    /// Why everything is held back.
    why: String,
    pace: Pace,
}

/// The least time between two requests, learnt from refusals.
#[derive(Default)]
struct Pace {
    gap: Duration,
    next: Option<Instant>,
    since: Option<Instant>,
}

impl Pace {
    fn slow_down(&mut self, now: Instant) {
        self.gap = self.gap.saturating_mul(2).clamp(FIRST_PACE, SLOWEST_PACE);
        self.since = Some(now);
    }

    fn relax(&mut self, now: Instant) {
        if self.since.is_some_and(|since| now.duration_since(since) >= PACE_HOLDS) {
            self.gap = if self.gap <= FIRST_PACE { Duration::ZERO } else { self.gap / 2 };
            self.since = (!self.gap.is_zero()).then_some(now);
        }
    }

    /// When the next request may leave.
    fn slot(&mut self, now: Instant) -> Instant {
        let slot = self.next.map_or(now, |next| next.max(now));
        self.next = (!self.gap.is_zero()).then_some(slot + self.gap);
        slot
    }
}

/// The first and the longest back-off.
#[derive(Clone, Copy, Debug)]
pub(super) struct Waits {
    pub base: Duration,
    pub cap: Duration,
}

pub(super) struct Gate {
    state: Mutex<GateState>,
    waits: Mutex<Waits>,
    /// What others wait for has come of the single request.
    tried: Notify,
}

/// Permission for one request.
pub(super) struct GatePass<'a> {
    gate: &'a Gate,
    single: bool,
}

impl Drop for GatePass<'_> {
    fn drop(&mut self) {
        if self.single {
            self.gate.state().trying = false;
            self.gate.tried.notify_waiters();
        }
    }
}

impl Default for Gate {
    fn default() -> Self {
        let waits = Waits { base: Duration::from_secs(1), cap: Duration::from_secs(60) };
        Self { state: Mutex::default(), waits: Mutex::new(waits), tried: Notify::new() }
    }
}

impl Gate {
    fn state(&self) -> MutexGuard<'_, GateState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn set_waits(&self, waits: Waits) {
        *self.waits.lock().unwrap_or_else(PoisonError::into_inner) = waits;
    }

    fn backoff(&self, count: u32) -> Duration {
        let Waits { base, cap } = *self.waits.lock().unwrap_or_else(PoisonError::into_inner);
        backoff::wait(base, cap, count, backoff::random())
    }

    /// Waits until a request may leave.
    ///
    /// # Errors
    /// When it is held back for longer: nothing was sent, and the error says when to come back.
    pub async fn enter(&self, purpose: &Purpose) -> Result<GatePass<'_>, Error> {
        let mut slot = None;
        loop {
            let tried = self.tried.notified();
            tokio::pin!(tried);
            // Before the state is looked at, so that nothing between the two is missed.
            tried.as_mut().enable();
            let now = Instant::now();
            let wait_until = {
                let mut state = self.state();
                if let Some(error) = state.held_back(purpose, now) {
                    return Err(error);
                }
                let single = !purpose.is_poll && (!state.proven || state.all.count > 0);
                if single && state.trying {
                    None
                } else {
                    let due = *slot.get_or_insert_with(|| state.pace.slot(now));
                    if due <= now {
                        state.trying |= single;
                        return Ok(GatePass { gate: self, single });
                    }
                    Some(due)
                }
            };
            match wait_until {
                Some(due) => tokio::time::sleep_until(due).await,
                None => tried.await,
            }
        }
    }

    /// Notes what came of a request. A pause that the server asked for is lengthened where it is too short.
    pub fn leave<T>(&self, pass: GatePass<'_>, purpose: &Purpose, result: &mut Result<T, Error>) {
        match result {
            Err(error) => match error.kind {
                ErrorKind::RetryAfter(asked) => {
                    let wait = self.pause(purpose, asked, error);
                    error.kind = ErrorKind::RetryAfter(wait);
                }
                ErrorKind::Unreachable => self.failed(purpose, true, &error.message),
                ErrorKind::Unavailable => self.failed(purpose, false, &error.message),
                _ if error.is_no_service() => self.failed(purpose, false, &error.message),
                _ => self.worked(purpose),
            },
            Ok(_) => self.worked(purpose),
        }
        drop(pass);
    }

    fn worked(&self, purpose: &Purpose) {
        let mut state = self.state();
        state.proven = true;
        state.all = Failing::default();
        state.kinds.remove(&purpose.kind);
        state.pauses.remove(&purpose.kind);
        state.pace.relax(Instant::now());
    }

    fn pause(&self, purpose: &Purpose, asked: Duration, error: &Error) -> Duration {
        let now = Instant::now();
        let mut state = self.state();
        let count = state.pauses.entry(purpose.kind.clone()).or_default();
        *count = count.saturating_add(1);
        let count = *count;
        state.proven = true;
        state.all.add(&purpose.kind);
        let wait = asked.max(self.backoff(count.max(state.all.count))).min(MAX_PAUSE);
        state.all.until = state.all.until.max(Some(now + wait));
        state.why.clone_from(&error.message);
        if error.is_rate_limit() {
            state.pace.slow_down(now);
        }
        wait
    }

    fn failed(&self, purpose: &Purpose, no_answer: bool, why: &str) {
        let now = Instant::now();
        let mut state = self.state();
        state.all.add(&purpose.kind);
        state.all.many |= no_answer;
        if state.all.many {
            let wait = self.backoff(state.all.count);
            state.all.until = state.all.until.max(Some(now + wait));
        }
        why.clone_into(&mut state.why);
        let kind = state.kinds.entry(purpose.kind.clone()).or_default();
        kind.add(&purpose.target);
        if kind.many {
            kind.until = Some(now + self.backoff(kind.count));
        }
    }
}

impl GateState {
    /// The error for a request that may not leave yet.
    fn held_back(&self, purpose: &Purpose, now: Instant) -> Option<Error> {
        let kind = self.kinds.get(&purpose.kind).and_then(|kind| kind.until);
        let until = self.all.until.max(kind).filter(|until| *until > now)?;
        Some(Error::held_back(until - now, &self.why))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    fn to(kind: &str, chat: &str) -> Purpose {
        Purpose::new("POST", &format!("/users/ME/conversations/{chat}/{kind}?x=1"), false)
    }

    fn failure(kind: ErrorKind) -> Result<(), Error> {
        Err(Error::of_kind(kind, false))
    }

    /// Lets a request through, if the gate does, and has it end like this. The wait if it is held back or asked to wait.
    async fn ask(gate: &Gate, purpose: &Purpose, mut end: Result<(), Error>) -> Option<Duration> {
        let held = |error: &Error| match error.kind {
            ErrorKind::RetryAfter(wait) => Some(wait),
            _ => None,
        };
        match gate.enter(purpose).await {
            Ok(pass) => {
                gate.leave(pass, purpose, &mut end);
                end.err().as_ref().and_then(held)
            }
            Err(error) => held(&error),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_holds_for_everything_and_is_never_shorter_than_the_back_off() {
        let gate = Gate::default();
        let mut last = Duration::ZERO;
        for _ in 0..8 {
            let asked = ErrorKind::RetryAfter(Duration::ZERO);
            let wait = ask(&gate, &to("poll", "x"), failure(asked)).await.unwrap();
            assert!(wait >= Duration::from_millis(500) && wait <= Duration::from_secs(60));
            let other = ask(&gate, &to("messages", "joe"), Ok(())).await;
            assert!(other.is_some_and(|left| left <= wait), "{other:?} {wait:?}");
            tokio::time::advance(wait).await;
            last = wait;
        }
        assert!(last >= Duration::from_secs(30), "{last:?}");
        let asked = ErrorKind::RetryAfter(Duration::from_secs(80_000));
        assert_eq!(ask(&gate, &to("poll", "x"), failure(asked)).await, Some(MAX_PAUSE));
    }

    /// So many tasks that try again as soon as they may, for some minutes. The requests that left, by the minute.
    async fn outage(minutes: u64, kind: ErrorKind, targets: &[Purpose]) -> Vec<usize> {
        let gate = Arc::new(Gate::default());
        assert_eq!(ask(&gate, &to("list", "x"), Ok(())).await, None);
        let left = Arc::new(Mutex::new(Vec::new()));
        let start = Instant::now();
        let tasks: Vec<_> = targets
            .iter()
            .cloned()
            .map(|purpose| {
                let (gate, left) = (Arc::clone(&gate), Arc::clone(&left));
                tokio::spawn(async move {
                    loop {
                        match gate.enter(&purpose).await {
                            Ok(pass) => {
                                left.lock().unwrap().push(start.elapsed().as_secs() / 60);
                                let mut end = failure(kind);
                                gate.leave(pass, &purpose, &mut end);
                                tokio::time::sleep(Duration::from_millis(200)).await;
                            }
                            Err(error) => match error.kind {
                                ErrorKind::RetryAfter(wait) => tokio::time::sleep(wait).await,
                                other => panic!("{other:?}"),
                            },
                        }
                    }
                })
            })
            .collect();
        tokio::time::sleep(Duration::from_secs(60 * minutes)).await;
        tasks.iter().for_each(tokio::task::JoinHandle::abort);
        let left = left.lock().unwrap();
        (0..minutes).map(|minute| left.iter().filter(|m| **m == minute).count()).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn an_outage_costs_at_most_eight_requests_a_minute_however_many_wait() {
        let mut targets: Vec<Purpose> = (0..10).map(|n| to("messages", &format!("c{n}"))).collect();
        targets.push(to("subscriptions", "x"));
        let pause = ErrorKind::RetryAfter(Duration::ZERO);
        for kind in [ErrorKind::Unreachable, ErrorKind::Unavailable, pause] {
            let counts = outage(5, kind, &targets).await;
            println!("requests a minute in an outage ({kind:?}): {counts:?}");
            assert!(counts.iter().all(|count| (1..=8).contains(count)), "{kind:?}: {counts:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_fails_in_one_conversation_holds_no_other_back() {
        let gate = Gate::default();
        ask(&gate, &to("list", "x"), Ok(())).await;
        for _ in 0..10 {
            let failed = failure(ErrorKind::Unavailable);
            assert_eq!(ask(&gate, &to("messages", "joe"), failed).await, None);
            assert_eq!(ask(&gate, &to("messages", "mia"), Ok(())).await, None);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn before_the_first_answer_one_request_goes_out_and_the_others_wait_for_it() {
        let gate = Gate::default();
        let purpose = to("messages", "joe");
        let pass = gate.enter(&purpose).await.unwrap();
        let second = gate.enter(&purpose);
        tokio::pin!(second);
        assert!(tokio::time::timeout(Duration::from_secs(5), second.as_mut()).await.is_err());
        gate.leave(pass, &purpose, &mut Ok(()));
        let second = second.await.unwrap();
        // Answered once: now they go side by side.
        assert!(gate.enter(&purpose).await.is_ok());
        drop(second);
        // One that is given up lets the next one go.
        let gate = Gate::default();
        drop(gate.enter(&purpose).await.unwrap());
        assert!(gate.enter(&purpose).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_quota_is_learnt_and_kept_to() {
        let gate = Gate::default();
        let purpose = to("messages", "joe");
        let start = Instant::now();
        // A server that allows five requests in any second.
        let mut answered: Vec<Instant> = Vec::new();
        let (mut done, mut refused) = (0, 0);
        while done < 125 {
            let pass = match gate.enter(&purpose).await {
                Ok(pass) => pass,
                Err(error) => match error.kind {
                    ErrorKind::RetryAfter(wait) => {
                        tokio::time::sleep(wait).await;
                        continue;
                    }
                    other => panic!("{other:?}"),
                },
            };
            tokio::time::sleep(Duration::from_millis(5)).await;
            let now = Instant::now();
            answered.retain(|at| now.duration_since(*at) < Duration::from_secs(1));
            let mut end = if answered.len() < 5 {
                answered.push(now);
                done += 1;
                Ok(())
            } else {
                refused += 1;
                Err(Error::rate_limit(Duration::from_secs(1)))
            };
            gate.leave(pass, &purpose, &mut end);
        }
        assert!(refused <= 3, "{refused}");
        assert!(start.elapsed() < Duration::from_secs(45), "{:?}", start.elapsed());
    }
}
