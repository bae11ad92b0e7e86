//! The settings of the configuration file, changed on the screen.

use crate::app::effect::Effect;
use crate::fixture::{App, chat};
use crate::model::{AccountChange, Fault, FaultKind, Request, Response};

/// What is to be written to the configuration file.
fn written(app: &mut App) -> Vec<(String, String)> {
    let set = app.effects().into_iter().filter_map(|effect| match effect {
        Effect::Request(outbound) => match outbound.request {
            Request::Accounts { change: AccountChange::Set { section, key, value }, .. } => {
                Some((format!("{section}.{key}"), value))
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
    app.expect("default on");
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
    app.expect("it counts from the next start");
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
