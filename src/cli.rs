//! The command line: definitions only. Each command has its file.

pub(crate) mod account;
pub(crate) mod chats;
pub(crate) mod config_check;
pub(crate) mod context;
pub(crate) mod doctor;
pub(crate) mod lines;
pub(crate) mod log;
pub(crate) mod replay;
pub(crate) mod send;
pub(crate) mod serve;

use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// Exit statuses, the same for every command.
pub const FAILED: u8 = 1;
pub const USAGE: u8 = 2;

/// A terminal chat client for Skype's HTTP chat protocol.
///
/// Without a command it opens the conversations of the configured account. `skchat demo` needs no account and no
/// network.
#[derive(Debug, Parser)]
#[command(name = "skchat", version, about, max_term_width = 100)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Option<Command>,
}

#[derive(Clone, Debug, Default, Args)]
pub struct Global {
    /// Configuration file [default: ~/.config/skchat/config.toml, or SKCHAT_CONFIG]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Account of the configuration file to use
    #[arg(long, global = true, value_name = "NAME")]
    pub account: Option<String>,
    /// Folder for messages, drafts and logs [default: ~/.local/share/skchat, or SKCHAT_DATA_DIR]
    #[arg(long, global = true, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Write what happens to this file (never message text or tokens)
    #[arg(long, global = true, value_name = "FILE")]
    pub log: Option<PathBuf>,
    /// Record every input of the program to this new file (with the text), for skchat replay
    #[arg(long, global = true, value_name = "FILE")]
    pub record: Option<PathBuf>,
    /// Only look at what is stored, also beside another skchat: nothing is sent, changed or saved
    #[arg(long, global = true)]
    pub read_only: bool,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Look around with sample conversations; people answer. Nothing leaves this machine
    Demo {
        /// Begin with a fresh sample data
        #[arg(long)]
        reset: bool,
    },
    /// Run a gateway: a small chat server that speaks the protocol
    Serve(serve::ServeArgs),
    /// List the conversations
    Chats {
        /// One JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// Print the newest messages of a conversation, oldest first
    Log(log::LogArgs),
    /// Send a message
    Send(send::SendArgs),
    /// Check the configuration, the message store and the gateway
    Doctor(doctor::DoctorArgs),
    /// Play a recording again and say whether every frame is as it was
    Replay(replay::ReplayArgs),
    /// The configuration file
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },
}

#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Read the configuration and say what is wrong in it
    Check,
}
