//! From the configuration's words to the client's and sync's options.

use crate::client::{BaseUrl, ClientOptions, TokenSource};
use crate::config::{AccountConfig, Config, ConfigError};
use crate::model::UserId;
use crate::sync::SyncOptions;
use std::time::Duration;

/// What the client of an account needs.
///
/// # Errors
/// Names the line whose address is wrong.
pub fn client_options(
    config: &Config,
    name: &str,
    account: &AccountConfig,
) -> Result<ClientOptions, ConfigError> {
    let base = |field: &str, text: &str| {
        BaseUrl::parse(text).map_err(|e| {
            config.error(&format!("accounts.{name}.{field}"), &format!("{field} \"{text}\": {e}"))
        })
    };
    let optional =
        |field: &str, text: &Option<String>| text.as_ref().map(|t| base(field, t)).transpose();
    let token = match (&account.token.env, &account.token.file, &account.token.command) {
        (Some(name), ..) => TokenSource::Env(name.clone()),
        (_, Some(file), _) => TokenSource::File(file.clone()),
        (_, _, Some(argv)) => TokenSource::Command(argv.clone()),
        (None, None, None) => TokenSource::Env(String::new()),
    };
    let mut options = ClientOptions::new(
        UserId::new(&account.user_id),
        base("gateway", &account.gateway)?,
        token,
    );
    options.scheduler = optional("scheduler", &account.scheduler)?;
    options.join = optional("join", &account.join)?;
    // A gateway of one's own looks names up beside its messages.
    let suffixes = &options.service.hosts.move_suffixes;
    let beside = options.gateway.beside("profiles", suffixes);
    options.profiles = optional("profiles", &account.profiles)?.or(beside);
    options.auth = account.auth;
    Ok(options)
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
