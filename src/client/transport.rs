//! The HTTP clients of an account or a sign-in: one for https and one for plain http.

use super::{Error, tls};
use reqwest::Url;
use std::path::PathBuf;
use tokio::sync::Mutex;

/// Each client is built when it is first used. The one for https loads the system's root certificates, which takes
/// longer than painting the first screen. Requests to a gateway on this machine use plain HTTP and need not wait.
pub(super) struct Transport {
    /// The server is on this machine.
    loopback: bool,
    /// Certificates to trust besides those of the system.
    pub ca_file: Option<PathBuf>,
    secure: Mutex<Option<reqwest::Client>>,
    /// For addresses of this machine only: [`super::BaseUrl`] allows plain HTTP for no others.
    plain: Mutex<Option<reqwest::Client>>,
}

impl Transport {
    pub(super) fn new(loopback: bool, ca_file: Option<PathBuf>) -> Self {
        Self { loopback, ca_file, secure: Mutex::default(), plain: Mutex::default() }
    }

    /// The client for this address.
    ///
    /// # Errors
    /// When `ca_file` cannot be read or holds no certificate.
    pub(super) async fn client(&self, url: &Url) -> Result<reqwest::Client, Error> {
        if url.scheme() == "http" {
            let mut kept = self.plain.lock().await;
            if let Some(client) = kept.as_ref() {
                return Ok(client.clone());
            }
            return Ok(kept.insert(tls::plain_client()?).clone());
        }
        let mut kept = self.secure.lock().await;
        if let Some(client) = kept.as_ref() {
            return Ok(client.clone());
        }
        let (loopback, ca_file) = (self.loopback, self.ca_file.clone());
        // Loading certificates reads files, which would block the runtime's threads.
        let built =
            tokio::task::spawn_blocking(move || tls::secure_client(loopback, ca_file.as_deref()));
        let client = built.await.map_err(|e| tls::failed().caused_by(e))??;
        Ok(kept.insert(client).clone())
    }

    /// Lets the next request open a new connection, because an old one may be dead.
    pub(super) async fn drop_connections(&self) {
        *self.secure.lock().await = None;
        *self.plain.lock().await = None;
    }
}
