//! Small windows: important text is not cut.

use crate::app::keymap::{Context, KeymapEntry};
use crate::app::overlay::DialogBody;
use crate::fixture::{App, chat, direct};
use crate::model::search::Hit;
use crate::model::text::width;
use crate::model::{Findings, MessageKey, Response, Role, Timestamp, UserId};
use ratatui::style::Modifier;

const SIZES: [(u16, u16); 5] = [(40, 15), (60, 20), (80, 24), (120, 40), (200, 50)];

/// Checks that no line of the top dialog is wider than the dialog, nor is its title.
fn expect_nothing_cut(app: &mut App, place: &str) {
    app.layout();
    let dialog = app.model.dialog.as_ref().expect(place);
    let title = width(&dialog.title);
    assert!(title + 6 <= usize::from(dialog.area.width), "{place}: {}", dialog.title);
    let DialogBody::Lines(lines) = &dialog.lines else { panic!("{place} has lines") };
    for line in lines {
        let left: usize = line.left.iter().map(|label| width(&label.text)).sum();
        let right = if line.right.is_empty() { 0 } else { width(&line.right) + 1 };
        let columns = usize::from(dialog.body.width);
        assert!(left + right <= columns, "{place} at {columns}: {line:?}");
        let is_cut = |text: &str| text.ends_with('…') && !text.ends_with(" …");
        assert!(!line.left.iter().any(|l| is_cut(&l.text)), "{place} at {columns}: {line:?}");
    }
}

#[test]
fn help_welcome_settings_and_questions_are_not_cut_at_any_size() {
    for (columns, rows) in SIZES {
        let group = || chat("Team").sized(columns, rows).opened();
        let mut app = group();
        app.press("f1");
        for _ in 0..60 {
            expect_nothing_cut(&mut app, "help");
            app.press("pagedown");
        }
        let mut app = group().message("joe", "https://oven.example/x");
        for (keys, place) in [("alt-x", "palette"), ("esc ctrl-up enter", "menu")] {
            app.press(keys);
            // Every entry, down to the last one.
            for _ in 0..100 {
                expect_nothing_cut(&mut app, place);
                app.press("down");
            }
        }
        for keys in [
            "alt-j",
            "alt-h",
            "ctrl-x q",
            "ctrl-x d",
            "alt-i",
            "ctrl-x m down enter",
            "alt-t",
            "ctrl-g",
            "ctrl-x g",
            "ctrl-x l",
            "ctrl-x i",
        ] {
            let mut app = group();
            app.press(keys);
            expect_nothing_cut(&mut app, keys);
        }
        let mut app = chat("Team")
            .members(&[("anna", Role::User), ("joe", Role::Admin)])
            .sized(columns, rows)
            .opened();
        app.press("alt-i");
        expect_nothing_cut(&mut app, "settings of a user");
        let mut app = group();
        app.model
            .overlays
            .push(crate::app::overlay::Overlay::Welcome(crate::app::overlay::Welcome));
        expect_nothing_cut(&mut app, "welcome");
    }
}

#[test]
fn a_question_is_shown_as_a_whole_where_it_is_longer_than_a_title() {
    let mut app = chat("Team").sized(40, 15).opened();
    app.press("alt-j");
    let screen = app.expect("Please confirm");
    let words: Vec<&str> = screen.split(|c: char| c.is_whitespace() || c == '│').collect();
    let text: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
    assert!(text.join(" ").contains("Turn joining by link on for everyone?"), "{screen}");
}

#[test]
fn settings_show_their_values_at_every_width() {
    for (columns, rows) in SIZES {
        for role in [Role::Admin, Role::User] {
            let members = [("anna", role), ("joe", Role::Admin)];
            let mut app = chat("Team").members(&members).sized(columns, rows).opened();
            app.press("alt-i");
            for (label, value) in
                [("Topic", "Team"), ("t  ", "Team"), ("l  Join", "off"), ("h  History", "visible")]
            {
                app.expect_row(label, value);
            }
            app.expect_row("n  Alerts", "on");
            if role == Role::User && columns >= 60 {
                app.expect_row("l  Join", "admins");
            }
        }
    }
}

#[test]
fn the_hint_of_a_dialog_ends_with_a_whole_part() {
    let mut app = chat("Team").sized(40, 15).opened();
    app.press("ctrl-k");
    let screen = app.expect("Enter opens ─");
    assert!(!screen.contains("Enter opens ·"), "{screen}");
    app.press("esc alt-i");
    app.expect("Enter or letter changes ─");
}

#[test]
fn details_of_a_member_offer_only_what_may_be_done() {
    for (role, keys, hint) in [
        (Role::Admin, "ctrl-x m down enter", "x remove · o role · y or Enter copies the id"),
        (Role::User, "ctrl-x m down enter", "─ y or Enter copies the id"),
    ] {
        let members = [("anna", role), ("joe", Role::User)];
        let mut app = chat("Team").members(&members).opened();
        app.press(keys);
        app.expect(hint);
    }
    let mut app = chat("Team").opened();
    app.press("ctrl-x m enter");
    app.expect("x leave · o role");
}

#[test]
fn between_the_name_and_the_counts_of_the_top_bar_there_is_a_space() {
    let mut app = direct("joe").message("joe", "hi").opened();
    let conversation = app.open_chat().info.id.clone();
    let unread = crate::model::Unread { messages: 8, mentions: 1 };
    app.delta(crate::model::Delta::Unread { conversation, unread, read_marker: None });
    for columns in 20..120 {
        app.resize(columns, 24);
        let screen = app.screen();
        let top = screen.lines().next().unwrap_or_default();
        if let Some(at) = top.find("8 unread") {
            let before = top.get(..at).unwrap_or_default();
            assert!(before.ends_with(' '), "{columns}: {top}");
        }
    }
}

#[test]
fn a_highlighted_line_has_no_dim_text() {
    let mut app = chat("Team").members(&[("anna", Role::User), ("joe", Role::Admin)]).opened();
    app.press("alt-i down");
    let buffer = app.buffer();
    let marked = |cell: &&ratatui::buffer::Cell| cell.modifier.contains(Modifier::REVERSED);
    let cells: Vec<_> = buffer.content.iter().filter(marked).collect();
    assert!(cells.iter().any(|cell| cell.symbol() == "J"), "Joining by link is highlighted");
    assert!(!cells.iter().any(|cell| cell.modifier.contains(Modifier::DIM)));
}

#[test]
fn all_keys_that_can_follow_are_in_sight_on_the_smallest_screens_too() {
    for (columns, rows) in [(40, 10), (36, 12), (60, 12), (80, 24), (120, 40)] {
        let mut app = chat("Team").sized(columns, rows).opened();
        app.press("ctrl-x");
        app.pass(std::time::Duration::from_secs(1));
        app.layout();
        let dialog = app.model.dialog.as_ref().unwrap();
        let DialogBody::Lines(lines) = &dialog.lines else { panic!() };
        let shown: Vec<String> = lines.iter().map(|line| line.left[0].text.clone()).collect();
        let shown = format!(" {} ", shown.join(" "));
        let entries = app.model.app.prefs.keymap.entries().iter();
        let here = entries.filter(|entry| {
            entry.contexts.iter().any(|place| matches!(place, Context::Global | Context::Compose))
        });
        let keys: Vec<String> = here
            .flat_map(KeymapEntry::key_texts)
            .filter_map(|key| Some(key.strip_prefix("Ctrl-X ")?.to_owned()))
            .collect();
        assert!(keys.len() > 20, "{keys:?}");
        for key in keys {
            assert!(shown.contains(&format!(" {key} ")), "{key} at {columns}x{rows}: {shown}");
        }
        expect_nothing_wide(&app);
    }
}

/// Checks that no line of the top dialog is wider than the dialog.
fn expect_nothing_wide(app: &App) {
    let dialog = app.model.dialog.as_ref().unwrap();
    let DialogBody::Lines(lines) = &dialog.lines else { panic!() };
    for line in lines {
        let used: usize = line.left.iter().map(|label| width(&label.text)).sum();
        assert!(used <= usize::from(dialog.body.width), "{line:?}");
    }
}

#[test]
fn the_row_above_a_reply_names_whom_it_is_for_on_a_small_screen() {
    let mut app = chat("Team").message("joe", "Where is the key?").sized(40, 10).opened();
    app.press("ctrl-up r");
    app.expect("replying to Joe Bloggs: Wh");
    app.resize(80, 24);
    app.expect("replying to Joe Bloggs: Where is the key?");
    app.expect("Esc removes the quote");
}

#[test]
fn a_found_line_of_the_system_is_named_after_its_conversation() {
    let mut app = chat("Team").opened();
    app.press("ctrl-r");
    app.type_text("topic");
    let id = app.open_chat().info.id.clone();
    let key = MessageKey::server(Timestamp(1_700_000_000_000), "1700000000000");
    let sender = UserId::new(id.as_str());
    let hit = Hit::new(id, key, sender, "Anna set the topic to Team", &["topic".to_owned()]);
    let found = Findings { hits: vec![hit], next: None, more: false, behind: false };
    app.answer(Response::Found(Ok(found)));
    app.expect_row("Team", "Today");
    let screen = app.screen();
    assert!(!screen.contains("@thread"), "{screen}");
}

#[test]
fn a_found_line_of_the_system_has_names_as_on_the_screen() {
    use crate::fixture::person;
    use crate::model::{MessageBody, ThreadActivity};
    let mut app = chat("Team").opened();
    app.press("ctrl-r");
    app.type_text("added");
    let id = app.open_chat().info.id.clone();
    let key = MessageKey::server(Timestamp(1_700_000_000_000), "1700000000000");
    let (by, targets) = (person("joe"), vec![person("mia"), person("anna")]);
    let stored = "joe.4 added mia.tan and anna.7";
    let sender = UserId::new(id.as_str());
    let hit = Hit::new(id, key, sender, stored, &["added".to_owned()]);
    let body = MessageBody::Thread(ThreadActivity::Added { by, targets });
    let hit = Hit { body: Some(Box::new(body)), ..hit.of_kind("ThreadActivity/AddMember") };
    let found = Findings { hits: vec![hit], next: None, more: false, behind: false };
    app.answer(Response::Found(Ok(found)));
    let screen = app.expect("Joe Bloggs added Mia Tan");
    assert!(!screen.contains("joe.4") && !screen.contains("mia.tan"), "{screen}");
}
