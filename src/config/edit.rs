//! Changes to the accounts in the configuration file. Comments and everything else stay as they are.
//!
//! A change is made to the text, which is then read again; it is refused if the result is not what it should be.

use super::{AccountConfig, Config};
use crate::model::NewAccount;
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use toml_edit::{DocumentMut, Item, RawString, Table, TableLike, value};

/// A change that was checked and not written yet.
#[derive(Debug)]
pub struct ConfigEdit {
    file: PathBuf,
    text: String,
}

const BY_HAND: &str = "the file is written in a form that cannot be changed here; edit it by hand";

impl ConfigEdit {
    /// The text of a file and the configuration in it.
    fn read(file: &Path) -> Result<(String, Config), String> {
        let text = match std::fs::read_to_string(file) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(e) => return Err(format!("{}: {e}", file.display())),
        };
        let config = Config::parse(&text, file).map_err(|e| e.to_string())?;
        Ok((text, config))
    }

    /// Adds an account. The first of several becomes the default one, so that commands still know which one is meant.
    ///
    /// # Errors
    /// When there is such an account already, or the file cannot be read or changed.
    pub fn add(file: &Path, account: &NewAccount) -> Result<Self, String> {
        let (mut text, config) = Self::read(file)?;
        let name = &account.name;
        if config.accounts.contains_key(name) {
            return Err(format!("an account \"{name}\" already exists"));
        }
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        text.push_str(&format!("\n[accounts.{}]\n", toml_edit::Key::new(name)));
        let gateway = with_version(&account.gateway);
        let fields = [
            ("service", &account.service),
            ("tenant", &account.tenant),
            ("user_id", &account.user_id),
            ("gateway", &gateway),
        ];
        for (key, given) in fields.into_iter().filter(|(_, given)| !given.is_empty()) {
            text.push_str(&format!("{key} = {}\n", toml::Value::from(given.as_str())));
        }
        if !account.token_file.is_empty() {
            let path = toml::Value::from(account.token_file.as_str());
            text.push_str(&format!("token = {{ file = {path} }}\n"));
        }
        if let (None, Some(first)) = (&config.default_account, config.accounts.keys().next()) {
            let mut document: DocumentMut = text.parse().map_err(|_| BY_HAND.to_owned())?;
            document.insert("default_account", value(first.as_str()));
            text = document.to_string();
        }
        let edit = Self::checked(file, text)?;
        let after = edit.config()?;
        let is_right = after.accounts.len() == config.accounts.len() + 1
            && config.accounts.keys().all(|old| same(&config, old, &after, old));
        if is_right { Ok(edit) } else { Err(BY_HAND.to_owned()) }
    }

    /// Renames an account. A token file in its folder is looked for in the new folder.
    ///
    /// # Errors
    /// When there is no such account, or one of the new name, or the file cannot be changed.
    pub fn rename(
        file: &Path,
        from: &str,
        to: &str,
        folders: (&Path, &Path),
    ) -> Result<Self, String> {
        let (text, config) = Self::read(file)?;
        if !config.accounts.contains_key(from) {
            return Err(format!("there is no account \"{from}\" in {}", file.display()));
        }
        if config.accounts.contains_key(to) {
            return Err(format!("an account \"{to}\" already exists"));
        }
        let mut document: DocumentMut = text.parse().map_err(|_| BY_HAND.to_owned())?;
        let accounts = accounts_of(&mut document)?;
        let mut account = accounts.remove(from).ok_or(BY_HAND)?;
        if let Some(path) = token_file(&mut account)
            && let Some(inside) =
                path.as_str().and_then(|p| Path::new(p).strip_prefix(folders.0).ok())
        {
            *path = value(folders.1.join(inside).display().to_string());
        }
        accounts.insert(to, account);
        if document.get("default_account").and_then(Item::as_str) == Some(from) {
            document.insert("default_account", value(to));
        }
        let edit = Self::checked(file, document.to_string())?;
        let after = edit.config()?;
        let others = || config.accounts.keys().filter(|name| *name != from);
        let is_right = after.accounts.len() == config.accounts.len()
            && after.accounts.contains_key(to)
            && others().all(|old| same(&config, old, &after, old));
        if is_right { Ok(edit) } else { Err(BY_HAND.to_owned()) }
    }

    /// Removes an account. The comments above it stay.
    ///
    /// # Errors
    /// When there is no such account, it is the only one, or the file cannot be changed.
    pub fn remove(file: &Path, name: &str) -> Result<Self, String> {
        let (text, config) = Self::read(file)?;
        if !config.accounts.contains_key(name) {
            return Err(format!("there is no account \"{name}\" in {}", file.display()));
        }
        let mut document: DocumentMut = text.parse().map_err(|_| BY_HAND.to_owned())?;
        let removed = accounts_of(&mut document)?.remove(name).ok_or(BY_HAND)?;
        keep_comments(&mut document, &removed);
        if document.get("default_account").and_then(Item::as_str) == Some(name) {
            let mut others = config.accounts.keys().filter(|other| *other != name);
            match (others.next(), others.next()) {
                // Several are left: commands use the first of them.
                (Some(first), Some(_)) => {
                    document.insert("default_account", value(first.as_str()));
                }
                _ => {
                    document.remove("default_account");
                }
            }
        }
        let edit = Self::checked(file, document.to_string())?;
        let after = edit.config()?;
        let others = || config.accounts.keys().filter(|other| *other != name);
        let is_right = after.accounts.len() + 1 == config.accounts.len()
            && others().all(|old| same(&config, old, &after, old));
        if is_right { Ok(edit) } else { Err(BY_HAND.to_owned()) }
    }

    /// Sets a value, which is TOML, in a section; without one, removes the setting. The comment beside it stays.
    ///
    /// # Errors
    /// When the file is gone or cannot be read or changed, or the setting cannot have that value.
    pub fn set(file: &Path, section: &str, key: &str, new: Option<&str>) -> Result<Self, String> {
        // A new file would hold this one setting, and none of the accounts that are running.
        if !file.exists() {
            return Err("the file no longer exists: restore it, or create a new one with skchat config init".to_owned());
        }
        let (text, config) = Self::read(file)?;
        let mut document: DocumentMut = text.parse().map_err(|_| BY_HAND.to_owned())?;
        let new: Option<toml_edit::Value> =
            new.map(|new| new.parse().map_err(|_| BY_HAND.to_owned())).transpose()?;
        if let Some(new) = new {
            put_value(&mut document, section, key, new)?;
        } else if let Some(table) = document.get_mut(section).and_then(Item::as_table_like_mut) {
            table.remove(key);
        }
        let edit = Self::checked(file, document.to_string())?;
        let after = edit.config()?;
        let is_right = after.accounts == config.accounts;
        if is_right { Ok(edit) } else { Err(BY_HAND.to_owned()) }
    }

    fn checked(file: &Path, text: String) -> Result<Self, String> {
        Config::parse(&text, file).map_err(|e| e.to_string())?;
        Ok(Self { file: file.to_owned(), text })
    }

    /// The configuration as it will be.
    ///
    /// # Errors
    /// Never after it was checked.
    pub fn config(&self) -> Result<Config, String> {
        Config::parse(&self.text, &self.file).map_err(|e| e.to_string())
    }

    /// Replaces the file as a whole; a link stays a link. When this returns, the change is on disk.
    ///
    /// # Errors
    /// The error of the system; nothing was changed then.
    pub fn write(&self) -> Result<(), String> {
        let file = self.file.canonicalize().unwrap_or_else(|_| self.file.clone());
        let failed = |e: std::io::Error| format!("{} cannot be written: {e}", file.display());
        let mode = std::fs::metadata(&file).map_or(0o600, |meta| meta.permissions().mode() & 0o777);
        let mut name = file.clone().into_os_string();
        name.push(".new");
        let fresh = PathBuf::from(name);
        let _ = std::fs::remove_file(&fresh);
        let mut options = std::fs::OpenOptions::new();
        let mut out =
            options.create_new(true).write(true).mode(mode).open(&fresh).map_err(failed)?;
        let written = out.write_all(self.text.as_bytes()).and_then(|()| out.sync_all());
        let replaced = written.and_then(|()| std::fs::rename(&fresh, &file));
        if replaced.is_err() {
            let _ = std::fs::remove_file(&fresh);
        }
        replaced.map_err(failed)
    }
}

/// Replaces a value, or adds it at the end of its section.
fn put_value(
    document: &mut DocumentMut,
    section: &str,
    key: &str,
    mut new: toml_edit::Value,
) -> Result<(), String> {
    let table = document.entry(section).or_insert_with(toml_edit::table);
    let table = table.as_table_like_mut().ok_or(BY_HAND)?;
    if let Some(old) = table.get_mut(key) {
        let old = old.as_value_mut().ok_or(BY_HAND)?;
        *new.decor_mut() = old.decor().clone();
        *old = new;
    } else {
        table.insert(key, Item::Value(new));
    }
    Ok(())
}

fn accounts_of(document: &mut DocumentMut) -> Result<&mut dyn TableLike, String> {
    document.get_mut("accounts").and_then(Item::as_table_like_mut).ok_or_else(|| BY_HAND.to_owned())
}

/// The path of an account's token file. Asking an item itself for a key would create it.
fn token_file(account: &mut Item) -> Option<&mut Item> {
    let token = account.as_table_like_mut()?.get_mut("token")?;
    token.as_table_like_mut()?.get_mut("file")
}

/// Whether two configurations say the same about an account.
fn same(before: &Config, old: &str, after: &Config, new: &str) -> bool {
    let (old, new) = (before.accounts.get(old), after.accounts.get(new));
    let is_equal = |(a, b): (&AccountConfig, &AccountConfig)| a == b;
    old.zip(new).is_some_and(is_equal)
}

/// Moves the comments above a removed table to what follows it.
fn keep_comments(document: &mut DocumentMut, removed: &Item) {
    let Some(table) = removed.as_table() else { return };
    let mut comments = String::new();
    collect_comments(table, &mut comments);
    if comments.trim().is_empty() {
        return;
    }
    let next = next_position(document.as_table(), table.position());
    if let Some(next) = next.and_then(|position| table_at(document.as_table_mut(), position)) {
        comments.push_str(&text_of(next.decor().prefix()));
        next.decor_mut().set_prefix(comments);
    } else {
        comments.push_str(&text_of(Some(document.trailing())));
        document.set_trailing(comments);
    }
}

fn text_of(raw: Option<&RawString>) -> String {
    raw.and_then(RawString::as_str).unwrap_or_default().to_owned()
}

fn collect_comments(table: &Table, out: &mut String) {
    out.push_str(&text_of(table.decor().prefix()));
    for (_, item) in table {
        if let Some(inner) = item.as_table() {
            collect_comments(inner, out);
        }
    }
}

/// The position of the first table after this one in the file.
fn next_position(table: &Table, after: Option<isize>) -> Option<isize> {
    let inner = table.iter().filter_map(|(_, item)| item.as_table());
    let found = inner.flat_map(|inner| {
        let own = inner.position().filter(|at| !inner.is_implicit() && Some(*at) > after);
        own.into_iter().chain(next_position(inner, after))
    });
    found.min()
}

fn table_at(table: &mut Table, position: isize) -> Option<&mut Table> {
    for (_, item) in table.iter_mut() {
        let Some(inner) = item.as_table_mut() else { continue };
        if inner.position() == Some(position) && !inner.is_implicit() {
            return Some(inner);
        }
        if next_position(inner, Some(position - 1)) == Some(position) {
            return table_at(inner, position);
        }
    }
    None
}

/// An address that somebody typed. One that is only a host gets the path that gateways have.
fn with_version(gateway: &str) -> String {
    let has_path = |rest: &str| rest.trim_end_matches('/').contains('/');
    match gateway.split_once("://") {
        Some((_, rest)) if !has_path(rest) => format!("{}/v1", gateway.trim_end_matches('/')),
        _ => gateway.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# My accounts.\n[accounts.home] # here\nuser_id = \"8:anna.7\"\ngateway = \"http://127.0.0.1:1/v1\"\n\n# From the folder.\n[accounts.home.token]\nfile = \"/data/accounts/home/token\"\n\n# Work, on weekdays.\n[accounts.work]\nservice = \"teams-work\" # theirs\n\n# How it looks.\n[ui]\ntyping = true\n\n# The end.\n";

    fn written(text: &str) -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("config.toml");
        std::fs::write(&file, text).unwrap();
        (dir, file)
    }

    #[test]
    fn a_setting_is_changed_in_its_place_and_everything_else_stays() {
        let (_dir, file) = written(TEXT);
        let set = |section: &str, key: &str, value: &str| {
            ConfigEdit::set(&file, section, key, Some(value)).map(|edit| edit.text)
        };
        let text = set("ui", "typing", "false").unwrap();
        assert_eq!(text, TEXT.replace("typing = true", "typing = false"));
        let text = set("ui", "mouse", "false").unwrap();
        assert_eq!(text, TEXT.replace("typing = true\n", "typing = true\nmouse = false\n"));
        let text = set("notifications", "keywords", "[\"a\", \"b\"]").unwrap();
        assert!(text.starts_with(TEXT.split("\n# The end.").next().unwrap()), "{text}");
        let config = Config::parse(&text, &file).unwrap();
        assert_eq!(config.preferences.notifications.keywords, ["a", "b"]);
        assert_eq!(comments(&text), comments(TEXT));
        assert!(set("ui", "mouse", "\"maybe\"").is_err());
        assert!(set("ui", "mouse", "true\n[accounts.evil]").is_err());
        std::fs::write(&file, "ui = 3 = 4").unwrap();
        assert!(set("ui", "mouse", "true").unwrap_err().contains("config.toml:1"));
        std::fs::write(&file, "[ui]\nmouse = false # not here\n").unwrap();
        assert_eq!(set("ui", "mouse", "true").unwrap(), "[ui]\nmouse = true # not here\n");
    }

    #[test]
    fn a_setting_is_removed_and_a_file_that_is_gone_is_not_created_again() {
        let (_dir, file) = written("[keys]\nquit = [\"f11\"]\ninbox = [] # none\n");
        let unset = |key: &str| ConfigEdit::set(&file, "keys", key, None).map(|edit| edit.text);
        assert_eq!(unset("quit").unwrap(), "[keys]\ninbox = [] # none\n");
        assert_eq!(unset("redraw").unwrap(), "[keys]\nquit = [\"f11\"]\ninbox = [] # none\n");
        std::fs::remove_file(&file).unwrap();
        for value in [None, Some("true")] {
            let refused = ConfigEdit::set(&file, "ui", "mouse", value).unwrap_err();
            assert!(refused.contains("the file no longer exists: restore it"), "{refused}");
        }
    }

    fn new(name: &str) -> NewAccount {
        NewAccount { name: name.into(), service: "teams-free".into(), ..NewAccount::default() }
    }

    fn comments(text: &str) -> Vec<&str> {
        text.lines().filter_map(|line| line.split_once('#').map(|(_, comment)| comment)).collect()
    }

    #[test]
    fn a_gateway_without_a_path_gets_the_version_that_all_addresses_begin_with() {
        for (typed, written) in [
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080/v1"),
            ("https://chat.example/", "https://chat.example/v1"),
            ("https://chat.example/v1", "https://chat.example/v1"),
            ("https://chat.example/skype/v1/", "https://chat.example/skype/v1/"),
            ("", ""),
        ] {
            assert_eq!(with_version(typed), written);
        }
    }

    #[test]
    fn an_added_account_stands_at_the_end_and_the_first_one_becomes_the_default() {
        let (_dir, file) = written(TEXT);
        let edit = ConfigEdit::add(&file, &new("club")).unwrap();
        assert_eq!(
            edit.text,
            format!(
                "default_account = \"home\"\n{TEXT}\n[accounts.club]\nservice = \"teams-free\"\n"
            )
        );
        edit.write().unwrap();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), edit.text);
        let again = ConfigEdit::add(&file, &new("club")).unwrap_err();
        assert_eq!(again, "an account \"club\" already exists");
    }

    #[test]
    fn a_renamed_account_keeps_its_place_its_comments_and_its_token_file() {
        let (_dir, file) = written(&format!("default_account = \"home\"\n{TEXT}"));
        let folders = (Path::new("/data/accounts/home"), Path::new("/data/accounts/private"));
        let edit = ConfigEdit::rename(&file, "home", "private", folders).unwrap();
        let expected = TEXT.replace("accounts.home", "accounts.private");
        let expected = expected.replace("/accounts/home/", "/accounts/private/");
        assert_eq!(edit.text, format!("default_account = \"private\"\n{expected}"));
        let signed_in = ConfigEdit::rename(&file, "work", "office", folders).unwrap();
        assert!(signed_in.text.contains("[accounts.office]\nservice = \"teams-work\" # theirs\n"));
        assert!(ConfigEdit::rename(&file, "home", "work", folders).is_err());
        assert!(ConfigEdit::rename(&file, "home", "a/b", folders).is_err(), "no folder's name");
    }

    #[test]
    fn every_comment_stays_when_an_account_is_removed() {
        for name in ["home", "work"] {
            let (_dir, file) = written(&format!("default_account = \"{name}\"\n{TEXT}"));
            let edit = ConfigEdit::remove(&file, name).unwrap();
            let config = edit.config().unwrap();
            assert!(!config.accounts.contains_key(name) && config.accounts.len() == 1);
            assert_eq!(config.default_account, None);
            let mut expected = comments(TEXT);
            // Comments beside the removed lines go with them.
            expected.retain(|comment| match name {
                "home" => *comment != " here",
                _ => *comment != " theirs",
            });
            assert_eq!(comments(&edit.text), expected, "{}", edit.text);
        }
    }

    #[test]
    fn comments_of_a_file_with_one_account_after_them_stay() {
        let (_dir, file) =
            written("# All about it.\n#setting = 1\n\n[accounts.me]\nservice = \"teams-free\"\n");
        let edit = ConfigEdit::remove(&file, "me").unwrap();
        assert!(edit.text.starts_with("# All about it.\n#setting = 1\n"), "{}", edit.text);
    }

    #[test]
    fn a_file_in_another_form_is_left_alone_with_words() {
        let inline = "accounts = { me = { service = \"teams-free\" } }\n";
        let (_dir, file) = written(inline);
        assert!(ConfigEdit::add(&file, &new("club")).is_err());
        let (_dir, file) = written("[accounts.me]\nservice = 5\n");
        assert!(ConfigEdit::add(&file, &new("club")).unwrap_err().contains("config.toml:1"));
        let folder = tempfile::tempdir().unwrap();
        assert!(ConfigEdit::add(folder.path(), &new("club")).is_err());
    }

    #[test]
    fn a_file_that_cannot_be_replaced_stays_and_a_link_stays_a_link() {
        let (dir, file) = written(TEXT);
        let link = dir.path().join("link.toml");
        std::os::unix::fs::symlink(&file, &link).unwrap();
        ConfigEdit::add(&link, &new("club")).unwrap().write().unwrap();
        assert!(link.is_symlink() && std::fs::read_to_string(&file).unwrap().contains("club"));
        let blocked = dir.path().join("blocked.toml");
        std::fs::write(&blocked, TEXT).unwrap();
        let edit = ConfigEdit::add(&blocked, &new("club")).unwrap();
        // A folder in the place of the new file.
        std::fs::create_dir_all(dir.path().join("blocked.toml.new/x")).unwrap();
        assert!(edit.write().unwrap_err().contains("cannot be written"));
        assert_eq!(std::fs::read_to_string(&blocked).unwrap(), TEXT);
    }
}
