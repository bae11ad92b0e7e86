//! The program: reads the command line, carries it out, and reports errors in one line.

#![deny(
    clippy::unwrap_used,
    clippy::panic,
    clippy::todo,
    clippy::string_slice,
    clippy::disallowed_methods
)]

use clap::Parser;
use skchat::cli::{Cli, FAILED, USAGE};
use skchat::model::SafeText;
use std::io::{ErrorKind, Write};
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = match Cli::of_process() {
        Ok(cli) => cli,
        Err(error) if error.use_stderr() => {
            report(&misuse(error));
            return ExitCode::from(USAGE);
        }
        // Help and version.
        Err(text) => {
            return match text.print() {
                Err(error) if error.kind() != ErrorKind::BrokenPipe => ExitCode::from(FAILED),
                _ => ExitCode::SUCCESS,
            };
        }
    };
    match skchat::start::main(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            report(&format!("skchat: {failure}"));
            ExitCode::from(failure.status)
        }
    }
}

/// The error in the command line. It is parsed again with each word cleaned, so that a line break in a word does not
/// start a new line.
fn misuse(error: clap::Error) -> String {
    let words = std::env::args_os();
    let cleaned = words.map(|word| SafeText::line(&word.to_string_lossy()).as_str().to_owned());
    let error = Cli::try_parse_from(cleaned).err().unwrap_or(error);
    error.render().to_string().trim_end().to_owned()
}

/// Prints a message for the user. Parts of the command line may be in it, so nothing in it acts on the terminal. If
/// printing fails, there is nobody to tell.
fn report(text: &str) {
    let _ = writeln!(std::io::stderr(), "{}", SafeText::text(text).as_str());
}
