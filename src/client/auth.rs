//! Tokens: where they come from, how they are shown to servers, and when they are fetched anew.

use super::error::{Error, ErrorKind};
use super::{ApiCall, Client, Credential};
use crate::protocol::encode;
use reqwest::Method;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// A token. Never shown by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The token itself, for a header.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Where the Skype token comes from. Read anew when the server rejects it.
#[derive(Clone, Debug)]
pub enum TokenSource {
    Fixed(Secret),
    Env(String),
    File(PathBuf),
    /// Program and arguments; the token is its first line of output.
    Command(Vec<String>),
}

const COMMAND_TIMEOUT: Duration = Duration::from_secs(60);

impl TokenSource {
    async fn read(&self) -> Result<Secret, Error> {
        let text = match self {
            Self::Fixed(secret) => return Ok(secret.clone()),
            // Its error is not kept: it may hold the value.
            Self::Env(name) => std::env::var(name).map_err(|_| {
                Error::signed_out(&format!("the environment variable {name} is not set"))
            })?,
            Self::File(path) => tokio::fs::read_to_string(path).await.map_err(|e| {
                let message = format!("the token file cannot be read: {}", e.kind());
                Error::signed_out(&message).caused_by(e)
            })?,
            Self::Command(argv) => run(argv).await?,
        };
        let line = text.lines().next().unwrap_or_default().trim();
        if line.is_empty() {
            return Err(Error::signed_out("the token is empty"));
        }
        Ok(Secret::new(line))
    }
}

async fn run(argv: &[String]) -> Result<String, Error> {
    let (program, arguments) =
        argv.split_first().ok_or_else(|| Error::signed_out("the token command is empty"))?;
    let child = tokio::process::Command::new(program)
        .args(arguments)
        .stdin(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(COMMAND_TIMEOUT, child).await;
    match output {
        Ok(Ok(output)) if output.status.success() => {
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        }
        Ok(Ok(_)) => Err(Error::signed_out("the token command failed")),
        Ok(Err(e)) => Err(Error::signed_out("the token command cannot be started").caused_by(e)),
        Err(_) => Err(Error::signed_out("the token command did not finish")),
    }
}

/// What has been learnt since the start.
#[derive(Default)]
pub(super) struct ClientSession {
    pub token: Option<Secret>,
    pub registration: Option<Secret>,
    /// Set when `/endpoints` is refused: the Skype token is shown directly then.
    pub no_endpoints: bool,
    pub moved_to: Option<super::BaseUrl>,
    pub moves: u8,
    /// Rises with every token read, so that two rejected requests cause one refresh.
    pub generation: u64,
}

impl Client {
    /// Makes sure the credential a request needs is there.
    pub(super) async fn sign_in(&self, credential: Credential) -> Result<(), Error> {
        if credential == Credential::None {
            return Ok(());
        }
        if self.session(|s| s.token.is_none()) {
            let _one = self.refreshing.lock().await;
            if self.session(|s| s.token.is_none()) {
                let token = self.options.token.read().await?;
                self.session(|s| {
                    s.token = Some(token);
                    s.generation += 1;
                });
            }
        }
        let wants_registration = match credential {
            Credential::Endpoint => true,
            Credential::Chat => self.options.auth == crate::model::AuthStyle::Registration,
            _ => false,
        };
        let missing = |c: &Client| c.session(|s| s.registration.is_none() && !s.no_endpoints);
        if wants_registration && missing(self) {
            let _one = self.refreshing.lock().await;
            if missing(self) {
                self.register_endpoint().await?;
            }
        }
        if credential == Credential::Endpoint && self.session(|s| s.no_endpoints) {
            return Err(Error::unsupported("this server offers no endpoints to this account"));
        }
        Ok(())
    }

    /// `POST /endpoints`; a server without them is noted and done without (facts 1.3).
    async fn register_endpoint(&self) -> Result<(), Error> {
        let body = encode::register();
        let call = ApiCall {
            method: Method::POST,
            base: &self.options.gateway,
            path: &self.service().paths.endpoints,
            body: Some(&body),
            credential: Credential::SkypeToken,
            timeout: self.options.timeout,
        };
        let mut result = self.send_once(&call).await;
        if matches!(&result, Err(e) if e.kind == ErrorKind::Moved) {
            result = self.send_once(&call).await;
        }
        match result {
            Ok(_) if self.session(|s| s.registration.is_some()) => Ok(()),
            Ok(_) => Err(Error::bad_answer("the server registered no token")),
            Err(error) if error.kind == ErrorKind::Unsupported || error.is_inaccessible() => {
                self.session(|s| s.no_endpoints = true);
                Ok(())
            }
            Err(error) if error.kind == ErrorKind::TokenRejected => {
                // The lock on refreshing is held here, so the token is read without `refresh_token`.
                let token = self.options.token.read().await?;
                let same = self.session(|s| s.token.replace(token.clone()) == Some(token));
                if same {
                    return Err(Error::signed_out("the server rejects the token"));
                }
                match self.send_once(&call).await {
                    Ok(_) => Ok(()),
                    Err(e) if e.kind == ErrorKind::TokenRejected => {
                        Err(Error::signed_out("the server rejects the token"))
                    }
                    Err(e) => Err(e),
                }
            }
            Err(error) => Err(error),
        }
    }

    /// After a 401: reads the token again, once for all requests that met it.
    pub(super) async fn refresh_token(
        &self,
        used: u64,
        credential: Credential,
    ) -> Result<(), Error> {
        let _one = self.refreshing.lock().await;
        if self.session(|s| s.generation) != used {
            return Ok(());
        }
        let token = self.options.token.read().await?;
        let same = self.session(|s| {
            s.generation += 1;
            // A service beside the chat says nothing about the chat's own registration.
            if credential != Credential::Service {
                s.registration = None;
            }
            s.token.replace(token.clone()) == Some(token)
        });
        if same
            && (self.options.auth != crate::model::AuthStyle::Registration
                || credential == Credential::Service)
        {
            return Err(Error::signed_out("the server rejects the token"));
        }
        Ok(())
    }

    /// Forgets that the server had no endpoints, and what was registered: the next call starts afresh.
    pub(crate) fn forget_registration(&self) {
        self.session(|s| {
            s.registration = None;
            s.no_endpoints = false;
        });
    }
}

/// The token inside `registrationToken=…; expires=…; endpointId=…`.
pub(super) fn registration_of(header: &str) -> Option<&str> {
    let token =
        header.split(';').find_map(|part| part.trim().strip_prefix("registrationToken="))?;
    (!token.is_empty()).then_some(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_shown() {
        assert_eq!(format!("{:?}", TokenSource::Fixed(Secret::new("abc"))), "Fixed(Secret(…))");
    }

    #[test]
    fn only_the_first_part_of_the_header_is_the_token() {
        assert_eq!(
            registration_of("registrationToken=ab=; expires=1; endpointId={x}"),
            Some("ab=")
        );
        assert_eq!(registration_of("registrationToken=; expires=1"), None);
        assert_eq!(registration_of(""), None);
    }
}
