//! `skchat replay`, and the header of a recording.

use super::RunSetup;
use super::last_run::LastRun;
use crate::app::overlay::{Overlay, Welcome};
use crate::app::{Account, Accounts, Model, Prefs};
use crate::cli::context::ExitError;
use crate::cli::lines;
use crate::cli::replay::ReplayArgs;
use crate::runtime::recording::{self, FORMAT, Player, RecordingEntry, RecordingHeader, Redactor};
use crate::ui::{ColorDepth, Themes};
use std::sync::Arc;

/// The initial state of this run.
pub fn header(setup: &RunSetup, prefs: &Prefs, depth: ColorDepth) -> RecordingHeader {
    RecordingHeader {
        skchat: env!("CARGO_PKG_VERSION").to_owned(),
        format: FORMAT,
        accounts: setup.accounts.clone(),
        zone: prefs.zone.iana_name().unwrap_or("UTC").to_owned(),
        size: setup.size,
        depth,
        background: prefs.background,
        demo: prefs.demo,
        read_only: prefs.read_only,
        first_client_id: prefs.first_client_id,
        preferences: prefs.choices.clone(),
        welcome: setup.last_run == LastRun::Never,
        returns: setup.last_run == LastRun::LongAgo,
        warning: setup.config.warnings.first().cloned(),
        keys: setup.config.key_choices.changes.clone(),
    }
}

/// The model a run begins with.
///
/// # Errors
/// When there is no account.
pub fn first_model(prefs: Prefs, header: &RecordingHeader) -> Result<Model, String> {
    let mut accounts = header.accounts.iter().map(|(id, me)| Account::new(id.clone(), me.clone()));
    let first = accounts.next().ok_or("there is no account")?;
    let mut model = Model::new(prefs, Accounts::new(first, accounts.collect()), header.size);
    model.app.presence.returns = header.returns;
    if header.welcome && Welcome::fits(header.size) {
        model.overlays.push(Overlay::Welcome(Welcome));
    }
    if let Some(warning) = &header.warning {
        model.app.complain(warning);
    }
    Ok(model)
}

fn player(header: &RecordingHeader) -> Result<Player, String> {
    let keymap = Prefs::keymap_of(&header.preferences, &header.keys).map_err(|e| e.to_string())?;
    let zone = jiff::tz::TimeZone::get(&header.zone).map_err(|e| e.to_string())?;
    let themes = Themes::built_in(header.depth, header.preferences.ui.blink)?;
    let prefs = Prefs {
        zone,
        keymap: Arc::new(keymap),
        key_changes: header.keys.clone(),
        demo: header.demo,
        read_only: header.read_only,
        enhanced_keyboard: false,
        first_client_id: header.first_client_id,
        choices: header.preferences.clone(),
        revision: 0,
        from_next_start: Vec::new(),
        themes: themes.names(),
        background: header.background,
    };
    Ok(Player::new(first_model(prefs, header)?, themes))
}

fn played(inputs: usize, frames: usize) -> String {
    format!("{}, {}", lines::count(inputs, "input"), lines::count(frames, "frame"))
}

/// Plays a recording.
///
/// # Errors
/// When it cannot be read, or a frame differs from the recording.
pub fn run(arguments: &ReplayArgs) -> Result<(), ExitError> {
    let name = arguments.file.display();
    let failed = |e: String| ExitError::failed(format!("{name}: {e}"));
    let (header, entries, cut) = recording::read(&arguments.file).map_err(failed)?;
    if cut {
        lines::warn(&format!(
            "skchat: {name} ends in the middle of a line; it is played up to there"
        ));
    }
    if let Some(target) = &arguments.redact {
        let key = getrandom::u64()
            .map_err(|_| ExitError::failed("the system provides no random numbers"))?;
        let redactor = Redactor::new(key);
        let header = recording::redacted_header(&header, &redactor).map_err(failed)?;
        let player = player(&header).map_err(failed)?;
        let target_name = target.display();
        recording::write_redacted(target, &header, &entries, player, &redactor)
            .map_err(|e| ExitError::failed(format!("{target_name}: {e}")))?;
        return lines::print_line(format!(
            "{target_name} holds the same run without any readable text"
        ));
    }
    let mut player = player(&header).map_err(failed)?;
    for entry in &entries {
        if arguments.until.is_some_and(|until| {
            player.inputs >= until && matches!(entry, RecordingEntry::Input(..))
        }) {
            break;
        }
        player.play(entry);
    }
    if arguments.until.is_some() {
        lines::print_line(player.picture().trim_end_matches('\n'))?;
    }
    let (inputs, frames) = (player.inputs, player.frames);
    match player.differing.first() {
        None => lines::print_line(format!("{}: all as recorded", played(inputs, frames))),
        Some(first) => Err(ExitError::failed(format!(
            "{}: {} not as recorded by skchat {}, from frame {first} on",
            played(inputs, frames),
            lines::count(player.differing.len(), "frame"),
            header.skchat
        ))),
    }
}
