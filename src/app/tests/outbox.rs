//! Outgoing messages: held, taken back, refused, sent again.

use crate::app::Effect;
use crate::fixture::{App, direct};
use crate::model::{
    ClientMessageId, ConversationId, Delivery, Delta, Fault, FaultKind, NOT_CONFIRMED, Outgoing,
    Request, SafeText, Timestamp,
};
use std::time::Duration;

fn app(grace_seconds: u64) -> App {
    let app = App::with_prefs(|prefs| prefs.choices.sending.grace_seconds = grace_seconds);
    app.with_direct("joe").opened()
}

/// Types a line and sends it. Returns its client id.
fn send(app: &mut App, text: &str) -> ClientMessageId {
    app.effects();
    app.type_text(text);
    app.press("enter");
    let sent = app.requests().into_iter().find_map(|request| match request {
        Request::Send { client_id, .. } => Some(client_id),
        _ => None,
    });
    sent.expect("a message to send")
}

fn delivery(app: &mut App, client_id: &ClientMessageId, delivery: Delivery) {
    let conversation = ConversationId::new("8:joe.4");
    let (client_id, sent) = (client_id.clone(), None);
    app.delta(Delta::Delivery { conversation, client_id, delivery, sent });
    app.layout();
}

fn refused(app: &mut App, client_id: &ClientMessageId) {
    let reason = SafeText::line("the server refused (400, error 201)");
    delivery(app, client_id, Delivery::Failed { reason, can_retry: true });
    app.expect("not sent: the server refused");
}

/// The store took a message out of the outbox, or it was too late for that.
fn discarded(app: &mut App, client_id: &ClientMessageId, result: Result<(), Fault>) {
    let conversation = ConversationId::new("8:joe.4");
    app.delta(Delta::Discarded { conversation, client_id: client_id.clone(), result });
    app.layout();
}

/// The messages that are to be taken out of the outbox, and the draft that is saved with each.
fn discards(app: &mut App) -> Vec<(ClientMessageId, Option<String>)> {
    let discards = app.requests().into_iter().filter_map(|request| match request {
        Request::Discard { client_id, draft, .. } => {
            Some((client_id, draft.map(|draft| draft.text)))
        }
        _ => None,
    });
    discards.collect()
}

#[test]
fn a_held_message_says_how_it_is_taken_back_and_counts_down() {
    let mut app = app(60);
    let id = send(&mut app, "too fast");
    delivery(&mut app, &id, Delivery::Held);
    app.expect("sent in 60s · Alt-Z takes it back");
    app.pass(Duration::from_secs(10));
    app.expect("sent in 50s");
    app.press("alt-z");
    assert_eq!(discards(&mut app), [(id.clone(), Some("too fast".into()))]);
    // Until the store answers, the message stays where it is.
    app.expect_row("too fast", "");
    discarded(&mut app, &id, Ok(()));
    app.expect("To Joe Bloggs › too fast");
    app.expect_none("takes it back");
}

#[test]
fn undo_right_after_enter_means_what_was_sent_last() {
    let mut app = app(60);
    send(&mut app, "first");
    let second = send(&mut app, "second");
    app.press("alt-z");
    assert_eq!(discards(&mut app), [(second.clone(), Some("second".into()))]);
    app.type_text("!");
    discarded(&mut app, &second, Ok(()));
    // Text that was typed in the meantime stays, below the message that came back.
    assert_eq!(app.open_chat().composer.text(), "second\n!");
}

#[test]
fn what_has_left_is_not_doubled_into_the_box() {
    let mut app = app(60);
    let id = send(&mut app, "gone");
    app.press("alt-z");
    let late = Fault::new(FaultKind::AlreadySent, "it has left already");
    discarded(&mut app, &id, Err(late));
    app.expect("Not taken back: it has left already");
    assert_eq!(app.open_chat().composer.text(), "");
}

#[test]
fn a_discarded_message_is_not_gone_for_ever() {
    let mut app = app(60);
    let id = send(&mut app, "too fast");
    app.press("ctrl-up d");
    assert_eq!(discards(&mut app), [(id.clone(), None)]);
    discarded(&mut app, &id, Ok(()));
    app.expect("Discarded");
    app.press("ctrl-y");
    app.expect("To Joe Bloggs › too fast");
}

#[test]
fn quitting_says_that_a_held_message_has_not_left() {
    let mut app = app(60);
    let id = send(&mut app, "too fast");
    delivery(&mut app, &id, Delivery::Held);
    app.press("ctrl-q");
    app.expect("press again to quit");
    assert!(!app.effects().contains(&Effect::Quit));
    app.press("ctrl-q");
    assert!(app.effects().contains(&Effect::Quit));
}

#[test]
fn a_refused_message_goes_back_into_the_box_by_e_or_x() {
    for key in ["e", "x"] {
        let mut app = app(0);
        let id = send(&mut app, "first try");
        refused(&mut app, &id);
        app.press("ctrl-up");
        app.press(key);
        assert_eq!(discards(&mut app), [(id.clone(), Some("first try".into()))]);
        discarded(&mut app, &id, Ok(()));
        app.expect("› first try");
        app.expect_none("not sent");
    }
}

#[test]
fn a_refused_message_is_sent_again_or_discarded_after_a_question() {
    let mut app = app(0);
    let id = send(&mut app, "first try");
    refused(&mut app, &id);
    app.press("ctrl-up R");
    let again = app
        .requests()
        .into_iter()
        .any(|request| matches!(request, Request::Resend { client_id, .. } if client_id == id));
    assert!(again);
    refused(&mut app, &id);
    app.press("ctrl-up d");
    app.expect("Discard this unsent message?");
    app.press("y");
    assert_eq!(discards(&mut app), [(id.clone(), None)]);
    discarded(&mut app, &id, Ok(()));
    app.expect_none("first try");
}

#[test]
fn a_refused_message_does_not_hold_up_the_next() {
    let mut app = app(0);
    let first = send(&mut app, "refused one");
    refused(&mut app, &first);
    let second = send(&mut app, "second");
    delivery(&mut app, &second, Delivery::Sent);
    app.expect_row("second", "✓");
    app.expect("1 unsent");
}

#[test]
fn a_refused_message_of_another_chat_is_reported_once() {
    let mut app = direct("joe").opened();
    let id = send(&mut app, "for Joe");
    app = app.with_direct("mia").opened();
    let reason = SafeText::line("the server refused");
    delivery(&mut app, &id, Delivery::Failed { reason, can_retry: true });
    app.expect("A message to Joe Bloggs was not sent");
}

#[test]
fn messages_behind_one_that_is_not_confirmed_say_that_they_wait_and_a_key_selects_it() {
    let mut app = app(0);
    let ids: Vec<_> = (0..40).map(|n| send(&mut app, &format!("number {n}"))).collect();
    for id in &ids {
        delivery(&mut app, id, Delivery::Queued);
    }
    app.expect_none("behind an unconfirmed one");
    let reason = SafeText::line(NOT_CONFIRMED);
    delivery(&mut app, &ids[0], Delivery::Failed { reason, can_retry: true });
    app.expect("39 messages are waiting behind an unconfirmed one · Ctrl-X ! shows it");
    app.expect_none("number 0");
    app.press("ctrl-x !");
    app.expect("number 0");
    app.effects();
    app.press("R");
    assert!(
        app.requests()
            .iter()
            .any(|r| matches!(r, Request::Resend { client_id, .. } if *client_id == ids[0])),
        "the first one is sent again"
    );
}

#[test]
fn a_message_typed_before_the_outbox_was_read_stands_behind_the_messages_of_earlier_runs() {
    let mut app = app(0);
    send(&mut app, "typed at once");
    for (n, delivery) in [(77, Delivery::Unconfirmed), (78, Delivery::Queued)] {
        app.delta(Delta::Outbox {
            conversation: ConversationId::new("8:joe.4"),
            client_id: ClientMessageId::from(n.to_string()),
            outgoing: Outgoing { text: format!("earlier {n}"), ..Outgoing::default() },
            queued_at: Timestamp(n),
            delivery,
        });
    }
    send(&mut app, "typed later");
    let screen = app.screen();
    let places = ["earlier 77", "earlier 78", "typed at once", "typed later"]
        .map(|text| screen.find(text).unwrap_or_else(|| panic!("{text}\n{screen}")));
    assert!(places.is_sorted(), "{screen}");
}

#[test]
fn messages_that_wait_for_the_connection_are_told_of_where_nothing_has_failed() {
    let mut app = crate::fixture::chat("Team").opened();
    app.type_text("one");
    app.press("enter ctrl-x !");
    app.expect("No message here has failed; 1 message still to be sent");
    app.type_text("two");
    app.press("enter alt-n");
    app.expect("Nothing needs your attention; 2 messages still to be sent");
}

#[test]
fn where_nothing_failed_the_key_for_what_was_not_sent_says_so() {
    let mut app = app(0);
    app.press("ctrl-x !");
    app.expect("No message here needs your attention: all were sent");
}

fn became_thread(app: &mut App) {
    let (from, to) = (ConversationId::new("8:joe.4"), ConversationId::new(THREAD));
    app.delta(Delta::BecameThread { from, to, with: crate::fixture::person("joe") });
    app.layout();
}

const THREAD: &str = "19:uni01_a@thread.v2";

#[test]
fn a_chat_that_becomes_a_thread_takes_its_messages_and_its_draft_along() {
    let mut app = App::new();
    app.press("ctrl-k");
    app.type_text("8:joe.4");
    app.press("enter");
    let sent = send(&mut app, "hello");
    app.type_text("and then");
    // Reporting it twice makes no difference.
    became_thread(&mut app);
    became_thread(&mut app);
    app.expect("hello");
    app.expect("To Joe Bloggs › and then");
    assert!(app.requests().iter().any(
        |request| matches!(request, Request::Open { conversation } if conversation.as_str() == THREAD)
    ));
    let conversation = ConversationId::new(THREAD);
    let (client_id, delivery) = (sent, Delivery::Sent);
    let key = crate::model::MessageKey::server(crate::model::Timestamp(5), "5");
    app.delta(Delta::Delivery { conversation, client_id, delivery, sent: Some(key) });
    app.layout();
    app.expect("✓");
    // The person's id now leads to the thread, and the list has no other entry for it.
    app.press("ctrl-k");
    app.type_text("8:joe.4");
    app.press("enter");
    app.expect("hello");
    let listed: Vec<String> =
        app.model.app.shown_chats().map(|chat| chat.info.id.as_str().to_owned()).collect();
    assert_eq!(listed, [THREAD]);
}

#[test]
fn a_draft_of_the_thread_stays_and_the_other_text_can_be_brought_back() {
    let mut app = App::new().with_direct("joe").opened();
    app.type_text("to the person");
    let (mine, thread) = (ConversationId::new("8:joe.4"), ConversationId::new(THREAD));
    let draft = crate::model::Draft { text: "in the thread".into(), ..Default::default() };
    app.delta(Delta::Drafts(vec![(thread.clone(), draft)]));
    app.delta(Delta::BecameThread { from: mine, to: thread, with: crate::fixture::person("joe") });
    app.layout();
    app.expect("in the thread");
    app.press("ctrl-y");
    app.expect("to the person");
}
