//! How many requests an account may send (facts 8.8). Pure: times are counted from any fixed moment.
//!
//! The limit holds for any 60 seconds, not for a clock minute: services count like this, and a bucket that fills up in
//! a pause would be emptied faster than they allow. The user's requests come before those that only look for news.

use std::collections::VecDeque;
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);
/// Requests per minute that are reserved for what the user does.
const RESERVED: usize = 3;
/// 429s never make the budget smaller than this.
const LEAST: usize = 4;
/// Requests that were under way together are refused together; that counts as one refusal.
const TOGETHER: Duration = Duration::from_secs(5);
/// After this long without a 429 the budget grows by one.
const GROWS: Duration = Duration::from_secs(600);

/// Who a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestClass {
    /// What the user does: sending, changing, opening.
    User,
    /// Looking for news.
    Background,
}

/// The requests of one account.
#[derive(Clone, Debug)]
pub struct RequestBudget {
    /// What the service's profile says; 0 for no limit.
    most: usize,
    /// The limit learnt from 429s.
    limit: usize,
    /// When the requests of the last minute were sent.
    sent: VecDeque<Duration>,
    /// The last change of `limit`.
    changed: Duration,
    /// The last 429 that made it smaller.
    refused: Option<Duration>,
}

impl RequestBudget {
    pub fn new(per_minute: u32) -> Self {
        let most = per_minute as usize;
        Self { most, limit: most, sent: VecDeque::new(), changed: Duration::ZERO, refused: None }
    }

    /// Takes one request.
    ///
    /// # Errors
    /// If it is too early: how long to wait before asking again.
    pub fn take(&mut self, class: RequestClass, now: Duration) -> Result<(), Duration> {
        if self.most == 0 {
            return Ok(());
        }
        self.grow(now);
        while self.sent.front().is_some_and(|at| now.saturating_sub(*at) >= MINUTE) {
            self.sent.pop_front();
        }
        let allowed = match class {
            RequestClass::User => self.limit,
            RequestClass::Background => self.limit.saturating_sub(RESERVED).max(1),
        };
        let over = (self.sent.len() + 1).saturating_sub(allowed);
        if let Some(freed) = over.checked_sub(1).and_then(|at| self.sent.get(at)) {
            return Err(MINUTE.saturating_sub(now.saturating_sub(*freed)));
        }
        self.sent.push_back(now);
        Ok(())
    }

    /// The requests that can still be sent within this minute, and the maximum per minute; `None` without a limit.
    pub fn left(&self, now: Duration) -> Option<(usize, usize)> {
        let is_counted = |at: &&Duration| now.saturating_sub(**at) < MINUTE;
        let sent = self.sent.iter().filter(is_counted).count();
        (self.most > 0).then(|| (self.limit.saturating_sub(sent), self.limit))
    }

    /// Takes note of a 429: half as many requests from now on.
    pub fn refused(&mut self, now: Duration) {
        if self.refused.is_some_and(|at| now.saturating_sub(at) < TOGETHER) {
            return;
        }
        self.limit = (self.limit / 2).max(LEAST).min(self.most);
        self.changed = now;
        self.refused = Some(now);
    }

    fn grow(&mut self, now: Duration) {
        let steps = now.saturating_sub(self.changed).as_secs() / GROWS.as_secs();
        if steps > 0 {
            self.limit = (self.limit + steps as usize).min(self.most);
            self.changed = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn looking_for_news_leaves_room_for_the_user() {
        let mut budget = RequestBudget::new(15);
        for _ in 0..12 {
            budget.take(RequestClass::Background, seconds(5)).unwrap();
        }
        assert_eq!(budget.take(RequestClass::Background, seconds(20)), Err(seconds(45)));
        for _ in 0..3 {
            budget.take(RequestClass::User, seconds(20)).unwrap();
        }
        assert_eq!(budget.take(RequestClass::User, seconds(20)), Err(seconds(45)));
        assert_eq!(budget.left(seconds(20)), Some((0, 15)));
        assert_eq!(budget.left(seconds(65)), Some((12, 15)));
        budget.take(RequestClass::User, seconds(65)).unwrap();
        assert_eq!(budget.left(seconds(65)), Some((11, 15)));
        assert_eq!(RequestBudget::new(0).left(seconds(65)), None);
    }

    #[test]
    fn a_429_halves_the_budget_and_it_grows_back_slowly() {
        let mut budget = RequestBudget::new(15);
        budget.refused(seconds(10));
        budget.refused(seconds(11));
        assert_eq!(budget.limit, 7, "two requests that were under way together");
        budget.refused(seconds(20));
        budget.refused(seconds(30));
        assert_eq!(budget.limit, 4);
        budget.take(RequestClass::User, seconds(631)).unwrap();
        assert_eq!(budget.limit, 5);
        budget.take(RequestClass::User, seconds(100_000)).unwrap();
        assert_eq!(budget.limit, 15, "never more than the service's own");
    }

    #[test]
    fn without_a_budget_nothing_waits() {
        let mut budget = RequestBudget::new(0);
        budget.refused(seconds(1));
        for _ in 0..1_000 {
            budget.take(RequestClass::Background, seconds(2)).unwrap();
        }
    }

    proptest! {
        /// However requests come, no minute has more of them than the budget.
        #[test]
        fn no_minute_has_more_requests_than_the_budget(
            steps in proptest::collection::vec((0u64..8_000, any::<bool>()), 1..200),
            most in 4u32..40,
        ) {
            let mut budget = RequestBudget::new(most);
            let (mut now, mut sent) = (Duration::ZERO, Vec::new());
            for (step, user) in steps {
                now += Duration::from_millis(step);
                let class = if user { RequestClass::User } else { RequestClass::Background };
                match budget.take(class, now) {
                    Ok(()) => sent.push(now),
                    Err(wait) => prop_assert!(wait <= MINUTE && wait > Duration::ZERO),
                }
            }
            for (at, first) in sent.iter().enumerate() {
                let within = sent.iter().skip(at).filter(|t| t.saturating_sub(*first) < MINUTE).count();
                prop_assert!(within <= most as usize);
            }
        }
    }
}
