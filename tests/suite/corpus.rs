//! Every fixture under `tests/fixtures/messages` as the screen shows it. Adding a case is adding a file there, reading
//! what the test prints, and accepting it (`INSTA_UPDATE=always cargo test --test suite corpus`).

use crate::common::fixture::{App, ME};
use skchat::app::view::RowKind;
use skchat::model::{Conversation, Delta, Link, Message, MessageBody, Placement, SafeText, UserId};
use skchat::protocol::{decode, wire};
use std::fmt::Write as _;
use std::path::PathBuf;

const CHAT: &str = "19:kitchen@thread.skype";
const COLUMNS: u16 = 80;

fn cases() -> Vec<(String, String)> {
    let dir = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/messages");
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let name = |path: &PathBuf| path.file_stem().unwrap().to_string_lossy().into_owned();
    files.iter().map(|path| (name(path), std::fs::read_to_string(path).unwrap())).collect()
}

fn read(json: &str) -> Message {
    let raw = wire::raw_message(json, Some(&CHAT.into())).expect("an item");
    decode::message(&raw, &UserId::new(ME))
}

/// A conversation with just this message, laid out.
fn app(message: &Message, json: &str, columns: u16) -> App {
    let raw = wire::raw_message(json, Some(&CHAT.into())).expect("an item");
    let mut app = App::new().with_conversation(Conversation::empty(CHAT.into()));
    app = app.opened().sized(columns, 200);
    app.delta(Delta::Names(decode::names(&raw)));
    app.messages(vec![message.clone()], Placement::Newest);
    app.layout();
    app
}

/// What is in the pane: letters in front of a run show its style.
fn picture(message: &Message, json: &str) -> String {
    let app = app(message, json, COLUMNS);
    let shown = &app.model.view.visible.messages.rows;
    let mut out = String::new();
    for row in shown {
        match &row.kind {
            RowKind::Name { name, .. } => writeln!(out, "  from {}", name.as_str()).unwrap(),
            RowKind::Text { rows, index, system, .. } => {
                let line = &rows[*index];
                out.push_str(if *system { "  — " } else { "  │ " });
                out.push_str(&"┃ ".repeat(line.quotes));
                out.push_str(&" ".repeat(line.indent));
                for piece in &line.pieces {
                    let s = piece.style;
                    let marks = [
                        (s.bold, "b"),
                        (s.italic, "i"),
                        (s.underline, "u"),
                        (s.strike, "s"),
                        (s.mono, "m"),
                        (s.blink, "k"),
                        (s.dim, "d"),
                    ];
                    let mut marks: String = marks.iter().filter(|m| m.0).map(|m| m.1).collect();
                    if let Some(color) = s.color {
                        write!(marks, "#{:02x}{:02x}{:02x}", color.0, color.1, color.2).unwrap();
                    }
                    if let Some(size) = s.size {
                        write!(marks, "^{size}").unwrap();
                    }
                    if let Some(Link::Mention(who)) = &piece.link {
                        write!(marks, "@{}", who.as_str()).unwrap();
                    }
                    if marks.is_empty() {
                        out.push_str(&piece.text);
                    } else {
                        write!(out, "{{{marks}|{}}}", piece.text).unwrap();
                    }
                }
                out.push('\n');
            }
            RowKind::Reactions(list) => writeln!(out, "  reactions {list:?}").unwrap(),
            RowKind::Failed(_) | RowKind::Blank | RowKind::Day(_) | RowKind::New(_) => {}
        }
    }
    if shown.is_empty() {
        writeln!(out, "  not shown ({})", hidden(&message.body)).unwrap();
    }
    for link in message.body.links() {
        writeln!(out, "  link {}", link.as_str()).unwrap();
    }
    if message.mentions_me {
        out.push_str("  mentions me\n");
    }
    if let Some(mark) = &message.edit_of {
        writeln!(out, "  edit of {}", mark.id).unwrap();
    }
    out
}

fn hidden(body: &MessageBody) -> &'static str {
    match body {
        MessageBody::Hidden => "signal",
        MessageBody::Deletes(_) => "deletes another",
        _ => "part of another",
    }
}

#[test]
fn every_fixture_is_drawn_as_accepted() {
    let cases = cases();
    assert!(cases.len() >= 100, "the corpus is there");
    let mut out = String::new();
    for (name, json) in &cases {
        writeln!(out, "{name}\n{}", picture(&read(json), json)).unwrap();
    }
    insta::assert_snapshot!("corpus", out);
}

#[test]
fn no_fixture_shows_a_raw_tag_an_escape_or_a_row_that_is_too_wide() {
    for (name, json) in cases() {
        let message = read(&json);
        for columns in [20, 40, 80, 120] {
            let app = app(&message, &json, columns);
            let visible = &app.model.view.visible;
            let pane = visible.layout.and_then(|a| a.messages).unwrap();
            for row in &visible.messages.rows {
                let RowKind::Text { rows, index, .. } = &row.kind else { continue };
                let line = &rows[*index];
                let text: String = line.pieces.iter().map(|p| p.text.as_str()).collect();
                assert!(!text.chars().any(char::is_control), "{name}: {text:?}");
                let used = skchat::model::text::width(&text) + line.indent + line.quotes * 2;
                assert!(used <= usize::from(pane.width), "{name} at {columns}: {text:?}");
                for tag in ["</", "<b>", "<URIObject", "<ss ", "<quote", "itemtype", "<part"] {
                    let literal = message.body.text(&|id| SafeText::line(id.bare()));
                    let typed = name.starts_with("text_") || name.contains("literal");
                    assert!(typed || !text.contains(tag), "{name}: {text:?} of {literal:?}");
                }
            }
        }
    }
}

/// Fixtures in which people typed something like an id, a number or a tag, or which are malicious on purpose.
fn is_typed(name: &str) -> bool {
    ["text_", "hostile_", "broken_"].iter().any(|prefix| name.starts_with(prefix))
        || [
            "literal",
            "unknown_type_hostile",
            "poll_uriobject",
            "lone_angle",
            "entities",
            "script_and_style",
        ]
        .iter()
        .any(|part| name.contains(part))
}

#[test]
fn no_line_shows_an_id_a_long_number_a_brace_or_a_tag() {
    for (name, json) in cases().iter().filter(|(name, _)| !is_typed(name)) {
        let names = |id: &UserId| match id.as_str() {
            "8:joe.4" => SafeText::line("Joe Bloggs"),
            _ => SafeText::line("Somebody"),
        };
        let shown = read(json).body.text(&names);
        for word in shown.split_whitespace().filter(|word| !word.contains("://")) {
            let digits = word.chars().filter(char::is_ascii_digit).count();
            assert!(digits < 13 || word.contains('+'), "{name} has a number: {shown:?}");
            let is_id =
                ["8:", "19:", "28:", "48:", "live:.cid."].iter().any(|id| word.starts_with(id));
            assert!(!is_id, "{name} has an id: {shown:?}");
        }
        let code = name.contains("code") || name.contains("pre_");
        assert!(code || !shown.contains(['{', '}']), "{name} has a brace: {shown:?}");
        let is_tag =
            |at: usize| shown[at + 1..].starts_with(|c: char| c.is_ascii_alphabetic() || c == '/');
        let tag = shown.match_indices('<').any(|(at, _)| is_tag(at));
        // Typed as text.
        let typed = ["richtext_quote_legacy_unix_seconds", "topic_update_escaped_value"];
        assert!(
            !tag || typed.contains(&name.as_str()) || name.contains("unknown_tag"),
            "{name} has a tag: {shown:?}"
        );
    }
}

#[test]
fn no_fixture_is_an_empty_row() {
    for (name, json) in cases() {
        let message = read(&json);
        let hidden = matches!(message.body, MessageBody::Hidden | MessageBody::Deletes(_));
        let shown = message.body.text(&|id| SafeText::line(id.bare()));
        assert!(hidden || !shown.trim().is_empty(), "{name}");
    }
}

/// Tags that are opened and never closed.
const OPEN: [&str; 24] = [
    "<b>",
    "<i>",
    "<u>",
    "<s>",
    "<pre>",
    "<center>",
    "<ss type=\"smile\">",
    "<ss type=\"nosuch\">",
    "<ss type=\"smile\" alt=\"x\">",
    "<legacyquote>",
    "<quote author=\"mia\" authorname=\"Mia\">",
    "<context>",
    "<at id=\"8:mia.tan\">",
    "<a href=\"https://a.example\">",
    "<span style=\"font-weight: bold\">",
    "<h2>",
    "<p>",
    "<li>",
    "<td>",
    "<e_m ts=\"1\">",
    "<emoji alt=\"x\">",
    "<bing-response>",
    "<attribution>",
    "<span style=\"display:none\">",
];

proptest::proptest! {
    /// Objects of any shape in place of a string.
    #[test]
    fn an_object_as_content_shows_its_words_and_no_brace_id_or_number(
        shape in proptest::collection::vec((0usize..4, 0usize..5), 1..8), kind in 0usize..4,
    ) {
        let mut content = serde_json::json!({ "id": "8:joe.4", "at": 1_700_000_000_123_u64 });
        let mut words = Vec::new();
        for (n, (how, key)) in shape.into_iter().enumerate() {
            let word = format!("word{n}");
            let key = ["text", "title", "body", "value", "Summary"][key];
            let inner = match how {
                0 => serde_json::json!({ key: word }),
                1 => serde_json::json!([{ key: word, "type": "x" }, 1_700_000_000_123_u64]),
                2 => serde_json::json!({ key: { "text": word }, "mri": "8:mia.5" }),
                _ => serde_json::json!({ "inner": [{ key: [word.clone()] }] }),
            };
            words.push(format!("word{n}"));
            content[format!("part{n}")] = inner;
        }
        let kind = ["Text", "RichText", "RichText/Html", ""][kind];
        let item = serde_json::json!({
            "id": "1600000000000", "messagetype": kind, "content": content, "from": "8:joe.4",
        });
        let shown = read(&item.to_string()).body.text(&|id| SafeText::line(id.bare()));
        for word in words {
            proptest::prop_assert!(shown.contains(&word), "{}: {} is {}", kind, content, shown);
        }
        proptest::prop_assert!(!shown.contains(['{', '}', '[', ']', ':']), "{}: {}", kind, shown);
        proptest::prop_assert!(!shown.contains("1700000000123"), "{}: {}", kind, shown);
    }

    #[test]
    fn no_visible_word_is_lost_in_markup_that_is_not_closed(tags in proptest::collection::vec(0..OPEN.len(), 1..12)) {
        let mut content = String::from("word0");
        for (n, tag) in tags.iter().enumerate() {
            content.push_str(&format!(" {}word{} more{}", OPEN[*tag], n + 1, n + 1));
        }
        for kind in ["RichText", "RichText/Html"] {
            let item = serde_json::json!({
                "id": "1600000000000", "messagetype": kind, "content": content, "from": "8:joe.4",
            });
            let body = read(&item.to_string()).body;
            let mut body = body;
            body.show_emoji(skchat::model::EmojiStyle::Glyph, skchat::model::EmojiWidth::Cluster);
            let shown = body.text(&|id| SafeText::line(id.bare()));
            for n in 0..=tags.len() {
                proptest::prop_assert!(shown.contains(&format!("word{n}")), "{}: {} is {}", kind, content, shown);
            }
            for n in 1..=tags.len() {
                proptest::prop_assert!(shown.contains(&format!("more{n}")), "{}: {} is {}", kind, content, shown);
            }
        }
    }
}
