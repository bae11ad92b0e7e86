//! The HTTP client of one account, with a method for each operation of the protocol. Every request goes through
//! `Client::send_once`.
//!
//! Knows nothing of the store or the screen. It follows no redirects, sends credentials to configured origins only, and
//! limits the size of an answer after decompression.

mod admission;
mod asked_wait;
mod auth;
mod backoff;
mod base_url;
mod body;
mod budget;
mod calls;
mod error;
mod failing;
mod gate;
mod headers;
mod names;
pub(crate) mod new_chat;
mod objects;
mod other_host;
mod pace;
mod presence;
mod side_services;
pub mod sign_in;
mod tls;
mod token;
mod transport;

pub(crate) use admission::{for_user, if_all_is_well};
pub use auth::Secret;
pub use base_url::{BaseUrl, BaseUrlError};
pub use calls::NewMember;
pub use error::{Error, ErrorKind};
pub use objects::ObjectStream;
pub use token::{TokenFile, TokenSource};

use crate::model::{AuthStyle, Timestamp, UserId};
use crate::protocol::service::ServiceProfile;
use auth::ClientSession;
use backoff::Waits;
use body::ReplyBody;
use budget::RequestBudget;
use failing::Purpose;
use gate::Gate;
use headers::Credential;
use reqwest::header::{CONTENT_TYPE, DATE, HeaderMap, LOCATION, RETRY_AFTER};
use reqwest::{Method, StatusCode};
use serde_json::Value;
use side_services::{ServiceTroubles, SideService};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;
use transport::Transport;

/// Where an account lives and how it signs in.
#[derive(Clone)]
pub struct ClientOptions {
    pub user: UserId,
    /// Paths, queries and hosts of the service behind the bases.
    pub service: ServiceProfile,
    pub gateway: BaseUrl,
    pub scheduler: Option<BaseUrl>,
    pub join: Option<BaseUrl>,
    pub profiles: Option<BaseUrl>,
    pub presence: Option<BaseUrl>,
    /// The chat service at another host.
    pub fallback: Option<BaseUrl>,
    pub auth: AuthStyle,
    pub token: TokenSource,
    /// Limit for requests other than polls.
    pub timeout: Duration,
    /// Limit for polls, which the server answers when there is something new, or after 30 seconds (facts 2.2).
    pub poll_timeout: Duration,
    /// Certificates in PEM form to trust in addition to those of the system.
    pub ca_file: Option<PathBuf>,
}

impl ClientOptions {
    /// Options for the reference service with the default timeouts.
    pub fn new(user: UserId, gateway: BaseUrl, token: TokenSource) -> Self {
        Self {
            user,
            service: ServiceProfile::reference(),
            gateway,
            scheduler: None,
            join: None,
            profiles: None,
            presence: None,
            fallback: None,
            auth: AuthStyle::Registration,
            token,
            timeout: Duration::from_secs(30),
            // So that a dead connection is reported within 40 seconds.
            poll_timeout: Duration::from_millis(39_500),
            ca_file: None,
        }
    }
}

pub struct Client {
    options: ClientOptions,
    transport: Transport,
    session: Mutex<ClientSession>,
    /// Locked while a token is read or an endpoint registered, so that only one task does it.
    /// Holds when the endpoint was last registered again because of a rejection, although the token was the same.
    refreshing: tokio::sync::Mutex<Option<Instant>>,
    gate: Gate,
    troubles: ServiceTroubles,
    budget: Mutex<RequestBudget>,
    /// When this client was made; the budget counts from here.
    started: Instant,
    /// The server's clock as last reported, and when that was.
    server_clock: Mutex<Option<(Timestamp, Instant)>>,
}

/// The wait before attempt number `attempt` (from 1), between `base` and `cap`.
pub(crate) fn backoff(base: Duration, cap: Duration, attempt: u32) -> Duration {
    backoff::wait(base, cap, attempt, backoff::random())
}

struct ApiCall<'a> {
    method: Method,
    base: &'a BaseUrl,
    path: &'a str,
    body: Option<&'a Value>,
    credential: Credential,
    /// The service that is asked instead of the chat service; `None` for the chat service.
    service: Option<SideService>,
    timeout: Duration,
}

/// The error for a message that was sent before under the same client id.
const DUPLICATE: u32 = 8_400;

/// A successful answer.
struct Reply {
    body: String,
    location: Option<String>,
}

impl Client {
    pub fn new(options: ClientOptions) -> Self {
        Self {
            session: Mutex::new(ClientSession::of_hosts(
                &options.gateway,
                options.fallback.as_ref(),
            )),
            budget: Mutex::new(RequestBudget::new(options.service.polling.budget)),
            started: Instant::now(),
            transport: Transport::new(options.gateway.is_loopback(), options.ca_file.clone()),
            options,
            refreshing: tokio::sync::Mutex::new(None),
            gate: Gate::default(),
            troubles: ServiceTroubles::default(),
            server_clock: Mutex::new(None),
        }
    }

    /// The time by the server's clock; `None` before its first answer, or if it does not report it.
    pub(crate) fn server_time(&self) -> Option<Timestamp> {
        let (then, at) = (*self.server_clock.lock().unwrap_or_else(PoisonError::into_inner))?;
        let since = i64::try_from(at.elapsed().as_millis()).unwrap_or(i64::MAX);
        Some(Timestamp(then.0.saturating_add(since)))
    }

    /// Sets the first and the longest wait of the back-off.
    pub(crate) fn set_backoff(&self, base: Duration, cap: Duration) {
        self.gate.set_waits(Waits { base, cap });
    }

    pub fn user(&self) -> &UserId {
        &self.options.user
    }

    /// The address of the chat service.
    pub fn address(&self) -> String {
        self.options.gateway.to_string()
    }

    fn service(&self) -> &ServiceProfile {
        &self.options.service
    }

    fn session<T>(&self, f: impl FnOnce(&mut ClientSession) -> T) -> T {
        f(&mut self.session.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Sends a chat request. See `send_authenticated`.
    async fn chat(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Reply, Error> {
        self.send_authenticated(ApiCall {
            method,
            base: &self.options.gateway,
            path,
            body,
            credential: Credential::Chat,
            service: None,
            timeout: self.options.timeout,
        })
        .await
    }

    /// Asks for a page of a list. Where it would be too large, smaller pages are asked for, down to one item. Returns the
    /// answer and the number of items that were asked for.
    async fn list(
        &self,
        page_size: u32,
        path: impl Fn(u32) -> String,
    ) -> Result<(Reply, u32), Error> {
        let mut size = page_size;
        loop {
            match self.chat(Method::GET, &path(size), None).await {
                Err(error) if error.is_oversized() && size > 1 => size = (size / 4).max(1),
                other => return other.map(|reply| (reply, size)),
            }
        }
    }

    async fn send_authenticated(&self, call: ApiCall<'_>) -> Result<Reply, Error> {
        self.sign_in(call.credential).await?;
        let used = self.session(|s| s.generation);
        match self.send_once(&call).await {
            Err(error) if error.kind == ErrorKind::TokenRejected => {
                self.refresh_token(used, call.credential).await?;
                self.sign_in(call.credential).await?;
                self.send_once(&call).await
            }
            // A stale endpoint answers 403 until a new one is registered (facts 2.2).
            Err(error) if error.is_inaccessible() && call.credential == Credential::Endpoint => {
                self.session(|s| s.registration = None);
                Err(Error::endpoint_gone())
            }
            // The registration has ended. The poller has to know, because its subscription has ended with it.
            Err(error) if error.kind == ErrorKind::EndpointGone => {
                self.session(|s| s.registration = None);
                if call.credential == Credential::Endpoint {
                    return Err(error);
                }
                self.sign_in(call.credential).await?;
                self.send_once(&call).await
            }
            Err(error) if error.kind == ErrorKind::Moved => {
                if error.may_work_elsewhere() {
                    self.renew_service_map(used, call.credential).await?;
                }
                self.sign_in(call.credential).await?;
                self.send_once(&call).await
            }
            Err(error) if self.changes_host(&call, &error) => self.send_once(&call).await,
            other => other,
        }
    }

    /// Sends one request as soon as it is allowed to, and reads its answer.
    async fn send_once(&self, call: &ApiCall<'_>) -> Result<Reply, Error> {
        if let Some(service) = call.service {
            return self.send_to_side_service(service, call).await;
        }
        let is_poll =
            call.timeout == self.options.poll_timeout && call.credential == Credential::Endpoint;
        let purpose =
            Purpose::new(call.method.as_str(), call.path, admission::urgency(call, is_poll));
        let pass = self.admit(&purpose, call).await?;
        let mut result = self.exchange(call).await;
        // Of a poll's answer, the part that can be read counts.
        if !is_poll && result.as_ref().is_ok_and(|reply| body::is_cut_off(&reply.body)) {
            result = Err(Error::cut_off());
        }
        self.drop_dead_connections(&result).await;
        if result.as_ref().is_err_and(Error::is_rate_limit) {
            self.with_budget(RequestBudget::refused);
        }
        self.gate.leave(pass, &purpose, &mut result);
        result
    }

    /// After a request without an answer in time, the next one does not reuse a connection that may be dead.
    async fn drop_dead_connections<T>(&self, result: &Result<T, Error>) {
        if result.as_ref().is_err_and(Error::is_timeout) {
            self.transport.drop_connections().await;
        }
    }

    async fn exchange(&self, call: &ApiCall<'_>) -> Result<Reply, Error> {
        let base = self
            .session(|s| s.moved_to.clone().or_else(|| s.chat.first().cloned()))
            .filter(|_| std::ptr::eq(call.base, &raw const self.options.gateway));
        let url = base.as_ref().unwrap_or(call.base).join(call.path)?;
        let headers = self.headers(call.credential)?;
        let mut request = self
            .transport
            .client(&url)
            .await?
            .request(call.method.clone(), url)
            .headers(headers)
            .timeout(call.timeout);
        if let Some(body) = call.body {
            request = request.header(CONTENT_TYPE, "application/json").body(body.to_string());
        }
        let failed = |error| Error::transport(error, call.timeout);
        let mut response = request.send().await.map_err(failed)?;
        let status = response.status();
        let fresh = header(response.headers(), "set-registrationtoken");
        if let Some(token) = fresh.as_deref().and_then(auth::registration_of)
            && !matches!(call.credential, Credential::Service | Credential::Names)
        {
            self.session(|s| s.registration = Some(Secret::new(token)));
        }
        let location = header(response.headers(), LOCATION.as_str());
        let asked_wait = asked_wait::AskedWait {
            retry_after: header(response.headers(), RETRY_AFTER.as_str()),
            date: header(response.headers(), DATE.as_str()),
        };
        // Other services may have other clocks.
        if let Some(now) = asked_wait.server_time().filter(|_| call.service.is_none()) {
            let mut clock = self.server_clock.lock().unwrap_or_else(PoisonError::into_inner);
            *clock = Some((now, Instant::now()));
        }
        let is_html = header(response.headers(), CONTENT_TYPE.as_str())
            .is_some_and(|t| t.to_ascii_lowercase().contains("html"));
        let mut body = ReplyBody::default();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            body.push(&chunk).map_err(|_| Error::oversized())?;
        }
        let body = body.into_text();
        let names_host = matches!(crate::protocol::wire::error_code(&body), Some(752 | 8_003));
        if status == StatusCode::NOT_FOUND && names_host && self.own_sign_in().is_some() {
            return Err(Error::stale_map());
        }
        if self.moved(status, &body, location.as_deref(), call)? {
            return Err(Error::moved());
        }
        // The message is there already: an earlier answer was lost (facts 6).
        let is_duplicate = status == StatusCode::CONFLICT
            && crate::protocol::wire::error_code(&body) == Some(DUPLICATE);
        if is_duplicate {
            return Ok(Reply { body: String::new(), location });
        }
        if !status.is_success() {
            return Err(Error::of_status(status, &body, &asked_wait));
        }
        if is_html || body.trim_start().starts_with('<') {
            return Err(Error::web_page());
        }
        if let Some(code) = crate::protocol::wire::error_code(&body) {
            return Err(Error::inside(code, &body));
        }
        Ok(Reply { body, location })
    }
}

fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).and_then(|v| v.to_str().ok()).map(str::to_owned).filter(|v| !v.is_empty())
}
