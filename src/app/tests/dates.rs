//! Going to a date, the timeline beside the messages, and the numbers in the details pane.

use crate::fixture::{App, START, chat, direct, message, text};
use crate::model::date::Month;
use crate::model::{
    ChatStatistics, Coverage, Delta, MessageKey, Neighbors, Placement, Point, Range, Request,
    Response, Timestamp,
};

fn key(at: &str) -> MessageKey {
    let at = Timestamp::parse(at).unwrap();
    MessageKey::server(at, &at.0.to_string())
}

fn go_to(app: &mut App, date: &str) {
    app.requests();
    app.press("ctrl-g");
    app.type_text(date);
    app.press("enter");
}

fn neighbors(before: Option<&str>, after: Option<&str>) -> Response {
    Response::Neighbors(Neighbors { before: before.map(key), after: after.map(key) })
}

/// The key of the requested place.
fn place_asked_for(app: &mut App) -> Option<MessageKey> {
    app.requests().into_iter().find_map(|request| match request {
        Request::Around { key, .. } => Some(key),
        _ => None,
    })
}

#[test]
fn a_date_leads_to_the_first_message_of_it() {
    let mut app = direct("joe").message("joe", "new").opened();
    app.press("ctrl-g");
    app.type_text("9 mar 2016");
    app.expect("9 March 2016");
    app.requests();
    app.press("enter");
    app.answer(neighbors(Some("2016-03-08T20:00:00Z"), Some("2016-03-09T07:00:00Z")));
    assert_eq!(place_asked_for(&mut app), Some(key("2016-03-09T07:00:00Z")));
    app.expect_none("Nothing");
}

#[test]
fn an_invalid_date_can_be_corrected_and_an_empty_one_does_nothing() {
    let mut app = direct("joe").message("joe", "new").opened();
    go_to(&mut app, "soon");
    app.expect("This is not a date");
    app.press("ctrl-u enter");
    app.expect_none("Go to a date");
    assert!(!app.requests().iter().any(|request| matches!(request, Request::Neighbors { .. })));
}

#[test]
fn a_date_without_messages_leads_to_the_nearest_and_says_so() {
    for (date, before, after, goes_to, says) in [
        (
            "2005",
            None,
            Some("2006-07-01T00:00:00Z"),
            "2006-07-01T00:00:00Z",
            "begins on 1 July 2006",
        ),
        (
            "2036",
            Some("2023-11-14T00:00:00Z"),
            None,
            "2023-11-14T00:00:00Z",
            "2036 is in the future",
        ),
        ("2022", Some("2021-11-14T00:00:00Z"), None, "2021-11-14T00:00:00Z", "Nothing since 2022"),
        (
            "2016-03-09",
            Some("2016-03-01T00:00:00Z"),
            Some("2016-03-11T00:00:00Z"),
            "2016-03-11T00:00:00Z",
            "9 March 2016 has no messages: the nearest is from 11 March 2016",
        ),
        (
            "2016-03-09",
            Some("2016-03-08T00:00:00Z"),
            Some("2016-04-11T00:00:00Z"),
            "2016-03-08T00:00:00Z",
            "the nearest is from 8 March 2016",
        ),
    ] {
        let mut app = direct("joe").message("joe", "new").opened().sized(110, 24);
        go_to(&mut app, date);
        app.answer(neighbors(before, after));
        assert_eq!(place_asked_for(&mut app), Some(key(goes_to)), "{date}");
        app.expect(says);
    }
    let mut app = direct("joe").message("joe", "new").opened();
    go_to(&mut app, "2016");
    app.answer(neighbors(None, None));
    app.expect("This chat has no stored messages");
}

#[test]
fn a_date_in_a_gap_is_said_to_be_missing() {
    let mut app = direct("joe").message("joe", "new").opened().sized(110, 24);
    let point = |at: &str| Point::from(&key(at));
    let range = |lo: &str, hi: &str| Range { lo: point(lo), hi: point(hi), floor: false };
    let coverage: Coverage = [
        range("2015-01-01T00:00:00Z", "2016-03-01T00:00:00Z"),
        range("2016-05-01T00:00:00Z", "2023-11-14T22:14:20Z"),
    ]
    .into_iter()
    .collect();
    app.delta(Delta::Coverage { conversation: "8:joe.4".into(), coverage });
    go_to(&mut app, "2016-04");
    app.answer(neighbors(Some("2016-03-01T00:00:00Z"), Some("2016-05-01T00:00:00Z")));
    app.expect("April 2016 is not stored here");
}

#[test]
fn an_answer_for_a_chat_that_was_left_moves_nothing() {
    let mut app = direct("joe").message("joe", "new").opened();
    go_to(&mut app, "2016");
    let requests = app.requests();
    let ticket = requests.iter().rev().find_map(crate::fixture::ticket_of).unwrap();
    app.model.app.close_chat();
    let response = neighbors(None, Some("2016-03-11T00:00:00Z"));
    app.delta(Delta::Response { ticket, response });
    assert_eq!(place_asked_for(&mut app), None);
}

fn counted(first: i64, months: &[(i16, i8, u64)]) -> Response {
    let months = months.iter().map(|(year, month, n)| (Month { year: *year, month: *month }, *n));
    // The period of all messages that were counted.
    let period = Some((Timestamp(first), Timestamp(START + 3_600_000)));
    Response::Statistics(ChatStatistics { period, months: months.collect() })
}

fn statistics_requests(app: &mut App) -> usize {
    let is = |request: &Request| matches!(request, Request::Statistics { .. });
    app.requests().iter().filter(|request| is(request)).count()
}

#[test]
fn the_details_count_the_messages_of_each_year() {
    let mut app = direct("joe").message("joe", "new").opened().sized(120, 30);
    app.layout();
    let first = Timestamp::parse("2006-07-01T00:00:00Z").unwrap().0;
    app.answer(counted(first, &[(2006, 7, 1_200), (2006, 8, 34), (2016, 1, 5)]));
    app.expect("HISTORY STORED HERE");
    app.expect_row("First", "2006-07-01");
    app.expect_row("Messages", "1,239");
    app.expect_row("2006", "1,234");
    app.layout();
    assert_eq!(statistics_requests(&mut app), 0, "they were counted");
    app.model.app.close_chat();
    app = app.opened();
    app.layout();
    assert_eq!(statistics_requests(&mut app), 1, "once each time the chat is opened");
}

#[test]
fn messages_that_come_after_the_count_are_added_to_it() {
    let mut app = chat("Team").opened().sized(120, 30);
    app.layout();
    app.say("joe", "arrives before the answer");
    let months = vec![(Month { year: 2023, month: 11 }, 5)];
    let period = Some((Timestamp(START - 1), Timestamp(START)));
    app.answer(Response::Statistics(ChatStatistics { period, months }));
    app.say("joe", "arrives later");
    app.expect_row("Messages", "7");
    let again = app.open_chat().timeline.last().unwrap().clone();
    app.messages(vec![again], Placement::Event);
    app.expect_row("Messages", "7");
}

#[test]
fn older_messages_than_were_counted_are_counted_too() {
    let mut app = chat("Team").message("joe", "new").opened().sized(120, 30);
    app.layout();
    app.answer(counted(START, &[(2023, 11, 1)]));
    app.layout();
    let before = Point::from(&app.open_chat().start().unwrap());
    app.messages(
        vec![message("joe", -600, text("older"))],
        Placement::Older { before, reached_start: false },
    );
    app.requests();
    app.layout();
    assert_eq!(statistics_requests(&mut app), 1);
}

#[test]
fn where_the_view_stands_is_said_on_days_of_their_own_too() {
    let mut app = direct("joe").opened().sized(80, 24);
    let first = Timestamp::parse("2023-01-01T09:00:00Z").unwrap().0;
    let day = |n: i64| {
        let mut said = message("joe", n, text("a short one"));
        said.at = Timestamp(first + n * 86_400_000);
        said.key = crate::model::MessageKey::server(said.at, &said.at.0.to_string());
        said
    };
    app.messages((0..120).map(day).collect(), Placement::Newest);
    app.layout();
    app.press("pageup");
    app.answer(counted(first, &[(2023, 1, 31), (2023, 2, 28), (2023, 3, 31), (2023, 4, 30)]));
    for _ in 0..40 {
        app.expect("‹ ");
        app.press("shift-up");
    }
}

#[test]
fn years_are_shown_beside_the_messages_only_while_scrolling() {
    let mut app = direct("joe").opened().sized(80, 24);
    for n in 0..60 {
        app.say("joe", &format!("message {n}"));
    }
    app.layout();
    assert_eq!(statistics_requests(&mut app), 0, "nobody looks back, and there are no details");
    app.press("pageup");
    let first = Timestamp::parse("2006-07-01T00:00:00Z").unwrap().0;
    app.answer(counted(first, &[(2006, 7, 1), (2023, 11, 60)]));
    app.expect("‹ Nov 2023");
    app.expect_row("message", "2014");
    app.press("pagedown");
    app.expect_none("‹ Nov 2023");
    app.expect_none("2014");
    // Long text is never covered.
    app.say("joe", &"x".repeat(2_000));
    app.press("pageup");
    app.expect_none(" 2014");
}
