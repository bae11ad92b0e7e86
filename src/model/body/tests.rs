use super::*;

#[test]
fn sentences_use_names() {
    let name = |id: &UserId| match id.as_str() {
        "8:anna.7" => SafeText::line("Anna"),
        _ => SafeText::line("Joe"),
    };
    let (anna, joe) = (UserId::new("8:anna.7"), UserId::new("8:joe.4"));
    let say = |a: ThreadActivity| a.text(&name);
    assert_eq!(
        say(ThreadActivity::Roles { by: anna.clone(), targets: vec![(joe.clone(), true)] }),
        "Anna made Joe an admin"
    );
    assert_eq!(
        say(ThreadActivity::Removed { by: joe.clone(), targets: vec![joe.clone()] }),
        "Joe left"
    );
    let both = vec![anna.clone(), joe.clone()];
    assert_eq!(say(ThreadActivity::Added { by: anna.clone(), targets: both }), "Anna added Joe");
    assert_eq!(say(ThreadActivity::Added { by: anna, targets: vec![joe] }), "Anna added Joe");
}

#[test]
fn oneself_is_you_in_every_place_of_a_sentence() {
    use ThreadActivity as T;
    let name = |id: &UserId| match id.as_str() {
        "8:anna.7" => SafeText::line("You"),
        _ => SafeText::line("Joe"),
    };
    let (me, joe, nobody) = (UserId::new("8:anna.7"), UserId::new("8:joe.4"), UserId::new(""));
    let by = |who: &UserId| who.clone();
    for (activity, sentence) in [
        (T::Added { by: by(&joe), targets: vec![me.clone()] }, "Joe added you"),
        (T::Added { by: by(&me), targets: vec![joe.clone()] }, "You added Joe"),
        (T::Added { by: by(&nobody), targets: vec![joe.clone()] }, "Joe joined"),
        (T::Added { by: by(&nobody), targets: vec![me.clone(), joe.clone()] }, "You, Joe joined"),
        (T::Added { by: by(&me), targets: vec![me.clone()] }, "You joined"),
        (T::Added { by: by(&nobody), targets: vec![] }, "Someone joined"),
        (T::Removed { by: by(&joe), targets: vec![me.clone()] }, "Joe removed you"),
        (
            T::Removed { by: by(&joe), targets: vec![me.clone(), joe.clone()] },
            "Joe removed you, Joe",
        ),
        (T::Removed { by: by(&me), targets: vec![me.clone()] }, "You left"),
        (T::Removed { by: by(&nobody), targets: vec![me.clone()] }, "You left"),
        (T::Joined(vec![joe.clone()]), "Joe joined"),
        (T::Left(vec![joe.clone(), me.clone()]), "Joe, You left"),
        (T::Roles { by: by(&joe), targets: vec![(me.clone(), true)] }, "Joe made you an admin"),
        (T::Roles { by: by(&me), targets: vec![(me.clone(), false)] }, "You made yourself a user"),
        (
            T::Roles { by: by(&nobody), targets: vec![(joe.clone(), true)] },
            "Someone made Joe an admin",
        ),
        (T::Picture { by: by(&nobody) }, "Someone changed the picture"),
        (T::Topic { by: by(&me), topic: "Team".into() }, "You set the topic to \"Team\""),
        (T::Other { by: Some(by(&me)), what: "[X]".into() }, "You: [X]"),
    ] {
        assert_eq!(activity.text(&name), sentence);
    }
}

#[test]
fn sizes_and_lengths_read_well() {
    assert_eq!(human_size(84), "84 B");
    assert_eq!(human_size(1_234_567), "1.2 MB");
    assert_eq!(human_size(999_960), "1.0 MB");
    assert_eq!(
        Call { state: CallState::Ended, seconds: Some(84), people: Vec::new() }
            .text(&|id| SafeText::line(id.bare())),
        "Call ended · 1 min 24 s"
    );
}
