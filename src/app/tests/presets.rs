//! The key presets: what is pressed with them, and the two modes of vim.

use crate::app::Prefs;
use crate::app::effect::Effect;
use crate::app::keymap::Context;
use crate::fixture::App;
use crate::model::{KeyPreset, Request};
use std::sync::Arc;

fn with_preset(preset: KeyPreset) -> App {
    App::with_prefs(|prefs| {
        prefs.choices.keys.preset = preset;
        let keymap = Prefs::keymap_of(&prefs.choices, &prefs.key_changes);
        prefs.keymap = Arc::new(keymap.unwrap());
    })
}

/// Vim keys, with twelve messages in an open group.
fn vim() -> App {
    let mut app = with_preset(KeyPreset::Vim).with_group("Team");
    for n in 1..=12 {
        app.say("joe", &format!("line {n}"));
    }
    app.opened()
}

fn draft(app: &App) -> String {
    app.model.app.opened().unwrap().composer.text().to_owned()
}

#[test]
fn vim_starts_in_insert_mode_and_escape_leaves_it() {
    let mut app = vim();
    app.expect(" INSERT ");
    app.type_text("jkG:");
    assert_eq!(draft(&app), "jkG:");
    app.press("esc");
    app.expect(" NORMAL ");
    app.press("x q");
    app.expect("No action is bound to q");
    assert_eq!(draft(&app), "jkG:", "letters are keys");
    app.press("a !");
    app.expect(" INSERT ");
    assert_eq!(draft(&app), "jkG:!");
    app.press("esc I >");
    assert_eq!(draft(&app), ">jkG:!");
    app.press("esc A .");
    assert_eq!(draft(&app), ">jkG:!.");
    app.press("esc u D");
    assert_eq!(app.model.context(), Context::Normal);
}

#[test]
fn words_of_the_box_are_moved_over_and_deleted_in_normal_mode() {
    let mut app = vim();
    app.type_text("one two-three four");
    app.press("esc");
    let cursor = |app: &App| app.open_chat().composer.draft.cursor;
    app.press("0 w");
    assert_eq!(cursor(&app), 4);
    app.press("w w");
    assert_eq!(cursor(&app), 14);
    app.press("b b e");
    assert_eq!(cursor(&app), 7);
    assert!(app.model.view.visible.compose.shows_cursor, "or nobody sees where x deletes");
    app.press("0 x d w");
    assert_eq!(draft(&app), "two-three four");
    app.press("$ d b");
    assert_eq!(draft(&app), "two-three ");
    app.press("0 d $");
    assert_eq!(draft(&app), "");
    app.press("u 0 d e p");
    assert_eq!(draft(&app), "two-three ");
    app.press("A ctrl-j b esc d d");
    assert_eq!(draft(&app), "two-three ");
    app.press("d d d d");
    assert_eq!((draft(&app).as_str(), app.model.context()), ("", Context::Normal));
    // While the box does not have the focus, nothing in it is deleted.
    app.press("i");
    app.type_text("kept");
    app.press("esc 0 k x D p");
    assert_eq!(app.model.context(), Context::Selection);
    assert_eq!(draft(&app), "kept");
}

#[test]
fn in_normal_mode_letters_move_through_the_messages() {
    let mut app = vim();
    app.press("esc k k");
    assert_eq!(app.model.context(), Context::Selection);
    app.expect("NORMAL");
    app.press("j j j");
    assert_eq!(app.model.context(), Context::Normal, "below the last message, none is selected");
    for keys in ["g g", "ctrl-d", "ctrl-u", "ctrl-f", "ctrl-b", "ctrl-e", "ctrl-y", "G", "k g g"] {
        app.press(keys);
        app.expect("NORMAL");
    }
    app.press("esc");
    assert_eq!(draft(&app), "");
}

#[test]
fn half_a_page_is_half_of_what_a_page_is() {
    let mut app = vim();
    for n in 13..=80 {
        app.say("joe", &format!("line {n}"));
    }
    let top = |app: &mut App| {
        let screen = app.screen();
        let line = screen.lines().find_map(|line| line.split_once("line ")).unwrap().1.to_owned();
        let number: String = line.chars().take_while(char::is_ascii_digit).collect();
        number.parse::<i32>().unwrap()
    };
    app.press("esc");
    let end = top(&mut app);
    app.press("ctrl-u");
    let half = end - top(&mut app);
    app.press("G ctrl-b");
    let page = end - top(&mut app);
    assert!(half > 2 && (page - 2 * half).abs() <= 2, "half {half}, page {page}");
    app.press("ctrl-d ctrl-d");
    assert_eq!(top(&mut app), end);
}

#[test]
fn the_dialogs_of_normal_mode_take_letters_as_text() {
    let mut app = vim();
    app.press("esc :");
    app.expect("All actions");
    app.type_text("jog");
    app.press("esc");
    app.expect(" NORMAL ");
    app.press("/");
    app.type_text("line");
    app.press("esc");
    app.expect(" NORMAL ");
    app.press("?");
    app.expect("In NORMAL mode");
}

#[test]
fn a_reply_and_a_paste_are_written_in_insert_mode() {
    let mut app = vim();
    app.press("esc k r");
    app.expect(" INSERT ");
    app.type_text("yes");
    assert_eq!(draft(&app), "yes");
    app.press("esc");
    app.expect("replying to Joe");
    app.expect(" NORMAL ");
    app.paste(" indeed");
    app.expect(" INSERT ");
    assert_eq!(draft(&app), "yes indeed");
}

#[test]
fn from_the_list_one_writes_again_with_the_same_letter() {
    let mut app = vim();
    app.press("esc h");
    assert_eq!(app.model.context(), Context::List);
    app.press("j k esc");
    assert_eq!(app.model.context(), Context::Normal);
    app.press("h i w");
    assert_eq!(draft(&app), "w");
}

#[test]
fn no_letter_of_normal_mode_sends_anything_to_others() {
    for c in '!'..='~' {
        for from in ["esc", "esc k", "esc h"] {
            let mut app = vim();
            app.say("anna", "mine");
            app.press(from);
            app.effects();
            app.type_text(&c.to_string());
            app.pass(std::time::Duration::from_secs(1));
            let changes: Vec<Effect> = app.effects().into_iter().filter(is_for_others).collect();
            assert_eq!(changes, [], "{from} {c}");
        }
    }
}

/// Whether the effect is a request whose result others can see.
fn is_for_others(effect: &Effect) -> bool {
    let Effect::Request(outbound) = effect else { return false };
    matches!(
        outbound.request,
        Request::Send { .. }
            | Request::Resend { .. }
            | Request::Change { .. }
            | Request::Thread { .. }
            | Request::Create { .. }
    )
}

#[test]
fn the_mode_is_in_sight_at_every_size() {
    for (columns, rows) in [(20, 5), (40, 10), (60, 15), (80, 24), (120, 40)] {
        let mut app = vim().sized(columns, rows);
        app.expect("INSERT");
        app.press("esc");
        app.expect("NORMAL");
        app.press("k");
        app.expect("NORMAL");
    }
}

#[test]
fn readline_recalls_what_was_sent_and_kills_to_the_end() {
    let mut app = with_preset(KeyPreset::Readline).with_direct("joe").opened();
    app.type_text("first");
    app.press("enter");
    app.type_text("half");
    app.press("ctrl-p");
    assert_eq!(draft(&app), "first");
    app.press("ctrl-n");
    assert_eq!(draft(&app), "half");
    app.press("ctrl-a ctrl-f ctrl-k");
    assert_eq!(draft(&app), "h");
    app.press("ctrl-y");
    assert_eq!(draft(&app), "half");
    assert!(!app.screen().contains("INSERT"), "it has no modes");
}

#[test]
fn a_preset_chosen_in_the_settings_counts_at_once() {
    let mut app = App::new().with_group("Team").message("joe", "hi").opened();
    app.press("f10");
    app.type_text("keys.preset");
    app.expect_row("keys.preset", "default");
    app.press("enter enter");
    app.expect_row("keys.preset", "vim");
    app.press("esc");
    app.expect(" INSERT ");
    app.press("f1");
    app.press("end");
    app.expect("Current: \"vim\"");
}

#[test]
fn a_command_line_of_vim_quits_or_does_nothing() {
    for line in ["q", "q!", "wq", "x", "w"] {
        let mut app = vim();
        app.press("esc :");
        app.type_text(line);
        app.effects();
        app.press("enter");
        let quits = app.effects().iter().any(|effect| matches!(effect, Effect::Quit));
        assert_eq!(quits, line != "w", "{line}");
        assert_eq!(app.model.context(), if quits { Context::Normal } else { Context::Overlay });
    }
}

#[test]
fn the_first_and_the_last_message_are_selected_where_one_was() {
    let mut app = vim();
    let selected = |app: &App| app.model.app.opened().unwrap().selected().map(|m| m.key.at);
    app.press("esc k k g g");
    let first = app.model.app.opened().unwrap().timeline.first().unwrap().key.at;
    assert_eq!(selected(&app), Some(first));
    app.expect("line 1");
    app.press("G");
    let last = app.model.app.opened().unwrap().timeline.last().unwrap().key.at;
    assert_eq!(selected(&app), Some(last));
    app.press("esc g g");
    assert_eq!(selected(&app), None, "the view alone moves where nothing is selected");
}

#[test]
fn a_reply_or_an_edit_that_is_refused_stays_in_normal_mode() {
    let mut app = vim();
    app.press("esc k e");
    app.expect("Only your own messages can be edited");
    app.expect(" NORMAL ");
    assert_eq!(app.model.context(), Context::Selection);
    app.press("x");
    app.expect(" NORMAL ");
    app.say("anna", "mine");
    app.press("esc k e");
    app.expect(" INSERT ");
    assert_eq!(draft(&app), "mine");
}

#[test]
fn n_goes_from_hit_to_hit_of_the_last_search() {
    let mut app = vim();
    app.press("esc n");
    app.expect("There has been no search yet");
    app.press("/");
    app.type_text("line");
    let conversation = app.model.app.open.clone().unwrap().conversation;
    let messages: Vec<_> = app.model.app.opened().unwrap().timeline.iter().cloned().collect();
    let hits = messages.iter().rev().take(3).map(|message| {
        let (key, sender) = (message.key.clone(), message.sender.clone());
        crate::model::search::Hit::new(conversation.clone(), key, sender, "line", &[])
    });
    let found = crate::model::Findings { hits: hits.collect(), ..Default::default() };
    app.answer(crate::model::Response::Found(Ok(found)));
    app.press("enter");
    let selected = |app: &App| app.model.app.opened().unwrap().selected().unwrap().key.clone();
    let wanted = |n: usize| messages[messages.len() - n].key.clone();
    assert_eq!(selected(&app), wanted(1));
    app.press("n n");
    assert_eq!(selected(&app), wanted(3));
    app.expect("3 of 3 found: line");
    app.press("n");
    app.expect("No older match for \"line\"");
    app.press("N");
    assert_eq!(selected(&app), wanted(2));
}

#[test]
fn help_lists_the_keys_of_normal_mode_with_those_that_move_first() {
    let mut app = vim().sized(80, 40);
    app.press("esc f1");
    let screen = app.screen();
    let at = |text: &str| screen.find(text).unwrap_or_else(|| panic!("{text}:\n{screen}"));
    assert!(at("INSERT mode") < at("Select the message above"));
    assert!(at("Select the message above") < at("Scroll up half a page"));
    assert!(at("Go to the newest message") < at("Search in this chat"));
}
