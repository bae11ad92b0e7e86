//! Turns the configuration into options of the client and of sync.

use crate::client::sign_in::{SignIn, stored_owner};
use crate::client::{BaseUrl, ClientOptions, TokenFile, TokenSource};
use crate::config::{AccountConfig, Config, ConfigError, KeyringUse, paths};
use crate::model::UserId;
use crate::protocol::service::ServiceProfile;
use crate::sync::{PollIntervals, SyncOptions};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// The fields of an account that hold addresses.
fn addresses(account: &AccountConfig) -> [(&'static str, Option<&String>); 4] {
    [
        ("gateway", account.gateway.as_ref()),
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
    let mut wrong: Vec<ConfigError> =
        given.filter_map(|(field, text)| base(config, name, field, text).err()).collect();
    if wrong.is_empty() {
        wrong.extend(client_options(config, name, account, Path::new("")).err());
    }
    wrong
}

/// How long an accepted message may take to appear in a page: longer than the slowest polling interval.
const SEEN_WITHIN: Duration = Duration::from_secs(90);

/// The service of accounts that do not name one.
const DEFAULT_SERVICE: &str = "local";

/// The profile of an account's service, with what the configuration changes in it.
///
/// # Errors
/// If there is no such service, or a value of it is wrong.
pub fn service(
    config: &Config,
    name: &str,
    account: &AccountConfig,
) -> Result<ServiceProfile, ConfigError> {
    let service = account.service.as_deref().unwrap_or(DEFAULT_SERVICE);
    let profile = ServiceProfile::named(service, &config.services).map_err(|error| {
        let key = match error {
            crate::protocol::service::ProfileError::Unknown(..) => {
                format!("accounts.{name}.service")
            }
            _ => format!("services.{service}"),
        };
        config.error(&key, &format!("service \"{service}\": {error}"))
    });
    let mut profile = profile?;
    if let (Some(tenant), Some(sign_in)) = (&account.tenant, &mut profile.sign_in) {
        sign_in.tenant.clone_from(tenant);
        if let Some(older) = &mut sign_in.fallback {
            older.tenant.clone_from(tenant);
        }
    }
    Ok(profile)
}

/// The sign-in of an account, which keeps its tokens in `dir`; `None` if its token comes from elsewhere.
///
/// # Errors
/// Names what is wrong in the service's profile.
pub fn sign_in(
    config: &Config,
    name: &str,
    account: &AccountConfig,
    dir: &Path,
) -> Result<Option<Arc<SignIn>>, ConfigError> {
    if account.token.is_some() {
        return Ok(None);
    }
    let profile = service(config, name, account)?;
    let ca_file = account.ca_file.as_deref().map(paths::expand_home);
    let sign_in = SignIn::new(&profile, dir).map_err(|e| {
        let service = account.service.as_deref().unwrap_or(DEFAULT_SERVICE);
        config.error(&format!("services.{service}.sign_in"), &format!("sign_in of {service}: {e}"))
    })?;
    let uses_keyring = config.keyring == KeyringUse::Auto;
    Ok(sign_in.map(|sign_in| {
        let sign_in = sign_in.trusting(ca_file);
        Arc::new(if uses_keyring { sign_in.using_keyring() } else { sign_in })
    }))
}

/// What the client of an account needs. The user is empty if the account has to sign in first.
///
/// # Errors
/// Names the line whose address is wrong.
pub fn client_options(
    config: &Config,
    name: &str,
    account: &AccountConfig,
    dir: &Path,
) -> Result<ClientOptions, ConfigError> {
    let service = service(config, name, account)?;
    let sign_in = sign_in(config, name, account, dir)?;
    let address = |field: &str, own: &Option<String>, of_service: &str| {
        let text = own.as_deref().unwrap_or(of_service);
        if text.is_empty() {
            return Ok(None);
        }
        base(config, name, field, text).map(Some)
    };
    let missing =
        |field: &str| config.error(&format!("accounts.{name}"), &format!("{field} is missing"));
    let bases = &service.bases;
    // Some services name their chat host only in the answer to the sign-in.
    let in_map = || sign_in.as_ref().map(|s| s.exchange_base().clone());
    let gateway = address("gateway", &account.gateway, &bases.chat)?.or_else(in_map);
    let gateway = gateway.ok_or(missing("gateway"))?;
    let (user, token) = match (sign_in, account.token.clone()) {
        (Some(sign_in), _) => {
            let user = account.user_id.clone().or_else(|| stored_owner(dir));
            (user.unwrap_or_default(), TokenSource::SignIn(sign_in))
        }
        (None, token) => {
            let token = token.ok_or(missing("token"))?;
            let source = match (token.env, token.file, token.command) {
                (Some(name), ..) => TokenSource::Env(name),
                (_, Some(file), _) => TokenSource::File(TokenFile {
                    path: paths::expand_home(&file),
                    shared: token.allow_access_by_others,
                }),
                (_, _, argv) => TokenSource::Command(with_home(&argv.unwrap_or_default())),
            };
            (account.user_id.clone().ok_or(missing("user_id"))?, source)
        }
    };
    let mut options = ClientOptions::new(UserId::new(&user), gateway, token);
    options.scheduler = address("scheduler", &account.scheduler, &bases.scheduler)?;
    options.join = address("join", &account.join, &bases.join)?;
    // A self-hosted gateway answers name lookups at the same origin as messages.
    let is_own = service.sign_in.is_none();
    let beside = options.gateway.beside("profiles", &service.hosts.move_suffixes);
    let beside = beside.filter(|_| is_own);
    options.profiles = address("profiles", &account.profiles, &bases.profiles)?.or(beside);
    options.presence = address("presence", &None, &bases.presence)?;
    options.fallback = address("gateway", &None, &service.bases.chat_fallback)?;
    options.ca_file = account.ca_file.as_deref().map(paths::expand_home);
    options.auth = account.auth.unwrap_or(service.requests.auth);
    options.service = service;
    Ok(options)
}

/// A command; `~` at the beginning of its program is the home folder.
fn with_home(argv: &[String]) -> Vec<String> {
    let mut argv = argv.to_vec();
    if let Some(program) = argv.first_mut() {
        *program = paths::expand_home(Path::new(program.as_str())).to_string_lossy().into_owned();
    }
    argv
}

/// How often an account without long poll is polled. An interval that the account itself sets always applies.
fn intervals(account: &AccountConfig, service: &ServiceProfile) -> Option<PollIntervals> {
    let polling = &service.polling;
    account.poll_seconds.is_none().then(|| PollIntervals {
        active: Duration::from_secs(polling.active_seconds.max(1)),
        idle: Duration::from_secs(polling.idle_seconds.max(1)),
        away: Duration::from_secs(polling.away_seconds.max(1)),
        reads_open_chat: service.sign_in.is_some(),
    })
}

/// The options of an account's sync.
pub fn sync_options(
    config: &Config,
    account: &AccountConfig,
    service: &ServiceProfile,
) -> SyncOptions {
    let polling = &service.polling;
    SyncOptions {
        poll: account.poll.unwrap_or(polling.mode),
        interval: Duration::from_secs(account.poll_seconds.unwrap_or(polling.active_seconds)),
        intervals: intervals(account, service),
        page: service.requests.page,
        grace: config.preferences.sending.grace(),
        seen_within: service.requests.sent_when_seen.then_some(SEEN_WITHIN),
        ..SyncOptions::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(text: &str) -> Result<ClientOptions, String> {
        let config = Config::parse(text, Path::new("config.toml")).map_err(|e| e.to_string())?;
        let account = config.accounts["a"].clone();
        client_options(&config, "a", &account, Path::new("/nowhere")).map_err(|e| e.to_string())
    }

    #[test]
    fn what_an_account_does_not_say_comes_from_its_service() {
        let text =
            "[accounts.a]\nservice = \"skype\"\nuser_id = \"8:a\"\ntoken = { env = \"T\" }\n";
        let found = options(text).unwrap();
        assert_eq!(found.gateway.to_string(), "https://client-s.gateway.messenger.live.com/v1");
        assert_eq!(found.auth, crate::model::AuthStyle::Registration);
        let found =
            options(&format!("{text}gateway = \"https://own.example/v1\"\nauth = \"bearer\""))
                .unwrap();
        assert_eq!(found.gateway.to_string(), "https://own.example/v1");
        assert_eq!(found.auth, crate::model::AuthStyle::Bearer);
    }

    #[test]
    fn what_is_missing_or_unknown_is_named_with_its_line() {
        let account = "[accounts.a]\nuser_id = \"8:a\"\ntoken = { env = \"T\" }\n";
        assert_eq!(options(account).err().unwrap(), "config.toml:1: account \"a\" has no gateway");
        let service = options(&format!("{account}service = \"skyp\"")).err().unwrap();
        assert!(
            service.starts_with("config.toml:4: service \"skyp\": there is no service"),
            "{service}"
        );
        let wrong = "service = \"skype\"\n[services.skype.bases]\nchat = 5";
        let wrong = options(&format!("{account}{wrong}")).err().unwrap();
        assert!(wrong.starts_with("config.toml:5: service \"skype\": "), "{wrong}");
        let plain = "service = \"skype\"\n[services.skype]\norigin = \"http://chat.example\"";
        let plain = options(&format!("{account}{plain}")).err().unwrap();
        assert!(plain.contains("plain http"), "{plain}");
    }
}
