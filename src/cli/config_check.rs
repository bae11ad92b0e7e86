//! `skchat config check`: lists everything that is wrong in the configuration file.

use super::context::ExitError;
use super::{Global, account, lines};
use crate::config::{AccountConfig, Config, ConfigError, paths};
use crate::model::UiPreferences;
use crate::protocol::service::ServiceProfile;
use std::path::Path;

/// Finds the dictionaries that spell check uses, or what is wrong with them.
pub type DictionariesOf = fn(&UiPreferences) -> Vec<Result<String, String>>;

/// Prints that the file is fine, or a line for each problem. `themes` are the names that `ui.theme` can have.
///
/// # Errors
/// When the file is missing or anything in it is wrong.
pub fn run(
    global: &Global,
    themes: &[String],
    dictionaries: DictionariesOf,
) -> Result<(), ExitError> {
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
        problems.extend(found.ca_file.as_ref().and_then(|file| {
            let message = file_problem("ca_file", &paths::expand_home(file))?;
            Some(config.error(&format!("accounts.{name}.ca_file"), &message))
        }));
    }
    problems.extend(service_problems(&config));
    let theme = &config.preferences.ui.theme;
    if !themes.contains(theme) {
        let message =
            format!("there is no theme \"{theme}\"; the known ones are {}", themes.join(", "));
        problems.push(config.error("ui.theme", &message));
    }
    let wrong = dictionaries(&config.preferences.ui).into_iter().filter_map(Result::err);
    problems.extend(wrong.map(|why| config.error("ui.spelling", &why)));
    let mut lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    lines.extend(config.warnings.iter().cloned());
    let line_of = |text: &String| {
        let place = text.strip_prefix(&format!("{name}:"))?.split(':').next()?;
        place.parse::<usize>().ok()
    };
    // What concerns the file as a whole comes last.
    lines.sort_by_key(|text| line_of(text).unwrap_or(usize::MAX));
    lines.dedup();
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

/// What is wrong with the source of the token.
fn token_problem(config: &Config, name: &str, account: &AccountConfig) -> Option<ConfigError> {
    let missing = |path: &Path| {
        let message = file_problem("the token file", path)?;
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

/// Why a file cannot be used; `what` names it.
fn file_problem(what: &str, path: &Path) -> Option<String> {
    match std::fs::metadata(path) {
        Ok(found) if found.is_file() => None,
        Ok(_) => Some(format!("{what} {} is not a file", path.display())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Some(format!("{what} {} does not exist", path.display()))
        }
        Err(error) => Some(format!("{what} {} cannot be read: {error}", path.display())),
    }
}

/// What is wrong with the services of the configuration, whether an account uses them or not.
fn service_problems(config: &Config) -> Vec<ConfigError> {
    let wrong = config.services.keys().filter_map(|name| {
        let error = ServiceProfile::named(name, &config.services).err()?;
        let message = format!("service \"{name}\": {error}");
        Some(config.error(&format!("services.{name}"), &message))
    });
    wrong.collect()
}
