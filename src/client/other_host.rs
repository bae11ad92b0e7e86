//! Which of a service's hosts is used (facts 8.4).

use super::auth::ClientSession;
use super::{ApiCall, BaseUrl, Client, Credential, Error};
use reqwest::{Method, StatusCode};

impl ClientSession {
    /// A session with a service at one host, or at two.
    pub(super) fn of_hosts(gateway: &BaseUrl, fallback: Option<&BaseUrl>) -> Self {
        let chat = fallback.map(|other| vec![gateway.clone(), other.clone()]);
        Self { chat: chat.unwrap_or_default(), ..Self::default() }
    }
}

impl Client {
    /// Changes to the other host of the chat service after an error that the other host may not have, once in a
    /// session. Returns true if the request is to be repeated there; one that may have been carried out is not.
    pub(super) fn changes_host(&self, call: &ApiCall<'_>, error: &Error) -> bool {
        if !error.may_work_elsewhere() || !std::ptr::eq(call.base, &raw const self.options.gateway)
        {
            return false;
        }
        let changed = self.session(|s| {
            let can_change = s.chat.len() > 1 && !s.uses_other_host && s.moved_to.is_none();
            if can_change {
                s.chat.rotate_left(1);
                s.uses_other_host = true;
            }
            can_change
        });
        if changed {
            tracing::info!(kind = ?error.kind, "switched to the other host of the service");
        }
        changed && (call.method == Method::GET || !error.outcome_unknown)
    }

    /// Handles a redirect to another host: 404 with code 752 or 8003 or without a body, or 3xx, with a `Location`
    /// (facts 1.2). The new host is used only if [`BaseUrl::moved_to`] allows it, and the registration with the old one
    /// is dropped. Returns true if the request is to be repeated.
    pub(super) fn moved(
        &self,
        status: StatusCode,
        body: &str,
        location: Option<&str>,
        call: &ApiCall<'_>,
    ) -> Result<bool, Error> {
        let names_host = || {
            let bare = body.trim().is_empty() && location.is_some();
            bare || matches!(crate::protocol::wire::error_code(body), Some(752 | 8_003))
        };
        let redirected =
            status.is_redirection() || (status == StatusCode::NOT_FOUND && names_host());
        if !redirected
            || matches!(call.credential, Credential::Service | Credential::Names | Credential::None)
        {
            return Ok(false);
        }
        let base = location
            .and_then(|to| self.options.gateway.moved_to(to, &self.service().hosts.move_suffixes));
        match base {
            Some(base) if self.session(|s| s.moves) < 2 => {
                self.session(|s| {
                    s.moves += 1;
                    s.registration = None;
                    s.moved_to = Some(base);
                });
                Ok(true)
            }
            _ => Err(Error::refused("the server redirects to a host that is not allowed")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::{ClientOptions, Secret, TokenSource};
    use crate::model::UserId;

    #[test]
    fn a_404_that_names_an_allowed_host_moves_the_account_with_and_without_a_code() {
        let to = "https://db5-client-s.gateway.messenger.live.com/v1/users/ME/endpoints";
        let moves = |body: &str, location: Option<&str>| {
            let base = BaseUrl::parse("https://client-s.gateway.messenger.live.com/v1").unwrap();
            let token = TokenSource::Fixed(Secret::new("t"));
            let client = Client::new(ClientOptions::new(UserId::new("8:anna.7"), base, token));
            let call = ApiCall {
                method: Method::POST,
                base: &client.options.gateway,
                path: "/users/ME/endpoints",
                body: None,
                credential: Credential::SkypeToken,
                service: None,
                timeout: client.options.timeout,
            };
            let moved = client.moved(StatusCode::NOT_FOUND, body, location, &call).unwrap();
            assert_eq!(moved, client.session(|s| s.moved_to.is_some()));
            moved
        };
        assert!(moves("", Some(to)));
        assert!(moves("{\"errorCode\":752,\"message\":\"elsewhere\"}", Some(to)));
        assert!(moves("{\"errorCode\":8003,\"message\":\"elsewhere\"}", Some(to)));
        assert!(!moves("{\"errorCode\":730,\"message\":\"no chat\"}", Some(to)));
        assert!(!moves("", None));
    }
}
