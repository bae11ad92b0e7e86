use super::*;
use crate::app::keymap::Context;
use crate::app::layout::Size;
use crate::app::overlay::Overlay;
use crate::app::state::Prefs;
use crate::app::{Input, update};
use crate::config::builtin_keymap;
use crate::model::{
    ConnectionState, Conversation, Delivery, Delta, Message, MessageBody, MessageKey, NameSource,
    Now, Page, SafeText, Timestamp, UserId,
};
use crate::protocol::richtext;
use proptest::prelude::*;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use std::sync::Arc;
use std::time::Duration;

const CHAT: &str = "8:joe.4";

fn theme(depth: ColorDepth) -> Theme {
    Theme::new(include_str!("../../assets/theme.toml"), depth, false).unwrap()
}

fn model(columns: u16, rows: u16, markup: &[&str]) -> Model {
    let prefs = Prefs {
        demo: true,
        ..Prefs::plain(UserId::new("8:anna.7"), Arc::new(builtin_keymap().unwrap()))
    };
    let now = Now { wall: Timestamp(1_700_000_900_000), mono: Duration::from_secs(1) };
    let mut model = Model::new(prefs, Size { columns, rows });
    let mut conversation = Conversation::empty(CHAT.into());
    conversation.activity = Timestamp(1);
    let messages = (0i64..).zip(markup).map(|(n, markup)| {
        let at = Timestamp(1_700_000_000_000 + n * 60_000);
        Message {
            key: MessageKey::server(at, &at.0.to_string()),
            client_id: None,
            sender: UserId::new(CHAT),
            sender_name: None,
            at,
            version: 1,
            body: MessageBody::Text(richtext::parse(markup)),
            edited: None,
            edit_of: None,
            mentions_me: false,
            reactions: Vec::new(),
            delivery: Delivery::Sent,
        }
    });
    let names = vec![(UserId::new(CHAT), NameSource::Profile, SafeText::line("Joe Bloggs"))];
    for delta in [
        Delta::Names(names),
        Delta::Conversations(vec![conversation]),
        Delta::Messages {
            conversation: CHAT.into(),
            messages: messages.collect(),
            page: Page::Newest,
        },
        Delta::Connection(ConnectionState::Online),
    ] {
        update(&mut model, Input::Delta(delta), now);
    }
    model.view.layout(&model.app);
    model
}

fn paint(screen: &mut Screen, model: &Model, depth: ColorDepth) -> Buffer {
    let size = model.view.size;
    let mut terminal = Terminal::new(TestBackend::new(size.columns, size.rows)).unwrap();
    terminal.draw(|frame| screen.draw(model, &theme(depth), frame)).unwrap();
    terminal.backend().buffer().clone()
}

/// The rows of the message pane that hold text, with a letter for each style in front of a run.
fn styles(buffer: &Buffer, from: &str) -> String {
    use ratatui::style::Modifier;
    let width = usize::from(buffer.area.width);
    let row = buffer.content.chunks(width).find(|row| {
        row.iter().map(ratatui::buffer::Cell::symbol).collect::<String>().contains(from)
    });
    let mut out = String::new();
    let mut last = None;
    for cell in row.unwrap().iter().skip(22 + 8) {
        let mut style = String::new();
        for (modifier, letter) in [
            (Modifier::BOLD, 'b'),
            (Modifier::ITALIC, 'i'),
            (Modifier::UNDERLINED, 'u'),
            (Modifier::CROSSED_OUT, 's'),
            (Modifier::DIM, 'd'),
            (Modifier::SLOW_BLINK, 'k'),
        ] {
            if cell.modifier.contains(modifier) {
                style.push(letter);
            }
        }
        if cell.fg != ratatui::style::Color::Reset {
            style.push_str(&format!("{:?}", cell.fg).to_lowercase());
        }
        if last.as_ref() != Some(&style) {
            out.push_str(&format!("<{style}>"));
            last = Some(style);
        }
        out.push_str(cell.symbol());
    }
    out.trim_end().trim_end_matches("<>").to_owned()
}

#[test]
fn a_conversation_at_eighty_columns() {
    let long = "A line that is long enough to be wrapped at this width, and then some more.";
    let model = model(
        80,
        14,
        &["Hello <b>there</b>", long, "<quote author=\"x\" authorname=\"Mia\">Who?</quote>You"],
    );
    let buffer = paint(&mut Screen::default(), &model, ColorDepth::True);
    let text: Vec<String> = buffer
        .content
        .chunks(80)
        .map(|row| {
            row.iter().map(ratatui::buffer::Cell::symbol).collect::<String>().trim_end().to_owned()
        })
        .collect();
    insta::assert_snapshot!(text.join("\n"), @"
    ▌Joe Bloggs    22:15 │ Joe Bloggs
                         │
                         │
                         │
                         │───────────────────────── Today ──────────────────────────
                         │ 22:13  Joe Bloggs
                         │        Hello there
                         │ 22:14  A line that is long enough to be wrapped at
                         │        this width, and then some more.
                         │ 22:15  ┃ Mia: Who?
                         │        You
    ─────────────────────┴──────────────────────────────────────────────────────────
     To Joe Bloggs ›
     ⏎ send  M-⏎ new line  M-↑↓ chats  C-k find  M-a unread  C-↑ select        live
    ");
}

/// The rows of the reference page's table of tags, and how each is drawn: in full colour, and without any.
const TABLE: [(&str, &str, &str, &str); 11] = [
    ("<b>Bold</b>", "Bold", "<b>Bold", "<b>Bold"),
    ("<i>Italic</i>", "Italic", "<i>Italic", "<i>Italic"),
    ("<u>Underline</u>", "Underline", "<u>Underline", "<u>Underline"),
    ("<s>Strikethrough</s>", "Strikethrough", "<s>Strikethrough", "<s>Strikethrough"),
    ("<font color=\"#ff0000\">Colour</font>", "Colour", "<rgb(255, 0, 0)>Colour", "<>Colour"),
    ("<font size=\"24\">Size</font>", "Size", "<b>Size", "<b>Size"),
    ("<blink>Blink</blink>", "Blink", "<k>Blink", "<k>Blink"),
    (
        "<center>Centre</center>",
        "Centre",
        "<>                    Centre",
        "<>                    Centre",
    ),
    (
        "<a href=\"http://google.com\">http://google.com</a>",
        "http://google.com",
        "<ublue>http://google.com",
        "<u>http://google.com",
    ),
    (
        "<a href=\"http://google.com\">Custom link</a>",
        "Custom link",
        "<ublue>Custom link<udblue> [google.com]",
        "<u>Custom link<ud> [google.com]",
    ),
    ("<pre>Preformatted</pre>", "Preformatted", "<green>Preformatted", "<>Preformatted"),
];

fn painted(markup: &str, depth: ColorDepth, blink: bool) -> Buffer {
    let model = model(80, 24, &[markup]);
    let theme = Theme::new(include_str!("../../assets/theme.toml"), depth, blink).unwrap();
    let mut terminal = Terminal::new(TestBackend::new(80, 24)).unwrap();
    terminal.draw(|frame| Screen::default().draw(&model, &theme, frame)).unwrap();
    terminal.backend().buffer().clone()
}

#[test]
fn the_reference_pages_table_is_answered_in_full() {
    let readme = include_str!("../../README.md");
    for (markup, text, colour, plain) in TABLE {
        assert_eq!(styles(&painted(markup, ColorDepth::True, true), text), colour, "{markup}");
        assert_eq!(styles(&painted(markup, ColorDepth::None, true), text), plain, "{markup}");
        assert!(readme.contains(&format!("| `{markup}` |")), "the README has no row for {markup}");
    }
    let rows = readme.lines().filter(|l| l.starts_with("| `<")).count();
    assert_eq!(rows, TABLE.len(), "every row of the README is tested");
}

#[test]
fn blink_can_be_switched_off_and_is_emphasis_then() {
    assert_eq!(styles(&painted("<blink>x</blink>", ColorDepth::True, false), "x"), "<b>x");
}

#[test]
fn colours_stay_readable_and_degrade() {
    let of = |color: &str, depth| {
        let markup = format!("<font color=\"{color}\">tint</font>");
        styles(&painted(&markup, depth, false), "tint")
    };
    // Black and white would vanish on one background or the other.
    assert_eq!(of("#000000", ColorDepth::True), "<rgb(80, 80, 80)>tint");
    assert_eq!(of("#ffffff", ColorDepth::True), "<rgb(187, 187, 187)>tint");
    assert_eq!(of("#ff8000", ColorDepth::Indexed), "<indexed(208)>tint");
    assert_eq!(of("#ff0000", ColorDepth::Sixteen), "<red>tint");
    assert_eq!(of("#ffffff", ColorDepth::Sixteen), "<>tint");
    assert_eq!(of("#ff0000", ColorDepth::None), "<>tint");
}

#[test]
fn the_pages_tags_are_styles() {
    let markup = "<b>b</b><i>i</i><u>u</u><s>s</s><font color=\"#ff0000\">c</font>";
    let model = model(80, 24, &[markup]);
    let buffer = paint(&mut Screen::default(), &model, ColorDepth::True);
    assert_eq!(styles(&buffer, "biusc"), "<b>b<i>i<u>u<s>s<rgb(255, 0, 0)>c");
    let buffer = paint(&mut Screen::default(), &model, ColorDepth::None);
    assert_eq!(styles(&buffer, "biusc"), "<b>b<i>i<u>u<s>s<>c");
}

proptest! {
    #[test]
    fn a_warm_and_a_fresh_screen_paint_the_same(turns in proptest::collection::vec(0u8..6, 1..12)) {
        let mut warm = Screen::default();
        let mut model = model(80, 24, &["one", "two <b>three</b>", "あいう"]);
        for turn in turns {
            match turn {
                0 => model.view.resize(Size { columns: 40, rows: 12 }),
                1 => model.view.resize(Size { columns: 120, rows: 40 }),
                2 => model.app.overlay = Some(Overlay::help(Context::Compose)),
                3 => model.app.overlay = None,
                4 => model.app.note("something"),
                _ => model.app.focus = crate::app::Focus::List,
            }
            model.view.layout(&model.app);
            let painted = paint(&mut warm, &model, ColorDepth::True);
            prop_assert_eq!(painted, paint(&mut Screen::default(), &model, ColorDepth::True));
        }
    }

    #[test]
    fn any_size_paints_and_no_cell_holds_a_control_character(
        columns in 1u16..140, rows in 1u16..50, markup in any::<String>(), dialog in 0u8..4,
    ) {
        let mut model = model(columns, rows, &[&markup, "x"]);
        model.app.overlay = match dialog {
            0 => Some(Overlay::help(Context::Compose)),
            1 => Some(Overlay::switcher(&model.app)),
            2 => Some(crate::app::overlay::Overlay::palette()),
            _ => None,
        };
        model.view.layout(&model.app);
        let buffer = paint(&mut Screen::default(), &model, ColorDepth::True);
        prop_assert!(buffer.content.iter().all(|cell| !cell.symbol().chars().any(char::is_control)));
    }
}

/// A group with everything a server may tell of it, and its settings open.
fn group_model(columns: u16, rows: u16) -> Model {
    use crate::app::Effect;
    use crate::app::group::JoinUrlState;
    use crate::app::thread_overlay::ThreadOverlay;
    use crate::model::{Fault, Member, Request, Response, Role, ThreadFlag, ThreadSettings};
    let mut model = model(columns, rows, &["one"]);
    let now = Now { wall: Timestamp(1_700_000_900_000), mono: Duration::from_secs(2) };
    let id: crate::model::ConversationId = "19:kitchen@thread.skype".into();
    let member = |id: &str, role| Member { id: UserId::new(id), role, ..Member::default() };
    let mut group = Conversation::empty(id.clone());
    group.activity = Timestamp(1_700_000_100_000);
    let settings = ThreadSettings {
        topic: Some(SafeText::line("Oven day")),
        joining_enabled: Some(true),
        history_disclosed: Some(true),
        creator: Some(UserId::new("8:anna.7")),
        created: Some(Timestamp(1_700_000_000_000)),
        ..ThreadSettings::default()
    };
    let names = [("8:anna.7", "Anna"), ("8:mia.tan", "Mia Tan")]
        .map(|(id, name)| (UserId::new(id), NameSource::Profile, SafeText::line(name)));
    for delta in [
        Delta::Names(names.into()),
        Delta::Conversations(vec![group]),
        Delta::Members {
            conversation: id.clone(),
            members: vec![
                member("8:anna.7", Role::Admin),
                member(CHAT, Role::User),
                member("8:mia.tan", Role::Admin),
            ],
        },
        Delta::Settings { conversation: id.clone(), settings },
    ] {
        update(&mut model, Input::Delta(delta), now);
    }
    model.app.conversations.ensure(&id).group.url =
        JoinUrlState::Known(SafeText::line("https://join.example/AbC123"));
    crate::app::update(
        &mut model,
        Input::Action(crate::app::Action::List(crate::app::ListAction::Next)),
        now,
    );
    if model.app.open.as_ref() != Some(&id) {
        let back = crate::app::Action::List(crate::app::ListAction::Previous);
        update(&mut model, Input::Action(back), now);
    }
    // History was refused; the alerts are on their way.
    let toggle =
        |flag| Input::Action(crate::app::Action::Thread(crate::app::ThreadAction::Toggle(flag)));
    let effects = update(&mut model, toggle(ThreadFlag::HistoryDisclosed), now);
    let ticket = effects.iter().find_map(|effect| match effect {
        Effect::Request(request) => match &**request {
            Request::Thread { ticket, .. } => Some(*ticket),
            _ => None,
        },
        _ => None,
    });
    let response =
        Response::Done(Err(Fault::new(crate::model::FaultKind::NotAllowed, "not allowed (403)")));
    let delta = Delta::Response { ticket: ticket.unwrap(), response };
    update(&mut model, Input::Delta(delta), now);
    update(&mut model, toggle(ThreadFlag::Alerts), now);
    model.app.toasts.clear();
    model.app.overlay = Some(Overlay::Thread(ThreadOverlay::Settings { marked: 1 }));
    model.view.layout(&model.app);
    model
}

fn lines(buffer: &Buffer) -> String {
    let width = usize::from(buffer.area.width);
    let row = |row: &[ratatui::buffer::Cell]| {
        row.iter().map(ratatui::buffer::Cell::symbol).collect::<String>().trim_end().to_owned()
    };
    buffer.content.chunks(width).map(row).collect::<Vec<_>>().join("\n")
}

#[test]
fn conversation_settings_at_eighty_columns() {
    let model = group_model(80, 24);
    let buffer = paint(&mut Screen::default(), &model, ColorDepth::None);
    insta::assert_snapshot!(lines(&buffer), @"
     skchat  ● Anna   DEMO                                                     live
    ▌Oven day      22:15 │ Oven day                3 members · link on · history on
     J┌─ Conversation settings ─ Oven day ───────────────────────────────────────┐
      │ t  Topic             Oven day                                       edit │
      │ l  Joining by link   [x] on                                       toggle │
      │ u  Join URL          https://join.example/AbC123                copy, QR │
      │ h  History for new   [x] shown (history disclosed)                toggle │
      │ m  Members           3 · 2 admins                                   open │
      │ n  Alerts            [ ] off (muted)                            saving ↑ │
      │ p  Pinned to the top [ ] no                                       toggle │
      │    Created by        You (8:anna.7)                                 copy │
      │    Created           Today 22:13                                    copy │
      │ q  Leave             …                                        asks first │
      │ d  Delete history    for this account only                    asks first │
      │                                                                          │
      │ Server: history refused: not allowed (403) 22:28 !                       │
      │         alerts: saving ↑                                                 │
      │ You are admin.                                                           │
      └─ ↑↓ move · Enter or letter changes · Esc closes ─────────────────────────┘
                         │
                         │
    ─────────────────────┴──────────────────────────────────────────────────────────
     To Oven day ›
     ⏎ choose  Esc close
    ");
}

#[test]
fn conversation_settings_beside_three_panes() {
    let model = group_model(120, 40);
    let buffer = paint(&mut Screen::default(), &model, ColorDepth::None);
    insta::assert_snapshot!(lines(&buffer), @"
     skchat  ● Anna   DEMO                                                                                             live
    ▌Oven day             22:15 │ Oven day                   3 members · link on · history on │ Oven day
    ▌                           │                                                             │ group · 3 members
     Joe Bloggs           22:13 │                                                             │
       one                      │                                                             │ Topic      Oven day
                                │                                                             │ Join link  on
                                │                                                             │ History    shown to new
                          ┌─ Conversation settings ─ Oven day ───────────────────────────────────────┐     off ↑
                          │ t  Topic             Oven day                                       edit │
                          │ l  Joining by link   [x] on                                       toggle │S
                          │ u  Join URL          https://join.example/AbC123                copy, QR │                admin
                          │ h  History for new   [x] shown (history disclosed)                toggle │n               admin
                          │ m  Members           3 · 2 admins                                   open │oggs             user
                          │ n  Alerts            [ ] off (muted)                            saving ↑ │
                          │ p  Pinned to the top [ ] no                                       toggle │its · F2 hides this
                          │    Created by        You (8:anna.7)                                 copy │
                          │    Created           Today 22:13                                    copy │
                          │ q  Leave             …                                        asks first │
                          │ d  Delete history    for this account only                    asks first │
                          │                                                                          │
                          │ Server: history refused: not allowed (403) 22:28 !                       │
                          │         alerts: saving ↑                                                 │
                          │ You are admin.                                                           │
                          └─ ↑↓ move · Enter or letter changes · Esc closes ─────────────────────────┘
                                │                                                             │
                                │                                                             │
                                │                                                             │
                                │                                                             │
                                │                                                             │
                                │                                                             │
                                │                                                             │
                                │                                                             │
                                │                                                             │
                                │                                                             │
                                │                                                             │
                                │                                                             │
                                │                                                             │
    ────────────────────────────┴─────────────────────────────────────────────────────────────┴─────────────────────────────
     To Oven day ›
     ⏎ choose  Esc close
    ");
    let mut closed = group_model(120, 40);
    closed.app.overlay = None;
    closed.view.layout(&closed.app);
    let buffer = paint(&mut Screen::default(), &closed, ColorDepth::None);
    insta::assert_snapshot!(lines(&buffer), @"
     skchat  ● Anna   DEMO                                                                                             live
    ▌Oven day             22:15 │ Oven day                   3 members · link on · history on │ Oven day
    ▌                           │                                                             │ group · 3 members
     Joe Bloggs           22:13 │                                                             │
       one                      │                                                             │ Topic      Oven day
                                │                                                             │ Join link  on
                                │                                                             │ History    shown to new
                                │                                                             │ Alerts     off ↑
                                │                                                             │
                                │                                                             │ MEMBERS
                                │                                                             │ You                   admin
                                │                                                             │ Mia Tan               admin
                                │                                                             │ Joe Bloggs             user
                                │                                                             │
                                │                                                             │ M-i edits · F2 hides this
                                │                                                             │
                                │                                                             │
                                │                                                             │
                                │                                                             │
                                │      Nothing here yet. Write the first message below.       │
                                │                                                             │
                                │                                                             │
                                │                                                             │
                                │                                                             │
                                │                                                             │
                                │                                                             │
                                │                                                             │
                                │                                                             │
                                │                                                             │
                                │                                                             │
                                │                                                             │
                                │                                                             │
                                │                                                             │
                                │                                                             │
                                │                                                             │
                                │                                                             │
                                │                                                             │
    ────────────────────────────┴─────────────────────────────────────────────────────────────┴─────────────────────────────
     To Oven day ›
     ⏎ send  M-⏎ new line  M-↑↓ chats  C-k find  M-a unread  C-↑ select  F1 help  C-r search  C-q quit
    ");
}

#[test]
fn the_search_shows_where_each_hit_stands() {
    use crate::app::action::OverlayAction;
    use crate::app::{Action, AppAction, Effect};
    use crate::model::search::Hit;
    use crate::model::{Findings, Request, Response};
    let mut model = model(60, 14, &["Did the oven man come?"]);
    let now = Now { wall: Timestamp(1_700_000_900_000), mono: Duration::from_secs(2) };
    let mut press = |action| update(&mut model, Input::Action(action), now);
    press(Action::App(AppAction::Search { here: false }));
    let mut effects = Vec::new();
    for c in "Öven".chars() {
        effects = press(Action::Overlay(OverlayAction::Type(c)));
    }
    let Some(Effect::Request(request)) = effects.first() else { panic!("nothing is asked") };
    let Request::Search { query, below: None, ticket } = &**request else {
        panic!("another request")
    };
    let hit = |at: i64, text: &str| {
        let key = MessageKey::server(Timestamp(at), &at.to_string());
        Hit::new(CHAT.into(), key, UserId::new(CHAT), text, &query.terms)
    };
    let hits = vec![
        hit(1_700_000_000_000, "Did the oven man come?"),
        hit(
            1_600_000_000_000,
            "He said he would repair the OVEN before noon, and then he did not come at all",
        ),
    ];
    let found = Findings { hits, next: Some(1), more: false, behind: false };
    let delta = Delta::Response { ticket: *ticket, response: Response::Found(Ok(found)) };
    update(&mut model, Input::Delta(delta), now);
    model.view.layout(&model.app);
    let buffer = paint(&mut Screen::default(), &model, ColorDepth::True);
    let text: Vec<String> = buffer
        .content
        .chunks(60)
        .map(|row| {
            row.iter().map(ratatui::buffer::Cell::symbol).collect::<String>().trim_end().to_owned()
        })
        .collect();
    insta::assert_snapshot!(text.join("\n"), @"
    ▌Joe Bloggs    22:13 │ Joe Bloggs
     ┌─ Search everywhere ────────────────────────────────────┐
     │ › Öven                                        2+ found │
     │────────────────────────────────────────────────────────│
     │ Joe Bloggs                                 Today 22:13 │
     │   Did the oven man come?                               │
     │ Joe Bloggs              Sunday 13 September 2020 12:26 │
     │   He said he would repair the OVEN before noon, and t… │
     │                                                        │─
     │                                                        │
     │                                                        │
    ─│                                                        │─
     └─ Enter opens · Tab: this chat · Esc closes ────────────┘
     ⏎ choose  Esc close                                   live
    ");
}
