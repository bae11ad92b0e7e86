//! The appearance of a run at its start: the configured preferences, with every "auto" resolved, and the themes.

use super::themes::Own;
use crate::app::Prefs;
use crate::cli::Global;
use crate::cli::context::ExitError;
use crate::config::Config;
use crate::model::{Bidi, EmojiStyle, EmojiWidth, Glyphs, Preferences};
use crate::runtime::background;
use crate::runtime::joined_emoji::TerminalHints;
use crate::runtime::terminfo::{self, Signs, has_plain_font};
use crate::ui::{ColorDepth, Themes};
use std::sync::Arc;

/// The part of a run's appearance that depends only on the configuration and the terminal.
pub struct Appearance {
    pub prefs: Prefs,
    pub depth: ColorDepth,
    pub themes: Themes,
    /// What is wrong with the user's themes, one line each.
    pub problems: Vec<String>,
}

impl Appearance {
    /// # Errors
    /// When the system has no random numbers, or a built-in theme cannot be read.
    pub fn of(global: &Global, config: &Config) -> Result<Self, ExitError> {
        let mut prefs = prefs(config)?;
        let hints = terminfo::ColorHints::of_environment();
        let depth = hints.depth(terminfo::colors(&hints.term));
        let own = Own::of(global);
        let (themes, problems) = own.read(depth, &prefs.choices.ui).map_err(ExitError::failed)?;
        prefs.themes = themes.names();
        Ok(Self { prefs, depth, themes, problems })
    }
}

fn prefs(config: &Config) -> Result<Prefs, ExitError> {
    // Random, so that two runs never use the same client id; below 2^62, so that counting up never wraps.
    let random =
        getrandom::u64().map_err(|_| ExitError::failed("the system provides no random numbers"))?;
    let mut choices = config.preferences.clone();
    decide(&mut choices);
    Ok(Prefs {
        zone: crate::config::local_zone(),
        keymap: Arc::clone(&config.keymap),
        key_changes: config.key_choices.changes.clone(),
        demo: false,
        read_only: false,
        enhanced_keyboard: false,
        first_client_id: random >> 2 | 1 << 61,
        choices,
        revision: 0,
        from_next_start: Vec::new(),
        themes: Vec::new(),
        background: background::of_environment(&std::env::var("COLORFGBG").unwrap_or_default()),
    })
}

/// Resolves "auto" choices by what is known about the terminal.
fn decide(choices: &mut Preferences) {
    let term = std::env::var("TERM").unwrap_or_default();
    choices.ui.emoji = emoji(choices.ui.emoji, &term);
    if Signs::of(&term, choices.ui.glyphs) == Signs::Ascii {
        choices.ui.glyphs = Glyphs::Ascii;
    }
    choices.ui.bidi = decided(choices.ui.bidi);
    if choices.ui.emoji_width == EmojiWidth::Auto {
        choices.ui.emoji_width = TerminalHints::of_environment().width();
    }
}

/// The fonts of the Linux console have no emoji.
fn emoji(chosen: EmojiStyle, term: &str) -> EmojiStyle {
    match chosen {
        EmojiStyle::Glyph if has_plain_font(term) => EmojiStyle::Short,
        chosen => chosen,
    }
}

/// Whether the program or the terminal reorders right-to-left text. Terminals that always do it themselves are
/// recognised by the environment.
fn decided(bidi: Bidi) -> Bidi {
    let has = |name: &str| std::env::var_os(name).is_some();
    let is = |name: &str, value: &str| std::env::var(name).is_ok_and(|v| v.starts_with(value));
    match bidi {
        Bidi::Auto
            if has("KONSOLE_VERSION")
                || is("TERM_PROGRAM", "Apple_Terminal")
                || is("TERM", "mlterm") =>
        {
            Bidi::Terminal
        }
        Bidi::Auto => Bidi::Reorder,
        chosen => chosen,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_linux_console_gets_emoji_as_words_unless_they_are_faces() {
        assert_eq!(emoji(EmojiStyle::Glyph, "linux"), EmojiStyle::Short);
        assert_eq!(emoji(EmojiStyle::Ascii, "linux"), EmojiStyle::Ascii);
        assert_eq!(emoji(EmojiStyle::Glyph, "xterm-256color"), EmojiStyle::Glyph);
    }
}
