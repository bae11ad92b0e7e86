//! Edit records and deletion notices, folded into the messages they change (facts 3.3, 3.7). Pure.
//!
//! Most edits and deletions arrive as a new version of the message itself and need nothing of this. Two older forms are
//! messages of their own, which are never shown: an edit record names its original by the client id, a deletion notice
//! by the message id. The rules, for every place that shows or searches messages:
//!
//! * Only the sender of a message can edit it. Only its sender, or the service itself (no sender), can delete it.
//! * The newest edit record wins, whatever order they arrive in; the original keeps its place and its reactions.
//! * A record may arrive before its original, and either may arrive twice.
//! * An edit record without text removes the message. A message that was deleted stays deleted, and one that was edited
//!   later in the newer way keeps that text.

use super::body::MessageBody;
use super::id::{ClientMessageId, UserId};
use super::message::{Message, MessageKey};
use super::time::Timestamp;
use std::collections::{HashMap, HashSet};

/// What an edit record calls its original: the client id, and the sender, who alone can edit it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OriginalId {
    pub client_id: ClientMessageId,
    pub sender: UserId,
}

impl OriginalId {
    /// The original of an edit record; `None` for any other message.
    fn of_record(record: &Message) -> Option<Self> {
        Some(Self { client_id: record.edit_of.clone()?, sender: record.sender.clone() })
    }

    /// What edit records of this message call it; `None` where nothing can refer to it.
    fn of_message(message: &Message) -> Option<Self> {
        let client_id = message.client_id.clone().filter(|_| message.edit_of.is_none())?;
        Some(Self { client_id, sender: message.sender.clone() })
    }
}

/// What a message is with regard to edits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EditRole {
    /// It is to be shown; everything that is known about it has been applied.
    Shown,
    /// It edits this message; apply it with [`Edits::refold`] where the original is at hand.
    Edit(OriginalId),
    /// It deletes the message with this id; apply it with [`Edits::refold`] where that message is at hand.
    Deletion(Box<str>),
    /// A signal, never shown.
    Hidden,
}

/// The text of a message as it was posted, before anything was folded into it.
#[derive(Clone, Debug)]
struct PostedText {
    body: MessageBody,
    edited: Option<Timestamp>,
    mentions_me: bool,
}

/// The edit records and deletion notices of one conversation, in any order.
#[derive(Clone, Debug, Default)]
pub struct Edits {
    /// The newest record of each original.
    records: HashMap<OriginalId, Message>,
    /// Ids of messages, and who said that they are gone.
    deletions: HashSet<(Box<str>, UserId)>,
    /// What was changed here, as posted: folding always starts from that, so that the order does not matter.
    posted: HashMap<MessageKey, PostedText>,
}

impl Edits {
    /// Takes a message in: applies what is known about one that is shown, and keeps a record or notice.
    pub fn take(&mut self, message: &mut Message) -> EditRole {
        match &message.body {
            MessageBody::Deletes(id) => {
                self.deletions.insert((id.clone(), message.sender.clone()));
                return EditRole::Deletion(id.clone());
            }
            MessageBody::Hidden => return EditRole::Hidden,
            _ => {}
        }
        if let Some(original) = OriginalId::of_record(message) {
            let known = self.records.get(&original);
            if known.is_none_or(|known| supersedes(message, known)) {
                self.records.insert(original.clone(), message.clone());
            }
            return EditRole::Edit(original);
        }
        self.posted.remove(&message.key);
        self.refold(message);
        EditRole::Shown
    }

    /// Applies what is known to a message at hand, which may have been folded before. True when that changed it.
    pub fn refold(&mut self, message: &mut Message) -> bool {
        if !self.concerns(message) {
            return false;
        }
        let posted = self.posted.get(&message.key).cloned().unwrap_or_else(|| PostedText {
            body: message.body.clone(),
            edited: message.edited,
            mentions_me: message.mentions_me,
        });
        let folded = self.folded(message, &posted);
        let shown = (&message.body, message.edited, message.mentions_me);
        if shown == (&folded.body, folded.edited, folded.mentions_me) {
            return false;
        }
        self.posted.insert(message.key.clone(), posted);
        message.body = folded.body;
        message.edited = folded.edited;
        message.mentions_me = folded.mentions_me;
        true
    }

    /// Whether anything is known about a message; nothing is for nearly all of them.
    fn concerns(&self, message: &Message) -> bool {
        self.posted.contains_key(&message.key)
            || self.record_of(message).is_some()
            || self.is_deleted(message)
    }

    fn record_of(&self, message: &Message) -> Option<&Message> {
        if self.records.is_empty() {
            return None;
        }
        self.records.get(&OriginalId::of_message(message)?)
    }

    fn folded(&self, message: &Message, posted: &PostedText) -> PostedText {
        let mut folded = posted.clone();
        if self.is_deleted(message) {
            folded.body = MessageBody::Deleted;
            return folded;
        }
        let edited_later = |record: &&Message| posted.edited.is_some_and(|at| at > record.at);
        let is_gone = matches!(posted.body, MessageBody::Deleted);
        let record = self.record_of(message).filter(|record| !is_gone && !edited_later(record));
        if let Some(record) = record {
            folded.body = record.body.clone();
            folded.edited = Some(record.at);
            folded.mentions_me |= record.mentions_me;
        }
        folded
    }

    fn is_deleted(&self, message: &Message) -> bool {
        let by = |who: UserId| self.deletions.contains(&(message.key.id.as_ref().into(), who));
        !self.deletions.is_empty() && (by(message.sender.clone()) || by(UserId::new("")))
    }

    /// Forgets what was kept of a message that is not at hand any more. Its records stay for when it comes back.
    pub fn forget(&mut self, key: &MessageKey) {
        self.posted.remove(key);
    }
}

/// Whether an edit record replaces one that is known: it was posted later, or is a newer version of the same.
fn supersedes(new: &Message, known: &Message) -> bool {
    (&new.key, new.version) > (&known.key, known.version)
}

/// What folding needs to know of a stored row: an original, or an edit record of the same sender that names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextVersion {
    pub key: MessageKey,
    pub is_edit: bool,
    /// It has no text: as an original it is deleted, as an edit record it deletes.
    pub is_removed: bool,
}

/// Of an original and its edit records, in any order: the original's key and the key of the version whose text is
/// shown. `None` when the original is not among them. [`Edits`] without the texts, for a search over stored rows.
pub fn shown_version(
    versions: impl IntoIterator<Item = TextVersion>,
) -> Option<(MessageKey, MessageKey)> {
    let (records, originals): (Vec<_>, Vec<_>) = versions.into_iter().partition(|v| v.is_edit);
    let original = originals.into_iter().min_by(|a, b| a.key.cmp(&b.key))?;
    let newest = records.into_iter().map(|record| record.key).max();
    let shown = newest.filter(|_| !original.is_removed).unwrap_or_else(|| original.key.clone());
    Some((original.key, shown))
}

#[cfg(test)]
mod tests {
    use super::super::message::{Delivery, Reaction};
    use super::super::rich::RichText;
    use super::*;
    use proptest::prelude::*;

    const JOE: &str = "8:joe.4";
    const MIA: &str = "8:mia.tan";

    fn text(words: &str) -> MessageBody {
        MessageBody::Text(RichText::plain(words))
    }

    fn posted(id: i64, sender: &str, words: &str) -> Message {
        Message {
            key: MessageKey::server(Timestamp(id), &id.to_string()),
            client_id: Some(ClientMessageId::from(format!("c{id}"))),
            sender: UserId::new(sender),
            sender_name: None,
            at: Timestamp(id),
            version: id.unsigned_abs(),
            body: text(words),
            edited: None,
            edit_of: None,
            mentions_me: false,
            reactions: Vec::new(),
            delivery: Delivery::Sent,
        }
    }

    fn record(id: i64, sender: &str, of: i64, words: &str) -> Message {
        Message {
            client_id: None,
            edit_of: Some(ClientMessageId::from(format!("c{of}"))),
            body: if words.is_empty() { MessageBody::Deleted } else { text(words) },
            ..posted(id, sender, words)
        }
    }

    fn notice(id: i64, sender: &str, of: i64) -> Message {
        let body = MessageBody::Deletes(of.to_string().into());
        Message { client_id: None, body, ..posted(id, sender, "") }
    }

    /// Takes messages in one after the other, as a timeline does, and says what is shown in the end.
    fn shown(messages: Vec<Message>) -> Vec<(i64, MessageBody, Option<i64>)> {
        let mut edits = Edits::default();
        let mut all: Vec<Message> = Vec::new();
        for mut message in messages {
            match edits.take(&mut message) {
                EditRole::Shown => {
                    all.retain(|known| known.key != message.key);
                    all.push(message);
                }
                EditRole::Edit(id) => {
                    for m in
                        all.iter_mut().filter(|m| OriginalId::of_message(m).as_ref() == Some(&id))
                    {
                        edits.refold(m);
                    }
                }
                EditRole::Deletion(id) => {
                    for m in all.iter_mut().filter(|m| m.key.id.as_ref() == &*id) {
                        edits.refold(m);
                    }
                }
                EditRole::Hidden => {}
            }
        }
        all.sort_by(|a, b| a.key.cmp(&b.key));
        all.into_iter().map(|m| (m.at.0, m.body, m.edited.map(|at| at.0))).collect()
    }

    #[test]
    fn the_newest_edit_replaces_the_text_and_the_message_keeps_its_place() {
        let all = vec![
            posted(1, JOE, "one"),
            posted(2, JOE, "two"),
            record(5, JOE, 1, "five"),
            record(4, JOE, 1, "four"),
        ];
        assert_eq!(shown(all), [(1, text("five"), Some(5)), (2, text("two"), None)]);
    }

    #[test]
    fn an_edit_may_come_before_its_original() {
        assert_eq!(
            shown(vec![record(5, JOE, 1, "five"), posted(1, JOE, "one")]),
            [(1, text("five"), Some(5))]
        );
    }

    #[test]
    fn nobody_can_edit_or_delete_the_message_of_another_person() {
        let all = vec![posted(1, JOE, "one"), record(5, MIA, 1, "five"), notice(6, MIA, 1)];
        assert_eq!(shown(all), [(1, text("one"), None)]);
    }

    #[test]
    fn a_deletion_by_someone_else_does_not_undo_the_one_by_the_sender() {
        let all = vec![notice(5, JOE, 1), notice(6, MIA, 1), posted(1, JOE, "one")];
        assert_eq!(shown(all), [(1, MessageBody::Deleted, None)]);
    }

    #[test]
    fn the_service_itself_can_delete_any_message() {
        assert_eq!(
            shown(vec![posted(1, JOE, "one"), notice(5, "", 1)]),
            [(1, MessageBody::Deleted, None)]
        );
    }

    #[test]
    fn an_edit_without_text_removes_the_message_until_a_newer_one_brings_text() {
        let removed = vec![posted(1, JOE, "one"), record(5, JOE, 1, "")];
        assert_eq!(shown(removed.clone()), [(1, MessageBody::Deleted, Some(5))]);
        let back = removed.into_iter().chain([record(6, JOE, 1, "six")]).collect();
        assert_eq!(shown(back), [(1, text("six"), Some(6))]);
    }

    #[test]
    fn a_message_that_was_deleted_in_the_newer_way_is_not_brought_back_by_a_record() {
        let mut gone = posted(1, JOE, "one");
        gone.body = MessageBody::Deleted;
        gone.version = 9;
        let all = vec![posted(1, JOE, "one"), record(5, JOE, 1, "five"), gone];
        assert_eq!(shown(all), [(1, MessageBody::Deleted, None)]);
    }

    #[test]
    fn an_edit_in_the_newer_way_wins_over_an_older_record() {
        let mut edited = posted(1, JOE, "eight");
        edited.edited = Some(Timestamp(8));
        assert_eq!(shown(vec![record(5, JOE, 1, "five"), edited]), [(1, text("eight"), Some(8))]);
    }

    #[test]
    fn a_new_version_of_a_record_replaces_it() {
        let mut changed = record(5, JOE, 1, "changed");
        changed.version = 7;
        let all = vec![posted(1, JOE, "one"), changed, record(5, JOE, 1, "five")];
        assert_eq!(shown(all), [(1, text("changed"), Some(5))]);
    }

    #[test]
    fn a_new_version_of_an_edited_message_keeps_its_edit_and_brings_its_reactions() {
        let mut edits = Edits::default();
        edits.take(&mut record(5, JOE, 1, "five"));
        edits.take(&mut posted(1, JOE, "one"));
        let mut reacted = posted(1, JOE, "one");
        reacted.version = 3;
        reacted.reactions.push(Reaction { key: "like".into(), users: Vec::new() });
        assert_eq!(edits.take(&mut reacted), EditRole::Shown);
        assert_eq!((reacted.body, reacted.reactions.len()), (text("five"), 1));
    }

    #[test]
    fn a_record_that_arrives_twice_changes_nothing_the_second_time() {
        let mut edits = Edits::default();
        let mut message = posted(1, JOE, "one");
        edits.take(&mut message);
        edits.take(&mut record(5, JOE, 1, "five"));
        assert!(edits.refold(&mut message));
        edits.take(&mut record(5, JOE, 1, "five"));
        assert!(!edits.refold(&mut message));
    }

    #[test]
    fn a_message_that_was_unloaded_gets_its_edit_when_it_comes_back() {
        let mut edits = Edits::default();
        let mut message = posted(1, JOE, "one");
        edits.take(&mut record(5, JOE, 1, "five"));
        edits.take(&mut message);
        edits.forget(&message.key);
        let mut again = posted(1, JOE, "one");
        edits.take(&mut again);
        assert_eq!(again.body, text("five"));
    }

    proptest! {
        /// Whatever the order, and however often each of them arrives, the same is shown.
        #[test]
        fn any_order_and_repetition_shows_the_same(
            list in proptest::collection::vec((1i64..4, 0u8..4, any::<bool>()), 1..12), turn in 0usize..12,
        ) {
            let all: Vec<Message> = (10i64..).zip(&list).map(|(id, (of, kind, mine))| {
                let who = if *mine { JOE } else { MIA };
                match kind {
                    0 => posted(*of, JOE, "posted"),
                    1 => notice(id, who, *of),
                    2 => record(id, who, *of, ""),
                    _ => record(id, who, *of, &format!("edit {id}")),
                }
            }).collect();
            let mut other = all.clone();
            other.rotate_left(turn % all.len());
            other.reverse();
            other.extend(all.clone());
            prop_assert_eq!(shown(all), shown(other));
        }

        /// A search over stored rows and a timeline agree on which version is shown.
        #[test]
        fn a_search_finds_what_is_shown(records in proptest::collection::vec((2i64..9, any::<bool>()), 0..5), gone: bool) {
            let mut original = posted(1, JOE, "posted");
            if gone {
                original.body = MessageBody::Deleted;
            }
            let mut all = vec![original];
            all.extend(records.iter().map(|(id, empty)| record(*id, JOE, 1, if *empty { "" } else { "edit" })));
            let rows = all.iter().map(|m| TextVersion {
                key: m.key.clone(),
                is_edit: m.edit_of.is_some(),
                is_removed: m.body == MessageBody::Deleted,
            });
            let (key, version) = shown_version(rows).unwrap();
            let (at, _, edited) = shown(all)[0].clone();
            prop_assert_eq!(key.at.0, at);
            prop_assert_eq!(version.at.0, edited.unwrap_or(at));
        }
    }
}
