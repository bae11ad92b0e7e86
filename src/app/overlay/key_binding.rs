//! The keys of one action: adding one by pressing it, or removing one.

use super::accounts::ask_change;
use super::content::{Content, DialogLine, dim_lines, step, wide_columns};
use super::{Dialog, DialogEnv, Next};
use crate::app::action::OverlayAction;
use crate::app::keymap::{Chord, KeyChoices, KeymapEntry, Rebinding, parse_keys, write};
use crate::app::pending::AccountTask;
use crate::app::state::AppState;
use crate::app::view::Tone;
use crate::app::view::layout::Size;
use crate::model::AccountChange;
use std::sync::Arc;

#[derive(Debug)]
pub struct KeyBinding {
    action: String,
    marked: usize,
    /// A key is being asked for.
    capture: Option<KeyCapture>,
}

/// What was pressed so far.
#[derive(Debug, Default)]
struct KeyCapture {
    /// The first of two keys.
    first: Option<Chord>,
    /// Keys that belong to another action: if they are pressed again, they are taken from it.
    asked: Option<Vec<Chord>>,
    /// The message about the last key.
    news: String,
}

/// A row of the dialog while it does not ask for a key.
enum BindingRow {
    Key(String),
    Another,
    AsPreset,
}

fn choices(app: &AppState) -> KeyChoices {
    app.prefs.key_choices()
}

fn keys(app: &AppState, action: &str) -> Vec<String> {
    choices(app).keys_of(&app.prefs.keymap, action)
}

/// The first few names of a list.
fn first_few(names: &[String]) -> String {
    let first: Vec<&str> = names.iter().take(3).map(String::as_str).collect();
    let more = names.len().saturating_sub(first.len());
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", first.join(", "))
}

/// Keys as shown on the screen.
fn shown(keys: &str) -> String {
    parse_keys(keys).map_or_else(|_| keys.to_owned(), |chords| write(&chords))
}

impl KeyBinding {
    /// Asks for a key of an action.
    pub fn new(action: &str) -> Self {
        Self { action: action.to_owned(), marked: 0, capture: Some(KeyCapture::default()) }
    }

    fn rows(&self, app: &AppState) -> Vec<BindingRow> {
        let mut rows: Vec<BindingRow> =
            keys(app, &self.action).into_iter().map(BindingRow::Key).collect();
        rows.push(BindingRow::Another);
        if app.prefs.key_changes.contains_key(&self.action) {
            rows.push(BindingRow::AsPreset);
        }
        rows
    }

    fn pressed(&mut self, name: &str, app: &mut AppState) {
        let Ok(chord) = Chord::parse(name) else {
            if let Some(capture) = &mut self.capture {
                capture.news = format!("A terminal cannot tell \"{name}\" from another key");
            }
            return;
        };
        if chord.is_cancel() {
            self.capture = None;
            return;
        }
        let Some(mut capture) = self.capture.take() else { return };
        let keys = match capture.first.take() {
            Some(first) => vec![first, chord],
            None if self.begins_a_pair(app, chord) && capture.asked != Some(vec![chord]) => {
                capture.news = format!("{} and …", chord.short());
                capture.first = Some(chord);
                self.capture = Some(capture);
                return;
            }
            None => vec![chord],
        };
        self.capture = self.try_to_bind(keys, capture, app);
    }

    /// Whether this key begins a two-key binding in one of the action's places.
    fn begins_a_pair(&self, app: &AppState, chord: Chord) -> bool {
        let keymap = &app.prefs.keymap;
        let rows = keymap.entries().iter().filter(|entry| entry.name == self.action);
        let mut places = rows.flat_map(|entry| &entry.contexts);
        places.any(|place| keymap.is_prefix(*place, chord))
    }

    /// Binds keys if they are free, or were pressed twice; otherwise returns what to ask.
    fn try_to_bind(
        &self,
        chords: Vec<Chord>,
        mut capture: KeyCapture,
        app: &mut AppState,
    ) -> Option<KeyCapture> {
        let names: Vec<String> = chords.iter().filter_map(|chord| chord.name()).collect();
        let (name, shown) = (names.join(" "), write(&chords));
        let mut keys = keys(app, &self.action);
        if keys.contains(&name) {
            capture.news = format!("{shown} does this already");
            return Some(capture);
        }
        keys.push(name);
        match choices(app).rebound(&app.prefs.keymap, &self.action, keys) {
            Err(error) => {
                capture.news = error.message;
                capture.asked = None;
                Some(capture)
            }
            Ok(new)
                if (new.losers.is_empty() && new.meets.is_empty())
                    || capture.asked.as_ref() == Some(&chords) =>
            {
                bind(app, new);
                None
            }
            Ok(new) => {
                capture.news = if new.losers.is_empty() {
                    let meets = first_few(&new.meets);
                    format!("{shown} is also used for {meets}. Press it again to use it for both")
                } else {
                    let losers = first_few(&new.losers);
                    format!("{shown} is already bound to {losers}. Press it again to replace it")
                };
                capture.asked = Some(chords);
                Some(capture)
            }
        }
    }

    fn choose(&mut self, app: &mut AppState) {
        let mut left = keys(app, &self.action);
        match self.rows(app).into_iter().nth(self.marked) {
            Some(BindingRow::Another) => {
                self.capture = Some(KeyCapture::default());
                return;
            }
            Some(BindingRow::Key(key)) => left.retain(|other| *other != key),
            Some(BindingRow::AsPreset) => {
                return match choices(app).without(&self.action) {
                    Ok(new) => bind(app, new),
                    Err(error) => app.complain(&error.message),
                };
            }
            None => return,
        }
        match choices(app).rebound(&app.prefs.keymap, &self.action, left) {
            Ok(new) => bind(app, new),
            Err(error) => app.complain(&error.message),
        }
    }
}

/// Puts new bindings in force, and saves them.
fn bind(app: &mut AppState, new: Rebinding) {
    app.prefs.keymap = Arc::new(new.keymap);
    app.prefs.key_changes = new.changes;
    if app.prefs.demo || app.prefs.read_only {
        app.note("Changed for this run; your configuration file stays as it is");
        return;
    }
    let account = app.current_account().id.clone();
    for name in new.changed {
        let keys = app.prefs.key_changes.get(&name).cloned();
        let value = keys.map(|keys| toml::Value::from(keys).to_string());
        let task = AccountTask::Setting { name: format!("keys.{name}"), live: true, quiet: false };
        let change = AccountChange::Set { section: "keys".to_owned(), key: name, value };
        ask_change(app, &account, task, change);
    }
}

impl Dialog for KeyBinding {
    fn content(&self, app: &AppState, size: Size) -> Content {
        let columns = wide_columns(size);
        let entry = app.prefs.keymap.entry(&self.action);
        let help = entry.map(|entry: &KeymapEntry| entry.help.as_str()).unwrap_or_default();
        let mut lines = dim_lines(help, columns);
        lines.push(DialogLine::default());
        let title = format!("Keys ─ {}", self.action);
        if let Some(capture) = &self.capture {
            let now: Vec<String> = keys(app, &self.action).iter().map(|keys| shown(keys)).collect();
            let now = if now.is_empty() { "none".to_owned() } else { now.join(", ") };
            lines.push(DialogLine::new("Press the key that you want.", ""));
            lines.extend(dim_lines(&format!("Its keys now: {now}"), columns));
            let news = dim_lines(&capture.news, columns).into_iter().map(|mut line| {
                line.left.iter_mut().for_each(|label| label.tone = Tone::New);
                line
            });
            lines.extend(news);
            return Content::new(title, lines, "Esc cancels");
        }
        let above = lines.len();
        lines.extend(self.rows(app).into_iter().map(|row| match row {
            BindingRow::Key(key) => DialogLine::new(shown(&key), "remove"),
            BindingRow::Another => DialogLine::new("Add a key", "…"),
            BindingRow::AsPreset => DialogLine::new("Back to the keys of the preset", ""),
        }));
        Content::new(title, lines, "Enter chooses · Esc closes")
            .with_marked(above + self.marked, "")
    }

    fn act(&mut self, action: OverlayAction, env: &mut DialogEnv<'_>) -> Next {
        match action {
            OverlayAction::Press(key) => {
                self.pressed(&key, env.app);
                self.marked = self.rows(env.app).len().saturating_sub(1);
            }
            OverlayAction::Choose => self.choose(env.app),
            other => {
                let count = self.rows(env.app).len();
                step(&mut self.marked, other.step_or_tab(env.page).unwrap_or(0), count);
            }
        }
        let last = self.rows(env.app).len().saturating_sub(1);
        self.marked = self.marked.min(last);
        Next::Stay
    }

    fn captures(&self) -> bool {
        self.capture.is_some()
    }
}
