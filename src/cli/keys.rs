//! `skchat keys`: the keys of all actions, as the preset and the configuration file leave them.

use super::context::ExitError;
use super::{Global, lines};
use crate::config::{ActionKeys, Config, action_keys, paths};
use crate::model::text::{fit, width};
use clap::Args;
use serde_json::json;

#[derive(Debug, Args)]
pub struct KeysArgs {
    /// Print one JSON object per line
    #[arg(long)]
    json: bool,
    /// Only what differs from the built-in keys (preset = "default")
    #[arg(long)]
    diff: bool,
}

/// Prints the table.
///
/// # Errors
/// When the configuration cannot be read.
pub fn run(global: &Global, arguments: &KeysArgs) -> Result<(), ExitError> {
    let file = paths::config_file(global.config.clone()).map_err(ExitError::usage)?;
    let config = Config::load(&file).map_err(|e| ExitError::usage(e.to_string()))?;
    for warning in config.iter().flat_map(|config| &config.warnings) {
        lines::warn(&format!("warning: {warning}"));
    }
    let keymap = config.as_ref().map(|config| &*config.keymap);
    for taken in config.iter().flat_map(|config| config.keymap.taken()) {
        let (keys, from, to) = (&taken.keys, &taken.from, &taken.to);
        lines::warn(&format!("note: {keys} is now \"{to}\", no longer \"{from}\""));
    }
    let listed = action_keys(keymap);
    let mut listed = listed.map_err(|e| ExitError::failed(e.to_string()))?;
    listed.retain(|row| !arguments.diff || row.keys != row.built_in);
    if arguments.json {
        listed.iter().try_for_each(|row| lines::print_line(lines::json_line(&object(row))))
    } else if arguments.diff {
        print_changes(&listed)
    } else {
        print_table(&listed)
    }
}

fn object(row: &ActionKeys) -> serde_json::Value {
    json!({
        "action": row.action,
        "contexts": row.contexts,
        "keys": row.keys,
        "built_in": row.built_in,
        "help": row.help,
    })
}

fn print_changes(changed: &[ActionKeys]) -> Result<(), ExitError> {
    if changed.is_empty() {
        return lines::print_line("all keys are the built-in ones".to_owned());
    }
    let written =
        |keys: &[String]| if keys.is_empty() { "none".to_owned() } else { keys.join(", ") };
    let mut printed = Vec::new();
    for row in changed {
        let (now, before) = (written(&row.keys), written(&row.built_in));
        let place = if row.contexts == ["normal"] { " in NORMAL mode" } else { "" };
        let line = format!("{}{place}: {now} (built in: {before})", row.action);
        // Some actions have the same keys in several places.
        if !printed.contains(&line) {
            lines::print_line(line.clone())?;
            printed.push(line);
        }
    }
    Ok(())
}

fn print_table(listed: &[ActionKeys]) -> Result<(), ExitError> {
    let names = listed.iter().map(|row| width(&row.action)).max().unwrap_or(0);
    let columns = listed.iter().map(|row| width(&row.keys.join(", "))).max().unwrap_or(0);
    let mut headings: Vec<&str> = Vec::new();
    for row in listed {
        if !headings.contains(&row.heading) {
            headings.push(row.heading);
        }
    }
    for heading in headings {
        lines::print_line(heading.to_owned())?;
        for row in listed.iter().filter(|row| row.heading == heading) {
            let (name, keys) = (fit(&row.action, names), fit(&row.keys.join(", "), columns));
            lines::print_line(format!("  {name}  {keys}  {}", row.help))?;
        }
    }
    Ok(())
}
