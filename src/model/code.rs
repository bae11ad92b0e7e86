//! Code blocks whose syntax is to be shown. The work is done elsewhere, because it may take long.

use super::rich::SyntaxRole;
use super::text::SafeText;
use serde::{Deserialize, Serialize};

/// A code block that is to be highlighted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeBlock {
    /// Tells it from other blocks of this run. A number and no hash, so that a recording whose text was made unreadable
    /// means the same block.
    pub number: u64,
    pub language: Box<str>,
    pub text: SafeText,
}

impl CodeBlock {
    /// Larger blocks are not highlighted.
    pub const MOST_BYTES: usize = 64 * 1024;
    /// Blocks with a longer line are not either.
    pub const MOST_LINE_BYTES: usize = 4 * 1024;

    /// Whether a text is small enough.
    pub fn is_fit(text: &str) -> bool {
        text.len() <= Self::MOST_BYTES && text.lines().all(|l| l.len() <= Self::MOST_LINE_BYTES)
    }
}

/// A part of a highlighted text: its length in bytes, and what it is.
pub type SyntaxPart = (usize, Option<SyntaxRole>);
