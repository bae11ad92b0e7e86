//! Who is available (facts 8.12): asked of a service beside the chat, which requires the tokens of the profile service.
//!
//! Without the user's consent nothing is asked, and nothing is published. A refusal says nothing about the sign-in.

use super::side_services::SideService;
use super::{Client, Error};
use crate::model::{PersonPresence, UserId};
use crate::protocol::service::NamesCredential;
use crate::protocol::{encode, wire};

/// The maximum number of people in one request.
const MAX_PEOPLE: usize = 650;

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
    /// [`Unsupported`](super::ErrorKind::Unsupported) where the service refuses; it is then left alone for a while.
    pub async fn presences(&self, who: &[UserId]) -> Result<Vec<(UserId, PersonPresence)>, Error> {
        let mut found = Vec::new();
        for people in who.chunks(MAX_PEOPLE) {
            let body = encode::presence_of(people.iter().map(UserId::as_str));
            let path = &self.service().paths.services.presence;
            match self.ask_about_people(SideService::Presence, path, &body).await {
                Ok(Some(reply)) => found.extend(wire::presences(&reply.body)?),
                Ok(None) => return Err(no_presence()),
                Err(error) if error.is_transient() => return Err(error),
                Err(_) => {
                    self.refused(SideService::Presence);
                    return Err(no_presence());
                }
            }
        }
        Ok(found)
    }
}

fn no_presence() -> Error {
    Error::unsupported("the service does not say who is available")
}
