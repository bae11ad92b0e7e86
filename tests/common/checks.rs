//! What must hold for any input. The property tests of `cargo test` and the fuzz targets call the same functions.

use super::fixture::{App, ME};
use skchat::model::text::width;
use skchat::model::{
    Block, Conversation, Delta, Message, NameSource, Placement, RichText, SafeText, UserId,
    composer_markup,
};
use skchat::protocol::encode::markup;
use skchat::protocol::{decode, html, richtext, wire};
use skchat::ui::ColorDepth;

const CHAT: &str = "19:kitchen@thread.skype";

/// Markup of any kind can be read, holds nothing that acts on a terminal, and loses no letter when it is written back.
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
    if let Some((again, mentions)) = composer_markup::write(&typed, &|_| None) {
        let twice = composer_markup::read(&again, &mentions);
        assert_eq!(composer_markup::write(&twice, &|_| None).map(|(text, _)| text), Some(again));
    }
}

fn clean(rich: &RichText) {
    fn blocks(list: &[Block]) {
        for block in list {
            match block {
                Block::Paragraph { spans, .. } => spans.iter().for_each(|s| sane(&s.text)),
                Block::Quote { body, .. } => blocks(body),
                Block::Code { text: code, .. } => sane(code),
                Block::Media(media) => sane(&media.name),
            }
        }
    }
    blocks(&rich.blocks);
    rich.plain_text();
    rich.links();
}

fn sane(text: &SafeText) {
    let bad = |c: char| {
        (c.is_control() && !matches!(c, '\n' | '\t'))
            || matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{200B}' | '\u{FEFF}')
    };
    assert!(!text.chars().any(bad), "{text:?}");
}

/// Cleaned text has nothing that acts on a terminal, and cleaning it again changes nothing.
pub fn sanitiser_holds(text: &str) {
    for once in [SafeText::text(text), SafeText::line(text)] {
        sane(&once);
        assert_eq!(SafeText::text(&once), once);
    }
    assert!(!SafeText::line(text).contains('\n'));
}

/// A message item of any shape can be read, and its parts are sane; the page around it survives it.
pub fn decoder_holds(kind: &str, content: &str, item: &str) {
    let me = UserId::new(ME);
    let made =
        serde_json::json!({ "id": "1600000000000", "messagetype": kind, "content": content });
    for json in [made.to_string(), item.to_owned()] {
        let page = format!("{{\"messages\":[{{\"id\":\"1\"}},{json}]}}");
        if let Ok(page) = wire::messages_page(&page, &CHAT.into(), 100) {
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
    let message = decode::message(&raw, &UserId::new(ME));
    let depth = match depth % 4 {
        0 => ColorDepth::None,
        1 => ColorDepth::Sixteen,
        2 => ColorDepth::Indexed,
        _ => ColorDepth::True,
    };
    let buffer = app(message, name, columns, rows).in_colors(depth).buffer();
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

/// A chat of this name with someone of this name, and one message in it.
fn app(message: Message, name: &str, columns: u16, rows: u16) -> App {
    let mut chat = Conversation::empty(CHAT.into());
    chat.topic = Some(SafeText::line(name));
    let mut app = App::new().with_conversation(chat).sized(columns, rows).opened();
    let joe = (UserId::new("8:joe.4"), NameSource::Profile, SafeText::line(name));
    app.delta(Delta::Names(vec![joe]));
    app.messages(vec![message], Placement::Newest);
    app
}
