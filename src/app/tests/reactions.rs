//! Reactions: what is asked of the server when one is chosen.

use crate::fixture::{chat, message, person, text};
use crate::model::request::Change;
use crate::model::{Placement, Reaction, Request};

/// The changes of reactions that are asked for when the first one offered, 👍, is chosen for a message with these.
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
    // Someone else's, and another picture.
    assert_eq!(asked(&[("1f44d_thumbsup", &["joe"]), ("heart", &["anna"])]), set);
}
