//! When a request may be sent: when the gate lets it through and the account's budget has room for it (facts 8.8).

use super::budget::{RequestBudget, RequestClass};
use super::gate::{GatePass, Purpose};
use super::{ApiCall, Client, Error};
use reqwest::Method;
use std::sync::PoisonError;
use std::time::Duration;

tokio::task_local! {
    /// Present in tasks that do what the user has asked for.
    static FOR_USER: ();
}

/// Runs work that the user waits for: its requests come before those that only look for news.
pub(crate) async fn for_user<T>(work: impl Future<Output = T>) -> T {
    FOR_USER.scope((), work).await
}

impl Client {
    /// Waits until a request may be sent.
    ///
    /// The wait for the budget is outside the gate: the gate may let a single request through while others wait for its
    /// result, and a background request that waits there would hold up a message. Afterwards the gate is asked again,
    /// because the server may have asked for a pause meanwhile.
    ///
    /// # Errors
    /// When the gate holds the request back: nothing was sent, and the error says when to come back.
    pub(super) async fn admit(
        &self,
        purpose: &Purpose,
        call: &ApiCall<'_>,
    ) -> Result<GatePass<'_>, Error> {
        // Whatever is not a GET is something that the user does.
        let is_user = call.method != Method::GET || FOR_USER.try_with(|()| ()).is_ok();
        let class = if is_user { RequestClass::User } else { RequestClass::Background };
        loop {
            let pass = self.gate.enter(purpose).await?;
            let Err(wait) = self.with_budget(|budget, now| budget.take(class, now)) else {
                return Ok(pass);
            };
            drop(pass);
            tokio::time::sleep(wait).await;
        }
    }

    pub(super) fn with_budget<T>(&self, f: impl FnOnce(&mut RequestBudget, Duration) -> T) -> T {
        let now = self.started.elapsed();
        f(&mut self.budget.lock().unwrap_or_else(PoisonError::into_inner), now)
    }
}
