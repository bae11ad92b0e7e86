//! Prepares tables that are read at every start, so that they are quick to read, and tells the linker to write a
//! program that starts quickly.
//!
//! - `shortcodes.tsv`: the names of emoji that many programs share, one name and its emoji per line. The crate `emojis`
//!   has them as tables with thousands of addresses, which the loader would adjust at every start, on half a MB of
//!   memory, whether or not anybody types an emoji.
//! - `keymap.tsv`: `assets/keymap.toml`, one line per action: its name, contexts, label and help, and then its keys.
//! - `link_order.ld`: a linker puts functions in the order in which it meets them. Those in use are then spread over
//!   the whole program, and the kernel maps nearly all of it. A release build on Linux tells the linker to put the
//!   functions of `assets/link_order.txt` side by side: first those for a typed key, then others for a start, then the
//!   rest of those in use, with an empty line between the groups. They are listed as patterns, which still match after
//!   a compiler update; those that are not listed stay where they were. If the linker cannot read the file, it is not
//!   used. The patterns are for symbols with v0 mangling, which include type arguments: that of new compilers, and what
//!   `.cargo/config.toml` asks older ones for. `tests/bench/link_order.py` writes the list.
//! - Packed relocations: the loader adjusts 36,000 addresses at every start. In the packed form their table takes 11 kB
//!   instead of 880 kB. Loaders know the form since glibc 2.36 and musl 1.2.4. It is used only if a program that has it
//!   runs on the machine that builds, so never in a cross build.

use std::io::{Error, Result};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const KEYMAP: &str = "assets/keymap.toml";
const LINK_ORDER: &str = "assets/link_order.txt";
const PACKED_RELOCATIONS: &str = "-Wl,-z,pack-relative-relocs";

fn main() -> Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={KEYMAP}");
    let folder = std::env::var_os("OUT_DIR").map(PathBuf::from);
    let folder = folder.ok_or_else(|| Error::other("cargo sets no OUT_DIR"))?;
    write_shortcodes(&folder)?;
    write_keymap(&folder)?;
    add_link_arguments(&folder)
}

/// Adds the linker arguments for a release build that work here.
fn add_link_arguments(folder: &Path) -> Result<()> {
    println!("cargo::rerun-if-changed={LINK_ORDER}");
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    let target = variable("TARGET").to_uppercase().replace('-', "_");
    println!("cargo::rerun-if-env-changed=CARGO_TARGET_{target}_LINKER");
    if variable("PROFILE") != "release" || variable("CARGO_CFG_TARGET_OS") != "linux" {
        return Ok(());
    }
    let script = folder.join("link_order.ld");
    std::fs::write(&script, link_order(&std::fs::read_to_string(LINK_ORDER).unwrap_or_default()))?;
    let in_order = format!("-T{}", script.display());
    if probe(folder, &in_order)? >= Probe::Links {
        println!("cargo::rustc-link-arg-bins={in_order}");
    }
    if probe(folder, PACKED_RELOCATIONS)? == Probe::Runs {
        println!("cargo::rustc-link-arg-bins={PACKED_RELOCATIONS}");
    }
    Ok(())
}

/// How an empty program that was linked with an argument behaves.
#[derive(PartialEq, PartialOrd)]
enum Probe {
    Fails,
    /// It is for another machine, or does not run on this one.
    Links,
    Runs,
}

/// A linker script that puts the functions of each group side by side, also those that the compiler expects to be used
/// rarely.
fn link_order(patterns: &str) -> String {
    let section = |name: &str| format!(".text.{name} .text.unlikely.{name}\n");
    let group = |names: &str| format!("*(\n{})\n", names.lines().map(section).collect::<String>());
    let groups: String = patterns.split("\n\n").map(group).collect();
    format!("SECTIONS {{ .text.start : {{ {groups} }} }} INSERT BEFORE .text;\n")
}

/// Tries an argument for this build's linker with an empty program.
fn probe(folder: &Path, argument: &str) -> Result<Probe> {
    let (source, program) = (folder.join("empty.rs"), folder.join("empty"));
    std::fs::write(&source, "fn main() {}\n")?;
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let mut rustc = Command::new(set("RUSTC").unwrap_or_else(|| "rustc".to_owned()));
    rustc.arg(source).arg("-o").arg(&program).arg(format!("-Clink-arg={argument}"));
    let is_foreign = set("TARGET") != set("HOST");
    if let Some(target) = set("TARGET").filter(|_| is_foreign) {
        rustc.args(["--target", &target]);
    }
    if let Some(linker) = set("RUSTC_LINKER") {
        rustc.arg(format!("-Clinker={linker}"));
    }
    if let Some(flags) = set("CARGO_ENCODED_RUSTFLAGS") {
        rustc.args(flags.split('\u{1f}'));
    }
    let succeeds = |command: &mut Command| {
        let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
        status.is_ok_and(|status| status.success())
    };
    Ok(match succeeds(&mut rustc) {
        false => Probe::Fails,
        true if !is_foreign && succeeds(&mut Command::new(&program)) => Probe::Runs,
        true => Probe::Links,
    })
}

fn write_shortcodes(folder: &Path) -> Result<()> {
    let names = emojis::iter().flat_map(|emoji| emoji.shortcodes().map(move |name| (name, emoji)));
    let lines: Vec<String> = names.map(|(name, emoji)| format!("{name}\t{emoji}")).collect();
    std::fs::write(folder.join("shortcodes.tsv"), lines.join("\n"))
}

fn write_keymap(folder: &Path) -> Result<()> {
    let table: toml::Table =
        toml::from_str(&std::fs::read_to_string(KEYMAP)?).map_err(|e| wrong(&e.to_string()))?;
    let rows = table.get("action").and_then(toml::Value::as_array);
    let rows = rows.ok_or_else(|| wrong("there is no [[action]]"))?;
    let lines: Vec<String> = rows.iter().map(keymap_line).collect::<Result<_>>()?;
    std::fs::write(folder.join("keymap.tsv"), lines.join("\n"))
}

fn wrong(what: &str) -> Error {
    Error::other(format!("{KEYMAP}: {what}"))
}

fn keymap_line(row: &toml::Value) -> Result<String> {
    const FIELDS: [&str; 5] = ["name", "context", "label", "help", "keys"];
    let row = row.as_table().ok_or_else(|| wrong("an action is not a table"))?;
    if let Some(unknown) = row.keys().find(|key| !FIELDS.contains(&key.as_str())) {
        return Err(wrong(&format!("an action has the unknown field \"{unknown}\"")));
    }
    // One string, or a list of several.
    let texts = |field: &str| -> Result<Vec<&str>> {
        let values = match row.get(field) {
            None if field == "label" => return Ok(vec![""]),
            None => return Err(wrong(&format!("an action lacks \"{field}\""))),
            Some(toml::Value::Array(several)) => several.as_slice(),
            Some(one) => std::slice::from_ref(one),
        };
        let is_text = values.iter().all(toml::Value::is_str);
        let texts: Vec<&str> = values.iter().filter_map(toml::Value::as_str).collect();
        let fits = !texts.iter().any(|text| text.contains(['\t', '\n']));
        if is_text && fits {
            Ok(texts)
        } else {
            Err(wrong(&format!("\"{field}\" must be text in one line, without tabs")))
        }
    };
    let mut columns = vec![
        texts("name")?.concat(),
        texts("context")?.join(" "),
        texts("label")?.concat(),
        texts("help")?.concat(),
    ];
    columns.extend(texts("keys")?.into_iter().map(str::to_owned));
    Ok(columns.join("\t"))
}
