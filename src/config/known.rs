//! Which keys the file may hold, and where each one stands in it.

use std::collections::HashMap;
use toml::de::{DeTable, DeValue};

/// Every key that may stand in the file; `*` stands for a name of the user's.
const KNOWN: [&str; 28] = [
    "default_account",
    "accounts",
    "accounts.*",
    "accounts.*.user_id",
    "accounts.*.gateway",
    "accounts.*.scheduler",
    "accounts.*.join",
    "accounts.*.profiles",
    "accounts.*.auth",
    "accounts.*.token",
    "accounts.*.token.env",
    "accounts.*.token.file",
    "accounts.*.token.command",
    "accounts.*.poll",
    "accounts.*.poll_seconds",
    "ui",
    "ui.typing",
    "ui.enter",
    "ui.blink",
    "ui.bidi",
    "ui.emoji",
    "ui.emoji_width",
    "sending",
    "sending.markup",
    "sending.grace_seconds",
    "reading",
    "reading.receipts",
    "keys",
];

pub fn collect_lines(
    table: &DeTable<'_>,
    path: &str,
    line_of: &dyn Fn(usize) -> usize,
    out: &mut HashMap<String, usize>,
) {
    for (key, value) in table {
        let name: &str = key.get_ref();
        let path = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
        out.insert(path.clone(), line_of(key.span().start));
        if let DeValue::Table(inner) = value.get_ref() {
            collect_lines(inner, &path, line_of, out);
        }
    }
}

pub fn is_known(path: &str) -> bool {
    // Names of actions are checked with the key table.
    path.starts_with("keys.") || KNOWN.iter().any(|known| fits(known, path))
}

fn fits(known: &str, path: &str) -> bool {
    let (mut known, mut path) = (known.split('.'), path.split('.'));
    loop {
        match (known.next(), path.next()) {
            (None, None) => return true,
            (Some("*"), Some(_)) => {}
            (Some(a), Some(b)) if a == b => {}
            _ => return false,
        }
    }
}

/// The known key of the same table with the fewest changes, if it is near.
pub fn nearest(path: &str) -> Option<&'static str> {
    let (parent, name) = path.rsplit_once('.').unwrap_or(("", path));
    let siblings = KNOWN.iter().filter_map(|known| {
        let (known_parent, last) = known.rsplit_once('.').unwrap_or(("", known));
        ((known_parent.is_empty() && parent.is_empty()) || fits(known_parent, parent))
            .then_some(last)
    });
    let scored = siblings.filter(|s| *s != "*").map(|s| (distance(name, s), s));
    scored.min().filter(|(d, s)| *d <= 2.max(s.len() / 3)).map(|(_, s)| s)
}

/// Edits between two words.
pub fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = i;
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
        for (j, cb) in b.iter().enumerate() {
            let up = row.get(j + 1).copied().unwrap_or(0);
            let left = row.get(j).copied().unwrap_or(0);
            let cost = (diagonal + usize::from(ca != *cb)).min(up + 1).min(left + 1);
            diagonal = up;
            if let Some(cell) = row.get_mut(j + 1) {
                *cell = cost;
            }
        }
    }
    row.last().copied().unwrap_or(0)
}
