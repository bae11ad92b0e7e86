//! Paths and queries, built in one place from a service's profile. All are below the base URL of a service, which ends
//! without a slash.

use super::service::ServiceProfile;
use crate::model::{ConversationId, UserId};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What is escaped in a path segment; the colon and the at sign of ids are not.
const SEGMENT: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b':').remove(b'@');

fn segment(text: &str) -> String {
    utf8_percent_encode(text, SEGMENT).to_string()
}

/// A path of a profile with its values, each percent-encoded as one segment.
fn fill(path: &str, values: &[(&str, &str)]) -> String {
    values.iter().fold(path.to_owned(), |path, (name, value)| path.replace(name, &segment(value)))
}

/// A list as the value of a query parameter.
fn joined(values: &[String]) -> String {
    let values: Vec<String> = values.iter().map(|value| segment(value)).collect();
    values.join("%7C")
}

impl ServiceProfile {
    /// The first page of the conversation list, or the one that `sync_state` leads to.
    pub(crate) fn conversations(&self, sync_state: Option<&str>, page_size: u32) -> String {
        let types = joined(&self.queries.target_types);
        format!("{}&targetType={types}", self.page(&self.paths.chats.list, sync_state, page_size))
    }

    /// A page of a list; without `sync_state` the first one. Only the value of a `backwardLink` or `syncState` is used,
    /// never the host (facts 2.1).
    fn page(&self, path: &str, sync_state: Option<&str>, page_size: u32) -> String {
        let state = sync_state.map(|state| format!("syncState={}&", segment(state)));
        let view = joined(&self.queries.list_view);
        format!("{path}?{}startTime=0&pageSize={page_size}&view={view}", state.unwrap_or_default())
    }

    pub(crate) fn conversation(&self, id: &ConversationId) -> String {
        self.item(&self.paths.chats.conversation, id)
    }

    fn item(&self, path: &str, id: &ConversationId) -> String {
        let view = joined(&self.queries.item_view);
        format!("{}?view={view}", fill(path, &[("{chat}", id.as_str())]))
    }

    /// The newest messages, or the page that `sync_state` leads to.
    pub(crate) fn messages(
        &self,
        id: &ConversationId,
        sync_state: Option<&str>,
        page_size: u32,
    ) -> String {
        self.page(&self.send(id), sync_state, page_size)
    }

    /// Messages that arrived at or before `end`, and at or after `start` (milliseconds; 0 for no lower bound): how
    /// Teams pages backwards without a link (facts 2.1).
    pub(crate) fn messages_between(
        &self,
        id: &ConversationId,
        start: i64,
        end: i64,
        page_size: u32,
    ) -> String {
        let view = joined(&self.queries.list_view);
        let path = self.send(id);
        format!("{path}?startTime={start}&pageSize={page_size}&view={view}&endTime={end}")
    }

    /// Where messages are sent and the history is deleted.
    pub(crate) fn send(&self, id: &ConversationId) -> String {
        fill(&self.paths.chats.messages, &[("{chat}", id.as_str())])
    }

    /// One message: edited by PUT, removed by DELETE.
    pub(crate) fn message(&self, id: &ConversationId, message: &str) -> String {
        fill(&self.paths.chats.message, &[("{chat}", id.as_str()), ("{message}", message)])
    }

    pub(crate) fn message_property(
        &self,
        id: &ConversationId,
        message: &str,
        name: &str,
    ) -> String {
        let values = [("{chat}", id.as_str()), ("{message}", message), ("{name}", name)];
        fill(&self.paths.chats.message_property, &values)
    }

    /// This account's own property of a conversation: `consumptionhorizon`, `alerts`.
    pub(crate) fn conversation_property(&self, id: &ConversationId, name: &str) -> String {
        fill(&self.paths.chats.property, &[("{chat}", id.as_str()), ("{name}", name)])
    }

    pub(crate) fn thread(&self, id: &ConversationId) -> String {
        self.item(&self.paths.threads.thread, id)
    }

    /// A group's property; its name is in the query (facts 7, row 2).
    pub(crate) fn thread_property(&self, id: &ConversationId, name: &str) -> String {
        fill(&self.paths.threads.property, &[("{chat}", id.as_str()), ("{name}", name)])
    }

    /// How far each member has read (facts 3.5).
    pub(crate) fn read_receipts(&self, id: &ConversationId) -> String {
        fill(&self.paths.threads.read_receipts, &[("{chat}", id.as_str())])
    }

    pub(crate) fn member(&self, id: &ConversationId, who: &UserId) -> String {
        fill(&self.paths.threads.member, &[("{chat}", id.as_str()), ("{member}", who.as_str())])
    }

    pub(crate) fn endpoint_property(&self, name: &str) -> String {
        fill(&self.paths.events.endpoint_property, &[("{name}", name)])
    }

    /// A view of an object, below its address (facts 8.10).
    pub(crate) fn object_view(&self, view: &str) -> String {
        fill(&self.objects.view, &[("{view}", view)])
    }

    /// Whether that view can be fetched yet.
    pub(crate) fn object_status(&self, view: &str) -> String {
        fill(&self.objects.status, &[("{view}", view)])
    }

    /// The next poll, which acknowledges the event `ack` and those before it.
    pub(crate) fn poll(&self, ack: Option<u64>) -> String {
        let query = ack.map(|id| format!("?ackId={id}")).unwrap_or_default();
        format!("{}{query}", self.paths.events.poll)
    }
}

/// The `syncState` value of a link, decoded; a bare value is returned as it is. `None` if the value is damaged: it
/// contains bytes that are not UTF-8, or control characters.
pub fn sync_state_of(link: &str) -> Option<String> {
    let damaged = |c: char| c == char::REPLACEMENT_CHARACTER || c.is_control();
    let Some((_, query)) = link.split_once('?') else {
        return (!link.is_empty() && !link.contains('/') && !link.contains(damaged))
            .then(|| link.to_owned());
    };
    let value = query.split('&').find_map(|pair| pair.strip_prefix("syncState="))?;
    let value = percent_encoding::percent_decode_str(value).decode_utf8().ok()?;
    (!value.is_empty() && !value.contains(damaged)).then(|| value.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::LazyLock;

    static SERVICE: LazyLock<ServiceProfile> = LazyLock::new(ServiceProfile::reference);

    #[test]
    fn ids_go_into_the_path_and_cannot_leave_it() {
        let id = ConversationId::new("19:a/../b?x#y@thread.skype");
        assert_eq!(
            SERVICE.send(&id),
            "/users/ME/conversations/19:a%2F..%2Fb%3Fx%23y@thread.skype/messages"
        );
        // A value that looks like a placeholder is not replaced.
        let odd = ConversationId::new("19:{message}@thread.skype");
        assert_eq!(
            SERVICE.message(&odd, "5"),
            "/users/ME/conversations/19:%7Bmessage%7D@thread.skype/messages/5"
        );
    }

    #[test]
    fn requests_have_the_paths_and_queries_of_the_reference_page() {
        let (chat, view) = (
            ConversationId::new("8:joe.4"),
            "supportsExtendedHistory%7Cmsnp24Equivalent%7CsupportsMessageProperties",
        );
        let types = "Passport%7CSkype%7CLync%7CThread%7CPSTN%7CAgent";
        assert_eq!(
            SERVICE.conversations(None, 20),
            format!(
                "/users/ME/conversations?startTime=0&pageSize=20&view={view}&targetType={types}"
            )
        );
        assert_eq!(
            SERVICE.conversations(Some("a b"), 20),
            format!(
                "/users/ME/conversations?syncState=a%20b&startTime=0&pageSize=20&view={view}&targetType={types}"
            )
        );
        assert_eq!(
            SERVICE.messages_between(&chat, 0, 7, 30),
            format!(
                "/users/ME/conversations/8:joe.4/messages?startTime=0&pageSize=30&view={view}&endTime=7"
            )
        );
        assert_eq!(SERVICE.thread(&chat), "/threads/8:joe.4?view=msnp24Equivalent");
        assert_eq!(
            SERVICE.message_property(&chat, "5", "emotions"),
            "/users/ME/conversations/8:joe.4/messages/5/properties?name=emotions"
        );
        assert_eq!(SERVICE.poll(Some(3)), "/users/ME/endpoints/SELF/subscriptions/0/poll?ackId=3");
    }

    #[test]
    fn another_service_has_its_own_paths_and_values() {
        let mut other = ServiceProfile::reference();
        other.paths.threads.thread = "/chats/{chat}/details".into();
        other.queries.item_view = vec!["full".into(), "new".into()];
        assert_eq!(other.thread(&"19:a".into()), "/chats/19:a/details?view=full%7Cnew");
    }

    #[test]
    fn only_the_value_of_a_link_is_used() {
        assert_eq!(
            sync_state_of("https://evil.example/v1/x?syncState=ab%2Bc&view=v").as_deref(),
            Some("ab+c")
        );
        assert_eq!(sync_state_of("3e00").as_deref(), Some("3e00"));
        for none in [
            "https://h/x?view=v",
            "",
            "file:///etc/hostname",
            "https://h/x?syncState=",
            "https://h/x?syncState=a%FFb",
            "https://h/x?syncState=a\u{fffd}b",
            "a\u{fffd}b",
        ] {
            assert_eq!(sync_state_of(none), None, "{none}");
        }
    }
}
