//! `skchat keys`: the keys of all actions, as the configuration file leaves them.

use super::context::ExitError;
use super::{Global, lines};
use crate::app::keymap::{Context, KeymapEntry};
use crate::config::{Config, builtin_keymap, paths};
use crate::model::text::{fit, width};
use clap::Args;
use serde_json::json;

#[derive(Debug, Args)]
pub struct KeysArgs {
    /// Print one JSON object per line
    #[arg(long)]
    json: bool,
    /// Only the actions whose keys differ from the built-in ones
    #[arg(long)]
    diff: bool,
}

/// An action with its keys now and as built in.
struct ListedAction<'a> {
    entry: &'a KeymapEntry,
    built_in: Vec<String>,
}

impl ListedAction<'_> {
    fn is_changed(&self) -> bool {
        self.entry.key_texts() != self.built_in
    }
}

/// Prints the table.
///
/// # Errors
/// When the configuration cannot be read.
pub fn run(global: &Global, arguments: &KeysArgs) -> Result<(), ExitError> {
    let file = paths::config_file(global.config.clone()).map_err(ExitError::usage)?;
    let config = Config::load(&file).map_err(|e| ExitError::usage(e.to_string()))?;
    let built_in = builtin_keymap().map_err(ExitError::failed)?;
    for warning in config.iter().flat_map(|config| &config.warnings) {
        lines::warn(&format!("warning: {warning}"));
    }
    let keymap = config.map_or_else(|| built_in.clone(), |config| config.keymap);
    // Both have the rows of the same table. An action may have several.
    let rows = keymap.entries().iter().zip(built_in.entries());
    let listed: Vec<ListedAction<'_>> = rows
        .map(|(entry, built_in)| ListedAction { entry, built_in: built_in.key_texts() })
        .filter(|action| !arguments.diff || action.is_changed())
        .collect();
    if arguments.json {
        listed.iter().try_for_each(|action| lines::print_line(lines::json_line(&object(action))))
    } else if arguments.diff {
        print_changes(&listed)
    } else {
        print_table(&listed)
    }
}

fn object(action: &ListedAction<'_>) -> serde_json::Value {
    let places: Vec<&str> = action.entry.contexts.iter().map(|context| context.name()).collect();
    json!({
        "action": action.entry.name,
        "contexts": places,
        "keys": action.entry.key_texts(),
        "built_in": action.built_in,
        "help": action.entry.help,
    })
}

fn print_changes(changed: &[ListedAction<'_>]) -> Result<(), ExitError> {
    if changed.is_empty() {
        return lines::print_line("all keys are the built-in ones".to_owned());
    }
    let written = |keys: &[String]| {
        if keys.is_empty() { "none".to_owned() } else { keys.join(", ") }
    };
    changed.iter().try_for_each(|action| {
        let (now, before) = (written(&action.entry.key_texts()), written(&action.built_in));
        lines::print_line(format!("{}: {now} (built in: {before})", action.entry.name))
    })
}

fn print_table(listed: &[ListedAction<'_>]) -> Result<(), ExitError> {
    let names = listed.iter().map(|action| width(&action.entry.name)).max().unwrap_or(0);
    let keys = |action: &ListedAction<'_>| action.entry.key_texts().join(", ");
    let columns = listed.iter().map(|action| width(&keys(action))).max().unwrap_or(0);
    for (_, context) in Context::ALL {
        lines::print_line(context.heading().to_owned())?;
        for action in listed.iter().filter(|a| a.entry.contexts.first() == Some(&context)) {
            let (name, keys) = (fit(&action.entry.name, names), fit(&keys(action), columns));
            lines::print_line(format!("  {name}  {keys}  {}", action.entry.help))?;
        }
    }
    Ok(())
}
