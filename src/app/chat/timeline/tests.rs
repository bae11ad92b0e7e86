use super::*;
use crate::model::{Delivery, EditMark, RichText, Timestamp};
use proptest::prelude::*;

fn message(id: i64, client: Option<&str>, text: &str) -> Message {
    Message {
        key: MessageKey::server(Timestamp(id), &id.to_string()),
        client_id: client.map(ClientMessageId::new),
        sender: UserId::new("8:anna.7"),
        sender_name: None,
        at: Timestamp(id),
        version: id as u64,
        body: MessageBody::Text(RichText::plain(text)),
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

fn unsent(queue: u64, client: &str, text: &str) -> Message {
    let client_id = ClientMessageId::new(client);
    Message {
        key: MessageKey::unsent(queue, &client_id),
        version: 0,
        delivery: Delivery::Sending,
        ..message(0, Some(client), text)
    }
}

fn texts(timeline: &Timeline) -> Vec<String> {
    timeline
        .iter()
        .map(|m| match &m.body {
            MessageBody::Text(rich) => rich.plain_text(),
            other => format!("{other:?}"),
        })
        .collect()
}

#[test]
fn a_reply_before_the_echo_shows_one_message_and_so_does_an_echo_before_the_reply() {
    let key = MessageKey::server(Timestamp(50), "50");
    for echo_first in [false, true] {
        let mut t = Timeline::default();
        t.upsert(unsent(1, "c1", "hi"));
        if echo_first {
            t.upsert(message(50, Some("c1"), "hi"));
            t.confirm_at(&"c1".into(), &key);
        } else {
            t.confirm_at(&"c1".into(), &key);
            t.upsert(message(50, Some("c1"), "hi"));
        }
        assert_eq!(texts(&t), ["hi"]);
        assert_eq!(t.last().unwrap().key, key);
        assert_eq!(t.last().unwrap().delivery, Delivery::Sent);
    }
}

#[test]
fn an_older_version_changes_nothing() {
    let mut t = Timeline::default();
    let mut newer = message(10, None, "new");
    newer.version = 99;
    t.upsert(newer);
    t.upsert(message(10, None, "old"));
    assert_eq!(texts(&t), ["new"]);
}

#[test]
fn an_edit_record_changes_its_original_in_either_order_but_not_a_strangers() {
    let mut edit = message(30, None, "better");
    edit.edit_of = Some(mark("c1"));
    let mut forged = message(40, None, "forged");
    forged.edit_of = Some(mark("c1"));
    forged.sender = UserId::new("8:mallory");
    for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2]] {
        let mut t = Timeline::default();
        let all = [message(10, Some("c1"), "good"), edit.clone(), forged.clone()];
        for i in order {
            t.upsert(all[i].clone());
        }
        assert_eq!(texts(&t), ["better"], "{order:?}");
        assert!(t.last().unwrap().edited.is_some());
    }
}

proptest! {
    #[test]
    fn any_order_and_any_repetition_give_the_same_timeline(
        order in proptest::collection::vec(0usize..8, 8..40),
    ) {
        let mut edit = message(31, None, "edited 1");
        edit.edit_of = Some(mark("c1"));
        let mut later = message(32, None, "edited 2");
        later.edit_of = Some(mark("c1"));
        let mut newer = message(20, None, "v2");
        newer.version = 90;
        let all = [message(10, Some("c1"), "one"), message(20, None, "v1"), newer, edit, later,
            message(30, Some("c3"), "three"), unsent(1, "c3", "three"), message(11, Some("c2"), "two")];
        let mut t = Timeline::default();
        for i in order {
            t.upsert(all[i].clone());
        }
        for m in &all {
            t.upsert(m.clone());
        }
        prop_assert_eq!(texts(&t), ["edited 2", "two", "v2", "three"]);
    }
}

#[test]
fn an_edit_in_place_of_an_own_message_replaces_the_copy_that_is_being_sent() {
    let mut t = Timeline::default();
    t.upsert(unsent(1, "c1", "my frist words"));
    let mut edited = message(10, None, "my first words");
    edited.version = 30;
    edited.edit_of = Some(mark("c1"));
    t.upsert(edited);
    assert_eq!(texts(&t), ["my first words"]);
    assert!(t.of_client_id(&ClientMessageId::new("c1")).is_some_and(|m| !m.key.is_unsent()));
}

#[test]
fn an_edit_that_stood_for_its_original_goes_into_it_when_that_is_loaded() {
    let mut t = Timeline::default();
    let mut edit = message(30, None, "better");
    edit.edit_of = Some(mark("c1"));
    t.upsert(edit);
    t.upsert(message(20, Some("c2"), "between"));
    assert_eq!(texts(&t), ["between", "better"]);
    t.upsert(message(10, Some("c1"), "good"));
    assert_eq!(texts(&t), ["better", "between"]);
}
