//! When a request may be sent: when the gate lets it through and the account's budget has room for it (facts 8.8).

use super::budget::{RequestBudget, RequestClass};
use super::failing::{Purpose, Urgency};
use super::gate::GatePass;
use super::{ApiCall, Client, Credential, Error};
use reqwest::Method;
use std::sync::PoisonError;
use std::time::Duration;

tokio::task_local! {
    /// Whom a task works for, if that is not known from the requests themselves.
    static WORKS_FOR: Urgency;
}

/// Runs work that the user waits for: its requests come before those that only look for news.
pub(crate) async fn for_user<T>(work: impl Future<Output = T>) -> T {
    WORKS_FOR.scope(Urgency::User, work).await
}

/// Runs work that is skipped while requests fail.
pub(crate) async fn if_all_is_well<T>(work: impl Future<Output = T>) -> T {
    WORKS_FOR.scope(Urgency::Optional, work).await
}

/// Who waits for a request.
pub(super) fn urgency(call: &ApiCall<'_>, is_poll: bool) -> Urgency {
    let task = WORKS_FOR.try_with(|urgency| *urgency).ok();
    let registers = matches!(call.credential, Credential::Endpoint | Credential::SkypeToken);
    match task {
        _ if is_poll => Urgency::Poll,
        Some(Urgency::Optional) => Urgency::Optional,
        _ if registers => Urgency::Background,
        // Anything but a GET is something that the user does.
        Some(urgency) => urgency,
        None if call.method == Method::GET => Urgency::Background,
        None => Urgency::User,
    }
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
        loop {
            let pass = self.gate.enter(purpose).await?;
            let Err(wait) = self.take_budget(purpose, call) else { return Ok(pass) };
            drop(pass);
            tokio::time::sleep(wait).await;
        }
    }

    /// Takes one request of the account's budget.
    ///
    /// # Errors
    /// How long to wait before asking again.
    pub(super) fn take_budget(
        &self,
        purpose: &Purpose,
        call: &ApiCall<'_>,
    ) -> Result<(), Duration> {
        let can_wait = match purpose.urgency {
            Urgency::Background => call.method == Method::GET,
            Urgency::Optional => true,
            Urgency::Poll | Urgency::User => false,
        };
        let class = if can_wait { RequestClass::Background } else { RequestClass::User };
        self.with_budget(|budget, now| budget.take(class, now))
    }

    /// The requests that can still be sent within this minute, and the maximum per minute; `None` without a limit.
    pub fn budget_left(&self) -> Option<(usize, usize)> {
        self.with_budget(|budget, now| budget.left(now))
    }

    pub(super) fn with_budget<T>(&self, f: impl FnOnce(&mut RequestBudget, Duration) -> T) -> T {
        let now = self.started.elapsed();
        f(&mut self.budget.lock().unwrap_or_else(PoisonError::into_inner), now)
    }
}
