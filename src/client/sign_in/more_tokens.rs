//! Tokens of the same sign-in for services beside the chat (facts 8.3, 8.9).

use super::credentials::{StoredToken, now};
use super::{MARGIN, SignIn, detached};
use crate::client::{Error, Secret};
use std::sync::{Arc, PoisonError};

impl SignIn {
    /// Whether the user has agreed that the services beside the chat are asked. Reads a file.
    pub(in crate::client) async fn allows_names(&self) -> bool {
        let stored = self.store.load_file().await;
        !self.profile.names_scope.is_empty() && stored.is_ok_and(|stored| stored.names_allowed)
    }

    /// The token for the middle tier; `None` without the user's consent.
    pub(in crate::client) async fn names_token(self: &Arc<Self>) -> Result<Option<Secret>, Error> {
        let this = Arc::clone(self);
        detached(async move {
            let _one = this.one.lock().await;
            let _lock = this.store.lock().await?;
            let mut stored = this.store.load().await?;
            let scope = &this.profile.names_scope;
            let Some(refresh) = stored.refresh_token.clone() else { return Ok(None) };
            if !stored.names_allowed || scope.is_empty() {
                return Ok(None);
            }
            if let Some(names) = stored.names.as_ref().filter(|t| t.is_valid(now(), MARGIN)) {
                return Ok(Some(names.token.clone()));
            }
            let tenant = this.tenant_of(&stored).to_owned();
            let tokens = this.refresh(&stored.client_id, &refresh, scope, &tenant).await?;
            if let Some(new) = &tokens.refresh {
                stored.refresh_token = Some(Secret::new(new.as_str()));
            }
            let names = StoredToken::new(&tokens.access, tokens.life, now());
            let token = names.token.clone();
            stored.names = Some(names);
            this.store.save(&stored).await?;
            Ok(Some(token))
        })
        .await
    }

    /// The token of this scope for pictures and files; `None` without a scope. It is kept in memory only.
    pub(in crate::client) async fn objects_token(
        self: &Arc<Self>,
        scope: &str,
    ) -> Result<Option<Secret>, Error> {
        if scope.is_empty() {
            return Ok(None);
        }
        let (this, scope) = (Arc::clone(self), scope.to_owned());
        detached(async move {
            let _one = this.one.lock().await;
            let _lock = this.store.lock().await?;
            let mut stored = this.store.load().await?;
            let Some(refresh) = stored.refresh_token.clone() else { return Ok(None) };
            let (user, tenant) = (stored.user_id.clone(), this.tenant_of(&stored).to_owned());
            let kept = || this.objects.lock().unwrap_or_else(PoisonError::into_inner);
            let known = kept().clone().filter(|(of, at, token)| {
                *of == user && *at == tenant && token.is_valid(now(), MARGIN)
            });
            if let Some((_, _, known)) = known {
                return Ok(Some(known.token));
            }
            let tokens = this.refresh(&stored.client_id, &refresh, &scope, &tenant).await?;
            if let Some(new) = &tokens.refresh {
                stored.refresh_token = Some(Secret::new(new.as_str()));
                this.store.save(&stored).await?;
            }
            let fresh = StoredToken::new(&tokens.access, tokens.life, now());
            let token = fresh.token.clone();
            *kept() = Some((user, tenant, fresh));
            Ok(Some(token))
        })
        .await
    }

    /// The access token itself, which some services want beside the Skype token.
    pub(in crate::client) async fn access_token(self: &Arc<Self>) -> Result<Option<Secret>, Error> {
        let this = Arc::clone(self);
        detached(async move {
            let _one = this.one.lock().await;
            let _lock = this.store.lock().await?;
            let mut stored = this.store.load().await?;
            if let Some(access) = stored.access.as_ref().filter(|t| t.is_valid(now(), MARGIN)) {
                return Ok(Some(access.token.clone()));
            }
            if stored.refresh_token.is_none() {
                return Ok(None);
            }
            this.refreshed(&mut stored, true).await.map(Some)
        })
        .await
    }
}
