//! Holds the layers: who may use whom, how large a file may be, what is not to be named where.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What each layer may use of the others.
const LAYERS: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("protocol", &["model"]),
    ("client", &["protocol", "model"]),
    ("store", &["model"]),
    ("sync", &["client", "store", "protocol", "model"]),
    ("app", &["model"]),
    ("ui", &["app", "model"]),
    ("runtime", &["app", "ui", "model"]),
    ("gateway", &["model"]),
    ("config", &["app", "model"]),
    ("cli", &["config", "client", "store", "sync", "gateway", "protocol", "model"]),
    (
        "start",
        &["app", "cli", "client", "config", "gateway", "model", "runtime", "store", "sync", "ui"],
    ),
];

/// What a layer must not name. Only the recorder of `runtime` writes JSON.
const BANNED: &[(&str, &[&str])] = &[
    ("model", &["tokio", "reqwest", "rusqlite", "axum", "ratatui", "serde_json", "std::fs"]),
    ("protocol", &["tokio", "reqwest", "rusqlite", "axum", "ratatui", "std::fs"]),
    ("client", &["rusqlite", "ratatui"]),
    ("store", &["reqwest", "ratatui"]),
    ("sync", &["ratatui", "crossterm"]),
    (
        "app",
        &[
            "tokio",
            "reqwest",
            "rusqlite",
            "ratatui",
            "serde_json",
            "Instant::now",
            "SystemTime::now",
            "std::fs",
        ],
    ),
    ("ui", &["tokio", "reqwest", "rusqlite", "serde_json"]),
    ("runtime", &["reqwest", "rusqlite"]),
    ("config", &["tokio", "reqwest", "rusqlite", "ratatui"]),
];

const MOST_LINES: usize = 400;
const MOST_STATE_FIELDS: usize = 12;

fn sources() -> Vec<(PathBuf, String)> {
    fn walk(dir: &Path, out: &mut Vec<(PathBuf, String)>) {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, out);
            } else if path.extension().is_some_and(|e| e == "rs")
                && path.file_name().is_some_and(|n| n != "tests.rs")
            {
                let text = std::fs::read_to_string(&path).unwrap();
                out.push((path, text));
            }
        }
    }
    let mut out = Vec::new();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut out);
    assert!(out.len() > 60, "the sources were found");
    out
}

/// The code without its unit tests and comments.
fn code(text: &str) -> String {
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    code.lines().filter(|l| !l.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

fn layer(path: &Path) -> String {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let first = path.strip_prefix(src).unwrap().components().next().unwrap();
    first.as_os_str().to_string_lossy().trim_end_matches(".rs").to_owned()
}

#[test]
fn dependencies_point_one_way() {
    let rules: BTreeMap<&str, &[&str]> = LAYERS.iter().copied().collect();
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let from = layer(&path);
        let Some(allowed) = rules.get(from.as_str()) else { continue };
        let code = code(&text);
        for (at, _) in code.match_indices("crate::") {
            let rest = &code[at + "crate::".len()..];
            let to: String =
                rest.chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect();
            if rules.contains_key(to.as_str()) && to != from && !allowed.contains(&to.as_str()) {
                wrong.push(format!("{}: {from} may not use {to}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_layer_names_what_it_may_not_know() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let from = layer(&path);
        let code = code(&text);
        for (name, words) in BANNED.iter().filter(|(name, _)| *name == from) {
            for word in words.iter().filter(|w| {
                code.contains(&format!("{w}::")) || (w.contains("::") && code.contains(**w))
            }) {
                wrong.push(format!("{}: {name} may not use {word}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn only_the_recorder_of_the_runtime_writes_json() {
    let is_recorder = |path: &Path| path.to_string_lossy().contains("runtime/recording");
    let other =
        sources().into_iter().filter(|(path, _)| layer(path) == "runtime" && !is_recorder(path));
    let wrong: Vec<_> = other.filter(|(_, text)| code(text).contains("serde_json")).collect();
    assert!(wrong.is_empty(), "{:?}", wrong.iter().map(|(path, _)| path).collect::<Vec<_>>());
}

#[test]
fn files_stay_small_and_code_never_unwraps() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        let lines = code.lines().count();
        if lines > MOST_LINES {
            wrong.push(format!(
                "{} has {lines} lines: which second thing does it do?",
                path.display()
            ));
        }
        for word in [".unwrap()", "todo!(", "unimplemented!(", "unbounded_channel", "#[allow("] {
            if code.contains(word) {
                wrong.push(format!("{} holds {word}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_state_is_grouped_and_not_one_heap() {
    let text =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/app/state.rs"))
            .unwrap();
    let body = text.split("pub struct AppState {").nth(1).unwrap().split("\n}").next().unwrap();
    let fields = body.lines().filter(|l| l.trim_start().starts_with("pub ")).count();
    assert!((5..=MOST_STATE_FIELDS).contains(&fields), "AppState has {fields} fields");
}
