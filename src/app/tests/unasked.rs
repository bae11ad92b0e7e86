//! What opens without a key press: questions, dialogs and chats that follow an answer of the server or another program.
//! Text being typed does not answer them, and goes nowhere but where it was meant to.

use crate::app::{Effect, Input, effect::Outcome};
use crate::fixture::{App, chat, direct};
use crate::model::{ConversationId, MessageSource, Request, Response, Role, ThreadChange};
use proptest::prelude::*;
use std::time::Duration;

/// Longer than a question waits for a pause in typing.
const PAUSE: Duration = Duration::from_millis(600);

fn group() -> ConversationId {
    ConversationId::new("19:other@thread.skype")
}

/// A question that opens by itself: what triggers it, how it arrives, and its text.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Question {
    Join,
    Paste,
}

impl Question {
    const ALL: [Self; 2] = [Self::Join, Self::Paste];

    fn ask(self, app: &mut App) {
        match self {
            Self::Join => {
                app.type_text("/join https://join.example/abc");
                app.press("enter");
            }
            Self::Paste => app.press("ctrl-v"),
        }
    }

    fn come(self, app: &mut App) {
        match self {
            Self::Join => app.answer(Response::Resolved(Ok(group()))),
            Self::Paste => {
                app.input(Input::Outcome(Outcome::Pasted(Ok("pasted\n".repeat(30)))));
            }
        }
        app.layout();
    }

    fn text(self) -> &'static str {
        match self {
            Self::Join => "Join a group?",
            Self::Paste => "Paste 30 lines",
        }
    }

    /// Whether it was answered with yes since the last call.
    fn is_answered(self, app: &mut App) -> bool {
        match self {
            Self::Join => app.requests().iter().any(|request| {
                matches!(
                    request,
                    Request::Thread { change: ThreadChange::Member(_, Role::User), .. }
                )
            }),
            Self::Paste => app.open_chat().composer.text().contains("pasted"),
        }
    }
}

#[test]
fn a_question_that_was_waited_for_opens_by_itself_and_takes_the_answer() {
    for question in Question::ALL {
        let mut app = direct("joe").opened();
        question.ask(&mut app);
        question.come(&mut app);
        app.expect_none(question.text());
        app.pass(PAUSE);
        app.expect(question.text());
        app.press("y");
        assert!(question.is_answered(&mut app), "{question:?}");
    }
}

#[test]
fn after_a_key_a_question_opens_only_on_request() {
    for question in Question::ALL {
        let mut app = direct("joe").opened();
        question.ask(&mut app);
        app.type_text("so ");
        question.come(&mut app);
        app.pass(Duration::from_secs(60));
        app.expect("Alt-Q opens the question");
        app.type_text("yes");
        app.expect("› so yes");
        assert!(!question.is_answered(&mut app), "{question:?}");
        app.press("alt-q");
        app.expect("n or Esc: no");
        app.press("y");
        assert!(question.is_answered(&mut app), "{question:?}");
        assert!(app.open_chat().composer.text().starts_with("so yes"), "{question:?}");
        app.press("alt-q");
        app.expect("No question is waiting");
    }
}

#[test]
fn a_key_right_after_a_question_came_is_typed_and_answers_nothing() {
    for question in Question::ALL {
        let mut app = direct("joe").opened();
        question.ask(&mut app);
        question.come(&mut app);
        app.pass(Duration::from_millis(400));
        app.type_text("y");
        app.pass(Duration::from_secs(60));
        app.expect("› y");
        app.expect("Alt-Q opens the question");
        assert!(!question.is_answered(&mut app), "{question:?}");
    }
}

#[test]
fn questions_wait_behind_a_dialog_and_behind_each_other() {
    let mut app = direct("joe").opened();
    Question::Paste.ask(&mut app);
    Question::Join.ask(&mut app);
    app.press("f1");
    Question::Join.come(&mut app);
    app.press("esc");
    Question::Paste.come(&mut app);
    app.pass(PAUSE);
    app.press("alt-q");
    app.expect("Join a group?");
    app.press("n alt-q");
    app.expect("Paste 30 lines");
    app.press("y");
    assert!(Question::Paste.is_answered(&mut app));
}

#[test]
fn details_of_a_message_do_not_open_over_what_is_being_typed() {
    let mut app = direct("joe").message("joe", "hi").opened();
    app.press("ctrl-up v");
    app.answer(Response::Source(MessageSource::default()));
    app.expect("Message details");
    app.press("esc ctrl-up v");
    app.type_text("zest");
    app.answer(Response::Source(MessageSource::default()));
    app.expect_none("Message details");
    app.type_text("!");
    app.expect("› zest!");
}

#[test]
fn a_group_that_was_made_or_joined_does_not_take_the_text_that_is_being_typed() {
    for typed in ["", "for Joe"] {
        let mut app = direct("joe").opened();
        app.press("ctrl-x g enter");
        app.type_text("mia");
        app.press("enter");
        app.type_text(typed);
        app.answer(Response::Created(Ok(group())));
        app.layout();
        app.type_text("!");
        let opened = app.open_chat().info.id != ConversationId::new("8:joe.4");
        assert_eq!(opened, typed.is_empty());
        if !typed.is_empty() {
            app.expect("To Joe Bloggs › for Joe!");
        }
    }
    let mut app = direct("joe").opened();
    Question::Join.ask(&mut app);
    Question::Join.come(&mut app);
    app.pass(PAUSE);
    app.press("y");
    app.type_text("hello");
    app.answer(Response::Done(Ok(())));
    app.expect("You joined the group; Ctrl-K finds it");
    app.expect("To Joe Bloggs › hello");
}

#[test]
fn what_the_clipboard_held_goes_where_it_was_asked_for_and_nowhere_else() {
    let pasted = |text: &str| Input::Outcome(Outcome::Pasted(Ok(text.to_owned())));
    let mut app = chat("Team").opened();
    app.press("ctrl-v");
    app.input(pasted("for the team"));
    app.expect("› for the team");
    app.press("ctrl-u ctrl-u ctrl-v");
    let mut app = app.with_direct("joe").opened();
    app.input(pasted("for the team"));
    app.expect("Not pasted: another chat is open now");
    app.expect_none("› for the team");
    // In a dialog, pasted text goes into its input line.
    app.press("ctrl-k ctrl-v");
    app.input(pasted("mia"));
    app.layout();
    app.expect("› mia");
    app.press("esc");
    assert_eq!(app.open_chat().composer.text(), "");
    // An answer that is not waited for is ignored.
    app.input(pasted("twice"));
    assert_eq!(app.open_chat().composer.text(), "");
}

proptest! {
    #[test]
    fn whatever_is_typed_around_a_question_is_in_the_box_and_answers_nothing(
        question in prop_oneof![Just(Question::Join), Just(Question::Paste)],
        // Letters, each with the milliseconds before it; the question comes after the first one at the earliest.
        typed in proptest::collection::vec(("[yYnN a-z]", 0u64..3_000), 1..12),
        at in 0usize..12,
    ) {
        let mut app = direct("joe").opened();
        question.ask(&mut app);
        let come = at % typed.len();
        for (i, (letter, after)) in typed.iter().enumerate() {
            app.pass(Duration::from_millis(*after));
            app.type_text(letter);
            if i == come {
                question.come(&mut app);
            }
            app.layout();
        }
        let text: String = typed.iter().map(|(letter, _)| letter.as_str()).collect();
        prop_assert_eq!(app.open_chat().composer.text(), text);
        prop_assert!(!question.is_answered(&mut app));
        prop_assert!(!app.effects().contains(&Effect::Quit));
        app.press("alt-q y");
        prop_assert!(question.is_answered(&mut app));
    }
}
