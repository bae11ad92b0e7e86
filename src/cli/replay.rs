//! `skchat replay`: its arguments; `start` plays the recording.

use clap::Args;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// A file made with --record
    pub file: PathBuf,
    /// Stop after this many inputs and print the screen
    #[arg(long, value_name = "N")]
    pub until: Option<usize>,
    /// Write a copy to this new file with all text made unreadable, for a bug report
    #[arg(long, value_name = "FILE", conflicts_with = "until")]
    pub redact: Option<PathBuf>,
}
