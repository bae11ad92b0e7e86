//! Text on the screen: tabs, invisible characters, the words for days.

use crate::app::next_deadline;
use crate::app::view::RowKind;
use crate::fixture::{chat, direct, message, text};
use crate::model::{
    Conversation, Delivery, Delta, MessageKey, Placement, Request, SafeText, Timestamp,
};
use jiff::tz::TimeZone;
use std::time::Duration;

#[test]
fn a_pasted_tab_is_aligned_in_the_box_and_sent_as_a_tab() {
    let mut app = direct("joe").opened();
    app.paste("name\tage\nAnna\t41");
    let screen = app.expect("name    age");
    assert!(screen.contains("Anna    41"), "{screen}");
    // The cursor is behind the last digit.
    let cursor = app.model.view.visible.compose.cursor;
    assert_eq!(usize::from(cursor.0), " To Joe Bloggs › Anna    41".chars().count());
    app.press("enter");
    let sent = app.requests().into_iter().find_map(|request| match request {
        Request::Send { outgoing, .. } => Some(outgoing.text),
        _ => None,
    });
    assert_eq!(sent.as_deref(), Some("name\tage\nAnna\t41"));
}

#[test]
fn what_is_copied_has_the_tabs_and_no_invisible_characters() {
    let mut app = direct("joe").message("joe", "a\tb\u{200E}c\u{FEFF}").opened();
    app.expect("a       bc");
    app.press("ctrl-up y");
    let copied = app.effects().into_iter().find_map(|effect| match effect {
        crate::app::Effect::Copy { text, .. } => Some(text),
        _ => None,
    });
    assert_eq!(copied.as_deref(), Some("a\tbc"));
}

#[test]
fn at_midnight_today_becomes_yesterday_by_itself() {
    let mut app = direct("joe").message("joe", "good night").opened();
    app.expect("─ Today ─");
    // Once the message counts as read, nothing else is due before midnight.
    app.pass(Duration::from_secs(2));
    let due = next_deadline(&app.model.app).expect("midnight");
    assert!(due > app.now.mono + Duration::from_secs(60 * 60), "{due:?}");
    app.pass(due.saturating_sub(app.now.mono));
    app.expect("─ Yesterday ─");
    let next = next_deadline(&app.model.app).expect("the next midnight");
    assert_eq!(next.saturating_sub(app.now.mono), Duration::from_secs(24 * 60 * 60));
}

#[test]
fn every_sign_is_explained_in_the_help_and_in_the_readme() {
    let readme = include_str!("../../../README.md");
    let (_, signs) = readme.split_once("### Symbols").expect("a legend");
    let mut app = direct("joe").sized(80, 300).opened();
    app.press("f1");
    let help = app.screen();
    let (_, help) = help.split_once("Symbols").expect("a legend");
    for sign in ["·", "↑", "✓", "✓✓", "?", "!", "✎", "@2", "↥", "▎", "m"] {
        let stands_alone = |text: &str| text.split([' ', '|', '│', '\n']).any(|word| word == sign);
        assert!(stands_alone(help) && stands_alone(signs), "{sign}");
    }
}

#[test]
fn the_footer_keeps_help_and_quit_everywhere_and_at_every_width() {
    for (place, keys) in [
        ("box", ""),
        ("list", "tab"),
        ("selection", "ctrl-up"),
        ("bare view", "alt-l"),
        ("question", "alt-j"),
        ("settings", "alt-i"),
        ("members", "ctrl-x m"),
        ("search", "ctrl-r"),
        ("switcher", "ctrl-k"),
        ("palette", "alt-x"),
        ("help", "f1"),
        ("first of two keys", "ctrl-x"),
    ] {
        let mut app = chat("Team").message("joe", "hi").message("anna", "hello").opened();
        app.press(keys);
        for (columns, rows) in (20..=200).flat_map(|columns| [(columns, 10), (columns, 24)]) {
            app.resize(columns, rows);
            let screen = app.screen();
            let footer = screen.lines().last().unwrap_or_default();
            for key in ["F1 help", "Ctrl-Q quit"] {
                assert!(footer.contains(key), "{place} {columns}x{rows}: {footer:?}");
            }
            let goes_back = !matches!(place, "box" | "first of two keys");
            if goes_back && columns >= 40 {
                assert!(footer.contains("Esc "), "{place} {columns}x{rows}: {footer:?}");
            }
        }
        if place != "first of two keys" {
            app.press("f1");
            assert_eq!(app.model.overlays.shows_help(), place != "help", "{place}");
        }
        app.press("esc ctrl-q");
        let quits = app.effects().iter().any(|e| matches!(e, crate::app::Effect::Quit));
        assert!(quits, "{place}");
    }
}

#[test]
fn when_the_terminal_shows_how_it_draws_joined_emoji_every_row_is_rebuilt() {
    use crate::model::EmojiWidth;
    let scientist = "\u{1F469}\u{1F3FD}\u{200D}\u{1F52C}";
    let mut app = chat(&format!("{scientist}lab"))
        .message("joe", &format!("{scientist}said"))
        .sized(120, 40)
        .opened();
    let one = app.screen();
    assert!(!one.contains("👩🔬"), "{one}");
    app.input(crate::app::Input::EmojiWidth(EmojiWidth::Sum));
    let parts = app.screen();
    let bare = parts.replace(' ', "");
    // In the list, the header, the message, and the pane beside it.
    assert!(bare.matches("👩🔬lab").count() >= 3, "{parts}");
    assert!(bare.contains("👩🔬said"), "{parts}");
    app.input(crate::app::Input::EmojiWidth(EmojiWidth::Cluster));
    assert_eq!(app.screen(), one);
}

#[test]
fn what_can_be_done_with_an_unsent_message_is_not_cut_at_any_width() {
    for columns in [40, 60, 80, 120] {
        let mut app = direct("joe").sized(columns, 24).opened();
        app.type_text("hello");
        app.press("enter");
        let client_id = app.requests().into_iter().find_map(|request| match request {
            Request::Send { client_id, .. } => Some(client_id),
            _ => None,
        });
        let reason = SafeText::line("the server refused it because of a rule (400, error 201)");
        app.delta(Delta::Delivery {
            conversation: "8:joe.4".into(),
            client_id: client_id.expect("a message"),
            delivery: Delivery::Failed { reason, can_retry: true },
            sent: None,
        });
        app.layout();
        let visible = &app.model.view.visible;
        let pane = visible.layout.and_then(|layout| layout.messages).expect("a pane");
        let lines: Vec<&str> = visible
            .messages
            .rows
            .iter()
            .filter_map(|row| match &row.kind {
                RowKind::Failed(line) => Some(line.as_str()),
                _ => None,
            })
            .collect();
        assert!(lines.iter().all(|line| line.len() < usize::from(pane.width)), "{lines:?}");
        let text = lines.join(" ");
        assert!(text.ends_with("201) · R resends · x moves it to the box"), "{columns}: {text}");
    }
}

#[test]
fn messages_of_one_sender_in_one_minute_each_show_their_time() {
    let mut app = direct("joe").opened();
    let said = (0i64..3).map(|n| {
        let mut message = message("joe", 1, text(&format!("line {n}")));
        message.key = MessageKey::server(Timestamp(message.at.0 + n), &format!("m{n}"));
        message
    });
    app.messages(said.collect(), Placement::Newest);
    let clock = app.open_chat().timeline.last().expect("a message").at.clock(&TimeZone::UTC);
    for n in 1..3 {
        app.expect(&format!("{clock}  line {n}"));
    }
}

#[test]
fn names_of_muted_and_pinned_chats_begin_where_others_do() {
    let mut app = direct("joe").with_direct("mia");
    let mut conversation = Conversation::empty("8:mia.tan".into());
    (conversation.muted, conversation.pinned) = (true, true);
    conversation.activity = Timestamp(1);
    app.delta(Delta::Conversations(vec![conversation]));
    let screen = app.screen();
    let at = |name: &str| screen.lines().find_map(|line| line.find(name));
    assert_eq!(at("Mia Tan"), at("Joe Bloggs"), "{screen}");
    assert!(screen.lines().any(|line| line.contains("Mia Tan") && line.contains("↥m")), "{screen}");
}
