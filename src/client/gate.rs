//! The gate that every request of an account passes. Those to services beside the chat only ask it, see
//! [`side_services`](super::side_services). It keeps requests back after the server has asked for a pause, and
//! spaces them out while requests fail, so that an outage costs a few requests a minute, however many tasks wait.
//!
//! - A pause that the server asks for (429, or `Retry-After`) holds for everything. It lasts at least as long as the
//!   usual back-off, so that a server which asks for no time at all is not flooded. Where the server does not say how
//!   long it lasts, it doubles from half a minute to ten minutes (facts 8.8).
//! - An outage begins with a request without an answer, or when different things fail: two kinds of requests, or one
//!   kind for two conversations. While it lasts, requests follow each other at the pace of the back-off, whether they
//!   are attempts or only look for the outcome of one. Failures in a single conversation hold nothing else back.
//! - When no request has reached the server, the first answer ends the outage. "The registration is gone" counts as the
//!   answer of a server that works, as after a restart, unless it comes again soon.
//! - Kinds of requests that still work go on during an outage where the user waits for them, and so do polls.
//! - After a few requests that succeeded in a row, background requests and attempts at what fails are no longer refused
//!   until the next failure, but leave one at a time, seconds apart. Work that needs several requests must be able to
//!   finish, because the one that failed may come after it.
//! - Requests that can be left out, such as typing signals, are left out while anything fails.
//! - While something fails, and before the first answer of each kind, one request at a time goes out; the others wait
//!   for its outcome. Polls are not such attempts, because they take a long time to be answered.

use super::backoff::{self, Waits};
use super::error::{Error, ErrorKind, UNNAMED_PAUSE};
use super::failing::{Failures, Purpose, Trouble, Urgency};
use super::pace::Pace;
use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// The longest pause that is kept.
pub(super) const MAX_PAUSE: Duration = Duration::from_secs(15 * 60);
/// The longest pause where the server does not say how long it lasts (facts 8.8).
const LONGEST_UNNAMED: Duration = Duration::from_secs(10 * 60);
/// The longest wait after a request that succeeded during an outage: it does not show that the rest still fails.
const SUCCESS_WAIT: Duration = Duration::from_secs(30);
/// This many successes in a row, except polls and what the user does, are let through at the pace of the back-off.
const PACED_SUCCESSES: u32 = 2;
/// The time between two requests that take turns during an outage, as a multiple of the first back-off.
const TURN: u32 = 8;
/// A poll that has been open for this long works, so the others need not wait for its end.
const POLL_WORKS: Duration = Duration::from_secs(3);

#[derive(Default)]
struct GateState {
    /// Kinds of requests that have been answered.
    answered: HashSet<String>,
    /// Kinds of which a single request is on its way while others wait for its outcome; the empty one is for all.
    trying: HashMap<String, Attempt>,
    /// The number of the last of them.
    attempts: u64,
    failures: Failures,
    outage: Option<Outage>,
    /// Pauses asked for in a row, by kind of request.
    pauses: HashMap<String, u32>,
    /// Pauses asked for since any request succeeded.
    pauses_in_row: u32,
    /// When the server last asked for a pause.
    last_pause: Option<Instant>,
    /// The end of a pause that the server asked for.
    paused_until: Option<Instant>,
    /// Why everything is held back, and whether because there were too many requests.
    why: String,
    rate_limit: bool,
    pace: Pace,
}

/// A request that others wait for.
#[derive(Clone, Copy)]
struct Attempt {
    number: u64,
    /// Until when they wait; `None` means until it ends.
    until: Option<Instant>,
}

/// A time in which different things fail.
struct Outage {
    /// Requests since it began, and the failures before.
    count: u32,
    /// Successful requests since the last failure, except polls and what the user does.
    successes: u32,
    until: Instant,
    /// When the next request may leave, except polls and what the user does.
    turn: Instant,
    /// There was no answer at all.
    no_answer: bool,
}

pub(super) struct Gate {
    state: Mutex<GateState>,
    waits: Mutex<Waits>,
    /// The outcome that others wait for is known.
    tried: Notify,
}

/// Permission for one request.
pub(super) struct GatePass<'a> {
    gate: &'a Gate,
    /// When it was given.
    since: Instant,
    /// The entry of [`GateState::trying`], and its number.
    single: Option<(String, u64)>,
}

impl Drop for GatePass<'_> {
    fn drop(&mut self) {
        if let Some((kind, number)) = &self.single {
            let mut state = self.gate.state();
            if state.trying.get(kind).is_some_and(|attempt| attempt.number == *number) {
                state.trying.remove(kind);
            }
            drop(state);
            self.gate.tried.notify_waiters();
        }
    }
}

impl Default for Gate {
    fn default() -> Self {
        Self { state: Mutex::default(), waits: Mutex::default(), tried: Notify::new() }
    }
}

impl Gate {
    fn state(&self) -> MutexGuard<'_, GateState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn waits(&self) -> Waits {
        *self.waits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn set_waits(&self, waits: Waits) {
        *self.waits.lock().unwrap_or_else(PoisonError::into_inner) = waits;
    }

    pub fn backoff(&self, count: u32) -> Duration {
        let Waits { base, cap } = self.waits();
        backoff::wait(base, cap, count, backoff::random())
    }

    /// Waits until a request may leave.
    ///
    /// # Errors
    /// When it is held back for longer: nothing was sent, and the error says when to come back.
    pub async fn enter(&self, purpose: &Purpose) -> Result<GatePass<'_>, Error> {
        let base = self.waits().base;
        let mut slot = None;
        loop {
            let tried = self.tried.notified();
            tokio::pin!(tried);
            // Before the state is looked at, so that nothing between the two is missed.
            tried.as_mut().enable();
            let now = Instant::now();
            let wait_until = {
                let mut state = self.state();
                if let Some(wait) = state.held_back(purpose, now, base) {
                    return Err(Error::held_back(wait, &state.why, state.rate_limit));
                }
                let single = state.single(purpose);
                let other = single.as_ref().and_then(|kind| state.trying.get(kind).copied());
                let other = other.filter(|other| other.until.is_none_or(|until| until > now));
                if let Some(other) = other {
                    other.until
                } else {
                    let slot = *slot.get_or_insert_with(|| state.pace.slot(now));
                    // Checked each time, because the outage may have ended meanwhile.
                    let due = state.turn(purpose).map_or(slot, |turn| slot.max(turn));
                    if due <= now {
                        state.take_turn(purpose, now + base * TURN);
                        let single = single.map(|kind| state.begin(kind, purpose, now));
                        return Ok(GatePass { gate: self, since: now, single });
                    }
                    Some(due)
                }
            };
            tokio::select! {
                () = tried => {}
                () = tokio::time::sleep_until(wait_until.unwrap_or(now)), if wait_until.is_some() => {}
            }
        }
    }

    /// Whether a request to a service beside the chat may leave. Nothing waits for its outcome.
    ///
    /// # Errors
    /// When it is held back; the error says when to come back.
    pub fn check(&self, purpose: &Purpose) -> Result<(), Error> {
        let mut state = self.state();
        match state.held_back(purpose, Instant::now(), self.waits().base) {
            Some(wait) => Err(Error::held_back(wait, &state.why, state.rate_limit)),
            None => Ok(()),
        }
    }

    /// Notes the outcome of a request. A pause that the server asked for is lengthened where it is too short.
    pub fn leave<T>(&self, pass: GatePass<'_>, purpose: &Purpose, result: &mut Result<T, Error>) {
        match result {
            Err(error) => match error.kind {
                ErrorKind::RetryAfter(asked) => {
                    let wait = self.pause(purpose, pass.since, asked, error);
                    error.kind = ErrorKind::RetryAfter(wait);
                }
                // Only the connection of the poll may be dead: a message finds out.
                ErrorKind::Unreachable if purpose.is_poll() => {
                    self.failed(purpose, Trouble::Server, error);
                }
                // The request has not reached the server.
                ErrorKind::Unreachable if !error.outcome_unknown => {
                    self.failed(purpose, Trouble::NotReached, error);
                }
                ErrorKind::Unreachable => self.failed(purpose, Trouble::NoAnswer, error),
                ErrorKind::TokenRejected => self.failed(purpose, Trouble::Token, error),
                // As after a restart: the server works, and a new registration helps.
                _ if Self::is_gone(purpose, error) && !self.is_gone_again(purpose) => {
                    self.worked(purpose, pass.since);
                }
                ErrorKind::Unavailable => self.failed(purpose, Trouble::Server, error),
                _ if error.is_not_from_service() || Self::is_gone(purpose, error) => {
                    self.failed(purpose, Trouble::Server, error);
                }
                _ => self.worked(purpose, pass.since),
            },
            Ok(_) => self.worked(purpose, pass.since),
        }
        drop(pass);
    }

    /// Whether the answer means that the registration is gone (facts 2.2).
    fn is_gone(purpose: &Purpose, error: &Error) -> bool {
        error.kind == ErrorKind::EndpointGone || (purpose.is_poll() && error.is_inaccessible())
    }

    fn is_gone_again(&self, purpose: &Purpose) -> bool {
        self.state().failures.is_gone_again(&purpose.kind)
    }

    fn worked(&self, purpose: &Purpose, since: Instant) {
        let now = Instant::now();
        let mut state = self.state();
        state.answered.insert(purpose.kind.clone());
        // A request that was sent before the server asked for a pause, such as a poll, does not end the pause.
        if state.last_pause.is_none_or(|asked| since > asked) {
            state.pauses.remove(&purpose.kind);
            state.pauses_in_row = 0;
        }
        state.pace.relax(now);
        let failed_before = state.failures.remove(&purpose.kind, now);
        let still_fails = state.failures.is_wide();
        let free = purpose.is_free();
        match &mut state.outage {
            Some(outage) if still_fails => {
                outage.no_answer = false;
                if !failed_before && !free {
                    outage.count = outage.count.saturating_add(1);
                    outage.successes = outage.successes.saturating_add(1);
                    let paced = outage.successes <= PACED_SUCCESSES;
                    let wait = || self.backoff(outage.count).min(SUCCESS_WAIT);
                    outage.until = if paced { now + wait() } else { now };
                }
            }
            outage => *outage = None,
        }
    }

    fn pause(&self, purpose: &Purpose, sent: Instant, asked: Duration, error: &Error) -> Duration {
        let now = Instant::now();
        let mut state = self.state();
        // Requests that were under way together are refused together.
        let again = state.last_pause.is_none_or(|last| sent > last);
        let step = u32::from(again);
        state.pauses_in_row = state.pauses_in_row.saturating_add(step).max(1);
        state.last_pause = Some(now);
        let in_row = state.pauses_in_row;
        let count = state.pauses.entry(purpose.kind.clone()).or_default();
        // A server that asks for a pause again means a longer one.
        *count = if *count == 0 { 1 } else { count.saturating_add(2 * step) };
        let (times, count) = (in_row.max(count.div_ceil(2)), in_row.max(*count));
        state.answered.insert(purpose.kind.clone());
        let asked = if error.is_unnamed_pause() { unnamed(times) } else { asked };
        let wait = asked.max(self.backoff(count)).min(MAX_PAUSE);
        state.paused_until = state.paused_until.max(Some(now + wait));
        state.why.clone_from(&error.message);
        state.rate_limit = error.is_rate_limit();
        if error.is_rate_limit() {
            state.pace.slow_down(now);
        }
        wait
    }

    fn failed(&self, purpose: &Purpose, trouble: Trouble, error: &Error) {
        let now = Instant::now();
        let no_answer = matches!(trouble, Trouble::NotReached | Trouble::NoAnswer);
        let mut state = self.state();
        if !no_answer {
            state.answered.insert(purpose.kind.clone());
        }
        state.failures.add(purpose, trouble, now);
        error.message.clone_into(&mut state.why);
        state.rate_limit = false;
        if !state.failures.is_wide() {
            return;
        }
        // A missing answer may be a passing network fault; a server that fails has problems for longer.
        let before = state.failures.count().saturating_add(if no_answer { 0 } else { 2 });
        let known = state.outage.take();
        let count = known.as_ref().map_or(before, |known| known.count.saturating_add(1));
        let until = now + self.backoff(count);
        let until = known.as_ref().map_or(until, |known| known.until.max(until));
        let turn = known.map_or(now, |known| known.turn);
        state.outage = Some(Outage { count, successes: 0, until, turn, no_answer });
    }
}

/// The pause after this many 429s in a row that do not say how long to wait.
pub(super) fn unnamed(times: u32) -> Duration {
    let factor = 1u32.checked_shl(times.saturating_sub(1)).unwrap_or(u32::MAX);
    UNNAMED_PAUSE.saturating_mul(factor).min(LONGEST_UNNAMED)
}

impl GateState {
    /// How long a request may not leave yet; `None` if it may. `base` is the first back-off.
    fn held_back(&mut self, purpose: &Purpose, now: Instant, base: Duration) -> Option<Duration> {
        let until = |until: Option<Instant>| until.filter(|until| *until > now);
        if let Some(until) = until(self.paused_until) {
            return Some(until - now);
        }
        self.failures.forget_old(now);
        if !self.failures.is_wide() {
            self.outage = None;
        }
        let works = !self.failures.has(&purpose.kind);
        if purpose.urgency == Urgency::Optional
            && (!works || self.failures.count() > 0 || self.pauses_in_row > 0)
        {
            return Some(base);
        }
        let outage = self.outage.as_ref()?;
        if works && purpose.is_free() && !outage.no_answer {
            return None;
        }
        until(Some(outage.until)).map(|until| until - now)
    }

    /// The time of a request's turn; `None` if it need not wait for one.
    fn turn(&self, purpose: &Purpose) -> Option<Instant> {
        let outage = self.outage.as_ref().filter(|_| self.takes_turns(purpose))?;
        (outage.successes > PACED_SUCCESSES).then_some(outage.turn)
    }

    /// Notes that a request leaves, and when the next one may.
    fn take_turn(&mut self, purpose: &Purpose, next: Instant) {
        let takes_turns = self.takes_turns(purpose);
        if let Some(outage) = self.outage.as_mut().filter(|_| takes_turns) {
            outage.turn = next;
        }
    }

    /// Whether a request is one of those that leave one at a time during an outage: all but polls and what the user
    /// waits for, as long as they work.
    fn takes_turns(&self, purpose: &Purpose) -> bool {
        !purpose.is_free() || self.failures.has(&purpose.kind)
    }

    /// The kind of which a request is a single attempt, if others have to wait for its outcome.
    fn single(&self, purpose: &Purpose) -> Option<String> {
        let kind = &purpose.kind;
        let fails = self.failures.has(kind) || self.pauses.contains_key(kind);
        if purpose.is_poll() && !fails {
            None
        } else if self.answered.is_empty() || self.outage.is_some() || self.pauses_in_row > 0 {
            Some(String::new())
        } else if purpose.is_poll() || purpose.is_read_for_user() {
            None
        } else {
            (fails || !self.answered.contains(kind)).then(|| kind.clone())
        }
    }

    /// Notes that others have to wait for a request.
    fn begin(&mut self, kind: String, purpose: &Purpose, now: Instant) -> (String, u64) {
        self.attempts += 1;
        let until = purpose.is_poll().then(|| now + POLL_WORKS);
        self.trying.insert(kind.clone(), Attempt { number: self.attempts, until });
        (kind, self.attempts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    fn to(kind: &str, chat: &str) -> Purpose {
        let path = format!("/users/ME/conversations/{chat}/{kind}?x=1");
        Purpose::new("POST", &path, Urgency::User)
    }

    fn failure(kind: ErrorKind) -> Result<(), Error> {
        Err(Error::of_kind(kind, false))
    }

    /// Lets a request through if the gate does, with this outcome. Returns the wait if it is held back or has to wait.
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

    #[tokio::test(start_paused = true)]
    async fn a_pause_without_a_time_doubles_from_half_a_minute_to_ten_minutes_and_starts_over() {
        let gate = Gate::default();
        let unnamed = || Err(Error::unnamed_rate_limit());
        let list = to("list", "x");
        let mut waits = Vec::new();
        for _ in 0..7 {
            let wait = ask(&gate, &list, unnamed()).await.unwrap();
            waits.push(wait.as_secs());
            // Nothing cuts it short.
            tokio::time::advance(wait.checked_sub(Duration::from_secs(1)).unwrap()).await;
            assert!(ask(&gate, &to("messages", "joe"), Ok(())).await.is_some());
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        assert_eq!(waits, [30, 60, 120, 240, 480, 600, 600]);
        assert_eq!(ask(&gate, &list, Ok(())).await, None);
        assert_eq!(ask(&gate, &list, unnamed()).await, Some(UNNAMED_PAUSE));
    }

    #[tokio::test(start_paused = true)]
    async fn requests_that_are_refused_together_count_once() {
        let gate = Gate::default();
        for kind in ["list", "messages"] {
            ask(&gate, &to(kind, "x"), Ok(())).await;
        }
        let (list, messages) = (to("list", "x"), to("messages", "joe"));
        let together = [gate.enter(&list).await.unwrap(), gate.enter(&messages).await.unwrap()];
        tokio::time::advance(Duration::from_secs(1)).await;
        for (pass, purpose) in together.into_iter().zip([&list, &messages]) {
            let mut end: Result<(), Error> = Err(Error::unnamed_rate_limit());
            gate.leave(pass, purpose, &mut end);
            assert_eq!(end.unwrap_err().kind, ErrorKind::RetryAfter(UNNAMED_PAUSE));
        }
    }

    /// Tasks that try again as soon as they may, one for each target. Returns the number of requests in each minute.
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
    async fn the_first_answer_after_an_outage_lets_everything_go_also_a_new_registration() {
        let poll = Purpose::new("POST", "/subscriptions/0/poll", Urgency::Poll);
        let kinds = ["list", "messages", "properties", "endpoints", "subscriptions"];
        let of = |kind: &str| Purpose::new("POST", kind, Urgency::Background);
        let gone =
            [failure(ErrorKind::EndpointGone), Err(Error::of_kind(ErrorKind::NotFound, false))];
        for gone in gone {
            let gate = Gate::default();
            // The server is killed: the poll breaks off, and nothing reaches the server for some time.
            ask(&gate, &poll, Err(Error::of_kind(ErrorKind::Unreachable, true))).await;
            for kind in kinds {
                while ask(&gate, &of(kind), failure(ErrorKind::Unreachable)).await.is_some() {
                    tokio::time::advance(Duration::from_secs(1)).await;
                }
            }
            tokio::time::advance(Duration::from_secs(60)).await;
            // The server is back, and does not know the registration any more.
            assert_eq!(ask(&gate, &of("list"), Ok(())).await, None);
            assert_eq!(ask(&gate, &poll, gone).await, None);
            for kind in kinds {
                assert_eq!(ask(&gate, &of(kind), Ok(())).await, None, "{kind}");
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_registration_that_is_gone_again_and_again_is_trouble_of_the_server() {
        let gate = Gate::default();
        let of = |kind: &str| Purpose::new("POST", kind, Urgency::Background);
        let mut held_back = 0;
        for _ in 0..20 {
            for kind in ["subscriptions", "properties"] {
                held_back += usize::from(
                    ask(&gate, &of(kind), failure(ErrorKind::EndpointGone)).await.is_some(),
                );
            }
        }
        assert_eq!(held_back, 40 - 4, "each is repeated once");
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_to_what_was_asked_before_a_pause_does_not_shorten_the_next_one() {
        let gate = Gate::default();
        let poll = Purpose::new("POST", "/subscriptions/0/poll", Urgency::Poll);
        let asked = || failure(ErrorKind::RetryAfter(Duration::ZERO));
        ask(&gate, &to("list", "x"), Ok(())).await;
        let mut last = Duration::ZERO;
        for _ in 0..4 {
            let open = gate.enter(&poll).await.unwrap();
            let wait = ask(&gate, &to("messages", "joe"), asked()).await.unwrap();
            assert!(wait > last, "{wait:?} {last:?}");
            last = wait;
            gate.leave(open, &poll, &mut Ok(()));
            tokio::time::advance(wait).await;
        }
        tokio::time::advance(Duration::from_secs(1)).await;
        ask(&gate, &poll, Ok(())).await;
        let wait = ask(&gate, &to("list", "x"), asked()).await.unwrap();
        assert!(wait < last, "what was asked afterwards begins anew");
    }

    #[tokio::test(start_paused = true)]
    async fn work_that_needs_several_requests_in_a_row_reaches_its_end_during_an_outage() {
        let gate = Gate::default();
        let pages = Purpose::new("GET", "/conversations/joe/messages", Urgency::Background);
        ask(&gate, &pages, Ok(())).await;
        for kind in ["subscriptions", "properties"] {
            let purpose = Purpose::new("POST", kind, Urgency::Background);
            while ask(&gate, &purpose, failure(ErrorKind::Unavailable)).await.is_some() {
                tokio::time::advance(Duration::from_secs(1)).await;
            }
        }
        let start = Instant::now();
        let mut tries = 0;
        // The series starts again whenever a request is held back.
        while tries < 100 {
            tries += 1;
            let mut wait = None;
            for _ in 0..5 {
                wait = ask(&gate, &pages, Ok(())).await;
                if wait.is_some() {
                    break;
                }
            }
            let Some(wait) = wait else { break };
            tokio::time::advance(wait).await;
        }
        assert!(tries <= 4, "{tries}");
        assert!(start.elapsed() < Duration::from_secs(100), "{:?}", start.elapsed());
        // The next failure begins the waits again.
        let failed = failure(ErrorKind::Unavailable);
        ask(&gate, &Purpose::new("POST", "subscriptions", Urgency::Background), failed).await;
        assert!(ask(&gate, &pages, Ok(())).await.is_some());
    }

    /// Lets two kinds of requests fail, and others, which come last, succeed until they are not held back any more.
    async fn outage_with_successes(gate: &Gate) -> ([Purpose; 2], Purpose) {
        let failing = ["subscriptions", "properties"];
        let failing = failing.map(|kind| Purpose::new("POST", kind, Urgency::Background));
        let pages = Purpose::new("GET", "/conversations/joe/messages", Urgency::Background);
        for purpose in &failing {
            while ask(gate, purpose, failure(ErrorKind::Unavailable)).await.is_some() {
                tokio::time::advance(Duration::from_secs(1)).await;
            }
        }
        for _ in 0..=PACED_SUCCESSES {
            while let Some(wait) = ask(gate, &pages, Ok(())).await {
                tokio::time::advance(wait).await;
            }
        }
        (failing, pages)
    }

    #[tokio::test(start_paused = true)]
    async fn what_waits_for_its_turn_leaves_when_the_outage_ends() {
        let gate = Gate::default();
        let (failing, pages) = outage_with_successes(&gate).await;
        let start = Instant::now();
        let waits = async { gate.enter(&pages).await.map(drop).unwrap() };
        let ends = async {
            let opened = Purpose::new("GET", "/conversations/mia/messages", Urgency::User);
            let pass = gate.enter(&opened).await.unwrap();
            for purpose in &failing {
                gate.worked(purpose, start);
            }
            drop(pass);
        };
        tokio::join!(waits, ends);
        assert_eq!(start.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn what_succeeds_during_an_outage_takes_turns_but_for_the_user() {
        let gate = Gate::default();
        let (_, pages) = outage_with_successes(&gate).await;
        let start = Instant::now();
        for _ in 0..7 {
            assert_eq!(ask(&gate, &pages, Ok(())).await, None);
        }
        assert_eq!(start.elapsed().as_secs(), 56);
        let opened = Purpose::new("GET", "/conversations/mia/messages", Urgency::User);
        assert_eq!(ask(&gate, &opened, Ok(())).await, None);
        assert_eq!(start.elapsed().as_secs(), 56);
        // Failing requests take turns, even if the user waits for them.
        let chosen = Purpose::new("POST", "properties", Urgency::User);
        ask(&gate, &chosen, failure(ErrorKind::Unavailable)).await;
        assert_eq!(start.elapsed().as_secs(), 64);
    }

    #[tokio::test(start_paused = true)]
    async fn what_can_be_left_out_is_sent_again_some_time_after_a_pause() {
        let gate = Gate::default();
        let receipts = Purpose::new("GET", "/threads/x/consumptionhorizons", Urgency::Optional);
        ask(&gate, &to("list", "x"), Ok(())).await;
        let paused = failure(ErrorKind::RetryAfter(Duration::from_secs(5)));
        let wait = ask(&gate, &receipts, paused).await.unwrap();
        tokio::time::advance(wait).await;
        assert!(ask(&gate, &receipts, Ok(())).await.is_some(), "nothing has worked since");
        assert_eq!(ask(&gate, &to("list", "x"), Ok(())).await, None);
        assert_eq!(ask(&gate, &receipts, Ok(())).await, None);
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
        // Answered once: now they are sent in parallel.
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
