//! Errors of requests, and what should happen after each kind.
//!
//! Carries codes and the causes that libraries give, but never a body, a token or the address of a request: errors are
//! logged and shown.

use crate::protocol::wire::WireError;
use reqwest::StatusCode;
use std::time::{Duration, SystemTime};

/// The longest `Retry-After` that is obeyed.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(15 * 60);

#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    pub kind: ErrorKind,
    pub message: String,
    /// The server may have carried out the request although there is no usable answer.
    pub outcome_unknown: bool,
    oversized: bool,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// The kind of an error, and what should happen next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The server cannot be reached or did not answer: try again later.
    Unreachable,
    /// The server has trouble: try again later.
    Unavailable,
    /// The server said when to come back.
    RetryAfter(Duration),
    /// The token was rejected: get a new one, then repeat.
    TokenRejected,
    /// There is no valid token: the user has to act.
    SignedOut,
    /// The endpoint or its subscription is gone: register again, then catch up.
    EndpointGone,
    /// The account lives on another host now: repeat there.
    Moved,
    /// The server does not offer this, or the service is not configured: do without.
    Unsupported,
    /// Not a member, or not allowed to do this.
    Forbidden,
    /// There is no such thing, or not for this account.
    NotFound,
    /// The sync state has expired: start paging from the newest page.
    StaleSyncState,
    /// The message is too large.
    TooLarge,
    /// The input is not valid; nothing was sent.
    InvalidInput,
    /// Refused; repeating will not help.
    Refused,
    /// The answer makes no sense.
    BadAnswer,
}

impl Error {
    fn new(kind: ErrorKind, message: impl Into<String>, outcome_unknown: bool) -> Self {
        Self { kind, message: message.into(), outcome_unknown, oversized: false, source: None }
    }

    /// Sets the source. It must not contain anything that was sent or received.
    pub(super) fn caused_by(
        self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self { source: Some(source.into()), ..self }
    }

    /// The message with the causes behind it, for logs and `skchat doctor`.
    pub(crate) fn with_causes(&self) -> String {
        let mut text = self.message.clone();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            text.push_str(&format!(": {error}"));
            cause = error.source();
        }
        text
    }

    pub(super) fn bad_answer(message: &str) -> Self {
        Self::new(ErrorKind::BadAnswer, message, true)
    }

    /// An answer that is larger than any may be.
    pub(super) fn oversized() -> Self {
        let error = Self::bad_answer("the answer is larger than 8 MiB");
        Self { oversized: true, ..error }
    }

    pub(super) fn is_oversized(&self) -> bool {
        self.oversized
    }

    pub(super) fn refused(message: &str) -> Self {
        Self::new(ErrorKind::Refused, message, false)
    }

    pub(super) fn invalid_input(message: &str) -> Self {
        Self::new(ErrorKind::InvalidInput, message, false)
    }

    pub(super) fn signed_out(message: &str) -> Self {
        Self::new(ErrorKind::SignedOut, message, false)
    }

    pub(super) fn unsupported(message: &str) -> Self {
        Self::new(ErrorKind::Unsupported, message, false)
    }

    pub(super) fn endpoint_gone() -> Self {
        Self::new(ErrorKind::EndpointGone, "the registration has ended", false)
    }

    /// A search through the history that stopped before it had read everything.
    pub(crate) fn incomplete() -> Self {
        Self::new(ErrorKind::BadAnswer, "the history could not be read completely", true)
    }

    pub(super) fn moved() -> Self {
        Self::new(ErrorKind::Moved, "the account lives on another host", false)
    }

    /// A request without an answer, or with an incomplete one.
    pub(super) fn transport(error: reqwest::Error) -> Self {
        let (message, outcome_unknown) = if error.is_connect() {
            ("the server cannot be reached", false)
        } else if error.is_timeout() {
            ("the server did not answer in time", true)
        } else if error.is_builder() {
            ("the request is not valid", false)
        } else {
            ("the connection was interrupted", true)
        };
        // The URL contains ids of conversations and people.
        Self::new(ErrorKind::Unreachable, message, outcome_unknown).caused_by(error.without_url())
    }

    /// An error code in an answer with status 200.
    pub(super) fn inside(code: u32) -> Self {
        let kind =
            if matches!(code, 729 | 450) { ErrorKind::EndpointGone } else { ErrorKind::Refused };
        Self::new(kind, format!("the server says error {code}"), false)
    }

    pub(super) fn of_status(status: StatusCode, body: &str, retry_after: Option<&str>) -> Self {
        let code = crate::protocol::wire::error_code(body);
        let with = |text: &str| match code {
            Some(code) => {
                let status = status.as_u16();
                if code == u32::from(status) {
                    format!("{text} ({status})")
                } else {
                    format!("{text} ({status}, error {code})")
                }
            }
            None => format!("{text} ({})", status.as_u16()),
        };
        match (status.as_u16(), code) {
            (401, _) => Self::new(ErrorKind::TokenRejected, with("the token was rejected"), false),
            (404, Some(729 | 450)) => {
                Self::new(ErrorKind::EndpointGone, with("the registration has ended"), false)
            }
            (400, Some(230)) => {
                Self::new(ErrorKind::StaleSyncState, with("the sync state is too old"), false)
            }
            (403, Some(209)) => {
                Self::unsupported("this server offers no endpoints to this account")
            }
            (403, _) => Self::new(ErrorKind::Forbidden, with("not allowed"), false),
            (404, _) => Self::new(ErrorKind::NotFound, with("not found"), false),
            (413, _) => Self::new(ErrorKind::TooLarge, with("the message is too large"), false),
            (429, _) => {
                let wait =
                    retry_after.and_then(parse_retry_after).unwrap_or(Duration::from_secs(20));
                Self::new(
                    ErrorKind::RetryAfter(wait.min(MAX_RETRY_AFTER)),
                    with("the server asks for a pause"),
                    false,
                )
            }
            (408 | 425, _) => {
                Self::new(ErrorKind::Unavailable, with("the server asks to try again"), false)
            }
            (500..=599, _) => match retry_after.and_then(parse_retry_after) {
                Some(wait) => Self::new(
                    ErrorKind::RetryAfter(wait.min(MAX_RETRY_AFTER)),
                    with("the server has trouble"),
                    true,
                ),
                None => Self::new(ErrorKind::Unavailable, with("the server has trouble"), true),
            },
            (409, _) => Self::new(ErrorKind::Unavailable, with("the server sees a conflict"), true),
            (300..=399, _) => Self::new(
                ErrorKind::Refused,
                with("the server redirects, which is not followed"),
                false,
            ),
            _ => Self::new(ErrorKind::Refused, with("the server refused"), false),
        }
    }

    /// The account has no access, or there is no such thing.
    pub(crate) fn is_inaccessible(&self) -> bool {
        matches!(self.kind, ErrorKind::Forbidden | ErrorKind::NotFound)
    }

    /// See [`ErrorKind::is_transient`].
    pub(crate) fn is_transient(&self) -> bool {
        self.kind.is_transient()
    }
}

impl ErrorKind {
    /// Whether the same request may succeed later.
    pub(crate) fn is_transient(self) -> bool {
        matches!(
            self,
            Self::Unreachable
                | Self::Unavailable
                | Self::RetryAfter(_)
                | Self::BadAnswer
                | Self::Moved
                | Self::EndpointGone
        )
    }
}

impl From<WireError> for Error {
    fn from(error: WireError) -> Self {
        Self::new(ErrorKind::BadAnswer, error.to_string(), true)
    }
}

/// Parses `Retry-After`: seconds or an HTTP date.
fn parse_retry_after(text: &str) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = jiff::fmt::rfc2822::parse(text.trim()).ok()?;
    let at: SystemTime = at.timestamp().into();
    Some(at.duration_since(SystemTime::now()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Error {
        /// An error of a kind, for tests of those who handle it.
        pub(crate) fn of_kind(kind: ErrorKind, outcome_unknown: bool) -> Self {
            Self::new(kind, "an error", outcome_unknown)
        }
    }

    fn kind(status: u16, body: &str) -> ErrorKind {
        Error::of_status(StatusCode::from_u16(status).unwrap(), body, None).kind
    }

    #[test]
    fn every_error_says_what_happens_next() {
        assert_eq!(kind(401, ""), ErrorKind::TokenRejected);
        assert_eq!(kind(404, r#"{"errorCode":729}"#), ErrorKind::EndpointGone);
        assert_eq!(
            kind(404, r#"{"errorCode":404,"message":"{\"errorCode\":729}"}"#),
            ErrorKind::EndpointGone
        );
        assert_eq!(kind(404, r#"{"errorCode":730}"#), ErrorKind::NotFound);
        assert_eq!(kind(403, ""), ErrorKind::Forbidden);
        assert_eq!(kind(413, ""), ErrorKind::TooLarge);
        assert_eq!(kind(403, r#"{"errorCode":209}"#), ErrorKind::Unsupported);
        assert_eq!(kind(400, r#"{"errorCode":230}"#), ErrorKind::StaleSyncState);
        assert_eq!(kind(400, "<html>"), ErrorKind::Refused);
        assert_eq!(kind(503, ""), ErrorKind::Unavailable);
    }

    #[test]
    fn retry_after_reads_seconds_and_dates_and_has_a_limit() {
        let after =
            |text: &str| match Error::of_status(StatusCode::TOO_MANY_REQUESTS, "", Some(text)).kind
            {
                ErrorKind::RetryAfter(wait) => wait.as_secs(),
                other => panic!("{other:?}"),
            };
        assert_eq!(after("7"), 7);
        assert_eq!(after("999999"), 900);
        assert_eq!(after("Wed, 21 Oct 2015 07:28:00 GMT"), 0);
        assert_eq!(after("soon"), 20);
    }

    #[tokio::test]
    async fn an_error_keeps_its_cause_and_never_the_address_of_its_request() {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        // Port 1 of this machine: nothing listens there.
        let sent = http.get("http://127.0.0.1:1/v1/8:joe.4?token=abc").send().await;
        let error = Error::transport(sent.unwrap_err());
        assert_eq!((error.kind, error.outcome_unknown), (ErrorKind::Unreachable, false));
        assert!(std::error::Error::source(&error).is_some());
        let causes = error.with_causes();
        assert!(causes.len() > error.message.len(), "{causes}");
        for shown in [causes, format!("{error}"), format!("{error:?}")] {
            assert!(!shown.contains("joe.4") && !shown.contains("abc"), "{shown}");
        }
    }
}
