//! Counters for ids that are created here.

use crate::model::ClientMessageId;

#[derive(Clone, Copy, Debug)]
pub struct IdCounters {
    client_id: u64,
    /// The last queue place given to a message of an earlier run, and to one of this run.
    stored: u64,
    typed: u64,
}

/// The first queue place of messages typed in this run, behind those of all earlier runs: a message may be typed before
/// the earlier ones have been read from disk.
const FIRST_TYPED: u64 = 1 << 32;

impl IdCounters {
    pub fn new(first_client_id: u64) -> Self {
        Self { client_id: first_client_id, stored: 0, typed: FIRST_TYPED }
    }

    /// A client id, unique in this account.
    pub fn client_id(&mut self) -> ClientMessageId {
        let id = self.client_id;
        self.client_id = id.wrapping_add(1);
        ClientMessageId::from(id.to_string())
    }

    /// The queue place of a message that is being sent, behind all other unsent ones.
    pub fn queue(&mut self) -> u64 {
        self.typed += 1;
        self.typed
    }

    /// The queue place of a message that was in the outbox when the program started: behind those before it, and ahead
    /// of everything typed in this run.
    pub fn stored_queue(&mut self) -> u64 {
        self.stored += 1;
        self.stored
    }
}
