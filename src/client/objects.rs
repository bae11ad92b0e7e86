//! The pictures and files that messages refer to (facts 8.10).
//!
//! The token goes only to hosts that the service's profile lists and to the chat service's own origin, and never along
//! a redirect to another host. A refusal by one of them says nothing about the sign-in.

use super::asked_wait::AskedWait;
use super::error::{Error, ErrorKind};
use super::failing::{Purpose, Urgency};
use super::side_services::SideService;
use super::{BaseUrl, Client, Credential, Secret, header};
use crate::model::{MediaKind, ObjectFile, ObjectHosts};
use crate::protocol::{ObjectState, object_state};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::header::{
    AUTHORIZATION, CONTENT_TYPE, COOKIE, DATE, HeaderValue, LOCATION, RETRY_AFTER, SET_COOKIE,
};
use reqwest::{Method, RequestBuilder, Response, StatusCode, Url};
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// How often the service is asked whether a view is ready, and how many times.
const READY_STEP: Duration = Duration::from_secs(1);
const READY_TRIES: u32 = 30;
/// Redirects within a host that are followed.
const MAX_REDIRECTS: usize = 3;
/// Of an answer that is not a file, no more than this is read.
const MAX_TEXT: usize = 64 * 1024;
/// Longer cookies are not kept.
const MAX_COOKIES: usize = 8 * 1024;
const MEGABYTE: u64 = 1_000_000;

/// How a host takes the token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TokenWay {
    /// A token of its own, which work accounts have.
    Bearer,
    /// The Skype token in a header.
    Header,
    /// The Skype token as a cookie.
    Cookie,
    /// A cookie that the host has given for the Skype token.
    Issued(Secret),
}

/// A file that is arriving.
pub struct ObjectStream {
    response: Response,
    timeout: Duration,
    received: u64,
    most_megabytes: u64,
    /// How large it is, if the service says so.
    pub size: Option<u64>,
    pub content_type: Option<String>,
}

impl ObjectStream {
    /// The next part; `None` at the end.
    ///
    /// # Errors
    /// If the connection ends too early, or the file is too large.
    pub async fn next(&mut self) -> Result<Option<impl AsRef<[u8]> + use<>>, Error> {
        let chunk = timeout(self.timeout, self.response.chunk()).await;
        let chunk = chunk.map_err(|_| Error::no_answer(self.timeout))?;
        let chunk = chunk.map_err(|error| Error::transport(error, self.timeout))?;
        let length = chunk.as_ref().map_or(0, |chunk| AsRef::<[u8]>::as_ref(chunk).len());
        self.received = self.received.saturating_add(u64::try_from(length).unwrap_or(u64::MAX));
        if self.received > self.most_megabytes.saturating_mul(MEGABYTE) {
            return Err(too_large(self.most_megabytes));
        }
        Ok(chunk)
    }
}

impl Client {
    /// Where the files are that this account can fetch.
    pub(crate) fn object_hosts(&self) -> ObjectHosts {
        ObjectHosts {
            origin: self.options.gateway.origin(),
            suffixes: self.service().hosts.object_suffixes.clone(),
        }
    }

    /// Begins to fetch a file.
    ///
    /// # Errors
    /// If its address is not one of the service's, nothing is sent. The messages are for the user.
    pub async fn object(&self, file: &ObjectFile) -> Result<ObjectStream, Error> {
        let suffixes = &self.service().hosts.object_suffixes;
        let object = self.options.gateway.object(&file.url, suffixes).ok_or_else(|| {
            Error::refused("its address does not belong to the service; nothing was sent there")
        })?;
        self.troubles.check(SideService::Objects)?;
        self.gate.check(&Purpose::new("GET", "/objects/views", Urgency::User))?;
        self.sign_in(Credential::Service).await?;
        let sent = Instant::now();
        let mut result = self.best_view(&object, file.kind).await;
        self.drop_dead_connections(&result).await;
        self.troubles.note(SideService::Objects, sent, &mut result, |n| self.gate.backoff(n));
        result
    }

    /// The first view that the service has.
    async fn best_view(&self, object: &BaseUrl, kind: MediaKind) -> Result<ObjectStream, Error> {
        for view in self.service().objects.views(kind) {
            if let Some(response) = self.view(object, view).await? {
                return self.stream(response, kind);
            }
        }
        let words = "the service does not have this file any more (files expire there)";
        Err(Error::no_file(ErrorKind::NotFound, words))
    }

    fn stream(&self, response: Response, kind: MediaKind) -> Result<ObjectStream, Error> {
        let most_megabytes = self.service().objects.most_megabytes;
        let size = response.content_length();
        if size.is_some_and(|size| size > most_megabytes.saturating_mul(MEGABYTE)) {
            return Err(too_large(most_megabytes));
        }
        let content_type = header(response.headers(), CONTENT_TYPE.as_str());
        let is_page = content_type.as_ref().is_some_and(|kind| kind.starts_with("text/html"));
        if is_page && kind != MediaKind::File {
            return Err(Error::web_page());
        }
        let timeout = self.options.timeout;
        Ok(ObjectStream { response, timeout, received: 0, most_megabytes, size, content_type })
    }

    /// One view, as soon as it is ready; `None` if there is none.
    async fn view(&self, object: &BaseUrl, view: &str) -> Result<Option<Response>, Error> {
        let path = self.service().object_view(view);
        for is_last in [false, true] {
            let response = self.ask_object(object, &path).await?;
            match response.status() {
                StatusCode::NOT_FOUND | StatusCode::GONE | StatusCode::ACCEPTED if is_last => {
                    return Ok(None);
                }
                StatusCode::NOT_FOUND | StatusCode::GONE | StatusCode::ACCEPTED => {}
                // A view that cannot be read.
                StatusCode::BAD_REQUEST => return Ok(None),
                status if status.is_success() => return Ok(Some(response)),
                _ => return Err(self.refusal(response).await),
            }
            if !self.becomes_ready(object, view).await? {
                return Ok(None);
            }
        }
        Ok(None)
    }

    /// Waits until a view that is not there can be fetched. False if it never will be.
    async fn becomes_ready(&self, object: &BaseUrl, view: &str) -> Result<bool, Error> {
        let path = self.service().object_status(view);
        for _ in 0..READY_TRIES {
            let response = self.ask_object(object, &path).await?;
            match response.status() {
                StatusCode::NOT_FOUND | StatusCode::GONE => return Ok(false),
                status if status.is_success() => {}
                _ => return Err(self.refusal(response).await),
            }
            match object_state(&self.text(response).await) {
                ObjectState::Ready => return Ok(true),
                ObjectState::Gone => return Ok(false),
                ObjectState::Harmful => {
                    return Err(Error::refused("the service found something harmful in this file"));
                }
                ObjectState::Preparing => tokio::time::sleep(READY_STEP).await,
            }
        }
        Err(Error::refused("the service is still preparing this file; try again in a minute"))
    }

    /// Asks for a path of an object in the way that its host takes the token. The answer is
    /// never a refusal of the token.
    async fn ask_object(&self, object: &BaseUrl, path: &str) -> Result<Response, Error> {
        let known = self.session(|s| s.object_ways.get(&object.origin()).cloned());
        if let Some(way) = &known
            && let Some(response) = self.ask_in_way(object, path, way).await?
        {
            return Ok(response);
        }
        self.session(|s| s.object_ways.remove(&object.origin()));
        for way in [TokenWay::Bearer, TokenWay::Header, TokenWay::Cookie] {
            if known.as_ref() != Some(&way)
                && let Some(response) = self.ask_in_way(object, path, &way).await?
            {
                return Ok(response);
            }
        }
        if let Some(cookie) = self.object_cookie(object).await?
            && let Some(response) = self.ask_in_way(object, path, &TokenWay::Issued(cookie)).await?
        {
            return Ok(response);
        }
        let words = "this account may not download this file";
        Err(Error::no_file(ErrorKind::Forbidden, words))
    }

    /// `None` if the token is not taken in this way. What works is remembered.
    async fn ask_in_way(
        &self,
        object: &BaseUrl,
        path: &str,
        way: &TokenWay,
    ) -> Result<Option<Response>, Error> {
        let value = match way {
            TokenWay::Bearer => match self.objects_token().await {
                Some(token) => format!("Bearer {}", token.reveal()),
                None => return Ok(None),
            },
            TokenWay::Header => format!("skype_token {}", self.skype_token()?.reveal()),
            TokenWay::Cookie => format!("skypetoken_asm={}", self.skype_token()?.reveal()),
            TokenWay::Issued(cookie) => cookie.reveal().to_owned(),
        };
        let name = match way {
            TokenWay::Bearer | TokenWay::Header => AUTHORIZATION,
            TokenWay::Cookie | TokenWay::Issued(_) => COOKIE,
        };
        let value = secret_header(&value)?;
        let mut url = object.join(path)?;
        // Redirects stay at the same origin, so one client is enough.
        let http = self.transport.client(&url).await?;
        for _ in 0..MAX_REDIRECTS {
            let request = http.request(Method::GET, url.clone()).header(&name, value.clone());
            let response = self.answer_to(request).await?;
            let status = response.status();
            if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
                return Ok(None);
            }
            if !status.is_redirection() {
                self.session(|s| s.object_ways.insert(object.origin(), way.clone()));
                return Ok(Some(response));
            }
            url = redirected(&url, &response)?;
        }
        Err(Error::refused("too many redirects"))
    }

    /// Sends a request. Only the wait for the head of the answer is limited: a large file takes its time.
    async fn answer_to(&self, request: RequestBuilder) -> Result<Response, Error> {
        let within = self.options.timeout;
        let answer = timeout(within, request.send()).await.map_err(|_| Error::no_answer(within))?;
        answer.map_err(|error| Error::transport(error, within))
    }

    /// A cookie of the object's host for the Skype token; `None` if it gives none.
    async fn object_cookie(&self, object: &BaseUrl) -> Result<Option<Secret>, Error> {
        let token = self.skype_token()?;
        let value = secret_header(&format!("skype_token {}", token.reveal()))?;
        let form = utf8_percent_encode(token.reveal(), NON_ALPHANUMERIC);
        let url = object.at_origin(&self.service().objects.cookie);
        let http = self.transport.client(&url).await?;
        let request = http
            .request(Method::POST, url)
            .header(AUTHORIZATION, value)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(format!("skypetoken={form}"));
        let response = self.answer_to(request).await?;
        if !response.status().is_success() {
            return Ok(None);
        }
        let given = response.headers().get_all(SET_COOKIE).into_iter();
        let cookies = given.filter_map(|value| cookie_for(object.host(), value.to_str().ok()?));
        let cookies = cookies.collect::<Vec<_>>().join("; ");
        let is_usable = !cookies.is_empty() && cookies.len() <= MAX_COOKIES;
        Ok(is_usable.then(|| Secret::new(cookies)))
    }

    fn skype_token(&self) -> Result<Secret, Error> {
        self.session(|s| s.token.clone()).ok_or_else(|| Error::signed_out("there is no token"))
    }

    /// The token that work accounts have for files. Without it the others may do.
    async fn objects_token(&self) -> Option<Secret> {
        let sign_in = self.own_sign_in()?;
        let token = sign_in.objects_token(&self.service().objects.scope).await;
        token.inspect_err(|error| tracing::info!(kind = ?error.kind, "no token for files")).ok()?
    }

    /// The error in an answer that is not a file.
    async fn refusal(&self, response: Response) -> Error {
        let status = response.status();
        let asked = AskedWait {
            retry_after: header(response.headers(), RETRY_AFTER.as_str()),
            date: header(response.headers(), DATE.as_str()),
        };
        Error::of_status(status, &self.text(response).await, &asked)
    }

    /// The beginning of a short answer; what cannot be read counts as its end.
    async fn text(&self, mut response: Response) -> String {
        let mut text = Vec::new();
        while let Ok(Ok(Some(chunk))) = timeout(self.options.timeout, response.chunk()).await {
            text.extend(chunk.iter().take(MAX_TEXT.saturating_sub(text.len())));
            if text.len() >= MAX_TEXT {
                break;
            }
        }
        String::from_utf8_lossy(&text).into_owned()
    }
}

fn too_large(most_megabytes: u64) -> Error {
    Error::no_file(ErrorKind::TooLarge, format!("the file is larger than {most_megabytes} MB"))
}

fn secret_header(text: &str) -> Result<HeaderValue, Error> {
    let mut value = HeaderValue::from_str(text).map_err(|_| {
        Error::refused("the token contains characters that are not allowed in a header")
    })?;
    value.set_sensitive(true);
    Ok(value)
}

/// Where a redirect leads, if that is at the same origin.
fn redirected(from: &Url, response: &Response) -> Result<Url, Error> {
    let to = header(response.headers(), LOCATION.as_str());
    let to = to.and_then(|to| from.join(&to).ok());
    to.filter(|to| to.origin() == from.origin() && to.username().is_empty()).ok_or_else(|| {
        Error::refused("the service redirects to another host, which is not followed")
    })
}

/// The cookie of a `Set-Cookie`, unless it is for a domain that the host is not in.
fn cookie_for<'a>(host: &str, line: &'a str) -> Option<&'a str> {
    let mut parts = line.split(';').map(str::trim);
    let pair = parts.next().filter(|pair| pair.contains('='))?;
    let domain = parts.find_map(|part| {
        let (name, value) = part.split_once('=')?;
        name.trim().eq_ignore_ascii_case("domain").then(|| value.trim().trim_start_matches('.'))
    });
    let is_for = |domain: &str| {
        let rest = host.strip_suffix(&domain.to_ascii_lowercase());
        rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    domain.is_none_or(is_for).then_some(pair)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_for_another_domain_is_not_taken() {
        let host = "api.asm.skype.com";
        for (line, taken) in [
            ("a=b; Path=/; Secure", Some("a=b")),
            ("a=b; Domain=.asm.skype.com; HttpOnly", Some("a=b")),
            ("a=b; domain=API.asm.skype.com", Some("a=b")),
            ("a=b; Domain=evil.example", None),
            ("a=b; Domain=pi.asm.skype.com", None),
            ("a=b; Domain=m", None),
            ("nonsense", None),
        ] {
            assert_eq!(cookie_for(host, line), taken, "{line}");
        }
    }
}
