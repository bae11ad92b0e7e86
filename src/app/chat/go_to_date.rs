//! Going to a date: which message is shown, and what the user is told when no message is of that date.

use super::{Chat, Env};
use crate::app::pending::PendingRequest;
use crate::model::date::Period;
use crate::model::{MessageKey, Neighbors, Point, Request, Timestamp};

/// Asks for the messages next to a date.
pub fn ask(chat: &Chat, env: &mut Env<'_>, period: Period) {
    let (conversation, at) = (chat.info.id.clone(), period.first);
    let pending = PendingRequest::Date { chat: chat.chat_ref(), period };
    env.ask(pending, |ticket| Request::Neighbors { conversation, at, ticket });
}

/// The message to go to. Tells the user if it is not of that date.
pub fn choose(
    chat: &Chat,
    env: &mut Env<'_>,
    period: &Period,
    found: Neighbors,
) -> Option<MessageKey> {
    let name = &period.name;
    let day = |at: Timestamp| at.date(&env.prefs.zone);
    let (key, note) = match (found.before, found.after) {
        (_, Some(after)) if after.at < period.next => return Some(after),
        (None, None) => (None, "This chat has no stored messages".to_owned()),
        (Some(last), None) if period.first > env.now.wall => {
            (Some(last), format!("{name} is in the future: this is the newest message"))
        }
        (Some(last), None) => {
            let note = format!("Nothing since {name}: the last message is from {}", day(last.at));
            (Some(last), note)
        }
        (None, Some(first)) => {
            let begins = if chat.paging.coverage.reached_start() {
                "The chat begins on"
            } else {
                "The stored history begins on"
            };
            let note = format!("{begins} {}: nothing as early as {name}", day(first.at));
            (Some(first), note)
        }
        (Some(before), Some(after)) => {
            let is_missing = is_in_gap(chat, &before, &after);
            let is_nearer_after =
                after.at.0.abs_diff(period.next.0) <= period.first.0.abs_diff(before.at.0);
            let nearest = if is_nearer_after { after } else { before };
            let why = if is_missing { "is not stored here" } else { "has no messages" };
            let note = format!("{name} {why}: the nearest is from {}", day(nearest.at));
            (Some(nearest), note)
        }
    };
    env.note(&note);
    key
}

/// Whether messages may be missing between two stored ones.
fn is_in_gap(chat: &Chat, before: &MessageKey, after: &MessageKey) -> bool {
    let (below, above) = (Point::from(before), Point::from(after));
    chat.paging.coverage.gaps().any(|gap| !gap.closed && gap.above > below && gap.below < above)
}
