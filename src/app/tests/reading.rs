//! What counts as read or new: for the user, as reported to the server, and for others.

use crate::app::Input;
use crate::fixture::{self, App, direct, person, text};
use crate::model::{
    Arrival, ConversationId, Coverage, Delta, Message, Placement, Point, Range, ReadMarker,
    Receipts, Request, Timestamp, Unread,
};
use std::time::Duration;

/// An app whose user is at the keyboard.
fn app(receipts: Receipts) -> App {
    let app = App::with_prefs(|prefs| prefs.choices.reading.receipts = receipts);
    let mut app = app.with_direct("joe");
    app.press("esc");
    app
}

/// Joe's message number `n`, sent `n` minutes after the start.
fn message(n: i64) -> Message {
    fixture::message("joe", n, text(&format!("number {n}.")))
}

fn messages(app: &mut App, numbers: std::ops::Range<i64>, arrival: Arrival) {
    let placement = match arrival {
        Arrival::Live => Placement::Event,
        Arrival::CatchUp | Arrival::History => Placement::Newest,
    };
    app.arrive(numbers.map(message).collect(), placement, arrival);
    app.layout();
}

/// The store reports: read up to `read`, with `count` unread messages.
fn unread(app: &mut App, read: i64, count: u32) {
    let at = message(read).at;
    let read_marker = Some(ReadMarker { arrival: at, read_at: at, client_id: None });
    let unread = Unread { messages: count, ..Unread::default() };
    let conversation = ConversationId::new("8:joe.4");
    app.delta(Delta::Unread { conversation, unread, read_marker });
    app.layout();
}

/// The requests to mark as read since the last call: up to where, whether back, whether others are told.
fn marked(app: &mut App) -> Vec<(Timestamp, bool, bool)> {
    let marks = app.requests().into_iter().filter_map(|request| match request {
        Request::MarkRead { read_marker, back, tell, .. } => {
            Some((read_marker.arrival, back, tell))
        }
        _ => None,
    });
    marks.collect()
}

/// The user looks at the screen for long enough for messages to count as read.
fn look(app: &mut App) {
    app.layout();
    app.pass(Duration::from_secs(2));
    app.layout();
}

#[test]
fn the_end_of_a_chat_counts_as_read_after_a_second_of_being_looked_at() {
    let mut app = app(Receipts::Auto).opened();
    messages(&mut app, 1..4, Arrival::Live);
    app.pass(Duration::from_millis(500));
    assert_eq!(marked(&mut app), []);
    look(&mut app);
    assert_eq!(marked(&mut app), [(message(3).at, false, true)]);
}

#[test]
fn a_chat_that_opened_by_itself_is_read_with_the_first_key() {
    let app = App::with_prefs(|prefs| prefs.choices.reading.receipts = Receipts::Auto);
    let mut app = app.with_direct("joe");
    app.delta(Delta::LastOpen("8:joe.4".into()));
    messages(&mut app, 1..4, Arrival::History);
    look(&mut app);
    look(&mut app);
    assert_eq!(marked(&mut app), []);
    app.press("esc");
    look(&mut app);
    assert_eq!(marked(&mut app), [(message(3).at, false, true)]);
}

#[test]
fn with_receipts_never_reading_counts_here_and_is_reported_to_no_one() {
    let mut app = app(Receipts::Never).opened();
    messages(&mut app, 1..4, Arrival::Live);
    look(&mut app);
    assert_eq!(marked(&mut app), [(message(3).at, false, false)]);
}

#[test]
fn a_chat_is_marked_unread_from_a_message_on_and_stays_so_until_it_is_left() {
    let mut app = app(Receipts::Auto).opened();
    messages(&mut app, 1..4, Arrival::Live);
    look(&mut app);
    app.effects();
    app.press("ctrl-up up u");
    assert_eq!(marked(&mut app), [(message(1).at, true, true)]);
    app.expect("Marked as unread from here");
    unread(&mut app, 1, 2);
    app.expect("2 new");
    look(&mut app);
    look(&mut app);
    assert_eq!(marked(&mut app), []);
    app.expect("2 unread");
    app = app.with_direct("mia").opened();
    let joe = fixture::chat_ref(&"8:joe.4".into());
    app.model.open(&joe);
    look(&mut app);
    assert_eq!(marked(&mut app), [(message(3).at, false, true)]);
}

#[test]
fn missing_messages_are_not_reported_as_read() {
    let mut app = app(Receipts::Auto);
    unread(&mut app, 1, 80);
    app = app.opened();
    messages(&mut app, 1..2, Arrival::History);
    messages(&mut app, 60..63, Arrival::CatchUp);
    let stored = |app: &mut App, ranges: &[(i64, i64)]| {
        let mut coverage = Coverage::default();
        for (lo, hi) in ranges {
            let point = |n: i64| Point::from(&message(n).key);
            coverage.add(Range { lo: point(*lo), hi: point(*hi), floor: false });
        }
        app.delta(Delta::Coverage { conversation: "8:joe.4".into(), coverage });
    };
    stored(&mut app, &[(1, 1), (60, 62)]);
    look(&mut app);
    look(&mut app);
    assert_eq!(marked(&mut app), []);
    stored(&mut app, &[(1, 62)]);
    look(&mut app);
    assert_eq!(marked(&mut app), [(message(62).at, false, true)]);
}

#[test]
fn others_reading_is_shown_and_who_it_was() {
    let mut app = direct("joe").opened();
    app.say("anna", "who is there?");
    app.say("anna", "and now?");
    app.expect_row("and now?", "✓");
    let read_receipts = vec![(person("joe"), fixture::message("anna", 1, text("")).at)];
    let conversation = ConversationId::new("8:joe.4");
    app.delta(Delta::ReadReceipts { conversation, read_receipts });
    app.expect_row("who is there?", "✓✓");
    assert!(!app.has_row("and now?", "✓✓"), "{}", app.screen());
    app.press("ctrl-up up");
    app.expect("read by 1");
    app.press("v");
    app.answer(crate::model::Response::Source(crate::model::MessageSource::default()));
    app.expect("read by      Joe Bloggs");
}

#[test]
fn what_comes_live_gets_its_line_while_the_view_is_scrolled_up_and_not_at_the_end() {
    let mut app = app(Receipts::Auto).opened();
    messages(&mut app, 1..60, Arrival::History);
    unread(&mut app, 59, 0);
    messages(&mut app, 60..61, Arrival::Live);
    app.expect_none("═ 1 new ═");
    unread(&mut app, 60, 0);
    app.press("pageup pageup");
    messages(&mut app, 61..62, Arrival::Live);
    app.press("ctrl-end");
    app.expect("═ 1 new ═");
}

#[test]
fn what_came_while_away_gets_its_line_wherever_the_view_is() {
    let mut app = app(Receipts::Auto).opened();
    messages(&mut app, 1..10, Arrival::History);
    unread(&mut app, 9, 0);
    messages(&mut app, 10..13, Arrival::CatchUp);
    app.expect("═ 3 new ═");
}

#[test]
fn old_messages_never_look_new() {
    let mut app = app(Receipts::Auto).opened();
    messages(&mut app, 50..60, Arrival::History);
    unread(&mut app, 40, 0);
    app.expect_none(" new ═");
    app.press("pageup");
    messages(&mut app, 20..50, Arrival::History);
    app.expect_none(" new ═");
}

/// Sixty messages, ten of them read, in a chat that is then opened.
fn long_unread() -> App {
    let mut app = app(Receipts::Auto);
    messages(&mut app, 1..61, Arrival::History);
    unread(&mut app, 10, 50);
    app.effects();
    app.opened()
}

#[test]
fn a_chat_with_unread_messages_opens_at_the_first_of_them() {
    let mut app = long_unread();
    let screen = app.expect("═ 50 new ═");
    assert!(screen.contains("number 11.") && !screen.contains("number 60."), "{screen}");
    app.expect("below · Ctrl-End");
    // One key goes to the newest message, one back to the first unread one.
    app.press("ctrl-end");
    app.expect("number 60.");
    app.press("alt-u");
    app.expect("═ 50 new ═");
    app.press("esc");
    app.expect("number 60.");
}

#[test]
fn only_what_was_on_the_screen_counts_as_read() {
    let mut app = long_unread();
    look(&mut app);
    let first = marked(&mut app);
    let [(upto, false, true)] = first.as_slice() else { panic!("{first:?}") };
    let upto = *upto;
    assert!(upto > message(11).at && upto < message(40).at, "{upto:?}");
    // The end is on the screen, but not the messages in between.
    app.press("ctrl-end");
    app.expect("unread above · Alt-U shows them · Ctrl-X r marks all read");
    look(&mut app);
    assert_eq!(marked(&mut app), []);
    // Page by page, all of them are shown.
    app.press("alt-u");
    for _ in 0..6 {
        app.press("pagedown");
        look(&mut app);
    }
    assert_eq!(marked(&mut app).last(), Some(&(message(60).at, false, true)));
}

#[test]
fn paging_quickly_over_everything_has_shown_everything() {
    let mut app = long_unread();
    app.layout();
    app.press("pagedown pagedown pagedown pagedown pagedown pagedown");
    look(&mut app);
    assert_eq!(marked(&mut app), [(message(60).at, false, true)]);
}

#[test]
fn in_a_chat_that_never_rests_what_was_seen_counts_all_the_same() {
    let mut app = app(Receipts::Auto).opened();
    let mut read = Vec::new();
    for n in 1..40 {
        messages(&mut app, n..n + 1, Arrival::Live);
        app.pass(Duration::from_millis(300));
        read.extend(marked(&mut app));
    }
    assert!(read.len() > 5, "{read:?}");
}

#[test]
fn a_burst_that_scrolls_by_at_the_watched_end_counts_as_read_and_one_that_nobody_watches_does_not()
{
    for watched in
        ["end", "unfocused", "scrolled up", "covered", "left alone for less than a second"]
    {
        let mut app = app(Receipts::Auto).opened();
        messages(&mut app, 1..30, Arrival::Live);
        look(&mut app);
        unread(&mut app, 29, 0);
        match watched {
            "unfocused" => app.input(Input::Focus(false)),
            "scrolled up" => app.press("pageup"),
            "covered" => app.press("f1"),
            _ => {}
        }
        app.effects();
        // Several bursts, each larger than the pane, with no frame in between.
        for from in [30, 60, 100] {
            let messages = (from..from + 30).map(message).collect();
            app.arrive(messages, Placement::Event, Arrival::Live);
        }
        if watched == "left alone for less than a second" {
            app.pass(Duration::from_millis(900));
            app.input(Input::Focus(false));
        }
        look(&mut app);
        let read = marked(&mut app);
        if watched == "end" {
            assert_eq!(read, [(message(129).at, false, true)]);
            continue;
        }
        assert_eq!(read, [], "{watched}");
        // At the end again: the missed messages are above, and stay unread.
        app.input(Input::Focus(true));
        app.press("esc ctrl-end");
        unread(&mut app, 29, 90);
        look(&mut app);
        assert_eq!(marked(&mut app), [], "{watched}");
        app.press("ctrl-x r");
        assert_eq!(marked(&mut app), [(message(129).at, false, true)]);
    }
}

#[test]
fn what_was_missed_while_offline_is_not_read_by_standing_at_the_end() {
    let mut app = app(Receipts::Auto).opened();
    messages(&mut app, 1..5, Arrival::Live);
    look(&mut app);
    unread(&mut app, 4, 0);
    app.effects();
    messages(&mut app, 5..90, Arrival::CatchUp);
    app.press("ctrl-end");
    look(&mut app);
    let read = marked(&mut app);
    assert!(read.iter().all(|(upto, ..)| *upto < message(60).at), "{read:?}");
}

#[test]
fn a_chat_left_scrolled_up_shows_the_new_messages_when_it_is_opened_for_them() {
    let mut app = app(Receipts::Auto).opened();
    messages(&mut app, 1..100, Arrival::History);
    unread(&mut app, 99, 0);
    app.press("pageup pageup pageup");
    app.expect_none("number 99.");
    app = app.with_direct("mia").opened();
    let conversation = ConversationId::new("8:joe.4");
    let (placement, arrival) = (Placement::Event, Arrival::Live);
    let messages = (100..103).map(message).collect();
    app.delta(Delta::Messages { conversation, messages, placement, arrival });
    unread(&mut app, 99, 3);
    app.press("alt-a");
    let screen = app.expect("═ 3 new ═");
    assert!(screen.contains("number 102."), "{screen}");
}

#[test]
fn the_line_goes_up_when_the_first_unread_message_is_loaded_later() {
    let mut app = app(Receipts::Auto);
    unread(&mut app, 10, 80);
    app = app.opened();
    messages(&mut app, 50..91, Arrival::History);
    app.expect("═ 41 new ═");
    let before = Point::from(&message(50).key);
    let older = Placement::Older { before, reached_start: false };
    app.layout();
    app.arrive((5..50).map(message).collect(), older, Arrival::History);
    let screen = app.expect("═ 80 new ═");
    assert!(screen.contains("number 11."), "{screen}");
}

#[test]
fn what_was_missed_while_away_is_shown_from_its_beginning() {
    let mut app = app(Receipts::Auto).opened();
    messages(&mut app, 1..30, Arrival::History);
    unread(&mut app, 29, 0);
    messages(&mut app, 30..90, Arrival::CatchUp);
    let screen = app.expect("═ 60 new ═");
    assert!(screen.contains("number 30."), "{screen}");
    // The view stays where the user has moved to.
    app.press("ctrl-end");
    messages(&mut app, 90..91, Arrival::Live);
    app.expect("number 90.");
}

#[test]
fn without_unread_messages_the_key_to_them_says_so() {
    let mut app = app(Receipts::Auto).opened();
    messages(&mut app, 1..30, Arrival::History);
    unread(&mut app, 29, 0);
    app.press("alt-u");
    app.expect("No unread messages here");
}

#[test]
fn a_question_over_the_chat_covers_it() {
    let mut app = long_unread();
    app.press("f1");
    look(&mut app);
    assert_eq!(marked(&mut app), []);
}

#[test]
fn an_answer_tells_only_what_was_on_the_screen() {
    let mut app = app(Receipts::OnReply);
    messages(&mut app, 1..61, Arrival::History);
    unread(&mut app, 10, 50);
    app = app.opened();
    look(&mut app);
    app.effects();
    app.type_text("yes");
    app.press("enter");
    let read = marked(&mut app);
    let [(upto, false, true)] = read.as_slice() else { panic!("{read:?}") };
    assert!(*upto > message(11).at && *upto < message(40).at, "{upto:?}");
}

#[test]
fn the_key_to_unread_messages_goes_to_the_first_that_was_not_read_yet() {
    let mut app = long_unread();
    look(&mut app);
    let [(upto, ..)] = marked(&mut app)[..] else { panic!("one page was read") };
    let next = (1..=60).find(|n| message(*n).at > upto).expect("a message that was not read");
    app.press("ctrl-end alt-u");
    let screen = app.expect(&format!("═ {} new ═", 61 - next));
    assert!(screen.contains(&format!("number {next}.")), "{screen}");
    assert!(!screen.contains("number 11."), "{screen}");
    // After marking messages as unread again, the first unread one is the marked one.
    app.press("ctrl-up k k u");
    app.effects();
    let line = app.screen().lines().find(|line| line.contains(" new ═")).map(str::to_owned);
    app.press("ctrl-end alt-u");
    assert_eq!(app.screen().lines().find(|l| l.contains(" new ═")).map(str::to_owned), line);
}

#[test]
fn where_only_the_open_chat_has_unread_messages_the_key_to_the_next_ones_goes_to_them() {
    let mut app = long_unread();
    app.press("ctrl-end alt-a");
    app.expect("═ 50 new ═");
    app.expect_none("No unread messages");
    unread(&mut app, 60, 0);
    app.press("alt-a");
    app.expect("No unread messages");
}

#[test]
fn a_note_beside_the_count_below_ends_with_a_whole_part() {
    let mut app = long_unread();
    look(&mut app);
    for columns in 40..=120 {
        app.resize(columns, 24);
        app.press("ctrl-end pageup");
        let screen = app.expect("unread above ");
        let rule = screen.lines().find(|line| line.contains("unread above")).unwrap_or_default();
        assert!(!rule.contains('…') && !rule.contains("· ─"), "{columns}: {rule}");
        assert!(rule.contains('↓'), "{columns}: {rule}");
    }
}

#[test]
fn what_was_searched_for_stays_in_sight_in_a_chat_with_unread_messages() {
    let mut app = app(Receipts::Auto);
    unread(&mut app, 37, 3);
    let chat = fixture::chat_ref(&ConversationId::new("8:joe.4"));
    let hit = message(12).key;
    app.model.open(&chat);
    app.model.go_to(&hit);
    // The place of the hit was not loaded; the newest page arrives after it as well.
    let place = Point::from(&hit);
    let around = Placement::Around { place, reached_start: true, at_end: true };
    app.arrive((1..41).map(message).collect(), around, Arrival::History);
    app.layout();
    app.expect("number 12.");
    messages(&mut app, 1..41, Arrival::History);
    app.expect("number 12.");
}

#[test]
fn a_selected_message_stays_in_sight_at_every_size() {
    let mut app = app(Receipts::Auto).sized(80, 24).opened();
    messages(&mut app, 1..41, Arrival::History);
    let chosen = message(33).key;
    app.model.go_to(&chosen);
    app.layout();
    app.expect("number 33.");
    for (columns, rows) in [(40, 10), (120, 40), (30, 8), (80, 12), (200, 50), (80, 24)] {
        app.resize(columns, rows);
        app.layout();
        app.expect("number 33.");
    }
}
