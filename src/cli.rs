//! The command line. This file only defines it; each command has a file of its own.

pub(crate) mod account;
pub(crate) mod archives;
pub(crate) mod chats;
pub(crate) mod config_check;
pub(crate) mod config_init;
pub(crate) mod context;
pub(crate) mod doctor;
pub(crate) mod export;
pub(crate) mod import;
pub(crate) mod keys;
pub(crate) mod lines;
pub(crate) mod log;
pub(crate) mod login;
pub(crate) mod logout;
pub(crate) mod manual;
pub(crate) mod replay;
pub(crate) mod send;
pub(crate) mod serve;

pub use lines::count;

use clap::{Args, Parser, Subcommand};
use context::ExitError;
use std::path::PathBuf;

/// Exit statuses of all commands.
pub const FAILED: u8 = 1;
pub const USAGE: u8 = 2;
const EXIT_STATUSES: &str = "\
Exit status:
  0  success
  1  failure, or a check found a problem
  2  invalid command line, configuration or terminal; nothing was done";

/// A terminal chat client for Skype's HTTP chat protocol.
///
/// Without a command it opens the conversations of the configured account. `skchat demo` needs no account and no
/// network.
#[derive(Debug, Default, Parser)]
#[command(name = "skchat", version, about, max_term_width = 100, after_help = EXIT_STATUSES)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Option<Command>,
}

impl Cli {
    /// The command line of this process. Without arguments clap's parser is not built, which makes the start faster.
    ///
    /// # Errors
    /// What is wrong with it, or the text of `--help` and `--version`.
    pub fn of_process() -> Result<Self, clap::Error> {
        if std::env::args_os().len() <= 1 { Ok(Self::default()) } else { Self::try_parse() }
    }
}

/// Options that every command takes.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// Configuration file [default: ~/.config/skchat/config.toml, or SKCHAT_CONFIG]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Account (from the configuration file) or archive to use
    #[arg(long, global = true, value_name = "NAME")]
    pub account: Option<String>,
    /// Folder for messages, drafts and logs [default: ~/.local/share/skchat, or SKCHAT_DATA_DIR]
    #[arg(long, global = true, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Write a log to this file (it never contains message text or tokens)
    #[arg(long, global = true, value_name = "FILE")]
    pub log: Option<PathBuf>,
    /// Record every input of the program, text included, to this new file for skchat replay
    #[arg(long, global = true, value_name = "FILE")]
    pub record: Option<PathBuf>,
    /// Only show what is stored, even while another skchat is running; nothing is sent, changed or saved
    #[arg(long, global = true)]
    pub read_only: bool,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Try it with sample conversations in which people answer; nothing leaves this machine
    Demo {
        /// Start with fresh sample data
        #[arg(long)]
        reset: bool,
    },
    /// Run a gateway: a small chat server that speaks the protocol
    Serve(serve::ServeArgs),
    /// List the conversations
    Chats {
        /// Print one JSON object per line
        #[arg(long)]
        json: bool,
    },
    /// Print the newest messages of a conversation, oldest first
    Log(log::LogArgs),
    /// Send a message
    Send(send::SendArgs),
    /// Import a Skype or Teams export into an archive, which is shown alongside the accounts
    Import(import::ImportArgs),
    /// Export conversations as HTML, Markdown, text, JSON or CSV
    Export(export::ExportArgs),
    /// Sign in to the service of an account, with a code that you confirm in a browser
    Login(login::LoginArgs),
    /// Delete the tokens of an account from this machine; its messages stay
    Logout(logout::LogoutArgs),
    /// Check the configuration, the message store and the gateway
    Doctor(doctor::DoctorArgs),
    /// Play a recording and check that every frame is as recorded
    Replay(replay::ReplayArgs),
    /// List the keys of all actions, with the changes from the configuration file
    Keys(keys::KeysArgs),
    /// Print the manual page of skchat, or of one command, for man(1)
    Man { command: Option<String> },
    /// Print a completion script for a shell
    Completions { shell: clap_complete::Shell },
    /// Create or check the configuration file
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },
}

/// Carries out a command about the configuration file. `themes` are the names that `ui.theme` can have;
/// `dictionaries` finds those of `ui.spelling`.
///
/// # Errors
/// When the file is missing, cannot be written, or something in it is wrong.
pub(crate) fn config(
    global: &Global,
    command: &ConfigCommand,
    themes: &[String],
    dictionaries: config_check::DictionariesOf,
) -> Result<(), ExitError> {
    match command {
        ConfigCommand::Check => config_check::run(global, themes, dictionaries),
        ConfigCommand::Init => config_init::run(global),
    }
}

#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Check the configuration file and list all problems in it
    Check,
    /// Create the configuration file, with every setting explained and none changed
    Init,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_without_arguments_is_the_default_one() {
        let read = Cli::try_parse_from(["skchat"]).unwrap();
        assert_eq!(format!("{read:?}"), format!("{:?}", Cli::default()));
    }
}
