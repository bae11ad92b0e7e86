//! The outbox: messages to send, which are on disk before anything is sent.

use super::{Store, StoreError};
use crate::model::{
    ClientMessageId, ConversationId, Delivery, Draft, NOT_CONFIRMED, Outgoing, SafeText, Timestamp,
};
use rusqlite::{Connection, OptionalExtension, Row, params};

/// A sent message is later than the stored ones by at least this many milliseconds, less the two seconds by which the
/// look-back extends further: the server reports its clock in seconds.
const AFTER_STORED_MS: i64 = 2_001;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutboxState {
    /// Held back while it can still be cancelled.
    Held,
    Queued,
    /// Set before the request is made: after a crash in this state the outcome is unknown.
    Sending,
    /// Accepted by the server; its copy has not arrived yet.
    Sent,
    /// Whether the server has it must be looked up.
    Unknown,
    /// The lookup could not tell, and the user decides.
    Unconfirmed,
    Failed,
}

impl OutboxState {
    fn as_str(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Queued => "queued",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Unknown => "unknown",
            Self::Unconfirmed => "unconfirmed",
            Self::Failed => "failed",
        }
    }

    fn parse(word: &str) -> Self {
        match word {
            "held" => Self::Held,
            "queued" => Self::Queued,
            "sent" => Self::Sent,
            "failed" => Self::Failed,
            "unconfirmed" => Self::Unconfirmed,
            // `sending` after a restart, or an unknown word: look it up before sending again.
            _ => Self::Unknown,
        }
    }
}

#[derive(Clone, Debug)]
pub struct OutboxItem {
    pub conversation: ConversationId,
    pub client_id: ClientMessageId,
    pub outgoing: Outgoing,
    pub queued_at: Timestamp,
    pub state: OutboxState,
    pub reason: SafeText,
}

impl OutboxItem {
    pub fn delivery(&self) -> Delivery {
        match self.state {
            OutboxState::Held => Delivery::Held,
            OutboxState::Queued => Delivery::Queued,
            OutboxState::Sending => Delivery::Sending,
            OutboxState::Sent => Delivery::Sent,
            OutboxState::Unknown => Delivery::Unconfirmed,
            OutboxState::Unconfirmed => {
                Delivery::Failed { reason: SafeText::line(NOT_CONFIRMED), can_retry: true }
            }
            OutboxState::Failed => {
                Delivery::Failed { reason: self.reason.clone(), can_retry: true }
            }
        }
    }

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let outgoing: String = row.get("outgoing")?;
        let state: String = row.get("state")?;
        let reason: String = row.get("reason")?;
        Ok(Self {
            conversation: ConversationId::from(row.get::<_, String>("conversation")?),
            client_id: ClientMessageId::from(row.get::<_, String>("client_id")?),
            outgoing: serde_json::from_str(&outgoing).unwrap_or_default(),
            queued_at: Timestamp(row.get("queued_at")?),
            state: OutboxState::parse(&state),
            reason: SafeText::line(&reason),
        })
    }
}

pub(super) fn all(c: &Connection) -> rusqlite::Result<Vec<OutboxItem>> {
    let mut query = c.prepare_cached("SELECT * FROM outbox ORDER BY number")?;
    query.query_map([], OutboxItem::read)?.collect()
}

impl Store {
    /// Adds a message and deletes the draft it was made from, in one transaction. A second call with the same client id
    /// changes nothing.
    pub(crate) async fn enqueue(
        &self,
        conversation: &ConversationId,
        client_id: &ClientMessageId,
        outgoing: &Outgoing,
        now: Timestamp,
        state: OutboxState,
    ) -> Result<(), StoreError> {
        let (conversation, client_id) = (conversation.clone(), client_id.clone());
        let json = serde_json::to_string(outgoing).unwrap_or_default();
        self.write(move |c| {
            let tx = c.transaction()?;
            tx.execute(
                "INSERT OR IGNORE INTO outbox (conversation, client_id, outgoing, queued_at, state) \
                 VALUES (?1, ?2, ?3, ?4, ?5)",
                params![conversation.as_str(), client_id.as_str(), json, now.0, state.as_str()],
            )?;
            tx.execute("DELETE FROM drafts WHERE conversation = ?1", [conversation.as_str()])?;
            tx.commit()
        })
        .await
    }

    pub(crate) async fn set_outbox_state(
        &self,
        client_id: &ClientMessageId,
        state: OutboxState,
        reason: &str,
    ) -> Result<(), StoreError> {
        let (client_id, reason) = (client_id.clone(), reason.to_owned());
        self.write(move |c| {
            c.prepare_cached("UPDATE outbox SET state = ?2, reason = ?3 WHERE client_id = ?1")?
                .execute(params![client_id.as_str(), state.as_str(), reason])?;
            Ok(())
        })
        .await
    }

    /// The first message of a conversation that has to be sent or looked up, or that the user has to decide about.
    /// Later ones wait, so that the order is kept.
    pub(crate) async fn next_to_send(
        &self,
        conversation: &ConversationId,
    ) -> Result<Option<OutboxItem>, StoreError> {
        let conversation = conversation.clone();
        self.write(move |c| {
            c.prepare_cached(
                "SELECT * FROM outbox WHERE conversation = ?1 AND state IN ('held', 'queued', 'sending', 'unknown', 'unconfirmed') \
                 ORDER BY number LIMIT 1",
            )?
            .query_row([conversation.as_str()], OutboxItem::read)
            .optional()
        })
        .await
    }

    /// Whether a message was accepted and has not come back yet.
    pub(crate) async fn is_accepted(
        &self,
        client_id: &ClientMessageId,
    ) -> Result<bool, StoreError> {
        let client_id = client_id.clone();
        self.write(move |c| {
            c.prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM outbox WHERE client_id = ?1 AND state = 'sent')",
            )?
            .query_row([client_id.as_str()], |row| row.get(0))
        })
        .await
    }

    /// Moves a message from one state to another. Returns false if it is no longer in `from`. With `at`, the server's
    /// time of an attempt to send it, the message counts as queued no later than that, whatever our clock said.
    pub(crate) async fn advance(
        &self,
        client_id: &ClientMessageId,
        from: OutboxState,
        to: OutboxState,
    ) -> Result<bool, StoreError> {
        let client_id = client_id.clone();
        self.write(move |c| {
            let sql =
                "UPDATE outbox SET state = ?3, reason = '' WHERE client_id = ?1 AND state = ?2";
            let values = params![client_id.as_str(), from.as_str(), to.as_str()];
            let moved = c.prepare_cached(sql)?.execute(values)?;
            Ok(moved > 0)
        })
        .await
    }

    /// Moves a queued message to [`OutboxState::Sending`], and records the earliest time at which it may be on the
    /// server. Returns false if it was cancelled.
    ///
    /// The time limits how far back the message is looked for, so it must not be later than the message by the server's
    /// clock. `now` is that clock as the server reports it; without it, the time of queueing stays. Either may be
    /// wrong, but the message cannot be older than the stored messages of its conversation.
    pub(crate) async fn start_sending(
        &self,
        client_id: &ClientMessageId,
        now: Option<Timestamp>,
    ) -> Result<bool, StoreError> {
        let client_id = client_id.clone();
        self.write(move |c| {
            let sql = "UPDATE outbox SET state = ?3, reason = '', queued_at = min(\
                           coalesce(?4, queued_at), \
                           coalesce((SELECT max(m.at) + ?5 FROM messages m \
                               WHERE m.conversation = (SELECT number FROM conversations \
                                   WHERE id = outbox.conversation)), ?6)) \
                       WHERE client_id = ?1 AND state = ?2";
            let (from, to) = (OutboxState::Queued.as_str(), OutboxState::Sending.as_str());
            let now = now.map(|now| now.0);
            let values = params![client_id.as_str(), from, to, now, AFTER_STORED_MS, i64::MAX];
            let moved = c.prepare_cached(sql)?.execute(values)?;
            Ok(moved > 0)
        })
        .await
    }

    /// Whether an accepted message was ever seen in the next page, so that a message missing from a page was not
    /// accepted. `None` if that was never tried.
    pub(crate) async fn reads_follow_writes(&self) -> Option<bool> {
        let read = self.read(|c| {
            c.prepare_cached("SELECT value = 'yes' FROM meta WHERE key = 'reads_follow_writes'")?
                .query_row([], |row| row.get(0))
                .optional()
        });
        read.await.ok().flatten()
    }

    pub(crate) async fn set_reads_follow_writes(&self, follow: bool) -> Result<(), StoreError> {
        self.write(move |c| {
            let value = if follow { "yes" } else { "no" };
            c.prepare_cached(
                "INSERT INTO meta VALUES ('reads_follow_writes', ?1) ON CONFLICT (key) DO UPDATE SET value = ?1",
            )?
            .execute([value])?;
            Ok(())
        })
        .await
    }

    /// Removes a message that has not been sent, and saves `draft` in the same transaction. Returns false if it has been
    /// sent.
    pub(crate) async fn cancel(
        &self,
        conversation: &ConversationId,
        client_id: &ClientMessageId,
        draft: Option<Draft>,
    ) -> Result<bool, StoreError> {
        let (conversation, client_id) = (conversation.clone(), client_id.clone());
        self.write(move |c| {
            let tx = super::write::begin(c)?;
            let gone = tx
                .prepare_cached(
                    "DELETE FROM outbox WHERE client_id = ?1 AND state IN ('held', 'queued', 'failed', 'unconfirmed')",
                )?
                .execute([client_id.as_str()])?;
            if let Some(draft) = draft.filter(|_| gone > 0) {
                super::drafts::put_draft(&tx, &conversation, &draft)?;
            }
            tx.commit()?;
            Ok(gone > 0)
        })
        .await
    }
}
