//! The requests of a sign-in. Bodies of answers are never passed on: a refusal can contain the token that was sent.

use super::super::asked_wait::AskedWait;
use super::super::body::ReplyBody;
use super::super::{BaseUrl, Error, ErrorKind, Secret};
use super::SignIn;
use crate::protocol::service::SignInFallback;
use crate::protocol::sign_in::{
    self, BoughtTokens, DeviceGrant, ExchangeRefusal, Exchanged, SignInProblem, SignInRefusal,
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::StatusCode;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, DATE, HeaderValue, RETRY_AFTER};
use std::fmt::Write as _;
use std::time::Duration;
use zeroize::Zeroizing;

const TIMEOUT: Duration = Duration::from_secs(30);
const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// A request of the sign-in that failed.
#[derive(Debug)]
pub(super) enum SignInFailure {
    /// The sign-in service refused.
    Refused(SignInRefusal),
    /// The exchange refused.
    Exchange(ExchangeRefusal),
    /// There was no usable answer.
    Failed(Error),
}

impl From<Error> for SignInFailure {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl From<SignInFailure> for Error {
    fn from(failure: SignInFailure) -> Self {
        match failure {
            SignInFailure::Refused(refusal) if refusal.problem == SignInProblem::Other => {
                Error::unavailable(&refusal.text())
            }
            SignInFailure::Refused(refusal) => Error::signed_out(&refusal.text()),
            SignInFailure::Exchange(refusal) => Error::signed_out(refusal.text()),
            SignInFailure::Failed(error) => error,
        }
    }
}

/// An answer: whether it is a success, and its body.
struct TextAnswer {
    status: StatusCode,
    asked_wait: AskedWait,
    body: Zeroizing<String>,
}

impl SignIn {
    /// Asks for a device code by the newer form.
    pub(super) async fn device_code(&self) -> Result<DeviceGrant, SignInFailure> {
        let profile = &self.profile;
        let fields = [("client_id", profile.client_id.as_str()), ("scope", &profile.scope)];
        let path = path(&profile.device_code_path, &profile.tenant);
        let answer = self.form(&path, &fields).await?;
        read(&answer, sign_in::device_grant)
    }

    /// Asks for a device code by the older form.
    pub(super) async fn older_device_code(
        &self,
        form: &SignInFallback,
    ) -> Result<DeviceGrant, SignInFailure> {
        let fields = [("client_id", self.profile.client_id.as_str()), ("resource", &form.resource)];
        let answer = self.form(&path(&form.device_code_path, &form.tenant), &fields).await?;
        read(&answer, sign_in::device_grant)
    }

    /// Asks for the tokens of a device code.
    pub(super) async fn tokens_of_code(
        &self,
        device_code: &str,
        older: Option<&SignInFallback>,
    ) -> Result<BoughtTokens, SignInFailure> {
        let client = ("client_id", self.profile.client_id.as_str());
        let grant = ("grant_type", DEVICE_CODE);
        let answer = if let Some(form) = older {
            let fields = [client, grant, ("code", device_code), ("resource", &form.resource)];
            self.form(&path(&form.token_path, &form.tenant), &fields).await?
        } else {
            let fields = [client, grant, ("device_code", device_code)];
            self.form(&path(&self.profile.token_path, &self.profile.tenant), &fields).await?
        };
        read(&answer, sign_in::bought_tokens)
    }

    /// Buys tokens of a scope with a refresh token, which may be used up by it.
    pub(super) async fn refresh(
        &self,
        client_id: &str,
        refresh_token: &Secret,
        scope: &str,
        tenant: &str,
    ) -> Result<BoughtTokens, SignInFailure> {
        let fields = [
            ("client_id", client_id),
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh_token.reveal()),
            ("scope", scope),
        ];
        let path = path(&self.profile.token_path, tenant);
        let answer = self.form(&path, &fields).await?;
        read(&answer, sign_in::bought_tokens)
    }

    /// Reads what the service gives to the owner of an access token.
    pub(super) async fn with_bearer(
        &self,
        base: &BaseUrl,
        access: &Secret,
    ) -> Result<Zeroizing<String>, Error> {
        let url = base.join("")?;
        let request = self
            .transport
            .client(&url)
            .await?
            .get(url)
            .header(AUTHORIZATION, bearer(access)?)
            .header(ACCEPT, "application/json");
        let answer = answer(request).await?;
        if answer.status.is_success() { Ok(answer.body) } else { Err(failed(&answer)) }
    }

    /// Exchanges an access token for a Skype token and the service map.
    pub(super) async fn exchange(&self, access: &Secret) -> Result<Exchanged, SignInFailure> {
        let url = self.exchange.join("")?;
        let request = self
            .transport
            .client(&url)
            .await?
            .post(url)
            .header(AUTHORIZATION, bearer(access)?)
            .header(ACCEPT, "application/json; ver=1.0")
            .header("content-length", "0");
        let answer = answer(request).await?;
        match answer.status.as_u16() {
            401 | 403 => Err(SignInFailure::Exchange(sign_in::exchange_refusal(&answer.body))),
            _ if answer.status.is_success() => read(&answer, sign_in::exchanged),
            _ => Err(failed(&answer).into()),
        }
    }

    async fn form(&self, path: &str, fields: &[(&str, &str)]) -> Result<TextAnswer, Error> {
        let mut body = String::with_capacity(8 * 1024);
        for (name, value) in fields {
            let separator = if body.is_empty() { "" } else { "&" };
            let _ =
                write!(body, "{separator}{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC));
        }
        let url = self.authority.join(path)?;
        let request = self
            .transport
            .client(&url)
            .await?
            .post(url)
            .header(ACCEPT, "application/json")
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(body);
        answer(request).await
    }
}

fn bearer(access: &Secret) -> Result<HeaderValue, Error> {
    let mut bearer = HeaderValue::from_str(&format!("Bearer {}", access.reveal()))
        .map_err(|_| Error::bad_answer("the access token is not valid"))?;
    bearer.set_sensitive(true);
    Ok(bearer)
}

fn path(path: &str, tenant: &str) -> String {
    path.replace(
        "{tenant}",
        &utf8_percent_encode(tenant, NON_ALPHANUMERIC)
            .to_string()
            .replace("%2D", "-")
            .replace("%2E", "."),
    )
}

async fn answer(request: reqwest::RequestBuilder) -> Result<TextAnswer, Error> {
    let lost = |error| Error::transport(error, TIMEOUT);
    let mut response = request.timeout(TIMEOUT).send().await.map_err(lost)?;
    let status = response.status();
    let asked_wait = AskedWait {
        retry_after: super::super::header(response.headers(), RETRY_AFTER.as_str()),
        date: super::super::header(response.headers(), DATE.as_str()),
    };
    let mut body = ReplyBody::default();
    while let Some(chunk) = response.chunk().await.map_err(lost)? {
        body.push(&chunk).map_err(|_| Error::oversized())?;
    }
    Ok(TextAnswer { status, asked_wait, body: Zeroizing::new(body.into_text()) })
}

/// Reads a success, or the refusal of the sign-in service.
fn read<T>(answer: &TextAnswer, parse: impl Fn(&str) -> Option<T>) -> Result<T, SignInFailure> {
    if answer.status.is_success() {
        return parse(&answer.body).ok_or_else(|| {
            let portal = "the answer did not come from a sign-in service (does this network require its own sign-in?)";
            Error::bad_answer(portal).into()
        });
    }
    let refusal = sign_in::refusal(&answer.body);
    let temporary = matches!(answer.status.as_u16(), 408 | 425 | 429 | 500..=599);
    let is_refusal = matches!(answer.status.as_u16(), 400..=403)
        && (refusal.name.is_some() || refusal.number.is_some());
    if is_refusal && !temporary {
        return Err(SignInFailure::Refused(refusal));
    }
    Err(failed(answer).into())
}

/// The error of an answer that is neither a success nor a refusal.
fn failed(answer: &TextAnswer) -> Error {
    let error = Error::of_status(answer.status, "", &answer.asked_wait);
    if error.kind == ErrorKind::TokenRejected {
        return Error::unavailable("the sign-in service refused (401)");
    }
    error
}

/// An address of the service map, if it may be used: on the origin of the exchange, or on a host of the service.
pub(super) fn mapped(
    exchange: &BaseUrl,
    address: &str,
    path: &str,
    suffixes: &[String],
) -> Option<BaseUrl> {
    let base = BaseUrl::parse(&format!("{}{path}", address.trim_end_matches('/'))).ok()?;
    exchange.may_map_to(&base, suffixes).then_some(base)
}
