//! Signing in: obtaining the Skype token, registering an endpoint, and renewing both.

use super::error::{Error, ErrorKind};
use super::token::TokenSource;
use super::{ApiCall, Client, Credential};
use crate::protocol::encode;
use reqwest::Method;
use std::fmt;

/// A token. Its `Debug` output does not contain it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The token itself, to be put into a header.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// The state of the session with the server.
#[derive(Default)]
pub(super) struct ClientSession {
    pub token: Option<Secret>,
    pub registration: Option<Secret>,
    /// The server refused to register an endpoint; the Skype token is sent with each request instead (facts 1.3).
    pub no_endpoints: bool,
    pub moved_to: Option<super::BaseUrl>,
    pub moves: u8,
    /// Incremented whenever the token is read, so that several rejected requests cause one refresh.
    pub generation: u64,
}

impl Client {
    /// Obtains the credential that a request needs, unless it is there already.
    pub(super) async fn sign_in(&self, credential: Credential) -> Result<(), Error> {
        if credential == Credential::None {
            return Ok(());
        }
        if self.session(|s| s.token.is_none()) {
            let _one = self.refreshing.lock().await;
            if self.session(|s| s.token.is_none()) {
                let token = self.options.token.read().await?;
                self.session(|s| {
                    s.token = Some(token);
                    s.generation += 1;
                });
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
            timeout: self.options.timeout,
        };
        let mut result = self.send_once(&call).await;
        if matches!(&result, Err(e) if e.kind == ErrorKind::Moved) {
            result = self.send_once(&call).await;
        }
        match result {
            Ok(_) if self.session(|s| s.registration.is_some()) => Ok(()),
            Ok(_) => Err(Error::bad_answer("the server registered no token")),
            Err(error) if error.kind == ErrorKind::Unsupported || error.is_inaccessible() => {
                self.session(|s| s.no_endpoints = true);
                Ok(())
            }
            Err(error) if error.kind == ErrorKind::TokenRejected => {
                // `refresh_token` cannot be called here, because the caller holds its lock.
                let token = self.options.token.read().await?;
                let same = self.session(|s| s.token.replace(token.clone()) == Some(token));
                if same {
                    return Err(Error::signed_out("the server rejects the token"));
                }
                match self.send_once(&call).await {
                    Ok(_) => Ok(()),
                    Err(e) if e.kind == ErrorKind::TokenRejected => {
                        Err(Error::signed_out("the server rejects the token"))
                    }
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
        let _one = self.refreshing.lock().await;
        if self.session(|s| s.generation) != used {
            return Ok(());
        }
        let token = self.options.token.read().await?;
        let same = self.session(|s| {
            s.generation += 1;
            // The answer of another service says nothing about the registration with the chat hosts.
            if credential != Credential::Service {
                s.registration = None;
            }
            s.token.replace(token.clone()) == Some(token)
        });
        if same
            && (self.options.auth != crate::model::AuthStyle::Registration
                || credential == Credential::Service)
        {
            return Err(Error::signed_out("the server rejects the token"));
        }
        Ok(())
    }

    /// What the user can do about a token that is rejected.
    pub(crate) fn token_advice(&self) -> String {
        self.options.token.advice()
    }

    /// Whether the token file has another token than the one in use. Other sources are not read for this.
    pub(crate) async fn has_new_token(&self) -> bool {
        if !matches!(self.options.token, TokenSource::File(_)) {
            return false;
        }
        let token = self.options.token.read().await.ok();
        token.is_some() && token != self.session(|s| s.token.clone())
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
