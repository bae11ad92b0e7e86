//! Refusals of a sign-in service: what each one means, and the words for it (facts 8.2).

use super::super::lenient::Text;
use crate::model::SafeText;
use serde::Deserialize;

/// What a refusal means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignInProblem {
    /// The user has not decided yet.
    Pending,
    /// The same, and requests come too often.
    SlowDown,
    /// The device code is not valid any more.
    CodeExpired,
    /// The user said no.
    Declined,
    /// The grant has ended; only a new sign-in helps.
    GrantEnded,
    /// The organisation does not allow it.
    Policy,
    /// Client id, scope, tenant or kind of account do not belong together.
    WrongSetting,
    /// The service has a problem, or says something unknown.
    Other,
}

/// A refusal, without the text of its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignInRefusal {
    pub problem: SignInProblem,
    /// The AADSTS number.
    pub number: Option<u32>,
    /// The name of the error, if it is a plain word.
    pub name: Option<SafeText>,
}

const GRANT_ENDED: [u32; 6] = [70_000, 700_082, 50_173, 70_043, 70_008, 700_084];
const WRONG_SETTING: [u32; 7] = [70_011, 7_000_218, 900_023, 500_201, 700_016, 90_002, 50_059];
const POLICY: [u32; 11] =
    [53_000, 53_001, 53_002, 53_003, 50_076, 50_079, 50_158, 65_001, 50_105, 530_003, 530_036];

/// Reads a refusal. Anything that is not one is [`SignInProblem::Other`].
pub fn refusal(body: &str) -> SignInRefusal {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct RefusalAnswer<'a> {
        #[serde(borrow)]
        error: Text<'a>,
        #[serde(borrow)]
        error_description: Text<'a>,
        #[serde(borrow)]
        error_codes: Vec<Text<'a>>,
    }
    let answer: RefusalAnswer<'_> = serde_json::from_str(body).unwrap_or_default();
    let numbers = answer.error_codes.iter().filter_map(Text::number);
    let number = numbers
        .filter_map(|number| u32::try_from(number).ok())
        .find(|number| *number > 0)
        .or_else(|| aadsts(answer.error_description.as_str()));
    let word = |c: char| c.is_ascii_lowercase() || c == '_';
    let name = answer.error.some().filter(|name| name.len() <= 40 && name.chars().all(word));
    SignInRefusal {
        problem: problem(name.unwrap_or_default(), number),
        number,
        name: name.map(SafeText::line),
    }
}

/// The number after `AADSTS` in a description.
fn aadsts(text: &str) -> Option<u32> {
    let (_, rest) = text.split_once("AADSTS")?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).take(9).collect();
    digits.parse().ok().filter(|number| *number > 0)
}

fn problem(name: &str, number: Option<u32>) -> SignInProblem {
    match name {
        "authorization_pending" => return SignInProblem::Pending,
        "slow_down" => return SignInProblem::SlowDown,
        "expired_token" | "code_expired" | "bad_verification_code" => {
            return SignInProblem::CodeExpired;
        }
        "authorization_declined" | "access_denied"
            if number.is_none_or(|n| !POLICY.contains(&n)) =>
        {
            return SignInProblem::Declined;
        }
        _ => {}
    }
    match (number, name) {
        (Some(number), _) if POLICY.contains(&number) => SignInProblem::Policy,
        (Some(number), _) if WRONG_SETTING.contains(&number) => SignInProblem::WrongSetting,
        (Some(number), _) if GRANT_ENDED.contains(&number) => SignInProblem::GrantEnded,
        (_, "invalid_scope" | "unauthorized_client" | "invalid_client") => {
            SignInProblem::WrongSetting
        }
        (_, "invalid_grant" | "interaction_required") => SignInProblem::GrantEnded,
        _ => SignInProblem::Other,
    }
}

impl SignInRefusal {
    /// One line for the user.
    pub fn text(&self) -> String {
        let number = self.number.map(|n| format!(" (AADSTS{n})")).unwrap_or_default();
        match self.problem {
            SignInProblem::Pending | SignInProblem::SlowDown => "not approved yet".to_owned(),
            SignInProblem::CodeExpired => "the code has expired; ask for a new one".to_owned(),
            SignInProblem::Declined => "the sign-in was declined in the browser".to_owned(),
            SignInProblem::GrantEnded => format!("the sign-in has ended{number}: sign in again"),
            SignInProblem::Policy => format!(
                "your organisation does not allow this sign-in{number}; only its administrators can change that"
            ),
            SignInProblem::WrongSetting => format!(
                "the service does not accept this client id, scope or kind of account{number}: is it a personal account \
                 (teams-free) or one of an organisation (teams-work)?"
            ),
            SignInProblem::Other => {
                let name = self.name.as_ref().map(|n| format!(": {n}")).unwrap_or_default();
                format!("the sign-in service refused{number}{name}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(error: &str, number: u32) -> SignInProblem {
        let body = serde_json::json!({ "error": error, "error_codes": [number], "error_description": "x" });
        refusal(&body.to_string()).problem
    }

    #[test]
    fn every_row_of_the_fact_sheet_has_its_meaning() {
        for (error, number, expected) in [
            ("authorization_pending", 70_016, SignInProblem::Pending),
            ("slow_down", 0, SignInProblem::SlowDown),
            ("expired_token", 70_020, SignInProblem::CodeExpired),
            ("code_expired", 0, SignInProblem::CodeExpired),
            ("bad_verification_code", 0, SignInProblem::CodeExpired),
            ("authorization_declined", 65_004, SignInProblem::Declined),
            ("access_denied", 0, SignInProblem::Declined),
            ("access_denied", 53_003, SignInProblem::Policy),
            ("invalid_grant", 70_000, SignInProblem::GrantEnded),
            ("invalid_grant", 700_082, SignInProblem::GrantEnded),
            ("invalid_grant", 50_173, SignInProblem::GrantEnded),
            ("invalid_grant", 70_043, SignInProblem::GrantEnded),
            ("invalid_grant", 53_003, SignInProblem::Policy),
            ("interaction_required", 50_076, SignInProblem::Policy),
            ("interaction_required", 0, SignInProblem::GrantEnded),
            ("invalid_grant", 65_001, SignInProblem::Policy),
            ("invalid_scope", 70_011, SignInProblem::WrongSetting),
            ("invalid_client", 7_000_218, SignInProblem::WrongSetting),
            ("invalid_request", 900_023, SignInProblem::WrongSetting),
            ("unauthorized_client", 0, SignInProblem::WrongSetting),
            ("server_error", 0, SignInProblem::Other),
        ] {
            assert_eq!(of(error, number), expected, "{error} {number}");
        }
    }

    #[test]
    fn a_number_is_found_in_the_description_and_the_description_is_not_passed_on() {
        let secret = "EwAcanary";
        let body = serde_json::json!({
            "error": "invalid_grant",
            "error_description": format!("AADSTS53003: blocked. Token {secret}"),
        });
        let found = refusal(&body.to_string());
        assert_eq!((found.problem, found.number), (SignInProblem::Policy, Some(53_003)));
        assert!(!format!("{found:?} {}", found.text()).contains(secret));
        let name = refusal(&format!("{{\"error\":\"{secret} is wrong\"}}"));
        assert!(!format!("{name:?} {}", name.text()).contains(secret));
    }

    #[test]
    fn pages_and_nothing_are_read_as_an_unknown_refusal() {
        for body in ["", "<html>", "[]", "{\"error\":5}"] {
            assert_eq!(refusal(body).problem, SignInProblem::Other, "{body}");
        }
    }
}
