//! Code blocks that are to be highlighted. The work is done elsewhere, because it may take a long time.

use super::rich::SyntaxRole;
use super::text::SafeText;
use serde::{Deserialize, Serialize};

/// A code block that is to be highlighted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeBlock {
    /// Identifies the block in this run. A number and not a hash, so that it means the same block in a recording whose
    /// text was made unreadable.
    pub number: u64,
    pub language: Box<str>,
    pub text: SafeText,
}

impl CodeBlock {
    /// Larger blocks are not highlighted.
    pub const MAX_BYTES: usize = 64 * 1024;
    /// Blocks with a longer line are not either.
    pub const MAX_LINE_BYTES: usize = 4 * 1024;

    /// Whether code is small enough.
    pub fn is_fit(text: &str) -> bool {
        text.len() <= Self::MAX_BYTES && text.lines().all(|l| l.len() <= Self::MAX_LINE_BYTES)
    }
}

/// A part of a highlighted text: its length in bytes, and its role.
pub type SyntaxPart = (usize, Option<SyntaxRole>);
