use crate::app::action::{Action, MessagesAction, Scroll};
use crate::app::view::layout::Size;
use crate::app::{Input, next_deadline};
use crate::fixture::{self, App, direct};
use crate::model::{Delta, Placement, Reaction, SafeText, UserId};
use proptest::prelude::*;
use std::time::Duration;

fn message(n: i64) -> crate::model::Message {
    let sender = if n % 3 == 0 { "anna" } else { "joe" };
    let words = "word ".repeat(usize::try_from(n % 40).unwrap_or(0) + 1);
    let body = fixture::text(&format!("{n} {words}"));
    let mut message = fixture::message(sender, n * 7, body);
    if n % 5 == 0 {
        let users = vec![message.sender.clone()];
        message.reactions = vec![Reaction { key: SafeText::line("heart"), users }];
    }
    message
}

fn live(app: &mut App, numbers: std::ops::Range<i64>) {
    app.messages(numbers.map(message).collect(), Placement::Event);
}

fn app(messages: i64) -> App {
    let mut app = direct("joe").opened();
    live(&mut app, 0..messages);
    app
}

fn press(app: &mut App, scroll: Scroll) {
    app.action(Action::Messages(MessagesAction::Scroll(scroll)));
}

/// What the pane shows, as text.
fn shown(app: &mut App) -> Vec<String> {
    app.model.layout();
    let rows = &app.model.view.visible.messages.rows;
    rows.iter().map(|row| format!("{:?}", row.kind)).collect()
}

fn input(n: u8) -> Input {
    let scroll = |s| Input::Action(Action::Messages(MessagesAction::Scroll(s)));
    match n % 10 {
        0 => scroll(Scroll::PageUp),
        1 => scroll(Scroll::PageDown),
        2 | 3 => scroll(Scroll::LineUp),
        4 => scroll(Scroll::LineDown),
        5 => scroll(Scroll::Oldest),
        6 => Input::Resize(Size { columns: 40, rows: 12 }),
        7 => Input::Resize(Size { columns: 120, rows: 40 }),
        8 => Input::Action(Action::Messages(MessagesAction::SelectUp)),
        _ => Input::Resize(Size { columns: 61, rows: 9 }),
    }
}

proptest! {
    #[test]
    fn a_layout_after_every_input_is_a_layout_once(inputs in proptest::collection::vec(any::<u8>(), 0..25)) {
        let (mut every, mut once) = (app(60), app(60));
        // Both begin with a frame, as the loop does; selecting starts from what is visible.
        shown(&mut every);
        shown(&mut once);
        for n in inputs {
            // Selecting depends on the frame the user saw, so it needs one.
            if n % 10 == 8 {
                shown(&mut once);
            }
            every.input(input(n));
            once.input(input(n));
            shown(&mut every);
        }
        prop_assert_eq!(shown(&mut every), shown(&mut once));
    }

    #[test]
    fn a_layout_twice_is_a_layout_once(inputs in proptest::collection::vec(any::<u8>(), 0..12)) {
        let mut app = app(40);
        for n in inputs {
            app.input(input(n));
        }
        let first = shown(&mut app);
        prop_assert_eq!(first, shown(&mut app));
    }

    #[test]
    fn a_new_message_does_not_move_what_is_being_read(up in 1usize..60, new in 1i64..9) {
        let mut app = app(60);
        for _ in 0..up {
            press(&mut app, Scroll::LineUp);
        }
        let before = shown(&mut app);
        live(&mut app, 60..60 + new);
        let after = shown(&mut app);
        // The line that counts new messages is below what was visible, or not visible at all.
        let common = before.iter().zip(&after).take_while(|(a, b)| a == b).count();
        prop_assert!(common + 1 >= before.len().min(after.len()), "{:#?} {:#?}", before, after);
    }

    #[test]
    fn no_row_is_skipped_on_the_way_up_and_down(lines in 1usize..120) {
        let mut app = app(30);
        let bottom = shown(&mut app);
        for _ in 0..lines {
            press(&mut app, Scroll::LineUp);
        }
        for _ in 0..lines {
            press(&mut app, Scroll::LineDown);
        }
        prop_assert_eq!(shown(&mut app), bottom);
    }
}

#[test]
fn every_line_up_shows_exactly_one_more_row() {
    let mut app = app(30);
    let mut before = shown(&mut app);
    loop {
        press(&mut app, Scroll::LineUp);
        let after = shown(&mut app);
        if after == before {
            break;
        }
        assert_eq!(after[1..], before[..before.len() - 1]);
        before = after;
    }
    assert!(before.iter().any(|row| row.contains("Day")), "the very first row is the day");
}

#[test]
fn a_typing_signal_ends_by_itself_by_word_or_with_a_message() {
    let mut app = app(3);
    let typing = |app: &mut App, active| {
        let (conversation, who) = ("8:joe.4".into(), UserId::new("8:joe.4"));
        app.delta(Delta::Typing { conversation, who, active });
    };
    let count = |app: &App| app.open_chat().typing.len();
    typing(&mut app, true);
    assert_eq!(count(&app), 1);
    let due = next_deadline(&app.model.app).unwrap();
    assert!(due <= app.now.mono + Duration::from_secs(24), "{due:?}");
    app.pass(Duration::from_secs(23));
    assert_eq!(count(&app), 0);
    typing(&mut app, true);
    typing(&mut app, false);
    assert_eq!(count(&app), 0);
    typing(&mut app, true);
    live(&mut app, 4..5);
    assert_eq!(count(&app), 0);
}
