//! Which kinds of requests fail at present. Pure.

use std::collections::HashMap;
use std::time::Duration;
use tokio::time::Instant;

/// A failure that was not followed by another attempt for this long says nothing any more.
const FORGOTTEN: Duration = Duration::from_secs(300);

/// If the registration is gone again within this time, the server has problems.
const GONE_AGAIN: Duration = Duration::from_secs(120);

/// Who waits for a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Urgency {
    /// A poll, which takes a long time to be answered.
    Poll,
    /// What the user does: sending, changing, opening.
    User,
    /// Looking for news, and registrations.
    Background,
    /// What can be left out.
    Optional,
}

/// What a request is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Purpose {
    /// The kind of request, such as sending.
    pub kind: String,
    /// What it is about, such as a conversation.
    pub target: String,
    pub urgency: Urgency,
    reads: bool,
}

impl Purpose {
    pub fn new(method: &str, path: &str, urgency: Urgency) -> Self {
        let path = path.split('?').next().unwrap_or_default();
        let mut segments = path.trim_end_matches('/').rsplit('/');
        let last = segments.next().unwrap_or_default();
        // An id is not the name of a kind.
        let is_id = |c: char| c.is_ascii_digit() || matches!(c, ':' | '%' | '@');
        let kind = if last.contains(is_id) {
            format!("{method} {}/*", segments.next().unwrap_or_default())
        } else {
            format!("{method} {last}")
        };
        Self { kind, target: path.to_owned(), urgency, reads: method == "GET" }
    }

    pub fn is_poll(&self) -> bool {
        self.urgency == Urgency::Poll
    }

    /// Whether it leaves during an outage as long as its own kind works.
    pub fn is_free(&self) -> bool {
        matches!(self.urgency, Urgency::Poll | Urgency::User)
    }

    pub fn is_read_for_user(&self) -> bool {
        self.urgency == Urgency::User && self.reads
    }
}

/// What is wrong with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// The server could not be reached at all, which says nothing about this kind of request.
    NotReached,
    NoAnswer,
    /// The server cannot do it now.
    Server,
    /// The token is rejected. The sender waits for another one by itself.
    Token,
}

/// Failures in a row of one kind of request.
#[derive(Debug)]
struct Failing {
    count: u32,
    /// What the last one was about.
    target: String,
    /// They were about different things.
    many: bool,
    trouble: Trouble,
    /// Only reads that can be left out are failing.
    optional: bool,
    last: Instant,
}

/// All kinds of requests that fail.
#[derive(Debug, Default)]
pub(super) struct Failures {
    failing: HashMap<String, Failing>,
    /// When each kind last found the registration gone.
    gone: HashMap<String, Instant>,
}

impl Failures {
    pub fn add(&mut self, purpose: &Purpose, trouble: Trouble, now: Instant) {
        // A typing signal takes the same way as a message, so it counts as one.
        let optional = purpose.urgency == Urgency::Optional && purpose.reads;
        let target = purpose.target.clone();
        let first = Failing {
            count: 0,
            target: target.clone(),
            many: false,
            trouble,
            optional: true,
            last: now,
        };
        let failing = self.failing.entry(purpose.kind.clone()).or_insert(first);
        failing.count = failing.count.saturating_add(1);
        failing.many |= failing.target != target;
        failing.target = target;
        failing.trouble = trouble;
        failing.optional &= optional;
        failing.last = now;
    }

    /// Notes that a kind of request works, and thus that the server is there: forgets the failures of requests that did
    /// not reach it, and that others had no answer. Returns whether this kind had failed.
    pub fn remove(&mut self, kind: &str, now: Instant) -> bool {
        self.forget_old(now);
        let failed = self.failing.remove(kind).is_some();
        self.failing.retain(|_, failing| failing.trouble != Trouble::NotReached);
        for failing in self.failing.values_mut().filter(|f| f.trouble == Trouble::NoAnswer) {
            failing.trouble = Trouble::Server;
        }
        failed
    }

    /// Notes that a request of this kind found the registration gone. True if the same happened not long ago, so that a
    /// new registration does not help.
    pub fn is_gone_again(&mut self, kind: &str) -> bool {
        let before = self.gone.insert(kind.to_owned(), Instant::now());
        before.is_some_and(|before| before.elapsed() < GONE_AGAIN)
    }

    pub fn forget_old(&mut self, now: Instant) {
        self.failing.retain(|_, failing| now.duration_since(failing.last) < FORGOTTEN);
    }

    pub fn has(&self, kind: &str) -> bool {
        self.failing.contains_key(kind)
    }

    /// Failures of all kinds, except reads that can be left out.
    pub fn count(&self) -> u32 {
        self.needed().fold(0, |sum, failing| sum.saturating_add(failing.count))
    }

    /// Whether more than one thing is failing.
    pub fn is_wide(&self) -> bool {
        let of_server = || self.needed().filter(|failing| failing.trouble != Trouble::Token);
        let silent =
            |failing: &Failing| matches!(failing.trouble, Trouble::NotReached | Trouble::NoAnswer);
        self.failing.values().any(silent)
            || of_server().any(|failing| failing.many)
            || of_server().count() > 1
    }

    fn needed(&self) -> impl Iterator<Item = &Failing> {
        self.failing.values().filter(|failing| !failing.optional)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_in_paths_do_not_make_kinds_of_their_own() {
        let kind = |path: &str| Purpose::new("GET", path, Urgency::User).kind;
        assert_eq!(kind("/users/ME/conversations/8:joe.4"), "GET conversations/*");
        assert_eq!(kind("/users/ME/conversations/8%3Ajoe.4?x=/1"), "GET conversations/*");
        assert_eq!(kind("/users/ME/conversations/8:joe.4/messages"), "GET messages");
        assert_eq!(kind("/users/ME/conversations/8:joe.4/messages/1700"), "GET messages/*");
        assert_eq!(kind("/threads/19:a@thread.skype/"), "GET threads/*");
    }

    #[test]
    fn one_kind_that_fails_for_one_thing_or_can_be_left_out_is_no_outage() {
        let now = Instant::now();
        let send = |chat: &str, urgency| {
            Purpose::new("POST", &format!("/conversations/{chat}/messages"), urgency)
        };
        let list = Purpose::new("GET", "/conversations", Urgency::Background);
        let receipts = Purpose::new("GET", "/threads/x/consumptionhorizons", Urgency::Optional);
        let mut failures = Failures::default();
        failures.add(&send("a", Urgency::User), Trouble::Server, now);
        failures.add(&send("a", Urgency::User), Trouble::Server, now);
        failures.add(&receipts, Trouble::Server, now);
        assert!(!failures.is_wide());
        failures.add(&list, Trouble::Token, now);
        assert!(!failures.is_wide(), "a new token helps");
        failures.add(&list, Trouble::Server, now);
        assert!(failures.is_wide(), "two kinds");
        assert!(failures.remove(&list.kind, now));
        assert!(!failures.is_wide());
        failures.add(&send("b", Urgency::User), Trouble::Server, now);
        assert!(failures.is_wide(), "two conversations");
        failures.forget_old(now + FORGOTTEN);
        assert_eq!(failures.count(), 0);
        failures.add(&receipts, Trouble::NoAnswer, now);
        assert!(failures.is_wide(), "no answer at all");
    }
}
