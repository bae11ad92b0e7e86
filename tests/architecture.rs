//! Checks the structure of the crate: which layer and which tier may use which, how large files, functions and structs
//! may be, what must not be named where, and that references to the fact sheet lead somewhere.

#[path = "common/source.rs"]
mod source;

use source::{Crate, Source, files, relative};
use std::collections::BTreeMap;

/// What each layer may use of the others.
const LAYERS: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("process", &[]),
    ("protocol", &["model"]),
    ("client", &["process", "protocol", "model"]),
    ("store", &["model"]),
    ("archive", &["store", "protocol", "model"]),
    ("sync", &["archive", "client", "store", "protocol", "model"]),
    ("app", &["model"]),
    ("ui", &["app", "model"]),
    ("runtime", &["app", "process", "ui", "model"]),
    ("gateway", &["model"]),
    ("config", &["app", "model"]),
    (
        "cli",
        &[
            "archive", "config", "process", "client", "store", "sync", "gateway", "protocol",
            "model",
        ],
    ),
    (
        "start",
        &[
            "app", "cli", "client", "config", "gateway", "model", "process", "protocol", "runtime",
            "store", "sync", "ui",
        ],
    ),
];

/// What a layer must not name. Only the recorder of `runtime` writes JSON.
const BANNED: &[(&str, &[&str])] = &[
    ("model", &["tokio", "reqwest", "rusqlite", "axum", "ratatui", "serde_json", "std::fs"]),
    ("protocol", &["tokio", "reqwest", "rusqlite", "axum", "ratatui", "std::fs"]),
    ("client", &["rusqlite", "ratatui"]),
    ("store", &["reqwest", "ratatui"]),
    ("archive", &["tokio", "reqwest", "rusqlite", "ratatui"]),
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

/// The tiers of `app`, the lowest first. A tier may use those above it in this list and itself.
const TIERS: &[(&str, &[&str])] = &[
    (
        "words",
        &[
            "action",
            "attention",
            "effect",
            "figures",
            "fuzzy",
            "ids",
            "keymap",
            "notes",
            "pending",
            "prefs",
        ],
    ),
    ("chat", &["chat"]),
    ("accounts", &["conversations", "account", "reachable"]),
    ("state", &["state"]),
    ("view", &["view"]),
    ("overlay", &["overlay"]),
    ("model", &["model"]),
    ("commands", &["commands"]),
    ("actions", &["actions"]),
    ("events", &["events"]),
    ("app", &[""]),
];

const MAX_LINES_OF_A_FILE: usize = 400;
const MAX_LINES_OF_A_FUNCTION: usize = 80;
const MAX_DEPTH: usize = 5;
const MAX_FIELDS: usize = 12;

/// Structs that are as wide as what they describe: items of the wire, the configuration, the theme, what a program is
/// started with.
const RECORDS: &[(&str, &str)] = &[
    ("ClientOptions", "what the configuration says about an account"),
    ("Credentials", "what the file of a sign-in holds"),
    ("GatewayOptions", "the settings of a gateway"),
    ("RecordingHeader", "what a recording needs to be played"),
    ("Theme", "one style a role"),
    ("UiPreferences", "a section of the configuration"),
    ("WireMessage", "a message item of the wire"),
];

fn fail_with(wrong: &[String]) {
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn layer(source: &Source) -> &str {
    source.module.first().map_or("lib", String::as_str)
}

#[test]
fn dependencies_point_one_way() {
    let all = Crate::read();
    let rules: BTreeMap<&str, &[&str]> = LAYERS.iter().copied().collect();
    let (mut wrong, mut seen) = (Vec::new(), 0);
    for source in &all.sources {
        let from = layer(source);
        let Some(allowed) = rules.get(from) else { continue };
        for used in all.uses(source) {
            let Some(to) = used.first().map(String::as_str).filter(|to| *to != from) else {
                continue;
            };
            seen += 1;
            if !allowed.contains(&to) {
                wrong.push(format!("{}: {from} may not use {to}", source.path));
            }
        }
    }
    assert!(seen > 300, "uses between layers were found: {seen}");
    fail_with(&wrong);
}

#[test]
fn every_layer_has_its_rule() {
    let known = |name: &str| LAYERS.iter().any(|(layer, _)| *layer == name);
    let all = Crate::read();
    let layers = all.sources.iter().map(layer).filter(|layer| !["lib", "main"].contains(layer));
    let wrong: Vec<String> = layers.filter(|layer| !known(layer)).map(str::to_owned).collect();
    fail_with(&wrong);
}

/// The tier of a module of `app`, by its number.
fn tier(module: &[String]) -> Option<usize> {
    let (first, rest) = module.split_first()?;
    if first != "app" {
        return None;
    }
    let name = rest.first().map_or("", String::as_str);
    let at = TIERS.iter().position(|(_, modules)| modules.contains(&name));
    Some(at.unwrap_or_else(|| panic!("app::{name} is in no tier: add it to TIERS")))
}

#[test]
fn the_tiers_of_the_app_use_only_those_below_them() {
    let all = Crate::read();
    let (mut wrong, mut seen) = (Vec::new(), 0);
    for source in &all.sources {
        let Some(from) = tier(&source.module) else { continue };
        for used in all.uses(source) {
            let Some(to) = tier(&used) else { continue };
            seen += usize::from(to != from);
            if to > from {
                let (from, to) = (TIERS[from].0, TIERS[to].0);
                wrong.push(format!(
                    "{}: {from} may not use {to} ({})",
                    source.path,
                    used.join("::")
                ));
            }
        }
    }
    assert!(seen > 100, "uses between tiers were found: {seen}");
    fail_with(&wrong);
}

#[test]
fn no_layer_names_what_it_may_not_know() {
    let mut wrong = Vec::new();
    for source in Crate::read().sources {
        let from = layer(&source);
        let code = code(&source.text);
        for (name, words) in BANNED.iter().filter(|(name, _)| *name == from) {
            for word in words.iter().filter(|w| {
                code.contains(&format!("{w}::")) || (w.contains("::") && code.contains(**w))
            }) {
                wrong.push(format!("{}: {name} may not use {word}", source.path));
            }
        }
    }
    fail_with(&wrong);
}

/// The code without unit tests and comments.
fn code(text: &str) -> String {
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    code.lines().filter(|l| !l.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

#[test]
fn only_the_recorder_of_the_runtime_writes_json() {
    let all = Crate::read();
    let other = all
        .sources
        .iter()
        .filter(|source| layer(source) == "runtime" && !source.path.contains("runtime/recording"));
    let wrong = other.filter(|source| code(&source.text).contains("serde_json"));
    fail_with(&wrong.map(|source| source.path.clone()).collect::<Vec<_>>());
}

#[test]
fn files_stay_small_and_code_never_unwraps() {
    let mut wrong = Vec::new();
    for source in Crate::read().sources {
        let code = source.text.split("#[cfg(test)]").next().unwrap_or_default();
        let lines = code.lines().count();
        if lines > MAX_LINES_OF_A_FILE {
            wrong
                .push(format!("{} has {lines} lines: which second thing does it do?", source.path));
        }
        for word in [".unwrap()", "todo!(", "unimplemented!(", "unbounded_channel", "#[allow("] {
            if code.contains(word) {
                wrong.push(format!("{} contains {word}", source.path));
            }
        }
    }
    fail_with(&wrong);
}

#[test]
fn functions_are_short_and_flat() {
    let functions = Crate::read().functions();
    assert!(functions.len() > 1_500, "the functions were found: {}", functions.len());
    let mut wrong = Vec::new();
    for function in functions {
        let place = format!("{}:{} {}", function.path, function.line, function.name);
        if function.lines > MAX_LINES_OF_A_FUNCTION {
            wrong.push(format!("{place} has {} lines", function.lines));
        }
        if function.depth > MAX_DEPTH {
            wrong.push(format!("{place} is nested {} deep", function.depth));
        }
    }
    fail_with(&wrong);
}

#[test]
fn structs_of_state_have_few_fields() {
    let types = Crate::read().types();
    let mut wrong = Vec::new();
    for kind in types.iter().filter(|kind| kind.fields > MAX_FIELDS) {
        if !RECORDS.iter().any(|(name, _)| *name == kind.name) {
            wrong.push(format!("{}: {} has {} fields", kind.path, kind.name, kind.fields));
        }
    }
    for (name, why) in RECORDS {
        let wide = types.iter().any(|kind| kind.name == *name && kind.fields > MAX_FIELDS);
        if !wide {
            wrong.push(format!("{name} ({why}) needs no exception any more"));
        }
    }
    fail_with(&wrong);
}

#[test]
fn no_two_types_share_a_name() {
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for kind in Crate::read().types() {
        places.entry(kind.name).or_default().push(kind.path);
    }
    let twice = places.into_iter().filter(|(_, paths)| paths.len() > 1);
    fail_with(
        &twice.map(|(name, paths)| format!("{name}: {}", paths.join(", "))).collect::<Vec<_>>(),
    );
}

/// The numbers that a document refers to, as in `facts 3.4` and `facts 1.2, 2.2`.
fn references(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    let words: Vec<&str> =
        text.split_whitespace().filter(|w| !["//", "///", "//!"].contains(w)).collect();
    for (at, _) in
        words.iter().enumerate().filter(|(_, word)| word.trim_start_matches('(') == "facts")
    {
        for word in words.iter().skip(at + 1) {
            let number = word.trim_end_matches(|c: char| !c.is_ascii_digit());
            if number.is_empty() || !number.chars().all(|c| c.is_ascii_digit() || c == '.') {
                break;
            }
            out.push(number.to_owned());
            if !word.ends_with(',') {
                break;
            }
        }
    }
    out
}

#[test]
fn every_reference_to_the_fact_sheet_leads_to_a_section() {
    let sheet = std::fs::read_to_string(
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/protocol/FACTS.md"),
    )
    .expect("the fact sheet");
    let sections: Vec<&str> = sheet
        .lines()
        .filter(|line| line.starts_with("##"))
        .filter_map(|line| line.trim_start_matches('#').split_whitespace().next())
        .map(|number| number.trim_end_matches('.'))
        .collect();
    let (mut wrong, mut seen) = (Vec::new(), 0);
    let files = [files("src", "rs"), files("tests", "rs")].concat();
    for path in files.iter().filter(|path| !path.ends_with("architecture.rs")) {
        let text = std::fs::read_to_string(path).expect("a source file");
        for number in references(&text) {
            seen += 1;
            if !sections.contains(&number.as_str()) {
                wrong.push(format!("{}: facts {number}", relative(path)));
            }
        }
    }
    assert!(seen > 50, "references were found: {seen}");
    fail_with(&wrong);
}

#[test]
fn the_fuzz_targets_depend_on_every_crate_that_their_checks_use() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let read = |path: &str| std::fs::read_to_string(root.join(path)).expect("a file of the tests");
    let manifest = read("fuzz/Cargo.toml");
    let (mut missing, mut seen) = (Vec::new(), 0);
    for path in ["common/checks.rs", "common/fixture.rs"] {
        let text = read(path);
        let uses = text.lines().filter_map(|line| line.strip_prefix("use "));
        for name in uses.filter_map(|rest| rest.split(&[':', ';']).next()) {
            seen += 1;
            let is_known = ["super", "crate", "std"].contains(&name)
                || manifest.lines().any(|line| line.starts_with(&format!("{name} = ")));
            if !is_known {
                missing.push(format!("{path}: {name} is not in tests/fuzz/Cargo.toml"));
            }
        }
    }
    assert!(seen > 10, "uses were found: {seen}");
    fail_with(&missing);
}
