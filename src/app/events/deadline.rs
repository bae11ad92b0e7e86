//! Everything that happens by itself after a while, and the one function that says when.

use crate::app::chat::{Chat, alerts, reading, sending};
use crate::app::figures::ShownFigures;
use crate::app::model::{Model, QUARTER};
use crate::app::overlay::SHOWN_AFTER;
use crate::app::state::AppState;
use crate::model::ChatRef;
use std::time::Duration;

/// The shortest wait for a time of the wall clock, so that a clock that jumps cannot make the program spin.
const MIN_WALL_WAIT: Duration = Duration::from_secs(1);

/// The next moment (monotonic) at which something changes without input; `None` means never.
pub fn next(app: &AppState) -> Option<Duration> {
    let chats = app.accounts.iter().filter_map(|account| account.conversations.next_due());
    or_midnight(app, chats.chain(beside_chats(app)).min())
}

/// Whether anything besides drafts and typing signals may be due, as of the last input.
pub fn is_due_beside_chats(app: &AppState, now: Duration) -> bool {
    or_midnight(app, beside_chats(app)).is_some_and(|due| due <= now)
}

/// The next moment at which something changes, apart from midnight, saving drafts, and expiring typing signals.
fn beside_chats(app: &AppState) -> Option<Duration> {
    let now = app.clock.mono;
    let note = app.notes.current().map(|note| note.until);
    let wall = app.clock.wall;
    let muted = app.accounts.iter().filter_map(|a| a.conversations.muted_until()).min();
    let muted = muted.map(|until| {
        let left = u64::try_from(until.0.saturating_sub(wall.0)).unwrap_or(0);
        now.saturating_add(Duration::from_millis(left).max(MIN_WALL_WAIT))
    });
    let looked_at = app.presence.focused && app.prefs.receipts().by_looking();
    let reading = app.opened().filter(|_| looked_at).and_then(|c| c.reading.next_due());
    let question = app.presence.question_due;
    let figures = app.presence.figures.as_ref().map(ShownFigures::due);
    let prefix = app.keys.prefix.as_ref().map(|(_, since)| *since + SHOWN_AFTER);
    let prefix = prefix.filter(|due| *due > now);
    let countdowns = app.accounts.iter().filter_map(|a| a.connection.next_tick(now));
    let moments = muted
        .into_iter()
        .chain(app.presence.attention.due)
        .chain(note)
        .chain(reading)
        .chain(prefix)
        .chain(question)
        .chain(figures)
        .chain(held(app))
        .chain(countdowns);
    moments.min()
}

/// The next tick of the countdown during which a message can be taken back.
fn held(app: &AppState) -> Option<Duration> {
    let now = app.clock.mono;
    let (_, until) = app.opened()?.sending.held.last()?;
    let left = until.saturating_sub(now);
    if left.is_zero() {
        return None;
    }
    let whole = left.as_secs().saturating_sub(u64::from(left.subsec_nanos() == 0));
    Some(now + left.saturating_sub(Duration::from_secs(whole)))
}

/// Midnight, or an earlier moment.
fn or_midnight(app: &AppState, moment: Option<Duration>) -> Option<Duration> {
    // Midnight falls on a quarter of an hour, so anything due before the next quarter comes first. Finding midnight in
    // a time zone is slow, and while the user types, a draft is nearly always due earlier.
    let left = QUARTER - app.clock.wall.0.rem_euclid(QUARTER);
    let quarter = app.clock.mono + Duration::from_millis(u64::try_from(left).unwrap_or(0));
    match moment {
        Some(moment) if moment <= quarter => Some(moment),
        _ => moment.into_iter().chain(midnight(app)).min(),
    }
}

/// The next midnight, when Today becomes Yesterday.
fn midnight(app: &AppState) -> Option<Duration> {
    let wall = app.clock.wall;
    if wall.0 <= 0 {
        return None;
    }
    let left = wall.next_midnight(&app.prefs.zone).0 - wall.0;
    let left = Duration::from_millis(u64::try_from(left).unwrap_or(0));
    Some(app.clock.mono + left.max(MIN_WALL_WAIT))
}

/// Carries out what is due. Returns whether a typing indicator expired or the muting of a chat ended.
pub fn expire(model: &mut Model) -> bool {
    let now = model.app.clock.mono;
    model.app.notes.expire();
    model.ask_if_quiet();
    super::figures::ask(&mut model.app);
    super::attention::expire(model);
    let is_over = |until: &Duration| *until <= now;
    let typing = model.app.accounts.iter().flat_map(|account| account.conversations.timed());
    let ended = typing.filter(|c| c.typing.iter().any(|(_, until)| is_over(until)));
    let typing_ended: Vec<ChatRef> = ended.map(crate::app::chat::Chat::chat_ref).collect();
    let has_typing_ended = !typing_ended.is_empty();
    for chat in typing_ended {
        model.app.with_chat(&chat, |chat, _| chat.typing.retain(|(_, until)| !is_over(until)));
    }
    model.app.with_timed(|chat, env| sending::save_draft(chat, env, false));
    let has_muting_ended = end_muting(model);
    let is_due =
        model.app.opened().and_then(|chat| chat.reading.next_due()).is_some_and(|due| due <= now);
    if is_due && model.app.prefs.receipts().by_looking() && model.app.presence.focused {
        model.app.with_open(reading::mark_seen);
    }
    has_typing_ended || has_muting_ended
}

/// Ends temporary muting whose time is up. Returns whether there was any.
fn end_muting(model: &mut Model) -> bool {
    let wall = model.app.clock.wall;
    let is_over = |c: &&Chat| c.choices.muted_until.is_some_and(|until| until <= wall);
    let timed = model.app.accounts.iter().flat_map(|account| account.conversations.timed());
    let over: Vec<ChatRef> = timed.filter(is_over).map(Chat::chat_ref).collect();
    let ends = !over.is_empty();
    for chat in over {
        model.app.with_chat(&chat, alerts::unmute);
    }
    ends
}
