//! Reads a configuration and reports everything that is wrong in it: wrong settings are left out, and the rest is read.

use super::{Config, ConfigError, ConfigFile, KeySection, Token, keys, names};
use crate::app::keymap::{KeyChoices, Keymap, KeymapError};
use crate::model::Preferences;
use crate::model::preferences::KeyPreferences;
use crate::model::setting::MAX_GRACE_SECONDS;
use std::collections::HashMap;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The maximum number of mistakes that are reported.
const MAX_PROBLEMS: usize = 100;

/// Reads a configuration.
///
/// # Errors
/// When it is not TOML.
pub fn examine(text: &str, file: &Path) -> Result<(Config, Vec<ConfigError>), ConfigError> {
    let mut reader = ConfigReader::new(text, file)?;
    let parsed = reader.settings()?;
    let mut problems = std::mem::take(&mut reader.problems);
    let KeySection { preset, changes } = parsed.keys;
    let mut key_choices = KeyChoices { preset, enter: parsed.ui.enter, changes };
    let keymap = loop {
        let KeymapError { action, message } = match key_choices.keymap() {
            Ok(keymap) => break keymap,
            Err(error) => error,
        };
        let line = reader.lines.get(&format!("keys.{action}")).copied();
        let problem = ConfigError { file: file.into(), line, message };
        if key_choices.changes.is_empty() {
            return Err(problem);
        }
        problems.push(problem);
        if key_choices.changes.remove(&action).is_none() {
            key_choices.changes.clear();
        }
    };
    let mut config = Config {
        accounts: parsed.accounts,
        services: parsed.services,
        default_account: parsed.default_account,
        keyring: parsed.keyring,
        preferences: Preferences {
            ui: parsed.ui,
            reading: parsed.reading,
            sending: parsed.sending,
            drafts: parsed.drafts,
            notifications: parsed.notifications,
            links: parsed.links,
            keys: KeyPreferences { preset },
        },
        warnings: reader.warnings(&keymap),
        keymap: Arc::new(keymap),
        key_choices,
        file: file.into(),
        lines: reader.lines,
    };
    problems.extend(values(&mut config));
    problems.sort_by_key(ConfigError::line);
    Ok((config, problems))
}

/// The text of a configuration, and what was found wrong in it so far.
struct ConfigReader<'a> {
    text: String,
    file: &'a Path,
    /// The line of every key, by its path.
    lines: HashMap<String, usize>,
    unknown: Vec<String>,
    problems: Vec<ConfigError>,
}

impl<'a> ConfigReader<'a> {
    fn new(text: &str, file: &'a Path) -> Result<Self, ConfigError> {
        let mut reader = Self {
            text: text.to_owned(),
            file,
            lines: HashMap::new(),
            unknown: Vec::new(),
            problems: Vec::new(),
        };
        let tree = DeTable::parse(text).map_err(|e| reader.error(&e))?;
        let mut lines = HashMap::new();
        collect_lines(tree.get_ref(), "", &|at| line_of(text, at), &mut lines);
        reader.lines = lines;
        Ok(reader)
    }

    fn error(&self, e: &toml::de::Error) -> ConfigError {
        ConfigError {
            file: self.file.into(),
            line: e.span().map(|s| line_of(&self.text, s.start)),
            message: in_our_words(e.message().lines().next().unwrap_or("not valid TOML")),
        }
    }

    /// Reads the text again and again, each time without the setting that was wrong.
    fn settings(&mut self) -> Result<ConfigFile, ConfigError> {
        self.leave_out_incomplete();
        loop {
            let reader = toml::Deserializer::parse(&self.text).map_err(|e| self.error(&e))?;
            let mut unknown = Vec::new();
            let parsed: Result<ConfigFile, _> =
                serde_ignored::deserialize(reader, |path| unknown.push(path.to_string()));
            let error = match parsed {
                Ok(parsed) => {
                    self.unknown.extend(unknown);
                    return Ok(parsed);
                }
                Err(error) => error,
            };
            let problem = self.error(&error);
            let place = error.span().and_then(|span| self.setting_at(span.start));
            let Some(place) = place.filter(|_| self.problems.len() < MAX_PROBLEMS) else {
                return Err(problem);
            };
            self.problems.push(problem);
            self.blank(place);
            self.leave_out_incomplete();
        }
    }

    /// Accounts that lack a setting which every account needs are noted and left out.
    fn leave_out_incomplete(&mut self) {
        const NEEDED: [&str; 3] = ["user_id", "gateway", "token"];
        let Ok(tree) = DeTable::parse(&self.text) else { return };
        let Some(DeValue::Table(accounts)) = tree.get_ref().get("accounts").map(Spanned::get_ref)
        else {
            return;
        };
        let mut incomplete = Vec::new();
        for (name, account) in accounts {
            let DeValue::Table(fields) = account.get_ref() else { continue };
            let key = format!("accounts.{}", name.get_ref());
            // What a service needs is known where its profile is.
            if fields.contains_key("service") {
                continue;
            }
            let missing = NEEDED.into_iter().filter(|field| !fields.contains_key(*field));
            let missing: Vec<&str> = missing.collect();
            if missing.is_empty() {
                continue;
            }
            for field in missing {
                // A wrong one has been reported already.
                if !self.lines.contains_key(&format!("{key}.{field}")) {
                    let line = self.lines.get(&key).copied();
                    let message = format!("account \"{}\" has no {field}", name.get_ref());
                    self.problems.push(ConfigError { file: self.file.into(), line, message });
                }
            }
            let known: Vec<String> = fields.keys().map(|k| k.get_ref().to_string()).collect();
            self.unknown.extend(
                known
                    .iter()
                    .filter(|field| !names::is_account_field(field))
                    .map(|field| format!("{key}.{field}")),
            );
            incomplete.extend(fields.iter().map(|(k, v)| k.span().start..v.span().end));
        }
        for place in incomplete {
            self.blank(place);
        }
        self.drop_empty_accounts();
    }

    /// The header of an account without any setting is not an account.
    fn drop_empty_accounts(&mut self) {
        let Ok(tree) = DeTable::parse(&self.text) else { return };
        let accounts = tree.get_ref().get("accounts").map(Spanned::get_ref);
        let Some(DeValue::Table(accounts)) = accounts else { return };
        let empty = accounts.iter().filter(
            |(_, account)| matches!(account.get_ref(), DeValue::Table(fields) if fields.is_empty()),
        );
        let headers: Vec<usize> = empty.map(|(name, _)| name.span().start).collect();
        for at in headers {
            let start = self.text.get(..at).and_then(|t| t.rfind('\n')).map_or(0, |i| i + 1);
            let rest = self.text.get(at..).unwrap_or_default();
            let end = at + rest.find('\n').unwrap_or(rest.len());
            self.blank(start..end);
        }
    }

    /// The setting, key and value, at this position of the text: an entry of a section, or of an account.
    fn setting_at(&self, at: usize) -> Option<Range<usize>> {
        let tree = DeTable::parse(&self.text).ok()?;
        let mut table = tree.get_ref();
        let mut levels: Option<usize> = None;
        loop {
            let is_there = |key: &Spanned<_>, value: &Spanned<DeValue<'_>>| {
                (key.span().start <= at && at < value.span().end) || holds(value.get_ref(), at)
            };
            let (key, value) = table.iter().find(|(key, value)| is_there(key, value))?;
            let name: &str = key.get_ref();
            let left = match levels {
                None => 1 + usize::from(name == "accounts"),
                Some(left) => left.saturating_sub(1),
            };
            match value.get_ref() {
                DeValue::Table(inner) if left > 0 && !inner.is_empty() => {
                    table = inner;
                    levels = Some(left);
                }
                _ => return Some(key.span().start..value.span().end.max(key.span().end)),
            }
        }
    }

    /// Removes a part of the text; line numbers stay the same.
    fn blank(&mut self, place: Range<usize>) {
        let Some(part) = self.text.get(place.clone()) else { return };
        let spaces: String = part.bytes().map(|b| if b == b'\n' { '\n' } else { ' ' }).collect();
        self.text.replace_range(place, &spaces);
    }

    /// A warning for every unknown key, and for every action that the user's keys leave without a key.
    fn warnings(&self, keymap: &Keymap) -> Vec<String> {
        let file = self.file.display();
        let line = |key: &str| self.lines.get(key).copied().unwrap_or(1);
        let mut warnings: Vec<(usize, String)> = Vec::new();
        for path in &self.unknown {
            let hint = names::did_you_mean(path).map(|n| format!("; did you mean \"{n}\"?"));
            let hint = hint.unwrap_or_default();
            warnings.push((line(path), format!("unknown key \"{path}\"{hint}")));
        }
        let changed = self.lines.keys().filter_map(|key| key.strip_prefix("keys."));
        for key in changed.filter(|key| *key != "preset") {
            if let Some(message) = keys::unknown_action(key) {
                warnings.push((line(&format!("keys.{key}")), message));
            }
        }
        for (by, message) in keys::left_without(keymap) {
            warnings.push((line(&format!("keys.{by}")), message));
        }
        warnings.sort();
        warnings.dedup();
        warnings.into_iter().map(|(line, text)| format!("{file}:{line}: {text}")).collect()
    }
}

/// Whether a value or anything in it is at this position.
fn holds(value: &DeValue<'_>, at: usize) -> bool {
    let DeValue::Table(table) = value else { return false };
    table.iter().any(|(k, v)| (k.span().start <= at && at < v.span().end) || holds(v.get_ref(), at))
}

/// The line of a position in a text, counted from one.
fn line_of(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|b| *b == b'\n').count() + 1
}

/// The parser's messages name its own types, which mean nothing to the user.
fn in_our_words(message: &str) -> String {
    let unknown = message.strip_prefix("unknown variant `");
    if let Some((value, known)) = unknown.and_then(|rest| rest.split_once("`, expected ")) {
        let known = known.strip_prefix("one of ").unwrap_or(known).replace('`', "\"");
        let names = known.split('"').filter(|name| !name.is_empty() && !name.contains([',', ' ']));
        let hint = names::nearest(value, names).map(|name| format!("; did you mean \"{name}\"?"));
        return format!("\"{value}\" is not one of {known}{}", hint.unwrap_or_default());
    }
    // The value may be the token itself.
    if message.ends_with("expected struct Token") {
        return "a token must be { env = \"…\" }, { file = \"…\" } or { command = [\"…\"] }"
            .to_owned();
    }
    if let Some(rest) = message.strip_prefix("invalid type: ")
        && let Some((found, expected)) = rest.split_once(", expected ")
        && let Some(expected) = value_in_words(expected)
    {
        let found = found.split_once(' ').map_or(found, |(_, value)| value).trim_matches('`');
        return format!("expected {expected}, not {found}");
    }
    message
        .replace(
            "expected struct Token",
            "expected { env = \"…\" }, { file = \"…\" } or { command = [\"…\"] }",
        )
        .replace("wanted string or table", "expected a word in quotes")
}

/// A type of the parser in the words of the user.
fn value_in_words(expected: &str) -> Option<&'static str> {
    Some(match expected {
        "a boolean" => "true or false",
        "a string" => "a string in quotes",
        "a sequence" => "a list such as [\"ctrl-k\"]",
        "u8" | "u16" | "u32" | "u64" | "usize" | "i64" => "a whole number",
        _ => return None,
    })
}

/// Notes the line of every key of the file, by its path.
fn collect_lines(
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

/// Values of the right type that make no sense.
fn values(config: &mut Config) -> Vec<ConfigError> {
    let mut wrong: Vec<(String, String)> = Vec::new();
    if config.preferences.sending.grace_seconds > MAX_GRACE_SECONDS.unsigned_abs() {
        let message = format!("grace_seconds must be at most {MAX_GRACE_SECONDS}");
        wrong.push(("sending.grace_seconds".to_owned(), message));
    }
    let command = &config.preferences.notifications.command;
    if command.first().is_some_and(|program| program.trim().is_empty()) {
        let message = "the first word of command is the program, and it is empty".to_owned();
        wrong.push(("notifications.command".to_owned(), message));
    }
    for (name, account) in &config.accounts {
        let key = |field: &str| format!("accounts.{name}.{field}");
        let letters = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if name.is_empty() || name.starts_with('.') || !name.chars().all(letters) {
            let message = format!(
                "\"{name}\" cannot be the name of an account, because it names a folder; use letters, digits, - and _"
            );
            wrong.push((format!("accounts.{name}"), message));
        }
        if let Some(message) = account.token.as_ref().and_then(token_is_wrong) {
            wrong.push((key("token"), message.to_owned()));
        }
        if let Some(id) = account.user_id.as_ref().filter(|id| !id.contains(':')) {
            let message = format!("user_id \"{id}\" lacks its prefix, such as 8:");
            wrong.push((key("user_id"), message));
        }
        let is_tenant = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
        if let Some(tenant) = &account.tenant
            && (tenant.is_empty() || !tenant.chars().all(is_tenant))
        {
            let message = "tenant must be the id or a domain of an organisation".to_owned();
            wrong.push((key("tenant"), message));
        }
        if account.poll_seconds == Some(0) {
            wrong.push((key("poll_seconds"), "poll_seconds must be at least 1".to_owned()));
        }
    }
    if config.accounts.len() > 1 && config.default_account.is_none() {
        config.warnings.push(format!(
            "{}: there are several accounts and no default_account: use --account NAME",
            config.file.display()
        ));
    }
    if let Some(name) = &config.default_account
        && !config.accounts.contains_key(name)
        && !config.lines.contains_key(&format!("accounts.{name}"))
    {
        wrong.push(("default_account".to_owned(), format!("there is no account \"{name}\"")));
    }
    wrong.into_iter().map(|(key, message)| config.error(&key, &message)).collect()
}

fn token_is_wrong(token: &Token) -> Option<&'static str> {
    let empty = |text: &Option<String>| text.as_ref().is_some_and(String::is_empty);
    if token.command.as_ref().is_some_and(|c| c.first().is_none_or(String::is_empty)) {
        return Some("the token command is empty");
    }
    if empty(&token.env) || token.file.as_ref().is_some_and(|f| f.as_os_str().is_empty()) {
        return Some("the token is empty");
    }
    let ways = usize::from(token.env.is_some())
        + usize::from(token.file.is_some())
        + usize::from(token.command.is_some());
    (ways != 1)
        .then_some("token must be one of { env = \"…\" }, { file = \"…\" }, { command = [\"…\"] }")
}
