//! Signing in by device code, and keeping the tokens fresh (facts 8.1 to 8.5).
//!
//! The order of a renewal is fixed: a new refresh token is on disk before the access token that came with it is used.
//! Renewals run one at a time, across tasks and processes, in a task of their own: a caller may give up, and the
//! renewal still ends with its tokens stored.

mod credentials;
mod keyring;
mod more_tokens;
mod renewal;
mod requests;
mod tenant;

pub use credentials::stored_owner;
pub use tenant::SignInOutcome;

use super::transport::Transport;
use super::{BaseUrl, BaseUrlError, Error, ErrorKind, Secret};
use crate::model::UserId;
use crate::protocol::service::{ServiceProfile, SignInFallback, SignInProfile};
use crate::protocol::sign_in::{
    BoughtTokens, CodeStep, CodeWait, DeviceGrant, SignInProblem, TenantStep,
};
use credentials::{CredentialStore, Credentials, StoredToken, now};
use renewal::{RefusedRenewal, RenewalPause};
use requests::SignInFailure;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Tokens are renewed this long before they end.
const MARGIN: Duration = Duration::from_secs(300);

/// The sign-in of one account.
pub struct SignIn {
    profile: SignInProfile,
    /// The endings of the service's hosts.
    suffixes: Vec<String>,
    authority: BaseUrl,
    exchange: BaseUrl,
    store: CredentialStore,
    transport: Transport,
    /// Held during a renewal.
    one: tokio::sync::Mutex<()>,
    /// A code that the program shows.
    code: Mutex<Option<PendingCode>>,
    /// The tokens of a sign-in for which an organisation is to be chosen.
    choosing: Mutex<Option<Credentials>>,
    /// The last refusal of a renewal that repeating does not fix.
    refused: Mutex<Option<RefusedRenewal>>,
    /// Until when no token is asked for, because the service could not give one.
    pause: Mutex<Option<RenewalPause>>,
    /// The token for pictures and files, with the user and the organisation it is for.
    objects: Mutex<Option<(String, String, StoredToken)>>,
}

/// A device code that waits for the user.
pub struct PendingCode {
    pub grant: DeviceGrant,
    /// The older form, if it gave out this code.
    older: Option<SignInFallback>,
    asked: Instant,
}

/// A Skype token, and what the account's service says about where it is used.
pub(super) struct SkypeToken {
    pub token: Secret,
    /// How long it can be used before it should be renewed.
    pub fresh_for: Duration,
    /// Addresses of the chat service, the preferred one first.
    pub chat: Vec<BaseUrl>,
    pub beside: MappedServices,
}

/// Addresses of services beside the chat, if the service map has them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct MappedServices {
    pub profiles: Option<BaseUrl>,
    pub presence: Option<BaseUrl>,
}

/// What is stored about a sign-in, for `skchat doctor`. Times are milliseconds since 1970.
#[derive(Clone, Debug, Default)]
pub struct SignInStatus {
    pub user: Option<UserId>,
    pub signed_in: bool,
    pub names_allowed: bool,
    pub signed_in_at: i64,
    pub refreshed_at: i64,
    /// When the Skype token ends.
    pub skype_until: Option<i64>,
    /// Why the tokens are not in the keyring; empty if they will be from the next renewal on. `None`: they are.
    pub not_in_keyring: Option<String>,
}

impl fmt::Debug for SignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SignIn(…)")
    }
}

impl SignIn {
    /// The sign-in of an account that keeps its tokens in `dir`; `None` for a service without one.
    ///
    /// # Errors
    /// If an address of the profile is not valid.
    pub fn new(service: &ServiceProfile, dir: &Path) -> Result<Option<Self>, BaseUrlError> {
        let Some(profile) = service.sign_in.clone() else { return Ok(None) };
        let (authority, exchange) =
            (BaseUrl::parse(&profile.authority)?, BaseUrl::parse(&profile.exchange)?);
        let loopback = authority.is_loopback() && exchange.is_loopback();
        Ok(Some(Self {
            profile,
            suffixes: service.hosts.move_suffixes.clone(),
            authority,
            exchange,
            store: CredentialStore::new(dir),
            transport: Transport::new(loopback, None),
            one: tokio::sync::Mutex::new(()),
            code: Mutex::default(),
            choosing: Mutex::default(),
            refused: Mutex::default(),
            pause: Mutex::default(),
            objects: Mutex::default(),
        }))
    }

    /// Keeps the tokens in the keyring of the session if there is one.
    #[must_use]
    pub fn using_keyring(mut self) -> Self {
        self.store = self.store.with_keyring(keyring::Keyring::of_session());
        self
    }

    /// Trusts the certificates of this file, too.
    #[must_use]
    pub fn trusting(mut self, ca_file: Option<PathBuf>) -> Self {
        self.transport.ca_file = ca_file;
        self
    }

    /// Where the access token is exchanged, for services whose chat address is in the service map only.
    pub fn exchange_base(&self) -> &BaseUrl {
        &self.exchange
    }

    /// What is stored.
    ///
    /// # Errors
    /// If the stored sign-in cannot be read.
    pub async fn status(&self) -> Result<SignInStatus, Error> {
        let stored = self.store.load().await?;
        Ok(SignInStatus {
            not_in_keyring: self.store.place(&stored).await.err(),
            user: (!stored.user_id.is_empty()).then(|| UserId::new(&stored.user_id)),
            signed_in: stored.refresh_token.is_some(),
            names_allowed: stored.names_allowed,
            signed_in_at: stored.signed_in_at,
            refreshed_at: stored.refreshed_at,
            skype_until: stored.skype.map(|token| token.until),
        })
    }

    /// When the user signed in and when tokens were last bought, in milliseconds since 1970: other values mean another
    /// sign-in, or newer tokens, perhaps those of another process. `None` if the stored sign-in cannot be read.
    pub(super) async fn times(&self) -> Option<(i64, i64)> {
        // The file says it, too, where a keyring holds the tokens.
        let stored = self.store.load_file().await.ok()?;
        Some((stored.signed_in_at, stored.refreshed_at))
    }

    /// Whether the stored tokens are gone: somebody has signed out with another process. Reads a file; `false` if that
    /// cannot be read.
    pub(crate) fn is_signed_out(&self) -> bool {
        self.store.is_empty()
    }

    /// Asks for a device code: by the newer form, and by the older one if the service does not accept that.
    ///
    /// # Errors
    /// If the service refuses both, or cannot be reached.
    pub async fn request_code(&self) -> Result<PendingCode, Error> {
        let (grant, older) = match self.device_code().await {
            Ok(grant) => (grant, None),
            Err(SignInFailure::Refused(refusal))
                if refusal.problem == SignInProblem::WrongSetting =>
            {
                let Some(form) = self.profile.fallback.clone() else {
                    return Err(SignInFailure::Refused(refusal).into());
                };
                tracing::info!(number = refusal.number, "using the older form of the sign-in");
                (self.older_device_code(&form).await?, Some(form))
            }
            Err(failure) => return Err(failure.into()),
        };
        Ok(PendingCode { grant, older, asked: Instant::now() })
    }

    /// Keeps a code until its approval is waited for. A newer one takes its place.
    pub(crate) fn keep_code(&self, code: PendingCode) {
        self.forget_choice();
        *self.code.lock().unwrap_or_else(PoisonError::into_inner) = Some(code);
    }

    pub(crate) fn take_code(&self) -> Option<PendingCode> {
        self.code.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Waits until the user has approved the code, and signs in. `expected` is the owner of what is stored for this
    /// account; nobody else is signed in to it. Returns the owner, or the organisations to choose from.
    ///
    /// # Errors
    /// If the user declined, the code expired, or the service refuses the account.
    pub async fn approval(
        self: &Arc<Self>,
        code: &PendingCode,
        names_allowed: bool,
        expected: Option<&UserId>,
    ) -> Result<SignInOutcome, Error> {
        let mut wait = CodeWait::new(&code.grant, Duration::ZERO);
        loop {
            match wait.step(code.asked.elapsed()) {
                CodeStep::WaitUntil(at) => tokio::time::sleep_until(code.asked + at).await,
                CodeStep::Expired => {
                    return Err(Error::signed_out("the code has expired; ask for a new one"));
                }
                CodeStep::Ask => {
                    let asked = self.tokens_of_code(&code.grant.device_code, code.older.as_ref());
                    let problem = match asked.await {
                        Ok(tokens) => {
                            let older = code.older.is_some();
                            return self.finish(tokens, older, names_allowed, expected).await;
                        }
                        Err(SignInFailure::Refused(refusal))
                            if refusal.problem != SignInProblem::Other =>
                        {
                            if !wait.answered(Some(refusal.problem), code.asked.elapsed()) {
                                return Err(SignInFailure::Refused(refusal).into());
                            }
                            continue;
                        }
                        Err(_) => None,
                    };
                    wait.answered(problem, code.asked.elapsed());
                }
            }
        }
    }

    /// Stores the first tokens of a sign-in, and finds out whose it is.
    async fn finish(
        self: &Arc<Self>,
        tokens: BoughtTokens,
        older: bool,
        names_allowed: bool,
        expected: Option<&UserId>,
    ) -> Result<SignInOutcome, Error> {
        let (this, expected) = (Arc::clone(self), expected.cloned());
        detached(async move {
            let _one = this.one.lock().await;
            let _lock = this.store.lock().await?;
            // A keyring that cannot be opened any more does not keep anybody from signing in.
            let before = this.store.load_file().await?;
            let (refresh, at) = (tokens.refresh.as_ref(), now());
            let mut fresh = Credentials {
                client_id: this.profile.client_id.clone(),
                scope: this.profile.scope.clone(),
                refresh_token: refresh.map(|token| Secret::new(token.as_str())),
                // The first token of the older form is not accepted by the exchange.
                access: (!older).then(|| StoredToken::new(&tokens.access, tokens.life, at)),
                names_allowed: names_allowed && !this.profile.names_scope.is_empty(),
                user_id: before.user_id,
                keyring_entry: before.keyring_entry,
                signed_in_at: at,
                refreshed_at: at,
                ..Credentials::default()
            };
            match this.tenant_step(&mut fresh).await? {
                TenantStep::AsItIs => {}
                TenantStep::In(tenant) => (fresh.tenant, fresh.access) = (tenant, None),
                TenantStep::Choose(tenants) => {
                    this.wait_for_choice(fresh);
                    return Ok(SignInOutcome::ChooseTenant(tenants));
                }
                TenantStep::Personal => {
                    return Err(Error::signed_out(
                        "this is a personal account: use the personal sign-in (service teams-free)",
                    ));
                }
            }
            let owner = this.renew_first(&mut fresh, expected.as_ref()).await?;
            this.store.save(&fresh).await?;
            Ok(SignInOutcome::SignedIn(owner))
        })
        .await
    }

    /// Deletes the tokens. The owner stays known, so that what is stored can be read. This does not end the grant at
    /// the service.
    ///
    /// # Errors
    /// If the stored sign-in cannot be changed.
    pub async fn sign_out(&self) -> Result<bool, Error> {
        let _one = self.one.lock().await;
        let _lock = self.store.lock().await?;
        self.store.clear().await
    }

    /// Waits for a renewal that is under way.
    pub async fn idle(&self) {
        drop(self.one.lock().await);
    }

    /// A Skype token: the stored one while it is valid and is not the rejected one, else a new one.
    pub(super) async fn skype_token(
        self: &Arc<Self>,
        rejected: Option<Secret>,
    ) -> Result<SkypeToken, Error> {
        let this = Arc::clone(self);
        detached(async move {
            let _one = this.one.lock().await;
            let _lock = this.store.lock().await?;
            let mut stored = this.store.load().await?;
            if stored.refresh_token.is_none() && stored.skype.is_none() {
                return Err(Error::signed_out("the account is not signed in"));
            }
            let usable = |token: &StoredToken, margin| {
                token.is_valid(now(), margin) && rejected.as_ref() != Some(&token.token)
            };
            let old = stored.skype.clone().filter(|token| usable(token, Duration::ZERO));
            if !old.as_ref().is_some_and(|token| usable(token, MARGIN)) {
                let expected = (!stored.user_id.is_empty()).then(|| UserId::new(&stored.user_id));
                let renewed = this.renew_or_wait(&mut stored, expected.as_ref()).await;
                match renewed {
                    Ok(_) => this.store.save(&stored).await?,
                    // The old token is still good for a while.
                    Err(error) if old.is_some() && error.kind != ErrorKind::SignedOut => {
                        tracing::info!(kind = ?error.kind, "the Skype token was not renewed");
                    }
                    Err(error) => return Err(error),
                }
            }
            Self::granted(&stored)
        })
        .await
    }

    fn granted(stored: &Credentials) -> Result<SkypeToken, Error> {
        let skype = stored.skype.as_ref().ok_or(Error::signed_out("there is no token"))?;
        let left = u64::try_from(skype.until.saturating_sub(now())).unwrap_or(0);
        let left = Duration::from_millis(left);
        // A token with a lifetime shorter than the margin is renewed after half of what is left.
        let fresh_for = left.saturating_sub(MARGIN).max(left / 2);
        let chat = stored.chat.iter().filter_map(|text| BaseUrl::parse(text).ok()).collect();
        let beside = MappedServices {
            profiles: BaseUrl::parse(&stored.profiles).ok(),
            presence: BaseUrl::parse(&stored.presence).ok(),
        };
        Ok(SkypeToken { token: skype.token.clone(), fresh_for, chat, beside })
    }
}

/// Runs work in a task of its own, which continues when the caller gives up.
async fn detached<T: Send + 'static>(
    work: impl Future<Output = Result<T, Error>> + Send + 'static,
) -> Result<T, Error> {
    let done = tokio::spawn(work).await;
    done.unwrap_or_else(|e| Err(Error::bad_answer("the sign-in stopped unexpectedly").caused_by(e)))
}
