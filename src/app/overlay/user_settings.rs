//! All settings of the configuration file: the meaning of each, its value and its default. A change counts at once
//! where that is possible, and is written to the file, which keeps its comments.

use super::accounts::ask_change;
use super::content::{Content, DialogLine, step, wide_columns};
use super::{Dialog, DialogEnv, Next, Prompt};
use crate::app::action::OverlayAction;
use crate::app::effect::Effect;
use crate::app::fuzzy::Ranker;
use crate::app::pending::AccountTask;
use crate::app::prefs::Prefs;
use crate::app::state::AppState;
use crate::app::view::Tone;
use crate::app::view::layout::Size;
use crate::model::setting::{SETTINGS, SettingSpec, written};
use crate::model::text::cut;
use crate::model::{AccountChange, Preferences, SafeText};
use std::cmp::Reverse;
use std::sync::Arc;
use toml::Value;

#[derive(Debug, Default)]
pub struct UserSettings {
    input: String,
    marked: usize,
}

/// The settings that match the input, the best first.
fn found(input: &str) -> Vec<&'static SettingSpec> {
    let mut ranker = Ranker::new(input);
    let mut found: Vec<(u32, &SettingSpec)> = SETTINGS
        .iter()
        .filter_map(|spec| {
            Some((ranker.rank(&spec.name()).or_else(|| ranker.rank(spec.meaning))?, spec))
        })
        .collect();
    found.sort_by_key(|(rank, _)| Reverse(*rank));
    found.into_iter().map(|(_, spec)| spec).collect()
}

/// The value that counts, or will count from the next start.
fn value(app: &AppState, spec: &SettingSpec) -> Option<Value> {
    let later = app.prefs.from_next_start.iter().find(|(name, _)| *name == spec.name());
    later.map(|(_, value)| value.clone()).or_else(|| app.prefs.choices.setting(spec))
}

/// Changes a setting.
///
/// # Errors
/// A line for the user when it cannot have that value.
pub fn change(app: &mut AppState, spec: &'static SettingSpec, value: &Value) -> Result<(), String> {
    let changed = app.prefs.choices.with_setting(spec, value)?;
    if spec.live {
        let before = (app.prefs.choices.keys.preset, app.prefs.choices.ui.enter);
        if before != (changed.keys.preset, changed.ui.enter) {
            let keymap = Prefs::keymap_of(&changed, &app.prefs.key_changes);
            app.prefs.keymap = Arc::new(keymap.map_err(|e| format!("{}: {e}", e.action))?);
            app.write();
        }
        let mouse = app.prefs.choices.ui.mouse;
        app.prefs.choices = changed;
        if app.prefs.choices.ui.mouse != mouse {
            app.effects.push(Effect::Mouse(!mouse));
        }
        app.hold_list_order();
    } else {
        app.prefs.from_next_start.retain(|(name, _)| *name != spec.name());
        app.prefs.from_next_start.push((spec.name(), value.clone()));
    }
    if app.prefs.demo || app.prefs.read_only {
        app.note("Changed for this run; your configuration file stays as it is");
        return Ok(());
    }
    let account = app.current_account().id.clone();
    let task = AccountTask::Setting { name: spec.name(), live: spec.live };
    let change = AccountChange::Set {
        section: spec.section.to_owned(),
        key: spec.key.to_owned(),
        value: value.to_string(),
    };
    ask_change(app, &account, task, change);
    Ok(())
}

impl Dialog for UserSettings {
    fn content(&self, app: &AppState, size: Size) -> Content {
        let columns = wide_columns(size);
        let defaults = Preferences::default();
        let entries = found(&self.input).into_iter().map(|spec| {
            let show = |value: Option<Value>| {
                let value = value.map(|value| written(&value, spec.kind)).unwrap_or_default();
                SafeText::line(if value.is_empty() { "none" } else { &value }).to_string()
            };
            let now = show(value(app, spec));
            let default = show(defaults.setting(spec));
            let mut about = vec![spec.meaning.to_owned()];
            if now != default {
                about.push(format!("default {default}"));
            }
            if !spec.live {
                about.push("from the next start".to_owned());
            }
            let about = cut(&about.join(" · "), columns.saturating_sub(2));
            let mut first = DialogLine::new(spec.name(), cut(&now, columns / 2));
            first.right_tone = if now == default { Tone::Plain } else { Tone::New };
            vec![first, DialogLine::dim(format!("  {about}"))]
        });
        Content::new("Settings", Vec::new(), "Enter changes it · type to find · Esc closes")
            .with_input(&self.input)
            .with_entries(entries.collect(), self.marked, "No setting has such a name.")
    }

    fn act(&mut self, action: OverlayAction, env: &mut DialogEnv<'_>) -> Next {
        let found = found(&self.input);
        match action {
            OverlayAction::Choose => {
                let Some(spec) = found.get(self.marked).copied() else { return Next::Stay };
                let Some(now) = value(env.app, spec) else { return Next::Stay };
                let Some(next) = spec.next(&now) else {
                    return Next::Push(Prompt::setting(spec, written(&now, spec.kind)));
                };
                if let Err(why) = change(env.app, spec, &next) {
                    env.app.complain(&format!("Not changed: {why}"));
                }
            }
            other => {
                if let Some(by) = other.step_or_tab(env.page) {
                    step(&mut self.marked, by, found.len());
                } else if other.edit(&mut self.input) {
                    self.marked = 0;
                }
            }
        }
        Next::Stay
    }
}
