//! Decisions of the outbox as pure functions: what an answer means, what is next, and how long to wait.

use crate::client::{Error, ErrorKind};
use crate::model::{MessageKey, RawMessage, Timestamp};
use crate::store::OutboxState;
use std::time::Duration;

/// A message may have arrived this much earlier than its queue time says, because clocks differ.
const LOOK_BACK_MARGIN_MS: i64 = 10 * 60 * 1000;

/// The server reports its clock in seconds.
const CLOCK_STEP_MS: i64 = 2_000;

/// How often a message is looked for before the user is asked.
const MAX_LOOKS: u32 = 5;

/// The outcome of one attempt to send.
#[derive(Debug)]
pub enum SendOutcome {
    Accepted(Option<MessageKey>),
    Rejected(Error),
    /// It certainly did not arrive.
    NotSent(Error),
    /// It may have arrived, although there was no usable answer.
    Unknown(Error),
}

impl SendOutcome {
    pub fn of(result: Result<Option<MessageKey>, Error>) -> Self {
        match result {
            Ok(key) => Self::Accepted(key),
            Err(error) => match error.kind {
                ErrorKind::Refused
                | ErrorKind::TooLarge
                | ErrorKind::InvalidInput
                | ErrorKind::Forbidden
                | ErrorKind::NotFound
                | ErrorKind::Unsupported
                | ErrorKind::StaleSyncState => Self::Rejected(error),
                _ if error.outcome_unknown => Self::Unknown(error),
                _ => Self::NotSent(error),
            },
        }
    }
}

/// What the first message of a queue needs next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextStep {
    /// It can still be cancelled.
    Hold,
    Send,
    /// Whether it arrived is not known.
    LookUp,
    /// The user has to decide.
    Wait,
}

impl NextStep {
    pub fn of(state: OutboxState) -> Self {
        match state {
            OutboxState::Held => Self::Hold,
            OutboxState::Queued => Self::Send,
            OutboxState::Sending
            | OutboxState::Sent
            | OutboxState::Unknown
            | OutboxState::Failed => Self::LookUp,
            OutboxState::Unconfirmed => Self::Wait,
        }
    }
}

/// Whether pages down to this place include everything since a message was queued.
pub fn reaches_back(oldest: Option<Timestamp>, queued_at: Timestamp) -> bool {
    oldest.is_some_and(|at| at.0 < queued_at.0.saturating_sub(LOOK_BACK_MARGIN_MS))
}

/// What the server's pages say about a message whose outcome is unknown.
#[derive(Debug, PartialEq, Eq)]
pub enum Look {
    Found(MessageKey),
    /// It is not in any page since it was queued.
    Absent,
    /// Undecided: one of the user's messages may be it, but does not carry a known client id.
    Unclear,
}

/// Whether this message by the user may be the one looked for, although it does not carry its client id: it arrived in
/// the time since then, and has no client id, or the same text under another one.
pub fn may_be(raw: &RawMessage, text: &str, queued_at: Timestamp) -> bool {
    let since = queued_at.0.saturating_sub(CLOCK_STEP_MS);
    raw.at.0 >= since && (raw.client_id.is_none() || &*raw.content == text)
}

/// What follows when a message was not found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterLook {
    /// It certainly did not arrive: send it.
    Send,
    /// Look again after the wait for this many lookups.
    LookAgain(u32),
    /// Its outcome cannot be found out.
    GiveUp,
}

/// What follows a lookup that did not find the message, after this many lookups. `follows` says whether reads of this
/// server are known to follow its writes; `wanted` whether the user has asked for it to be sent.
pub fn after_look(look: &Look, looks: u32, follows: Option<bool>, wanted: bool) -> AfterLook {
    match look {
        _ if wanted => AfterLook::Send,
        Look::Unclear => AfterLook::GiveUp,
        _ if follows == Some(true) && looks > 1 => AfterLook::Send,
        _ if looks < MAX_LOOKS => AfterLook::LookAgain(looks),
        _ => AfterLook::GiveUp,
    }
}

/// The wait that an error determines; `None` for exponential backoff.
pub fn wait_after(kind: Option<ErrorKind>, cap: Duration) -> Option<Duration> {
    match kind? {
        ErrorKind::RetryAfter(wait) => Some(wait),
        ErrorKind::SignedOut | ErrorKind::TokenRejected => Some(cap),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(kind: ErrorKind, outcome_unknown: bool) -> SendOutcome {
        SendOutcome::of(Err(Error::of_kind(kind, outcome_unknown)))
    }

    #[test]
    fn a_refused_message_has_failed_and_is_not_sent_again() {
        for kind in
            [ErrorKind::Refused, ErrorKind::Forbidden, ErrorKind::NotFound, ErrorKind::TooLarge]
        {
            assert!(matches!(outcome(kind, false), SendOutcome::Rejected(_)), "{kind:?}");
        }
    }

    #[test]
    fn a_message_is_only_called_unsent_where_it_cannot_have_arrived() {
        assert!(matches!(outcome(ErrorKind::Unreachable, false), SendOutcome::NotSent(_)));
        assert!(matches!(outcome(ErrorKind::Unreachable, true), SendOutcome::Unknown(_)));
        assert!(matches!(outcome(ErrorKind::Unavailable, true), SendOutcome::Unknown(_)));
        assert!(matches!(outcome(ErrorKind::BadAnswer, true), SendOutcome::Unknown(_)));
        let pause = ErrorKind::RetryAfter(Duration::from_secs(1));
        assert!(matches!(outcome(pause, false), SendOutcome::NotSent(_)));
        assert!(matches!(outcome(ErrorKind::TokenRejected, false), SendOutcome::NotSent(_)));
    }

    #[test]
    fn an_accepted_message_has_its_place_where_the_server_named_one() {
        let key = MessageKey::server(Timestamp(5), "5");
        assert!(
            matches!(SendOutcome::of(Ok(Some(key.clone()))), SendOutcome::Accepted(Some(k)) if k == key)
        );
        assert!(matches!(SendOutcome::of(Ok(None)), SendOutcome::Accepted(None)));
    }

    #[test]
    fn after_a_crash_a_message_is_looked_up_before_it_is_sent_again() {
        assert_eq!(NextStep::of(OutboxState::Sending), NextStep::LookUp);
        assert_eq!(NextStep::of(OutboxState::Unknown), NextStep::LookUp);
        assert_eq!(NextStep::of(OutboxState::Queued), NextStep::Send);
        assert_eq!(NextStep::of(OutboxState::Held), NextStep::Hold);
        assert_eq!(NextStep::of(OutboxState::Unconfirmed), NextStep::Wait);
    }

    #[test]
    fn a_look_back_ends_ten_minutes_before_the_message_was_queued() {
        let queued = Timestamp(10_000_000);
        assert!(!reaches_back(Some(Timestamp(9_999_999)), queued), "clocks differ");
        assert!(!reaches_back(Some(Timestamp(10_000_000 - LOOK_BACK_MARGIN_MS)), queued));
        assert!(reaches_back(Some(Timestamp(9_999_999 - LOOK_BACK_MARGIN_MS)), queued));
        assert!(!reaches_back(None, queued), "nothing was read");
        assert!(!reaches_back(Some(Timestamp(0)), Timestamp(i64::MIN)));
    }

    #[test]
    fn a_message_that_is_not_found_is_sent_again_only_where_reads_are_known_to_follow_writes() {
        let after = |look: &Look, looks, follows| after_look(look, looks, follows, false);
        assert_eq!(after(&Look::Absent, 1, Some(true)), AfterLook::LookAgain(1));
        assert_eq!(after(&Look::Absent, 2, Some(true)), AfterLook::Send);
        for follows in [None, Some(false)] {
            assert_eq!(after(&Look::Absent, 4, follows), AfterLook::LookAgain(4));
            assert_eq!(after(&Look::Absent, 5, follows), AfterLook::GiveUp);
        }
        assert_eq!(after(&Look::Unclear, 1, Some(true)), AfterLook::GiveUp);
        assert_eq!(after_look(&Look::Unclear, 1, None, true), AfterLook::Send);
    }

    #[test]
    fn an_own_message_without_the_client_id_may_be_the_one_looked_for() {
        let raw = |at: i64, client_id: Option<&str>, text: &str| {
            let item = serde_json::json!({
                "id": at.to_string(), "clientmessageid": client_id, "content": text,
                "conversationid": "8:joe.4",
            });
            crate::protocol::wire::raw_message(&item.to_string(), None).unwrap()
        };
        let queued = Timestamp(1_000_000);
        assert!(may_be(&raw(1_000_500, None, "x"), "hi", queued));
        assert!(may_be(&raw(1_000_500, Some("7"), "hi"), "hi", queued));
        assert!(!may_be(&raw(1_000_500, Some("7"), "x"), "hi", queued));
        assert!(!may_be(&raw(900_000, None, "hi"), "hi", queued), "it was there before");
    }

    #[test]
    fn the_wait_after_an_error_is_what_the_server_asks_for_or_the_longest_without_a_token() {
        let cap = Duration::from_secs(60);
        let pause = Duration::from_secs(900);
        assert_eq!(wait_after(Some(ErrorKind::RetryAfter(pause)), cap), Some(pause));
        assert_eq!(wait_after(Some(ErrorKind::SignedOut), cap), Some(cap));
        assert_eq!(wait_after(Some(ErrorKind::Unreachable), cap), None);
        assert_eq!(wait_after(None, cap), None);
    }
}
