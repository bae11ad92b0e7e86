//! Records when the service was last heard from, so that `skchat doctor` can tell whether news arrives.

use super::{Shared, wall_clock};
use std::sync::PoisonError;
use std::time::Duration;
use tokio::time::Instant;

/// It is recorded at most this often.
const EVERY: Duration = Duration::from_secs(60);

impl Shared {
    /// A request for news has succeeded.
    pub(super) async fn heard(&self) {
        let is_due = {
            let mut noted = self.connection.heard.lock().unwrap_or_else(PoisonError::into_inner);
            let is_due = noted.is_none_or(|at| at.elapsed() >= EVERY);
            if is_due {
                *noted = Some(Instant::now());
            }
            is_due
        };
        if is_due && let Err(error) = self.store.heard_at(wall_clock()).await {
            tracing::warn!(%error, "the time of the last contact was not stored");
        }
    }
}
