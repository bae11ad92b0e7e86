//! Reindexing in the background: rows that an older version stored are decoded again and added to the search index.

use super::{Shared, decode_stored};
use crate::protocol::decode;
use std::sync::Arc;
use std::time::Duration;

/// Rows per transaction, which other writes have to wait for.
const CHUNK: u32 = 200;
/// Pause between two transactions, so that other writes get their turn.
const PAUSE: Duration = Duration::from_millis(2);

/// Decodes and indexes outdated rows, newest first.
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
                    tracing::error!(%error, "the index was not recorded as complete");
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
