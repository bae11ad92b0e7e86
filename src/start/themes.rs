//! The user's themes: files `themes/NAME.toml` beside the configuration file.

use crate::cli::Global;
use crate::config::paths;
use crate::model::UiPreferences;
use crate::ui::{ColorDepth, Themes};
use std::path::PathBuf;

/// Larger files are not themes.
const MAX_SIZE: u64 = 256 * 1024;

/// The names of all themes: the built-in ones, and those of the user's files.
pub fn names(global: &Global) -> Vec<String> {
    let built_in = Themes::built_in(ColorDepth::None, false).map(|themes| themes.names());
    let own = Own::of(global).files().into_iter().map(|(name, _)| name);
    built_in.unwrap_or_default().into_iter().chain(own).collect()
}

/// The folder of the user's themes.
pub struct Own {
    dir: Option<PathBuf>,
}

impl Own {
    /// The folder beside the configuration file.
    pub fn of(global: &Global) -> Self {
        let file = paths::config_file(global.config.clone()).ok();
        Self { dir: file.and_then(|file| Some(file.parent()?.join("themes"))) }
    }

    /// All themes, and what is wrong with those of the user.
    ///
    /// # Errors
    /// If a built-in theme cannot be read.
    pub fn read(
        &self,
        depth: ColorDepth,
        ui: &UiPreferences,
    ) -> Result<(Themes, Vec<String>), String> {
        let mut themes = Themes::built_in(depth, ui.blink)?;
        let mut problems = Vec::new();
        for (name, file) in self.files() {
            let is_small =
                std::fs::metadata(&file).is_ok_and(|meta| meta.is_file() && meta.len() <= MAX_SIZE);
            let text = is_small.then(|| std::fs::read_to_string(&file).ok()).flatten();
            let Some(text) = text else {
                problems.push(format!("theme {name}: the file cannot be read"));
                continue;
            };
            match themes.add(&name, &text) {
                Ok(lifted) if lifted.is_empty() => {}
                Ok(lifted) => problems.push(format!(
                    "theme {name}: these were made readable on their background: {}",
                    lifted.join(", ")
                )),
                Err(why) => problems.push(why),
            }
        }
        if !themes.names().contains(&ui.theme) {
            problems.push(format!("there is no theme \"{}\"; F10 lists them", ui.theme));
        }
        Ok((themes, problems))
    }

    fn files(&self) -> Vec<(String, PathBuf)> {
        let entries = self.dir.as_ref().and_then(|dir| std::fs::read_dir(dir).ok());
        let named = entries.into_iter().flatten().flatten().filter_map(|entry| {
            let file = entry.path();
            let is_theme = file.extension().is_some_and(|extension| extension == "toml");
            let name = file.file_stem()?.to_str()?.to_owned();
            is_theme.then_some((name, file))
        });
        let mut files: Vec<(String, PathBuf)> = named.collect();
        files.sort_unstable();
        files
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn themes_beside_the_configuration_are_offered_and_mistakes_are_reported() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
        write("mine.toml", "title = { fg = \"magenta\" }");
        write("faint.toml", "screen = { fg = \"#333333\", bg = \"#222222\" }");
        write("broken.toml", "title = 5");
        write("notes.txt", "no theme");
        let own = Own { dir: Some(dir.path().to_owned()) };
        let ui = UiPreferences { theme: "nowhere".into(), ..UiPreferences::default() };
        let (themes, problems) = own.read(ColorDepth::True, &ui).unwrap();
        let names = themes.names();
        assert!(names.contains(&"mine".into()) && !names.contains(&"broken".into()), "{names:?}");
        assert_eq!(problems.len(), 3, "{problems:?}");
        assert!(problems[0].starts_with("theme broken: "), "{problems:?}");
        assert!(problems[1].contains("theme faint") && problems[1].contains("screen"));
        assert!(problems[2].contains("no theme \"nowhere\""));
        let nothing = Own { dir: None }.read(ColorDepth::True, &UiPreferences::default());
        assert_eq!(nothing.unwrap().1, Vec::<String>::new());
    }
}
