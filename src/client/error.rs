//! Errors of requests, and what should happen after each kind.
//!
//! Carries codes and the causes that libraries give, but never a body, a token or the address of a request: errors are
//! logged and shown.

use super::asked_wait::AskedWait;
use crate::model::SafeText;
use crate::protocol::wire::WireError;
use reqwest::StatusCode;
use std::time::Duration;

/// The first pause after a 429 that does not say how long to wait (facts 8.8). The gate doubles it.
pub(super) const UNNAMED_PAUSE: Duration = Duration::from_secs(30);

/// What a code of the service means to the user (facts 6).
fn meaning(code: u32) -> Option<&'static str> {
    Some(match code {
        201 => "the server does not know this address",
        206 => "this message is not accepted in this conversation",
        284 => "this person cannot receive messages",
        403 | 7_000 => "not allowed here",
        429 | 800 | 803 | 19_000 => "too many requests",
        804 => "the other person has not accepted your contact request yet",
        1_000 | 1_102 => "the server does not understand the message",
        1_003 => "the message is too large",
        7_100 => "you are not a member of this conversation",
        _ => return None,
    })
}

#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    pub kind: ErrorKind,
    pub message: String,
    /// The server may have carried out the request although there is no usable answer.
    pub outcome_unknown: bool,
    oversized: bool,
    rate_limit: bool,
    /// The server asked for a pause, and did not say for how long.
    unnamed_pause: bool,
    no_service: bool,
    timeout: bool,
    /// The server's own words, cleaned.
    reason: Option<SafeText>,
    elsewhere: bool,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// The kind of an error, and what should happen next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The server cannot be reached or did not answer: try again later.
    Unreachable,
    /// The server has problems: try again later.
    Unavailable,
    /// The server said when to come back.
    RetryAfter(Duration),
    /// The token was rejected: get a new one, then repeat.
    TokenRejected,
    /// There is no valid token: the user has to act.
    SignedOut,
    /// The endpoint or its subscription is gone: register again, then catch up.
    EndpointGone,
    /// The account is on another host now: repeat there.
    Moved,
    /// The server does not offer this, or the service is not configured: do without.
    Unsupported,
    /// Not a member, or not allowed to do this.
    Forbidden,
    /// It does not exist, or not for this account.
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
        Self {
            kind,
            message: message.into(),
            outcome_unknown,
            oversized: false,
            rate_limit: false,
            unnamed_pause: false,
            no_service: false,
            timeout: false,
            elsewhere: false,
            reason: None,
            source: None,
        }
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

    /// A page for people instead of data, as sent by networks with a sign-in page and by broken proxies.
    pub(super) fn web_page() -> Self {
        let text = "the answer is a web page, not data (does this network require a sign-in?)";
        Self { no_service: true, ..Self::bad_answer(text) }
    }

    /// An answer that ends too early.
    pub(super) fn cut_off() -> Self {
        Self { no_service: true, ..Self::bad_answer("the answer is not JSON, or cut off") }
    }

    /// The answer did not come from a working service.
    pub(super) fn is_not_from_service(&self) -> bool {
        self.no_service
    }

    /// An answer that is larger than any may be.
    pub(super) fn oversized() -> Self {
        Self { oversized: true, ..Self::bad_answer("the answer is larger than 8 MiB") }
    }

    pub(crate) fn is_oversized(&self) -> bool {
        self.oversized
    }

    /// The server has asked for a pause because there were too many requests.
    pub(super) fn rate_limit(wait: Duration) -> Self {
        Self::held_back(wait, "too many requests", true)
    }

    /// Like [`Error::rate_limit`], where the server did not say for how long (facts 8.8).
    pub(super) fn unnamed_rate_limit() -> Self {
        Self { unnamed_pause: true, ..Self::rate_limit(UNNAMED_PAUSE) }
    }

    /// The server has asked for a pause without saying for how long.
    pub(super) fn is_unnamed_pause(&self) -> bool {
        self.unnamed_pause
    }

    /// The server has asked for the pause, because there were too many requests.
    pub(crate) fn is_rate_limit(&self) -> bool {
        self.rate_limit
    }

    /// A request that was not sent, because those before it failed for this reason.
    pub(super) fn held_back(wait: Duration, why: &str, rate_limit: bool) -> Self {
        Self { rate_limit, ..Self::new(ErrorKind::RetryAfter(wait), why, false) }
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

    /// The service has problems; the same may succeed later.
    pub(super) fn unavailable(message: &str) -> Self {
        Self::new(ErrorKind::Unavailable, message, false)
    }

    /// The server rejects the token, and its source gives no other one.
    pub(super) fn token_rejected() -> Self {
        Self::new(ErrorKind::TokenRejected, "the server rejects the token", false)
    }

    pub(super) fn unsupported(message: &str) -> Self {
        Self::new(ErrorKind::Unsupported, message, false)
    }

    /// There is no device code that could be confirmed.
    pub(crate) fn no_code() -> Self {
        Self::new(ErrorKind::SignedOut, "there is no code to confirm; ask for a new one", false)
    }

    pub(super) fn no_answer(within: Duration) -> Self {
        let message = format!("no answer within {:.0} s", within.as_secs_f64());
        Self { timeout: true, ..Self::new(ErrorKind::Unreachable, message, true) }
    }

    /// A file that cannot be fetched.
    pub(super) fn no_file(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self::new(kind, message, false)
    }

    pub(super) fn endpoint_gone() -> Self {
        Self::new(ErrorKind::EndpointGone, "the registration has expired", false)
    }

    /// A search through the history that stopped before it had read everything.
    pub(crate) fn incomplete() -> Self {
        Self::new(ErrorKind::BadAnswer, "the history could not be read completely", true)
    }

    pub(super) fn moved() -> Self {
        Self::new(ErrorKind::Moved, "the account is on another host", false)
    }

    /// The account is on another host, which a new service map names (facts 6).
    pub(super) fn stale_map() -> Self {
        let text = "the account has moved, and its service map does not say where";
        Self { elsewhere: true, ..Self::new(ErrorKind::Moved, text, false) }
    }

    /// A request without an answer, or with an incomplete one.
    pub(super) fn transport(error: reqwest::Error, timeout: Duration) -> Self {
        let no_answer = format!("no answer within {:.0} s", timeout.as_secs_f64());
        let (message, outcome_unknown) = if let Some(fault) = super::tls::certificate_fault(&error)
        {
            (fault, false)
        } else if error.is_connect() {
            ("the server cannot be reached", false)
        } else if error.is_timeout() {
            (no_answer.as_str(), true)
        } else if error.is_builder() {
            ("the request is not valid", false)
        } else {
            ("the connection was interrupted", true)
        };
        // The URL contains ids of conversations and people.
        let failed = Self::new(ErrorKind::Unreachable, message, outcome_unknown);
        Self { timeout: error.is_timeout(), ..failed }.caused_by(error.without_url())
    }

    /// There was no answer in time; the connection may be dead.
    pub(super) fn is_timeout(&self) -> bool {
        self.timeout
    }

    /// The message and the server's own words, for the screen. They are not logged.
    pub(crate) fn shown(&self) -> String {
        match &self.reason {
            Some(reason) => format!("{}: {reason}", self.message),
            None => self.message.clone(),
        }
    }

    /// An error code in an answer with status 200.
    pub(super) fn inside(code: u32, body: &str) -> Self {
        let text = meaning(code).unwrap_or("the server refused");
        let message = format!("{text} (error {code})");
        let error = match code {
            729 | 450 => Self::new(ErrorKind::EndpointGone, message, false),
            // Too many requests, in one form or another (facts 6).
            429 | 800..=803 | 805..=899 | 19_000 => Self { message, ..Self::unnamed_rate_limit() },
            _ => Self::new(ErrorKind::Refused, message, false),
        };
        Self { reason: crate::protocol::wire::error_text(body), ..error }
    }

    pub(super) fn of_status(status: StatusCode, body: &str, asked: &AskedWait) -> Self {
        let reason = crate::protocol::wire::error_text(body);
        let code = crate::protocol::wire::error_code(body);
        // Facts 8.4, and 6 for 729.
        let elsewhere = matches!(
            (status.as_u16(), code),
            (404, None | Some(729)) | (500..=599, _) | (_, Some(803))
        );
        Self { reason, elsewhere, ..Self::kind_of_status(status, body, asked) }
    }

    /// Another host of the same service may do better.
    pub(super) fn may_work_elsewhere(&self) -> bool {
        self.elsewhere
    }

    fn kind_of_status(status: StatusCode, body: &str, asked: &AskedWait) -> Self {
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
            // It stays so until the other person accepts, so waiting does not help.
            (400..=499, Some(804)) => {
                Self::new(ErrorKind::Refused, with(meaning(804).unwrap_or("refused")), false)
            }
            (401, _) => Self::new(ErrorKind::TokenRejected, with("the token was rejected"), false),
            (404, Some(729 | 450)) => {
                Self::new(ErrorKind::EndpointGone, with("the registration has expired"), false)
            }
            (400, Some(230)) => {
                Self::new(ErrorKind::StaleSyncState, with("the sync state is too old"), false)
            }
            (403, Some(209)) => {
                Self::unsupported("this server offers no endpoints to this account")
            }
            // This concerns only this message; others may be accepted.
            (403, Some(206)) => {
                Self::new(ErrorKind::Refused, with(meaning(206).unwrap_or("refused")), false)
            }
            (403, code) => {
                let text = code.and_then(meaning).unwrap_or("not allowed");
                Self::new(ErrorKind::Forbidden, with(text), false)
            }
            (404, _) => Self::new(ErrorKind::NotFound, with("not found"), false),
            (413, _) => Self::new(ErrorKind::TooLarge, with("the message is too large"), false),
            (429, _) => {
                let error = asked.wait().map_or_else(Self::unnamed_rate_limit, Self::rate_limit);
                Self { message: with("too many requests"), ..error }
            }
            (408 | 425, _) => Self::new(
                ErrorKind::Unavailable,
                with("the server asks us to try again later"),
                false,
            ),
            (500..=599, _) => match asked.wait() {
                Some(wait) => Self::new(
                    ErrorKind::RetryAfter(wait),
                    with("the server is having problems"),
                    true,
                ),
                None => {
                    Self::new(ErrorKind::Unavailable, with("the server is having problems"), true)
                }
            },
            (409, _) => {
                Self::new(ErrorKind::Unavailable, with("the server reports a conflict"), true)
            }
            (300..=399, _) => Self::new(
                ErrorKind::Refused,
                with("the server sent a redirect, which is not followed"),
                false,
            ),
            (_, code) => {
                let text = code.and_then(meaning).unwrap_or("the server refused");
                Self::new(ErrorKind::Refused, with(text), false)
            }
        }
    }

    /// The account has no access, or what it asked for does not exist.
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

#[cfg(test)]
mod tests {
    use super::*;

    impl Error {
        /// An error of a kind, for tests of the code that handles it.
        pub(crate) fn of_kind(kind: ErrorKind, outcome_unknown: bool) -> Self {
            Self::new(kind, "an error", outcome_unknown)
        }
    }

    fn kind(status: u16, body: &str) -> ErrorKind {
        let status = StatusCode::from_u16(status).unwrap();
        Error::of_status(status, body, &AskedWait::default()).kind
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
    fn error_codes_of_a_send_are_shown_as_words_and_those_of_a_pause_wait() {
        let pause = ErrorKind::RetryAfter(UNNAMED_PAUSE);
        for (status, code, kind_of_it, words) in [
            (429, 804, ErrorKind::Refused, "has not accepted"),
            (403, 804, ErrorKind::Refused, "has not accepted"),
            (403, 206, ErrorKind::Refused, "not accepted in this conversation"),
            (400, 284, ErrorKind::Refused, "cannot receive messages"),
            (403, 403, ErrorKind::Forbidden, "not allowed"),
            (429, 803, pause, "too many requests"),
        ] {
            let body = format!("{{\"errorCode\":{code}}}");
            let status = StatusCode::from_u16(status).unwrap();
            let error = Error::of_status(status, &body, &AskedWait::default());
            assert_eq!(error.kind, kind_of_it, "{status}/{code}");
            assert!(error.message.contains(words), "{}", error.message);
        }
        for code in [800, 803, 820, 899, 429] {
            assert_eq!(Error::inside(code, "{}").kind, pause, "{code}");
        }
        assert_eq!(Error::inside(804, "{}").kind, ErrorKind::Refused);
        assert_eq!(Error::inside(206, "{}").kind, ErrorKind::Refused);
        assert_eq!(Error::inside(729, "{}").kind, ErrorKind::EndpointGone);
    }

    #[test]
    fn retry_after_is_seconds_or_a_date_by_the_clock_of_the_server() {
        let moment = "Wed, 21 Oct 2015 07:28:00 GMT";
        let after = |text: &str, date: Option<&str>| {
            let asked =
                AskedWait { retry_after: Some(text.to_owned()), date: date.map(str::to_owned) };
            match Error::of_status(StatusCode::TOO_MANY_REQUESTS, "", &asked).kind {
                ErrorKind::RetryAfter(wait) => wait.as_millis(),
                other => panic!("{other:?}"),
            }
        };
        for (text, wait) in [("7", 7_000), (" 1.5 ", 1_500), ("0", 0), ("-3", 0)] {
            assert_eq!(after(text, None), wait, "{text}");
        }
        assert!(after("99999999999999999999999", None) > 1_000_000_000);
        for unreadable in ["soon", "", "NaN", "inf"] {
            assert_eq!(after(unreadable, None), 30_000, "{unreadable}");
        }
        assert_eq!(after(moment, None), 0, "long past by our clock");
        // The server's clock is ten years behind; it asks for half a minute.
        assert_eq!(after(moment, Some("Wed, 21 Oct 2015 07:27:30 GMT")), 30_000);
        assert_eq!(after(moment, Some("Wed, 21 Oct 2015 07:28:30 GMT")), 0);
    }

    #[tokio::test]
    async fn an_error_keeps_its_cause_and_never_the_address_of_its_request() {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        // Port 1 of this machine: nothing listens there.
        let sent = http.get("http://127.0.0.1:1/v1/8:joe.4?token=abc").send().await;
        let error = Error::transport(sent.unwrap_err(), Duration::from_secs(1));
        assert_eq!((error.kind, error.outcome_unknown), (ErrorKind::Unreachable, false));
        assert!(std::error::Error::source(&error).is_some());
        let causes = error.with_causes();
        assert!(causes.len() > error.message.len(), "{causes}");
        for shown in [causes, format!("{error}"), format!("{error:?}")] {
            assert!(!shown.contains("joe.4") && !shown.contains("abc"), "{shown}");
        }
    }
}
