//! How the screen looks: times, dates, density.

use crate::fixture::{App, START, chat, message, text};
use crate::model::{
    ConnectionState, Delta, ExportedFile, Glyphs, Media, MediaKind, Message, MessageBody,
    Placement, Timestamp,
};
use std::time::Duration;

const DAY: i64 = 24 * 60;

fn settings(app: &mut App, name: &str, value: &str) {
    app.press("f10");
    app.type_text(name);
    app.press("enter ctrl-u");
    app.type_text(value);
    app.press("enter esc");
}

/// A group with a message from two days ago, two from today, and a new one.
fn days() -> App {
    let mut app = chat("Team").opened();
    let old: Vec<Message> =
        [-2 * DAY, -2, -1].map(|n| message("joe", n, text(&format!("at {n}")))).into();
    app.messages(old, Placement::Newest);
    app
}

#[test]
fn times_and_dates_are_shown_as_chosen_and_change_at_once() {
    let mut app = days();
    app.expect("Sunday 12 November");
    app.expect_row("22:11  Joe Bloggs", "");
    settings(&mut app, "ui.time", "12h");
    app.expect("10:11pm  Joe Bloggs");
    settings(&mut app, "ui.time", "%H:%M:%S");
    app.expect("22:11:20  Joe Bloggs");
    settings(&mut app, "ui.date", "iso");
    app.expect("2023-11-12");
    app.expect("Today");
    // An invalid value changes nothing and is explained.
    settings(&mut app, "ui.time", "%");
    app.press("esc esc");
    app.expect("22:11:20  Joe Bloggs");
    settings(&mut app, "ui.date", "%Q %A %B %d %Y %A %B %d %Y");
    app.press("esc esc");
    app.expect("2023-11-12");
}

#[test]
fn keys_are_named_in_words_wherever_signs_are_ascii() {
    for keys in ["alt-x", "f1", "f10"] {
        let mut app = App::with_prefs(|prefs| prefs.choices.ui.glyphs = Glyphs::Ascii)
            .with_group("Team")
            .opened()
            .sized(120, 40);
        app.press(keys);
        app.type_text(if keys == "f10" { "keys.select-message" } else { "conversation" });
        let screen = app.screen();
        let has_arrow = screen.contains(['↑', '↓', '←', '→']);
        assert!(!has_arrow && screen.contains("Up"), "{keys}\n{screen}");
    }
}

#[test]
fn twelve_hours_take_less_room_in_the_list_and_in_a_narrow_pane() {
    let mut app = days();
    settings(&mut app, "ui.time", "12h");
    app.expect_row("Team", "10:12pm");
    app.resize(38, 20);
    app.press("esc");
    app.expect_row("10:11pm Joe Bloggs", "");
    // Text begins in the same column whatever the hour.
    let mut morning = message("mia", -2, text("early"));
    morning.at = Timestamp(START - 13 * 3_600_000);
    morning.key.at = morning.at;
    app.messages(vec![morning], Placement::Newest);
    app.expect_row(" 9:13am Mia Tan", "");
}

#[test]
fn a_blank_line_stands_before_days_unless_the_density_is_compact() {
    let blank_before = |app: &mut App, word: &str| {
        let screen = app.screen();
        let rows: Vec<&str> = screen.lines().map(|row| row.rsplit('│').next().unwrap()).collect();
        let at = rows.iter().position(|row| row.contains(word)).expect(word);
        rows[at - 1].trim().is_empty()
    };
    let mut app = days();
    assert!(blank_before(&mut app, "── Today"));
    app.resize(80, 15);
    assert!(!blank_before(&mut app, "── Today"), "there is no room");
    app.resize(100, 40);
    app.expect("Joe: at -1");
    app.press("f10");
    app.type_text("ui.density");
    app.press("enter esc");
    assert!(!blank_before(&mut app, "── Today"));
    app.expect_none("Joe: at -1");
    app.expect_row("Team", "22:12");
}

#[test]
fn a_key_that_opens_a_dialog_does_not_open_it_twice() {
    for keys in ["f9 f9", "ctrl-t ctrl-t", "f10 f10", "ctrl-k ctrl-k"] {
        let mut app = chat("Team").opened();
        app.press(keys);
        assert!(!app.model.overlays.is_empty(), "{keys}");
        app.press("esc");
        assert!(app.model.overlays.is_empty(), "{keys}");
    }
}

#[test]
fn a_note_is_seen_beside_a_dialog_of_any_height() {
    for (columns, rows) in [(80, 24), (40, 12), (120, 40)] {
        let mut app = chat("Team").sized(columns, rows).opened();
        app.press("f1");
        app.model.app.complain("It did not work");
        app.expect("It did not work");
        app.pass(std::time::Duration::from_secs(6));
        app.expect_none("It did not work");
        app.expect_row("Esc", "close");
    }
}

#[test]
fn notes_stand_below_the_pane_that_they_are_about() {
    let mut app = days();
    app.model.app.note("Copied");
    app.expect("┴── Copied ──");
    app.model.app.note(&"word ".repeat(12));
    app.expect("── word word");
    app.expect_none("┴── word");
}

#[test]
fn the_header_names_the_people_where_there_is_room() {
    let mut app = days();
    app.expect_row("Team", "Joe Bloggs, Mia Tan · 3 members");
    app.expect_none("history on");
    app.resize(60, 20);
    app.expect_row("Team", "3 members");
    app.expect_none("Mia Tan ·");
}

#[test]
fn the_help_is_narrowed_by_typing_and_has_two_columns_where_they_fit() {
    let mut app = chat("Team").sized(80, 24).opened();
    app.press("f1");
    app.type_text("MUTE");
    app.expect_row("Muted: no alerts", "m");
    app.expect_none("Mouse");
    app.type_text(" xyz");
    app.expect("Nothing here contains that.");
    app.press("ctrl-u");
    app.type_text("wheel");
    app.expect_row("Scroll what is under the pointer", "Wheel");
    app.resize(140, 40);
    app.press("ctrl-u");
    let screen = app.screen();
    let titles = ["Writing", "Anywhere", "Commands", "With a message selected", "Symbols"];
    let beside = |line: &str| titles.iter().filter(|title| line.contains(*title)).count() == 2;
    let rows = screen.lines().filter(|line| line.contains("  ")).count();
    assert!(rows > 30 && screen.lines().any(|line| line.contains("Help")), "{screen}");
    assert!(screen.lines().any(beside), "{screen}");
    app.press("esc");
    assert!(app.model.overlays.is_empty());
}

#[test]
fn the_list_of_links_names_files_and_when_they_were_sent() {
    let mut app = chat("Team").opened();
    let file = |n: i64, name: &str| {
        let link = Some(format!("https://files.example/{n}").as_str().into());
        let media = Media {
            kind: MediaKind::Image,
            name: name.into(),
            bytes: Some(1_200_000),
            seconds: None,
            link,
            object: None,
            exported: ExportedFile::Unknown,
        };
        message("joe", n, MessageBody::Media(media))
    };
    app.messages(vec![file(1, "oven.jpg"), file(2, "pier.jpg")], Placement::Newest);
    app.press("ctrl-o");
    app.expect("Links and files");
    app.expect_row("1 [image] pier.jpg · 1.2 MB", "22:15");
    app.expect_row("2 [image] oven.jpg · 1.2 MB", "22:14");
    app.press("2");
    app.expect("https://files.example/1");
}

#[test]
fn the_name_of_the_account_stays_while_the_connection_is_down() {
    let mut app = chat("Team").message("joe", "hi");
    let why = "the gateway cannot be reached: connection refused, and a long reason".into();
    let wait = Duration::from_secs(9);
    app.delta(Delta::Connection(ConnectionState::Waiting { wait, attempt: 3, why, asked: false }));
    app.expect("Anna Lin");
    app.expect("offline");
    app.expect("retry in 9s");
}

#[test]
fn without_the_signs_arrow_keys_are_words() {
    let mut app = App::with_prefs(|prefs| prefs.choices.ui.glyphs = Glyphs::Ascii);
    app.expect("Alt-Up/Down");
    app.press("ctrl-x c");
    app.expect_none("↑↓");
    let mut app = App::with_prefs(|_| {}).with_group("Team");
    app.expect("Alt-↓ opens the first chat.");
    let mut app =
        App::with_prefs(|prefs| prefs.choices.ui.glyphs = Glyphs::Ascii).with_group("Team");
    app.expect("Alt-Down opens the first chat.");
}
