//! The configuration file was changed on disk while the program runs.

use crate::app::model::Model;
use crate::app::overlay::{take_over, value};
use crate::app::state::AppState;
use crate::model::setting::{SETTINGS, SettingKind};
use crate::model::{ConfigChange, SafeText};

/// Lets what has changed count. Nothing is said of what counts already: it was changed here.
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
    let keys = change.keys.filter(|keys| *keys != app.prefs.key_changes);
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
    if let Some(warning) = change.warning {
        return Ok(Some(warning.to_string()));
    }
    let mut news = Vec::new();
    if !now.is_empty() {
        news.push(format!("Read from your configuration: {}", now.join(", ")));
    }
    if !names.is_empty() {
        news.push(format!("from the next start: {}", names.join(", ")));
    }
    Ok((!news.is_empty()).then(|| news.join(" · ")))
}
