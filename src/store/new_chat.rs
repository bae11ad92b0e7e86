//! Conversations with a person that became threads with an id of their own (facts 8.7).

use super::read::meta;
use super::{Store, StoreError, write};
use crate::model::{ConversationId, RawConversation, Timestamp, UserId};
use rusqlite::{Connection, OptionalExtension as _, params};

/// The most stored threads that are looked at for the one with a person, most recently active first.
const MAX_THREADS: i64 = 1_000;

/// A stored thread in which a person is named.
pub struct NamingThread {
    pub raw: RawConversation,
    /// The thread with its members as received; empty if it was not fetched.
    pub thread_json: String,
}

fn key(of: &ConversationId) -> String {
    format!("thread_of:{}", of.as_str())
}

/// Moves to the threads what was still stored under the persons' ids when the program ended: a draft that was typed,
/// and the chat that was open, before the screen knew of the thread.
pub(super) fn finish_moves(c: &Connection) -> rusqlite::Result<()> {
    // Without a moved conversation, nothing has to be written. The range holds the keys that begin with "thread_of:".
    let moved = "SELECT 1 FROM meta WHERE key > 'thread_of:' AND key < 'thread_of;'";
    if !c.prepare(moved)?.exists([])? {
        return Ok(());
    }
    c.execute_batch(
        "UPDATE OR IGNORE drafts SET conversation = (SELECT value FROM meta WHERE key = 'thread_of:' || conversation) \
         WHERE EXISTS (SELECT 1 FROM meta WHERE key = 'thread_of:' || conversation); \
         UPDATE meta SET value = (SELECT t.value FROM meta t WHERE t.key = 'thread_of:' || meta.value) \
         WHERE key = 'last_open' AND EXISTS (SELECT 1 FROM meta t WHERE t.key = 'thread_of:' || meta.value);",
    )
}

fn naming(c: &Connection, who: &UserId) -> rusqlite::Result<Vec<NamingThread>> {
    let mut query = c.prepare_cached(
        "SELECT id, json, version, activity, thread_json FROM conversations \
         WHERE id LIKE '19:%' AND (instr(json, ?1) > 0 OR instr(thread_json, ?1) > 0 OR instr(id, ?2) > 0) \
         ORDER BY activity DESC, number LIMIT ?3",
    )?;
    // The id of a thread of two work accounts is made of their ids, without the prefix.
    let bare = who.as_str().rsplit(':').next().unwrap_or_default();
    let rows = query.query_map(params![who.as_str(), bare, MAX_THREADS], |row| {
        let raw = RawConversation {
            id: ConversationId::from(row.get::<_, String>(0)?),
            json: row.get::<_, String>(1)?.into(),
            version: u64::try_from(row.get::<_, i64>(2)?).unwrap_or(0),
            activity: Timestamp(row.get(3)?),
        };
        Ok(NamingThread { raw, thread_json: row.get(4)? })
    })?;
    rows.collect()
}

impl Store {
    /// The thread that a conversation named by a person's id became.
    pub(crate) async fn thread_of(
        &self,
        person: &ConversationId,
    ) -> Result<Option<ConversationId>, StoreError> {
        let key = key(person);
        self.read(move |c| Ok(meta(c, &key)?.map(ConversationId::from))).await
    }

    /// Forgets that conversations named by a person's id became this thread, which no longer exists.
    pub(crate) async fn forget_thread(&self, thread: &ConversationId) -> Result<(), StoreError> {
        let thread = thread.clone();
        self.write(move |c| {
            c.execute(
                "DELETE FROM meta WHERE key >= 'thread_of:' AND key < 'thread_of;' AND value = ?1",
                [thread.as_str()],
            )?;
            Ok(())
        })
        .await
    }

    /// The item of a stored conversation as it was last received.
    pub(crate) async fn item_json(
        &self,
        id: &ConversationId,
    ) -> Result<Option<String>, StoreError> {
        let id = id.clone();
        self.read(move |c| {
            c.prepare_cached("SELECT json FROM conversations WHERE id = ?1")?
                .query_row([id.as_str()], |row| row.get(0))
                .optional()
        })
        .await
    }

    /// The stored threads in which a person is named, most recently active first.
    pub(crate) async fn threads_naming(
        &self,
        who: &UserId,
    ) -> Result<Vec<NamingThread>, StoreError> {
        let who = who.clone();
        self.read(move |c| naming(c, &who)).await
    }

    /// Records that a conversation named by a person's id is this thread, and moves its unsent messages and its draft
    /// there, in one transaction. If the thread has a draft already, both stay where they are.
    pub(crate) async fn become_thread(
        &self,
        person: &ConversationId,
        thread: &ConversationId,
    ) -> Result<(), StoreError> {
        let (person, thread) = (person.clone(), thread.clone());
        self.write(move |c| {
            let tx = write::begin(c)?;
            tx.execute(
                "INSERT INTO meta VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = ?2",
                params![key(&person), thread.as_str()],
            )?;
            let both = params![person.as_str(), thread.as_str()];
            tx.execute(
                "UPDATE outbox SET conversation = ?2 WHERE conversation = ?1 AND state != 'sent'",
                both,
            )?;
            tx.execute(
                "UPDATE OR IGNORE drafts SET conversation = ?2 WHERE conversation = ?1",
                both,
            )?;
            tx.execute("UPDATE meta SET value = ?2 WHERE key = 'last_open' AND value = ?1", both)?;
            tx.commit()
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ClientMessageId, Draft, Outgoing};
    use crate::store::OutboxState;

    #[tokio::test]
    async fn what_was_written_to_a_person_is_in_the_thread_after_one_step() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("store.db")).unwrap();
        let (person, thread) = (ConversationId::new("8:joe.4"), ConversationId::new("19:a"));
        let outgoing = Outgoing { text: "hi".into(), ..Outgoing::default() };
        for id in ["1", "2"] {
            let id = ClientMessageId::from(id.to_owned());
            let queued = OutboxState::Queued;
            store.enqueue(&person, &id, &outgoing, Timestamp(1), queued).await.unwrap();
        }
        let draft = |text: &str| Draft { text: text.into(), ..Draft::default() };
        store.save_draft(person.clone(), draft("first")).await.unwrap();
        // Nothing is lost if this is repeated, or if there is a draft in both places.
        store.become_thread(&person, &thread).await.unwrap();
        store.save_draft(person.clone(), draft("second")).await.unwrap();
        store.become_thread(&person, &thread).await.unwrap();
        assert_eq!(store.thread_of(&person).await.unwrap(), Some(thread.clone()));
        let snapshot = store.snapshot(UserId::new("8:anna.7")).await.unwrap();
        assert!(snapshot.outbox.iter().all(|item| item.conversation == thread));
        assert_eq!(snapshot.outbox.len(), 2);
        let mut texts: Vec<&str> = snapshot.drafts.iter().map(|(_, d)| d.text.as_str()).collect();
        texts.sort_unstable();
        assert_eq!(texts, ["first", "second"]);
        store.forget_thread(&ConversationId::new("19:b")).await.unwrap();
        assert_eq!(store.thread_of(&person).await.unwrap(), Some(thread.clone()), "another one");
        store.forget_thread(&thread).await.unwrap();
        assert_eq!(store.thread_of(&person).await.unwrap(), None);
    }

    #[tokio::test]
    async fn what_was_typed_to_a_person_before_the_screen_knew_of_the_thread_is_there_at_the_next_start()
     {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("store.db");
        let store = Store::open(&file).unwrap();
        let (person, thread) = (ConversationId::new("8:joe.4"), ConversationId::new("19:a"));
        store.become_thread(&person, &thread).await.unwrap();
        let draft = Draft { text: "a draft".into(), ..Draft::default() };
        store.save_draft(person.clone(), draft.clone()).await.unwrap();
        store.set_last_open(&person).await.unwrap();
        store.close().await.unwrap();
        let store = Store::open(&file).unwrap();
        let snapshot = store.snapshot(UserId::new("8:anna.7")).await.unwrap();
        assert_eq!(snapshot.last_open, Some(thread.clone()));
        assert_eq!(snapshot.drafts, [(thread, draft)]);
    }

    #[tokio::test]
    async fn a_thread_that_is_not_in_the_list_is_opened_again_if_a_message_waits_in_it() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("store.db")).unwrap();
        let (person, thread) = (ConversationId::new("8:joe.4"), ConversationId::new("19:a"));
        store.set_last_open(&person).await.unwrap();
        store.become_thread(&person, &thread).await.unwrap();
        let me = UserId::new("8:anna.7");
        let snapshot = store.snapshot(me.clone()).await.unwrap();
        assert_eq!((snapshot.last_open.as_ref(), snapshot.to_open()), (Some(&thread), None));
        let id = ClientMessageId::from("1".to_owned());
        let (outgoing, queued) = (Outgoing::default(), OutboxState::Queued);
        store.enqueue(&thread, &id, &outgoing, Timestamp(1), queued).await.unwrap();
        assert_eq!(store.snapshot(me).await.unwrap().to_open(), Some(&thread));
    }
}
