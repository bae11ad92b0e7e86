//! The exchange of an access token for a Skype token and the service map (facts 8.4).

use super::super::lenient::{self, Text};
use super::{life, mri, token_owner};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::time::Duration;
use zeroize::Zeroizing;

/// The result of the exchange.
#[derive(Clone, Debug)]
pub struct Exchanged {
    pub token: Zeroizing<String>,
    pub life: Duration,
    /// The owner's id with its prefix, if the answer or the token says it.
    pub owner: Option<String>,
    /// Names and addresses of the service map. The addresses are unchecked.
    pub map: BTreeMap<String, String>,
}

/// Lifetime of a Skype token whose answer does not state it: the shorter one, that of work accounts.
const DEFAULT_LIFE: u64 = 3_600;

#[derive(Default, Deserialize)]
#[serde(default)]
struct TokenPart<'a> {
    #[serde(borrow)]
    skypetoken: Text<'a>,
    #[serde(borrow, rename = "skypeToken")]
    skype_token: Text<'a>,
    #[serde(borrow, rename = "expiresIn")]
    expires_in: Text<'a>,
    #[serde(borrow)]
    skypeid: Text<'a>,
}

/// Reads the answer of the exchange, in each of its spellings. `None` if there is no token in it.
pub fn exchanged(body: &str) -> Option<Exchanged> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct ExchangeAnswer<'a> {
        #[serde(borrow, rename = "skypeToken", deserialize_with = "lenient::object_or_default")]
        part: TokenPart<'a>,
        #[serde(borrow, deserialize_with = "lenient::object_or_default")]
        tokens: TokenPart<'a>,
        #[serde(borrow, rename = "skypeTokenExpiresIn")]
        expires_in: Text<'a>,
        #[serde(rename = "regionGtms", deserialize_with = "map")]
        map: BTreeMap<String, String>,
    }
    /// For answers that have the token itself under the name that is an object elsewhere.
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct PlainAnswer<'a> {
        #[serde(borrow, rename = "skypeToken")]
        token: Text<'a>,
    }
    let answer: ExchangeAnswer<'_> = serde_json::from_str(body).ok()?;
    let plain: PlainAnswer<'_> = serde_json::from_str(body).unwrap_or_default();
    let token = [
        &answer.part.skypetoken,
        &answer.part.skype_token,
        &answer.tokens.skype_token,
        &answer.tokens.skypetoken,
        &plain.token,
    ]
    .into_iter()
    .find_map(Text::some)?;
    let lives = [&answer.part.expires_in, &answer.tokens.expires_in, &answer.expires_in];
    let named = lives.into_iter().find(|text| text.number().is_some());
    let owner = answer.part.skypeid.some().or_else(|| answer.tokens.skypeid.some());
    Some(Exchanged {
        life: named.map_or(Duration::from_secs(DEFAULT_LIFE), |text| life(text, DEFAULT_LIFE)),
        owner: owner.map(mri).or_else(|| token_owner(token)),
        token: Zeroizing::new(token.to_owned()),
        map: answer.map,
    })
}

/// The strings of an object; everything else in it is left out.
fn map<'de, D: serde::Deserializer<'de>>(d: D) -> Result<BTreeMap<String, String>, D::Error> {
    let value = serde_json::Value::deserialize(d)?;
    let entries = value.as_object().into_iter().flatten();
    Ok(entries.filter_map(|(k, v)| Some((k.clone(), v.as_str()?.to_owned()))).collect())
}

/// Why the exchange refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExchangeRefusal {
    /// The access token is not accepted: renew it once.
    Token,
    /// A personal account at the service of organisations, or an account without this service.
    WrongKind,
    /// The account has no licence for the service.
    NoLicence,
}

/// Reads a refusal of the exchange with status 401 or 403, in each of its four forms (facts 6).
pub fn exchange_refusal(body: &str) -> ExchangeRefusal {
    let says = |word: &str| body.contains(word);
    if says("GuestUserNotRedeemed") || says("Guest user OID is missing") {
        ExchangeRefusal::WrongKind
    } else if says("UserLicenseNotPresent") {
        ExchangeRefusal::NoLicence
    } else {
        ExchangeRefusal::Token
    }
}

impl ExchangeRefusal {
    /// One line for the user.
    pub fn text(self) -> &'static str {
        match self {
            Self::Token => "the service does not accept the sign-in: sign in again",
            Self::WrongKind => {
                "this account does not belong to this service: a personal account needs teams-free, an \
                 organisation account needs teams-work and its tenant"
            }
            Self::NoLicence => {
                "this account has no licence for Teams; only its organisation can change that"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_found_in_each_spelling() {
        for body in [
            r#"{"skypeToken":{"skypetoken":"t","expiresIn":86398,"skypeid":"live:a"}}"#,
            r#"{"skypeToken":{"skypeToken":"t","expiresIn":"86398","skypeid":"live:a"}}"#,
            r#"{"tokens":{"skypeToken":"t","expiresIn":86398,"skypeid":"live:a"},"regionGtms":null}"#,
            r#"{"skypeToken":"t","skypeTokenExpiresIn":86398,"skypeid":"live:a"}"#,
        ] {
            let found = exchanged(body).unwrap_or_else(|| panic!("{body}"));
            assert_eq!((found.token.as_str(), found.life.as_secs()), ("t", 86_398), "{body}");
        }
        assert!(exchanged("{}").is_none());
        assert!(exchanged(r#"{"skypeToken":{},"tokens":[]}"#).is_none());
    }

    #[test]
    fn the_service_map_keeps_only_texts() {
        let body = r#"{"tokens":{"skypeToken":"t"},"regionGtms":{"chatService":"https://x","n":5,"o":{}}}"#;
        let found = exchanged(body).unwrap();
        assert_eq!(found.map.len(), 1);
        assert_eq!((found.life.as_secs(), found.owner), (3_600, None));
    }

    #[test]
    fn each_form_of_a_refusal_is_understood() {
        for (body, expected) in [
            (r#"{"status":{"code":40120,"text":"Authentication failed"}}"#, ExchangeRefusal::Token),
            (r#"{"errorCode":"UserLicenseNotPresentForbidden"}"#, ExchangeRefusal::NoLicence),
            (r#"{"message":"Guest user OID is missing."}"#, ExchangeRefusal::WrongKind),
            (r#"{"errorCode":"GuestUserNotRedeemed"}"#, ExchangeRefusal::WrongKind),
            (r#"{"value":{"code":"AuthFailure"},"status":401}"#, ExchangeRefusal::Token),
            ("<html>", ExchangeRefusal::Token),
        ] {
            assert_eq!(exchange_refusal(body), expected, "{body}");
        }
    }
}
