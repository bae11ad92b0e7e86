//! The HTTP client of a sign-in.

use super::{Error, tls};
use std::path::PathBuf;
use tokio::sync::OnceCell;

/// Built on first use, because loading the root certificates takes longer than painting the first screen.
pub(super) struct Transport {
    /// The server is on this machine.
    loopback: bool,
    /// Certificates to trust beside those of the system.
    pub ca_file: Option<PathBuf>,
    client: OnceCell<reqwest::Client>,
}

impl Transport {
    pub(super) fn new(loopback: bool) -> Self {
        Self { loopback, ca_file: None, client: OnceCell::new() }
    }

    pub(super) async fn client(&self) -> Result<&reqwest::Client, Error> {
        let build = || async {
            let (loopback, ca_file) = (self.loopback, self.ca_file.clone());
            // Loading certificates reads files, which would block the runtime's threads.
            let built =
                tokio::task::spawn_blocking(move || tls::http_client(loopback, ca_file.as_deref()));
            built.await.map_err(|e| tls::failed().caused_by(e))?
        };
        self.client.get_or_try_init(build).await
    }
}
