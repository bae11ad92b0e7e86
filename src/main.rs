//! The program: reads the command line, carries it out, tells what went wrong in one line.

#![deny(
    clippy::unwrap_used,
    clippy::panic,
    clippy::todo,
    clippy::string_slice,
    clippy::disallowed_methods
)]

use clap::Parser;
use skchat::cli::Cli;
use std::io::Write;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = Cli::parse();
    match skchat::start::main(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let _ = writeln!(std::io::stderr(), "skchat: {failure}");
            ExitCode::from(failure.status)
        }
    }
}
