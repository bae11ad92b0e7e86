//! A preview of the message being written, right above the message box. It takes no keys except Esc.

use super::content::{Content, Extent};
use super::{Dialog, DialogEnv, Next};
use crate::app::action::OverlayAction;
use crate::app::chat::completion;
use crate::app::state::AppState;
use crate::app::view::layout::Size;
use crate::app::view::wrap::wrap;
use crate::model::{RichText, composer_markup};

#[derive(Debug)]
pub struct Preview;

impl Dialog for Preview {
    fn content(&self, app: &AppState, size: Size) -> Content {
        let columns = usize::from(size.columns.min(80).saturating_sub(4));
        let rows = wrap(&typed(app), columns);
        Content {
            text: Some(rows),
            extent: Extent::AboveBox,
            ..Content::new("Preview", Vec::new(), "Esc closes")
        }
    }

    fn act(&mut self, _: OverlayAction, _: &mut DialogEnv<'_>) -> Next {
        Next::Close
    }

    fn is_passive(&self) -> bool {
        true
    }
}

/// The text in the message box with its formatting.
fn typed(app: &AppState) -> RichText {
    let Some(chat) = app.opened() else { return RichText::default() };
    let text = chat.composer.text();
    let source = chat.composer.draft.edit.as_ref().is_some_and(|edit| edit.source.is_some());
    if !app.prefs.choices.sending.markup || source {
        return RichText::plain(text);
    }
    let account = app.accounts.of(chat);
    let mentions = completion::mentioned(chat, &account.me, &account.names, text);
    composer_markup::read(text, &mentions)
}
