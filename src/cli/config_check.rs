//! `skchat config check`: lists everything that is wrong in the configuration file.

use super::context::ExitError;
use super::{Global, account, lines};
use crate::config::{AccountConfig, Config, ConfigError, paths};
use std::path::Path;

/// Prints that the file is fine, or a line for each problem.
///
/// # Errors
/// When the file is missing or anything in it is wrong.
pub fn run(global: &Global) -> Result<(), ExitError> {
    let file = paths::config_file(global.config.clone()).map_err(ExitError::usage)?;
    let name = file.display();
    let (config, mut problems) = match Config::examine(&file) {
        Ok(Some(found)) => found,
        Ok(None) => {
            return Err(ExitError::failed(format!(
                "there is no configuration at {name}; skchat config init creates it"
            )));
        }
        Err(error) => return Err(ExitError::failed(error.to_string())),
    };
    for (name, found) in &config.accounts {
        problems.extend(account::problems(&config, name, found));
        problems.extend(token_problem(&config, name, found));
    }
    problems.sort_by_key(ConfigError::line);
    let mut lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    lines.extend(config.warnings.iter().cloned());
    if config.accounts.is_empty() && lines.is_empty() {
        lines.push(format!("{name}: there is no account; add [accounts.NAME]"));
    }
    if lines.is_empty() {
        let accounts: Vec<&str> = config.accounts.keys().map(String::as_str).collect();
        let word = if accounts.len() == 1 { "account" } else { "accounts" };
        return lines::print_line(format!("{name} is fine; {word}: {}", accounts.join(", ")));
    }
    for line in &lines {
        lines::warn(line);
    }
    Err(ExitError::failed(lines::count(lines.len(), "problem")))
}

/// What is wrong with the place that the token comes from.
fn token_problem(config: &Config, name: &str, account: &AccountConfig) -> Option<ConfigError> {
    let missing = |path: &Path| {
        let message = match std::fs::metadata(path) {
            Ok(found) if found.is_file() => return None,
            Ok(_) => format!("{} is not a file", path.display()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                format!("the token file {} does not exist", path.display())
            }
            Err(error) => format!("the token file {} cannot be read: {error}", path.display()),
        };
        Some(config.error(&format!("accounts.{name}.token"), &message))
    };
    let token = account.token.as_ref()?;
    if let Some(file) = &token.file {
        return missing(&paths::expand_home(file));
    }
    let program = token.command.as_ref().and_then(|command| command.first())?;
    let program = paths::expand_home(Path::new(program));
    if program.components().count() > 1 { missing(&program) } else { None }
}
