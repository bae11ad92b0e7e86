//! Counters for ids that are created here.

use crate::model::ClientMessageId;

#[derive(Clone, Copy, Debug)]
pub struct IdCounters {
    client_id: u64,
    queue: u64,
}

impl IdCounters {
    pub fn new(first_client_id: u64) -> Self {
        Self { client_id: first_client_id, queue: 0 }
    }

    /// A client id that no other message of this account has.
    pub fn client_id(&mut self) -> ClientMessageId {
        let id = self.client_id;
        self.client_id = id.wrapping_add(1);
        ClientMessageId::from(id.to_string())
    }

    /// The place of an unsent message behind those before it.
    pub fn queue(&mut self) -> u64 {
        self.queue += 1;
        self.queue
    }
}
