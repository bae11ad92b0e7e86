//! The list of themes. The highlighted one is previewed on the whole screen. It is kept if it is chosen; otherwise the
//! previous theme comes back.

use super::content::{Content, DialogLine, step};
use super::user_settings::change;
use super::{Dialog, DialogEnv, Next};
use crate::app::action::OverlayAction;
use crate::app::state::AppState;
use crate::app::view::layout::Size;
use crate::model::setting::SettingSpec;
use toml::Value;

#[derive(Debug)]
pub struct ThemeList {
    spec: &'static SettingSpec,
    /// The saved theme.
    before: String,
    marked: usize,
}

impl ThemeList {
    pub fn new(app: &AppState, spec: &'static SettingSpec) -> Self {
        let before = app.prefs.choices.ui.theme.clone();
        let marked = app.prefs.themes.iter().position(|name| *name == before).unwrap_or(0);
        Self { spec, before, marked }
    }

    /// The dialog was closed without a choice.
    pub fn given_up(self, app: &mut AppState) {
        show(app, self.before);
    }
}

/// Shows everything in another theme.
fn show(app: &mut AppState, theme: String) {
    if app.prefs.choices.ui.theme != theme {
        app.prefs.choices.ui.theme = theme;
        app.prefs.revision += 1;
    }
}

impl Dialog for ThemeList {
    fn content(&self, app: &AppState, _: Size) -> Content {
        let line = |name: &String| {
            let note = if *name == self.before { "now" } else { "" };
            DialogLine::new(name.as_str(), note)
        };
        let lines = app.prefs.themes.iter().map(line).collect();
        Content::new("Theme", lines, "Enter chooses it · Esc keeps the old one · ↑↓ try")
            .narrow()
            .with_marked(self.marked, "There are no themes.")
    }

    fn act(&mut self, action: OverlayAction, env: &mut DialogEnv<'_>) -> Next {
        let themes = &env.app.prefs.themes;
        if action == OverlayAction::Choose {
            let Some(name) = themes.get(self.marked).cloned() else { return Next::Close };
            if name != self.before
                && let Err(why) = change(env.app, self.spec, &Value::from(name))
            {
                env.app.complain(&format!("Not changed: {why}"));
                show(env.app, self.before.clone());
            }
            return Next::Close;
        }
        if let Some(by) = action.step_or_tab(env.page) {
            step(&mut self.marked, by, themes.len());
            if let Some(name) = themes.get(self.marked).cloned() {
                show(env.app, name);
            }
        }
        Next::Stay
    }
}
