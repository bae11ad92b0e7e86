//! The join URL as a QR code, to be scanned with a phone.

use super::content::{Content, DialogLine, wide_columns};
use super::{Dialog, DialogEnv, Next};
use crate::app::action::OverlayAction;
use crate::app::effect::Effect;
use crate::app::state::AppState;
use crate::app::view::Tone;
use crate::app::view::layout::Size;
use crate::app::view::wrap::break_lines;
use crate::model::{SafeText, qr};

#[derive(Debug)]
pub struct QrCode {
    url: SafeText,
    rows: Vec<String>,
}

impl QrCode {
    pub fn new(url: SafeText) -> Self {
        Self { rows: qr::rows(&url), url }
    }
}

impl Dialog for QrCode {
    fn content(&self, _: &AppState, size: Size) -> Content {
        // A partial code cannot be scanned: show all of it or none. The address is always shown.
        let columns = wide_columns(size);
        let address = break_lines(&self.url, columns.max(4));
        let height = usize::from(size.rows.saturating_sub(2));
        let fits = self.rows.len() + address.len() + 3 <= height
            && self.rows.first().is_some_and(|row| row.chars().count() <= columns);
        let mut lines: Vec<DialogLine> = if fits {
            self.rows.iter().map(|row| DialogLine::toned(row.clone(), "", Tone::Code)).collect()
        } else {
            vec![DialogLine::dim("The window is too small for the QR code.")]
        };
        lines.push(DialogLine::default());
        let address = address.into_iter().filter_map(|range| self.url.get(range));
        lines.extend(address.map(|row| DialogLine::new(row, "")));
        Content::new("Join URL", lines, "Copied · Enter copies again · Esc goes back")
    }

    fn act(&mut self, action: OverlayAction, env: &mut DialogEnv<'_>) -> Next {
        if action == OverlayAction::Choose {
            let (what, text) = ("the join URL".to_owned(), self.url.to_string());
            env.app.effects.push(Effect::Copy { what, text });
        }
        Next::Stay
    }
}
