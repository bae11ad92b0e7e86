//! Signing in: obtaining the Skype token, registering an endpoint, and renewing both.

use super::error::{Error, ErrorKind};
use super::objects::TokenWay;
use super::sign_in::{MappedServices, SignIn};
use super::token::TokenSource;
use super::{ApiCall, Client, Credential};
use crate::model::SignInWay;
use crate::protocol::encode;
use crate::protocol::service::AccountKind;
use reqwest::Method;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use zeroize::Zeroizing;

/// A registration lasts longer than this, so if a request is rejected sooner, the token is at fault.
const REGISTRATION_LASTS: Duration = Duration::from_secs(10 * 60);

/// A token. Its `Debug` output does not contain it, and its memory is cleared when it is dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The token itself, to be put into a header.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

/// Used only to write the file of an account's credentials.
impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// What a token source holds, to notice that it has changed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum TokenMark {
    None,
    Token(Option<Secret>),
    /// See [`SignIn::times`].
    SignIn(Option<(i64, i64)>),
}

/// What a source gives.
struct SourcedToken {
    token: Secret,
    /// When to read the source again although the token was not rejected.
    renew_at: Option<Instant>,
    /// Addresses of the chat service, if the source knows them.
    chat: Vec<super::BaseUrl>,
    beside: MappedServices,
}

impl SourcedToken {
    /// Reads a source. `rejected` is the token that the server does not accept any more.
    async fn read(source: &TokenSource, rejected: Option<Secret>) -> Result<Self, Error> {
        if let TokenSource::SignIn(sign_in) = source {
            let fresh = sign_in.skype_token(rejected).await?;
            let renew_at = Some(Instant::now() + fresh.fresh_for);
            let (chat, beside) = (fresh.chat, fresh.beside);
            return Ok(Self { token: fresh.token, renew_at, chat, beside });
        }
        let token = source.read().await?;
        Ok(Self { token, renew_at: None, chat: Vec::new(), beside: MappedServices::default() })
    }
}

/// The state of the session with the server.
#[derive(Default)]
pub(super) struct ClientSession {
    pub token: Option<Secret>,
    /// When the token is to be renewed.
    pub renew_at: Option<Instant>,
    /// Addresses of the chat service that came with the token, the one in use first.
    pub chat: Vec<super::BaseUrl>,
    /// The first of them failed, and another one is in use for the rest of the session.
    pub uses_other_host: bool,
    pub beside: MappedServices,
    /// The token for the services beside the chat, if those want one of their own.
    pub names_token: Option<Secret>,
    /// How the hosts of pictures and files accepted the token, by origin.
    pub object_ways: HashMap<String, TokenWay>,
    pub registration: Option<Secret>,
    /// The server refused to register an endpoint; the Skype token is sent with each request instead (facts 1.3).
    pub no_endpoints: bool,
    pub moved_to: Option<super::BaseUrl>,
    pub moves: u8,
    /// Incremented whenever the token is read, so that several rejected requests cause one refresh.
    pub generation: u64,
}

impl ClientSession {
    /// Takes over a token. Returns whether it is the one from before.
    fn take(&mut self, sourced: SourcedToken) -> bool {
        self.generation += 1;
        self.renew_at = sourced.renew_at;
        // The order of the same addresses is kept: the first one may have been given up for this session.
        let is_new = sourced.chat.len() != self.chat.len()
            || sourced.chat.iter().any(|base| !self.chat.contains(base));
        if is_new && !sourced.chat.is_empty() {
            self.chat = sourced.chat;
            self.uses_other_host = false;
            self.moved_to = None;
        }
        self.beside = sourced.beside;
        let same = self.token.as_ref() == Some(&sourced.token);
        self.token = Some(sourced.token);
        same
    }

    fn needs_token(&self) -> bool {
        self.token.is_none() || self.renew_at.is_some_and(|at| Instant::now() >= at)
    }
}

impl Client {
    /// Obtains the credential that a request needs, unless it is there already.
    pub(super) async fn sign_in(&self, credential: Credential) -> Result<(), Error> {
        if credential == Credential::None {
            return Ok(());
        }
        if self.session(|s| s.needs_token()) {
            let _one = self.refreshing.lock().await;
            if self.session(|s| s.needs_token()) {
                let sourced = SourcedToken::read(&self.options.token, None).await?;
                self.session(|s| s.take(sourced));
            }
        }
        let wants_registration = match credential {
            Credential::Endpoint => true,
            Credential::Chat => self.options.auth == crate::model::AuthStyle::Registration,
            _ => false,
        };
        let missing = |c: &Client| c.session(|s| s.registration.is_none() && !s.no_endpoints);
        if wants_registration && missing(self) {
            let _one = self.refreshing.lock().await;
            if missing(self) {
                self.register_endpoint().await?;
            }
        }
        if credential == Credential::Endpoint && self.session(|s| s.no_endpoints) {
            return Err(Error::unsupported("this server offers no endpoints to this account"));
        }
        Ok(())
    }

    /// Registers an endpoint. If the server does not offer endpoints, that is remembered (facts 1.3).
    async fn register_endpoint(&self) -> Result<(), Error> {
        let body = encode::register();
        let call = ApiCall {
            method: Method::POST,
            base: &self.options.gateway,
            path: &self.service().paths.events.endpoints,
            body: Some(&body),
            credential: Credential::SkypeToken,
            service: None,
            timeout: self.options.timeout,
        };
        let mut result = self.send_once(&call).await;
        if matches!(&result, Err(e) if e.kind == ErrorKind::Moved) {
            result = self.send_once(&call).await;
        }
        match result {
            Ok(_) if self.session(|s| s.registration.is_some()) => Ok(()),
            Ok(_) => Err(Error::bad_answer("the server issued no registration token")),
            Err(error) if error.kind == ErrorKind::Unsupported || error.is_inaccessible() => {
                self.session(|s| s.no_endpoints = true);
                Ok(())
            }
            Err(error) if error.kind == ErrorKind::TokenRejected => {
                // `refresh_token` cannot be called here, because the caller holds its lock.
                let rejected = self.session(|s| s.token.clone());
                let sourced = SourcedToken::read(&self.options.token, rejected).await?;
                let same = self.session(|s| s.take(sourced));
                if same {
                    return Err(Error::token_rejected());
                }
                match self.send_once(&call).await {
                    Ok(_) => Ok(()),
                    Err(e) if e.kind == ErrorKind::TokenRejected => Err(Error::token_rejected()),
                    Err(e) => Err(e),
                }
            }
            Err(error) => Err(error),
        }
    }

    /// Reads the token again after a 401. `used` is the generation of the rejected token: if it has been replaced
    /// meanwhile, there is nothing to do.
    pub(super) async fn refresh_token(
        &self,
        used: u64,
        credential: Credential,
    ) -> Result<(), Error> {
        let mut registered_again = self.refreshing.lock().await;
        if self.session(|s| s.generation) != used {
            return Ok(());
        }
        let rejected = self.session(|s| s.token.clone());
        let sourced = SourcedToken::read(&self.options.token, rejected).await?;
        // The answer of another service says nothing about the registration with the chat hosts.
        let registers = credential != Credential::Service;
        let by_registration = self.options.auth == crate::model::AuthStyle::Registration;
        let repeats = self.session(|s| {
            let same = s.take(sourced);
            let recent = registered_again.is_some_and(|at| at.elapsed() < REGISTRATION_LASTS);
            // The registration may have ended, but not again and again.
            if same && (!registers || !by_registration || recent) {
                return false;
            }
            if registers {
                s.registration = None;
                *registered_again = same.then(Instant::now);
            }
            true
        });
        if repeats { Ok(()) } else { Err(Error::token_rejected()) }
    }

    /// Repeats the exchange for the service map that comes with a token. `used` is the generation of the token in use.
    pub(super) async fn renew_service_map(
        &self,
        used: u64,
        credential: Credential,
    ) -> Result<(), Error> {
        match self.refresh_token(used, credential).await {
            // The token was not rejected, so the same one will do.
            Err(error) if error.kind == ErrorKind::TokenRejected => Ok(()),
            other => other,
        }
    }

    /// What the user can do about a token that is rejected.
    pub(crate) fn token_advice(&self) -> String {
        self.options.token.advice()
    }

    /// Identifies the token that the source has. Commands and the environment are not asked for this.
    pub(crate) async fn token_mark(&self) -> TokenMark {
        match &self.options.token {
            TokenSource::File(_) => TokenMark::Token(self.options.token.read().await.ok()),
            TokenSource::SignIn(sign_in) => TokenMark::SignIn(sign_in.times().await),
            _ => TokenMark::None,
        }
    }

    /// Whether the source has another token than the one in use, or than when it had this mark. A sign-in may have been
    /// renewed by another process.
    pub(crate) async fn has_new_token(&self, before: &TokenMark) -> bool {
        match self.token_mark().await {
            TokenMark::Token(token) => {
                token.is_some() && token != self.session(|s| s.token.clone())
            }
            mark @ TokenMark::SignIn(Some(_)) => mark != *before,
            _ => false,
        }
    }

    /// The sign-in of this account, once a token of it is in use.
    pub(crate) fn sign_in_in_use(&self) -> Option<Arc<SignIn>> {
        // `generation` is 0 until a token was read.
        self.own_sign_in().filter(|_| self.session(|s| s.generation > 0))
    }

    /// Forgets the tokens in use: another process has signed this account out. They would be accepted for up to a day.
    pub(crate) fn signed_out_elsewhere(&self) -> Error {
        self.session(|s| {
            (s.token, s.names_token) = (None, None);
            s.object_ways.clear();
        });
        Error::signed_out("signed out elsewhere")
    }

    /// The sign-in of this account, if it has one.
    pub(crate) fn own_sign_in(&self) -> Option<Arc<SignIn>> {
        match &self.options.token {
            TokenSource::SignIn(sign_in) => Some(Arc::clone(sign_in)),
            _ => None,
        }
    }

    /// How the account can sign in again when it is signed out.
    pub(crate) fn sign_in_way(&self) -> SignInWay {
        match self.service().sign_in.as_ref().filter(|_| self.own_sign_in().is_some()) {
            None => SignInWay::Token,
            Some(profile) if profile.accounts == AccountKind::Work => SignInWay::Work,
            Some(_) => SignInWay::Personal,
        }
    }

    /// Drops the token from before a new sign-in.
    pub(crate) fn signed_in_again(&self) {
        self.session(|s| {
            s.token = None;
            s.object_ways.clear();
        });
        self.troubles.forget();
    }

    /// Forgets the registration, and whether the server offers endpoints; the next call finds out again.
    pub(crate) fn forget_registration(&self) {
        self.session(|s| {
            s.registration = None;
            s.no_endpoints = false;
        });
    }
}

/// The token in a header value of the form `registrationToken=…; expires=…; endpointId=…`.
pub(super) fn registration_of(header: &str) -> Option<&str> {
    let token =
        header.split(';').find_map(|part| part.trim().strip_prefix("registrationToken="))?;
    (!token.is_empty()).then_some(token)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::TokenSource;

    #[test]
    fn a_secret_is_not_shown() {
        assert_eq!(format!("{:?}", TokenSource::Fixed(Secret::new("abc"))), "Fixed(Secret(…))");
    }

    #[test]
    fn only_the_first_part_of_the_header_is_the_token() {
        assert_eq!(
            registration_of("registrationToken=ab=; expires=1; endpointId={x}"),
            Some("ab=")
        );
        assert_eq!(registration_of("registrationToken=; expires=1"), None);
        assert_eq!(registration_of(""), None);
    }
}
