//! Display names from the profile service (facts 5), or from a middle tier, which wants a token of its own beside the
//! Skype token (facts 8.9).
//!
//! Without the user's consent the middle tier is not asked. A refusal there says nothing about the sign-in.

use super::side_services::SideService;
use super::{Client, Error, ErrorKind};
use crate::model::{SafeText, UserId};
use crate::protocol::service::NamesCredential;
use crate::protocol::{encode, wire};

impl Client {
    /// Display names. Empty if there is no profile service, or the user has not agreed that it is asked.
    pub async fn profiles(&self, who: &[UserId]) -> Result<Vec<(UserId, SafeText)>, Error> {
        let Some(base) = self.base_of(SideService::Profiles) else { return Ok(Vec::new()) };
        let path = &self.service().paths.services.profiles;
        let ids = who.iter().map(UserId::as_str);
        if self.service().requests.names == NamesCredential::SkypeToken {
            let reply =
                self.ask(SideService::Profiles, &base, path, &encode::profiles(ids)).await?;
            return Ok(wire::profiles(&reply.body)?);
        }
        let body = encode::short_profiles(ids);
        match self.ask_about_people(SideService::Profiles, path, &body).await {
            Ok(Some(reply)) => Ok(wire::profiles(&reply.body)?),
            Ok(None) => Ok(Vec::new()),
            // All of them are unknown there (facts 8.9).
            Err(error) if error.kind == ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }
}
