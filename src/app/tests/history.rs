//! Pages of the history: which are accepted, which are requested, and gaps.

use crate::app::chat::Window;
use crate::app::view::Want;
use crate::app::{Action, AppAction, Effect, Input};
use crate::fixture::{self, App, direct};
use crate::model::{Arrival, Coverage, Delta, Message, Placement, Point, Range, Request};

/// Joe's message number `n`, sent `n` minutes after the start.
fn message(n: i64) -> Message {
    fixture::message("joe", n, fixture::text(&format!("number {n}.")))
}

fn page(app: &mut App, numbers: std::ops::Range<i64>, placement: Placement) {
    app.messages(numbers.map(message).collect(), placement);
}

fn numbers(app: &App) -> Vec<i64> {
    app.open_chat().timeline.iter().map(|m| (m.at.0 - fixture::START) / 60_000).collect()
}

fn want_older(app: &mut App) {
    let chat = app.open_chat().chat_ref();
    app.input(Input::Want(Want::Older(chat)));
}

fn want_newer(app: &mut App) {
    let chat = app.open_chat().chat_ref();
    app.input(Input::Want(Want::Newer(chat)));
}

#[test]
fn before_an_unsent_message_nothing_is_asked_for() {
    let mut app = direct("joe").opened();
    app.press("x enter");
    app.effects();
    want_older(&mut app);
    assert_eq!(app.requests(), []);
    page(&mut app, 50..60, Placement::Newest);
    want_older(&mut app);
    let asked = app.requests();
    assert!(
        matches!(&asked[..], [Request::Older { before, .. }] if !before.is_unsent()),
        "{asked:?}"
    );
}

#[test]
fn a_page_that_comes_late_is_not_put_beside_another_window() {
    let mut app = direct("joe").opened();
    page(&mut app, 900..910, Placement::Newest);
    app.model.go_to(&message(100).key);
    let effects = std::mem::take(&mut app.model.app.effects);
    assert!(matches!(
        &effects[..],
        [Effect::Request(asked)] if matches!(asked.request, Request::Around { .. })
    ));
    // An answer for another place is ignored.
    let around = |n: i64| Placement::Around {
        place: (&message(n).key).into(),
        reached_start: false,
        at_end: false,
    };
    page(&mut app, 200..203, around(200));
    assert_eq!(numbers(&app), (900..910).collect::<Vec<_>>());
    page(&mut app, 98..103, around(100));
    assert_eq!(numbers(&app), (98..103).collect::<Vec<_>>());
    want_older(&mut app);
    // The older page of the past arrives after going back to the newest end.
    app.action(Action::App(AppAction::Escape));
    app.action(Action::App(AppAction::Escape));
    page(&mut app, 900..910, Placement::Newest);
    let late = Placement::Older { before: (&message(98).key).into(), reached_start: false };
    page(&mut app, 90..98, late);
    assert_eq!(numbers(&app), (900..910).collect::<Vec<_>>());
}

#[test]
fn what_arrives_while_the_past_is_read_is_fetched_before_the_window_is_called_live() {
    let mut app = direct("joe").opened();
    page(&mut app, 900..910, Placement::Newest);
    app.model.go_to(&message(100).key);
    let place = (&message(100).key).into();
    let around = Placement::Around { place, reached_start: false, at_end: false };
    page(&mut app, 98..103, around);
    want_newer(&mut app);
    page(&mut app, 911..912, Placement::Event);
    // The page was read before the last message was stored, but is reported after it.
    let newer = Placement::Newer { after: (&message(102).key).into(), at_end: true };
    page(&mut app, 103..105, newer);
    assert_eq!(numbers(&app), (98..105).collect::<Vec<_>>());
    app.effects();
    want_newer(&mut app);
    let asked = app.requests();
    assert!(matches!(&asked[..], [Request::Newer { .. }]), "{asked:?}");
    let newer = Placement::Newer { after: (&message(104).key).into(), at_end: true };
    page(&mut app, 911..912, newer);
    assert_eq!(app.open_chat().paging.window, Window::Live);
}

/// Reports which parts of the open chat are stored.
fn stored(app: &mut App, ranges: &[(i64, i64)]) {
    let mut coverage = Coverage::default();
    for (lo, hi) in ranges {
        let point = |n: i64| Point::from(&message(n).key);
        coverage.add(Range { lo: point(*lo), hi: point(*hi), floor: false });
    }
    let conversation = app.open_chat().info.id.clone();
    app.delta(Delta::Coverage { conversation, coverage });
}

#[test]
fn enter_on_a_gap_line_fetches_what_is_missing_above_it() {
    let mut app = direct("joe").opened();
    page(&mut app, 1..3, Placement::Newest);
    page(&mut app, 60..63, Placement::Newest);
    stored(&mut app, &[(1, 2), (60, 62)]);
    app.expect("messages missing · Enter fetches them");
    app.effects();
    app.press("ctrl-up up up up");
    app.expect("Messages are missing here");
    app.press("enter");
    let asked = app.requests();
    let above = message(60).key;
    assert!(
        asked.iter().any(|r| matches!(r, Request::Fill { above: asked, .. } if *asked == above)),
        "{asked:?}"
    );
    page(&mut app, 3..60, Placement::Gap);
    stored(&mut app, &[(1, 62)]);
    app.expect_none("messages missing");
}

#[test]
fn what_is_sent_while_the_past_is_read_stands_at_the_newest_end() {
    let mut app = direct("joe").opened();
    page(&mut app, 900..910, Placement::Newest);
    app.model.go_to(&message(100).key);
    let place = (&message(100).key).into();
    page(&mut app, 98..103, Placement::Around { place, reached_start: false, at_end: false });
    app.expect("number 100.");
    page(&mut app, 910..911, Placement::Event);
    app.expect_none("number 910.");
    app.press("esc");
    app.effects();
    app.type_text("answer");
    app.press("enter");
    let asked = app.requests();
    assert!(asked.iter().any(|r| matches!(r, Request::Open { .. })), "{asked:?}");
    page(&mut app, 901..911, Placement::Newest);
    let screen = app.expect("answer");
    assert!(screen.contains("number 910.") && !screen.contains("number 100."), "{screen}");
}

#[test]
fn what_arrives_far_below_the_place_that_is_read_leaves_memory_and_comes_back() {
    let mut app = direct("joe").opened();
    page(&mut app, 0..200, Placement::Newest);
    app.layout();
    app.press("pageup pageup");
    app.effects();
    for n in 200..6_000 {
        app.arrive(vec![message(n)], Placement::Event, Arrival::Live);
    }
    assert!(app.open_chat().timeline.iter().count() < 2_500);
    let newest = app.open_chat().newest().unwrap();
    assert_eq!(newest.key, message(5_999).key, "the list shows the newest, loaded or not");
    assert_eq!(app.open_chat().paging.window, Window::Past { loading: false });
    // Further down, the dropped messages are requested again, and at the end the window is live again.
    want_newer(&mut app);
    let asked = app.requests();
    let [Request::Newer { after, .. }] = &asked[..] else { panic!("{asked:?}") };
    let (after, last) = (after.clone(), *numbers(&app).last().unwrap());
    assert_eq!(after, message(last).key);
    page(&mut app, last + 1..6_000, Placement::Newer { after: (&after).into(), at_end: true });
    assert_eq!(app.open_chat().paging.window, Window::Live);
    assert_eq!(numbers(&app).last(), Some(&5_999));
}
