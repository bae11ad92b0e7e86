//! What a user should know before signing in to a live service.

const UNOFFICIAL: &str = "This is unofficial. Microsoft offers no public interface for these chats: skchat speaks the \
private protocol of the web page, which may stop working at any time. It is built from public facts, and its authors have \
not tried it on the real service.";
const CLIENT_ID: &str = "You sign in under the client id of Microsoft's own Teams program, so the page says \
\"Microsoft Teams\". Microsoft's terms forbid working around technical limits.";
const ORGANISATION: &str = "With a work or school account, this bypasses your organisation's control over programs. Its \
administrators may see an unusual client, forbid it, or object: ask them first.";
const TOKEN: &str = "skchat keeps a refresh token in a file that only you can read. Such a token could be exchanged for access to \
other Microsoft services of the account. skchat asks for the chat scope only, and sends the token to the sign-in host \
only. skchat logout deletes it here; to end it at Microsoft, sign out everywhere on your account's security page, or \
change the password.";
const CODES: &str = "Enter a code only if you have just started this yourself, only on a Microsoft page, and never \
one that somebody sent you.";
const RISK: &str = "No account is known to have been closed for normal chatting with such programs. Accounts were \
locked for bulk messages, and for sign-ins from new places. If yours matters to you, try another one first.";
const OFFLINE: &str = "Others see you as offline. Read receipts and typing signals are sent only if you turn them on.";

/// What signing in gives besides chats, and what it needs.
pub const NAMES_CONSENT: &str = "Names and availability of people can be looked up in other services (the middle \
tier), which need a second token from the same sign-in. Without it, names come from messages only.";

/// The paragraphs for a service, the most important first.
pub fn paragraphs(work: bool) -> Vec<&'static str> {
    let organisation = work.then_some(ORGANISATION);
    [
        Some(UNOFFICIAL),
        Some(CLIENT_ID),
        organisation,
        Some(TOKEN),
        Some(CODES),
        Some(RISK),
        Some(OFFLINE),
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_work_accounts_read_about_their_organisation() {
        assert!(paragraphs(true).contains(&ORGANISATION));
        assert!(!paragraphs(false).contains(&ORGANISATION));
    }
}
