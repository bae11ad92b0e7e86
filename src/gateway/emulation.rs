//! Emulates a live service: its sign-in, its service map, and its differences from the reference page (facts 8).
//!
//! For trying sign-in without the real service, and for tests. Sign-ins are kept in memory and end with the gateway.

mod authority;
mod tokens;

pub use authority::{Authority, Bought, CodeState, DeviceCode, TokenRequest};
pub use tokens::{Audience, IssuedTokens, RefreshState};

use crate::model::UserId;
use serde_json::Value;
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Which service is emulation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EmulatedService {
    TeamsFree,
    TeamsWork,
}

/// How a service is emulation.
#[derive(Clone, Debug)]
pub struct EmulationOptions {
    pub kind: EmulatedService,
    /// Seconds between two requests that ask whether a device code was confirmed.
    pub interval: u64,
    /// Lifetime of a device code, of access tokens, and of Skype tokens.
    pub code_life: Duration,
    pub access_life: Duration,
    pub skype_life: Duration,
    /// Chat requests that an account has within a minute; `None` for any number.
    pub budget: Option<u32>,
    /// Whether a 429 says when to come back.
    pub says_retry_after: bool,
    /// Whether a refresh token that was replaced is accepted until its successor has been used.
    pub accepts_last_refresh: bool,
    /// Whether the answer to the creation of a one-to-one chat says which chat it is (facts 8.7).
    pub names_new_chats: bool,
    /// Ids and names of the organisations that every account belongs to. If they are set, a sign-in that does not name
    /// one gets a token for none, which the exchange refuses (facts 8.5).
    pub tenants: Option<Vec<(String, String)>>,
}

impl EmulationOptions {
    pub fn new(kind: EmulatedService) -> Self {
        Self {
            kind,
            interval: 5,
            code_life: Duration::from_secs(900),
            access_life: Duration::from_secs(86_399),
            skype_life: Duration::from_secs(86_398),
            budget: None,
            says_retry_after: true,
            accepts_last_refresh: false,
            names_new_chats: true,
            tenants: None,
        }
    }
}

/// The state of an emulated service.
pub struct Emulation {
    pub options: EmulationOptions,
    pub authority: Authority,
    calls: Mutex<HashMap<String, VecDeque<Instant>>>,
    presences: Mutex<HashMap<UserId, Value>>,
}

const MINUTE: Duration = Duration::from_secs(60);

impl Emulation {
    pub fn new(options: EmulationOptions) -> Self {
        Self {
            authority: Authority::new(options.clone()),
            options,
            calls: Mutex::default(),
            presences: Mutex::default(),
        }
    }

    /// Sets what a person has published (facts 8.12).
    pub fn set_presence(&self, who: &UserId, presence: Value) {
        let mut presences = self.presences.lock().unwrap_or_else(PoisonError::into_inner);
        presences.insert(who.clone(), presence);
    }

    /// What a person has published.
    pub fn presence_of(&self, who: &UserId) -> Option<Value> {
        self.presences.lock().unwrap_or_else(PoisonError::into_inner).get(who).cloned()
    }

    /// Counts a chat request. Returns how long the account has to wait if it has used up its requests; requests that
    /// are refused do not count.
    pub fn over_budget(&self, account: &str, now: Instant) -> Option<Duration> {
        let budget = self.options.budget? as usize;
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        let calls = calls.entry(account.to_owned()).or_default();
        while calls.front().is_some_and(|at| now.duration_since(*at) >= MINUTE) {
            calls.pop_front();
        }
        if calls.len() < budget {
            calls.push_back(now);
            return None;
        }
        calls.front().map(|at| MINUTE.saturating_sub(now.duration_since(*at)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_has_a_limited_number_of_requests_per_minute() {
        let options = EmulationOptions {
            budget: Some(2),
            ..EmulationOptions::new(EmulatedService::TeamsFree)
        };
        let emulation = Emulation::new(options);
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(emulation.over_budget("a", at(0)), None);
        assert_eq!(emulation.over_budget("a", at(10)), None);
        assert_eq!(emulation.over_budget("a", at(20)), Some(Duration::from_secs(40)));
        assert_eq!(emulation.over_budget("b", at(20)), None, "accounts share nothing");
        assert_eq!(emulation.over_budget("a", at(60)), None);
    }
}
