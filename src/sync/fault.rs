//! Conversion of errors of the client and the store into faults for the app.

use crate::client::{Error, ErrorKind};
use crate::model::{Fault, FaultKind};
use crate::store::StoreError;

impl From<&Error> for Fault {
    fn from(error: &Error) -> Self {
        Self::new(kind_of(error.kind), error.shown())
    }
}

impl From<&StoreError> for Fault {
    fn from(error: &StoreError) -> Self {
        Self::new(FaultKind::Store, error.to_string())
    }
}

fn kind_of(kind: ErrorKind) -> FaultKind {
    match kind {
        ErrorKind::Unreachable => FaultKind::Offline,
        // The next request registers or moves first.
        ErrorKind::Unavailable | ErrorKind::EndpointGone | ErrorKind::Moved => {
            FaultKind::Unavailable
        }
        ErrorKind::RetryAfter(_) => FaultKind::RateLimited,
        ErrorKind::BadAnswer => FaultKind::BadAnswer,
        ErrorKind::TokenRejected | ErrorKind::SignedOut => FaultKind::SignedOut,
        ErrorKind::Forbidden => FaultKind::NotAllowed,
        ErrorKind::NotFound => FaultKind::NotFound,
        ErrorKind::TooLarge => FaultKind::TooLarge,
        ErrorKind::InvalidInput => FaultKind::Invalid,
        ErrorKind::Unsupported => FaultKind::Unsupported,
        ErrorKind::StaleSyncState | ErrorKind::Refused => FaultKind::Refused,
    }
}

/// The fault for a join URL that could not be resolved. It distinguishes URLs of other services from dead links.
pub fn of_join(error: &Error) -> Fault {
    let kind = match kind_of(error.kind) {
        FaultKind::Unsupported | FaultKind::Invalid => FaultKind::JoinUnavailable,
        other => other,
    };
    Fault::new(kind, error.shown())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::{BaseUrl, Client, ClientOptions, Secret, TokenSource};
    use std::time::Duration;

    #[test]
    fn a_fault_can_be_retried_exactly_where_the_client_would() {
        let kinds = [
            ErrorKind::Unreachable,
            ErrorKind::Unavailable,
            ErrorKind::RetryAfter(Duration::from_secs(1)),
            ErrorKind::TokenRejected,
            ErrorKind::SignedOut,
            ErrorKind::EndpointGone,
            ErrorKind::Moved,
            ErrorKind::Unsupported,
            ErrorKind::Forbidden,
            ErrorKind::NotFound,
            ErrorKind::StaleSyncState,
            ErrorKind::TooLarge,
            ErrorKind::InvalidInput,
            ErrorKind::Refused,
            ErrorKind::BadAnswer,
        ];
        for kind in kinds {
            assert_eq!(kind_of(kind).can_retry(), kind.is_transient(), "{kind:?}");
        }
    }

    #[tokio::test]
    async fn an_address_that_no_configured_service_answers_is_distinguished_from_a_dead_link() {
        let base = |text: &str| BaseUrl::parse(text).unwrap();
        let token = TokenSource::Fixed(Secret::new("x"));
        let mut options =
            ClientOptions::new("8:anna.7".into(), base("http://127.0.0.1:1/v1"), token);
        let without = Client::new(options.clone()).resolve_join("abc").await.unwrap_err();
        assert_eq!(of_join(&without).kind, FaultKind::JoinUnavailable);
        options.join = Some(base("http://127.0.0.1:1/join"));
        let foreign = Client::new(options).resolve_join("https://evil.example/abc").await;
        assert_eq!(of_join(&foreign.unwrap_err()).kind, FaultKind::JoinUnavailable);
    }
}
