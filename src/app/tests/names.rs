//! People of one name are told apart, and a mention goes to the one who was chosen.

use crate::fixture::{App, chat, person};
use crate::model::{Delta, Mention, NameSource, Request, Role, SafeText, UserId};

const BOBS: [&str; 2] = ["8:bob.1", "8:bob.2"];

fn named(app: &mut App, people: &[(&str, &str)]) {
    let names = people
        .iter()
        .map(|(id, name)| (UserId::new(*id), NameSource::Profile, SafeText::line(name)));
    app.delta(Delta::Names(names.collect()));
}

/// A group with two people called Bob.
fn bobs() -> App {
    let mut app = chat("Team").members(&[
        ("anna", Role::Admin),
        (BOBS[0], Role::User),
        (BOBS[1], Role::User),
        ("joe", Role::User),
    ]);
    named(&mut app, &[(BOBS[0], "Bob"), (BOBS[1], "Bob")]);
    app.opened()
}

/// Who is mentioned in what was sent since the last look.
fn mentioned(app: &mut App) -> Vec<(String, String)> {
    let sent = app.requests().into_iter().filter_map(|request| match request {
        Request::Send { outgoing, .. } => Some(outgoing.mentions),
        _ => None,
    });
    let pair = |m: Mention| (m.name.to_string(), m.id.as_str().to_owned());
    let mut mentioned: Vec<(String, String)> = sent.flatten().map(pair).collect();
    mentioned.dedup();
    mentioned
}

#[test]
fn a_mention_goes_to_the_person_who_was_chosen() {
    for (tabs, id) in [("tab", BOBS[0]), ("tab tab", BOBS[1])] {
        let mut app = bobs();
        app.type_text("@bo");
        app.press(tabs);
        app.type_text("hi");
        app.expect(&format!("@Bob · {} hi", UserId::new(id).bare()));
        app.press("enter");
        assert_eq!(mentioned(&mut app), [("Bob".to_owned(), id.to_owned())]);
        app.expect_none("· bob.2 hi");
    }
}

#[test]
fn a_name_that_several_have_is_asked_about_before_it_is_sent() {
    let mut app = bobs();
    app.type_text("@Bob, are you there?");
    app.press("enter");
    app.expect("Several people here are called Bob. Send it without a mention?");
    assert_eq!(mentioned(&mut app), []);
    app.press("n");
    app.expect("› @Bob, are you there?");
    // Joe is the only one of his name.
    app.press("ctrl-u");
    app.type_text("@Joe Bloggs hi");
    app.press("enter");
    assert_eq!(mentioned(&mut app), [("Joe Bloggs".to_owned(), person("joe").as_str().to_owned())]);
}

#[test]
fn a_name_that_begins_a_longer_one_can_be_chosen_whatever_follows_it() {
    let mut app = chat("Team").members(&[
        ("anna", Role::Admin),
        (BOBS[0], Role::User),
        (BOBS[1], Role::User),
    ]);
    named(&mut app, &[(BOBS[0], "Bob"), (BOBS[1], "Bob Smith")]);
    let mut app = app.opened();
    app.type_text("@bo");
    app.press("tab");
    app.type_text("Smith is a name");
    app.press("enter");
    assert_eq!(mentioned(&mut app), [("Bob".to_owned(), BOBS[0].to_owned())]);
    app.type_text("@Bob hi, @Bob Smith too");
    app.press("enter");
    let ids: Vec<String> = mentioned(&mut app).into_iter().map(|(_, id)| id).collect();
    assert!(ids.contains(&BOBS[0].to_owned()) && ids.contains(&BOBS[1].to_owned()), "{ids:?}");
}

#[test]
fn lists_tell_people_of_one_name_apart() {
    let mut app = App::new().with_direct(BOBS[0]).with_direct(BOBS[1]);
    named(&mut app, &[(BOBS[0], "Bob")]);
    app.press("alt-down");
    app.expect_none("Bob ·");
    named(&mut app, &[(BOBS[1], "Bob")]);
    let screen = app.expect("Bob · bob.2");
    assert!(screen.contains("Bob · bob.1"), "{screen}");
    app.expect("To Bob · bob.1");
    app.press("ctrl-k");
    app.type_text("bob");
    app.expect("Bob · bob.2");
    app.press("esc");
    app.type_text("/open Bob");
    app.press("enter");
    app.expect("Find a conversation or a person");
}

#[test]
fn two_members_of_one_name_are_told_apart_where_they_write() {
    let mut app = bobs().sized(120, 40);
    app.say(BOBS[0], "one");
    app.say(BOBS[1], "two");
    let screen = app.expect("Bob · bob.2");
    assert!(screen.lines().any(|line| line.contains("Bob · bob") && !line.contains("bob.2")));
}
