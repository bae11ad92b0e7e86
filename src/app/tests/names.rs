//! People who share a name are told apart, and a mention goes to the one who was chosen.

use crate::fixture::{App, chat, message, person, text};
use crate::model::{
    Attribution, Block, ConversationId, Delta, Mention, MessageBody, MessageSource, NameSource,
    Placement, Reaction, Request, Response, RichText, Role, SafeText, UserId,
};

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

/// The people mentioned in messages sent since the last call.
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
    // Joe is the only one with his name.
    app.press("ctrl-u");
    app.type_text("@Joe Bloggs hi");
    app.press("enter");
    assert_eq!(mentioned(&mut app), [("Joe Bloggs".to_owned(), person("joe").as_str().to_owned())]);
}

#[test]
fn who_reacted_and_who_has_read_it_is_told_apart_too() {
    let mut app = bobs();
    let mut said = message("anna", 1, text("who comes?"));
    let users = BOBS.map(UserId::new).to_vec();
    said.reactions = vec![Reaction { key: "yes".into(), users }];
    let read_receipts = BOBS.iter().map(|bob| (UserId::new(*bob), said.at)).collect();
    app.messages(vec![said], Placement::Newest);
    let conversation = ConversationId::new("19:team@thread.skype");
    app.delta(Delta::ReadReceipts { conversation, read_receipts });
    app.press("ctrl-up");
    app.expect("read by 2");
    app.expect("Bob · bob.1, Bob · bob.2 ─");
    app.press("v");
    app.answer(Response::Source(MessageSource::default()));
    app.expect("yes: Bob · bob.1, Bob · bob.2");
    app.expect("read by      Bob · bob.1");
    app.expect("read by      Bob · bob.2");
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
    app.expect("Find a chat or a person");
}

#[test]
fn two_members_of_one_name_are_told_apart_where_they_write() {
    let mut app = bobs().sized(120, 40);
    app.say(BOBS[0], "one");
    app.say(BOBS[1], "two");
    let screen = app.expect("Bob · bob.2");
    assert!(screen.lines().any(|line| line.contains("Bob · bob") && !line.contains("bob.2")));
}

#[test]
fn a_person_who_writes_is_told_apart_from_one_who_left_or_is_elsewhere() {
    let mut app = bobs().sized(120, 40);
    named(&mut app, &[("8:gone", "BOB"), ("8:elsewhere", "Joe  Bloggs")]);
    app.say("8:gone", "I was here");
    app.say("joe", "so am I");
    app.expect("BOB · gone");
    app.expect("Joe Bloggs · joe.4");
}

#[test]
fn a_quote_says_which_of_two_people_is_quoted() {
    let mut app = bobs().sized(120, 40);
    app.say(BOBS[1], "one");
    app.press("up r");
    app.expect("replying to Bob · bob.2: one");
    let from = Attribution {
        name: "Bob".into(),
        author: Some(UserId::new(BOBS[0])),
        at: None,
        message: None,
        client_id: None,
        conversation: None,
    };
    let body = RichText::plain("said before").blocks;
    let rich = RichText { blocks: vec![Block::Quote { from: Some(Box::new(from)), body }] };
    app.messages(vec![message("joe", 50, MessageBody::Text(rich))], Placement::Event);
    app.expect("Bob · bob.1");
}

#[test]
fn what_someone_is_called_is_never_the_label_of_another() {
    let mut app = bobs().sized(120, 40);
    named(&mut app, &[("8:joe.4", "Bob · bob.2"), ("8:mia.tan", "You")]);
    app.say("joe", "send it to me");
    app.say("mia", "me too");
    app.expect("Bob · bob.2 · joe.4");
    app.expect("You · mia.tan");
    // The label means the person who has the id.
    app.type_text("@Bob · bob.2 hi");
    app.press("enter");
    assert_eq!(mentioned(&mut app), [("Bob".to_owned(), BOBS[1].to_owned())]);
}

#[test]
fn commands_take_the_label_that_lists_show_and_the_ids_of_people_without_a_name() {
    let mut app = chat("Team").members(&[
        ("anna", Role::Admin),
        (BOBS[0], Role::User),
        (BOBS[1], Role::User),
        ("8:nameless", Role::User),
    ]);
    named(&mut app, &[(BOBS[0], "Bob"), (BOBS[1], "BOB"), ("8:other", "nameless")]);
    let mut app = app.opened();
    app.type_text("/kick bob");
    app.press("enter");
    app.expect("Several people are called bob");
    for (said, asked) in [
        ("Bob · bob.2", "Remove BOB · bob.2 from the group?"),
        ("nameless", "Remove nameless · nameless from the group?"),
    ] {
        app.press("ctrl-u ctrl-u");
        app.type_text(&format!("/kick {said}"));
        app.press("enter");
        app.expect(asked);
        app.press("n");
    }
}

#[test]
fn a_search_by_a_label_asks_for_one_person_and_by_the_name_for_all_who_have_it() {
    let mut app = bobs();
    for (typed, expected) in
        [("from:\"Bob · bob.2\"", vec![BOBS[1]]), ("from:bob", vec![BOBS[0], BOBS[1]])]
    {
        app.press("ctrl-r");
        app.type_text(typed);
        let asked = app.requests().into_iter().filter_map(|request| match request {
            Request::Search { query, .. } => Some(query.from),
            _ => None,
        });
        let mut asked = asked.last().expect("a search");
        asked.sort();
        assert_eq!(asked.iter().map(UserId::as_str).collect::<Vec<_>>(), expected);
        app.press("esc");
    }
}

#[test]
fn a_search_for_a_name_finds_the_lines_of_the_system_about_that_person() {
    let mut app = bobs();
    app.press("ctrl-r");
    app.type_text("bob added");
    let asked = app.requests().into_iter().filter_map(|request| match request {
        Request::Search { query, .. } => Some(query),
        _ => None,
    });
    let mut query = asked.last().expect("a search");
    query.named.iter_mut().for_each(|people| people.sort());
    assert_eq!(query.terms, ["bob", "added"]);
    assert_eq!(query.named, [BOBS.map(UserId::new).to_vec(), Vec::new()]);
}

#[test]
fn someone_who_is_renamed_moves_nobody_else_under_the_mark() {
    let mut app = bobs();
    app.type_text("/members");
    app.press("enter");
    app.expect("Members of Team");
    app.press("down");
    // The list is sorted by name: with the new name, someone else has the row.
    named(&mut app, &[(BOBS[0], "Zoe")]);
    app.press("enter");
    app.expect_row("id", BOBS[0]);
    app.press("esc");
    app.delta(Delta::Names(vec![(
        UserId::new(BOBS[0]),
        NameSource::Member,
        SafeText::line("Joe Bloggs"),
    )]));
    app.press("enter");
    app.expect_row("id", BOBS[0]);
}

#[test]
fn a_long_name_leaves_room_for_the_id_that_tells_it_apart() {
    let mut app = App::new().with_direct(BOBS[0]).with_direct(BOBS[1]);
    let long = "Maximiliane Schwarzenberger-Lichtenstein";
    named(&mut app, &[(BOBS[0], long), (BOBS[1], long)]);
    app.press("alt-down");
    let screen = app.screen();
    assert!(screen.contains("… · bob.1") && screen.contains("… · bob.2"), "{screen}");
}
