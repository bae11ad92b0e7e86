//! Who is available (facts 8.12): asked of a service beside the chat, which wants the tokens of the profile service.
//!
//! Without the user's consent nothing is asked, and nothing is published. A refusal says nothing about the sign-in.

use super::names::REFUSED;
use super::{ApiCall, Client, Credential, Error, ErrorKind};
use crate::model::{PersonPresence, UserId};
use crate::protocol::service::NamesCredential;
use crate::protocol::{encode, wire};
use reqwest::Method;
use tokio::time::Instant;

/// The most people that are asked for with one request.
const MOST_PEOPLE: usize = 650;

impl Client {
    /// Whether the service can say who is available, and the user has agreed that it is asked. Reads a file.
    pub(crate) async fn may_ask_for_presence(&self) -> bool {
        let service = self.service();
        let Some(profile) = service.sign_in.as_ref() else { return false };
        let has_address =
            self.options.presence.is_some() || !profile.service_map.presence.is_empty();
        if service.paths.services.presence.is_empty() || !has_address {
            return false;
        }
        match (service.requests.names, self.own_sign_in()) {
            (NamesCredential::SkypeToken, _) | (_, None) => false,
            (NamesCredential::AccessToken, Some(_)) => true,
            (NamesCredential::NamesToken, Some(sign_in)) => sign_in.allows_names().await,
        }
    }

    /// Who of these people is available. Those of whom the service says nothing are left out.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] where the service refuses; it is then left alone for a while.
    pub async fn presences(&self, who: &[UserId]) -> Result<Vec<(UserId, PersonPresence)>, Error> {
        if self.session(|s| s.refusals.presence.is_some_and(|until| Instant::now() < until)) {
            return Err(no_presence());
        }
        match self.obtain_names_token().await {
            Ok(true) => {}
            Ok(false) => return Err(no_presence()),
            Err(error) if error.kind == ErrorKind::SignedOut => return Err(self.refused_presence()),
            Err(error) => return Err(error),
        }
        self.sign_in(Credential::Service).await?;
        let mapped = self.session(|s| s.beside.presence.clone());
        let Some(base) = mapped.or_else(|| self.options.presence.clone()) else {
            return Err(no_presence());
        };
        let mut found = Vec::new();
        for people in who.chunks(MOST_PEOPLE) {
            let body = encode::presence_of(people.iter().map(UserId::as_str));
            let call = ApiCall {
                method: Method::POST,
                base: &base,
                path: &self.service().paths.services.presence,
                body: Some(&body),
                credential: Credential::Names,
                timeout: self.options.timeout,
            };
            match self.send_once(&call).await {
                Ok(reply) => found.extend(wire::presences(&reply.body)?),
                Err(error) if error.is_transient() => return Err(error),
                Err(error) => {
                    tracing::info!(kind = ?error.kind, "the presence service has refused");
                    return Err(self.refused_presence());
                }
            }
        }
        Ok(found)
    }

    fn refused_presence(&self) -> Error {
        self.session(|s| s.refusals.presence = Some(Instant::now() + REFUSED));
        no_presence()
    }
}

fn no_presence() -> Error {
    Error::unsupported("the service does not say who is available")
}
