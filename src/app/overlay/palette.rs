//! The command palette: all actions by name, opened with Alt-X.

use super::content::{Content, step, wide_columns, wrapped};
use super::{Dialog, DialogEnv, Next};
use crate::app::action::{Action, OverlayAction};
use crate::app::fuzzy::Ranker;
use crate::app::keymap::{Context, KeymapEntry};
use crate::app::state::AppState;
use crate::app::view::layout::Size;
use std::cmp::Reverse;

#[derive(Debug, Default)]
pub struct Palette {
    input: String,
    marked: usize,
}

/// The actions that work outside a dialog and match the input.
fn entries<'a>(app: &'a AppState, input: &str) -> Vec<&'a KeymapEntry> {
    let selecting = app.opened().is_some_and(|c| c.selection.is_some());
    let makes_sense = |entry: &&KeymapEntry| {
        let somewhere = entry.contexts.iter().any(|context| match context {
            // Actions that only work there are of no use elsewhere; the others have another row.
            Context::Overlay | Context::Normal => false,
            // These actions need a selected message.
            Context::Selection => selecting,
            _ => true,
        });
        somewhere && !matches!(entry.name.as_str(), "palette" | "interrupt")
    };
    if let Some(line) = vim_line(app, input) {
        return line;
    }
    let mut ranker = Ranker::new(input);
    let fitting = app.prefs.keymap.entries().iter().filter(makes_sense);
    let mut found: Vec<(u32, &KeymapEntry)> = fitting
        .filter_map(|e| Some((ranker.rank(&e.help).or_else(|| ranker.rank(&e.name))?, e)))
        .collect();
    found.sort_by_key(|(rank, _)| Reverse(*rank));
    found.into_iter().map(|(_, entry)| entry).collect()
}

/// The actions for a vim command line: one or two letters would find other actions by name.
fn vim_line<'a>(app: &'a AppState, input: &str) -> Option<Vec<&'a KeymapEntry>> {
    if !app.prefs.keymap.is_modal() {
        return None;
    }
    match input {
        "q" | "q!" | "qa" | "qa!" | "wq" | "wqa" | "x" => {
            Some(app.prefs.keymap.entry("quit").into_iter().collect())
        }
        // Everything is saved as it is typed.
        "w" | "wa" => Some(Vec::new()),
        _ => None,
    }
}

impl Dialog for Palette {
    fn content(&self, app: &AppState, size: Size) -> Content {
        let columns = wide_columns(size);
        let entries = entries(app, &self.input);
        let words = |text: &str| app.prefs.key_words(text).into_owned();
        let line = |e: &&KeymapEntry| wrapped(&words(&e.help), &words(&e.key()), columns);
        let lines = entries.iter().map(line).collect();
        Content::new("All actions", Vec::new(), "Enter runs it · Esc closes")
            .with_input(&self.input)
            .with_entries(lines, self.marked, "No action with that name.")
    }

    fn act(&mut self, action: OverlayAction, env: &mut DialogEnv<'_>) -> Next {
        let found = entries(env.app, &self.input);
        match action {
            OverlayAction::Choose => {
                let name = found.get(self.marked).map(|entry| entry.name.clone());
                return name.and_then(|name| Action::named(&name)).map_or(Next::Stay, Next::Do);
            }
            OverlayAction::Pick => step(&mut self.marked, 1, found.len()),
            other => {
                if let Some(by) = other.step(env.page) {
                    step(&mut self.marked, by, found.len());
                } else if other.edit(&mut self.input) {
                    self.marked = 0;
                }
            }
        }
        Next::Stay
    }
}
