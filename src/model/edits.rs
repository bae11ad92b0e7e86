//! Edits and deletion notices, folded into the messages they change (facts 3.3, 3.7). Pure.
//!
//! Most edits and deletions arrive as a new version of the message itself. Two older forms are items of their own: an
//! edit record, whose mark (`skypeeditedid`) names its original, and a deletion notice. The rules, for every place that
//! shows or searches messages:
//!
//! * Some servers put the mark on the edited message itself. So an item with a mark is the message in its newest form,
//!   and is shown, unless an earlier message of the same sender has the id that the mark names. Client ids and server
//!   ids both count, and several edits of a message that is not there are one message.
//! * Only the sender of a message can edit it. Only its sender, or the service itself (no sender), can delete it. A
//!   record that names the message of someone else is not shown.
//! * The newest edit wins, whatever order they arrive in; the original keeps its place and its reactions.
//! * A record may arrive before its original, and either may arrive twice.
//! * An edit without text removes the message. A message that was deleted stays deleted, and one that was edited later
//!   in the newer way keeps that text.

use super::body::MessageBody;
use super::id::UserId;
use super::message::{Message, MessageKey};
use super::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ops::Bound;

/// The maximum number of edits of one message that are looked at, newest first, so that the time stays linear.
const MAX_EDITS: usize = 100;

/// The role of a message with regard to edits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EditRole {
    /// It is shown; everything known about it has been applied.
    Shown,
    /// It edits the message with this key; apply it with [`Edits::refold`] if that message is at hand.
    Edit(MessageKey),
    /// It deletes the message with this id; apply it with [`Edits::refold`] if that message is at hand.
    Deletion(Box<str>),
    /// A signal, an edit of a message that is stored but not at hand, or a forged edit. Never shown.
    Hidden,
}

/// The result of adding a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    pub role: EditRole,
    /// Messages that may have been shown until now, and turn out to be edits of this one: they are no longer shown.
    pub absorbed: Vec<MessageKey>,
}

impl Taken {
    fn only(role: EditRole) -> Self {
        Self { role, absorbed: Vec::new() }
    }
}

/// The text of a message as it was posted, before anything was folded into it.
#[derive(Clone, Debug)]
struct PostedText {
    version: u64,
    body: MessageBody,
    edited: Option<Timestamp>,
    mentions_me: bool,
}

/// The edits and deletion notices of one conversation, in any order.
#[derive(Clone, Debug, Default)]
pub struct Edits {
    /// The messages at hand by sender and by each id that a mark of that sender may name.
    named: HashMap<(Box<str>, UserId), BTreeSet<MessageKey>>,
    /// The messages at hand by their own ids, whoever sent them.
    owners: HashMap<Box<str>, BTreeMap<MessageKey, UserId>>,
    /// All items with an edit mark, shown or not.
    marked: BTreeMap<MessageKey, Message>,
    /// The keys and senders of these by the id that their mark names.
    by_original: HashMap<Box<str>, BTreeMap<MessageKey, UserId>>,
    /// Ids of messages, and who said that they are gone.
    deletions: HashSet<(Box<str>, UserId)>,
    /// What was changed here, as posted: folding always starts from that, so that the order does not matter.
    posted: HashMap<MessageKey, PostedText>,
}

/// The ids that an edit mark may name a message by. Edits of the same message that is not there share its id.
fn ids(message: &Message) -> impl Iterator<Item = (&str, bool)> {
    let client_id = message.client_id.as_ref().map(|id| (id.as_str(), true));
    let mark = message.edit_of.as_ref().map(|mark| (&*mark.id, false));
    client_id.into_iter().chain([(&*message.key.id, true)]).chain(mark)
}

impl Edits {
    /// Adds a message: applies what is known about one that is shown, and keeps an edit or a notice.
    pub fn take(&mut self, message: &mut Message) -> Taken {
        match &message.body {
            MessageBody::Deletes(id) => {
                self.deletions.insert((id.clone(), message.sender.clone()));
                return Taken::only(EditRole::Deletion(id.clone()));
            }
            MessageBody::Hidden => return Taken::only(EditRole::Hidden),
            _ => {}
        }
        if self.posted.get(&message.key).is_some_and(|posted| posted.version <= message.version) {
            self.posted.remove(&message.key);
        }
        self.register(message);
        let role = self.role(message);
        if role == EditRole::Shown {
            self.refold(message);
        }
        Taken { role, absorbed: self.absorbed(message) }
    }

    fn register(&mut self, message: &Message) {
        for (id, is_own) in ids(message) {
            let name = (id.into(), message.sender.clone());
            self.named.entry(name).or_default().insert(message.key.clone());
            if is_own {
                let owners = self.owners.entry(id.into()).or_default();
                owners.insert(message.key.clone(), message.sender.clone());
            }
        }
        let known = self.marked.get(&message.key);
        if known.is_some_and(|known| known.version > message.version) {
            return;
        }
        if let Some(mark) = known.and_then(|known| known.edit_of.clone()) {
            forget_in(&mut self.by_original, &mark.id, &message.key);
            self.marked.remove(&message.key);
        }
        if let Some(mark) = &message.edit_of {
            self.marked.insert(message.key.clone(), message.clone());
            let edits = self.by_original.entry(mark.id.clone()).or_default();
            edits.insert(message.key.clone(), message.sender.clone());
        }
    }

    /// Whether a message is shown itself, and what it edits if not.
    fn role(&self, message: &Message) -> EditRole {
        let Some(mark) = &message.edit_of else { return EditRole::Shown };
        if let Some(original) = self.original(message) {
            return EditRole::Edit(self.root(original));
        }
        // A message that was changed in place after it was posted is not an edit record, whatever its mark names.
        let is_forged = !message.is_changed_in_place()
            && self.owners.get(&mark.id).is_some_and(|owners| {
                owners.range(..&message.key).any(|(_, owner)| *owner != message.sender)
            });
        if is_forged || mark.is_stored { EditRole::Hidden } else { EditRole::Shown }
    }

    /// Whether a message that was taken in is shown itself.
    pub fn is_shown(&self, message: &Message) -> bool {
        self.role(message) == EditRole::Shown
    }

    /// The first message at hand that this one is an edit of.
    fn original(&self, message: &Message) -> Option<&MessageKey> {
        let mark = message.edit_of.as_ref()?;
        let named = self.named.get(&(mark.id.clone(), message.sender.clone()))?;
        named.first().filter(|first| **first < message.key)
    }

    /// The message that is shown in place of this one, which may be an edit itself.
    fn root(&self, key: &MessageKey) -> MessageKey {
        let mut root = key;
        // Ends because an original is always earlier.
        while let Some(original) = self.marked.get(root).and_then(|edit| self.original(edit)) {
            root = original;
        }
        root.clone()
    }

    /// The edits of a message by its sender, and the edits of these.
    fn edits_of(&self, message: &Message) -> Vec<&Message> {
        let mut found: Vec<&Message> = Vec::new();
        let mut seen = HashSet::new();
        let mut next = Some(message);
        let mut done = 0;
        while let Some(original) = next {
            for (id, _) in ids(original) {
                let Some(edits) = self.by_original.get(id) else { continue };
                let later = edits.range((Bound::Excluded(&original.key), Bound::Unbounded)).rev();
                let own = later.filter(|(_, sender)| **sender == message.sender);
                let fresh = own.take(MAX_EDITS).filter(|(key, _)| seen.insert(*key));
                found.extend(fresh.filter_map(|(key, _)| self.marked.get(key)));
            }
            next = found.get(done).filter(|_| done < MAX_EDITS).copied();
            done += 1;
        }
        found
    }

    /// The items that are no longer shown because this message is there.
    fn absorbed(&self, message: &Message) -> Vec<MessageKey> {
        let mut keys: Vec<MessageKey> = Vec::new();
        for (id, is_own) in ids(message) {
            let Some(edits) = self.by_original.get(id) else { continue };
            let later = edits.range((Bound::Excluded(&message.key), Bound::Unbounded));
            // Of the edits that share an original which is not at hand, only the first one was shown.
            let mut later = later.filter(|(_, sender)| is_own || **sender == message.sender);
            let candidates = if is_own { later.collect() } else { Vec::from_iter(later.next()) };
            let edits = candidates.into_iter().filter_map(|(key, _)| self.marked.get(key));
            keys.extend(edits.filter(|e| !self.is_shown(e)).map(|e| e.key.clone()));
        }
        keys
    }

    /// Applies what is known to a message at hand, which may have been folded before. True when that changed it.
    pub fn refold(&mut self, message: &mut Message) -> bool {
        let edits = if self.by_original.is_empty() { Vec::new() } else { self.edits_of(message) };
        let deleted = self.is_deleted(message);
        if edits.is_empty() && !deleted && !self.posted.contains_key(&message.key) {
            return false;
        }
        let known = self.posted.get(&message.key).map(|posted| posted.version);
        let same = self.posted.get(&message.key).filter(|p| p.version == message.version).cloned();
        let posted = same.unwrap_or_else(|| PostedText {
            version: message.version,
            body: message.body.clone(),
            edited: message.edited,
            mentions_me: message.mentions_me,
        });
        let folded = folded(message, &posted, &edits, deleted);
        let shown = (&message.body, message.edited, message.mentions_me);
        if shown == (&folded.body, folded.edited, folded.mentions_me) {
            return false;
        }
        // An older copy does not matter.
        if known.is_none_or(|known| known <= message.version) {
            self.posted.insert(message.key.clone(), posted);
        }
        message.body = folded.body;
        message.edited = folded.edited;
        message.mentions_me = folded.mentions_me;
        true
    }

    fn is_deleted(&self, message: &Message) -> bool {
        let by = |who: UserId| self.deletions.contains(&(message.key.id.as_ref().into(), who));
        !self.deletions.is_empty() && (by(message.sender.clone()) || by(UserId::new("")))
    }

    /// Forgets a shown message that is not at hand any more. Edits of it stay for when it comes back.
    pub fn forget(&mut self, message: &Message) {
        self.posted.remove(&message.key);
        for (id, _) in ids(message) {
            let name = (id.into(), message.sender.clone());
            if let Some(known) = self.named.get_mut(&name) {
                known.remove(&message.key);
                if known.is_empty() {
                    self.named.remove(&name);
                }
            }
            forget_in(&mut self.owners, id, &message.key);
        }
        if let Some(mark) = &message.edit_of {
            self.marked.remove(&message.key);
            forget_in(&mut self.by_original, &mark.id, &message.key);
        }
    }
}

fn forget_in(
    map: &mut HashMap<Box<str>, BTreeMap<MessageKey, UserId>>,
    id: &str,
    key: &MessageKey,
) {
    if let Some(known) = map.get_mut(id) {
        known.remove(key);
        if known.is_empty() {
            map.remove(id);
        }
    }
}

/// What a message shows, given the edits of it.
fn folded(message: &Message, posted: &PostedText, edits: &[&Message], deleted: bool) -> PostedText {
    let mut folded = posted.clone();
    if deleted {
        folded.body = MessageBody::Deleted;
        return folded;
    }
    let is_gone = message.edit_of.is_none() && matches!(posted.body, MessageBody::Deleted);
    let time = |edit: &Message| (edit.edited.unwrap_or(edit.at), edit.key.clone());
    let newest = edits.iter().max_by_key(|edit| time(edit));
    let edited_later =
        |edit: &&&Message| posted.edited.is_some_and(|at| at > edit.edited.unwrap_or(edit.at));
    if let Some(edit) = newest.filter(|edit| !is_gone && !edited_later(edit)) {
        folded.body = edit.body.clone();
        folded.edited = Some(edit.edited.unwrap_or(edit.at));
        folded.mentions_me |= edit.mentions_me;
    }
    folded
}

/// What folding needs to know of a stored row: a message, or one of the edits of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextVersion {
    pub key: MessageKey,
    /// It has an edit mark.
    pub is_edit: bool,
    /// It has no text: it is deleted, or deletes what it edits.
    pub is_removed: bool,
}

/// The key of the version whose text is shown in place of `message`, which has these edits. [`Edits`] without the
/// texts, for a search over stored rows.
pub fn shown_version(
    message: TextVersion,
    edits: impl IntoIterator<Item = TextVersion>,
) -> MessageKey {
    let newest = edits.into_iter().map(|edit| edit.key).max();
    let is_gone = message.is_removed && !message.is_edit;
    newest.filter(|_| !is_gone).unwrap_or(message.key)
}

#[cfg(test)]
mod tests {
    use super::super::id::ClientMessageId;
    use super::super::message::{Delivery, EditMark, Reaction};
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

    fn mark(id: &str) -> EditMark {
        EditMark { id: id.into(), is_stored: false }
    }

    fn record(id: i64, sender: &str, of: i64, words: &str) -> Message {
        Message {
            client_id: None,
            edit_of: Some(mark(&format!("c{of}"))),
            edited: Some(Timestamp(id)),
            body: if words.is_empty() { MessageBody::Deleted } else { text(words) },
            ..posted(id, sender, words)
        }
    }

    /// The message itself, changed at a later time, with a mark that names it.
    fn in_place(id: i64, changed: i64, named: &str, words: &str) -> Message {
        Message {
            version: changed.unsigned_abs(),
            edited: Some(Timestamp(changed)),
            edit_of: Some(mark(named)),
            client_id: None,
            body: if words.is_empty() { MessageBody::Deleted } else { text(words) },
            ..posted(id, JOE, words)
        }
    }

    fn notice(id: i64, sender: &str, of: i64) -> Message {
        let body = MessageBody::Deletes(of.to_string().into());
        Message { client_id: None, body, ..posted(id, sender, "") }
    }

    /// Takes messages in one after the other, as a timeline does, and gives what is shown in the end.
    fn shown(messages: Vec<Message>) -> Vec<(i64, MessageBody, Option<i64>)> {
        let mut edits = Edits::default();
        let mut all: BTreeMap<MessageKey, Message> = BTreeMap::new();
        for mut message in messages {
            let Taken { role, absorbed } = edits.take(&mut message);
            for key in absorbed {
                all.remove(&key);
            }
            match role {
                EditRole::Shown => {
                    let known = all.get(&message.key);
                    if known.is_none_or(|known| known.version <= message.version) {
                        all.insert(message.key.clone(), message);
                    }
                }
                EditRole::Edit(key) => {
                    if let Some(original) = all.get_mut(&key) {
                        edits.refold(original);
                    }
                }
                EditRole::Deletion(id) => {
                    for m in all.values_mut().filter(|m| m.key.id.as_ref() == &*id) {
                        edits.refold(m);
                    }
                }
                EditRole::Hidden => {}
            }
            for message in all.values_mut() {
                assert!(edits.is_shown(message));
            }
        }
        all.into_values().map(|m| (m.at.0, m.body, m.edited.map(|at| at.0))).collect()
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
    fn an_edit_whose_original_is_not_there_is_the_message_itself() {
        assert_eq!(shown(vec![record(5, JOE, 1, "five")]), [(5, text("five"), Some(5))]);
        let removed = vec![record(5, JOE, 1, "")];
        assert_eq!(shown(removed), [(5, MessageBody::Deleted, Some(5))]);
    }

    #[test]
    fn a_message_that_is_edited_in_place_stays_whatever_its_mark_names() {
        for mark in ["c1", "1", "c77"] {
            let all = vec![posted(1, JOE, "one"), in_place(1, 5, mark, "five")];
            assert_eq!(shown(all.clone()), [(1, text("five"), Some(5))], "{mark}");
            let backwards = all.into_iter().rev().collect();
            assert_eq!(shown(backwards), [(1, text("five"), Some(5))], "{mark}");
            let alone = vec![in_place(1, 5, mark, "five")];
            assert_eq!(shown(alone), [(1, text("five"), Some(5))], "{mark}");
            let twice = vec![in_place(1, 9, mark, "nine"), in_place(1, 5, mark, "five")];
            assert_eq!(shown(twice), [(1, text("nine"), Some(9))], "{mark}");
        }
    }

    #[test]
    fn a_mark_may_name_the_original_by_its_own_id() {
        let mut edit = record(5, JOE, 1, "five");
        edit.edit_of = Some(mark("1"));
        assert_eq!(shown(vec![posted(1, JOE, "one"), edit]), [(1, text("five"), Some(5))]);
    }

    #[test]
    fn several_edits_of_a_message_that_is_not_there_are_one_message() {
        let edits = vec![record(6, JOE, 1, "six"), record(5, JOE, 1, "five")];
        assert_eq!(shown(edits.clone()), [(5, text("six"), Some(6))]);
        let found = edits.into_iter().chain([posted(1, JOE, "one")]).collect();
        assert_eq!(shown(found), [(1, text("six"), Some(6))]);
    }

    #[test]
    fn an_edit_of_an_edit_is_an_edit_of_the_original() {
        let mut second = record(6, JOE, 1, "six");
        second.edit_of = Some(mark("5"));
        let first = record(5, JOE, 1, "five");
        let all = vec![second.clone(), first.clone(), posted(1, JOE, "one")];
        assert_eq!(shown(all), [(1, text("six"), Some(6))]);
        assert_eq!(shown(vec![second, first]), [(5, text("six"), Some(6))]);
    }

    #[test]
    fn an_edit_in_place_wins_over_an_older_record_and_a_later_record_over_it() {
        let old = vec![record(3, JOE, 1, "three"), in_place(1, 5, "c1", "five")];
        assert_eq!(shown(old), [(1, text("five"), Some(5))]);
        let new = vec![record(7, JOE, 1, "seven"), in_place(1, 5, "c1", "five")];
        assert_eq!(shown(new), [(1, text("seven"), Some(7))]);
    }

    #[test]
    fn an_edit_of_a_message_that_is_stored_but_not_loaded_is_not_shown() {
        let mut edit = record(5, JOE, 1, "five");
        edit.edit_of = Some(EditMark { is_stored: true, ..mark("c1") });
        assert_eq!(shown(vec![edit.clone()]), []);
        assert_eq!(shown(vec![edit, posted(1, JOE, "one")]), [(1, text("five"), Some(5))]);
    }

    #[test]
    fn thousands_of_edits_of_one_message_take_little_time() {
        let start = std::time::Instant::now();
        let mut all: Vec<Message> = (2..3_000).map(|n| record(n, JOE, 1, "edit")).collect();
        all.extend((3_000..6_000).map(|n| record(n, MIA, 1, "forged")));
        all.push(posted(1, JOE, "one"));
        let mut edits = Edits::default();
        for message in &mut all {
            edits.take(message);
        }
        let mut original = posted(1, JOE, "one");
        assert!(edits.refold(&mut original));
        assert_eq!(original.edited, Some(Timestamp(2_999)));
        // Quadratic folding takes many times as long; the bound is loose so that a slow machine passes.
        assert!(start.elapsed().as_secs() < 10, "{:?}", start.elapsed());
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
        assert_eq!(edits.take(&mut reacted).role, EditRole::Shown);
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
        edits.forget(&message);
        let mut again = posted(1, JOE, "one");
        edits.take(&mut again);
        assert_eq!(again.body, text("five"));
    }

    proptest! {
        /// Whatever the order, and however often each of them arrives, the same is shown.
        #[test]
        fn any_order_and_repetition_shows_the_same(
            list in proptest::collection::vec((1i64..4, 0u8..8, any::<bool>()), 1..12), turn in 0usize..12,
        ) {
            let all: Vec<Message> = (10i64..).zip(&list).map(|(id, (of, kind, mine))| {
                let who = if *mine { JOE } else { MIA };
                match kind {
                    0 => posted(*of, JOE, "posted"),
                    1 => notice(id, who, *of),
                    2 => record(id, who, *of, ""),
                    3 => in_place(*of, id, &format!("c{of}"), "in place"),
                    4 => in_place(*of, id, &id.to_string(), "in place"),
                    5 => Message { edit_of: Some(mark(&(id - 1).to_string())), ..record(id, who, *of, "an edit of an edit") },
                    6 => Message { edit_of: Some(mark(&of.to_string())), ..record(id, who, *of, "by id") },
                    _ => record(id, who, *of, &format!("edit {id}")),
                }
            }).collect();
            let mut other = all.clone();
            other.rotate_left(turn % all.len());
            other.reverse();
            other.extend(all.clone());
            prop_assert_eq!(shown(all), shown(other));
        }

        /// No message of a person disappears: whatever it edits is shown.
        #[test]
        fn every_text_is_shown_or_edits_what_is_shown(
            list in proptest::collection::vec((0i64..12, any::<bool>(), any::<bool>()), 1..12),
        ) {
            let all: Vec<Message> = (1i64..).zip(&list).map(|(id, (of, by_id, in_place))| {
                let mut message = record(id, JOE, *of, "words");
                message.edit_of = Some(mark(&if *by_id { of.to_string() } else { format!("c{of}") }));
                message.client_id = Some(ClientMessageId::from(format!("c{id}")));
                message.version += u64::from(*in_place);
                message
            }).collect();
            let mut edits = Edits::default();
            let mut copies = all.clone();
            for message in &mut copies {
                edits.take(message);
            }
            for message in &all {
                let root = match edits.role(message) {
                    EditRole::Edit(root) => root,
                    role => {
                        prop_assert_eq!(role, EditRole::Shown);
                        message.key.clone()
                    }
                };
                let root = all.iter().find(|m| m.key == root).unwrap();
                prop_assert!(edits.is_shown(root));
            }
        }

        /// A search over stored rows and a timeline agree on which version is shown.
        #[test]
        fn a_search_finds_what_is_shown(
            records in proptest::collection::vec((2i64..9, any::<bool>()), 0..5), gone: bool, absent: bool,
        ) {
            let mut all: Vec<Message> =
                records.iter().map(|(id, empty)| record(*id, JOE, 1, if *empty { "" } else { "edit" })).collect();
            all.sort_by(|a, b| a.key.cmp(&b.key));
            all.dedup_by(|a, b| a.key == b.key);
            if !absent {
                let body = if gone { MessageBody::Deleted } else { text("posted") };
                all.insert(0, Message { body, ..posted(1, JOE, "") });
            }
            prop_assume!(!all.is_empty());
            let row = |m: &Message| TextVersion {
                key: m.key.clone(),
                is_edit: m.edit_of.is_some(),
                is_removed: m.body == MessageBody::Deleted,
            };
            let version = shown_version(row(&all[0]), all.iter().skip(1).map(row));
            let (at, _, edited) = shown(all)[0].clone();
            prop_assert_eq!(version.at.0, edited.unwrap_or(at));
        }
    }
}
