//! The settings of the configuration file, changed on the screen.

use crate::app::effect::Effect;
use crate::fixture::{App, chat};
use crate::model::{
    AccountChange, ConfigChange, Delta, Fault, FaultKind, Request, Response, SafeText,
};

/// The changes that are to be written to the configuration file.
fn written(app: &mut App) -> Vec<(String, String)> {
    let set = app.effects().into_iter().filter_map(|effect| match effect {
        Effect::Request(outbound) => match outbound.request {
            Request::Accounts { change: AccountChange::Set { section, key, value }, .. } => {
                Some((format!("{section}.{key}"), value.unwrap_or_else(|| "unset".to_owned())))
            }
            _ => None,
        },
        _ => None,
    });
    set.collect()
}

fn one(name: &str, value: &str) -> Vec<(String, String)> {
    vec![(name.to_owned(), value.to_owned())]
}

#[test]
fn a_switch_counts_at_once_and_is_written() {
    let mut app = chat("Team").opened();
    app.press("f10");
    app.expect_row("ui.typing", "off");
    app.type_text("ui.mouse");
    app.expect_row("ui.mouse", "on");
    app.press("enter");
    assert!(!app.model.app.prefs.choices.ui.mouse);
    let effects = app.effects();
    assert!(effects.contains(&Effect::Mouse(false)), "{effects:?}");
    app.expect_row("ui.mouse", "off");
    app.expect("default: on");
    app.press("enter");
    assert_eq!(written(&mut app), one("ui.mouse", "true"));
    app.press("enter");
    app.answer(Response::Done(Ok(())));
    app.expect("ui.mouse is saved in your configuration");
    app.press("enter");
    app.answer(Response::Done(Err(Fault::new(FaultKind::Invalid, "config.toml:3: no"))));
    app.expect("ui.mouse is not saved in your configuration: config.toml:3: no");
}

#[test]
fn themes_are_chosen_from_a_list_and_the_marked_one_is_in_sight_until_then() {
    let mut app = chat("Team").opened();
    app.model.app.prefs.themes = ["default", "nord", "mine"].map(str::to_owned).to_vec();
    app.model.app.prefs.choices.ui.theme = "default".to_owned();
    let shown = |app: &App| app.model.app.prefs.choices.ui.theme.clone();
    app.press("f10");
    app.type_text("ui.theme");
    app.expect_row("ui.theme", "default");
    app.press("enter");
    for name in ["default", "nord", "mine"] {
        app.expect(name);
    }
    app.press("down");
    assert_eq!(shown(&app), "nord");
    app.press("esc");
    assert_eq!(shown(&app), "default", "nothing was chosen");
    assert_eq!(written(&mut app), []);
    app.press("enter down down enter");
    assert_eq!((shown(&app).as_str(), written(&mut app)), ("mine", one("ui.theme", "\"mine\"")));
    app.expect_row("ui.theme", "mine");
    // A value that is chosen already is not written again.
    app.press("enter enter");
    assert_eq!(written(&mut app), []);
}

#[test]
fn words_that_stand_in_the_name_and_in_the_description_are_found_together() {
    let mut app = chat("Team").opened();
    for words in
        ["list width", "width edge", "theme colours background", "quiet notifications hours"]
    {
        app.press("f10");
        app.type_text(words);
        app.expect_none("No setting with that name");
        app.press("esc");
    }
    // Letters that are scattered over a description do not match.
    app.press("f10");
    app.type_text("theme");
    app.expect("ui.theme");
    app.expect_none("Send the message");
}

#[test]
fn what_counts_from_the_next_start_says_so() {
    let mut app = chat("Team").opened();
    app.press("f10");
    app.type_text("ui.blink");
    app.expect("from the next start");
    app.press("enter");
    assert_eq!(written(&mut app), one("ui.blink", "true"));
    app.expect_row("ui.blink", "on");
    app.press("enter");
    app.answer(Response::Done(Ok(())));
    app.expect("it takes effect at the next start");
    app.expect_row("ui.blink", "off");
}

#[test]
fn typed_values_are_checked_before_anything_changes() {
    let mut app = chat("Team").opened();
    app.press("f10");
    app.type_text("quiet");
    app.press("enter");
    app.type_text("at night");
    app.press("enter");
    app.expect("Not changed: quiet_hours is \"at night\"");
    assert_eq!(written(&mut app), []);
    app.press("ctrl-u");
    app.type_text("22:00-7:00");
    app.press("enter");
    assert_eq!(written(&mut app), one("notifications.quiet_hours", "\"22:00-7:00\""));
    app.expect_row("notifications.quiet_hours", "22:00-07:00");
    app.press("ctrl-u");
    app.type_text("keywords");
    app.press("enter");
    app.type_text("deploy, \"Anna\"");
    app.press("enter");
    let words = one("notifications.keywords", "[\"deploy\", '\"Anna\"']");
    assert_eq!(written(&mut app), words);
}

#[test]
fn the_demo_and_read_only_runs_write_nothing() {
    for demo in [true, false] {
        let mut app = App::with_prefs(|prefs| {
            prefs.demo = demo;
            prefs.read_only = !demo;
        });
        app.press("f10");
        app.type_text("suggestions");
        app.press("enter");
        app.expect("Changed for this run");
        assert_eq!(written(&mut app), []);
        assert!(!app.model.app.prefs.choices.ui.suggestions);
    }
}

/// Opens the settings at the keys of an action, and asks for a key.
fn ask_for_key(app: &mut App, action: &str) {
    app.press("f10");
    app.type_text(&format!("keys.{action}"));
    app.press("enter");
    app.expect("Press the key that you want");
}

#[test]
fn a_key_that_is_pressed_is_bound_at_once_and_written() {
    let mut app = chat("Team").opened();
    ask_for_key(&mut app, "reply");
    app.expect("Its keys now: r");
    app.press("z");
    app.expect("remove");
    assert_eq!(written(&mut app), one("keys.reply", "[\"r\", \"z\"]"));
    app.say("joe", "hi");
    app.press("esc esc up z");
    app.expect("replying to Joe");
}

#[test]
fn every_key_can_be_pressed_for_it_and_escape_leaves() {
    let mut app = chat("Team").opened();
    for (key, wanted) in [
        ("f11", "\"f11\""),
        ("alt-w", "\"alt-w\""),
        ("alt-f", "Alt-F is also used for word-right. Press it again to use it for both"),
        ("enter", "Enter is also used for send, message-menu, list-open and 1 more"),
        ("shift-delete", "\"shift-delete\""),
        ("space", "would type a letter"),
        ("q", "would type a letter"),
        ("ctrl-q", "does this already"),
    ] {
        ask_for_key(&mut app, "quit");
        app.press(key);
        let values: String = written(&mut app).into_iter().map(|(_, value)| value).collect();
        assert!(values.contains(wanted) || app.screen().contains(wanted), "{key}: {values}");
        app.press("esc esc esc esc");
        assert!(!app.model.overlays.takes_keys());
    }
}

#[test]
fn a_key_that_is_taken_is_replaced_when_it_is_pressed_again() {
    let mut app = chat("Team").opened();
    ask_for_key(&mut app, "redraw");
    app.press("ctrl-t");
    app.expect("Ctrl-T is already bound to switcher. Press it again to replace it");
    assert_eq!(written(&mut app), []);
    // A different key asks again.
    app.press("ctrl-r");
    app.expect("Ctrl-R is already bound to search.");
    app.press("ctrl-t");
    app.expect("Ctrl-T is already bound to switcher.");
    app.press("ctrl-t");
    assert_eq!(written(&mut app), one("keys.redraw", "[\"ctrl-l\", \"ctrl-t\"]"));
    app.press("esc esc ctrl-k");
    app.expect("Find");
}

#[test]
fn two_keys_are_pressed_one_after_the_other() {
    let mut app = chat("Team").opened();
    ask_for_key(&mut app, "redraw");
    app.press("ctrl-x");
    app.expect("Ctrl-X and …");
    app.press("ctrl-l");
    assert_eq!(written(&mut app), one("keys.redraw", "[\"ctrl-l\", \"ctrl-x ctrl-l\"]"));
}

#[test]
fn a_key_of_the_users_own_moves_from_one_action_to_another() {
    let mut app = chat("Team").opened();
    ask_for_key(&mut app, "redraw");
    app.press("f11 esc");
    written(&mut app);
    app.press("ctrl-u");
    ask_again(&mut app, "resync");
    app.press("f11");
    app.expect("F11 is already bound to redraw");
    app.press("f11");
    let both = [one("keys.redraw", "[\"ctrl-l\"]"), one("keys.resync", "[\"f5\", \"f11\"]")];
    assert_eq!(written(&mut app), both.concat());
}

/// As [`ask_for_key`], with the settings already open.
fn ask_again(app: &mut App, action: &str) {
    app.type_text(&format!("keys.{action}"));
    app.press("enter");
    app.expect("Press the key that you want");
}

#[test]
fn keys_are_taken_away_and_come_back_from_the_preset() {
    let mut app = chat("Team").opened();
    ask_for_key(&mut app, "switcher");
    app.press("esc home enter");
    assert_eq!(written(&mut app), one("keys.switcher", "[\"ctrl-t\"]"));
    app.press("home enter");
    assert_eq!(written(&mut app), one("keys.switcher", "[]"));
    app.expect("Back to the keys of the preset");
    app.press("end enter");
    assert_eq!(written(&mut app), one("keys.switcher", "unset"));
}

/// The configuration file has changed on disk.
fn changed(app: &mut App, settings: &[(&str, toml::Value)], keys: Option<(&str, &str)>) {
    let settings = settings.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
    let keys = keys.map(|(name, key)| [(name.to_owned(), vec![key.to_owned()])].into());
    let change = ConfigChange { settings: settings.collect(), keys, ..ConfigChange::default() };
    app.delta(Delta::Configuration(Ok(change)));
    app.layout();
}

#[test]
fn what_changes_on_disk_counts_at_once_and_is_named() {
    let mut app = chat("Team").opened();
    let (off, vim) = (toml::Value::from(false), toml::Value::from("vim"));
    changed(&mut app, &[("ui.mouse", off), ("keys.preset", vim)], Some(("redraw", "f11")));
    app.expect("Read from your configuration: ui.mouse, keys.preset, keys");
    app.expect("INSERT");
    assert!(app.effects().contains(&Effect::Mouse(false)));
    assert_eq!(app.model.app.prefs.keymap.entry("redraw").unwrap().key(), "F11");
    assert_eq!(written(&mut app), [], "nothing is written back");
    app.press("esc esc");
    changed(&mut app, &[("ui.blink", toml::Value::from(true))], None);
    app.expect("from the next start: ui.blink");
}

#[test]
fn a_setting_changed_here_is_not_reported_when_it_is_read_back_from_disk() {
    let mut app = chat("Team").opened();
    app.press("f10");
    app.type_text("ui.mouse");
    app.press("enter esc");
    app.answer(Response::Done(Ok(())));
    app.pass(std::time::Duration::from_secs(20));
    changed(&mut app, &[("ui.mouse", toml::Value::from(false))], None);
    app.expect_none("configuration");
    assert!(!app.model.app.prefs.choices.ui.mouse);
}

#[test]
fn a_broken_file_changes_nothing_and_its_line_is_named() {
    let mut app = chat("Team").opened();
    app.delta(Delta::Configuration(Err(SafeText::line("config.toml:3: no"))));
    app.layout();
    app.expect("config.toml:3: no · the settings stay as they were");
    let settings = [("ui.mouse", toml::Value::from("maybe"))];
    changed(&mut app, &settings, Some(("quit", "z")));
    app.expect("expected a boolean");
    assert!(app.model.app.prefs.choices.ui.mouse);
    assert_eq!(app.model.app.prefs.keymap.entry("quit").unwrap().key(), "Ctrl-Q");
}

#[test]
fn the_settings_fit_any_size() {
    for (columns, rows) in [(20, 5), (40, 10), (80, 24), (120, 40)] {
        let mut app = chat("Team").opened().sized(columns, rows);
        app.press("f10 down pagedown up");
        app.screen();
        app.type_text("nosuchsetting");
        app.screen();
    }
}

#[test]
fn a_key_that_is_pressed_twice_has_both_meanings_and_the_last_key_of_an_action_is_written() {
    let mut app = chat("Team").opened();
    ask_for_key(&mut app, "redraw");
    app.press("enter");
    assert_eq!(written(&mut app), [], "out of habit");
    app.press("enter");
    assert_eq!(written(&mut app), one("keys.redraw", "[\"ctrl-l\", \"enter\"]"));
    app.press("esc esc esc");
    app.type_text("still sent");
    app.press("enter");
    app.expect("still sent");
    ask_for_key(&mut app, "inbox");
    app.press("f5 f5");
    let both = [one("keys.inbox", "[\"alt-n\", \"f5\"]"), one("keys.resync", "[]")];
    assert_eq!(written(&mut app), both.concat());
}

#[test]
fn a_file_that_is_read_while_a_change_is_being_written_does_not_undo_it() {
    let mut app = chat("Team").opened();
    app.press("f10");
    app.type_text("ui.mouse");
    app.press("enter");
    app.press("ctrl-u");
    ask_again(&mut app, "redraw");
    app.press("f11");
    let mut keys = std::collections::BTreeMap::new();
    keys.insert("inbox".to_owned(), vec!["f9".to_owned()]);
    let settings = vec![("ui.mouse".to_owned(), toml::Value::from(true))];
    let change = ConfigChange { settings, keys: Some(keys), ..ConfigChange::default() };
    app.delta(Delta::Configuration(Ok(change)));
    assert!(!app.model.app.prefs.choices.ui.mouse);
    let keymap = &app.model.app.prefs.keymap;
    assert_eq!(keymap.entry("redraw").unwrap().key_texts(), ["Ctrl-L", "F11"]);
    assert_eq!(keymap.entry("inbox").unwrap().key(), "F9", "what is new there counts");
}

#[test]
fn a_warning_does_not_hide_what_was_read_and_a_repaired_file_is_acknowledged() {
    let mut app = chat("Team").opened();
    let settings = vec![("ui.mouse".to_owned(), toml::Value::from(false))];
    let warning = Some(SafeText::line("line 3: unknown \"mose\""));
    let change = ConfigChange { settings, warning, ..ConfigChange::default() };
    app.delta(Delta::Configuration(Ok(change)));
    app.layout();
    app.expect("Read: ui.mouse · line 3: unknown \"mose\"");
    let change = ConfigChange { repaired: true, ..ConfigChange::default() };
    app.delta(Delta::Configuration(Ok(change)));
    app.layout();
    app.expect("Your configuration file is valid again");
}
