//! What is suggested while a name, an emoji or a command is typed, and which keys it takes.

use crate::app::action::{Pointer, PointerKind};
use crate::app::{Action, Effect};
use crate::fixture::{App, chat, direct, person};
use crate::model::{
    ConversationId, Delta, Member, NameSource, Request, Role, SafeText, ThreadSettings, UserId,
};
use crate::ui::{ColorDepth, Screen, Theme};

fn in_box(app: &App) -> String {
    app.open_chat().composer.text().to_owned()
}

fn sent(app: &mut App) -> Vec<String> {
    let sent = app.requests().into_iter().filter_map(|request| match request {
        Request::Send { outgoing, .. } => Some(outgoing.text),
        _ => None,
    });
    sent.collect()
}

/// The labels of what is suggested.
fn suggested(app: &App) -> Vec<String> {
    let open = app.open_chat().composer.suggestions.as_ref();
    let shown = open.filter(|open| open.are_shown(&app.open_chat().composer));
    shown.map_or_else(Vec::new, |open| open.found.iter().map(|s| s.label.to_string()).collect())
}

#[test]
fn people_commands_and_emoji_are_shown_while_they_are_typed() {
    let mut app = chat("Team").opened();
    app.type_text("hi @");
    app.expect_row("Joe Bloggs", "8:joe.4");
    app.expect_row("Mia Tan", "8:mia.tan");
    app.expect_row("all", "everyone here");
    app.type_text("mi");
    assert_eq!(suggested(&app), ["Mia Tan"]);
    app.press("ctrl-u");
    app.expect_none("everyone here");
    app.type_text("/to");
    app.expect_row("/topic [TEXT]", "Set the topic (groups)");
    app.press("ctrl-u");
    app.type_text("well :sm");
    app.expect("😄   smile");
    // Entries that contain the letters in this order follow those that begin with them.
    app.press("ctrl-u");
    app.type_text("@bgs");
    assert_eq!(suggested(&app), ["Joe Bloggs"]);
}

#[test]
fn commands_about_people_are_completed_with_members_and_roles() {
    let mut app = chat("Team").opened();
    app.type_text("/role ");
    assert_eq!(suggested(&app), ["Joe Bloggs", "Mia Tan"]);
    app.type_text("blo");
    assert_eq!(suggested(&app), ["Joe Bloggs"]);
    app.press("tab");
    assert_eq!(in_box(&app), "/role Joe Bloggs ");
    app.type_text("a");
    assert_eq!(suggested(&app), ["admin"]);
    app.press("tab");
    assert_eq!(in_box(&app), "/role Joe Bloggs admin");
    assert_eq!(suggested(&app), Vec::<String>::new());
    app.press("enter");
    assert_eq!(in_box(&app), "");
    app.type_text("/kick mi");
    app.press("tab");
    assert_eq!(in_box(&app), "/kick Mia Tan ");
    app.press("backspace");
    app.type_text(", j");
    assert_eq!(suggested(&app), ["Joe Bloggs"]);
    app.press("down enter");
    assert_eq!(in_box(&app), "/kick Mia Tan, Joe Bloggs ");
}

#[test]
fn a_member_whose_name_would_be_read_as_several_is_named_by_id() {
    for name in ["Bloggs, Joe", "Ops: Joe", "8:mia.tan"] {
        let mut app = chat("Team").opened();
        let names = vec![(person("joe"), NameSource::Profile, SafeText::line(name))];
        app.delta(Delta::Names(names));
        app.type_text("/role joe");
        app.press("tab");
        assert_eq!(in_box(&app), "/role 8:joe.4 ", "{name}");
    }
}

#[test]
fn enter_sends_what_was_typed_unless_the_user_has_moved_to_a_suggestion() {
    for typed in ["@", "@jo", "hello :smi", ":)", "see you :D", ":p", "@@", "12:30", ":", "a@jo"] {
        let mut app = chat("Team").opened();
        app.type_text(typed);
        app.press("enter");
        assert_eq!(sent(&mut app), [typed]);
        assert_eq!(in_box(&app), "");
    }
    let mut app = chat("Team").opened();
    app.type_text("ask @");
    app.press("down down enter");
    assert_eq!((sent(&mut app), in_box(&app)), (Vec::new(), "ask @Mia Tan ".to_owned()));
    app.type_text("please");
    app.press("enter");
    assert_eq!(sent(&mut app), ["ask @Mia Tan please"]);
    // Typing on clears the choice.
    app.type_text("ask @");
    app.press("down");
    app.type_text("x");
    app.press("backspace enter");
    assert_eq!(sent(&mut app), ["ask @"]);
}

#[test]
fn tab_takes_the_first_or_the_chosen_one_and_then_the_next() {
    let mut app = chat("Team").opened();
    app.type_text("@");
    app.press("tab");
    assert_eq!(in_box(&app), "@Joe Bloggs ");
    assert_eq!(suggested(&app), Vec::<String>::new());
    app.press("tab");
    assert_eq!(in_box(&app), "@Mia Tan ");
    app.press("ctrl-u");
    app.type_text("@");
    app.press("up tab");
    assert_eq!(in_box(&app), "@all ");
    app.press("enter");
    assert_eq!(sent(&mut app), ["@all "]);
    app.type_text("@");
    app.press("down down tab");
    assert_eq!(in_box(&app), "@Mia Tan ");
    app.expect("Alt-Enter new line");
}

#[test]
fn esc_closes_them_for_this_word_and_deletes_nothing() {
    let mut app = chat("Team").opened();
    app.type_text("hi @");
    app.expect("everyone here");
    app.press("esc");
    app.expect_none("everyone here");
    app.type_text("j");
    app.expect_none("8:joe.4");
    assert_eq!(in_box(&app), "hi @j");
    // Tab still completes.
    app.press("tab");
    assert_eq!(in_box(&app), "hi @Joe Bloggs ");
    app.type_text("and @");
    app.expect("everyone here");
}

#[test]
fn they_vanish_with_the_word_the_cursor_and_the_chat() {
    let shown = || {
        let mut app = chat("Team").opened();
        app.type_text("hi @jo");
        app.expect("8:joe.4");
        app
    };
    for key in ["left", "ctrl-a", "alt-z", "ctrl-u", "ctrl-k", "f1", "pageup", "space", "ctrl-w"] {
        let mut app = shown();
        app.press(key);
        assert_eq!(suggested(&app), Vec::<String>::new(), "{key}");
    }
    let mut app = shown();
    app.press("backspace");
    assert_eq!(suggested(&app), ["Joe Bloggs"]);
    app.press("backspace backspace backspace");
    assert_eq!(suggested(&app), Vec::<String>::new());
    // In the middle of a word, and when the only match was typed already, nothing is suggested.
    let mut app = chat("Team").opened();
    app.type_text("xjoe");
    app.press("left left left backspace");
    app.type_text("@");
    assert_eq!(suggested(&app), Vec::<String>::new());
    let mut app = chat("Team").opened();
    app.type_text("@all");
    assert_eq!(suggested(&app), Vec::<String>::new());
    // A paste suggests nothing.
    let mut app = chat("Team").opened();
    app.paste("@jo");
    assert_eq!(suggested(&app), Vec::<String>::new());
}

#[test]
fn up_and_down_belong_to_the_text_again_when_nothing_is_suggested() {
    let mut app = direct("joe").message("joe", "first").opened();
    app.type_text("one");
    app.press("alt-enter");
    app.type_text("@jo");
    app.press("esc up");
    app.type_text("x");
    assert_eq!(in_box(&app), "onex\n@jo");
}

#[test]
fn they_fit_any_size_and_can_be_switched_off() {
    for (columns, rows) in [(20, 5), (40, 10), (80, 24), (120, 40)] {
        let mut app = chat("Team").opened().sized(columns, rows);
        app.type_text("/");
        app.press("up");
        let screen = app.screen();
        assert!(screen.contains('/'), "{screen}");
    }
    let mut app = App::with_prefs(|prefs| prefs.choices.ui.suggestions = false);
    app = app.with_group("Team").opened();
    app.type_text("@");
    assert_eq!(suggested(&app), Vec::<String>::new());
    app.press("tab");
    assert_eq!(in_box(&app), "@Joe Bloggs ");
}

#[test]
fn ten_thousand_people_are_searched_with_each_letter() {
    let mut app = chat("Team").opened();
    let id = |n: usize| UserId::new(format!("8:person.{n:05}"));
    let names: Vec<(UserId, NameSource, SafeText)> = (0..10_000)
        .map(|n| (id(n), NameSource::Profile, SafeText::line(&format!("Person {n:05} Name"))))
        .collect();
    app.delta(Delta::Names(names));
    let conversation: ConversationId = app.open_chat().info.id.clone();
    let members = (0..10_000).map(|n| Member { id: id(n), role: Role::User, ..Member::default() });
    app.delta(Delta::Members { conversation: conversation.clone(), members: members.collect() });
    app.delta(Delta::Settings { conversation, settings: ThreadSettings::default() });
    let began = std::time::Instant::now();
    app.type_text("@");
    println!("the first key: {:?}", began.elapsed());
    assert_eq!(suggested(&app).len(), 50);
    for key in "0999".chars() {
        let began = std::time::Instant::now();
        app.type_text(&key.to_string());
        println!("the key {key}: {:?}", began.elapsed());
    }
    assert_eq!(suggested(&app)[0], "Person 09990 Name");
    app.press("down enter");
    assert_eq!(in_box(&app), "@Person 09990 Name ");
}

#[test]
fn a_click_takes_the_suggestion_below_it_and_selects_no_message() {
    let mut app = chat("Team").message("joe", "hello").opened();
    app.type_text("hi @");
    let screen = app.screen();
    let row_of = |words: &str| screen.lines().position(|line| line.contains(words)).expect("a row");
    let click = |app: &mut App, row: usize| {
        let row = u16::try_from(row).expect("a row of the screen");
        app.action(Action::Pointer(Pointer { column: 30, row, kind: PointerKind::Click }));
        app.layout();
    };
    // The frame is not an entry.
    click(&mut app, row_of("People"));
    assert_eq!(in_box(&app), "hi @");
    assert_eq!(suggested(&app).len(), 3);
    click(&mut app, row_of("8:mia.tan"));
    assert_eq!(in_box(&app), "hi @Mia Tan ");
    assert!(app.open_chat().selection.is_none());
    // In a list that was scrolled, a click takes the entry in its row.
    app.press("ctrl-u");
    app.type_text("/");
    app.press("up");
    let screen = app.screen();
    let row = screen.lines().position(|line| line.contains("/quit")).expect("a row");
    click(&mut app, row - 1);
    assert_eq!(in_box(&app), "/help ");
}

#[test]
fn a_letter_changes_only_the_rows_of_the_suggestions_and_of_the_box() {
    let mut app = chat("Team").message("joe", "hello").opened().sized(120, 40);
    let theme = include_str!("../../../assets/theme.toml");
    let theme = Theme::new(theme, ColorDepth::True, false).expect("the built-in theme");
    let mut screen = Screen::default();
    let mut changed_by = |app: &mut App, keys: &str| {
        app.type_text(keys);
        app.layout();
        let frame = screen.paint(&app.model, &theme);
        frame.changed.iter().filter(|changed| **changed).count()
    };
    changed_by(&mut app, "hi");
    assert_eq!(changed_by(&mut app, " "), 1);
    // Three people in a frame, and the box.
    assert_eq!(changed_by(&mut app, "@"), 6);
    assert!(changed_by(&mut app, "j") <= 6);
    assert!(changed_by(&mut app, "o") <= 4);
    assert!(changed_by(&mut app, " ") <= 4);
    assert_eq!(changed_by(&mut app, "x"), 1);
}

#[test]
fn names_of_others_are_shown_clean() {
    let mut app = chat("Team").opened();
    let name = SafeText::line("Evil\u{1b}]0;x\u{7}\u{202E} Name");
    app.delta(Delta::Names(vec![(person("joe"), NameSource::Profile, name)]));
    app.type_text("@ev");
    let screen = app.expect("8:joe.4");
    assert!(!screen.contains(['\u{1b}', '\u{7}', '\u{202E}']));
    assert!(!app.effects().iter().any(|effect| matches!(effect, Effect::Quit)));
}

#[test]
fn chats_are_suggested_after_a_hash_and_a_number_is_none() {
    let mut app = chat("Book club").with_group("Lake trip").with_direct("joe").opened();
    app.type_text("see #17 and #b");
    app.expect("Chats");
    app.expect("Tab takes the first");
    app.press("tab");
    assert_eq!(app.open_chat().composer.text(), "see #17 and #Book club ");
    app.type_text("#tri");
    app.press("down enter");
    assert_eq!(app.open_chat().composer.text(), "see #17 and #Book club #Lake trip ");
    app.type_text("#zz");
    app.expect_none("Chats");
}
