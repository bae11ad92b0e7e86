//! `skchat replay`: definitions only; what plays a recording is put together by `start`.

use clap::Args;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// A file made with --record
    pub file: PathBuf,
    /// Stop after so many inputs and print the screen as it was then
    #[arg(long, value_name = "N")]
    pub until: Option<usize>,
    /// Write a recording to this new file in which no text can be read, for a bug report
    #[arg(long, value_name = "FILE", conflicts_with = "until")]
    pub redact: Option<PathBuf>,
}
