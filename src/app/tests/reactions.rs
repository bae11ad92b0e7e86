//! Reactions: the requests to the server when one is chosen.

use crate::fixture::{App, chat, message, person, text};
use crate::model::request::Change;
use crate::model::{EmojiStyle, Placement, Reaction, Request, emoticon};

/// The reaction changes requested when the first one offered, 👍, is chosen for a message with these reactions.
fn asked(reactions: &[(&str, &[&str])]) -> Vec<(String, bool)> {
    let mut app = chat("Team").message("joe", "first").opened();
    let mut message = message("joe", 2, text("hi"));
    let reaction = |(key, who): &(&str, &[&str])| Reaction {
        key: (*key).into(),
        users: who.iter().map(|name| person(name)).collect(),
    };
    message.reactions = reactions.iter().map(reaction).collect();
    app.messages(vec![message], Placement::Newest);
    app.press("ctrl-up +");
    app.expect("React");
    app.requests();
    app.press("1");
    let change = |request| match request {
        Request::Change { change: Change::React { key, on }, .. } => Some((key, on)),
        _ => None,
    };
    app.requests().into_iter().filter_map(change).collect()
}

#[test]
fn the_same_picture_again_takes_every_own_key_of_it_back() {
    let gone = |key: &str| (key.to_owned(), false);
    for key in ["like", "1f44d_thumbsup", "yes-tone1", "yes", "1f44d-1f3fb_thumbsup"] {
        assert_eq!(asked(&[(key, &["anna"])]), [gone(key)], "{key}");
    }
    let both: [(&str, &[&str]); 2] = [("1f44d_thumbsup", &["joe", "anna"]), ("like", &["anna"])];
    assert_eq!(asked(&both), [gone("1f44d_thumbsup"), gone("like")]);
    let set = [("like".to_owned(), true)];
    assert_eq!(asked(&[]), set);
    // The reaction of someone else, and one with another picture.
    assert_eq!(asked(&[("1f44d_thumbsup", &["joe"]), ("heart", &["anna"])]), set);
}

/// The keys of the requested reactions.
fn reacted(app: &mut App) -> Vec<(String, bool)> {
    let change = |request| match request {
        Request::Change { change: Change::React { key, on }, .. } => Some((key, on)),
        _ => None,
    };
    app.requests().into_iter().filter_map(change).collect()
}

#[test]
fn any_emoji_is_found_by_its_name_and_the_last_used_come_first() {
    let mut app = chat("Team").message("joe", "first").opened();
    app.press("ctrl-up +");
    app.type_text("ferris");
    app.expect("🎡");
    app.press("enter");
    assert_eq!(reacted(&mut app), [("1f3a1_ferriswheel".to_owned(), true)]);
    app.press("ctrl-up +");
    app.expect_row("1 🎡", "ferriswheel");
    app.expect_row("2 👍", "like");
    app.press("2");
    assert_eq!(reacted(&mut app), [("like".to_owned(), true)]);
    app.press("ctrl-up +");
    app.expect_row("1 👍", "like");
    app.expect_row("2 🎡", "ferriswheel");
    // A digit in a name is typed once there is something in the input.
    app.type_text("x9");
    app.expect("› x9");
    app.press("ctrl-u");
    app.type_text("zzzzqq");
    app.expect("No emoji with that name.");
    app.press("enter esc");
    assert_eq!(reacted(&mut app), []);
}

#[test]
fn own_reactions_of_earlier_runs_are_offered_and_marked() {
    let mut app = chat("Team").message("joe", "first").opened();
    let mine = |key: &str| vec![Reaction { key: key.into(), users: vec![person("anna")] }];
    let (mut before, mut last) = (message("joe", 2, text("hi")), message("joe", 3, text("ho")));
    before.reactions = mine("1f3a1_ferriswheel");
    last.reactions = mine("1f9ed_compass");
    app.messages(vec![before, last], Placement::Newest);
    app.press("ctrl-up +");
    app.expect_row("1 🎡", "ferriswheel");
    app.expect_row("8 🧭", "yours");
    app.press("8");
    assert_eq!(reacted(&mut app), [("1f9ed_compass".to_owned(), false)]);
}

#[test]
fn who_reacted_is_said_of_the_selected_message() {
    let mut app = chat("Team").message("joe", "first").opened().sized(100, 24);
    let mut message = message("joe", 2, text("hi"));
    let users = ["anna", "joe", "mia", "8:x.1", "8:x.2"].map(person);
    message.reactions = vec![Reaction { key: "like".into(), users: users.into() }];
    app.messages(vec![message], Placement::Newest);
    app.press("ctrl-up");
    app.expect("You, Joe Bloggs, Mia Tan and 2 more");
}

#[test]
fn every_emoji_on_offer_has_a_key_that_reads_back_as_itself() {
    let bare = |glyph: &str| glyph.replace('\u{FE0F}', "");
    // Keys have no code points below this one (facts 3.4).
    let can_be = |glyph: &str| glyph.chars().next().is_some_and(|c| c >= '\u{2000}');
    for (name, glyph) in emoticon::names().filter(|(_, glyph)| can_be(glyph)) {
        let key = emoticon::reaction_key(name, glyph);
        let shown = emoticon::shown(&key, "", EmojiStyle::Glyph);
        assert_eq!(bare(&shown), bare(glyph), "{name}: {key}");
    }
}
