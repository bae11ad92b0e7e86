//! Prepares tables that every start reads, so that they are quick to read.
//!
//! - `shortcodes.tsv`: the names of emoji that many programs share, a name and its emoji a line. The crate `emojis` has
//!   them as tables with thousands of addresses, which the loader would adjust at every start, on half a megabyte of
//!   memory, whether or not anybody types an emoji.
//! - `keymap.json`: `assets/keymap.toml` in a format that is read some twenty times as fast.

use std::io::{Error, Result};
use std::path::{Path, PathBuf};

const KEYMAP: &str = "assets/keymap.toml";

fn main() -> Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={KEYMAP}");
    let folder = std::env::var_os("OUT_DIR").map(PathBuf::from);
    let folder = folder.ok_or_else(|| Error::other("cargo sets no OUT_DIR"))?;
    write_shortcodes(&folder)?;
    write_keymap(&folder)
}

fn write_shortcodes(folder: &Path) -> Result<()> {
    let names = emojis::iter().flat_map(|emoji| emoji.shortcodes().map(move |name| (name, emoji)));
    let lines: Vec<String> = names.map(|(name, emoji)| format!("{name}\t{emoji}")).collect();
    std::fs::write(folder.join("shortcodes.tsv"), lines.join("\n"))
}

fn write_keymap(folder: &Path) -> Result<()> {
    let text = std::fs::read_to_string(KEYMAP)?;
    let table: toml::Table =
        toml::from_str(&text).map_err(|error| Error::other(format!("{KEYMAP}: {error}")))?;
    std::fs::write(folder.join("keymap.json"), serde_json::to_string(&table)?)
}
