//! The list of all settings of the configuration file and the keys of all actions, with the meaning, value and default
//! of each. Changes take effect at once if possible, and are written to the file, whose comments are kept.

use super::accounts::ask_change;
use super::content::{Content, DialogLine, step, wide_columns};
use super::{Dialog, DialogEnv, KeyBinding, Next, Overlay, Prompt, ThemeList};
use crate::app::action::OverlayAction;
use crate::app::effect::Effect;
use crate::app::fuzzy::Ranker;
use crate::app::keymap::{Context, KeymapEntry};
use crate::app::pending::AccountTask;
use crate::app::prefs::Prefs;
use crate::app::state::AppState;
use crate::app::view::Tone;
use crate::app::view::layout::Size;
use crate::model::setting::{SETTINGS, SettingKind, SettingSpec, written};
use crate::model::text::cut;
use crate::model::{AccountChange, Preferences, SafeText};
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use toml::Value;

#[derive(Debug, Default)]
pub struct UserSettings {
    input: String,
    marked: usize,
}

/// A line of the dialog.
enum SettingsLine<'a> {
    Setting(&'static SettingSpec),
    /// The keys of an action.
    Keys(&'a KeymapEntry),
}

/// The settings and actions that match the input, best matches first. A name counts more than a description.
fn found<'a>(app: &'a AppState, input: &str) -> Vec<SettingsLine<'a>> {
    let mut ranker = Ranker::new(input);
    let words: Vec<String> = input.to_lowercase().split_whitespace().map(str::to_owned).collect();
    let mut rank = |name: &str, about: &str| {
        let by_name = ranker.rank(name).map(|rank| (true, rank));
        // Some of the words may be in the name and some in the description: each as a whole, since many sentences
        // contain the same letters scattered.
        by_name.or_else(|| {
            let all = format!("{name} {about}").to_lowercase();
            words.iter().all(|word| all.contains(word)).then_some((false, 0))
        })
    };
    let mut found: Vec<((bool, u32), SettingsLine<'a>)> = Vec::new();
    for spec in &SETTINGS {
        found.extend(
            rank(&spec.name(), spec.meaning).map(|rank| (rank, SettingsLine::Setting(spec))),
        );
    }
    let mut seen: HashSet<&str> = HashSet::new();
    let modal = app.prefs.keymap.is_modal();
    for entry in app.prefs.keymap.entries() {
        let is_here = modal || entry.contexts != [Context::Normal];
        if is_here && seen.insert(&entry.name) {
            let rank = rank(&format!("keys.{}", entry.name), &entry.help);
            found.extend(rank.map(|rank| (rank, SettingsLine::Keys(entry))));
        }
    }
    found.sort_by_key(|(rank, _)| Reverse(*rank));
    found.into_iter().map(|(_, found)| found).collect()
}

/// The value in force, or the one that will be from the next start.
pub fn value(app: &AppState, spec: &SettingSpec) -> Option<Value> {
    let later = app.prefs.from_next_start.iter().find(|(name, _)| *name == spec.name());
    later.map(|(_, value)| value.clone()).or_else(|| app.prefs.choices.setting(spec))
}

/// Puts new preferences and keys in force.
///
/// # Errors
/// A message for the user if the keys cannot be bound like this; then nothing has changed.
pub fn take_over(
    app: &mut AppState,
    choices: Preferences,
    keys: BTreeMap<String, Vec<String>>,
) -> Result<(), String> {
    let prefs = &mut app.prefs;
    let before = (prefs.choices.keys.preset, prefs.choices.ui.enter);
    let has_new_preset = before.0 != choices.keys.preset;
    if before != (choices.keys.preset, choices.ui.enter) || keys != prefs.key_changes {
        let keymap = Prefs::keymap_of(&choices, &keys);
        prefs.keymap = Arc::new(keymap.map_err(|e| format!("keys.{}: {e}", e.action))?);
        prefs.key_changes = keys;
    }
    let mouse = prefs.choices.ui.mouse;
    prefs.choices = choices;
    prefs.revision += 1;
    if prefs.choices.ui.mouse != mouse {
        app.effects.push(Effect::Mouse(!mouse));
    }
    if has_new_preset {
        app.write();
    }
    app.hold_list_order();
    Ok(())
}

/// Changes a setting.
///
/// # Errors
/// A message for the user if the setting cannot have that value.
pub fn change(app: &mut AppState, spec: &'static SettingSpec, value: &Value) -> Result<(), String> {
    let changed = app.prefs.choices.with_setting(spec, value)?;
    if spec.live {
        let keys = app.prefs.key_changes.clone();
        take_over(app, changed, keys)?;
    } else {
        app.prefs.from_next_start.retain(|(name, _)| *name != spec.name());
        app.prefs.from_next_start.push((spec.name(), value.clone()));
    }
    if app.prefs.demo || app.prefs.read_only {
        app.note("Changed for this run; your configuration file stays as it is");
        return Ok(());
    }
    write(app, spec, value, false);
    Ok(())
}

/// Writes the current value of a setting, changed indirectly by a user action, to the configuration file.
pub fn save_quietly(app: &mut AppState, name: &str) {
    let spec = SETTINGS.iter().find(|spec| spec.name() == name);
    let value = spec.and_then(|spec| app.prefs.choices.setting(spec));
    if let (Some(spec), Some(value), false, false) =
        (spec, value, app.prefs.demo, app.prefs.read_only)
    {
        write(app, spec, &value, true);
    }
}

fn write(app: &mut AppState, spec: &SettingSpec, value: &Value, quiet: bool) {
    let account = app.current_account().id.clone();
    let task = AccountTask::Setting { name: spec.name(), live: spec.live, quiet };
    let change = AccountChange::Set {
        section: spec.section.to_owned(),
        key: spec.key.to_owned(),
        value: Some(value.to_string()),
    };
    ask_change(app, &account, task, change);
}

/// A setting with its value, and what it means.
fn setting_lines(
    app: &AppState,
    spec: &SettingSpec,
    defaults: &Preferences,
    columns: usize,
) -> Vec<DialogLine> {
    let show = |value: Option<Value>| {
        let value = value.map(|value| written(&value, spec.kind)).unwrap_or_default();
        SafeText::line(if value.is_empty() { "none" } else { &value }).to_string()
    };
    let (now, default) = (show(value(app, spec)), show(defaults.setting(spec)));
    let mut about = vec![spec.meaning.to_owned()];
    if now != default {
        about.push(format!("default: {default}"));
    }
    if !spec.live {
        about.push("from the next start".to_owned());
    }
    let about = cut(&about.join(" · "), columns.saturating_sub(2));
    let mut first = DialogLine::new(spec.name(), cut(&now, columns / 2));
    first.right_tone = if now == default { Tone::Plain } else { Tone::New };
    vec![first, DialogLine::dim(format!("  {about}"))]
}

/// An action with its keys, and what it does.
fn key_lines(app: &AppState, entry: &KeymapEntry, columns: usize) -> Vec<DialogLine> {
    let rows = app.prefs.keymap.entries().iter().filter(|row| row.name == entry.name);
    let mut keys: Vec<String> = Vec::new();
    for key in rows.flat_map(KeymapEntry::key_texts) {
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    let keys = if keys.is_empty() { "none".to_owned() } else { keys.join("  ") };
    let keys = app.prefs.key_words(&keys).into_owned();
    let mut first = DialogLine::new(format!("keys.{}", entry.name), cut(&keys, columns / 2));
    if app.prefs.key_changes.contains_key(&entry.name) {
        first.right_tone = Tone::New;
    }
    let help = cut(&app.prefs.key_words(&entry.help), columns.saturating_sub(2));
    vec![first, DialogLine::dim(format!("  {help}"))]
}

impl Dialog for UserSettings {
    fn content(&self, app: &AppState, size: Size) -> Content {
        let columns = wide_columns(size);
        let defaults = Preferences::default();
        let found = found(app, &self.input);
        let entries = found.iter().map(|found| match found {
            SettingsLine::Setting(spec) => setting_lines(app, spec, &defaults, columns),
            SettingsLine::Keys(entry) => key_lines(app, entry, columns),
        });
        Content::new("Settings", Vec::new(), "Enter changes it · type to find · Esc closes")
            .with_input(&self.input)
            .with_entries(entries.collect(), self.marked, "No setting with that name.")
    }

    fn act(&mut self, action: OverlayAction, env: &mut DialogEnv<'_>) -> Next {
        let found = found(env.app, &self.input);
        let count = found.len();
        match action {
            OverlayAction::Choose => {
                let spec = match found.into_iter().nth(self.marked) {
                    Some(SettingsLine::Setting(spec)) => spec,
                    Some(SettingsLine::Keys(entry)) => {
                        return Next::Push(Overlay::KeyBinding(KeyBinding::new(&entry.name)));
                    }
                    None => return Next::Stay,
                };
                let Some(now) = value(env.app, spec) else { return Next::Stay };
                if spec.kind == SettingKind::Theme {
                    return Next::Push(Overlay::ThemeList(ThemeList::new(env.app, spec)));
                }
                let Some(next) = spec.next(&now) else {
                    return Next::Push(Prompt::setting(spec, written(&now, spec.kind)));
                };
                if let Err(why) = change(env.app, spec, &next) {
                    env.app.complain(&format!("Not changed: {why}"));
                }
            }
            other => {
                if let Some(by) = other.step_or_tab(env.page) {
                    step(&mut self.marked, by, count);
                } else if other.edit(&mut self.input) {
                    self.marked = 0;
                }
            }
        }
        Next::Stay
    }
}
