//! The poller: connects, catches up, and then receives events by long poll or polls at intervals.

use super::Shared;
use super::attempts::{Attempts, NextAttempt};
use super::events::apply_events;
use super::flow::{EventFlow, POLL_SPACING};
use super::received::Received;
use super::schedule::{PollIntervals, PollSchedule, PollStep};
use crate::client::{Error, ErrorKind};
use crate::model::{ConnectionState, Delta, PollMode, SafeText};
use crate::protocol::wire::PolledEvents;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// How often the token file is checked while the token is rejected.
const TOKEN_LOOK: Duration = Duration::from_secs(2);
/// The waits after a rejected token are this many times longer than after other failures.
const SIGNED_OUT_FACTOR: u32 = 5;

/// A poll that is open for this long was not refused at once, as by a server that is still down.
const SEEMS_OPEN: Duration = Duration::from_millis(500);

/// An empty answer sooner than this means that the server does not hold the poll.
const QUICK: Duration = Duration::from_secs(1);

/// After this many answers that might have hidden something and did not, the next ones are checked silently.
const HARMLESS: u32 = 3;

/// After a wrong answer the list is read as well, so the back-off begins with longer waits.
const WRONG_STEPS: u32 = 4;

/// A jump in the ids of events is looked into after this time, if there is no quiet moment before.
const JUMP_WAITS: Duration = Duration::from_secs(60);

pub async fn run(shared: Arc<Shared>) {
    let mut attempts = Attempts::default();
    let mut channel = EventChannel::default();
    loop {
        if attempts.failed == 0 {
            shared.send(Delta::Connection(ConnectionState::Connecting)).await;
        }
        let error = match session(&shared, &mut attempts, &mut channel).await {
            Ok(never) => match never {},
            Err(error) => error,
        };
        shared.connection.set_online(false);
        tracing::info!(kind = ?error.kind, error = error.with_causes(), "the connection ended");
        if !keeps_channel(&error) {
            channel = EventChannel::default();
        }
        let asked = error.is_rate_limit();
        let why = match error.kind {
            ErrorKind::TokenRejected => shared.client.token_advice(),
            _ => error.shown(),
        };
        let why = SafeText::line(&why);
        let next = attempts.after(error.kind);
        let is_backoff = matches!(next, NextAttempt::Backoff(_));
        let wait = match next {
            NextAttempt::Now => continue,
            NextAttempt::SignedOut => {
                let way = shared.client.sign_in_way();
                shared.send(Delta::Connection(ConnectionState::SignedOut { why, way })).await;
                wait_for_token(&shared, attempts.rejected).await;
                shared.client.forget_registration();
                continue;
            }
            NextAttempt::After(wait) => wait,
            NextAttempt::Backoff(steps) => shared.backoff(steps),
            NextAttempt::Register => {
                shared.options.backoff_cap + shared.backoff(attempts.failed) / 2
            }
        };
        let attempt = attempts.failed;
        let waiting = ConnectionState::Waiting { wait, attempt, why, asked };
        shared.send(Delta::Connection(waiting)).await;
        if is_backoff {
            shared.connection.wait_for_answer(wait).await;
        } else {
            shared.connection.wait(wait).await;
        }
    }
}

/// Says what to do about a rejected token, and waits for a new one, for the user, or for the next attempt: the server
/// may have been wrong.
async fn wait_for_token(shared: &Shared, rejected: u32) {
    if rejected == 1 {
        shared.notice(&format!("Not signed in: {}", shared.client.token_advice())).await;
    }
    let before = shared.client.token_mark().await;
    let wait = shared.backoff(rejected).saturating_mul(SIGNED_OUT_FACTOR);
    let due = Instant::now() + wait;
    while Instant::now() < due {
        let step = TOKEN_LOOK.min(due - Instant::now());
        let began = Instant::now();
        shared.connection.wait(step).await;
        // It ended early: the user asked for it.
        if began.elapsed() < step || shared.client.has_new_token(&before).await {
            return;
        }
    }
}

/// How events are received.
#[derive(Debug, Default)]
struct EventChannel {
    /// Subscribed to events, or the server is known to offer none.
    long: Option<bool>,
    /// Asked for events of edits and reactions.
    with_properties: bool,
    /// The last event received.
    ack: u64,
    /// Answers in a row that might have hidden something and did not.
    harmless: u32,
    /// Since when a jump in the ids of events has been waiting to be looked into.
    jumped: Option<Instant>,
}

/// Whether the subscription is still there after an error. If it is not, the next poll says so.
fn keeps_channel(error: &Error) -> bool {
    match error.kind {
        ErrorKind::RetryAfter(_) | ErrorKind::Unreachable | ErrorKind::Unavailable => true,
        // If there are too many events to read, they would come again and again.
        ErrorKind::BadAnswer => !error.is_oversized(),
        _ => false,
    }
}

/// Connects, and stays connected until there is an error or another process signs the account out.
async fn session(
    shared: &Arc<Shared>,
    attempts: &mut Attempts,
    channel: &mut EventChannel,
) -> Result<Infallible, Error> {
    tokio::select! {
        ended = connected(shared, attempts, channel) => ended,
        error = shared.until_signed_out() => Err(error),
    }
}

async fn connected(
    shared: &Arc<Shared>,
    attempts: &mut Attempts,
    channel: &mut EventChannel,
) -> Result<Infallible, Error> {
    let long = match channel.long {
        Some(long) => long,
        None => subscribe(shared).await?,
    };
    channel.long = Some(long);
    if long && !channel.with_properties {
        shared.client.ask_for_message_properties().await?;
        channel.with_properties = true;
    }
    shared.connection.set_has_events(long);
    // While only polls fail, the list is not read after each failure, but when a poll holds.
    attempts.behind = attempts.listed && long;
    if !attempts.behind {
        shared.refresh(true).await?;
        attempts.listed = true;
    }
    if attempts.failed == 0 || !long {
        online(shared).await;
    }
    if long {
        take_events(shared, attempts, channel).await
    } else {
        attempts.works();
        ask_at_intervals(shared, attempts).await
    }
}

/// Whether there will be events.
async fn subscribe(shared: &Shared) -> Result<bool, Error> {
    match shared.options.poll {
        PollMode::Interval => Ok(false),
        PollMode::Long => shared.client.subscribe().await.map(|()| true),
        PollMode::Auto => match shared.client.subscribe().await {
            Ok(()) => Ok(true),
            Err(error) if error.kind == ErrorKind::Unsupported || error.is_inaccessible() => {
                Ok(false)
            }
            Err(error) => Err(error),
        },
    }
}

impl Shared {
    /// Reports that events are received, or that the token is rejected for messages although they are.
    async fn report_online(&self) {
        let state = if self.connection.token_rejection.is_current(self.options.backoff_cap) {
            let why = SafeText::line(&self.client.token_advice());
            ConnectionState::SignedOut { why, way: self.client.sign_in_way() }
        } else {
            ConnectionState::Online
        };
        self.send(Delta::Connection(state)).await;
    }
}

/// Reports that the connection is there, and does what was waiting for it.
async fn online(shared: &Shared) {
    shared.connection.set_online(true);
    shared.report_online().await;
    shared.flush_read_markers().await;
    shared.fetch_missing_names().await;
}

async fn take_events(
    shared: &Arc<Shared>,
    attempts: &mut Attempts,
    channel: &mut EventChannel,
) -> Result<Infallible, Error> {
    let mut odd = 0;
    let mut flow = EventFlow::default();
    loop {
        let asked = Instant::now();
        let answer = match poll(shared, channel.ack, attempts).await {
            // The subscription is still there and goes on from where it was.
            Err(error) => {
                let ErrorKind::RetryAfter(wait) = error.kind else {
                    attempts.poll_failed(error.kind);
                    return Err(error);
                };
                odd += 1;
                shared.connection.set_online(false);
                shared.pause_all(wait, odd, &error).await;
                continue;
            }
            Ok(answer) => answer,
        };
        shared.connection.note_poll();
        let took = asked.elapsed();
        let quick = took < QUICK;
        come_back(shared, attempts).await?;
        // Only an answered poll proves that the connection works.
        attempts.works();
        shared.heard().await;
        // That is how some servers say that there are no events.
        let answer_is_empty = answer.is_empty_form;
        let Received { events, ack, complete, gapless } = Received::of(answer, channel.ack);
        let nothing = events.is_empty();
        let spaced = flow.should_space(took, events.len());
        channel.ack = ack;
        // A server that has often left ids out for no reason is trusted more.
        let follows = complete && (gapless || channel.harmless >= HARMLESS);
        let readable = apply_events(shared, events, follows).await;
        if !gapless {
            channel.jumped.get_or_insert(asked);
        }
        if !complete || !readable {
            odd += 1;
            check(shared, channel, !answer_is_empty).await?;
            if quick && odd > 1 {
                let steps = if answer_is_empty { odd } else { odd + WRONG_STEPS };
                shared.connection.wait(shared.backoff(steps)).await;
            }
            continue;
        }
        odd = 0;
        if channel.is_jump_due(nothing) {
            check(shared, channel, false).await?;
        }
        if quick && nothing {
            // Do not flood a server that does not hold the poll.
            shared.connection.wait(shared.options.interval).await;
        }
        if spaced {
            tokio::time::sleep_until(asked + POLL_SPACING).await;
        }
    }
}

impl EventChannel {
    /// Whether to look into a jump in the ids of events: at once, unless there was nothing several times. Then it waits
    /// for a moment without events.
    fn is_jump_due(&self, idle: bool) -> bool {
        let Some(since) = self.jumped else { return false };
        self.harmless < HARMLESS || idle || since.elapsed() >= JUMP_WAITS
    }
}

/// Polls for events. The connection counts as one again when the poll is open for some time.
async fn poll(shared: &Shared, ack: u64, attempts: &mut Attempts) -> Result<PolledEvents, Error> {
    // A poll acknowledges the events of the one before, so that events are sent again if an answer is lost.
    let poll = shared.client.poll(Some(ack));
    if shared.connection.is_online() {
        return poll.await;
    }
    tokio::pin!(poll);
    let holds = attempts.holds();
    if let Ok(answer) = tokio::time::timeout(SEEMS_OPEN, poll.as_mut()).await {
        return answer;
    }
    // "Offline" would not be true any more, "live" may not be true yet.
    shared.send(Delta::Connection(ConnectionState::Connecting)).await;
    if let Ok(answer) = tokio::time::timeout(holds.saturating_sub(SEEMS_OPEN), poll.as_mut()).await
    {
        return answer;
    }
    let back = come_back(shared, attempts);
    tokio::pin!(back);
    tokio::select! {
        answer = poll.as_mut() => {
            let answer = answer?;
            back.await?;
            Ok(answer)
        }
        done = back.as_mut() => {
            done?;
            poll.await
        }
    }
}

/// Fetches what was missed, if the list has not been read since, and reports that the connection is there.
async fn come_back(shared: &Shared, attempts: &mut Attempts) -> Result<(), Error> {
    if attempts.behind {
        // Where it cannot be read, the next attempt begins with it.
        attempts.listed = false;
        shared.refresh(true).await?;
        attempts.listed = true;
        attempts.behind = false;
    }
    if !shared.connection.is_online() {
        online(shared).await;
    }
    Ok(())
}

/// After an answer that may have hidden something: uses the list to fetch what that may be, before the status says that
/// everything is up to date. Skipped ids need not mean anything, so this is shown only if it takes long.
async fn check(shared: &Shared, channel: &mut EventChannel, is_wrong: bool) -> Result<(), Error> {
    channel.jumped = None;
    let patience = if is_wrong && channel.harmless < HARMLESS { Duration::ZERO } else { QUICK };
    let refresh = shared.refresh(false);
    tokio::pin!(refresh);
    let found = if let Ok(found) = tokio::time::timeout(patience, refresh.as_mut()).await {
        found?
    } else {
        shared.send(Delta::Connection(ConnectionState::Connecting)).await;
        let found = refresh.await?;
        shared.report_online().await;
        found
    };
    channel.harmless = if found { 0 } else { channel.harmless.saturating_add(1) };
    Ok(())
}

async fn ask_at_intervals(
    shared: &Arc<Shared>,
    attempts: &mut Attempts,
) -> Result<Infallible, Error> {
    let steady = PollIntervals::steady(shared.options.interval);
    let intervals = shared.options.intervals.unwrap_or(steady);
    let activity = &shared.activity;
    let mut schedule = PollSchedule::new(intervals, activity.now());
    loop {
        let look = next_look(shared, &schedule).await;
        match look {
            PollStep::List => {
                shared.refresh(false).await?;
            }
            // New messages are reported as live before the rest is compared.
            PollStep::WholeList => {
                shared.refresh(false).await?;
                shared.refresh(true).await?;
            }
            PollStep::OpenChat => shared.read_open_chat().await?,
        }
        shared.connection.note_poll();
        if !shared.connection.is_online() {
            online(shared).await;
        }
        attempts.works();
        shared.heard().await;
        if shared.people.misses_members() {
            shared.fetch_missing_names().await;
        }
        schedule.looked(look, activity.now());
    }
}

/// Waits for the next look. If the user comes back or asks for it, it is taken at once.
async fn next_look(shared: &Shared, schedule: &PollSchedule) -> PollStep {
    let activity = &shared.activity;
    loop {
        let now = activity.now();
        let (look, at) = schedule.next(activity.last(), now);
        let Some(wait) = at.checked_sub(now).filter(|wait| !wait.is_zero()) else { return look };
        tokio::select! {
            () = shared.connection.wait(wait) => return look,
            () = activity.seen() => {}
        }
    }
}
