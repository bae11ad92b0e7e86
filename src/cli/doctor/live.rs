//! Checks of a live account, from the sign-in to the requests that it may send.

use super::Finding;
use crate::cli::context::{ExitError, Session};
use crate::client::sign_in::SignInStatus;
use crate::model::{SafeText, Timestamp};
use std::time::{SystemTime, UNIX_EPOCH};

/// A clock before this (2026) makes certificates and tokens look invalid.
const EARLIEST: u64 = 1_767_225_600;

/// Findings about the service, the sign-in and the way to the network.
///
/// # Errors
/// When the profile of the service is wrong.
pub async fn findings(session: &Session) -> Result<Vec<Finding>, ExitError> {
    let service = session.service()?;
    let name = session.account.service.as_deref().unwrap_or("local");
    let mut found = Vec::new();
    if service.about.untested {
        found.push(Finding::Warn(format!(
            "service: {name}, {}; built from public facts, not tried on the real service",
            service.about.title
        )));
    } else {
        found.push(Finding::Pass(format!("service: {name}, {}", service.about.title)));
    }
    found.push(clock());
    found.extend(proxy());
    if service.polling.budget > 0 {
        found.push(Finding::Pass(format!(
            "requests: at most {} a minute, fewer after the service asks for a pause",
            service.polling.budget
        )));
    }
    if let Some(sign_in) = session.sign_in()? {
        match sign_in.status().await {
            Ok(status) => found.extend(sign_in_lines(session, &status)),
            Err(error) => found.push(Finding::Fail(format!("sign-in: {}", error.with_causes()))),
        }
    }
    Ok(found)
}

fn sign_in_lines(session: &Session, status: &SignInStatus) -> Vec<Finding> {
    let name = &session.name;
    let when = |at: i64| Timestamp(at).rfc3339();
    let Some(user) = status.user.as_ref().filter(|_| status.signed_in) else {
        return vec![Finding::Fail(format!("sign-in: not signed in; run skchat login {name}"))];
    };
    let mut lines = vec![
        Finding::Pass(format!(
            "sign-in: {} since {}",
            SafeText::line(user.as_str()),
            when(status.signed_in_at)
        )),
        Finding::Pass(match status.not_in_keyring.as_deref() {
            None => "keyring: holds the tokens".to_owned(),
            Some("") => "keyring: the tokens move there at the next renewal".to_owned(),
            Some(why) => {
                format!("keyring: not used, {why}; tokens are in sign-in.json, for this user only")
            }
        }),
        Finding::Pass(format!("refresh token: renewed {}", when(status.refreshed_at))),
    ];
    lines.push(match status.skype_until {
        Some(until) => Finding::Pass(format!("Skype token: valid until {}", when(until))),
        None => Finding::Warn("Skype token: none; the next request fetches one".to_owned()),
    });
    lines.push(Finding::Pass(if status.names_allowed {
        "names and presence: looked up with your consent".to_owned()
    } else {
        format!(
            "names: from messages only, and no presence; skchat login {name} --names allows more"
        )
    }));
    lines
}

fn clock() -> Finding {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now = Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX)).rfc3339();
    if since.as_secs() < EARLIEST {
        return Finding::Fail(format!(
            "clock: it shows {now}; set it, or no certificate will be valid"
        ));
    }
    Finding::Pass(format!("clock: {now}"))
}

/// The variables that send requests through a proxy. Their values can contain a password, so they are not shown.
fn proxy() -> Option<Finding> {
    let names = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
    let set = |name: &&&str| std::env::var_os(**name).is_some_and(|v| !v.is_empty());
    let used: Vec<&str> = names.iter().filter(set).copied().collect();
    if used.is_empty() {
        return None;
    }
    Some(Finding::Pass(format!(
        "proxy: from {}; not used for this machine itself",
        used.join(", ")
    )))
}
