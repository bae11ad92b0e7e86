use super::*;
use crate::app::action::{Action, MessagesAction, Scroll};
use crate::app::keymap::Keymap;
use crate::app::state::Prefs;
use crate::app::{Input, Model, update};
use crate::model::{
    Delivery, Delta, Message, MessageBody, Now, Page, Reaction, RichText, SafeText, Timestamp,
    UserId,
};
use proptest::prelude::*;
use std::sync::Arc;
use std::time::Duration;

const CHAT: &str = "8:joe.4";

fn message(n: i64) -> Message {
    let at = Timestamp(1_700_000_000_000 + n * 400_000);
    let sender = UserId::new(if n % 3 == 0 { "8:anna.7" } else { CHAT });
    let text = "word ".repeat(usize::try_from(n % 40).unwrap_or(0) + 1);
    let reactions = if n % 5 == 0 {
        vec![Reaction { key: SafeText::line("heart"), users: vec![sender.clone()] }]
    } else {
        Vec::new()
    };
    Message {
        key: MessageKey::server(at, &at.0.to_string()),
        client_id: None,
        sender,
        sender_name: None,
        at,
        version: at.0.unsigned_abs(),
        body: MessageBody::Text(RichText::plain(&format!("{n} {text}"))),
        edited: None,
        edit_of: None,
        mentions_me: false,
        reactions,
        delivery: Delivery::Sent,
    }
}

fn live(numbers: std::ops::Range<i64>) -> Input {
    Input::Delta(Delta::Messages {
        conversation: CHAT.into(),
        messages: numbers.map(message).collect(),
        page: Page::Live,
    })
}

fn model(messages: i64) -> Model {
    let prefs =
        Prefs { demo: true, ..Prefs::plain(UserId::new("8:anna.7"), Arc::new(Keymap::default())) };
    let mut model = Model::new(prefs, Size { columns: 80, rows: 24 });
    let mut conversation = crate::model::Conversation::empty(CHAT.into());
    conversation.activity = Timestamp(1);
    update(&mut model, Input::Delta(Delta::Conversations(vec![conversation])), now());
    update(&mut model, live(0..messages), now());
    model
}

fn now() -> Now {
    Now { wall: Timestamp(1_700_500_000_000), mono: Duration::from_secs(1) }
}

fn press(model: &mut Model, scroll: Scroll) {
    let action = Action::Messages(MessagesAction::Scroll(scroll));
    update(model, Input::Action(action), now());
}

/// What the pane shows, as text.
fn shown(model: &mut Model) -> Vec<String> {
    model.view.layout(&model.app);
    model.view.visible.rows.iter().map(|row| format!("{:?}", row.kind)).collect()
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
    fn settling_after_every_input_is_settling_once(inputs in proptest::collection::vec(any::<u8>(), 0..25)) {
        let (mut every, mut once) = (model(60), model(60));
        // Both begin on a frame, as the loop does; selecting starts from what is in sight.
        shown(&mut every);
        shown(&mut once);
        for n in inputs {
            // Selecting looks at the frame the user saw, so a frame belongs to it.
            if n % 10 == 8 {
                shown(&mut once);
            }
            update(&mut every, input(n), now());
            update(&mut once, input(n), now());
            shown(&mut every);
        }
        prop_assert_eq!(shown(&mut every), shown(&mut once));
    }

    #[test]
    fn settling_twice_is_settling_once(inputs in proptest::collection::vec(any::<u8>(), 0..12)) {
        let mut model = model(40);
        for n in inputs {
            update(&mut model, input(n), now());
        }
        let first = shown(&mut model);
        prop_assert_eq!(first, shown(&mut model));
    }

    #[test]
    fn a_new_message_does_not_move_what_is_being_read(up in 1usize..60, new in 1i64..9) {
        let mut model = model(60);
        for _ in 0..up {
            press(&mut model, Scroll::LineUp);
        }
        let before = shown(&mut model);
        update(&mut model, live(60..60 + new), now());
        let after = shown(&mut model);
        // The line that counts what is new stands below what was in sight, or not in sight at all.
        let common = before.iter().zip(&after).take_while(|(a, b)| a == b).count();
        prop_assert!(common + 1 >= before.len().min(after.len()), "{:#?} {:#?}", before, after);
    }

    #[test]
    fn no_row_is_skipped_on_the_way_up_and_down(lines in 1usize..120) {
        let mut model = model(30);
        let bottom = shown(&mut model);
        for _ in 0..lines {
            press(&mut model, Scroll::LineUp);
        }
        for _ in 0..lines {
            press(&mut model, Scroll::LineDown);
        }
        prop_assert_eq!(shown(&mut model), bottom);
    }
}

#[test]
fn every_line_up_shows_exactly_one_more_row() {
    let mut model = model(30);
    let mut before = shown(&mut model);
    loop {
        press(&mut model, Scroll::LineUp);
        let after = shown(&mut model);
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
    let typing = |active| {
        Input::Delta(Delta::Typing { conversation: CHAT.into(), who: UserId::new(CHAT), active })
    };
    let who = |model: &Model| model.app.opened().unwrap().typing.len();
    let mut model = model(3);
    let id: crate::model::ConversationId = CHAT.into();
    update(&mut model, Input::Delta(Delta::LastOpen(id)), now());
    update(&mut model, typing(true), now());
    assert_eq!(who(&model), 1);
    let due = model.app.next_deadline().unwrap();
    assert!(due <= Duration::from_secs(25), "{due:?}");
    let later = Now { mono: Duration::from_secs(24), ..now() };
    update(&mut model, Input::Deadline, later);
    assert_eq!(who(&model), 0);
    update(&mut model, typing(true), later);
    update(&mut model, typing(false), later);
    assert_eq!(who(&model), 0);
    update(&mut model, typing(true), later);
    update(&mut model, live(4..5), later);
    assert_eq!(who(&model), 0);
}
