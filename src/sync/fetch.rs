//! Fetching older pages, names and threads.

use super::Shared;
use super::apply::IncomingMessages;
use super::catch_up::News;
use super::requests::send_stored;
use super::walk::{NextPage, PastEnd, Step, Walk};
use crate::client::Error;
use crate::model::{
    Arrival, ConversationId, Delta, Fault, FaultKind, MessageKey, Placement, Point, Range,
    RawMessage,
};
use crate::protocol::wire;
use crate::store::{CoverageUpdate, JoinedHistory, OpenGap, PageOf};

/// The most pages that are fetched in a row, in case a server's links never end.
pub(super) const MAX_PAGES: usize = 1_000;

impl Shared {
    /// Reads the newest page of the open chat again: an edit or a reaction may not have moved the list (facts 8.8).
    pub(super) async fn read_open_chat(&self) -> Result<(), Error> {
        let readable =
            |id: &ConversationId| !id.is_virtual() && !self.history.refusals.is_parked(id);
        let Some(id) = self.open_chat().filter(readable) else { return Ok(()) };
        if self.has_not_begun(&id).await {
            return Ok(());
        }
        let page = match self.client.messages(&id, self.options.page).await {
            Ok(page) => page,
            Err(error) if error.is_inaccessible() => {
                self.reading_refused(&id, &error).await;
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let top = self.store.coverage(&id).await.unwrap_or_default().top();
        // New messages are left to the list, which knows how they arrived.
        let messages: Vec<RawMessage> = page
            .items
            .into_iter()
            .filter(|raw| raw.conversation == id)
            .filter(|raw| top.is_some_and(|top| Point::from(&raw.key()) <= top))
            .collect();
        if messages.is_empty() {
            return Ok(());
        }
        let incoming = IncomingMessages {
            conversation: id,
            messages,
            placement: Placement::Gap,
            arrival: Arrival::History,
            coverage: Vec::new(),
        };
        self.ingest(Vec::new(), vec![incoming]).await;
        Ok(())
    }

    /// Sends messages before `before` to the app: from the store or else from the server, and from archives.
    pub(super) async fn load_older(&self, id: &ConversationId, before: MessageKey) {
        if before.is_unsent() {
            return;
        }
        let limit = self.options.page;
        let history = self.joined(id);
        let stored = self.store.before(id, &before, limit).await.unwrap_or_default();
        let own = if !stored.messages.is_empty() || stored.reached_start {
            Ok(stored)
        } else {
            self.older_of_server(id, &before, &history).await
        };
        let (own, fault) = match own {
            Ok(own) => (own, None),
            Err(LeftOut::Sent) => return,
            Err(LeftOut::Failed(fault)) => (PageOf::default(), Some(fault)),
        };
        let page = history.before(own, &before, limit).await;
        // Archives are read even without the server.
        if let Some(fault) = fault.filter(|_| page.messages.is_empty()) {
            self.send(Delta::Older { conversation: id.clone(), fault }).await;
            return;
        }
        let place = Point::from(&before);
        let placement = Placement::Older { before: place, reached_start: page.is_last };
        send_stored(self, id, &history, page, placement).await;
    }

    /// Fetches a page before `before` and stores it. If no archive can add to it, it is sent to the app as received;
    /// otherwise the stored page is returned.
    async fn older_of_server(
        &self,
        id: &ConversationId,
        before: &MessageKey,
        history: &JoinedHistory,
    ) -> Result<PageOf, LeftOut> {
        if self.has_not_begun(id).await {
            return Ok(PageOf { reached_start: true, ..PageOf::default() });
        }
        if self.history.refusals.is_parked(id) {
            let why = "the service no longer provides this conversation";
            return Err(LeftOut::Failed(Fault::new(FaultKind::NotFound, why)));
        }
        let OlderPage { messages, coverage, floor, .. } =
            match self.fetch_older(id, before, None).await {
                Ok(page) => page,
                // A new chat that the server does not know yet, so there is nothing older.
                Err(error) if error.is_inaccessible() && id.peer().is_some() => {
                    return Ok(PageOf { reached_start: true, ..PageOf::default() });
                }
                Err(error) => {
                    self.reading_refused(id, &error).await;
                    return Err(LeftOut::Failed(Fault::from(&error)));
                }
            };
        let is_whole = history.is_own_only();
        let placement = if is_whole {
            Placement::Older { before: before.into(), reached_start: floor }
        } else {
            // The account's own page must not be shown as directly above what is loaded: archives may have more.
            Placement::Gap
        };
        let incoming = IncomingMessages {
            conversation: id.clone(),
            messages,
            placement,
            arrival: Arrival::History,
            coverage,
        };
        self.ingest(Vec::new(), vec![incoming]).await;
        if is_whole {
            return Err(LeftOut::Sent);
        }
        let limit = self.options.page;
        let mut stored = self.store.before(id, before, limit).await.unwrap_or_default();
        stored.reached_start |= floor && stored.messages.len() < limit as usize;
        Ok(stored)
    }

    /// Fetches a page right below a message.
    pub(super) async fn fetch_below(
        &self,
        id: &ConversationId,
        above: &MessageKey,
    ) -> Result<(), Error> {
        let page = self.fetch_older(id, above, None).await?;
        self.ingest_in_gap(id, page).await;
        Ok(())
    }

    /// Stores and shows a page of older messages between loaded ones. Returns whether it was stored.
    async fn ingest_in_gap(&self, id: &ConversationId, page: OlderPage) -> bool {
        let incoming = IncomingMessages {
            conversation: id.clone(),
            messages: page.messages,
            placement: Placement::Gap,
            arrival: Arrival::History,
            coverage: page.coverage,
        };
        self.ingest(Vec::new(), vec![incoming]).await
    }

    /// Fetches one page of a gap. Returns whether that made the gap smaller.
    ///
    /// # Errors
    /// Also when the server's answers lead nowhere: what lies in the gap is still not known.
    pub(super) async fn fill_gap(&self, gap: &OpenGap) -> Result<bool, Error> {
        let id = &gap.conversation;
        let page = self.fetch_older(id, &gap.above, Some(gap.gap.below)).await?;
        let nearer = page.nearer;
        Ok(self.ingest_in_gap(id, page).await && nearer)
    }

    /// Fetches one page before `before`. `below` is the next stored message below it.
    async fn fetch_older(
        &self,
        id: &ConversationId,
        before: &MessageKey,
        below: Option<Point>,
    ) -> Result<OlderPage, Error> {
        let above = Point::from(before);
        let mut walk = Walk::below(id, above, self.history.take_older_link(id, before), below);
        let mut page = OlderPage::default();
        let mut spans = Vec::new();
        for _ in 0..MAX_PAGES {
            let Some(step) = self.next_page(&mut walk).await? else { break };
            spans.extend(step.span);
            page.messages.extend(step.messages);
            if walk.reach() < Some(above) {
                break;
            }
        }
        page.floor = walk.next() == Err(PastEnd::Floor);
        let oldest = page.messages.iter().map(|raw| Point::from(&raw.key())).min();
        if let (Some(link), Some(oldest)) = (walk.link(), oldest) {
            self.history.remember_older(id, oldest, link.to_owned());
        }
        let reach = walk.reach().filter(|reach| *reach < above);
        let lo = if page.floor { oldest.or(reach) } else { reach };
        let apart = spans.into_iter().map(|(lo, hi)| Range { lo, hi, floor: false });
        let apart: Vec<Range> = apart.filter(|range| range.hi < lo.unwrap_or(above)).collect();
        page.nearer = page.floor || lo.is_some() || apart.iter().any(|r| Some(r.hi) > below);
        if !page.nearer {
            return Err(Error::incomplete());
        }
        let whole = Range { lo: lo.unwrap_or(above), hi: above, floor: page.floor };
        let ranges = std::iter::once(whole).chain(apart);
        page.coverage = ranges.map(CoverageUpdate::Range).collect();
        Ok(page)
    }

    /// Makes the requests of a walk up to the first answer that helps. `None` when the walk ends.
    pub(super) async fn next_page(&self, walk: &mut Walk) -> Result<Option<Step>, Error> {
        let (client, size) = (&self.client, self.options.page);
        while let Ok(request) = walk.next() {
            let id = walk.id();
            let page = match request {
                NextPage::Newest => client.messages(id, size).await,
                NextPage::Link(link) => client.messages_next(id, link, size).await,
                NextPage::Between(start, end) => {
                    client.messages_between(id, *start, *end, size).await
                }
            };
            match page {
                Ok(page) => {
                    self.count_unplaced(page.bad).await;
                    return Ok(Some(walk.take(page)));
                }
                Err(error) if walk.take_error(&error) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// Counts items that could not be placed, so that they are not dropped silently.
    pub(super) async fn count_unplaced(&self, count: usize) {
        if count > 0
            && let Err(error) = self.store.count_unplaced(count).await
        {
            tracing::warn!(%error, count, "items that could not be placed were not counted");
        }
    }

    /// The given conversations that are not in the store.
    pub(super) async fn unknown_conversations(
        &self,
        ids: impl Iterator<Item = &ConversationId>,
    ) -> Vec<ConversationId> {
        let ids = ids.filter(|id| !id.is_virtual()).cloned().collect();
        self.store.unknown(ids).await.unwrap_or_default()
    }

    /// Whether a conversation with a person has no thread yet, so that the service knows nothing under this id
    /// (facts 8.7).
    pub(super) async fn has_not_begun(&self, id: &ConversationId) -> bool {
        self.client.needs_thread(id).is_some()
            && !self.unknown_conversations(std::iter::once(id)).await.is_empty()
    }

    /// Fetches a conversation that was not known until a message of it arrived.
    pub(super) async fn fetch_new_conversation(&self, id: &ConversationId) {
        match self.client.conversation(id).await {
            Ok(raw) => {
                // The message that revealed it was already reported.
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
        if let Ok(Some(json)) = self.store.thread_json(id).await {
            self.send_stored_thread(id, &json).await;
        }
    }

    /// Sends a thread from the store; nothing if it cannot be read.
    pub(super) async fn send_stored_thread(&self, id: &ConversationId, json: &str) {
        if let Ok(thread) = wire::thread(json) {
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

/// Why there is no page to join with archives.
enum LeftOut {
    /// It has gone to the app.
    Sent,
    Failed(Fault),
}

/// A page of messages older than a stored one.
#[derive(Default)]
struct OlderPage {
    messages: Vec<RawMessage>,
    /// Which parts of the history they hold completely.
    coverage: Vec<CoverageUpdate>,
    /// The server has nothing older.
    floor: bool,
    /// More of the history is known than before.
    nearer: bool,
}
