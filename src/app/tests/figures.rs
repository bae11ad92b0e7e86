//! The performance figures that F12 shows.

use crate::app::{Input, next_deadline};
use crate::fixture::{App, direct};
use crate::model::{AccountFigures, Delivery, Delta, FrameFigures, Request, Response};
use std::time::Duration;

fn asks(app: &mut App) -> usize {
    app.requests().iter().filter(|request| matches!(request, Request::Figures { .. })).count()
}

#[test]
fn figures_are_asked_for_while_they_are_shown_and_not_a_moment_longer() {
    let mut app = direct("joe").opened();
    app.pass(Duration::from_secs(60));
    let idle = next_deadline(&app.model.app);
    app.press("f12");
    app.expect("no key measured yet");
    app.pass(Duration::ZERO);
    assert_eq!(asks(&mut app), 1);
    let figures = AccountFigures { polled: Some(Duration::from_secs(3)), budget: Some((27, 30)) };
    app.pass(Duration::from_millis(200));
    assert_eq!(asks(&mut app), 0, "once a second");
    app.pass(Duration::from_millis(900));
    app.answer(Response::Figures(figures));
    app.layout();
    app.expect("polled 3 s ago");
    app.expect("27 of 30 requests left");
    let frames = FrameFigures {
        p50: Duration::from_micros(400),
        p99: Duration::from_micros(1_240),
        keys: 128,
        bytes: 38,
    };
    app.input(Input::Figures(frames));
    app.layout();
    app.expect("key to frame p50 0.4 p99 1.2 ms (128)");
    app.expect("38 bytes per frame");
    app.press("f12");
    app.expect_none("Latency");
    app.pass(Duration::from_secs(5));
    assert_eq!(asks(&mut app), 0);
    assert_eq!(next_deadline(&app.model.app), idle);
}

#[test]
fn the_time_until_a_message_is_accepted_is_that_of_the_last_one() {
    let mut app = direct("joe").opened();
    app.press("f12");
    app.expect("nothing sent");
    app.type_text("hi");
    app.press("enter");
    let sent = app.requests().into_iter().find_map(|request| match request {
        Request::Send { conversation, client_id, .. } => Some((conversation, client_id)),
        _ => None,
    });
    let (conversation, client_id) = sent.unwrap();
    app.pass(Duration::from_millis(120));
    let sent = None;
    app.delta(Delta::Delivery { conversation, client_id, delivery: Delivery::Sent, sent });
    app.layout();
    app.expect("sent in 120 ms");
}

#[test]
fn the_figures_take_no_key_and_fit_any_size() {
    for (columns, rows) in [(20, 5), (40, 10), (80, 24), (120, 40)] {
        let mut app = direct("joe").opened().sized(columns, rows);
        app.press("f12");
        app.type_text("hi");
        app.screen();
        assert_eq!(app.open_chat().composer.text(), "hi");
    }
}
