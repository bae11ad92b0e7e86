//! Presence: in the list, in the header, and in words; and whose presence is requested.

use crate::fixture::{App, chat, direct, person};
use crate::model::{
    Availability, ConnectionState, Delta, PersonPresence, Request, SafeText, Timestamp, UserId,
};
use std::time::Duration;

fn presence(availability: Availability, activity: &str) -> PersonPresence {
    PersonPresence {
        availability: Some(availability),
        activity: SafeText::line(activity),
        ..PersonPresence::default()
    }
}

fn says(app: &mut App, people: &[(&str, PersonPresence)]) {
    let people = people.iter().map(|(name, presence)| (person(name), presence.clone()));
    app.delta(Delta::Presence(people.collect()));
    app.layout();
}

fn in_sight(app: &mut App) -> Vec<Vec<UserId>> {
    let requests = app.requests().into_iter();
    requests
        .filter_map(|request| match request {
            Request::InSight { people } => Some(people),
            _ => None,
        })
        .collect()
}

#[test]
fn the_symbol_is_beside_the_name_in_the_list_and_with_words_in_the_header() {
    let mut app = direct("joe").message("joe", "hi").opened();
    says(&mut app, &[("joe", presence(Availability::Away, "back soon"))]);
    app.expect("Joe Bloggs ◐");
    app.expect("away, back soon");
    says(&mut app, &[("joe", presence(Availability::Available, ""))]);
    app.expect("Joe Bloggs ●");
    app.expect_none("away");
}

#[test]
fn every_availability_has_a_sign_of_its_own_without_colours() {
    let all = [
        Availability::Available,
        Availability::Away,
        Availability::Busy,
        Availability::DoNotDisturb,
        Availability::Offline,
    ];
    let mut seen: Vec<String> = Vec::new();
    for availability in all {
        let mut app = direct("joe").message("joe", "hi").opened();
        says(&mut app, &[("joe", presence(availability, ""))]);
        let screen = app.screen();
        assert!(screen.contains(availability.words()), "{screen}");
        assert!(!seen.contains(&screen), "{availability:?} looks like another one");
        seen.push(screen);
    }
}

#[test]
fn what_is_unknown_or_was_known_before_the_connection_was_lost_is_not_shown() {
    let mut app = direct("joe").message("joe", "hi").opened();
    let without = app.screen();
    says(&mut app, &[("mia", presence(Availability::Available, ""))]);
    assert_eq!(app.screen(), without, "nothing is known of Joe");
    says(&mut app, &[("joe", PersonPresence::default())]);
    assert_eq!(app.screen(), without);
    says(&mut app, &[("joe", presence(Availability::Busy, ""))]);
    app.expect("Joe Bloggs ◆");
    app.delta(Delta::Connection(ConnectionState::Connecting));
    app.expect_none("◆");
    app.delta(Delta::Connection(ConnectionState::Online));
    app.expect("Joe Bloggs ◆");
}

#[test]
fn the_note_and_the_last_activity_are_in_the_details() {
    let mut app = direct("joe").message("joe", "hi").opened();
    let joe = PersonPresence {
        note: SafeText::line("on a train"),
        note_until: Some(Timestamp(app.now.wall.0 + 600_000)),
        last_active: Some(Timestamp(app.now.wall.0 - 60_000)),
        ..presence(Availability::Away, "")
    };
    says(&mut app, &[("joe", joe)]);
    app.press("alt-i");
    app.expect("Presence");
    app.expect("◐ away");
    app.expect("on a train");
    app.expect("Last active");
    // A note disappears when it expires.
    app.pass(Duration::from_secs(601));
    app.expect_none("on a train");
}

#[test]
fn a_member_of_a_group_has_it_on_the_card() {
    let mut app = chat("Team").message("joe", "hi").opened();
    says(&mut app, &[("joe", presence(Availability::DoNotDisturb, "presenting"))]);
    app.press("alt-i m");
    app.type_text("joe");
    app.press("enter");
    app.expect("■ do not disturb, presenting");
}

#[test]
fn only_visible_people_are_asked_about_and_each_change_is_reported_once() {
    let mut app = direct("joe").with_group("Team").message("mia", "hi");
    app.layout();
    assert_eq!(in_sight(&mut app), Vec::<Vec<UserId>>::new(), "nobody offers it");
    app.delta(Delta::Presence(Vec::new()));
    app.layout();
    assert_eq!(in_sight(&mut app), [vec![person("joe")]], "the group is not open");
    let mut app = app.opened();
    app.layout();
    assert_eq!(in_sight(&mut app), [vec![person("joe"), person("mia")]]);
    app.layout();
    app.press("x");
    assert_eq!(in_sight(&mut app), Vec::<Vec<UserId>>::new(), "nothing changed");
}
