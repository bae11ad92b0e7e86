//! Renewing tokens: what is bought with a refresh token, and what is taken over from an exchange.

use super::SignIn;
use super::credentials::{Credentials, StoredToken, now};
use super::requests::{SignInFailure, mapped};
use crate::client::{Error, ErrorKind, Secret, backoff, gate};
use crate::model::UserId;
use crate::protocol::sign_in::{BoughtTokens, ExchangeRefusal, Exchanged, SignInProblem};
use std::sync::PoisonError;
use std::time::Duration;
use tokio::time::Instant;

/// A refresh token that was refused for good is tried again after this time, or in the next run of the program.
const REFUSED_FOR: Duration = Duration::from_secs(3_600);

/// A refusal of a renewal.
pub(super) struct RefusedRenewal {
    refresh: Secret,
    /// The organisation it was refused in.
    tenant: String,
    words: String,
    at: Instant,
}

/// The pause after a renewal that the service could not carry out: many tasks want a token at the same time, and each
/// would ask again.
pub(super) struct RenewalPause {
    until: Instant,
    /// Failures in a row.
    failures: u32,
    why: String,
    rate_limit: bool,
}

/// The shortest and the longest wait after a failure of the service.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// How often the exchange of the first tokens of a sign-in is tried: the code that bought them is used up.
const FIRST_TRIES: u32 = 6;

impl RenewalPause {
    fn after(error: &Error, failures: u32) -> Option<Self> {
        let wait = match error.kind {
            ErrorKind::RetryAfter(_) if error.is_unnamed_pause() => gate::unnamed(failures),
            ErrorKind::RetryAfter(asked) => asked.min(gate::MAX_PAUSE),
            ErrorKind::Unavailable => backoff(FIRST_WAIT, LONGEST_WAIT, failures),
            _ => return None,
        };
        let (why, rate_limit) = (error.message.clone(), error.is_rate_limit());
        Some(Self { until: Instant::now() + wait, failures, why, rate_limit })
    }
}

impl SignIn {
    /// Gets a new Skype token, unless the service could not give one a short while ago. Returns the owner.
    ///
    /// # Errors
    /// Also while it is too early to ask again: the error says for how long.
    pub(super) async fn renew_or_wait(
        &self,
        stored: &mut Credentials,
        expected: Option<&UserId>,
    ) -> Result<UserId, Error> {
        let pause = || self.pause.lock().unwrap_or_else(PoisonError::into_inner);
        let failures = {
            let known = pause();
            if let Some(known) = known.as_ref()
                && let Some(left) = known.until.checked_duration_since(Instant::now())
                && !left.is_zero()
            {
                return Err(Error::held_back(left, &known.why, known.rate_limit));
            }
            known.as_ref().map_or(0, |known| known.failures)
        };
        let renewed = self.renew(stored, expected, true).await;
        let failed = renewed.as_ref().err();
        *pause() = failed.and_then(|error| RenewalPause::after(error, failures.saturating_add(1)));
        renewed
    }

    /// Gets the first Skype token of a sign-in. The user has done their part, so a service that cannot answer is asked
    /// again for a while.
    pub(super) async fn renew_first(
        &self,
        fresh: &mut Credentials,
        expected: Option<&UserId>,
    ) -> Result<UserId, Error> {
        let mut tries = 1;
        loop {
            match self.renew(fresh, expected, false).await {
                Err(error) if error.is_transient() && tries < FIRST_TRIES => {
                    let wait = match error.kind {
                        // Others wait for the same file meanwhile.
                        ErrorKind::RetryAfter(wait) if wait > LONGEST_WAIT => return Err(error),
                        ErrorKind::RetryAfter(wait) => wait,
                        _ => backoff(FIRST_WAIT, LONGEST_WAIT, tries),
                    };
                    tracing::info!(kind = ?error.kind, "requesting the first Skype token again");
                    tokio::time::sleep(wait).await;
                    tries += 1;
                }
                done => return done,
            }
        }
    }

    /// Gets a new Skype token: with the stored access token, else with a new one. Returns the owner.
    pub(super) async fn renew(
        &self,
        stored: &mut Credentials,
        expected: Option<&UserId>,
        is_stored: bool,
    ) -> Result<UserId, Error> {
        let access = stored.access.clone().filter(|token| token.is_valid(now(), Duration::ZERO));
        if let Some(access) = access {
            match self.exchange(&access.token).await {
                Ok(exchanged) => return self.accept(stored, exchanged, expected),
                Err(SignInFailure::Exchange(ExchangeRefusal::Token)) => stored.access = None,
                Err(failure) => return Err(failure.into()),
            }
        }
        let access = self.refreshed(stored, is_stored).await?;
        let exchanged = self.exchange(&access).await?;
        self.accept(stored, exchanged, expected)
    }

    /// Buys a new access token. The new refresh token is on disk before this returns.
    pub(super) async fn refreshed(
        &self,
        stored: &mut Credentials,
        is_stored: bool,
    ) -> Result<Secret, Error> {
        let refresh = stored.refresh_token.clone();
        let refresh = refresh.ok_or(Error::signed_out("the sign-in has ended: sign in again"))?;
        let scope = stored.scope.clone();
        let tenant = self.tenant_of(stored).to_owned();
        let tokens = self.renewal(&stored.client_id, &refresh, &scope, &tenant).await?;
        if let Some(new) = &tokens.refresh {
            stored.refresh_token = Some(Secret::new(new.as_str()));
        }
        let access = StoredToken::new(&tokens.access, tokens.life, now());
        let token = access.token.clone();
        stored.access = Some(access);
        stored.refreshed_at = now();
        // A first sign-in is stored when its owner is known to be the right one.
        if is_stored {
            self.store.save(stored).await?;
        }
        Ok(token)
    }

    /// Buys tokens with a refresh token, unless that was refused a short while ago: a loop of refusals helps nobody.
    async fn renewal(
        &self,
        client_id: &str,
        refresh: &Secret,
        scope: &str,
        tenant: &str,
    ) -> Result<BoughtTokens, Error> {
        let last = || self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        let known = last()
            .as_ref()
            .filter(|refused| refused.refresh == *refresh && refused.tenant == tenant)
            .filter(|refused| refused.at.elapsed() < REFUSED_FOR)
            .map(|refused| Error::signed_out(&refused.words));
        if let Some(error) = known {
            return Err(error);
        }
        let result = self.refresh(client_id, refresh, scope, tenant).await;
        if let Err(SignInFailure::Refused(refusal)) = &result
            && refusal.problem != SignInProblem::Other
        {
            let (refresh, words) = (refresh.clone(), refusal.text());
            let tenant = tenant.to_owned();
            *last() = Some(RefusedRenewal { refresh, tenant, words, at: Instant::now() });
        }
        Ok(result?)
    }

    /// Takes over the result of an exchange, unless the token belongs to someone else.
    fn accept(
        &self,
        stored: &mut Credentials,
        exchanged: Exchanged,
        expected: Option<&UserId>,
    ) -> Result<UserId, Error> {
        let owner = exchanged.owner.map(|id| UserId::new(&id));
        let owner = owner.or_else(|| expected.cloned());
        let owner = owner.ok_or(Error::signed_out(
            "the service does not say whose account this is: set user_id in the configuration",
        ))?;
        if expected.is_some_and(|expected| *expected != owner) {
            return Err(Error::signed_out(
                "somebody else signed in: this account's messages belong to another user; use another account name",
            ));
        }
        let map = &self.profile.service_map;
        let addresses = |names: &[String], path: &str| -> Result<Vec<String>, Error> {
            let named = names.iter().filter_map(|name| exchanged.map.get(name));
            let checked = named.map(|address| {
                let base = mapped(&self.exchange, address, path, &self.suffixes);
                base.map(|base| base.to_string()).ok_or(Error::refused(
                    "the service map names a host that does not belong to the service; nothing was sent there",
                ))
            });
            checked.collect()
        };
        stored.chat = addresses(&map.chat, &map.chat_path)?;
        let profiles = addresses(&map.profiles, &map.profiles_path)?;
        stored.profiles = profiles.into_iter().next().unwrap_or_default();
        // No messages depend on it, so a foreign host here costs only the presence.
        let presence = addresses(&map.presence, &map.presence_path).inspect_err(|_| {
            tracing::info!("the service map names a foreign host for presence; it is not used");
        });
        stored.presence = presence.unwrap_or_default().into_iter().next().unwrap_or_default();
        stored.skype = Some(StoredToken::new(&exchanged.token, exchanged.life, now()));
        owner.as_str().clone_into(&mut stored.user_id);
        Ok(owner)
    }
}
