//! The history of a conversation in several stores: the account's own, and those of archives that hold earlier years of
//! it. If two of them have a message, the higher version counts.

use super::read::PageOf;
use super::{ArchiveMedia, Store, StoreError, history};
use crate::model::{
    ChatStatistics, ConversationId, Coverage, ImportOrigin, MessageKey, Neighbors, RawMessage,
    SafeText, Timestamp, UserId,
};
use jiff::tz::TimeZone;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};

/// The store of an archive that is shown.
#[derive(Clone)]
pub struct OpenArchive {
    pub name: SafeText,
    /// The owner of the exports in it; empty if they do not say.
    pub owner: UserId,
    pub store: Store,
}

/// The archives that are shown, for all accounts. An archive that is imported later joins them.
#[derive(Clone, Default)]
pub struct OpenArchives(Arc<RwLock<Vec<OpenArchive>>>);

impl std::fmt::Debug for OpenArchives {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OpenArchives")
    }
}

impl OpenArchives {
    pub fn add(&self, archive: OpenArchive) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).push(archive);
    }

    /// The archives in which this id names the same conversation as for `me`.
    fn holding(&self, id: &ConversationId, me: &UserId) -> Vec<OpenArchive> {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        all.iter().filter(|archive| id.is_same_for(&archive.owner, me)).cloned().collect()
    }
}

/// A part of a conversation's history.
#[derive(Clone, Debug, Default)]
pub struct JoinedPage {
    pub messages: Vec<RawMessage>,
    /// Those of them that come from an archive.
    pub archived: HashSet<MessageKey>,
    /// No store has anything beyond this page.
    pub is_last: bool,
}

/// A page of one store, and whether the store has nothing beyond it.
pub struct SourcePage {
    pub messages: Vec<RawMessage>,
    pub is_last: bool,
}

/// Joins pages that begin at the same place: that of the account's own store, then those of archives.
///
/// A store with more than its page may have messages right after it. So no message of another store beyond that place
/// belongs to the joined page.
pub fn join(pages: Vec<SourcePage>, newest_first: bool) -> JoinedPage {
    let pages = match <[SourcePage; 1]>::try_from(pages) {
        Ok([SourcePage { messages, is_last }]) => {
            return JoinedPage { messages, archived: HashSet::new(), is_last };
        }
        Err(pages) => pages,
    };
    let ends = pages.iter().filter(|page| !page.is_last);
    let ends = ends.filter_map(|page| page.messages.last().map(RawMessage::key));
    let end = if newest_first { ends.max() } else { ends.min() };
    let is_within = |key: &MessageKey| {
        end.as_ref().is_none_or(|end| if newest_first { key >= end } else { key <= end })
    };
    let is_last = pages.iter().all(|page| page.is_last);
    let mut joined: BTreeMap<MessageKey, (RawMessage, bool)> = BTreeMap::new();
    for (number, page) in pages.into_iter().enumerate() {
        for raw in page.messages {
            let key = raw.key();
            if !is_within(&key) {
                continue;
            }
            match joined.entry(key) {
                Entry::Occupied(known) if known.get().0.version >= raw.version => {}
                Entry::Occupied(mut known) => drop(known.insert((raw, number > 0))),
                Entry::Vacant(free) => drop(free.insert((raw, number > 0))),
            }
        }
    }
    let archived = joined.iter().filter(|(_, (_, is_archived))| *is_archived);
    let archived = archived.map(|(key, _)| key.clone()).collect();
    let mut messages: Vec<RawMessage> = joined.into_values().map(|(raw, _)| raw).collect();
    if newest_first {
        messages.reverse();
    }
    JoinedPage { messages, archived, is_last }
}

/// The history of one conversation.
pub struct JoinedHistory {
    id: ConversationId,
    own: Store,
    archives: Vec<OpenArchive>,
}

/// The part that an archive has; empty if it cannot be read. The account's own history is still shown.
fn or_nothing<T: Default>(found: Result<T, StoreError>) -> T {
    found.unwrap_or_else(|error| {
        tracing::warn!(%error, "an archive was not read");
        T::default()
    })
}

impl JoinedHistory {
    pub fn new(own: &Store, archives: &OpenArchives, id: &ConversationId, me: &UserId) -> Self {
        Self { id: id.clone(), own: own.clone(), archives: archives.holding(id, me) }
    }

    /// Whether no archive can have a part of the conversation.
    pub fn is_own_only(&self) -> bool {
        self.archives.is_empty()
    }

    /// The newest messages of the account's own store, or of the archives if it has none; newest first.
    pub async fn newest(&self, limit: u32) -> JoinedPage {
        let own = self.own.newest(&self.id, limit).await.unwrap_or_default();
        let mut pages = vec![SourcePage { is_last: !own.is_empty(), messages: own }];
        if pages.iter().all(|page| page.messages.is_empty()) {
            for archive in &self.archives {
                let messages = or_nothing(archive.store.newest(&self.id, limit).await);
                pages.push(SourcePage { is_last: messages.len() < limit as usize, messages });
            }
        }
        join(pages, true)
    }

    /// Messages before `key`, newest first. `own` are those of the account's own store.
    pub async fn before(&self, own: PageOf, key: &MessageKey, limit: u32) -> JoinedPage {
        let mut pages = vec![SourcePage { messages: own.messages, is_last: own.reached_start }];
        for archive in &self.archives {
            let page = or_nothing(archive.store.before(&self.id, key, limit).await);
            let is_last = page.messages.len() < limit as usize;
            pages.push(SourcePage { messages: page.messages, is_last });
        }
        join(pages, true)
    }

    /// Messages after `key`, oldest first.
    ///
    /// # Errors
    /// When the account's own store cannot be read.
    pub async fn after(&self, key: &MessageKey, limit: u32) -> Result<JoinedPage, StoreError> {
        let page = |messages: Vec<RawMessage>| SourcePage {
            is_last: messages.len() < limit as usize,
            messages,
        };
        let mut pages = vec![page(self.own.after(&self.id, key, limit).await?)];
        for archive in &self.archives {
            pages.push(page(or_nothing(archive.store.after(&self.id, key, limit).await)));
        }
        Ok(join(pages, false))
    }

    /// Messages around a key, newest first, and whether they include the newest one of the conversation. `is_last` says
    /// whether they include the oldest one.
    ///
    /// # Errors
    /// When the account's own store cannot be read.
    pub async fn around(
        &self,
        key: &MessageKey,
        limit: u32,
    ) -> Result<(JoinedPage, bool), StoreError> {
        let mut newer = self.after(key, limit).await?;
        // A key after the message, so that the page before it includes it.
        let past = MessageKey { order: key.order.saturating_add(1), ..key.clone() };
        let own = self.own.before(&self.id, &past, limit).await?;
        let mut page = self.before(own, &past, limit).await;
        newer.messages.retain(|raw| raw.key() > *key);
        newer.messages.reverse();
        newer.messages.append(&mut page.messages);
        page.messages = newer.messages;
        page.archived.extend(newer.archived);
        Ok((page, newer.is_last))
    }

    /// Which parts of the history are stored.
    pub async fn coverage(&self) -> Result<Coverage, StoreError> {
        let mut coverage = self.own.coverage(&self.id).await?;
        for archive in &self.archives {
            let known = or_nothing(archive.store.coverage(&self.id).await);
            known.ranges().iter().for_each(|range| coverage.add(*range));
        }
        Ok(coverage)
    }

    /// The stored messages next to a moment.
    pub async fn neighbors(&self, at: Timestamp) -> Neighbors {
        let mut found = self.own.neighbors(&self.id, at).await.unwrap_or_default();
        for archive in &self.archives {
            let other = or_nothing(archive.store.neighbors(&self.id, at).await);
            found.before = found.before.into_iter().chain(other.before).max();
            found.after = found.after.into_iter().chain(other.after).min();
        }
        found
    }

    /// Counts the messages, on connections of its own: a large conversation takes a while, and opening a chat must not wait
    /// for it. A message that several stores have counts once.
    ///
    /// # Errors
    /// When a store cannot be read.
    pub async fn statistics(&self, zone: &TimeZone) -> Result<ChatStatistics, StoreError> {
        let stores = std::iter::once(&self.own).chain(self.archives.iter().map(|a| &a.store));
        let connections = stores.map(|store| super::open_to_read(&store.path));
        let connections = connections.collect::<Result<Vec<_>, _>>()?;
        let (id, zone) = (self.id.clone(), zone.clone());
        let counted =
            tokio::task::spawn_blocking(move || history::statistics(&connections, &id, &zone));
        Ok(counted.await.map_err(|_| StoreError::Closed)??)
    }

    /// A message and the edits of it by the same sender, oldest first, and what it was imported from.
    pub async fn source(&self, message: &str) -> (Vec<RawMessage>, Option<ImportOrigin>) {
        let mut items = self.own.with_edits(&self.id, message).await.unwrap_or_default();
        let mut origin = self.own.origin(&self.id, message).await.unwrap_or_default();
        for archive in &self.archives {
            let found = or_nothing(archive.store.with_edits(&self.id, message).await);
            let version = |items: &[RawMessage]| items.first().map(|raw| raw.version);
            if version(&found) > version(&items) {
                items = found;
                origin = or_nothing(archive.store.origin(&self.id, message).await);
                if let Some(origin) = &mut origin {
                    origin.archive = Some(archive.name.clone());
                }
            }
        }
        (items, origin)
    }

    /// The files of objects in the exports of the archives.
    pub async fn media(&self, objects: Vec<String>) -> Vec<Vec<ArchiveMedia>> {
        let mut found = self.own.media(objects.clone()).await.unwrap_or_default();
        for archive in &self.archives {
            let others = or_nothing(archive.store.media(objects.clone()).await);
            for (known, other) in found.iter_mut().zip(others) {
                if known.is_empty() {
                    *known = other;
                }
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(n: i64, version: u64) -> RawMessage {
        RawMessage {
            id: n.to_string().into(),
            client_id: None,
            conversation: "8:joe".into(),
            sender: "8:joe".into(),
            sender_name: None,
            at: Timestamp(n),
            version,
            kind: "Text".into(),
            content: "".into(),
            extras: false,
            original_is_stored: false,
            json: "".into(),
        }
    }

    fn page(times: &[i64], is_last: bool) -> SourcePage {
        SourcePage { messages: times.iter().map(|n| raw(*n, 1)).collect(), is_last }
    }

    fn times(page: &JoinedPage) -> Vec<i64> {
        page.messages.iter().map(|raw| raw.at.0).collect()
    }

    #[test]
    fn years_of_an_archive_follow_where_the_own_history_ends() {
        let joined = join(vec![page(&[9, 8], true), page(&[8, 5, 4], false)], true);
        assert_eq!(times(&joined), [9, 8, 5, 4]);
        let archived: HashSet<i64> = joined.archived.iter().map(|key| key.at.0).collect();
        assert_eq!((archived, joined.is_last), ([5, 4].into(), false));
    }

    #[test]
    fn nothing_of_one_store_is_shown_beyond_what_is_known_of_another() {
        let joined = join(vec![page(&[9, 8], false), page(&[8, 5, 4], true)], true);
        assert_eq!((times(&joined), joined.is_last), (vec![9, 8], false));
        let newer = join(vec![page(&[9, 10], true), page(&[4, 6], false)], false);
        assert_eq!((times(&newer), newer.is_last), (vec![4, 6], false));
        let both = join(vec![page(&[9, 10], true), page(&[4, 6], true)], false);
        assert_eq!((times(&both), both.is_last), (vec![4, 6, 9, 10], true));
    }

    #[test]
    fn of_two_versions_the_higher_one_counts_and_of_equal_ones_the_own() {
        let changed = SourcePage { messages: vec![raw(9, 2), raw(8, 1)], is_last: true };
        let joined = join(vec![page(&[9, 8], true), changed], true);
        let versions: Vec<u64> = joined.messages.iter().map(|raw| raw.version).collect();
        assert_eq!(versions, [2, 1]);
        assert_eq!(joined.archived.iter().map(|key| key.at.0).collect::<Vec<_>>(), [9]);
    }
}
