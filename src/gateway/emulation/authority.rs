//! The sign-in service: device codes and the tokens that they buy (facts 8.1 to 8.3).

use super::super::secret;
use super::tokens::{Audience, IssuedTokens};
use super::{EmulatedService, EmulationOptions};
use crate::model::UserId;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A refusal of the sign-in service: the name of the error and its AADSTS number.
pub type Refusal = (&'static str, u32);

const INVALID_GRANT: Refusal = ("invalid_grant", 70_000);

/// The state of a device code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CodeState {
    Waiting,
    Approved(UserId),
    Declined,
}

/// A device code that was given out.
#[derive(Clone, Debug)]
pub struct DeviceCode {
    pub user_code: String,
    pub device_code: String,
    client: String,
    /// The scope, or `None` for the older form.
    scope: Option<String>,
    until: Instant,
    /// The shortest time between two requests.
    interval: Duration,
    asked: Instant,
    state: CodeState,
}

/// A request for tokens.
#[derive(Clone, Debug)]
pub enum TokenRequest {
    DeviceCode { client: String, code: String },
    Refresh { client: String, token: String, scope: String },
}

/// The tokens of an answer.
pub struct Bought {
    pub access: String,
    pub refresh: String,
    pub scope: String,
    pub life: Duration,
}

pub struct Authority {
    options: EmulationOptions,
    state: Mutex<AuthorityState>,
}

#[derive(Default)]
struct AuthorityState {
    codes: Vec<DeviceCode>,
    tokens: IssuedTokens,
}

/// The organisation of an account that belongs to one only.
const HOME: &str = "6c0b3e0e-4d2a-4a52-9c4e-2f3f0a1b2c3d";
/// The tenant of personal accounts, which says nothing about an organisation (facts 8.1).
const NO_TENANT: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

/// Device codes that are remembered.
const MAX_CODES: usize = 100;

impl Authority {
    pub fn new(options: EmulationOptions) -> Self {
        Self { options, state: Mutex::default() }
    }

    fn state<T>(&self, f: impl FnOnce(&mut AuthorityState) -> T) -> T {
        f(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Access to the issued tokens, also for tests that end some of them.
    pub fn tokens<T>(&self, f: impl FnOnce(&mut IssuedTokens) -> T) -> T {
        self.state(|s| f(&mut s.tokens))
    }

    /// Gives out a device code.
    ///
    /// # Errors
    /// If tenant, scope and form do not belong together.
    pub fn begin(
        &self,
        tenant: &str,
        client: &str,
        scope: Option<&str>,
    ) -> Result<DeviceCode, Refusal> {
        let personal = matches!(tenant, "consumers" | "9188040d-6c67-4c5b-b112-36a304b66dad");
        if client.is_empty() {
            return Err(("unauthorized_client", 700_016));
        }
        match scope {
            None if personal => return Err(("invalid_request", 900_023)),
            Some(scope) if personal && scope.contains(".default") => {
                return Err(("invalid_scope", 70_011));
            }
            Some(scope) if Audience::of_scope(scope).is_none() => {
                return Err(("invalid_scope", 70_011));
            }
            _ => {}
        }
        if self.options.kind == EmulatedService::TeamsWork && personal {
            return Err(("invalid_request", 500_201));
        }
        let letters: String = secret::join_code().chars().take(8).collect();
        let code = DeviceCode {
            user_code: letters.to_ascii_uppercase(),
            device_code: secret::token(),
            client: client.to_owned(),
            scope: scope.map(str::to_owned),
            until: Instant::now() + self.options.code_life,
            interval: Duration::from_secs(self.options.interval),
            asked: Instant::now(),
            state: CodeState::Waiting,
        };
        self.state(|s| {
            if s.codes.len() >= MAX_CODES {
                s.codes.remove(0);
            }
            s.codes.push(code.clone());
        });
        Ok(code)
    }

    /// Confirms or declines a code. False if there is no such code.
    pub fn decide(&self, user_code: &str, decision: &CodeState) -> bool {
        let wanted = user_code.trim().to_ascii_uppercase();
        self.state(|s| {
            let code = s.codes.iter_mut().find(|c| c.user_code == wanted);
            code.map(|code| code.state = decision.clone()).is_some()
        })
    }

    /// The codes that wait for a decision, the newest last.
    pub fn waiting(&self) -> Vec<String> {
        self.state(|s| {
            let waiting = s.codes.iter().filter(|c| c.state == CodeState::Waiting);
            waiting.map(|c| c.user_code.clone()).collect()
        })
    }

    /// The organisations of every account, with their names.
    pub fn tenants(&self) -> Vec<(String, String)> {
        let home = || vec![(HOME.to_owned(), "Example".to_owned())];
        self.options.tenants.clone().unwrap_or_else(home)
    }

    /// The organisation of tokens that are asked for with this tenant in the path.
    fn tenant<'a>(&'a self, asked: &'a str) -> Option<&'a str> {
        if self.options.kind != EmulatedService::TeamsWork {
            return None;
        }
        let Some(tenants) = &self.options.tenants else { return Some(HOME) };
        let known = tenants.iter().find(|(id, _)| id == asked);
        Some(known.map_or(NO_TENANT, |(id, _)| id.as_str()))
    }

    /// Answers a request for tokens with this tenant in the path.
    ///
    /// # Errors
    /// The refusal that the request deserves.
    pub fn buy(&self, tenant: &str, request: &TokenRequest) -> Result<Bought, Refusal> {
        let tenant = self.tenant(tenant);
        self.state(|s| match request {
            TokenRequest::DeviceCode { client, code } => self.by_code(s, client, code, tenant),
            TokenRequest::Refresh { client, token, scope } => {
                let what = Audience::of_scope(scope).ok_or(("invalid_scope", 70_011))?;
                let again = self.options.accepts_last_refresh;
                let user = s.tokens.take_refresh(token, client, again).ok_or(INVALID_GRANT)?;
                let bought = self.issue(&mut s.tokens, (&user, client), what, scope, tenant);
                s.tokens.replace(token, client, &user, &bought);
                Ok(bought)
            }
        })
    }

    fn by_code(
        &self,
        s: &mut AuthorityState,
        client: &str,
        device_code: &str,
        tenant: Option<&str>,
    ) -> Result<Bought, Refusal> {
        let at = s.codes.iter().position(|c| c.device_code == device_code && c.client == client);
        let at = at.ok_or(("bad_verification_code", 70_018))?;
        let code = s.codes.get_mut(at).ok_or(INVALID_GRANT)?;
        let now = Instant::now();
        if now >= code.until {
            return Err(("expired_token", 70_020));
        }
        // A little less than the interval, because requests take time.
        let early = now.duration_since(code.asked) + Duration::from_millis(500) < code.interval;
        code.asked = now;
        match code.state.clone() {
            CodeState::Waiting if early => {
                code.interval += Duration::from_secs(5);
                Err(("slow_down", 0))
            }
            CodeState::Waiting => Err(("authorization_pending", 70_016)),
            CodeState::Declined => Err(("authorization_declined", 65_004)),
            CodeState::Approved(user) => {
                let code = s.codes.remove(at);
                let what = match &code.scope {
                    None => Audience::Older,
                    Some(scope) => Audience::of_scope(scope).ok_or(("invalid_scope", 70_011))?,
                };
                let scope = code.scope.unwrap_or_default();
                Ok(self.issue(&mut s.tokens, (&user, client), what, &scope, tenant))
            }
        }
    }

    fn issue(
        &self,
        tokens: &mut IssuedTokens,
        (user, client): (&UserId, &str),
        what: Audience,
        scope: &str,
        tenant: Option<&str>,
    ) -> Bought {
        let life = self.options.access_life;
        Bought {
            access: tokens.access(user, what, life, tenant),
            refresh: tokens.refresh(user, client),
            scope: scope.to_owned(),
            life,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::RefreshState;
    use super::*;

    const SCOPE: &str = "service::api.fl.spaces.skype.com::MBI_SSL openid";

    #[test]
    fn a_service_may_accept_the_last_refresh_token_until_its_successor_was_used() {
        let options = EmulationOptions::new(EmulatedService::TeamsFree);
        let authority = Authority::new(EmulationOptions { accepts_last_refresh: true, ..options });
        let first = authority.tokens(|t| t.refresh(&UserId::new("8:anna.7"), "c"));
        let lost = refresh(&authority, &first).ok().unwrap();
        let unused = RefreshState::Replaced { access_was_used: false };
        assert_eq!(authority.tokens(|t| t.refresh_state(&first)), unused);
        let second = refresh(&authority, &first).ok().unwrap();
        assert!(refresh(&authority, &second.refresh).is_ok());
        assert!(refresh(&authority, &first).is_err(), "its successor was used");
        authority.tokens(|t| t.user_of_access(&second.access, Audience::Chat)).unwrap();
        let used = RefreshState::Replaced { access_was_used: true };
        assert_eq!(authority.tokens(|t| t.refresh_state(&first)), used);
        assert_eq!(authority.tokens(|t| t.refresh_state(&lost.refresh)), RefreshState::Valid);
    }

    fn authority(interval: u64) -> Authority {
        Authority::new(EmulationOptions {
            interval,
            ..EmulationOptions::new(EmulatedService::TeamsFree)
        })
    }

    fn ask(authority: &Authority, code: &DeviceCode) -> Result<Bought, Refusal> {
        let code = code.device_code.clone();
        authority.buy("consumers", &TokenRequest::DeviceCode { client: "c".into(), code })
    }

    fn refresh(authority: &Authority, token: &str) -> Result<Bought, Refusal> {
        let (token, scope) = (token.to_owned(), SCOPE.to_owned());
        authority.buy("consumers", &TokenRequest::Refresh { client: "c".into(), token, scope })
    }

    #[test]
    fn a_code_buys_tokens_once_after_it_was_confirmed() {
        let authority = authority(0);
        let code = authority.begin("consumers", "c", Some(SCOPE)).unwrap();
        assert_eq!(ask(&authority, &code).err(), Some(("authorization_pending", 70_016)));
        let anna = UserId::new("8:anna.7");
        assert_eq!(authority.waiting(), vec![code.user_code.clone()]);
        assert!(authority.decide(&code.user_code, &CodeState::Approved(anna.clone())));
        let bought = ask(&authority, &code).ok().unwrap();
        let owner = authority.tokens(|t| t.user_of_access(&bought.access, Audience::Chat));
        assert_eq!(owner, Some(anna));
        assert_eq!(ask(&authority, &code).err(), Some(("bad_verification_code", 70_018)));
    }

    #[test]
    fn asking_too_often_makes_the_interval_longer() {
        let authority = authority(5);
        let code = authority.begin("consumers", "c", Some(SCOPE)).unwrap();
        assert_eq!(ask(&authority, &code).err(), Some(("slow_down", 0)));
    }

    #[test]
    fn a_refresh_token_works_once_and_for_its_own_client() {
        let authority = authority(0);
        let anna = UserId::new("8:anna.7");
        let first = authority.tokens(|t| t.refresh(&anna, "c"));
        let other = authority.tokens(|t| t.refresh(&anna, "other"));
        let second = refresh(&authority, &first).ok().unwrap().refresh;
        assert!(refresh(&authority, &first).is_err(), "it was replaced");
        assert!(refresh(&authority, &other).is_err());
        assert!(refresh(&authority, &second).is_ok());
    }

    #[test]
    fn forms_and_scopes_that_do_not_belong_together_are_refused() {
        let authority = authority(0);
        let begin = |tenant, scope| authority.begin(tenant, "c", scope).map(|_| ());
        assert_eq!(begin("consumers", None), Err(("invalid_request", 900_023)));
        assert_eq!(
            begin("consumers", Some("https://api.spaces.skype.com/.default")),
            Err(("invalid_scope", 70_011))
        );
        assert_eq!(begin("common", None), Ok(()));
    }
}
