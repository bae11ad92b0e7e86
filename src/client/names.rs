//! Display names from a middle tier, which wants a token of its own beside the Skype token (facts 8.9).
//!
//! Without the user's consent nothing is asked. A refusal there says nothing about the sign-in.

use super::{ApiCall, BaseUrl, Client, Credential, Error, ErrorKind};
use crate::model::{SafeText, UserId};
use crate::protocol::service::NamesCredential;
use crate::protocol::{encode, wire};
use reqwest::Method;
use std::time::Duration;
use tokio::time::Instant;

/// After a refusal a service beside the chat is left alone for so long.
pub(super) const REFUSED: Duration = Duration::from_secs(3_600);

impl Client {
    /// Display names from the middle tier; empty where that is not allowed, or was refused a short while ago.
    pub(super) async fn short_profiles(
        &self,
        base: &BaseUrl,
        who: &[UserId],
    ) -> Result<Vec<(UserId, SafeText)>, Error> {
        if self.session(|s| s.refusals.names.is_some_and(|until| Instant::now() < until)) {
            return Ok(Vec::new());
        }
        match self.obtain_names_token().await {
            Ok(true) => {}
            Ok(false) => return Ok(Vec::new()),
            Err(error) if error.kind == ErrorKind::SignedOut => return Err(self.no_names()),
            Err(error) => return Err(error),
        }
        self.sign_in(Credential::Service).await?;
        let body = encode::short_profiles(who.iter().map(UserId::as_str));
        let base = self.session(|s| s.beside.profiles.clone()).unwrap_or_else(|| base.clone());
        let call = ApiCall {
            method: Method::POST,
            base: &base,
            path: &self.service().paths.services.profiles,
            body: Some(&body),
            credential: Credential::Names,
            timeout: self.options.timeout,
        };
        match self.send_once(&call).await {
            Ok(reply) => Ok(wire::profiles(&reply.body)?),
            // All of them are unknown there (facts 8.9).
            Err(error) if error.kind == ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) if matches!(error.kind, ErrorKind::TokenRejected | ErrorKind::Forbidden) => {
                Err(self.no_names())
            }
            Err(error) => Err(error),
        }
    }

    /// Takes note of a refusal, which says nothing about the sign-in.
    fn no_names(&self) -> Error {
        self.session(|s| s.refusals.names = Some(Instant::now() + REFUSED));
        Error::unsupported("the service gives no names to this account")
    }

    /// Puts the token for the services beside the chat into the session. False if there is none, or the user has not
    /// agreed.
    pub(super) async fn obtain_names_token(&self) -> Result<bool, Error> {
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
