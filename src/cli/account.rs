//! From the configuration's words to the client's and sync's options.

use crate::client::{AuthStyle, BaseUrl, ClientOptions, TokenSource};
use crate::config::{Account, Auth, Config, ConfigError, Poll};
use crate::model::UserId;
use crate::sync::{self, PollMode};
use std::time::Duration;

/// # Errors
/// Names the line whose address is wrong.
pub fn options(
    config: &Config,
    name: &str,
    account: &Account,
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
    options.profiles = optional("profiles", &account.profiles)?;
    options.auth = match account.auth {
        Auth::Registration => AuthStyle::Registration,
        Auth::Skypetoken => AuthStyle::SkypeToken,
        Auth::Bearer => AuthStyle::Bearer,
    };
    Ok(options)
}

/// How long messages can be taken back.
pub fn grace(config: &Config) -> Duration {
    Duration::from_secs(config.sending.grace_seconds)
}

pub fn sync_options(config: &Config, account: &Account) -> sync::SyncOptions {
    sync::SyncOptions {
        poll: match account.poll {
            Poll::Auto => PollMode::Auto,
            Poll::Long => PollMode::Long,
            Poll::Interval => PollMode::Interval,
        },
        interval: Duration::from_secs(account.poll_seconds),
        grace: grace(config),
        ..sync::SyncOptions::default()
    }
}

/// How emoticons are shown.
pub fn emoji(ui: &crate::config::Ui) -> crate::model::EmojiStyle {
    use crate::config::Emoji;
    use crate::model::EmojiStyle;
    match ui.emoji {
        Emoji::Glyph => EmojiStyle::Glyph,
        Emoji::Short => EmojiStyle::Short,
        Emoji::Ascii => EmojiStyle::Ascii,
    }
}
