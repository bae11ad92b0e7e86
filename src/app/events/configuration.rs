//! The configuration file was changed on disk while the program runs.

use crate::app::model::Model;
use crate::app::overlay::{take_over, value};
use crate::app::pending::{AccountTask, PendingRequest};
use crate::app::state::AppState;
use crate::model::setting::{SETTINGS, SettingKind};
use crate::model::{ConfigChange, SafeText};
use std::collections::BTreeMap;

type KeyChanges = BTreeMap<String, Vec<String>>;

/// Applies the changes. Those that are in force already were made in the program, and are not mentioned.
pub fn changed(model: &mut Model, change: Result<ConfigChange, SafeText>) {
    match change.map(|change| apply(&mut model.app, change)) {
        Err(why) => model.app.complain(&format!("{why} · the settings stay as they were")),
        Ok(Err(why)) => model.app.complain(&format!("{why} · the settings stay as they were")),
        Ok(Ok(news)) => news.into_iter().for_each(|news| model.app.note(&news)),
    }
}

fn apply(app: &mut AppState, change: ConfigChange) -> Result<Option<String>, String> {
    let mut choices = app.prefs.choices.clone();
    let (mut now, mut later) = (Vec::new(), Vec::new());
    for (name, new) in change.settings {
        let spec = SETTINGS.iter().find(|spec| spec.name() == name);
        let Some(spec) = spec.filter(|spec| value(app, spec).as_ref() != Some(&new)) else {
            continue;
        };
        // The file was read before this change of the user was written to it.
        if is_being_written(app, &name) {
            continue;
        }
        let is_theme = |known: &String| new.as_str() == Some(known.as_str());
        if spec.kind == SettingKind::Theme && !app.prefs.themes.iter().any(is_theme) {
            return Err(format!("there is no theme {new}; F10 lists them"));
        }
        if spec.live {
            choices = choices.with_setting(spec, &new)?;
            now.push(name);
        } else {
            later.push((name, new));
        }
    }
    let keys = change.keys.map(|keys| with_unwritten(app, keys));
    let keys = keys.filter(|keys| *keys != app.prefs.key_changes);
    if keys.is_some() {
        now.push("keys".to_owned());
    }
    let keys = keys.unwrap_or_else(|| app.prefs.key_changes.clone());
    take_over(app, choices, keys)?;
    let names: Vec<String> = later.iter().map(|(name, _)| name.clone()).collect();
    for (name, value) in later {
        app.prefs.from_next_start.retain(|(known, _)| *known != name);
        app.prefs.from_next_start.push((name, value));
    }
    let mut news = Vec::new();
    if change.repaired {
        news.push("Your configuration file is valid again".to_owned());
    }
    if !now.is_empty() {
        // Shorter if the same line says more.
        let is_alone = change.warning.is_none() && !change.repaired;
        let from = if is_alone { "Read from your configuration" } else { "Read" };
        news.push(format!("{from}: {}", now.join(", ")));
    }
    if !names.is_empty() {
        news.push(format!("from the next start: {}", names.join(", ")));
    }
    news.extend(change.warning.map(|warning| warning.to_string()));
    Ok((!news.is_empty()).then(|| news.join(" · ")))
}

/// Whether a change to a setting, made by the user, is still being written to the file.
fn is_being_written(app: &AppState, setting: &str) -> bool {
    app.pending.any(|request| match request {
        PendingRequest::Account { task: AccountTask::Setting { name, .. }, .. } => name == setting,
        _ => false,
    })
}

/// The keys of the file, combined with those that are still being written to it.
fn with_unwritten(app: &AppState, mut keys: KeyChanges) -> KeyChanges {
    let mut own = app.prefs.key_changes.clone();
    let names: Vec<String> = keys.keys().chain(own.keys()).cloned().collect();
    for name in names.into_iter().filter(|name| is_being_written(app, &format!("keys.{name}"))) {
        match own.remove(&name) {
            Some(own) => keys.insert(name, own),
            None => keys.remove(&name),
        };
    }
    keys
}
