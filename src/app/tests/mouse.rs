//! Clicks and the wheel.

use crate::app::action::{Action, AppAction, Pointer, PointerKind};
use crate::app::{Effect, Input};
use crate::fixture::{App, chat, direct, message};
use crate::model::{
    AccountChange, Link, MessageBody, Placement, Request, RichText, Role, Span, SpanStyle,
};
use std::time::Duration;

impl App {
    /// The cell where a text begins, in the first or the last row that contains it.
    fn cell_of(&mut self, text: &str, last: bool) -> (u16, u16) {
        let screen = self.expect(text);
        let rows = screen.lines().enumerate().filter(|(_, line)| line.contains(text));
        let rows: Vec<(usize, &str)> = rows.collect();
        let (row, line) = if last { rows[rows.len() - 1] } else { rows[0] };
        let column = crate::model::text::width(line.split_once(text).unwrap().0);
        (u16::try_from(column).unwrap(), u16::try_from(row).unwrap())
    }

    fn point(&mut self, kind: PointerKind, (column, row): (u16, u16)) {
        self.action(Action::Pointer(Pointer { column, row, kind }));
        self.layout();
    }

    fn click(&mut self, text: &str) {
        let cell = self.cell_of(text, false);
        self.point(PointerKind::Click, cell);
    }

    fn click_last(&mut self, text: &str) {
        let cell = self.cell_of(text, true);
        self.point(PointerKind::Click, cell);
    }
}

fn many() -> App {
    let mut app = direct("joe");
    for n in 0..60 {
        app.say("joe", &format!("number {n}."));
    }
    app.opened()
}

#[test]
fn a_click_on_a_chat_opens_it_at_every_size() {
    for (columns, rows) in [(60, 20), (80, 24), (120, 40), (200, 50)] {
        let app = chat("Team").members(&[("anna", Role::Admin)]);
        let mut app = app.with_direct("mia").with_direct("joe").opened();
        app.resize(columns, rows);
        app.type_text("half a thought");
        app.click("Team ");
        assert_eq!(app.open_chat().info.id.as_str(), "19:team@thread.skype", "{columns}x{rows}");
        app.click("Mia Tan");
        app.expect("To Mia Tan ›");
        // The draft is not lost.
        app.click("Joe Bloggs");
        app.expect("› half a thought");
    }
}

#[test]
fn with_two_accounts_the_headings_of_the_list_are_no_chats() {
    let mut app = direct("joe").beside("work").with_direct_in("work", "mia", 2).opened();
    app.click("work");
    app.expect("To Joe Bloggs ›");
    app.click("Mia Tan");
    app.expect("To Mia Tan ›");
}

#[test]
fn a_click_selects_a_message_and_a_double_click_replies() {
    let mut app =
        direct("joe").message("joe", "first words").message("joe", "second words").opened();
    app.click("first words");
    let first = app.open_chat().selected().expect("a message").key.clone();
    assert_eq!(first, app.open_chat().timeline.iter().next().unwrap().key);
    app.click("second words");
    app.pass(Duration::from_millis(500));
    app.click("second words");
    app.expect_none("replying to");
    app.click("second words");
    app.expect("replying to Joe Bloggs: second words");
    // Two clicks on different messages are not a double click.
    app.press("esc");
    app.click("first words");
    app.click("second words");
    app.expect_none("replying to");
    // The box takes the next key.
    app.click("To Joe");
    app.type_text("rest");
    app.expect("› rest");
}

#[test]
fn a_link_to_a_trusted_host_opens_without_a_question() {
    let trusted = "https://oven.example/a";
    for (address, opens) in [(trusted, true), ("https://other.example/a", false)] {
        let span = Span {
            text: address.into(),
            style: SpanStyle::default(),
            link: Some(Link::Url(address.into())),
        };
        let body = MessageBody::Text(RichText::from_spans(vec![span]));
        for keys in ["ctrl-up o", "ctrl-o enter"] {
            let mut app = App::with_prefs(|prefs| {
                prefs.choices.links.trusted_hosts = vec!["oven.example".into()];
            })
            .with_direct("joe");
            app.messages(vec![message("joe", 1, body.clone())], Placement::Event);
            let mut app = app.opened();
            app.press(keys);
            let opened = app.effects().iter().any(|effect| matches!(effect, Effect::OpenUrl(_)));
            assert_eq!(opened, opens, "{address} {keys}");
            if opens {
                app.expect("Opening a link to oven.example");
            } else {
                app.expect("Open this address?");
            }
        }
    }
}

#[test]
fn a_click_on_a_link_shows_its_address_before_it_is_opened() {
    let address = "https://oven.example/a?b=1";
    let span = |text: &str, link| Span { text: text.into(), style: SpanStyle::default(), link };
    let spans = [("see ", None), (address, Some(Link::Url(address.into()))), (" or not", None)];
    let rich = RichText::from_spans(spans.map(|(text, link)| span(text, link)).into());
    for columns in [60, 80, 120] {
        let mut app = direct("joe").sized(columns, 24);
        let body = MessageBody::Text(rich.clone());
        app.messages(vec![message("joe", 1, body)], Placement::Event);
        let mut app = app.opened();
        app.click_last("see");
        assert!(app.model.overlays.is_empty(), "{columns}");
        app.pass(Duration::from_millis(500));
        app.click_last("or not");
        assert!(app.model.overlays.is_empty(), "{columns}");
        app.click_last("oven.example");
        app.expect("Open this address?");
        // Neither the click that opened the question nor others answer it.
        for row in 0..24 {
            for column in 0..columns {
                let is_footer = row == 23;
                if !is_footer {
                    app.point(PointerKind::Click, (column, row));
                }
            }
        }
        app.expect("Open this address?");
        assert!(!app.effects().iter().any(|e| matches!(e, Effect::OpenUrl(_))));
        app.press("y");
        assert!(app.effects().iter().any(|e| matches!(e, Effect::OpenUrl(_))));
    }
}

#[test]
fn the_wheel_scrolls_what_is_below_it() {
    let mut app = many();
    app.expect("number 59.");
    let pane = app.cell_of("number 59.", true);
    for _ in 0..4 {
        app.point(PointerKind::WheelUp, pane);
    }
    app.expect("number 47.");
    app.expect_none("number 59.");
    for _ in 0..5 {
        app.point(PointerKind::WheelDown, pane);
    }
    app.expect("number 59.");
    // A dialog scrolls wherever the mouse is.
    app.press("f1");
    let before = app.screen();
    app.point(PointerKind::WheelDown, (0, 3));
    assert_ne!(app.screen(), before);
    app.point(PointerKind::WheelUp, (0, 3));
    assert_eq!(app.screen(), before);
}

#[test]
fn the_wheel_over_the_list_opens_nothing_and_a_key_brings_the_open_chat_back() {
    let mut app = direct("joe").opened();
    for n in 0..80 {
        app = app.with_direct(&format!("8:person.{n:02}"));
    }
    app.press("alt-1");
    let before = app.screen();
    let opened = app.open_chat().info.id.clone();
    for _ in 0..100 {
        app.point(PointerKind::WheelDown, (3, 5));
    }
    let end = app.screen();
    assert_ne!(end, before);
    assert_eq!(app.open_chat().info.id, opened);
    // The end of the list is at the bottom of its pane.
    assert!(app.model.view.visible.list.rows.len() > 15, "{end}");
    app.point(PointerKind::WheelUp, (3, 5));
    assert_ne!(app.screen(), end);
    for _ in 0..100 {
        app.point(PointerKind::WheelUp, (3, 5));
    }
    assert_eq!(app.screen(), before);
    app.point(PointerKind::WheelDown, (3, 5));
    app.press("a");
    app.press("backspace");
    assert_eq!(app.screen(), before);
}

#[test]
fn a_click_on_a_key_of_the_footer_is_that_key() {
    for (columns, place, keys) in [(40, "box", ""), (80, "box", ""), (120, "list", "tab")] {
        let mut app = many();
        app.resize(columns, 24);
        app.press(keys);
        app.click_last("F1 help");
        assert!(app.model.overlays.shows_help(), "{place} {columns}");
        app.click_last("Esc close");
        assert!(app.model.overlays.is_empty(), "{place} {columns}");
    }
    let mut app = many();
    app.click_last("Ctrl-K find");
    app.expect("Find a chat or a person");
    app.press("esc ctrl-up");
    app.click_last("r reply");
    app.expect("replying to Joe Bloggs");
    app.click_last("Ctrl-Q quit");
    assert!(app.effects().iter().any(|e| matches!(e, Effect::Quit)));
}

#[test]
fn a_key_leaves_the_mouse_to_the_terminal_and_takes_it_again() {
    let mut app = many();
    app.press("alt-s");
    app.expect("The mouse selects text · Alt-S gives it back to skchat");
    assert!(app.effects().contains(&Effect::Mouse(false)));
    app.action(Action::App(AppAction::ToggleMouse));
    app.expect("skchat uses the mouse");
    assert!(app.effects().contains(&Effect::Mouse(true)));
}

#[test]
fn clicks_anywhere_at_any_size_do_no_harm() {
    for (columns, rows) in [(1, 1), (20, 5), (40, 15), (60, 20), (120, 40)] {
        let mut app = chat("Team").message("joe", "hi https://oven.example").opened();
        app.input(Input::Resize(crate::app::view::layout::Size { columns, rows }));
        app.layout();
        let edges = [(0, 0), (columns, rows), (u16::MAX, u16::MAX), (columns - 1, rows - 1)];
        for cell in edges.into_iter().chain((0..rows).map(|row| (columns / 2, row))) {
            for kind in [PointerKind::Click, PointerKind::WheelUp, PointerKind::WheelDown] {
                app.point(kind, cell);
            }
        }
        let sent = app.requests();
        let is_quiet = |r: &crate::model::Request| {
            !matches!(r, crate::model::Request::Send { .. } | crate::model::Request::Thread { .. })
        };
        assert!(sent.iter().all(is_quiet), "{columns}x{rows}: {sent:?}");
    }
}

/// What is written to the configuration file.
fn saved(app: &mut App) -> Vec<String> {
    let saved = app.requests().into_iter().filter_map(|request| match request {
        Request::Accounts { change: AccountChange::Set { section, key, value }, .. } => {
            Some(format!("{section}.{key} = {}", value.unwrap_or_default()))
        }
        _ => None,
    });
    saved.collect()
}

#[test]
fn the_width_of_the_list_is_that_of_the_last_run_and_the_demo_does_not_save_it() {
    let mut app = App::with_prefs(|prefs| {
        prefs.choices.ui.list_width = 33;
        prefs.demo = true;
    });
    app = app.with_direct("joe").opened();
    app.layout();
    assert_eq!(app.model.view.visible.layout.unwrap().rule.unwrap().x, 33);
    app.press("ctrl-x >");
    assert_eq!(app.model.view.visible.layout.unwrap().rule.unwrap().x, 37);
    assert_eq!(saved(&mut app), [] as [String; 0]);
}

#[test]
fn the_line_between_list_and_messages_is_dragged_and_stays_where_it_was_let_go() {
    let mut app = chat("Team").with_direct("joe").opened();
    app.layout();
    let rule = |app: &App| app.model.view.visible.layout.unwrap().rule.unwrap().x;
    assert_eq!(rule(&app), 21);
    app.point(PointerKind::Click, (21, 5));
    for column in [22, 25, 30] {
        app.point(PointerKind::Drag, (column, 9));
        assert_eq!(rule(&app), column);
    }
    assert_eq!(saved(&mut app), [] as [String; 0], "only where it ends");
    app.point(PointerKind::Release, (30, 9));
    assert_eq!(saved(&mut app), ["ui.list_width = 30"]);
    app.point(PointerKind::Drag, (40, 9));
    assert_eq!(rule(&app), 30, "the button is no longer held");
    // Neither pane becomes too narrow at any size, and the chosen width comes back once there is room.
    app.point(PointerKind::Click, (30, 5));
    app.point(PointerKind::Drag, (79, 5));
    app.point(PointerKind::Release, (79, 5));
    assert_eq!(rule(&app), 43);
    app.resize(60, 20);
    app.layout();
    assert_eq!(rule(&app), 23);
    app.resize(120, 40);
    app.layout();
    assert_eq!(rule(&app), 43);
    app.press("ctrl-x <");
    assert_eq!(rule(&app), 39);
    assert_eq!(saved(&mut app), ["ui.list_width = 43", "ui.list_width = 39"]);
    for _ in 0..20 {
        app.press("ctrl-x <");
    }
    assert_eq!(rule(&app), 14);
    app.press("ctrl-x >");
    assert_eq!(rule(&app), 18);
    // A click elsewhere, or behind a dialog, does not begin a drag.
    app.press("f1");
    app.point(PointerKind::Click, (18, 39));
    app.point(PointerKind::Drag, (30, 5));
    assert_eq!(rule(&app), 18);
}
