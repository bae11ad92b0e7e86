//! The names of all settings, for hints: taken from the structs, so that no list has to be maintained.

use super::{AccountConfig, ConfigFile, Token};
use crate::model::NotificationPreferences;
use crate::model::preferences::{
    DraftPreferences, KeyPreferences, LinkPreferences, ReadingPreferences, SendingPreferences,
    UiPreferences,
};
use serde_aux::serde_introspection::serde_introspect;

/// A name that is this similar to a known one is treated as a typing mistake
/// ([`strsim::normalized_damerau_levenshtein`]).
const SIMILAR: f64 = 0.6;

/// The known key of the same table that an unknown key looks most like, if any does.
pub fn did_you_mean(path: &str) -> Option<&'static str> {
    let (table, name) = path.rsplit_once('.').unwrap_or(("", path));
    nearest(name, fields(table).iter().copied())
}

/// Whether an account has a setting of this name.
pub fn is_account_field(name: &str) -> bool {
    serde_introspect::<AccountConfig>().contains(&name)
}

/// The keys of a table of the file.
fn fields(table: &str) -> &'static [&'static str] {
    match table.split('.').collect::<Vec<_>>().as_slice() {
        [""] => serde_introspect::<ConfigFile>(),
        ["ui"] => serde_introspect::<UiPreferences>(),
        ["reading"] => serde_introspect::<ReadingPreferences>(),
        ["sending"] => serde_introspect::<SendingPreferences>(),
        ["drafts"] => serde_introspect::<DraftPreferences>(),
        ["keys"] => serde_introspect::<KeyPreferences>(),
        ["links"] => serde_introspect::<LinkPreferences>(),
        ["notifications"] => serde_introspect::<NotificationPreferences>(),
        ["accounts", _] => serde_introspect::<AccountConfig>(),
        ["accounts", _, "token"] => serde_introspect::<Token>(),
        _ => &[],
    }
}

/// The candidate most similar to `name`, if any is similar.
pub fn nearest<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .map(|known| (strsim::normalized_damerau_levenshtein(name, known), known))
        .filter(|(likeness, _)| *likeness >= SIMILAR)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, known)| known)
}
