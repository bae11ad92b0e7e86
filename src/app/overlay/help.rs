//! All keys and commands: first those of the current place, then those that work everywhere, then the rest.

use super::content::{Content, DialogLine, beside, broad_columns, wide_columns, wrapped};
use super::{Dialog, DialogEnv, Next};
use crate::app::action::OverlayAction;
use crate::app::keymap::{Context, KeymapEntry};
use crate::app::state::AppState;
use crate::app::view::Tone;
use crate::app::view::layout::Size;

/// The symbols on the screen, and what they mean.
const SIGNS: [(&str, &str); 12] = [
    ("·", "Your message is saved and waiting to be sent"),
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

/// Keys of the inbox.
const INBOX: [(&str, &str); 6] = [
    ("Enter", "Open the chat at the message"),
    ("r", "Reply without leaving the inbox"),
    ("m", "Mark the chat as read"),
    ("+", "React to its last message"),
    ("n", "Choose its notifications, or mute it"),
    ("j k", "Next and previous entry"),
];

/// Keys of the search, and the filters of its query.
const SEARCH: [(&str, &str); 6] = [
    ("Enter", "Open the message in its chat"),
    ("Tab", "Search only this chat, or all chats"),
    ("from:NAME", "Only messages from this person"),
    ("in:CHAT", "Only messages in this chat"),
    ("before: after:", "Only messages before or after a day: before:2026-09-21"),
    ("has:link has:file", "Only messages with a link or a file"),
];

/// What the mouse does.
const MOUSE: [(&str, &str); 6] = [
    ("Wheel", "Scroll what is under the pointer"),
    ("Click", "Open a chat, select a message, press a key in the footer"),
    ("Click a link", "Open it (asks first)"),
    ("Double click", "Reply to the message"),
    ("Shift and drag", "Select text with the terminal"),
    ("Click the box", "Write"),
];

/// There are two columns from this width on.
const TWO_COLUMNS: u16 = 118;

#[derive(Debug)]
pub struct Help {
    context: Context,
    /// The usage of each slash command, and what it does.
    commands: Vec<(String, &'static str)>,
    /// Only entries that contain these words are shown.
    filter: String,
    scroll: usize,
}

/// A part of the help: what can be done, and how.
struct HelpSection {
    heading: &'static str,
    entries: Vec<(String, String)>,
}

impl HelpSection {
    fn new<A: Into<String>, B: Into<String>>(
        heading: &'static str,
        entries: impl IntoIterator<Item = (A, B)>,
    ) -> Self {
        let entries = entries.into_iter().map(|(what, how)| (what.into(), how.into()));
        Self { heading, entries: entries.collect() }
    }

    /// The lines of the entries that contain all words; none without such an entry.
    fn lines(&self, words: &[String], columns: usize) -> Vec<DialogLine> {
        let is_found = |(what, how): &&(String, String)| {
            let text = format!("{what} {how} {}", self.heading).to_lowercase();
            words.iter().all(|word| text.contains(word))
        };
        let entries = self.entries.iter().filter(is_found);
        let mut lines: Vec<DialogLine> =
            entries.flat_map(|(what, how)| wrapped(what, how, columns)).collect();
        if !lines.is_empty() {
            lines.insert(0, DialogLine::toned(self.heading, "", Tone::Title));
        }
        lines
    }
}

impl Help {
    /// Help for a context, with the usage and the description of each slash command.
    pub fn new(context: Context, commands: Vec<(String, &'static str)>) -> Self {
        Self { context, commands, filter: String::new(), scroll: 0 }
    }

    fn sections(&self, app: &AppState) -> Vec<HelpSection> {
        let prefs = &app.prefs;
        let keys = |context: Context| {
            let entries = prefs.keymap.entries().iter();
            let here = entries.filter(|e| e.contexts.contains(&context) && !e.keys.is_empty());
            let keys = here.map(|e| {
                let keys = e.all_keys(prefs.enhanced_keyboard);
                (prefs.key_words(&e.help).into_owned(), prefs.key_words(&keys).into_owned())
            });
            HelpSection::new(context.heading(), keys)
        };
        let mut sections: Vec<HelpSection> = Context::order_from(self.context).map(keys).collect();
        let literal = ("Send text that begins with a slash", "//text".to_owned());
        let commands = self.commands.iter().map(|(usage, what)| (*what, usage.clone()));
        sections.push(HelpSection::new("Commands", commands.chain([literal])));
        sections.push(HelpSection::new("Inbox", INBOX.map(|(how, what)| (what, how))));
        sections.push(HelpSection::new("Search", SEARCH.map(|(how, what)| (what, how))));
        sections.push(HelpSection::new("Mouse", MOUSE.map(|(how, what)| (what, how))));
        sections.push(HelpSection::new("Symbols", SIGNS.map(|(sign, what)| (what, sign))));
        let preset = prefs.choices.keys.preset.name();
        let about = format!(
            "Current: \"{preset}\". Set keys.preset to default, readline, vim or emacs in the settings"
        );
        let key = prefs.keymap.entry("preferences").map(KeymapEntry::key).unwrap_or_default();
        sections.push(HelpSection::new("Key presets", [(about, key)]));
        sections
    }
}

/// Sections below each other, with a blank line between them.
fn stacked(sections: &[Vec<DialogLine>]) -> Vec<DialogLine> {
    sections.join(&DialogLine::default())
}

/// Sections in two columns that are about equally long.
fn in_two_columns(sections: &[Vec<DialogLine>], columns: usize) -> Vec<DialogLine> {
    let height = |sections: &[Vec<DialogLine>]| stacked(sections).len();
    let split = (0..=sections.len()).min_by_key(|at| {
        let (first, second) = sections.split_at(*at);
        height(first).max(height(second))
    });
    let (first, second) = sections.split_at(split.unwrap_or(sections.len()));
    beside(stacked(first), stacked(second), columns)
}

impl Dialog for Help {
    fn content(&self, app: &AppState, size: Size) -> Content {
        let has_two = size.columns >= TWO_COLUMNS;
        let columns = if has_two { broad_columns(size) / 2 - 2 } else { wide_columns(size) };
        let words: Vec<String> = self.filter.split_whitespace().map(str::to_lowercase).collect();
        let sections = self.sections(app);
        let sections: Vec<Vec<DialogLine>> = sections
            .iter()
            .map(|section| section.lines(&words, columns))
            .filter(|lines| !lines.is_empty())
            .collect();
        let mut lines =
            if has_two { in_two_columns(&sections, columns) } else { stacked(&sections) };
        if lines.is_empty() {
            lines.push(DialogLine::dim("Nothing here contains that."));
        }
        let hint = "Type to find · ↑↓ PgUp PgDn scroll · Esc closes";
        let content = Content::new("Help", lines, hint).with_input(&self.filter);
        let content = if has_two { content.broad() } else { content };
        content.scrolled(self.scroll)
    }

    fn act(&mut self, action: OverlayAction, env: &mut DialogEnv<'_>) -> Next {
        if action.edit(&mut self.filter) {
            self.scroll = 0;
            return Next::Stay;
        }
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
