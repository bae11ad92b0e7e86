//! The services beside the chat (facts 5, 8.9, 8.10, 8.12). Each of them has a pause of its own: what goes wrong with
//! one delays neither the chat service nor another of them.

use super::body::is_cut_off;
use super::error::{Error, ErrorKind};
use super::failing::Purpose;
use super::gate::{MAX_PAUSE, unnamed};
use super::{ApiCall, BaseUrl, Client, Credential, Reply, admission};
use crate::protocol::service::NamesCredential;
use reqwest::Method;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// After a refusal, a service is left alone for this long.
const REFUSED_FOR: Duration = Duration::from_secs(3_600);

/// A service that has an address of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum SideService {
    /// Makes join URLs.
    Scheduler,
    /// Says where join URLs lead.
    Join,
    Profiles,
    Presence,
    /// Has the pictures and files of messages.
    Objects,
}

/// What is known of one service.
#[derive(Debug, Default)]
struct ServiceTrouble {
    /// Until when it is left alone, because it does not serve this account.
    refused_until: Option<Instant>,
    /// Until when it is left alone, because it asked for that or has problems.
    paused_until: Option<Instant>,
    /// Requests in a row that ended like this.
    failures: u32,
    /// When the last of them ended.
    last: Option<Instant>,
    why: String,
    rate_limit: bool,
}

/// An error on the way to the tokens says nothing about a service beside the chat: neither that it refuses, nor that it
/// does not know somebody.
fn of_sign_in(mut error: Error) -> Error {
    if !error.is_transient() {
        tracing::info!(kind = ?error.kind, "there is no token for an additional service");
        error.kind = ErrorKind::Unavailable;
    }
    error
}

/// The pauses and refusals of all services beside the chat.
#[derive(Debug, Default)]
pub(super) struct ServiceTroubles(Mutex<HashMap<SideService, ServiceTrouble>>);

impl ServiceTroubles {
    fn all(&self) -> MutexGuard<'_, HashMap<SideService, ServiceTrouble>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the service has refused this account a short while ago.
    pub fn is_refused(&self, service: SideService) -> bool {
        let until = self.all().get(&service).and_then(|trouble| trouble.refused_until);
        until.is_some_and(|until| Instant::now() < until)
    }

    pub fn refused(&self, service: SideService) {
        self.all().entry(service).or_default().refused_until = Some(Instant::now() + REFUSED_FOR);
    }

    /// After a new sign-in everything may be different.
    pub fn forget(&self) {
        self.all().clear();
    }

    /// # Errors
    /// While the service is left alone; the error says when to come back.
    pub fn check(&self, service: SideService) -> Result<(), Error> {
        let now = Instant::now();
        let all = self.all();
        let Some(trouble) = all.get(&service) else { return Ok(()) };
        match trouble.paused_until {
            Some(until) if until > now => {
                Err(Error::held_back(until - now, &trouble.why, trouble.rate_limit))
            }
            _ => Ok(()),
        }
    }

    /// Notes the outcome of a request that left at `sent`. A pause that the service asked for is lengthened where it is
    /// too short; without one, pauses grow from failure to failure.
    pub fn note<T>(
        &self,
        service: SideService,
        sent: Instant,
        result: &mut Result<T, Error>,
        backoff: impl Fn(u32) -> Duration,
    ) {
        let failed = |error: &Error| {
            let kinds = [ErrorKind::Unreachable, ErrorKind::Unavailable];
            let asks = matches!(error.kind, ErrorKind::RetryAfter(_));
            asks || kinds.contains(&error.kind) || error.is_not_from_service()
        };
        let mut all = self.all();
        let trouble = all.entry(service).or_default();
        let Some(error) = result.as_mut().err().filter(|error| failed(error)) else {
            // An answer to what was asked before a pause does not end the pause.
            if trouble.last.is_none_or(|last| sent > last) {
                (trouble.paused_until, trouble.failures) = (None, 0);
            }
            return;
        };
        let now = Instant::now();
        // Requests that were under way together fail together.
        let again = trouble.last.is_none_or(|last| sent > last);
        trouble.failures = trouble.failures.saturating_add(u32::from(again)).max(1);
        trouble.last = Some(now);
        let asked = match error.kind {
            _ if error.is_unnamed_pause() => unnamed(trouble.failures),
            ErrorKind::RetryAfter(asked) => asked,
            _ => Duration::ZERO,
        };
        let wait = asked.max(backoff(trouble.failures)).min(MAX_PAUSE);
        trouble.paused_until = trouble.paused_until.max(Some(now + wait));
        trouble.why.clone_from(&error.message);
        trouble.rate_limit = error.is_rate_limit();
        if let ErrorKind::RetryAfter(asked) = &mut error.kind {
            *asked = wait;
        }
    }
}

impl Client {
    /// Sends one request to a service beside the chat, and reads its answer.
    ///
    /// Pauses of the account hold for it, too, and it counts towards the account's budget. The requests of the chat do
    /// not wait for its answer.
    pub(super) async fn send_to_side_service(
        &self,
        service: SideService,
        call: &ApiCall<'_>,
    ) -> Result<Reply, Error> {
        let purpose =
            Purpose::new(call.method.as_str(), call.path, admission::urgency(call, false));
        loop {
            self.troubles.check(service)?;
            self.gate.check(&purpose)?;
            let Err(wait) = self.take_budget(&purpose, call) else { break };
            tokio::time::sleep(wait).await;
        }
        let sent = Instant::now();
        let mut result = self.exchange(call).await;
        if result.as_ref().is_ok_and(|reply| is_cut_off(&reply.body)) {
            result = Err(Error::cut_off());
        }
        self.drop_dead_connections(&result).await;
        self.troubles.note(service, sent, &mut result, |count| self.gate.backoff(count));
        result
    }

    /// Asks a service with the Skype token alone, or with no token where it needs none.
    pub(super) async fn ask(
        &self,
        service: SideService,
        base: &BaseUrl,
        path: &str,
        body: &Value,
    ) -> Result<Reply, Error> {
        let is_open = service == SideService::Join;
        self.send_authenticated(ApiCall {
            method: Method::POST,
            base,
            path,
            body: Some(body),
            credential: if is_open { Credential::None } else { Credential::Service },
            service: Some(service),
            timeout: self.options.timeout,
        })
        .await
    }

    /// Asks a service about people that wants a token of its own beside the Skype token. `None` if it was not asked:
    /// the user has not agreed, there is no such service, or it has refused a short while ago.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] where it refuses this account, which says nothing about the sign-in.
    pub(super) async fn ask_about_people(
        &self,
        service: SideService,
        path: &str,
        body: &Value,
    ) -> Result<Option<Reply>, Error> {
        if self.troubles.is_refused(service) {
            return Ok(None);
        }
        match self.obtain_names_token().await {
            Ok(true) => {}
            Ok(false) => return Ok(None),
            Err(error) if error.kind == ErrorKind::SignedOut => return Err(self.refused(service)),
            Err(error) => return Err(of_sign_in(error)),
        }
        self.sign_in(Credential::Service).await.map_err(of_sign_in)?;
        let Some(base) = self.base_of(service) else { return Ok(None) };
        let call = ApiCall {
            method: Method::POST,
            base: &base,
            path,
            body: Some(body),
            credential: Credential::Names,
            service: Some(service),
            timeout: self.options.timeout,
        };
        match self.send_once(&call).await {
            Ok(reply) => Ok(Some(reply)),
            Err(error) if matches!(error.kind, ErrorKind::TokenRejected | ErrorKind::Forbidden) => {
                Err(self.refused(service))
            }
            Err(error) => Err(error),
        }
    }

    /// Takes note of a refusal.
    pub(super) fn refused(&self, service: SideService) -> Error {
        tracing::info!(?service, "an additional service refused a request");
        self.troubles.refused(service);
        Error::unsupported("the service does not serve this account")
    }

    /// Where a service is: where the service map says, or else the configuration.
    pub(super) fn base_of(&self, service: SideService) -> Option<BaseUrl> {
        let (mapped, configured) = match service {
            // Messages say where they are.
            SideService::Objects => (None, &None),
            SideService::Scheduler => (None, &self.options.scheduler),
            SideService::Join => (None, &self.options.join),
            SideService::Profiles => {
                (self.session(|s| s.beside.profiles.clone()), &self.options.profiles)
            }
            SideService::Presence => {
                (self.session(|s| s.beside.presence.clone()), &self.options.presence)
            }
        };
        mapped.or_else(|| configured.clone())
    }

    /// Puts the token for the services about people into the session. False if there is none, or the user has not
    /// agreed.
    async fn obtain_names_token(&self) -> Result<bool, Error> {
        let Some(sign_in) = self.own_sign_in() else { return Ok(false) };
        let token = match self.service().requests.names {
            NamesCredential::SkypeToken => return Ok(false),
            NamesCredential::NamesToken => sign_in.names_token().await?,
            NamesCredential::AccessToken => sign_in.access_token().await?,
        };
        let found = token.is_some();
        self.session(|s| s.names_token = token);
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVICE: SideService = SideService::Presence;

    /// Notes a request that ends like this now. Returns the pause that follows.
    fn ends(troubles: &ServiceTroubles, error: Error) -> Duration {
        let mut result: Result<(), Error> = Err(error);
        troubles.note(SERVICE, Instant::now(), &mut result, |count| Duration::from_secs(1) * count);
        match troubles.check(SERVICE).map_err(|error| error.kind) {
            Err(ErrorKind::RetryAfter(wait)) => wait,
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn pauses_grow_until_an_answer_and_hold_for_one_service_only() {
        let troubles = ServiceTroubles::default();
        let next = |error: Error| {
            let wait = ends(&troubles, error);
            async move {
                tokio::time::advance(wait + Duration::from_secs(1)).await;
                wait.as_secs()
            }
        };
        assert_eq!(next(Error::unnamed_rate_limit()).await, 30);
        assert_eq!(next(Error::unnamed_rate_limit()).await, 60);
        assert_eq!(next(Error::unavailable("trouble")).await, 3);
        assert_eq!(next(Error::rate_limit(Duration::from_secs(90))).await, 90);
        assert_eq!(next(Error::rate_limit(Duration::ZERO)).await, 5, "no time at all is too short");
        assert_eq!(next(Error::rate_limit(Duration::MAX)).await, MAX_PAUSE.as_secs());
        assert!(troubles.check(SERVICE).is_ok(), "the pause is over");
        troubles.note(SERVICE, Instant::now(), &mut Ok(()), |_| Duration::ZERO);
        assert_eq!(ends(&troubles, Error::unnamed_rate_limit()).as_secs(), 30, "it begins anew");
        assert!(troubles.check(SideService::Profiles).is_ok());
        troubles.forget();
        assert!(troubles.check(SERVICE).is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn requests_that_were_under_way_together_count_once_and_do_not_end_the_pause() {
        let troubles = ServiceTroubles::default();
        let sent = Instant::now();
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(ends(&troubles, Error::unnamed_rate_limit()).as_secs(), 30);
        let mut late: Result<(), Error> = Err(Error::unnamed_rate_limit());
        troubles.note(SERVICE, sent, &mut late, |_| Duration::ZERO);
        let kind = late.unwrap_err().kind;
        assert_eq!(kind, ErrorKind::RetryAfter(Duration::from_secs(30)));
        troubles.note(SERVICE, sent, &mut Ok(()), |_| Duration::ZERO);
        assert!(troubles.check(SERVICE).is_err());
    }
}
