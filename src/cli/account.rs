//! From the configuration's words to the client's and sync's options.

use crate::client::{BaseUrl, ClientOptions, TokenFile, TokenSource};
use crate::config::{AccountConfig, Config, ConfigError, paths};
use crate::model::UserId;
use crate::sync::SyncOptions;
use std::path::Path;
use std::time::Duration;

/// The fields of an account that hold addresses.
fn addresses(account: &AccountConfig) -> [(&'static str, Option<&String>); 4] {
    [
        ("gateway", Some(&account.gateway)),
        ("scheduler", account.scheduler.as_ref()),
        ("join", account.join.as_ref()),
        ("profiles", account.profiles.as_ref()),
    ]
}

fn base(config: &Config, name: &str, field: &str, text: &str) -> Result<BaseUrl, ConfigError> {
    BaseUrl::parse(text).map_err(|e| {
        config.error(&format!("accounts.{name}.{field}"), &format!("{field} \"{text}\": {e}"))
    })
}

/// Everything that is wrong with the addresses of an account.
pub fn problems(config: &Config, name: &str, account: &AccountConfig) -> Vec<ConfigError> {
    let given = addresses(account).into_iter().filter_map(|(field, text)| Some((field, text?)));
    given.filter_map(|(field, text)| base(config, name, field, text).err()).collect()
}

/// What the client of an account needs.
///
/// # Errors
/// Names the line whose address is wrong.
pub fn client_options(
    config: &Config,
    name: &str,
    account: &AccountConfig,
) -> Result<ClientOptions, ConfigError> {
    let optional = |field: &str, text: &Option<String>| {
        text.as_ref().map(|text| base(config, name, field, text)).transpose()
    };
    let token = match (&account.token.env, &account.token.file, &account.token.command) {
        (Some(name), ..) => TokenSource::Env(name.clone()),
        (_, Some(file), _) => TokenSource::File(TokenFile {
            path: paths::expand_home(file),
            shared: account.token.allow_access_by_others,
        }),
        (_, _, Some(argv)) => TokenSource::Command(with_home(argv)),
        (None, None, None) => TokenSource::Env(String::new()),
    };
    let mut options = ClientOptions::new(
        UserId::new(&account.user_id),
        base(config, name, "gateway", &account.gateway)?,
        token,
    );
    options.scheduler = optional("scheduler", &account.scheduler)?;
    options.join = optional("join", &account.join)?;
    // A gateway of one's own looks names up beside its messages.
    let suffixes = &options.service.hosts.move_suffixes;
    let beside = options.gateway.beside("profiles", suffixes);
    options.profiles = optional("profiles", &account.profiles)?.or(beside);
    options.auth = account.auth;
    options.ca_file = account.ca_file.as_deref().map(paths::expand_home);
    Ok(options)
}

/// A command whose program may be below the home folder.
fn with_home(argv: &[String]) -> Vec<String> {
    let mut argv = argv.to_vec();
    if let Some(program) = argv.first_mut() {
        *program = paths::expand_home(Path::new(program.as_str())).to_string_lossy().into_owned();
    }
    argv
}

/// What sync of an account needs.
pub fn sync_options(config: &Config, account: &AccountConfig) -> SyncOptions {
    SyncOptions {
        poll: account.poll,
        interval: Duration::from_secs(account.poll_seconds),
        grace: config.preferences.sending.grace(),
        ..SyncOptions::default()
    }
}
