//! `skchat config init`: creates a configuration file in which every setting is explained.

use super::context::ExitError;
use super::{Global, lines};
use crate::config::paths;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

const EXAMPLE: &str = include_str!("../../config.example.toml");
const HEAD: &str = "# Remove the # in front of a setting to use it.\n#\n";

/// The example with every setting commented out.
fn commented() -> String {
    let lines = EXAMPLE.lines().map(|line| match line {
        "" => "\n".to_owned(),
        comment if comment.trim_start().starts_with('#') => format!("{comment}\n"),
        setting => format!("#{setting}\n"),
    });
    std::iter::once(HEAD.to_owned()).chain(lines).collect()
}

/// Writes the file, which must not exist.
///
/// # Errors
/// When it exists or cannot be written.
pub fn run(global: &Global) -> Result<(), ExitError> {
    let file = paths::config_file(global.config.clone()).map_err(ExitError::usage)?;
    create(&file)?;
    lines::print_line(format!(
        "created {}: add your account there, then run skchat config check",
        file.display()
    ))
}

/// Creates the file with every setting commented out.
///
/// # Errors
/// When it exists or cannot be written.
pub fn create(file: &Path) -> Result<(), ExitError> {
    let name = file.display();
    let failed = |e: std::io::Error| ExitError::failed(format!("{name} cannot be written: {e}"));
    if let Some(dir) = file.parent().filter(|dir| !dir.as_os_str().is_empty()) {
        paths::make_dir(dir).map_err(failed)?;
    }
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(file) {
        Ok(mut out) => out.write_all(commented().as_bytes()).map_err(failed),
        Err(e) if e.kind() == ErrorKind::AlreadyExists => {
            Err(ExitError::failed(format!("{name} already exists; nothing was changed")))
        }
        Err(e) => Err(failed(e)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn the_file_changes_nothing_and_with_every_setting_uncommented_it_is_the_example() {
        let config = Config::parse(&commented(), Path::new("config.toml")).unwrap();
        assert!(config.accounts.is_empty() && config.warnings.is_empty());
        let text = commented();
        let settings = text.lines().filter_map(|line| line.strip_prefix('#'));
        let settings: Vec<&str> =
            settings.filter(|l| !l.is_empty() && !l.starts_with(' ')).collect();
        let example: Vec<&str> =
            EXAMPLE.lines().filter(|l| !l.is_empty() && !l.trim_start().starts_with('#')).collect();
        assert_eq!(settings, example);
    }
}
