//! The tokens that an emulated service has issued.

use super::super::secret;
use crate::model::UserId;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::json;
use std::collections::{HashMap, HashSet};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What an access token is for (facts 8.1, 8.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Audience {
    /// The exchange for a Skype token.
    Chat,
    /// The middle tier.
    Names,
    /// Creating chats.
    Groups,
    /// Pictures and files of work accounts.
    Files,
    /// The first token of the older form, which the exchange refuses.
    Older,
}

impl Audience {
    /// What a scope asks for; `None` for a scope that is not known.
    pub fn of_scope(scope: &str) -> Option<Self> {
        if scope.contains("spaces.skype.com") {
            Some(Self::Chat)
        } else if scope.contains("mtsvc.fl.teams") {
            Some(Self::Names)
        } else if scope.contains("groupssvc.fl.teams") {
            Some(Self::Groups)
        } else if scope.contains("ic3.teams.office.com") {
            Some(Self::Files)
        } else {
            None
        }
    }
}

/// Who a token belongs to, and until when.
struct Issued<T> {
    user: UserId,
    /// The organisation; empty if there is none.
    tenant: String,
    until: SystemTime,
    what: T,
}

/// Access, refresh and Skype tokens by their text.
#[derive(Default)]
pub struct IssuedTokens {
    access: HashMap<String, Issued<Audience>>,
    refresh: HashMap<String, Issued<String>>,
    skype: HashMap<String, Issued<()>>,
    /// Refresh tokens that have been used, with what they bought last.
    replaced: HashMap<String, ReplacedToken>,
    /// Access tokens that a service has accepted.
    used: HashSet<String>,
}

/// A refresh token that has been used.
struct ReplacedToken {
    user: UserId,
    client: String,
    /// The tokens that it bought.
    successor: String,
    access: String,
}

/// What has become of a refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefreshState {
    /// It has not been used.
    Valid,
    /// It has bought a new one. `access_was_used`: a service has accepted the access token that came with it.
    Replaced { access_was_used: bool },
    /// It was never issued, or all have been ended.
    Unknown,
}

/// Refresh tokens live longer than any test and any gateway.
const REFRESH_LIFE: Duration = Duration::from_secs(90 * 86_400);

impl IssuedTokens {
    /// An access token. Personal accounts get an opaque one, work accounts a JWT (facts 8.1, 8.5).
    pub fn access(
        &mut self,
        user: &UserId,
        what: Audience,
        life: Duration,
        tenant: Option<&str>,
    ) -> String {
        let token = if let Some(tenant) = tenant {
            jwt_of(&json!({
                "tid": tenant,
                "oid": user.bare(),
                "exp": unix(SystemTime::now() + life),
            }))
        } else {
            format!("EwA{}", secret::token())
        };
        let tenant = tenant.unwrap_or_default().to_owned();
        let until = SystemTime::now() + life;
        let issued = Issued { user: user.clone(), tenant, until, what };
        self.access.insert(token.clone(), issued);
        token
    }

    /// A refresh token for this client.
    pub fn refresh(&mut self, user: &UserId, client: &str) -> String {
        let token = format!("M.C5{}", secret::token());
        let until = SystemTime::now() + REFRESH_LIFE;
        let tenant = String::new();
        let issued = Issued { user: user.clone(), tenant, until, what: client.to_owned() };
        self.refresh.insert(token.clone(), issued);
        token
    }

    /// A Skype token: a JWT with the user's id (facts 1.4).
    pub fn skype(&mut self, user: &UserId, life: Duration) -> String {
        let now = SystemTime::now();
        let token = jwt_of(&json!({
            "iat": unix(now),
            "exp": unix(now + life),
            "skypeid": user.bare(),
            "scp": 780,
            "nonce": secret::token(),
        }));
        let tenant = String::new();
        let issued = Issued { user: user.clone(), tenant, until: now + life, what: () };
        self.skype.insert(token.clone(), issued);
        token
    }

    /// Uses up a refresh token. With `again`, one that was used up is accepted until its successor has been used.
    pub fn take_refresh(&mut self, token: &str, client: &str, again: bool) -> Option<UserId> {
        if let Some(replaced) = self.replaced.get(token) {
            let accepted = again
                && replaced.client == client
                && !self.replaced.contains_key(&replaced.successor);
            return accepted.then(|| replaced.user.clone());
        }
        if self.refresh.get(token)?.what != client {
            return None;
        }
        self.refresh.remove(token).filter(|i| i.until > SystemTime::now()).map(|i| i.user)
    }

    /// Records what a refresh token has bought.
    pub fn replace(&mut self, token: &str, client: &str, user: &UserId, bought: &super::Bought) {
        let replaced = ReplacedToken {
            user: user.clone(),
            client: client.to_owned(),
            successor: bought.refresh.clone(),
            access: bought.access.clone(),
        };
        self.replaced.insert(token.to_owned(), replaced);
    }

    pub fn refresh_state(&self, token: &str) -> RefreshState {
        if self.refresh.contains_key(token) {
            return RefreshState::Valid;
        }
        match self.replaced.get(token) {
            Some(replaced) => {
                RefreshState::Replaced { access_was_used: self.used.contains(&replaced.access) }
            }
            None => RefreshState::Unknown,
        }
    }

    pub fn user_of_access(&mut self, token: &str, what: Audience) -> Option<UserId> {
        let issued = self.access.get(token)?;
        let valid = issued.what == what && issued.until > SystemTime::now();
        let user = valid.then(|| issued.user.clone())?;
        self.used.insert(token.to_owned());
        Some(user)
    }

    /// The organisation that an access token is for.
    pub fn tenant_of_access(&self, token: &str) -> Option<&str> {
        Some(self.access.get(token)?.tenant.as_str())
    }

    pub fn user_of_skype(&self, token: &str) -> Option<UserId> {
        let issued = self.skype.get(token)?;
        (issued.until > SystemTime::now()).then(|| issued.user.clone())
    }

    /// Whether this was a Skype token at some time: a client that sends an expired one is not guessing.
    pub fn has_issued_skype(&self, token: &str) -> bool {
        self.skype.contains_key(token)
    }

    /// Ends all Skype tokens, as after a change of the password.
    pub fn end_skype(&mut self) {
        self.skype.values_mut().for_each(|issued| issued.until = UNIX_EPOCH);
    }

    pub fn end_access(&mut self) {
        self.access.clear();
    }

    pub fn end_refresh(&mut self) {
        self.refresh.clear();
        self.replaced.clear();
    }
}

fn unix(at: SystemTime) -> u64 {
    at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// A JWT with a signature that nobody checks.
fn jwt_of(claims: &serde_json::Value) -> String {
    let part = |text: &str| BASE64_URL_SAFE_NO_PAD.encode(text);
    let signature = secret::token();
    format!("{}.{}.{}", part("{\"alg\":\"RS256\"}"), part(&claims.to_string()), part(&signature))
}
