//! Writes the names of emoji that many programs share as one text, `shortcodes.tsv`: a name and its emoji a line.
//!
//! The crate `emojis` has them as tables with thousands of addresses, which the loader would adjust at every start, on half
//! a megabyte of memory, whether or not anybody types an emoji.

use std::path::PathBuf;

fn main() -> std::io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    let names = emojis::iter().flat_map(|emoji| emoji.shortcodes().map(move |name| (name, emoji)));
    let lines: Vec<String> = names.map(|(name, emoji)| format!("{name}\t{emoji}")).collect();
    let folder = std::env::var_os("OUT_DIR").map(PathBuf::from);
    let folder = folder.ok_or_else(|| std::io::Error::other("cargo sets no OUT_DIR"))?;
    std::fs::write(folder.join("shortcodes.tsv"), lines.join("\n"))
}
