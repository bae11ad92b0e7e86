//! Code blocks and their syntax.

use crate::app::Input;
use crate::app::effect::{Effect, Outcome};
use crate::fixture::{App, direct, message, text};
use crate::model::code::CodeBlock;
use crate::model::{Block, MessageBody, Placement, Request, RichText, SyntaxRole};

fn with_code(mut app: App) -> App {
    let code = Block::Code { text: "fn main() {\n    1\n}".into(), language: Some("rust".into()) };
    let body = MessageBody::Text(RichText { blocks: vec![code] });
    app.messages(vec![message("joe", 1, body)], Placement::Event);
    app.opened()
}

fn asked(app: &mut App) -> Vec<CodeBlock> {
    app.layout();
    let asked = app.effects().into_iter().filter_map(|effect| match effect {
        Effect::Highlight(code) => Some(code),
        _ => None,
    });
    asked.collect()
}

fn style_of(app: &mut App, word: &str) -> ratatui::style::Style {
    let buffer = app.buffer();
    let rows = crate::fixture::rows_of(&buffer);
    let found = rows.iter().enumerate().find_map(|(y, row)| {
        let at = row.find(word)?;
        Some((row.get(..at)?.chars().count(), y))
    });
    let (x, y) = found.expect("the word is on the screen");
    buffer[(u16::try_from(x).unwrap(), u16::try_from(y).unwrap())].style()
}

#[test]
fn code_is_shown_at_once_and_its_syntax_when_it_is_known() {
    let mut app = with_code(direct("joe"));
    let asked_for = asked(&mut app);
    assert_eq!(asked_for.len(), 1);
    assert_eq!(&*asked_for[0].language, "rust");
    let before = style_of(&mut app, "fn main");
    let plain = app.screen();
    let parts = vec![(2, Some(SyntaxRole::Keyword))];
    app.input(Input::Outcome(Outcome::Highlighted { number: asked_for[0].number, parts }));
    assert_ne!(style_of(&mut app, "fn main"), before);
    assert_eq!(app.screen(), plain, "the text is the same");
    assert_eq!(asked(&mut app), []);
}

#[test]
fn a_late_answer_about_code_that_is_not_known_any_more_changes_nothing() {
    let mut app = with_code(direct("joe"));
    let before = app.buffer();
    app.input(Input::Outcome(Outcome::Highlighted { number: 99, parts: vec![(500, None)] }));
    assert_eq!(app.buffer(), before);
}

#[test]
fn without_the_setting_no_syntax_is_asked_for() {
    let app = App::with_prefs(|prefs| prefs.choices.ui.highlight_code = false);
    let mut app = with_code(app.with_direct("joe"));
    assert_eq!(asked(&mut app), []);
    app.expect("fn main() {");
}

#[test]
fn a_typed_fence_becomes_a_code_block_with_its_language() {
    let mut app = direct("joe").message("joe", "show me").opened();
    app.paste("look:\n```rust\nlet *a* = 1;\n```\nbye");
    app.press("enter");
    let effects = app.effects();
    let asked = effects.iter().filter(|effect| matches!(effect, Effect::Highlight(_))).count();
    assert_eq!(asked, 1);
    let sent = effects.into_iter().find_map(|effect| match effect {
        Effect::Request(outbound) => match outbound.request {
            Request::Send { outgoing, .. } => Some(outgoing.text),
            _ => None,
        },
        _ => None,
    });
    assert!(sent.is_some_and(|sent| sent.contains("```rust")));
    let screen = app.expect("let *a* = 1;");
    assert!(!screen.contains("```"), "{screen}");
    app.messages(vec![message("joe", 9, text("```rust"))], Placement::Event);
    app.expect("```rust");
}
