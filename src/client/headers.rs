//! The headers of a request, with the credential that it carries (facts 1.1, 8.4).

use super::auth::Secret;
use super::{Client, Error};
use crate::model::AuthStyle;
use reqwest::header::{ACCEPT, HeaderMap, HeaderName, HeaderValue};

/// The credential that a request carries (facts 1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Credential {
    /// For the chat hosts; which header that is depends on the account's [`AuthStyle`].
    Chat,
    /// The registration token, for paths of the endpoint itself.
    Endpoint,
    /// `Authentication: skypetoken=`, to register an endpoint.
    SkypeToken,
    /// `X-Skypetoken`, for the scheduler and the profile service.
    Service,
    /// A token of its own beside that, for the middle tier.
    Names,
    None,
}

impl Client {
    pub(super) fn headers(&self, credential: Credential) -> Result<HeaderMap, Error> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert("behavioroverride", HeaderValue::from_static("redirectAs404"));
        let (token, registration) = self.session(|s| (s.token.clone(), s.registration.clone()));
        let token = || token.as_ref().ok_or_else(|| Error::signed_out("there is no token"));
        // The other services beside the chat do not know them.
        let takes_profile_headers = !matches!(credential, Credential::Service | Credential::None);
        if takes_profile_headers {
            for (name, value) in &self.service().requests.headers {
                let pair = (HeaderName::try_from(name), HeaderValue::try_from(value));
                if let (Ok(name), Ok(value)) = pair {
                    headers.insert(name, value);
                }
            }
        }
        let mut put = |name: &'static str, value: String| -> Result<(), Error> {
            let mut value = HeaderValue::from_str(&value).map_err(|_| {
                Error::signed_out("the token contains characters that are not allowed in a header")
            })?;
            value.set_sensitive(true);
            headers.insert(HeaderName::from_static(name), value);
            Ok(())
        };
        let registered = |r: &Secret| format!("registrationToken={}", r.reveal());
        match (credential, self.options.auth) {
            (Credential::None, _) => {}
            (Credential::Service, _) => put("x-skypetoken", token()?.reveal().to_owned())?,
            (Credential::Names, _) => {
                put("x-skypetoken", token()?.reveal().to_owned())?;
                let names = self.session(|s| s.names_token.clone());
                let names = names.ok_or_else(|| Error::signed_out("there is no token"))?;
                put("authorization", format!("Bearer {}", names.reveal()))?;
            }
            (Credential::SkypeToken | Credential::Chat, AuthStyle::Bearer) => {
                put("authorization", format!("Bearer {}", token()?.reveal()))?;
            }
            (Credential::Chat, AuthStyle::Registration) | (Credential::Endpoint, _) => {
                match &registration {
                    Some(registration) => put("registrationtoken", registered(registration))?,
                    None => put("authentication", format!("skypetoken={}", token()?.reveal()))?,
                }
            }
            (Credential::Chat | Credential::SkypeToken, _) => {
                put("authentication", format!("skypetoken={}", token()?.reveal()))?;
            }
        }
        Ok(headers)
    }
}
