//! Large pastes ask first, and keys that only some terminals send are listed only there.

use crate::app::Input;
use crate::fixture::direct;

#[test]
fn a_paste_of_many_lines_asks_and_a_small_one_does_not() {
    let lines: Vec<String> = (1..=21).map(|n| format!("row {n}")).collect();
    let mut app = direct("joe").opened();
    app.paste(&lines[..20].join("\n"));
    assert!(app.open_chat().composer.text().ends_with("row 20"));
    app.press("ctrl-u");
    let before = app.open_chat().composer.text().to_owned();
    app.paste(&lines.join("\n"));
    app.expect("Paste 21 lines (1 kB)?");
    assert_eq!(app.open_chat().composer.text(), before, "nothing is pasted yet");
    app.press("n");
    app.expect_none("Paste 21 lines");
    assert_eq!(app.open_chat().composer.text(), before);
    app.paste(&lines.join("\n"));
    app.press("y");
    assert!(app.open_chat().composer.text().ends_with("row 21"));
    app.press("alt-z");
    assert_eq!(app.open_chat().composer.text(), before, "one undo takes all of it back");
}

#[test]
fn a_paste_of_one_long_line_asks_for_its_size() {
    let mut app = direct("joe").opened();
    app.paste(&"x".repeat(10_000));
    assert_eq!(app.open_chat().composer.text().len(), 10_000);
    app.press("ctrl-u");
    app.paste(&"x".repeat(10_001));
    app.expect("Paste 1 line (11 kB)?");
}

#[test]
fn shift_enter_is_listed_only_where_the_terminal_sends_it() {
    let mut app = direct("joe").opened();
    let row = |app: &mut crate::fixture::App| {
        app.press("f1");
        let screen = app.screen();
        app.press("esc");
        screen.lines().find(|line| line.contains("Start a new line")).unwrap().to_owned()
    };
    let plain = row(&mut app);
    app.input(Input::EnhancedKeyboard);
    let enhanced = row(&mut app);
    let keys =
        |row: &str| row.split_once("new line").map(|(_, keys)| keys.split_whitespace().count());
    assert!(keys(&enhanced) > keys(&plain), "{plain}\n{enhanced}");
    let keymap = crate::app::keymap::builtin_keymap().unwrap();
    let newline = keymap.entry("newline").unwrap();
    assert_eq!(newline.keys.len(), 3);
    assert!(newline.all_keys(true).len() > newline.all_keys(false).len());
}
