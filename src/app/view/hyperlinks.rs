//! The cells of links in the message pane, for terminals that open links themselves (OSC 8).

use super::layout::Rect;
use super::wrap::{QUOTE_BAR, TextRow};
use super::{MessagesView, RowKind};
use crate::model::Link;
use crate::model::text::width;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;
use std::sync::Arc;

/// Longer addresses are left out: terminals have limits of their own.
const LONGEST: usize = 1024;

/// Cells of a row that link to an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hyperlink {
    pub row: u16,
    pub columns: Range<u16>,
    /// The same for all rows of one link.
    pub id: u64,
    pub url: Arc<str>,
}

/// Whether an address can be written unchanged into an escape sequence: `http` or `https` in visible ASCII.
fn is_safe(url: &str) -> bool {
    let lower = url.get(..8).unwrap_or(url).to_ascii_lowercase();
    let is_web = lower.starts_with("http://") || lower.starts_with("https://");
    is_web && url.len() <= LONGEST && url.bytes().all(|byte| byte.is_ascii_graphic())
}

/// The links of the pane in this area, from the top.
pub fn links_in_sight(view: &MessagesView, area: Rect, bare: bool) -> Vec<Hyperlink> {
    let mut found = Vec::new();
    if view.hint.is_some() {
        return found;
    }
    let free = area.height.saturating_sub(u16::try_from(view.rows.len()).unwrap_or(area.height));
    let left = area.x + view.indent;
    // The last column may hold a delivery mark.
    let end = area.x + area.width - u16::from(!bare);
    for (y, row) in (area.y + free..area.y + area.height).zip(&view.rows) {
        let RowKind::Text { rows, index, .. } = &row.kind else { continue };
        if let Some(text) = rows.get(*index) {
            add_links(text, y, left..end, &row.key, &mut found);
        }
    }
    found
}

fn add_links(
    text: &TextRow,
    row: u16,
    room: Range<u16>,
    message: &impl Hash,
    found: &mut Vec<Hyperlink>,
) {
    let mut at = usize::from(room.start) + text.quotes * QUOTE_BAR + text.indent;
    for piece in &text.pieces {
        let from = at;
        at += width(&piece.text);
        let Some(Link::Url(url)) = &piece.link else { continue };
        if !is_safe(url) {
            continue;
        }
        let column = |at: usize| u16::try_from(at).unwrap_or(u16::MAX).min(room.end);
        let mut hasher = DefaultHasher::new();
        (message, url.as_str()).hash(&mut hasher);
        let columns = column(from)..column(at);
        if !columns.is_empty() {
            found.push(Hyperlink { row, columns, id: hasher.finish(), url: url.as_str().into() });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{direct, message};
    use crate::model::rich::{Span, SpanStyle};
    use crate::model::{MessageBody, Placement, RichText};

    #[test]
    fn only_web_addresses_in_visible_ascii_are_written() {
        for url in ["https://example.org/a;b?c=d#e", "HTTP://EXAMPLE.ORG"] {
            assert!(is_safe(url), "{url}");
        }
        let long = format!("https://example.org/{}", "x".repeat(LONGEST));
        for url in [
            "",
            "https:",
            "javascript:alert(1)",
            "file:///etc/passwd",
            "https://example.org/\u{1b}\\",
            "https://example.org/\u{7}",
            "https://example.org/a b",
            "https://example.org/\u{9c}",
            "https://ex\u{e4}mple.org",
            long.as_str(),
        ] {
            assert!(!is_safe(url), "{url:?}");
        }
    }

    #[test]
    fn the_rows_of_one_link_share_an_id_and_another_message_has_its_own() {
        let url = format!("https://example.org/{}", "path/".repeat(20));
        let mut app = direct("joe").opened();
        for n in 0..2 {
            let link = Some(Link::Url(url.as_str().into()));
            let span = Span { text: url.as_str().into(), style: SpanStyle::default(), link };
            let body = MessageBody::Text(RichText::from_spans(vec![span]));
            app.messages(vec![message("joe", n, body)], Placement::Event);
        }
        app.layout();
        let layout = app.model.view.visible.layout.unwrap();
        let found =
            links_in_sight(&app.model.view.visible.messages, layout.messages.unwrap(), false);
        let rows = found.len() / 2;
        assert!(rows >= 2, "{found:?}");
        let (first, second) = found.split_at(rows);
        assert!(first.iter().all(|link| link.id == first[0].id && *link.url == *url));
        assert!(second.iter().all(|link| link.id == second[0].id));
        assert_ne!(first[0].id, second[0].id);
        let screen = app.buffer();
        for link in &found {
            let symbol = |x: u16| screen.cell((x, link.row)).unwrap().symbol().to_owned();
            let shown: String = link.columns.clone().map(symbol).collect();
            assert!(url.contains(&shown), "{shown}");
        }
    }
}
