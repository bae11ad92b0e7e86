//! What a run starts with: the preferences of the configuration, with what is "auto" there decided.

use super::RunSetup;
use crate::app::Prefs;
use crate::cli::context::ExitError;
use crate::model::{Bidi, EmojiWidth, Preferences};
use crate::runtime::background;
use crate::runtime::joined_emoji::TerminalHints;
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

/// Decides what is "auto" by what is known of the terminal.
fn decide(choices: &mut Preferences) {
    choices.ui.bidi = decided(choices.ui.bidi);
    if choices.ui.emoji_width == EmojiWidth::Auto {
        choices.ui.emoji_width = TerminalHints::of_environment().width();
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
