//! `skchat man` and `skchat completions`: made from the definition of the command line, so they are always correct.

use super::context::ExitError;
use super::{Cli, lines};
use clap::CommandFactory;
use clap_complete::Shell;

/// Prints the manual page of the program, or of one command.
///
/// # Errors
/// When there is no such command, or the output cannot be written.
pub fn man(command: Option<&str>) -> Result<(), ExitError> {
    let mut program = Cli::command();
    program.build();
    let page = match command {
        None => clap_mangen::Man::new(program),
        Some(name) => {
            let found = program.find_subcommand(name).cloned();
            let found =
                found.ok_or_else(|| ExitError::usage(format!("there is no command {name}")))?;
            clap_mangen::Man::new(found).title(format!("skchat-{name}"))
        }
    };
    let mut out = Vec::new();
    page.render(&mut out)
        .map_err(|e| ExitError::failed(format!("the manual page could not be written: {e}")))?;
    print_text(&out)
}

/// Prints what a shell reads to complete the command line.
///
/// # Errors
/// When the output cannot be written.
pub fn completions(shell: Shell) -> Result<(), ExitError> {
    let mut out = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "skchat", &mut out);
    print_text(&out)
}

fn print_text(text: &[u8]) -> Result<(), ExitError> {
    lines::print_line(String::from_utf8_lossy(text).trim_end())
}
