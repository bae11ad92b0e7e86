//! What must hold for any input. The properties of `cargo test` and the fuzz targets call the same functions.

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use skchat::app::layout::Size;
use skchat::app::state::Prefs;
use skchat::app::{Input, Model, update};
use skchat::config::builtin_keymap;
use skchat::model::text::width;
use skchat::model::{
    Block, Conversation, Delta, Message, NameSource, Now, Page, RichText, SafeText, Timestamp,
    UserId, composer_markup,
};
use skchat::protocol::encode::markup;
use skchat::protocol::{decode, html, richtext, wire};
use skchat::ui::{ColorDepth, Screen, Theme};
use std::sync::Arc;
use std::time::Duration;

const CHAT: &str = "19:kitchen@thread.skype";

/// Markup of any kind reads, holds nothing that acts on a terminal, and loses no letter when it is written back.
pub fn markup_holds(text: &str) {
    let read = richtext::parse(text);
    clean(&read);
    // Broken markup may need a second round to become regular; no letter is lost on the way.
    let once = richtext::parse(&markup::write(&read));
    let letters = |rich: &RichText| -> String {
        let text = rich.plain_text();
        text.chars().filter(|c| c.is_alphanumeric()).collect()
    };
    if read.links().is_empty() && once.links().is_empty() {
        assert_eq!(letters(&once), letters(&read), "{text:?}");
    }
    clean(&html::parse(text, &[]));
    let typed = composer_markup::read(text, &[]);
    clean(&typed);
    if let Some((again, mentions)) = composer_markup::write(&typed) {
        let twice = composer_markup::read(&again, &mentions);
        assert_eq!(composer_markup::write(&twice).map(|(text, _)| text), Some(again));
    }
}

fn clean(rich: &RichText) {
    fn blocks(list: &[Block]) {
        for block in list {
            match block {
                Block::Paragraph { spans, .. } => spans.iter().for_each(|s| sane(&s.text)),
                Block::Quote { body, .. } => blocks(body),
                Block::Code(code) => sane(code),
            }
        }
    }
    blocks(&rich.blocks);
    rich.plain_text();
    rich.links();
}

fn sane(text: &SafeText) {
    let bad = |c: char| {
        (c.is_control() && c != '\n')
            || matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{200B}' | '\u{FEFF}')
    };
    assert!(!text.chars().any(bad), "{text:?}");
}

/// Cleaning leaves nothing that acts, and cleaning again changes nothing.
pub fn sanitiser_holds(text: &str) {
    for once in [SafeText::text(text), SafeText::line(text)] {
        sane(&once);
        assert_eq!(SafeText::text(&once), once);
    }
    assert!(!SafeText::line(text).contains('\n'));
}

/// A message item of any shape reads, and its parts are sane; the page around it survives it.
pub fn decoder_holds(kind: &str, content: &str, item: &str) {
    let me = UserId::new("8:anna.7");
    let made =
        serde_json::json!({ "id": "1600000000000", "messagetype": kind, "content": content });
    for json in [made.to_string(), item.to_owned()] {
        let page = format!("{{\"messages\":[{{\"id\":\"1\"}},{json}]}}");
        if let Ok(page) = wire::messages_page(&page, &CHAT.into()) {
            assert!(page.items.iter().any(|m| &*m.id == "1"), "a bad item costs itself only");
        }
        if let Some(raw) = wire::raw_message(&json, Some(&CHAT.into())) {
            let message = decode::message(&raw, &me);
            sane(&SafeText::text(&message.body.text(&|id| SafeText::line(id.bare()))));
            decode::indexed(&message);
            for (_, _, name) in decode::names(&raw) {
                sane(&name);
            }
        }
    }
}

/// Any message at any size: no panic, no control character in a cell, and every row exactly as wide as the screen.
pub fn renderer_holds(kind: &str, content: &str, name: &str, columns: u16, rows: u16, depth: u8) {
    let json = serde_json::json!({
        "id": "1600000000000", "messagetype": kind, "content": content, "imdisplayname": name,
        "from": "https://h.example/v1/users/ME/contacts/8:joe.4",
    });
    let raw = wire::raw_message(&json.to_string(), Some(&CHAT.into())).expect("an item");
    let mut model = model(decode::message(&raw, &UserId::new("8:anna.7")), name, columns, rows);
    model.view.layout(&model.app);
    let depth = match depth % 4 {
        0 => ColorDepth::None,
        1 => ColorDepth::Sixteen,
        2 => ColorDepth::Indexed,
        _ => ColorDepth::True,
    };
    let theme = Theme::new(include_str!("../../assets/theme.toml"), depth, depth as u8 > 2);
    let theme = theme.expect("the built-in theme");
    let mut terminal = Terminal::new(TestBackend::new(columns, rows)).expect("in memory");
    let mut screen = Screen::default();
    terminal.draw(|frame| screen.draw(&model, &theme, frame)).expect("in memory");
    let buffer = terminal.backend().buffer();
    for row in buffer.content.chunks(usize::from(columns)) {
        let mut used = 0;
        let mut skip = 0;
        for cell in row {
            assert!(!cell.symbol().chars().any(char::is_control), "{:?}", cell.symbol());
            if skip > 0 {
                skip -= 1;
                continue;
            }
            let cells = width(cell.symbol());
            used += cells;
            skip = cells.saturating_sub(1);
        }
        assert_eq!(used, usize::from(columns), "a row is torn");
    }
}

fn model(message: Message, name: &str, columns: u16, rows: u16) -> Model {
    let prefs = Prefs::plain(
        UserId::new("8:anna.7"),
        Arc::new(builtin_keymap().expect("the built-in keys")),
    );
    let now = Now { wall: Timestamp(1_700_000_000_000), mono: Duration::from_secs(1) };
    let mut model = Model::new(prefs, Size { columns, rows });
    let joe = (UserId::new("8:joe.4"), NameSource::Profile, SafeText::line(name));
    let mut chat = Conversation::empty(CHAT.into());
    chat.topic = Some(SafeText::line(name));
    let page = Page::Newest;
    for delta in [
        Delta::Names(vec![joe]),
        Delta::Conversations(vec![chat]),
        Delta::LastOpen(CHAT.into()),
        Delta::Messages { conversation: CHAT.into(), messages: vec![message], page },
    ] {
        update(&mut model, Input::Delta(delta), now);
    }
    model
}
