//! Bringing rows that an older version stored up to the present decoder and search index, in the background.

use super::{Shared, decode_stored};
use crate::protocol::decode;
use std::sync::Arc;
use std::time::Duration;

/// Rows indexed in one transaction; a draft or message to be saved meanwhile waits no longer than that.
const CHUNK: u32 = 200;
/// Pause between two chunks, so that everything else comes first.
const PAUSE: Duration = Duration::from_millis(2);

/// Decodes outdated rows again, newest first, and adds their words to the index.
pub async fn run(shared: Arc<Shared>) {
    if let Err(error) = shared.store.check_index(decode::DECODER_VERSION).await {
        tracing::error!(%error, "the index cannot be checked");
        return;
    }
    loop {
        let chunk = match shared.store.next_unindexed(CHUNK).await {
            Ok(Some(chunk)) => chunk,
            Ok(None) => {
                if let Err(error) = shared.store.finish_index().await {
                    tracing::error!(%error, "the index is not noted as complete");
                }
                return;
            }
            Err(error) => {
                tracing::error!(%error, "rows to be indexed cannot be read");
                return;
            }
        };
        let rows = chunk.messages.iter().cloned().map(decode_stored).map(|raw| {
            let index = decode::indexed(&decode::message(&raw, &shared.me));
            (raw, index)
        });
        let rows = rows.collect();
        if let Err(error) = shared.store.reindex(rows, &chunk, decode::DECODER_VERSION).await {
            tracing::error!(%error, "rows were not indexed");
            return;
        }
        tokio::time::sleep(PAUSE).await;
    }
}
