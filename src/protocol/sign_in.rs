//! The answers of a sign-in service, and how long to wait for the user's approval. Pure (facts 8.1 to 8.4).
//!
//! Every field of an answer is optional, and numbers may be strings. No text of an answer is passed on as it is,
//! because a refusal can contain the token that was sent.

mod exchange;
mod refusal;
mod tenant;
mod wait;

pub use exchange::{ExchangeRefusal, Exchanged, exchange_refusal, exchanged};
pub use refusal::{SignInProblem, SignInRefusal, refusal};
pub use tenant::{TenantStep, is_any_tenant, is_tenant, tenant_step, tenants, token_tenant};
pub use wait::{CodeStep, CodeWait};

use super::lenient::Text;
use crate::model::SafeText;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::Deserialize;
use std::time::Duration;
use zeroize::Zeroizing;

/// A device code, before the user has approved it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceGrant {
    /// What the user types on the page.
    pub user_code: SafeText,
    /// The address of the page.
    pub address: SafeText,
    /// What is exchanged for tokens. Secret.
    pub device_code: Zeroizing<String>,
    pub life: Duration,
    /// The shortest time between two requests.
    pub interval: Duration,
}

const DEFAULT_LIFE: u64 = 900;
const DEFAULT_INTERVAL: u64 = 5;
/// Bounds of what an answer may say, in seconds.
const MAX_LIFE: u64 = 3_600;
const MAX_INTERVAL: u64 = 60;

/// Reads the answer to a request for a device code, in either form (facts 8.1). `None` if the code or the address is
/// missing.
pub fn device_grant(body: &str) -> Option<DeviceGrant> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct DeviceCodeAnswer<'a> {
        #[serde(borrow)]
        user_code: Text<'a>,
        #[serde(borrow)]
        device_code: Text<'a>,
        #[serde(borrow)]
        verification_uri: Text<'a>,
        #[serde(borrow)]
        verification_url: Text<'a>,
        #[serde(borrow)]
        expires_in: Text<'a>,
        #[serde(borrow)]
        interval: Text<'a>,
    }
    let answer: DeviceCodeAnswer<'_> = serde_json::from_str(body).ok()?;
    let address = answer.verification_uri.some().or_else(|| answer.verification_url.some())?;
    let seconds = |value: &Text<'_>, default| value.number().unwrap_or(default);
    Some(DeviceGrant {
        user_code: SafeText::line(answer.user_code.some()?),
        address: SafeText::line(address),
        device_code: Zeroizing::new(answer.device_code.some()?.to_owned()),
        life: Duration::from_secs(seconds(&answer.expires_in, DEFAULT_LIFE).clamp(1, MAX_LIFE)),
        interval: Duration::from_secs(
            seconds(&answer.interval, DEFAULT_INTERVAL).clamp(1, MAX_INTERVAL),
        ),
    })
}

/// Tokens of a sign-in service.
#[derive(Clone, Debug)]
pub struct BoughtTokens {
    pub access: Zeroizing<String>,
    /// Missing if the old one stays valid.
    pub refresh: Option<Zeroizing<String>>,
    pub life: Duration,
}

/// Lifetime of a token whose answer does not state it.
const SHORT_LIFE: u64 = 3_600;
/// The longest lifetime of a token, whatever its answer says.
const MAX_TOKEN_LIFE: u64 = 90 * 86_400;

/// Reads the answer of the token endpoint. `None` if there is no access token in it.
pub fn bought_tokens(body: &str) -> Option<BoughtTokens> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct TokenAnswer<'a> {
        #[serde(borrow)]
        access_token: Text<'a>,
        #[serde(borrow)]
        refresh_token: Text<'a>,
        #[serde(borrow)]
        expires_in: Text<'a>,
    }
    let answer: TokenAnswer<'_> = serde_json::from_str(body).ok()?;
    Some(BoughtTokens {
        access: Zeroizing::new(answer.access_token.some()?.to_owned()),
        refresh: answer.refresh_token.some().map(|token| Zeroizing::new(token.to_owned())),
        life: life(&answer.expires_in, SHORT_LIFE),
    })
}

fn life(seconds: &Text<'_>, default: u64) -> Duration {
    Duration::from_secs(seconds.number().unwrap_or(default).clamp(1, MAX_TOKEN_LIFE))
}

/// The user in a Skype token, with the prefix; nothing is verified (facts 1.4). `None` for an opaque token.
pub fn token_owner(token: &str) -> Option<String> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct TokenClaims<'a> {
        #[serde(borrow)]
        skypeid: Text<'a>,
    }
    let payload = BASE64_URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    let claims: TokenClaims<'_> = serde_json::from_slice(&payload).ok()?;
    claims.skypeid.some().map(mri)
}

/// A user id with its prefix.
fn mri(skype_id: &str) -> String {
    if skype_id.starts_with("8:") { skype_id.to_owned() } else { format!("8:{skype_id}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_code_is_read_in_both_forms() {
        let newer = r#"{"user_code":"RR5YAE2T","device_code":"d","verification_uri":"https://www.microsoft.com/link","expires_in":900,"interval":5,"message":"x"}"#;
        let older = r#"{"user_code":"RR5YAE2T","device_code":"d","verification_url":"https://www.microsoft.com/link","expires_in":"900","interval":"5"}"#;
        let grant = device_grant(newer).unwrap();
        assert_eq!(device_grant(older).unwrap(), grant);
        assert_eq!((grant.life.as_secs(), grant.interval.as_secs()), (900, 5));
    }

    #[test]
    fn an_answer_without_a_code_is_none_and_odd_numbers_have_bounds() {
        assert_eq!(device_grant("{}"), None);
        assert_eq!(device_grant("<html>"), None);
        assert_eq!(device_grant(r#"{"user_code":"A","verification_uri":"https://x"}"#), None);
        let odd = r#"{"user_code":"A\u001b[2J","device_code":"d","verification_uri":"https://x","expires_in":-1,"interval":0}"#;
        let grant = device_grant(odd).unwrap();
        assert!(!grant.user_code.contains('\u{1b}'));
        assert_eq!((grant.life.as_secs(), grant.interval.as_secs()), (900, 1));
    }

    #[test]
    fn tokens_are_read_with_and_without_a_refresh_token() {
        let both =
            bought_tokens(r#"{"access_token":"a","refresh_token":"r","expires_in":"86399"}"#);
        let both = both.unwrap();
        assert_eq!((both.access.as_str(), both.life.as_secs()), ("a", 86_399));
        assert_eq!(both.refresh.unwrap().as_str(), "r");
        let one = bought_tokens(r#"{"access_token":"a"}"#).unwrap();
        assert!(one.refresh.is_none());
        assert!(bought_tokens(r#"{"refresh_token":"r"}"#).is_none());
    }

    #[test]
    fn the_owner_of_a_token_is_read_without_trusting_it() {
        let payload = BASE64_URL_SAFE_NO_PAD.encode(r#"{"skypeid":"live:.cid.1a2b","exp":1}"#);
        assert_eq!(token_owner(&format!("x.{payload}.y")).as_deref(), Some("8:live:.cid.1a2b"));
        assert_eq!(token_owner("EwAopaque"), None);
        assert_eq!(token_owner("a.%%%.c"), None);
    }
}
