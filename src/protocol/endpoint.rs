//! Paths and queries, built in one place. All are below the base URL of a service, which ends without a slash.

use crate::model::{ConversationId, UserId};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What stays as it is in a path segment; the colon and the at sign of ids are fine there.
const SEGMENT: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b':').remove(b'@');
const VIEW: &str = "supportsExtendedHistory%7Cmsnp24Equivalent%7CsupportsMessageProperties";
const TARGETS: &str = "Passport%7CSkype%7CLync%7CThread%7CPSTN%7CAgent";

fn segment(id: &str) -> String {
    utf8_percent_encode(id, SEGMENT).to_string()
}

pub fn conversations(page_size: u32) -> String {
    format!(
        "/users/ME/conversations?startTime=0&pageSize={page_size}&view={VIEW}&targetType={TARGETS}"
    )
}

/// A further page of the conversation list.
pub fn conversations_next(sync_state: &str, page_size: u32) -> String {
    format!(
        "/users/ME/conversations?syncState={}&startTime=0&pageSize={page_size}&view={VIEW}&targetType={TARGETS}",
        segment(sync_state)
    )
}

pub fn conversation(id: &ConversationId) -> String {
    format!("/users/ME/conversations/{}?view=msnp24Equivalent", segment(id.as_str()))
}

/// The newest messages.
pub fn messages(id: &ConversationId, page_size: u32) -> String {
    format!(
        "/users/ME/conversations/{}/messages?startTime=0&pageSize={page_size}&view={VIEW}",
        segment(id.as_str())
    )
}

/// A further page: of a `backwardLink` or `syncState` only the value is used, never the host (facts 2.1).
pub fn messages_next(id: &ConversationId, sync_state: &str, page_size: u32) -> String {
    format!(
        "/users/ME/conversations/{}/messages?syncState={}&startTime=0&pageSize={page_size}&view={VIEW}",
        segment(id.as_str()),
        segment(sync_state)
    )
}

/// Messages that arrived at or before `end` (milliseconds): how Teams pages backwards without a link (facts 2.1).
pub fn messages_until(id: &ConversationId, end: i64, page_size: u32) -> String {
    format!("{}&endTime={end}", messages(id, page_size))
}

/// Where messages are sent, and the history deleted.
pub fn send(id: &ConversationId) -> String {
    format!("/users/ME/conversations/{}/messages", segment(id.as_str()))
}

/// One message: edit by PUT, remove by DELETE.
pub fn message(id: &ConversationId, message: &str) -> String {
    format!("/users/ME/conversations/{}/messages/{}", segment(id.as_str()), segment(message))
}

pub fn emotions(id: &ConversationId, message_id: &str) -> String {
    format!("{}/properties?name=emotions", message(id, message_id))
}

/// An own property of a conversation: `consumptionhorizon`, `alerts`.
pub fn conversation_property(id: &ConversationId, name: &str) -> String {
    format!("/users/ME/conversations/{}/properties?name={name}", segment(id.as_str()))
}

pub fn thread(id: &ConversationId) -> String {
    format!("/threads/{}?view=msnp24Equivalent", segment(id.as_str()))
}

/// How far each member has read (facts 3.5).
pub fn horizons(id: &ConversationId) -> String {
    format!("/threads/{}/consumptionhorizons", segment(id.as_str()))
}

/// Where groups are created.
pub const THREADS: &str = "/threads";

/// A group's property; the name stands in the query (facts 7, row 2).
pub fn thread_property(id: &ConversationId, name: &str) -> String {
    format!("/threads/{}/properties?name={name}", segment(id.as_str()))
}

pub fn member(id: &ConversationId, who: &UserId) -> String {
    format!("/threads/{}/members/{}", segment(id.as_str()), segment(who.as_str()))
}

pub const ENDPOINTS: &str = "/users/ME/endpoints";
pub const SUBSCRIPTIONS: &str = "/users/ME/endpoints/SELF/subscriptions";
pub const MESSAGE_PROPERTIES: &str =
    "/users/ME/endpoints/SELF/properties?name=supportsMessageProperties";
pub const POLL: &str = "/users/ME/endpoints/SELF/subscriptions/0/poll";

/// Below the scheduler's base.
pub const JOIN_URL: &str = "/threads";
/// Below the join service's base; the one call without credentials.
pub const RESOLVE_JOIN: &str = "/api/v2/conversation/";
/// Below the profile service's base.
pub const PROFILES: &str = "/v2/profiles";

/// The `syncState` value of a link, decoded; a value that is no link stands for itself.
pub fn sync_state_of(link: &str) -> Option<String> {
    let Some((_, query)) = link.split_once('?') else {
        return (!link.is_empty() && !link.contains('/')).then(|| link.to_owned());
    };
    let value = query.split('&').find_map(|pair| pair.strip_prefix("syncState="))?;
    let value = percent_encoding::percent_decode_str(value).decode_utf8_lossy().into_owned();
    (!value.is_empty()).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_go_into_the_path_and_cannot_leave_it() {
        let id = ConversationId::new("19:a/../b?x#y@thread.skype");
        assert_eq!(
            send(&id),
            "/users/ME/conversations/19:a%2F..%2Fb%3Fx%23y@thread.skype/messages"
        );
    }

    #[test]
    fn only_the_value_of_a_link_is_used() {
        assert_eq!(
            sync_state_of("https://evil.example/v1/x?syncState=ab%2Bc&view=v").as_deref(),
            Some("ab+c")
        );
        assert_eq!(sync_state_of("3e00").as_deref(), Some("3e00"));
        assert_eq!(sync_state_of("https://h/x?view=v"), None);
        assert_eq!(sync_state_of(""), None);
    }
}
