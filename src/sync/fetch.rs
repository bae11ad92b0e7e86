//! Fetching the conversation list, older pages, names and threads.

use super::Shared;
use super::apply::{IncomingConversation, IncomingMessages};
use super::catch_up::{News, lowest};
use crate::client::{Error, ErrorKind};
use crate::model::{
    Arrival, ConversationId, Delta, Fault, MessageKey, Placement, Point, Range, RawConversation,
    RawMessage, Timestamp,
};
use crate::protocol::wire;
use crate::store::{CoverageUpdate, OpenGap};
use std::collections::{BTreeSet, HashMap};

/// Conversations requested at once.
const LIST_PAGE: u32 = 100;
/// The most pages that are fetched in a row, in case a server's links never end.
pub(super) const MAX_PAGES: usize = 1_000;

impl Shared {
    /// Fetches the conversation list, and catches up with the conversations that have changed. With `all`, which is for
    /// the start and after an interruption, it reads the whole list; otherwise it stops at the first page on which
    /// something has not changed, and new messages count as live.
    pub(super) async fn refresh(&self, all: bool) -> Result<(), Error> {
        let known: HashMap<ConversationId, u64> =
            self.store.versions().await.unwrap_or_default().into_iter().collect();
        // A conversation's version is the server's time of its last change.
        let since = known.values().max().and_then(|version| i64::try_from(*version).ok());
        let arrival = if all { Arrival::CatchUp } else { Arrival::Live };
        let news = News { arrival, since: since.map(Timestamp) };
        let mut page = self.client.conversations(LIST_PAGE).await?;
        let mut seen = BTreeSet::new();
        for _ in 0..MAX_PAGES {
            let items: Vec<RawConversation> = std::mem::take(&mut page.items)
                .into_iter()
                .filter(|c| !c.id.is_virtual() && seen.insert(c.id.clone()))
                .collect();
            let moved: Vec<RawConversation> =
                items.iter().filter(|c| known.get(&c.id) != Some(&c.version)).cloned().collect();
            let all_moved = !items.is_empty() && moved.len() == items.len();
            if !moved.is_empty() {
                // The list first, so that names and order are shown while messages are still being fetched.
                let rows = moved.iter().cloned().map(IncomingConversation::listed).collect();
                self.ingest(rows, Vec::new()).await;
            }
            for conversation in moved {
                self.catch_up(conversation, news).await?;
            }
            match page.older.take() {
                Some(older) if all || all_moved => {
                    page = self.client.conversations_next(&older, LIST_PAGE).await?;
                    if page.items.iter().all(|c| seen.contains(&c.id)) {
                        break;
                    }
                }
                _ => break,
            }
        }
        Ok(())
    }

    /// Sends messages before `before` to the app, from the store or else from the server.
    pub(super) async fn load_older(&self, id: &ConversationId, before: MessageKey) {
        if before.is_unsent() {
            return;
        }
        let (place, arrival) = (Point::from(&before), Arrival::History);
        let limit = self.options.page;
        let stored = self.store.before(id, &before, limit).await.unwrap_or_default();
        if !stored.messages.is_empty() || stored.reached_start {
            let messages = stored.messages.into_iter().map(super::decode_stored);
            let messages =
                messages.map(|raw| crate::protocol::decode::message(&raw, &self.me)).collect();
            let placement = Placement::Older { before: place, reached_start: stored.reached_start };
            self.send(Delta::Messages { conversation: id.clone(), messages, placement, arrival })
                .await;
            return;
        }
        match self.fetch_older(id, &before).await {
            Ok(OlderPage { messages, lo, floor: reached_start }) => {
                let placement = Placement::Older { before: place, reached_start };
                let coverage = Some(covered(lo, &before, reached_start));
                let incoming = IncomingMessages {
                    conversation: id.clone(),
                    messages,
                    placement,
                    arrival,
                    coverage,
                };
                self.ingest(Vec::new(), vec![incoming]).await;
            }
            // A new chat that the server does not know yet, so there is nothing older.
            Err(error) if error.is_inaccessible() && id.peer().is_some() => {
                let placement = Placement::Older { before: place, reached_start: true };
                let messages = Vec::new();
                self.send(Delta::Messages {
                    conversation: id.clone(),
                    messages,
                    placement,
                    arrival,
                })
                .await;
            }
            Err(error) => {
                let fault = Fault::from(&error);
                self.send(Delta::Older { conversation: id.clone(), fault }).await;
            }
        }
    }

    /// Fetches one page of a gap. Returns whether that made the gap smaller.
    pub(super) async fn fill_gap(&self, gap: &OpenGap) -> Result<bool, Error> {
        let id = &gap.conversation;
        let OlderPage { messages, lo, floor } = self.fetch_older(id, &gap.above).await?;
        let nearer = floor || lo.is_some_and(|lo| lo < gap.gap.above);
        let coverage = Some(covered(lo, &gap.above, floor));
        let incoming = IncomingMessages {
            conversation: id.clone(),
            messages,
            placement: Placement::Gap,
            arrival: Arrival::History,
            coverage,
        };
        Ok(self.ingest(Vec::new(), vec![incoming]).await && nearer)
    }

    /// Fetches one page before `before`: by the link of the page above it if that is known, else by time, else by paging
    /// down from the newest page, because not all servers support `endTime` (facts 2.1).
    async fn fetch_older(
        &self,
        id: &ConversationId,
        before: &MessageKey,
    ) -> Result<OlderPage, Error> {
        let size = self.options.page;
        let (mut continued, mut restarted) = (false, false);
        let mut page = match self.history.older_link(id, before) {
            Some(link) => match self.client.messages_next(id, &link, size).await {
                Err(error) if error.kind == ErrorKind::StaleSyncState => {
                    self.client.messages_until(id, before.at, size).await?
                }
                other => {
                    continued = true;
                    other?
                }
            },
            None => self.client.messages_until(id, before.at, size).await?,
        };
        for turn in 0..MAX_PAGES {
            let older: Vec<RawMessage> = std::mem::take(&mut page.items)
                .into_iter()
                .filter(|raw| raw.conversation == *id && raw.key() < *before)
                .collect();
            let link = page.older.take();
            // Without a link this is the last page, so it reaches down to the beginning.
            let lo = lowest(&older, continued && link.is_some());
            if lo.is_some() || link.is_none() {
                if let (Some(oldest), Some(link)) =
                    (older.iter().map(|raw| Point::from(&raw.key())).min(), &link)
                {
                    self.history.remember_older(id, oldest, link.clone());
                }
                return Ok(OlderPage { messages: older, lo, floor: link.is_none() });
            }
            (page, continued) = match link {
                // The link led to changed messages only: try by time, which returns no changes.
                Some(_) if turn == 0 && continued => {
                    (self.client.messages_until(id, before.at, size).await?, false)
                }
                Some(_) if !restarted => {
                    restarted = true;
                    (self.client.messages(id, size).await?, false)
                }
                Some(link) => (self.client.messages_next(id, &link, size).await?, true),
                // Unreachable: without a link it has returned above.
                None => break,
            };
        }
        Err(Error::incomplete())
    }

    /// Those of these conversations that are not in the store.
    pub(super) async fn unknown_conversations(
        &self,
        ids: impl Iterator<Item = &ConversationId>,
    ) -> Vec<ConversationId> {
        let known: BTreeSet<ConversationId> =
            self.store.versions().await.unwrap_or_default().into_iter().map(|(id, _)| id).collect();
        ids.filter(|id| !known.contains(id) && !id.is_virtual()).cloned().collect()
    }

    /// Fetches a conversation that was not known until a message of it arrived.
    pub(super) async fn fetch_new_conversation(&self, id: &ConversationId) {
        match self.client.conversation(id).await {
            Ok(raw) => {
                // The message that made it known was told before.
                let news = News::above_stored(Arrival::History);
                if let Err(error) = self.catch_up(raw, news).await {
                    tracing::info!(kind = ?error.kind, "a new conversation was not fetched");
                }
            }
            Err(error) => tracing::info!(kind = ?error.kind, "a new conversation was not fetched"),
        }
        self.fetch_missing_names().await;
    }

    /// Sends the stored members and settings of a group to the app, if there are any.
    pub(super) async fn send_cached_thread(&self, id: &ConversationId) {
        if let Ok(Some(json)) = self.store.thread_json(id).await
            && let Ok(thread) = wire::thread(&json)
        {
            self.send_thread(id, thread).await;
        }
    }

    /// Sends read markers that the server has not received yet.
    pub(super) async fn flush_read_markers(&self) {
        for (id, read_marker) in self.store.unsent_read_markers().await.unwrap_or_default() {
            match self.client.mark_read(&id, &read_marker).await {
                Ok(()) => {
                    if let Err(error) = self.store.read_marker_sent(&id, &read_marker).await {
                        tracing::error!(%error, "a sent read marker was not recorded");
                    }
                }
                // It would be refused again.
                Err(error) if !error.is_transient() => {
                    let _ = self.store.read_marker_sent(&id, &read_marker).await;
                }
                Err(_) => return,
            }
        }
    }
}

/// A page of messages older than a stored one.
struct OlderPage {
    messages: Vec<RawMessage>,
    /// How far down they reach without a gap.
    lo: Option<Point>,
    /// The server has nothing older.
    floor: bool,
}

/// The part of the history that a page below `above` covers, if it reaches down to `lo`.
fn covered(lo: Option<Point>, above: &MessageKey, floor: bool) -> CoverageUpdate {
    let hi = Point::from(above);
    CoverageUpdate::Range(Range { lo: lo.unwrap_or(hi).min(hi), hi, floor })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Timestamp;

    fn point(id: i64) -> Point {
        Point { at: Timestamp(id), order: id.unsigned_abs() }
    }

    #[test]
    fn an_older_page_covers_everything_from_its_lowest_message_to_the_one_above_it() {
        let above = MessageKey::server(Timestamp(50), "50");
        let range = |lo, floor| match covered(lo, &above, floor) {
            CoverageUpdate::Range(range) => range,
            CoverageUpdate::Append => panic!("a page is a range"),
        };
        assert_eq!(
            range(Some(point(20)), false),
            Range { lo: point(20), hi: point(50), floor: false }
        );
        // Nothing older on the server: the message above is the first one.
        assert_eq!(range(None, true), Range { lo: point(50), hi: point(50), floor: true });
        // A server that answers with what is newer claims nothing.
        assert_eq!(
            range(Some(point(70)), false),
            Range { lo: point(50), hi: point(50), floor: false }
        );
    }
}
