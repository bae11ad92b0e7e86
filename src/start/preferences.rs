//! What a run starts with: the preferences of the configuration, with what is "auto" there decided.

use super::RunSetup;
use crate::app::Prefs;
use crate::cli::context::ExitError;
use crate::model::{Bidi, EmojiStyle, EmojiWidth, Glyphs, Preferences};
use crate::runtime::background;
use crate::runtime::joined_emoji::TerminalHints;
use crate::runtime::terminfo::{Signs, has_plain_font};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Preferences of a run.
///
/// # Errors
/// When the system has no random numbers.
pub fn prefs(setup: &RunSetup) -> Result<Prefs, ExitError> {
    // Random, so that two runs never use the same client id; below 2^62, so that counting up never wraps.
    let random =
        getrandom::u64().map_err(|_| ExitError::failed("the system provides no random numbers"))?;
    let mut choices = setup.config.preferences.clone();
    decide(&mut choices);
    Ok(Prefs {
        zone: crate::config::local_zone(),
        keymap: Arc::new(setup.config.keymap.clone()),
        key_changes: setup.config.key_choices.changes.clone(),
        demo: setup.demo,
        read_only: setup.read_only,
        enhanced_keyboard: false,
        first_client_id: random >> 2 | 1 << 61,
        choices,
        revision: 0,
        from_next_start: Vec::new(),
        themes: Vec::new(),
        background: background::of_environment(&std::env::var("COLORFGBG").unwrap_or_default()),
    })
}

/// The file with the words that the user has added to the dictionary: in the data folder, for all accounts.
pub fn own_words(setup: &RunSetup) -> PathBuf {
    // An account's own folder is two below.
    let data = setup.dir.parent().and_then(Path::parent).filter(|_| !setup.demo);
    data.unwrap_or(&setup.dir).join("words.txt")
}

/// Decides what is "auto" by what is known of the terminal.
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

/// Who puts right-to-left text into order. The terminals that do it themselves and cannot be told not to are known by
/// what they put into the environment.
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
