//! When the service was last heard from, for `skchat doctor`.

use super::{Store, StoreError};
use crate::model::Timestamp;

impl Store {
    /// Records that the service has answered at this time.
    pub(crate) async fn heard_at(&self, at: Timestamp) -> Result<(), StoreError> {
        self.write(move |c| {
            c.prepare_cached(
                "INSERT INTO meta VALUES ('heard_at', ?1) \
                 ON CONFLICT (key) DO UPDATE SET value = ?1",
            )?
            .execute([at.0])?;
            Ok(())
        })
        .await
    }
}
