//! The tokens that a played service has issued.

use super::super::secret;
use crate::model::UserId;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::json;
use std::collections::HashMap;
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
        } else {
            None
        }
    }
}

/// Who a token belongs to, and until when.
struct Issued<T> {
    user: UserId,
    until: SystemTime,
    what: T,
}

/// Access, refresh and Skype tokens by their text.
#[derive(Default)]
pub struct IssuedTokens {
    access: HashMap<String, Issued<Audience>>,
    refresh: HashMap<String, Issued<String>>,
    skype: HashMap<String, Issued<()>>,
}

/// Refresh tokens live longer than any test and any gateway.
const REFRESH_LIFE: Duration = Duration::from_secs(90 * 86_400);

impl IssuedTokens {
    /// An access token. Personal accounts get an opaque one, work accounts a JWT (facts 8.1, 8.5).
    pub fn access(&mut self, user: &UserId, what: Audience, life: Duration, jwt: bool) -> String {
        let token = if jwt {
            jwt_of(&json!({
                "tid": "6c0b3e0e-4d2a-4a52-9c4e-2f3f0a1b2c3d",
                "oid": user.bare(),
                "exp": unix(SystemTime::now() + life),
            }))
        } else {
            format!("EwA{}", secret::token())
        };
        let issued = Issued { user: user.clone(), until: SystemTime::now() + life, what };
        self.access.insert(token.clone(), issued);
        token
    }

    /// A refresh token for this client.
    pub fn refresh(&mut self, user: &UserId, client: &str) -> String {
        let token = format!("M.C5{}", secret::token());
        let until = SystemTime::now() + REFRESH_LIFE;
        let issued = Issued { user: user.clone(), until, what: client.to_owned() };
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
        let issued = Issued { user: user.clone(), until: now + life, what: () };
        self.skype.insert(token.clone(), issued);
        token
    }

    /// Uses up a refresh token.
    pub fn take_refresh(&mut self, token: &str, client: &str) -> Option<UserId> {
        if self.refresh.get(token)?.what != client {
            return None;
        }
        self.refresh.remove(token).filter(|i| i.until > SystemTime::now()).map(|i| i.user)
    }

    pub fn user_of_access(&self, token: &str, what: Audience) -> Option<UserId> {
        let issued = self.access.get(token)?;
        let valid = issued.what == what && issued.until > SystemTime::now();
        valid.then(|| issued.user.clone())
    }

    pub fn user_of_skype(&self, token: &str) -> Option<UserId> {
        let issued = self.skype.get(token)?;
        (issued.until > SystemTime::now()).then(|| issued.user.clone())
    }

    /// Ends all Skype tokens, as after a change of the password.
    pub fn end_skype(&mut self) {
        self.skype.clear();
    }

    pub fn end_access(&mut self) {
        self.access.clear();
    }

    pub fn end_refresh(&mut self) {
        self.refresh.clear();
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
