//! Which of a service's hosts is used (facts 8.4).

use super::auth::ClientSession;
use super::{ApiCall, BaseUrl, Client, Error};
use reqwest::Method;

impl ClientSession {
    /// A session with a service at one host, or at two.
    pub(super) fn of_hosts(gateway: &BaseUrl, fallback: Option<&BaseUrl>) -> Self {
        let chat = fallback.map(|other| vec![gateway.clone(), other.clone()]);
        Self { chat: chat.unwrap_or_default(), ..Self::default() }
    }
}

impl Client {
    /// Changes to the other host of the chat service after an error that it may not have, once in a session. Returns
    /// true if the request is to be repeated there; one that may have been carried out is not.
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
            tracing::info!(kind = ?error.kind, "the other host of the service is used");
        }
        changed && (call.method == Method::GET || !error.outcome_unknown)
    }
}
