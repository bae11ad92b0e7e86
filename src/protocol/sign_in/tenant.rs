//! The organisations (tenants) that a work account belongs to (facts 8.5).

use super::super::lenient::Text;
use crate::model::{SafeText, SignInTenant};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::Value;

/// The tenant of all personal accounts (facts 8.1).
const PERSONAL: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";
/// Names that stand for any organisation in the paths of a sign-in.
const ANY: [&str; 2] = ["organizations", "common"];
/// Where the name of a tenant can be, the best place first; a domain is better than nothing.
const TENANT_NAMES: [&str; 4] = ["tenantName", "displayName", "tenantDomainName", "defaultDomain"];
/// The maximum number of tenants: more than anybody chooses from.
const MAX: usize = 100;

/// Whether the tenant of a profile leaves open which organisation is meant.
pub fn is_any_tenant(tenant: &str) -> bool {
    ANY.iter().any(|any| tenant.eq_ignore_ascii_case(any))
}

/// Whether a string can be the id or a domain of a tenant.
pub fn is_tenant(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
    !text.is_empty() && text.len() <= 253 && text.chars().all(fits) && !text.starts_with('.')
}

/// The tenant that an access token belongs to; nothing is verified. `None` for an opaque token, and where the token
/// names no organisation.
pub fn token_tenant(token: &str) -> Option<String> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct TenantClaims<'a> {
        #[serde(borrow)]
        tid: Text<'a>,
    }
    let payload = BASE64_URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    let claims: TenantClaims<'_> = serde_json::from_slice(&payload).ok()?;
    let tenant = claims.tid.some()?.to_ascii_lowercase();
    let is_placeholder = tenant.chars().all(|c| matches!(c, '0' | '-'));
    (tenant.contains('-') && is_tenant(&tenant) && !is_placeholder && tenant != PERSONAL)
        .then_some(tenant)
}

/// Reads the list of an account's tenants. Invitations that were not accepted are left out. `None` if it is not a list.
pub fn tenants(body: &str) -> Option<Vec<SignInTenant>> {
    let answer: Value = serde_json::from_str(body).ok()?;
    let list = answer.as_array().or_else(|| answer.get("value")?.as_array())?;
    let text = |entry: &Value, name: &str| Some(entry.get(name)?.as_str()?.to_owned());
    let is_open = |entry: &Value| match entry.get("isInvitationRedeemed") {
        Some(Value::Bool(redeemed)) => *redeemed,
        Some(Value::String(redeemed)) => !redeemed.eq_ignore_ascii_case("false"),
        _ => true,
    };
    let entries = list.iter().filter(|entry| is_open(entry)).take(MAX);
    let known = entries.filter_map(|entry| {
        let id = text(entry, "tenantId").filter(|id| is_tenant(id))?;
        let name = TENANT_NAMES.iter().find_map(|key| text(entry, key).filter(|n| !n.is_empty()));
        let name = name.unwrap_or_default();
        Some(SignInTenant { name: SafeText::line(&name), id })
    });
    Some(known.collect())
}

/// How a sign-in continues.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TenantStep {
    /// In the tenant of the token.
    AsItIs,
    In(String),
    Choose(Vec<SignInTenant>),
    /// The account belongs to no organisation.
    Personal,
}

/// Decides by the tenant of the token and the list of the service, if there is one.
pub fn tenant_step(own: Option<&str>, listed: Option<Vec<SignInTenant>>) -> TenantStep {
    let Some(mut listed) = listed else { return TenantStep::AsItIs };
    // The tenant of the token is offered first.
    listed.sort_by_key(|tenant| own.is_none_or(|own| !tenant.id.eq_ignore_ascii_case(own)));
    match (listed.as_slice(), own) {
        ([], None) => TenantStep::Personal,
        ([one], None) => TenantStep::In(one.id.clone()),
        ([] | [_], Some(_)) => TenantStep::AsItIs,
        _ => TenantStep::Choose(listed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(tid: &str) -> String {
        let claims = BASE64_URL_SAFE_NO_PAD.encode(format!("{{\"tid\":\"{tid}\"}}"));
        format!("x.{claims}.y")
    }

    fn tenant(id: &str, name: &str) -> SignInTenant {
        SignInTenant { id: id.to_owned(), name: SafeText::line(name) }
    }

    #[test]
    fn only_an_organisation_counts_as_the_tenant_of_a_token() {
        let own = "6c0b3e0e-4d2a-4a52-9c4e-2f3f0a1b2c3d";
        assert_eq!(token_tenant(&token(own)).as_deref(), Some(own));
        for odd in [PERSONAL, "00000000-0000-0000-0000-000000000000", "", "../x", "common"] {
            assert_eq!(token_tenant(&token(odd)), None, "{odd}");
        }
        assert_eq!(token_tenant("EwAopaque"), None);
    }

    #[test]
    fn a_list_of_tenants_is_read_in_odd_forms_and_without_invitations() {
        let list = r#"[{"tenantId":"a-1","tenantName":"Contoso\u001b[2J","isInvitationRedeemed":true},
            {"tenantId":"b-2","isInvitationRedeemed":false},{"tenantId":"../x"},{"tenantName":"none"},5,
            {"tenantId":"c-3","tenantName":"","defaultDomain":"fabrikam.example"}]"#;
        let found = tenants(list).unwrap();
        assert_eq!(found.iter().map(|t| t.id.as_str()).collect::<Vec<_>>(), ["a-1", "c-3"]);
        assert_eq!(found[1].name.as_str(), "fabrikam.example");
        assert!(!found[0].name.contains('\u{1b}'));
        assert_eq!(tenants(&format!("{{\"value\":{list}}}")).unwrap(), found);
        assert_eq!(tenants("<html>"), None);
        assert_eq!(tenants("{}"), None);
        assert_eq!(tenants("[]"), Some(vec![]));
    }

    #[test]
    fn the_user_chooses_only_where_there_is_a_choice() {
        let both = || Some(vec![tenant("a-1", "A"), tenant("b-2", "B")]);
        let one = || Some(vec![tenant("a-1", "A")]);
        assert_eq!(tenant_step(Some("a-1"), None), TenantStep::AsItIs);
        assert_eq!(tenant_step(Some("a-1"), one()), TenantStep::AsItIs);
        assert_eq!(tenant_step(None, one()), TenantStep::In("a-1".into()));
        assert_eq!(tenant_step(None, Some(vec![])), TenantStep::Personal);
        assert_eq!(tenant_step(Some("a-1"), Some(vec![])), TenantStep::AsItIs);
        let TenantStep::Choose(order) = tenant_step(Some("B-2"), both()) else {
            panic!("a choice")
        };
        assert_eq!(order.iter().map(|t| t.id.as_str()).collect::<Vec<_>>(), ["b-2", "a-1"]);
    }
}
