//! The choice of an organisation during the sign-in of a work account (facts 8.5).

use super::credentials::Credentials;
use super::requests::mapped;
use super::{SignIn, detached};
use crate::client::{Error, Secret};
use crate::model::{SignInTenant, UserId};
use crate::protocol::sign_in::{
    TenantStep, is_any_tenant, is_tenant, tenant_step, tenants, token_tenant,
};
use std::sync::{Arc, PoisonError};

/// How a sign-in went after the user had approved its code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignInOutcome {
    SignedIn(UserId),
    /// The account belongs to several organisations: [`SignIn::choose_tenant`] continues in one of them.
    ChooseTenant(Vec<SignInTenant>),
}

impl SignIn {
    /// The tenant in which tokens of this sign-in are renewed.
    pub(super) fn tenant_of<'a>(&'a self, stored: &'a Credentials) -> &'a str {
        let chosen = stored.tenant.as_str();
        let is_open = is_any_tenant(&self.profile.tenant) && !chosen.is_empty();
        if is_open { chosen } else { &self.profile.tenant }
    }

    /// Finds out in which organisation a sign-in continues. The list of the service only helps: without it, the sign-in
    /// continues in the tenant of the token.
    pub(super) async fn tenant_step(&self, fresh: &mut Credentials) -> Result<TenantStep, Error> {
        if self.profile.tenants.is_empty() || !is_any_tenant(&self.profile.tenant) {
            return Ok(TenantStep::AsItIs);
        }
        let access = match fresh.access.as_ref() {
            Some(access) => access.token.clone(),
            None => self.refreshed(fresh, false).await?,
        };
        let own = token_tenant(access.reveal());
        Ok(tenant_step(own.as_deref(), self.listed_tenants(&access).await))
    }

    async fn listed_tenants(&self, access: &Secret) -> Option<Vec<SignInTenant>> {
        let base = mapped(&self.exchange, &self.profile.tenants, "", &self.suffixes)?;
        match self.with_bearer(&base, access).await {
            Ok(body) => tenants(&body),
            Err(error) => {
                tracing::info!(kind = ?error.kind, "the organisations of the account are not known");
                None
            }
        }
    }

    /// Keeps the tokens of a sign-in until the user has chosen an organisation.
    pub(super) fn wait_for_choice(&self, fresh: Credentials) {
        *self.choosing.lock().unwrap_or_else(PoisonError::into_inner) = Some(fresh);
    }

    /// Forgets a sign-in for which no organisation was chosen.
    pub(super) fn forget_choice(&self) {
        *self.choosing.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Continues a sign-in in this organisation. Another one can be chosen after an error. Returns the owner.
    ///
    /// # Errors
    /// If no sign-in waits for a choice, or the service refuses the account there.
    pub async fn choose_tenant(
        self: &Arc<Self>,
        tenant: &str,
        expected: Option<&UserId>,
    ) -> Result<UserId, Error> {
        if !is_tenant(tenant) {
            return Err(Error::invalid_input("this is not a domain or a tenant id"));
        }
        let waiting = self.choosing.lock().unwrap_or_else(PoisonError::into_inner).take();
        let mut fresh = waiting.ok_or_else(Error::no_code)?;
        tenant.clone_into(&mut fresh.tenant);
        fresh.access = None;
        let (this, expected) = (Arc::clone(self), expected.cloned());
        detached(async move {
            let chosen = this.in_chosen_tenant(&mut fresh, expected.as_ref()).await;
            if chosen.is_err() {
                // The code that bought them is used up, so they are kept for another try, even if the disk is full.
                this.wait_for_choice(fresh);
            }
            chosen
        })
        .await
    }

    async fn in_chosen_tenant(
        &self,
        fresh: &mut Credentials,
        expected: Option<&UserId>,
    ) -> Result<UserId, Error> {
        let _one = self.one.lock().await;
        let _lock = self.store.lock().await?;
        let owner = self.renew_first(fresh, expected).await?;
        self.store.save(fresh).await?;
        Ok(owner)
    }
}
