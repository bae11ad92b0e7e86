//! All keys and commands: first those of the current place, then those that work everywhere, then the rest.

use super::content::{Content, DialogLine, wide_columns, wrapped};
use super::{Dialog, DialogEnv, Next};
use crate::app::action::OverlayAction;
use crate::app::keymap::{Context, KeymapEntry};
use crate::app::state::AppState;
use crate::app::view::Tone;
use crate::app::view::layout::Size;

/// The signs on the screen, and what they mean.
const SIGNS: [(&str, &str); 12] = [
    ("·", "Your message is saved and waits to be sent"),
    ("↑", "It is being sent, or a setting is being saved"),
    ("✓", "The server has accepted it"),
    ("✓✓", "Someone else has read it"),
    ("?", "It is not known whether it was sent; skchat is checking"),
    ("!", "It was not sent, or a change was refused"),
    ("▎", "A message that mentions you"),
    ("@2", "Two unread messages that mention you"),
    ("2", "Two unread messages"),
    ("✎", "A draft"),
    ("↥", "Pinned to the top"),
    ("m", "Muted: no alerts"),
];

/// What the mouse does.
const MOUSE: [(&str, &str); 6] = [
    ("Wheel", "Scroll what is below it"),
    ("Click", "Open a chat, select a message, press a key of the footer"),
    ("Click a link", "Open it (asks first)"),
    ("Double click", "Reply to the message"),
    ("Shift and drag", "Select text, as the terminal does"),
    ("Click the box", "Write"),
];

#[derive(Debug)]
pub struct Help {
    context: Context,
    /// The usage of each slash command, and what it does.
    commands: Vec<(String, &'static str)>,
    scroll: usize,
}

impl Help {
    /// Help for a context, with the usage and the description of each slash command.
    pub fn new(context: Context, commands: Vec<(String, &'static str)>) -> Self {
        Self { context, commands, scroll: 0 }
    }
}

impl Dialog for Help {
    fn content(&self, app: &AppState, size: Size) -> Content {
        let columns = wide_columns(size);
        let mut lines = Vec::new();
        let heading = |lines: &mut Vec<DialogLine>, words: &str| {
            if !lines.is_empty() {
                lines.push(DialogLine::default());
            }
            lines.push(DialogLine::toned(words, "", Tone::Title));
        };
        for context in Context::order_from(self.context) {
            let here: Vec<&KeymapEntry> = app
                .prefs
                .keymap
                .entries()
                .iter()
                .filter(|e| e.contexts.contains(&context) && !e.keys.is_empty())
                .collect();
            if !here.is_empty() {
                heading(&mut lines, context.heading());
                lines.extend(here.iter().flat_map(|e| {
                    wrapped(&e.help, &e.all_keys(app.prefs.enhanced_keyboard), columns)
                }));
            }
        }
        heading(&mut lines, "Commands");
        for (usage, what) in &self.commands {
            lines.extend(wrapped(what, usage, columns));
        }
        lines.extend(wrapped("Send text that begins with a slash", "//text", columns));
        heading(&mut lines, "Mouse");
        lines.extend(MOUSE.iter().flat_map(|(how, what)| wrapped(what, how, columns)));
        heading(&mut lines, "Signs");
        lines.extend(SIGNS.iter().flat_map(|(sign, what)| wrapped(what, sign, columns)));
        heading(&mut lines, "Key presets");
        let preset = app.prefs.choices.keys.preset.name();
        let about = format!(
            "Now \"{preset}\". There are default, readline, vim and emacs: keys.preset in the settings"
        );
        let key = app.prefs.keymap.entry("preferences").map(KeymapEntry::key).unwrap_or_default();
        lines.extend(wrapped(&about, &key, columns));
        Content::new("Help", lines, "↑↓ PgUp PgDn scroll · Esc closes").scrolled(self.scroll)
    }

    fn act(&mut self, action: OverlayAction, env: &mut DialogEnv<'_>) -> Next {
        let max = self.content(env.app, env.size).max_scroll(env.size);
        scroll_key(&mut self.scroll, &action, max, env.page)
    }

    fn chooses(&self) -> bool {
        false
    }
}

/// Handles the keys of a read-only dialog: they scroll, and some letters close it.
pub fn scroll_key(scroll: &mut usize, action: &OverlayAction, max: usize, page: isize) -> Next {
    let by = match action {
        OverlayAction::Type('k') => -1,
        OverlayAction::Type('j') => 1,
        OverlayAction::Type(' ') => page,
        OverlayAction::Choose | OverlayAction::Type('q' | '?' | 'v') => return Next::Close,
        other => match other.step_or_tab(page) {
            Some(by) => by,
            None => return Next::Stay,
        },
    };
    *scroll = scroll.saturating_add_signed(by).min(max);
    Next::Stay
}
