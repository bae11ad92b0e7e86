use super::*;
use crate::app::Input;
use crate::app::overlay::{Help, Overlay, Palette, Switcher};
use crate::app::view::layout::Size;
use crate::fixture::{App, chat, direct, message, person};
use crate::model::{MessageBody, Placement, Reaction, RichText};
use crate::protocol::richtext;
use proptest::prelude::*;
use ratatui::Terminal;
use ratatui::backend::TestBackend;

fn theme(depth: ColorDepth) -> Theme {
    Theme::new(include_str!("../../assets/theme.toml"), depth, false).unwrap()
}

/// An app with these messages of Joe in the open chat.
fn app(columns: u16, rows: u16, markup: &[&str]) -> App {
    let mut app = direct("joe").sized(columns, rows).opened();
    let said = (0i64..).zip(markup);
    let messages =
        said.map(|(n, markup)| message("joe", n, MessageBody::Text(richtext::parse(markup))));
    app.messages(messages.collect(), Placement::Newest);
    app.layout();
    app
}

fn paint(screen: &mut Screen, model: &Model, theme: &Theme) -> Buffer {
    let size = model.view.size;
    let mut terminal = Terminal::new(TestBackend::new(size.columns, size.rows)).unwrap();
    terminal.draw(|frame| screen.draw(model, theme, frame)).unwrap();
    terminal.backend().buffer().clone()
}

fn painted(app: &App, depth: ColorDepth) -> Buffer {
    paint(&mut Screen::default(), &app.model, &theme(depth))
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
    let quote = "<quote author=\"x\" authorname=\"Mia\">Who?</quote>You";
    let mut app = app(80, 14, &["Hello <b>there</b>", long, quote]);
    insta::assert_snapshot!(app.screen(), @"
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
     Enter send  Alt-Enter new line  Alt-↑↓ chats  F1 help  Ctrl-Q quit        live
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
        "<ublue>Custom link<urgb(135, 135, 135)> [google.com]",
        "<u>Custom link<ud> [google.com]",
    ),
    ("<pre>Preformatted</pre>", "Preformatted", "<green>Preformatted", "<>Preformatted"),
];

fn tagged(markup: &str, depth: ColorDepth, blink: bool) -> Buffer {
    let theme = Theme::new(include_str!("../../assets/theme.toml"), depth, blink).unwrap();
    paint(&mut Screen::default(), &app(80, 24, &[markup]).model, &theme)
}

#[test]
fn the_reference_pages_table_is_answered_in_full() {
    let readme = include_str!("../../README.md");
    for (markup, text, colour, plain) in TABLE {
        assert_eq!(styles(&tagged(markup, ColorDepth::True, true), text), colour, "{markup}");
        assert_eq!(styles(&tagged(markup, ColorDepth::None, true), text), plain, "{markup}");
        assert!(readme.contains(&format!("| `{markup}` |")), "the README has no row for {markup}");
    }
    let rows = readme.lines().filter(|l| l.starts_with("| `<")).count();
    assert_eq!(rows, TABLE.len(), "every row of the README is tested");
}

#[test]
fn blink_can_be_switched_off_and_is_emphasis_then() {
    assert_eq!(styles(&tagged("<blink>x</blink>", ColorDepth::True, false), "x"), "<b>x");
}

#[test]
fn colours_stay_readable_and_degrade() {
    let of = |color: &str, depth| {
        let markup = format!("<font color=\"{color}\">tint</font>");
        styles(&tagged(&markup, depth, false), "tint")
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
    let app = app(80, 24, &[markup]);
    let buffer = painted(&app, ColorDepth::True);
    assert_eq!(styles(&buffer, "biusc"), "<b>b<i>i<u>u<s>s<rgb(255, 0, 0)>c");
    let buffer = painted(&app, ColorDepth::None);
    assert_eq!(styles(&buffer, "biusc"), "<b>b<i>i<u>u<s>s<>c");
}

#[test]
fn the_count_of_a_reaction_is_as_legible_as_text() {
    for depth in [ColorDepth::None, ColorDepth::Sixteen, ColorDepth::Indexed, ColorDepth::True] {
        let mut app = app(80, 24, &[]);
        let mut said = message("joe", 1, MessageBody::Text(richtext::parse("hi")));
        let users = ["mia", "bob", "zoe"].map(person).to_vec();
        said.reactions = vec![Reaction { key: "yes".into(), users }];
        app.messages(vec![said], Placement::Newest);
        app.layout();
        assert_eq!(styles(&painted(&app, depth), "👍"), "<>👍  3", "{depth:?}");
    }
}

fn help(model: &Model) -> Overlay {
    Overlay::Help(Help::new(model.context(), crate::app::commands::help()))
}

proptest! {
    #[test]
    fn a_warm_and_a_fresh_screen_paint_the_same(turns in proptest::collection::vec(0u8..6, 1..12)) {
        let mut warm = Screen::default();
        let mut app = app(80, 24, &["one", "two <b>three</b>", "あいう"]);
        for turn in turns {
            match turn {
                0 => app.resize(40, 12),
                1 => app.resize(120, 40),
                2 => {
                    let help = help(&app.model);
                    app.model.overlays.push(help);
                }
                3 => app.model.overlays.clear(&mut app.model.app),
                4 => app.model.app.note("something"),
                _ => app.model.app.set_focus(crate::app::Focus::List),
            }
            app.model.layout();
            let theme = theme(ColorDepth::True);
            let painted = paint(&mut warm, &app.model, &theme);
            prop_assert_eq!(painted, paint(&mut Screen::default(), &app.model, &theme));
        }
    }

    #[test]
    fn any_size_paints_and_no_cell_holds_a_control_character(
        columns in 1u16..140, rows in 1u16..50, markup in any::<String>(), dialog in 0u8..4,
    ) {
        let mut app = app(80, 24, &[&markup, "x"]);
        app.input(Input::Resize(Size { columns, rows }));
        let overlay = match dialog {
            0 => Some(help(&app.model)),
            1 => Some(Overlay::Switcher(Switcher::new(&app.model.app))),
            2 => Some(Overlay::Palette(Palette::default())),
            _ => None,
        };
        app.model.overlays.extend(overlay);
        let buffer = app.buffer();
        prop_assert!(buffer.content.iter().all(|cell| !cell.symbol().chars().any(char::is_control)));
    }
}

/// Suggestions are above the box and take no keys: what is behind them is not dimmed.
#[test]
fn a_warm_screen_shows_suggestions_and_what_they_covered_like_a_fresh_one() {
    let mut app = app(80, 24, &["one", "two <b>three</b>", "あいう"]);
    let (mut warm, theme) = (Screen::default(), theme(ColorDepth::True));
    for text in [":", "s", "m", " ", "x", " :", "sm", ") ", "あ"] {
        app.type_text(text);
        app.layout();
        let painted = paint(&mut warm, &app.model, &theme);
        assert_eq!(painted, paint(&mut Screen::default(), &app.model, &theme), "{text:?}");
    }
}

/// A group with everything a server may report. The history setting was refused, the alerts are being changed.
fn group(columns: u16, rows: u16) -> App {
    use crate::app::chat::JoinUrlState;
    use crate::model::{
        Delta, Fault, FaultKind, Response, SafeText, ThreadFlag, ThreadSettings, Timestamp, UserId,
    };
    let mut app = app(columns, rows, &["one"]).with_group("Oven day");
    let id: crate::model::ConversationId = "19:oven-day@thread.skype".into();
    let settings = ThreadSettings {
        topic: Some(SafeText::line("Oven day")),
        flags: [(ThreadFlag::JoiningEnabled, true), (ThreadFlag::HistoryDisclosed, true)].into(),
        creator: Some(UserId::new("8:anna.7")),
        created: Some(Timestamp(1_700_000_000_000)),
        ..ThreadSettings::default()
    };
    app.delta(Delta::Settings { conversation: id, settings });
    let mut app = app.opened();
    let url = SafeText::line("https://join.example/AbC123");
    app.model.app.with_open(|chat, _| chat.group.url = JoinUrlState::Known(url));
    app.press("alt-h y");
    app.answer(Response::Done(Err(Fault::new(FaultKind::NotAllowed, "not allowed (403)"))));
    app.press("alt-m");
    app.model.app.notes.clear();
    app
}

#[test]
fn conversation_settings_at_eighty_columns() {
    let mut app = group(80, 24);
    app.press("alt-i down");
    insta::assert_snapshot!(app.screen(), @"
     skchat  ● Anna Lindqvist                                                  live
     Joe Bloggs    22:13 │ Oven day                 Joe Bloggs, Mia Tan · 3 members
    ▌O┌─ Chat settings ─ Oven day ───────────────────────────────────────────────┐
      │ t  Topic                    Oven day                                edit │
      │ l  Joining by link          [x] on                                toggle │
      │ u  Join URL                 https://join.example/AbC123         copy, QR │
      │ h  History for new members  [x] visible                           toggle │
      │ m  Members                  3 · 1 admin                             open │
      │ n  Alerts                   [ ] off (muted)                     saving ↑ │
      │ p  Pinned to the top        [ ] no                                toggle │
      │    Created by               You (8:anna.7)                          copy │
      │    Created                  Today 22:13                             copy │
      │ q  Leave                    this group                        asks first │
      │ d  Delete history           only for you                      asks first │
      │                                                                          │
      │ Server: history refused: not allowed (403) 22:13 !                       │
      │         alerts: saving ↑                                                 │
      │ You are an admin.                                                        │
      └─ Enter or letter changes · Esc closes · ↑↓ move ─────────────────────────┘
                         │
                         │
    ─────────────────────┴──────────────────────────────────────────────────────────
     To Oven day ›
     Enter choose  F1 help  Ctrl-Q quit  Esc close
    ");
}

#[test]
fn conversation_settings_beside_three_panes() {
    let mut app = group(120, 40);
    app.press("alt-i down");
    insta::assert_snapshot!(app.screen(), @"
     skchat  ● Anna Lindqvist                                                                                          live
     Joe Bloggs           22:13 │ Oven day                    Joe Bloggs, Mia Tan · 3 members │ Oven day
       one                      │                                                             │ group · 3 members
    ▌Oven day              1970 │                                                             │
    ▌                           │                                                             │ Topic      Oven day
                                │                                                             │ Join link  on
                                │                                                             │ History    visible
                          ┌─ Chat settings ─ Oven day ───────────────────────────────────────────────┐     off ↑
                          │ t  Topic                    Oven day                                edit │
                          │ l  Joining by link          [x] on                                toggle │S
                          │ u  Join URL                 https://join.example/AbC123         copy, QR │                admin
                          │ h  History for new members  [x] visible                           toggle │oggs             user
                          │ m  Members                  3 · 1 admin                             open │n                user
                          │ n  Alerts                   [ ] off (muted)                     saving ↑ │
                          │ p  Pinned to the top        [ ] no                                toggle │edits · F2 hides this
                          │    Created by               You (8:anna.7)                          copy │
                          │    Created                  Today 22:13                             copy │
                          │ q  Leave                    this group                        asks first │
                          │ d  Delete history           only for you                      asks first │
                          │                                                                          │
                          │ Server: history refused: not allowed (403) 22:13 !                       │
                          │         alerts: saving ↑                                                 │
                          │ You are an admin.                                                        │
                          └─ Enter or letter changes · Esc closes · ↑↓ move ─────────────────────────┘
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
     Enter choose  F1 help  Ctrl-Q quit  Esc close
    ");
    app.press("esc");
    insta::assert_snapshot!(app.screen(), @"
     skchat  ● Anna Lindqvist                                                                                          live
     Joe Bloggs           22:13 │ Oven day                    Joe Bloggs, Mia Tan · 3 members │ Oven day
       one                      │                                                             │ group · 3 members
    ▌Oven day              1970 │                                                             │
    ▌                           │                                                             │ Topic      Oven day
                                │                                                             │ Join link  on
                                │                                                             │ History    visible
                                │                                                             │ Alerts     off ↑
                                │                                                             │
                                │                                                             │ MEMBERS
                                │                                                             │ You                   admin
                                │                                                             │ Joe Bloggs             user
                                │                                                             │ Mia Tan                user
                                │                                                             │
                                │                                                             │ Alt-I edits · F2 hides this
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
     Enter send  Alt-Enter new line  Alt-↑↓ chats  Ctrl-K find  Alt-A unread  Ctrl-↑ select  F1 help  Ctrl-Q quit
    ");
}

#[test]
fn the_search_shows_where_each_hit_stands() {
    use crate::model::search::{Hit, SearchPosition};
    use crate::model::{Findings, MessageKey, Response, Timestamp, UserId};
    let mut app = app(60, 14, &["Did the oven man come?"]);
    app.press("ctrl-r");
    app.type_text("Öven");
    let hit = |at: i64, text: &str| {
        let key = MessageKey::server(Timestamp(at), &at.to_string());
        Hit::new("8:joe.4".into(), key, UserId::new("8:joe.4"), text, &["oven".to_owned()])
    };
    let hits = vec![
        hit(1_700_000_000_000, "Did the oven man come?"),
        hit(
            1_600_000_000_000,
            "He said he would repair the OVEN before noon, and then he did not come at all",
        ),
    ];
    let found = Findings {
        hits,
        next: Some(SearchPosition { at: 1, place: 1 }),
        more: false,
        behind: false,
    };
    app.answer(Response::Found(Ok(found)));
    insta::assert_snapshot!(app.screen(), @"
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
     Enter choose  F1 help  Ctrl-Q quit  Esc close         live
    ");
}

#[test]
fn another_theme_is_on_the_whole_screen_at_once_and_changes_back() {
    let themes = crate::ui::Themes::built_in(ColorDepth::True, false).unwrap();
    let app = app(80, 24, &["hello"]);
    let mut screen = Screen::default();
    let first = paint(&mut screen, &app.model, themes.of("default"));
    let nord = paint(&mut screen, &app.model, themes.of("nord"));
    assert_eq!(nord, paint(&mut Screen::default(), &app.model, themes.of("nord")));
    let background = ratatui::style::Color::Rgb(0x2e, 0x34, 0x40);
    let stands_on = nord.content.iter().filter(|cell| cell.bg == background).count();
    assert!(stands_on > 80 * 20, "{stands_on}");
    assert!(first.content.iter().all(|cell| cell.bg != background));
    assert_eq!(first, paint(&mut screen, &app.model, themes.of("default")));
}

#[test]
fn what_stands_behind_a_dialog_is_dimmed_and_is_not_after_it() {
    use ratatui::style::Modifier;
    let theme = theme(ColorDepth::True);
    let mut app = app(80, 24, &["hello"]);
    let mut screen = Screen::default();
    let before = paint(&mut screen, &app.model, &theme);
    app.press("f1");
    let behind = paint(&mut screen, &app.model, &theme);
    assert_eq!(behind, paint(&mut Screen::default(), &app.model, &theme));
    let dim = |buffer: &Buffer, x, y| buffer[(x, y)].modifier.contains(Modifier::DIM);
    assert!(dim(&behind, 1, 0) && !dim(&before, 1, 0), "the top bar");
    assert!(!behind[(1, 0)].modifier.contains(Modifier::BOLD));
    let area = app.model.dialog.as_ref().unwrap().area;
    let inside = (area.x + 2..area.x + area.width - 2).any(|x| !dim(&behind, x, area.y + 1));
    assert!(inside, "the dialog itself is not dimmed");
    app.press("esc");
    assert_eq!(before, paint(&mut screen, &app.model, &theme));
}

#[test]
fn long_lines_end_at_a_hundred_columns() {
    let words = "word ".repeat(80);
    let mut app = app(220, 40, &[]);
    app.type_text(&words);
    app.press("enter");
    let screen = app.screen();
    // The pane between the list and the details.
    let pane = screen.lines().filter_map(|line| line.split('│').nth(1));
    let rows: Vec<&str> = pane.filter(|line| line.contains("word word")).collect();
    let left = rows.first().expect("the text").find("word").unwrap();
    let text = rows.iter().map(|row| row.rfind("word").unwrap() + 4 - left).max().unwrap();
    assert!((90..=100).contains(&text), "{text}\n{screen}");
    // There is room for the delivery mark beside the text, and nothing is further right.
    let end = rows.iter().map(|row| row.trim_end().chars().count()).max().unwrap();
    assert!((left + text..=left + 103).contains(&end), "{end}\n{screen}");
}

#[test]
fn two_people_of_a_chat_never_have_names_of_one_colour() {
    for depth in [ColorDepth::Sixteen, ColorDepth::Indexed, ColorDepth::True] {
        let mut app = chat("Team").sized(100, 40).opened();
        let people = ["joe", "mia", "8:a.1", "8:b.2", "8:c.3", "8:d.4"];
        let said = (0..)
            .zip(people)
            .map(|(n, who)| message(who, n, MessageBody::Text(RichText::plain("word"))));
        app.messages(said.collect(), Placement::Newest);
        app.layout();
        let buffer = painted(&app, depth);
        let width = usize::from(buffer.area.width);
        let rows = buffer.content.chunks(width);
        // A name is beside a time, above each text.
        let names = rows.filter(|row| row[30].symbol() != " " && row[37].symbol() != " ");
        let colors: std::collections::HashSet<ratatui::style::Color> =
            names.map(|row| row[37].fg).collect();
        assert!(colors.len() >= people.len(), "{depth:?}: {colors:?}\n{}", app.screen());
    }
}
