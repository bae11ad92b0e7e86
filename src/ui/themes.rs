//! All themes that can be chosen: the built-in ones, and those of the user, which replace built-in ones of the same
//! name.

use super::{ColorDepth, Theme, palette};
use crate::app::Prefs;
use crate::model::{Background, Rgb};
use std::sync::OnceLock;

/// The built-in theme that uses the terminal's own colours.
pub const DEFAULT: &str = include_str!("../../assets/theme.toml");

/// The other built-in themes by name.
const BUILT_IN: [(&str, &str); 8] = [
    ("dark", include_str!("../../assets/themes/dark.toml")),
    ("light", include_str!("../../assets/themes/light.toml")),
    ("high-contrast", include_str!("../../assets/themes/high-contrast.toml")),
    ("monochrome", include_str!("../../assets/themes/monochrome.toml")),
    ("gruvbox-dark", include_str!("../../assets/themes/gruvbox-dark.toml")),
    ("nord", include_str!("../../assets/themes/nord.toml")),
    ("dracula", include_str!("../../assets/themes/dracula.toml")),
    ("solarized-dark", include_str!("../../assets/themes/solarized-dark.toml")),
];

/// The name of the theme that has the terminal's own colours.
const FIRST: &str = "default";
/// The name of the theme that adapts to the terminal's background.
const AUTO: &str = "auto";

/// The themes of a run. A built-in theme is read when it is first shown.
#[derive(Clone, Debug)]
pub struct Themes {
    first: Theme,
    others: Vec<(String, Choice)>,
    depth: ColorDepth,
    blink: bool,
    /// The themes for a dark, a light, and a reported background, made when they are needed.
    fitting: [OnceLock<Option<Theme>>; 3],
}

/// A theme that can be chosen.
#[derive(Clone, Debug)]
enum Choice {
    Read(Box<Theme>),
    /// A built-in theme: its table, and the theme once it is needed. `None` if the table cannot be read, which the
    /// tests rule out.
    BuiltIn(&'static str, OnceLock<Option<Box<Theme>>>),
}

impl Themes {
    /// # Errors
    /// When the first theme cannot be read.
    pub fn built_in(depth: ColorDepth, blink: bool) -> Result<Self, String> {
        let first = Theme::new(DEFAULT, depth, blink)?;
        let others = BUILT_IN
            .map(|(name, table)| (name.to_owned(), Choice::BuiltIn(table, OnceLock::new())));
        Ok(Self { first, others: others.into(), depth, blink, fitting: Default::default() })
    }

    /// Adds a theme. Returns the roles whose colours were not readable on their background and were changed.
    ///
    /// # Errors
    /// A message that names the theme and what is wrong with it.
    pub fn add(&mut self, name: &str, table: &str) -> Result<Vec<String>, String> {
        let theme = Theme::new(table, self.depth, self.blink);
        let mut theme = theme.map_err(|why| format!("theme {name}: {why}"))?;
        let lifted = theme.lifted.clone();
        if name == FIRST {
            self.first = theme;
            return Ok(lifted);
        }
        let known = self.others.iter().position(|(other, _)| other == name);
        theme.stamp = known.unwrap_or(self.others.len()) + 1;
        let theme = Choice::Read(Box::new(theme));
        match known.and_then(|at| self.others.get_mut(at)) {
            Some((_, known)) => *known = theme,
            None => self.others.push((name.to_owned(), theme)),
        }
        Ok(lifted)
    }

    /// All names, in the order in which they are offered.
    pub fn names(&self) -> Vec<String> {
        let others = self.others.iter().map(|(name, _)| name.clone());
        [AUTO, FIRST].map(str::to_owned).into_iter().chain(others).collect()
    }

    /// The theme that the user chose.
    pub fn of_prefs(&self, prefs: &Prefs) -> &Theme {
        let name = &prefs.choices.ui.theme;
        let has_own = || self.others.iter().any(|(other, _)| other == AUTO);
        let fitting = (name == AUTO && !has_own()).then(|| self.fitting(prefs.background));
        fitting.flatten().unwrap_or_else(|| self.of(name))
    }

    /// The light or dark theme on the terminal's own background; `None` if too little is known, or only the terminal's
    /// own colours are available.
    fn fitting(&self, background: Background) -> Option<&Theme> {
        let (slot, on) = match background {
            Background::Unknown => return None,
            // Few dark backgrounds are black.
            Background::Dark => (0, Rgb(30, 30, 30)),
            Background::Light => (1, Rgb(255, 255, 255)),
            Background::Color(color) => (2, color),
        };
        let name = if palette::is_dark(on) { "dark" } else { "light" };
        let table = BUILT_IN.iter().find(|(other, _)| *other == name)?.1;
        let made = self.fitting.get(slot)?.get_or_init(|| {
            let theme = Theme::on(table, self.depth, self.blink, Some(on)).ok()?;
            Some(Theme { stamp: usize::MAX - slot, ..theme })
        });
        made.as_ref().filter(|_| self.depth.has_shades())
    }

    /// The theme with this name, or else the first one.
    pub fn of(&self, name: &str) -> &Theme {
        let found = self.others.iter().position(|(other, _)| other == name);
        found.and_then(|at| self.at(at)).unwrap_or(&self.first)
    }

    fn at(&self, at: usize) -> Option<&Theme> {
        match self.others.get(at)? {
            (_, Choice::Read(theme)) => Some(theme),
            (_, Choice::BuiltIn(table, made)) => {
                let read = || {
                    let theme = Theme::new(table, self.depth, self.blink).ok()?;
                    Some(Box::new(Theme { stamp: at + 1, ..theme }))
                };
                made.get_or_init(read).as_deref()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::view::{FEW_HUES, HUES};
    use ratatui::style::Color;
    use std::collections::HashSet;

    #[test]
    fn every_built_in_theme_is_complete_and_can_be_read() {
        for depth in [ColorDepth::None, ColorDepth::Sixteen, ColorDepth::Indexed, ColorDepth::True]
        {
            let themes = Themes::built_in(depth, false).unwrap();
            assert_eq!(themes.names().len(), BUILT_IN.len() + 2);
            for (name, table) in BUILT_IN {
                Theme::new(table, depth, false).unwrap_or_else(|why| panic!("{name}: {why}"));
            }
            for name in themes.names() {
                let theme = themes.of(&name);
                assert_eq!(theme.lifted, Vec::<String>::new(), "{name}");
                let expected = match depth {
                    ColorDepth::None => 0,
                    _ if name == "monochrome" => 0,
                    ColorDepth::Sixteen => usize::from(FEW_HUES),
                    _ => usize::from(HUES),
                };
                let colors: HashSet<_> = theme.names.iter().collect();
                assert_eq!(colors.len(), expected, "{name}");
                // No name looks like the user's own name, an error, a link or a selection.
                let roles = [theme.me, theme.bad, theme.link, theme.selected];
                let reserved = roles.map(|style| style.fg).into_iter().flatten();
                assert!(reserved.into_iter().all(|color| !colors.contains(&color)), "{name}");
            }
        }
        let palettes = ["gruvbox-dark", "nord", "dracula", "solarized-dark"];
        for (name, table) in BUILT_IN.iter().filter(|(name, _)| palettes.contains(name)) {
            assert!(table.lines().next().unwrap().contains("MIT licence"), "{name}");
        }
    }

    #[test]
    fn a_theme_of_the_user_replaces_a_built_in_one_and_says_what_is_wrong() {
        let mut themes = Themes::built_in(ColorDepth::True, false).unwrap();
        let count = themes.names().len();
        let lifted = themes.add("nord", "screen = { fg = \"#202020\", bg = \"#101010\" }").unwrap();
        assert_eq!(lifted, ["screen"]);
        assert_eq!(themes.names().len(), count);
        let theme = themes.of("nord");
        assert_eq!(theme.screen.bg, Some(Color::Rgb(16, 16, 16)));
        assert_ne!(theme.screen.fg, Some(Color::Rgb(32, 32, 32)), "it was made readable");
        assert_eq!(theme.me, themes.of("default").me, "what it does not name is as by default");
        let mistake = themes.add("mine", "titel = { fg = \"red\" }").unwrap_err();
        assert!(mistake.contains("theme mine") && mistake.contains("\"titel\""), "{mistake}");
        let mistake = themes.add("mine", "title = { fg = \"reddish\" }").unwrap_err();
        assert!(mistake.contains("\"reddish\" is not a colour"), "{mistake}");
        assert!(themes.add("mine", "no table").is_err());
        assert_eq!(themes.of("nowhere").stamp, themes.of("default").stamp);
        let stamps: HashSet<usize> =
            themes.names().iter().map(|name| themes.of(name).stamp).collect();
        assert_eq!(
            stamps.len(),
            count - 1,
            "auto is one of the others as long as nothing is known"
        );
    }

    #[test]
    fn the_automatic_theme_fits_the_background_of_the_terminal() {
        let keymap = crate::app::keymap::builtin_keymap().unwrap();
        let mut prefs = Prefs::plain(std::sync::Arc::new(keymap));
        let themes = Themes::built_in(ColorDepth::True, false).unwrap();
        assert_eq!(themes.of_prefs(&prefs).stamp, themes.of("default").stamp, "nothing is known");
        let rgb = |color: Option<Color>| palette::rgb(color).unwrap();
        let backgrounds =
            [Rgb(0, 0, 0), Rgb(0x28, 0x2a, 0x36), Rgb(0x80, 0x80, 0x80), Rgb(0xfd, 0xf6, 0xe3)];
        for on in backgrounds {
            // The terminal only answers once in a run.
            let themes = themes.clone();
            prefs.background = Background::Color(on);
            let theme = themes.of_prefs(&prefs);
            assert_eq!(theme.screen, ratatui::style::Style::new(), "the terminal keeps its own");
            let texts = [theme.dim, theme.me, theme.bad, theme.link, theme.new, theme.good];
            let texts =
                texts.map(|style| style.fg).into_iter().chain(theme.names.iter().map(|c| Some(*c)));
            for text in texts {
                assert!(
                    palette::contrast(rgb(text), on) >= palette::LEAST_CONTRAST,
                    "{on:?} {text:?}"
                );
            }
            assert_ne!(rgb(theme.selected.bg), on);
            assert_ne!(theme.stamp, themes.of("dark").stamp);
        }
        prefs.background = Background::Light;
        assert_eq!(themes.of_prefs(&prefs).me, themes.of("light").me);
        prefs.background = Background::Dark;
        assert_eq!(themes.of_prefs(&prefs).me, themes.of("dark").me);
        prefs.choices.ui.theme = "nord".into();
        assert_eq!(themes.of_prefs(&prefs).stamp, themes.of("nord").stamp);
        let few = Themes::built_in(ColorDepth::Sixteen, false).unwrap();
        prefs.choices.ui.theme = "auto".into();
        assert_eq!(few.of_prefs(&prefs).stamp, few.of("default").stamp);
    }
}
