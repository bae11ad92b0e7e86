//! Which messages cause notifications, with which text, and how often.

use crate::app::effect::{Alert, Effect, Notification};
use crate::app::{Input, Prefs};
use crate::fixture::{App, chat, message, text};
use crate::model::{
    Arrival, ChatChoices, Delta, DesktopWay, NotificationDetail, NotifyAbout, Placement,
    ReadMarker, Request, ThreadChange, ThreadFlag, Timestamp, Unread,
};
use std::time::Duration;

/// Longer than the time for which messages are collected.
const SOON: Duration = Duration::from_millis(500);
const BURST_OVER: Duration = Duration::from_secs(30);

/// A group that is not open, beside an open chat with Joe.
fn team(change: impl FnOnce(&mut Prefs)) -> App {
    let mut app = App::with_prefs(change).with_direct("joe").opened().with_group("Team");
    app.say("joe", "the first one");
    app.effects();
    app.pass(BURST_OVER);
    app.effects();
    app
}

fn plain() -> App {
    team(|_| {})
}

/// An open group, in which nothing was said for a while.
fn in_sight() -> App {
    let mut app = chat("Team").message("joe", "first").opened();
    app.pass(BURST_OVER);
    app.effects();
    app
}

/// The notifications since the last call, after a moment.
fn notified(app: &mut App) -> Vec<(String, String)> {
    app.pass(SOON);
    let new = app.effects().into_iter().filter_map(|effect| match effect {
        Effect::Alert(Alert::Notify(Notification { title, text, .. })) => {
            Some((title.to_string(), text.to_string()))
        }
        _ => None,
    });
    new.collect()
}

fn one(title: &str, text: &str) -> Vec<(String, String)> {
    vec![(title.to_owned(), text.to_owned())]
}

fn mention(app: &mut App, n: i64, words: &str) {
    let mut mention = message("mia", n, text(words));
    mention.mentions_me = true;
    app.messages(vec![mention], Placement::Event);
}

#[test]
fn a_burst_is_notified_about_once_and_a_mention_in_it_again() {
    let mut app = plain();
    app.say("joe", "one");
    app.say("joe", "two");
    assert_eq!(notified(&mut app), one("Team", "2 new messages"));
    app.say("joe", "three");
    assert_eq!(notified(&mut app), []);
    mention(&mut app, 50, "@Anna?");
    assert_eq!(notified(&mut app), one("Team", "New message · for you"));
    mention(&mut app, 51, "@Anna!");
    assert_eq!(notified(&mut app), []);
    app.pass(BURST_OVER);
    mention(&mut app, 52, "later");
    assert_eq!(notified(&mut app), one("Team", "New message · for you"));
}

#[test]
fn a_burst_that_never_ends_is_notified_about_every_few_minutes() {
    let mut app = plain();
    let mut count = 0;
    for n in 0..60 {
        app.messages(vec![message("joe", 100 + n, text("on and on"))], Placement::Event);
        count += notified(&mut app).len();
        app.pass(Duration::from_secs(10));
    }
    assert_eq!(count, 3, "at once, after five minutes and after ten");
}

#[test]
fn the_chat_in_sight_is_not_notified_about_until_the_user_looks_elsewhere() {
    let mut app = in_sight();
    app.press("a");
    app.say("joe", "in sight");
    assert_eq!(notified(&mut app), []);
    app.input(Input::Focus(false));
    app.say("joe", "out of sight");
    assert_eq!(notified(&mut app), one("Team", "New message"));
    app.pass(BURST_OVER);
    app.say("joe", "just before the window is in front again");
    app.input(Input::Focus(true));
    assert_eq!(notified(&mut app), []);
}

#[test]
fn on_a_terminal_without_focus_reports_an_idle_user_counts_as_away() {
    let mut app = in_sight();
    app.press("a");
    app.pass(Duration::from_secs(100));
    app.say("joe", "still looking");
    assert_eq!(notified(&mut app), []);
    app.pass(Duration::from_secs(100));
    app.say("joe", "gone");
    assert_eq!(notified(&mut app), one("Team", "New message"));
    // A terminal that reports the focus is trusted.
    app.input(Input::Focus(true));
    app.pass(Duration::from_secs(600));
    app.say("joe", "looked at");
    assert_eq!(notified(&mut app), []);
}

#[test]
fn only_live_messages_of_others_that_are_new_are_notified_about() {
    let mut app = plain();
    for arrival in [Arrival::CatchUp, Arrival::History] {
        app.arrive(vec![message("joe", 60, text("missed"))], Placement::Event, arrival);
    }
    app.say("anna", "my own, from the phone");
    let mut reacted = message("joe", 10, text("old"));
    reacted.version += 1;
    let mut edited = message("joe", 11, text("old"));
    edited.edited = Some(Timestamp(1));
    app.messages(vec![reacted, edited], Placement::Event);
    assert_eq!(notified(&mut app), []);
    let again = message("joe", 70, text("twice"));
    app.messages(vec![again.clone()], Placement::Event);
    assert_eq!(notified(&mut app).len(), 1);
    app.pass(BURST_OVER);
    app.messages(vec![again], Placement::Event);
    assert_eq!(notified(&mut app), []);
}

#[test]
fn what_is_read_elsewhere_meanwhile_is_not_notified_about_and_what_was_is_taken_back() {
    let mut app = plain();
    let conversation = app.model.app.accounts.chats().find(|c| c.info.is_group()).unwrap();
    let conversation = conversation.info.id.clone();
    let read = |app: &mut App| {
        let read_marker =
            ReadMarker { arrival: Timestamp(i64::MAX - 1), read_at: Timestamp(1), client_id: None };
        let (conversation, read_marker) = (conversation.clone(), Some(read_marker));
        app.delta(Delta::Unread { conversation, unread: Unread::default(), read_marker });
    };
    app.say("joe", "announced");
    assert_eq!(notified(&mut app).len(), 1);
    read(&mut app);
    let back: Vec<Effect> = app.effects();
    assert!(
        back.iter().any(|effect| matches!(effect, Effect::Alert(Alert::Withdraw(_)))),
        "{back:?}"
    );
    app.pass(BURST_OVER);
    read(&mut app);
    app.say("joe", "read on the phone already");
    assert_eq!(notified(&mut app), []);
    assert!(
        !app.effects().iter().any(|effect| matches!(effect, Effect::Alert(Alert::Withdraw(_))))
    );
}

#[test]
fn text_is_shown_only_when_asked_for_and_names_can_be_left_out() {
    let words = |show| {
        let mut app = team(|prefs| prefs.choices.notifications.show = show);
        app.say("joe", "one\nline\u{1b}]0;x\u{7}");
        notified(&mut app)
    };
    assert_eq!(words(NotificationDetail::Nothing), one("skchat", "New message"));
    assert_eq!(words(NotificationDetail::Name), one("Team", "New message"));
    let shown = words(NotificationDetail::Text);
    assert_eq!(shown[0].0, "Team");
    assert!(shown[0].1.starts_with("Joe: one line") && !shown[0].1.contains('\u{1b}'), "{shown:?}");
}

#[test]
fn several_chats_at_once_are_one_notification() {
    let mut app = plain().with_direct("mia");
    app.say("mia", "hello");
    let mut app = app.with_group("Other");
    app.say("joe", "hi");
    let new = notified(&mut app);
    assert_eq!(new.len(), 1);
    assert_eq!(new[0].0, "skchat");
    assert!(new[0].1.starts_with("2 new messages: "), "{new:?}");
    assert!(new[0].1.contains("Mia Tan") && new[0].1.contains("Other"), "{new:?}");
}

#[test]
fn a_chat_can_be_limited_to_mentions_and_keywords_or_silenced() {
    let mut app = team(|prefs| prefs.choices.notifications.keywords = vec!["lunch".into()]);
    app = app.opened();
    app.input(Input::Focus(false));
    app.press("ctrl-x n");
    app.expect("Notifications: Team");
    app.press("3");
    app.expect("Notifications here: mentions and keywords");
    let saved = app.requests().into_iter().find_map(|request| match request {
        Request::SaveChoices { choices, .. } => Some(choices),
        _ => None,
    });
    let mentions = ChatChoices { notify: Some(NotifyAbout::Mentions), ..ChatChoices::default() };
    assert_eq!(saved, Some(mentions));
    app.say("joe", "anything");
    assert_eq!(notified(&mut app), []);
    app.say("joe", "Lunch?");
    assert_eq!(notified(&mut app), one("Team", "New message · for you"));
    app.type_text("/notify nothing");
    app.press("enter");
    app.pass(BURST_OVER);
    mention(&mut app, 80, "@Anna");
    assert_eq!(notified(&mut app), []);
    app.type_text("/notify loud");
    app.press("enter");
    app.expect("Usage: /notify");
}

#[test]
fn a_chat_is_muted_for_a_while_and_speaks_again_by_itself() {
    let mut app = in_sight();
    app.input(Input::Focus(false));
    app.press("ctrl-x n 5");
    // The fixture's clock begins at 22:13 in UTC.
    app.expect("Muted until 23:13");
    app.expect("muted until 23:13");
    app.say("joe", "quiet");
    assert_eq!(notified(&mut app), []);
    app.press("ctrl-x n");
    app.expect("Unmute");
    app.press("esc");
    app.pass(Duration::from_secs(3600));
    app.expect_none("muted until");
    app.say("joe", "loud");
    assert_eq!(notified(&mut app), one("Team", "New message"));
    app.press("ctrl-x n 7");
    app.expect("Muted until tomorrow 08:00");
    app.requests();
    // The mute key ends temporary muting instead of muting for good.
    app.press("alt-m");
    app.expect("Alerts are on");
    let asked = app.requests();
    assert!(!asked.iter().any(|r| matches!(r, Request::Thread { .. })), "{asked:?}");
    app.say("joe", "muted at the last moment");
    app.press("ctrl-x n 8");
    let asked = app.requests();
    let alerts_off = |r: &Request| {
        matches!(r, Request::Thread { change: ThreadChange::Flag(ThreadFlag::Alerts, false), .. })
    };
    assert!(asked.iter().any(alerts_off), "{asked:?}");
}

#[test]
fn choices_of_an_earlier_run_are_there_again() {
    let mut app = plain();
    let group = app.model.app.accounts.chats().find(|c| c.info.is_group()).unwrap();
    let id = group.info.id.clone();
    let muted_until = Some(Timestamp(app.now.wall.0 + 5_000));
    app.delta(Delta::Choices(vec![(id, ChatChoices { muted_until, ..ChatChoices::default() })]));
    app.say("joe", "quiet");
    assert_eq!(notified(&mut app), []);
    app.pass(Duration::from_secs(5));
    app.say("joe", "loud");
    assert_eq!(notified(&mut app).len(), 1);
}

#[test]
fn quiet_hours_and_the_demo_are_silent() {
    let hours = |hours: &str| {
        let hours = hours.to_owned().try_into().unwrap();
        let mut app = team(|prefs| prefs.choices.notifications.quiet_hours = hours);
        app.say("joe", "hi");
        notified(&mut app).len()
    };
    assert_eq!((hours("22:00-07:00"), hours("07:00-22:00")), (0, 1));
    let demo = |on| {
        let mut app = team(|prefs| {
            prefs.demo = true;
            prefs.choices.notifications.demo = on;
        });
        app.say("mia", "hi");
        app.input(Input::Focus(false));
        app.pass(BURST_OVER);
        app.effects();
        app.say("mia", "hi");
        notified(&mut app).len()
    };
    assert_eq!((demo(false), demo(true)), (0, 1));
}

#[test]
fn a_notification_program_that_is_missing_is_complained_about_once() {
    let mut app = plain();
    let missing = || {
        Input::Outcome(crate::app::effect::Outcome::NotNotified { program: "no-such".to_owned() })
    };
    app.input(missing());
    app.expect("no-such cannot be started (notifications.command)");
    app.press("esc");
    app.input(missing());
    app.expect_none("no-such");
}

#[test]
fn without_a_notification_service_the_bell_rings_and_a_user_who_chose_it_is_told_once() {
    use crate::app::effect::Outcome;
    let missing = |has_rung| Input::Outcome(Outcome::NoNotificationService { has_rung });
    let rings = |app: &mut App| {
        app.effects().iter().filter(|effect| matches!(effect, Effect::Alert(Alert::Bell))).count()
    };
    let mut app = plain();
    for has_rung in [false, true, false] {
        app.input(missing(has_rung));
        app.expect_none("No notification service");
        assert_eq!(rings(&mut app), usize::from(!has_rung));
    }
    let mut app = team(|prefs| prefs.choices.notifications.desktop = DesktopWay::Dbus);
    app.input(missing(false));
    app.expect("No notification service answers on D-Bus (notifications.desktop)");
    assert_eq!(rings(&mut app), 1);
    app.press("esc");
    app.input(missing(false));
    app.expect_none("No notification service");
    assert_eq!(rings(&mut app), 1);
}

#[test]
fn all_notifications_about_a_chat_are_taken_back_when_it_is_read() {
    let mut app = plain();
    let conversation = app.model.app.accounts.chats().find(|c| c.info.is_group()).unwrap();
    let conversation = conversation.info.id.clone();
    for burst in 1..=2 {
        app.say("joe", "hi");
        assert_eq!(notified(&mut app).len(), 1, "burst {burst}");
        app.pass(BURST_OVER);
        app.effects();
    }
    let read_marker =
        ReadMarker { arrival: Timestamp(i64::MAX - 1), read_at: Timestamp(1), client_id: None };
    let read_marker = Some(read_marker);
    app.delta(Delta::Unread { conversation, unread: Unread::default(), read_marker });
    let back = app.effects().into_iter().filter_map(|effect| match effect {
        Effect::Alert(Alert::Withdraw(number)) => Some(number),
        _ => None,
    });
    // The first one is about the message sent before the test.
    assert_eq!(back.collect::<Vec<_>>(), [1, 2, 3]);
}
