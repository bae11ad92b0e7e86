//! When to ask whether the user has approved a device code (facts 8.2). Times are counted from any fixed moment.

use super::{DeviceGrant, SignInProblem};
use std::time::Duration;

/// Added to the interval after a `slow_down`.
const SLOWER: Duration = Duration::from_secs(5);

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeStep {
    /// Nothing until this time.
    WaitUntil(Duration),
    /// Ask now.
    Ask,
    /// The code has expired.
    Expired,
}

/// Waiting for the approval of one code.
#[derive(Clone, Debug)]
pub struct CodeWait {
    interval: Duration,
    next: Duration,
    until: Duration,
}

impl CodeWait {
    /// A code that was given out at `now`. The first request comes after one interval.
    pub fn new(grant: &DeviceGrant, now: Duration) -> Self {
        Self { interval: grant.interval, next: now + grant.interval, until: now + grant.life }
    }

    pub fn step(&self, now: Duration) -> CodeStep {
        if now >= self.until {
            CodeStep::Expired
        } else if now >= self.next {
            CodeStep::Ask
        } else {
            CodeStep::WaitUntil(self.next.min(self.until))
        }
    }

    /// When the code expires.
    pub fn until(&self) -> Duration {
        self.until
    }

    /// Takes note of an answer that came at `now`. Returns whether to go on asking; `None` means no answer at all.
    pub fn answered(&mut self, problem: Option<SignInProblem>, now: Duration) -> bool {
        match problem {
            None | Some(SignInProblem::Pending) => {}
            Some(SignInProblem::SlowDown) => self.interval += SLOWER,
            Some(_) => return false,
        }
        self.next = now + self.interval;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::super::device_grant;
    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn it_asks_after_each_interval_and_slower_when_told_so_until_the_code_expires() {
        let grant = r#"{"user_code":"A","device_code":"d","verification_uri":"https://x","expires_in":60,"interval":5}"#;
        let mut wait = CodeWait::new(&device_grant(grant).unwrap(), seconds(100));
        assert_eq!(wait.step(seconds(100)), CodeStep::WaitUntil(seconds(105)));
        assert_eq!(wait.step(seconds(105)), CodeStep::Ask);
        assert!(wait.answered(Some(SignInProblem::Pending), seconds(106)));
        assert_eq!(wait.step(seconds(106)), CodeStep::WaitUntil(seconds(111)));
        assert!(wait.answered(Some(SignInProblem::SlowDown), seconds(111)));
        assert_eq!(wait.step(seconds(111)), CodeStep::WaitUntil(seconds(121)));
        assert!(wait.answered(None, seconds(121)), "a lost answer is no refusal");
        assert_eq!(wait.step(seconds(121)), CodeStep::WaitUntil(seconds(131)));
        assert_eq!(wait.step(seconds(160)), CodeStep::Expired);
        for end in [SignInProblem::Declined, SignInProblem::Policy, SignInProblem::CodeExpired] {
            assert!(!wait.answered(Some(end), seconds(131)));
        }
    }
}
