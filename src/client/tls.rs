//! The HTTP client of reqwest, the certificates it trusts, and what is wrong with one that it does not trust.

use super::error::Error;
use std::path::Path;
use std::time::Duration;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const KEEPALIVE: Duration = Duration::from_secs(15);

pub(super) fn failed() -> Error {
    Error::bad_answer("the HTTP client could not start")
}

fn builder() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT_TIMEOUT)
        .tcp_keepalive(KEEPALIVE)
        .pool_idle_timeout(Duration::from_secs(90))
        .user_agent(concat!("skchat/", env!("CARGO_PKG_VERSION")))
}

/// Builds a client for plain http on this machine. It trusts no certificate.
pub(super) fn plain_client() -> Result<reqwest::Client, Error> {
    let builder = builder().no_proxy().tls_certs_only([]);
    builder.build().map_err(|e| failed().caused_by(e))
}

/// Builds a client for https. It reads files.
///
/// # Errors
/// When `ca_file` cannot be read or holds no certificate.
pub(super) fn secure_client(
    loopback: bool,
    ca_file: Option<&Path>,
) -> Result<reqwest::Client, Error> {
    let mut builder = if loopback { builder().no_proxy() } else { builder() };
    if let Some(file) = ca_file {
        let pem = std::fs::read(file).map_err(|e| {
            let message = format!("ca_file {} cannot be read: {}", file.display(), e.kind());
            Error::invalid_input(&message).caused_by(e)
        })?;
        let certificates = reqwest::Certificate::from_pem_bundle(&pem)
            .ok()
            .filter(|all| !all.is_empty())
            .ok_or_else(|| {
                Error::invalid_input(&format!("ca_file {} contains no certificate", file.display()))
            })?;
        builder = builder.tls_certs_merge(certificates);
    }
    builder.build().map_err(|e| failed().caused_by(e))
}

/// What is wrong with the server's certificate, from the causes of a failed connection.
pub(super) fn certificate_fault(error: &(dyn std::error::Error + 'static)) -> Option<&'static str> {
    let mut causes = String::new();
    let mut cause = Some(error);
    while let Some(error) = cause {
        causes.push_str(&error.to_string().to_ascii_lowercase());
        causes.push('\n');
        cause = error.source();
    }
    let says = |words: &[&str]| words.iter().any(|word| causes.contains(word));
    if !says(&["certificate"]) {
        return None;
    }
    Some(if says(&["expired"]) {
        "the server's certificate has expired"
    } else if says(&["notvalidyet", "not valid yet"]) {
        "the server's certificate is not valid yet (is this machine's clock right?)"
    } else if says(&["notvalidforname", "not valid for name"]) {
        "the server's certificate is for another name"
    } else if says(&["unknownissuer", "unknown issuer", "self-signed", "self signed"]) {
        "the issuer of the server's certificate is unknown (ca_file in the configuration adds one)"
    } else if says(&["revoked"]) {
        "the server's certificate was revoked"
    } else {
        "the server's certificate is not valid"
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_certificate_is_named_by_what_is_wrong_with_it() {
        let fault = |text: &str| {
            let cause = std::io::Error::other(text.to_owned());
            certificate_fault(&Error::bad_answer("x").caused_by(cause))
        };
        for (cause, named) in [
            ("invalid peer certificate: Expired", "expired"),
            ("invalid peer certificate: certificate expired: verification time 1", "expired"),
            ("invalid peer certificate: NotValidYet", "not valid yet"),
            ("invalid peer certificate: certificate not valid for name \"h\"", "another name"),
            ("invalid peer certificate: NotValidForName", "another name"),
            ("invalid peer certificate: UnknownIssuer", "ca_file"),
            ("invalid peer certificate: Revoked", "revoked"),
            ("invalid peer certificate: BadSignature", "is not valid"),
        ] {
            assert!(fault(cause).unwrap().contains(named), "{cause}");
        }
        assert_eq!(fault("connection refused"), None);
    }

    #[test]
    fn a_ca_file_that_cannot_be_used_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("ca.pem");
        let told = || secure_client(true, Some(&file)).unwrap_err().message;
        assert!(told().contains("cannot be read"), "{}", told());
        std::fs::write(&file, "no certificate").unwrap();
        assert!(told().contains("contains no certificate"), "{}", told());
    }
}
