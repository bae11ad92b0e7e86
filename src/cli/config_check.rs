//! `skchat config check`: checks the configuration file.

use super::Global;
use super::account;
use super::context::ExitError;
use crate::config::{Config, paths};

/// Prints that the file is fine, and a line for each warning.
///
/// # Errors
/// When the file is missing or has errors.
pub fn run(global: &Global) -> Result<(), ExitError> {
    let file = paths::config_file(global.config.clone()).map_err(ExitError::usage)?;
    let config = Config::load(&file).map_err(|e| ExitError::usage(e.to_string()))?;
    let config = config.ok_or_else(|| {
        ExitError::usage(format!("there is no configuration at {}", file.display()))
    })?;
    for (name, found) in &config.accounts {
        account::client_options(&config, name, found)
            .map_err(|e| ExitError::usage(e.to_string()))?;
    }
    for warning in &config.warnings {
        eprintln!("warning: {warning}");
    }
    let accounts: Vec<&str> = config.accounts.keys().map(String::as_str).collect();
    if accounts.is_empty() {
        let message = format!("{} has no account; config.example.toml shows one", file.display());
        return Err(ExitError::usage(message));
    }
    println!("{}: fine; accounts: {}", file.display(), accounts.join(", "));
    Ok(())
}
