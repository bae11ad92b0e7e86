//! The first message to a person, where the service wants a thread for it (facts 8.7).

use super::{Client, Error};
use crate::model::{ConversationId, ConversationKind, RawConversation, UserId};
use crate::protocol::{decode, encode, wire};
use reqwest::Method;

/// The maximum number of threads whose members are asked for to find the one with a person.
const MAX_LOOKED_UP: usize = 5;

impl Client {
    /// The person for whom a thread has to be found or created before a message can be sent to this id, unless the
    /// service lists a conversation under the id itself.
    pub(crate) fn needs_thread(&self, id: &ConversationId) -> Option<UserId> {
        if self.service().new_chats.thread { other_person(id, self.user()) } else { None }
    }

    /// The conversation with another person, if the newest page of the list shows it: a thread that is usable, or one
    /// under the person's own id. A thread whose creation was not answered is found here, and not created again.
    pub(crate) async fn find_chat_with(
        &self,
        other: &UserId,
        page_size: u32,
        is_usable: impl Fn(&ConversationId) -> bool + Sync,
    ) -> Result<Option<ConversationId>, Error> {
        let page = self.conversations(page_size).await?;
        let me = self.user();
        if let Some(listed) = listed_for(&page.items, other, &is_usable) {
            return Ok(Some(listed));
        }
        let mut without_members = Vec::new();
        for raw in page.items.iter().filter(|raw| is_usable(&raw.id)) {
            match is_chat_with(raw, me, other) {
                Some(true) => return Ok(Some(raw.id.clone())),
                Some(false) => {}
                None => without_members.push(&raw.id),
            }
        }
        for id in without_members.into_iter().take(MAX_LOOKED_UP) {
            match self.thread(id).await {
                Ok(thread) if is_roster_of(&thread, me, other) => return Ok(Some(id.clone())),
                Err(error) if error.is_transient() => return Err(error),
                Ok(_) | Err(_) => {}
            }
        }
        Ok(None)
    }

    /// Creates the thread for a conversation with a person. `None` if it was created, and the answer does not say which
    /// it is: then it will be in the list.
    pub(crate) async fn create_chat_with(
        &self,
        other: &UserId,
    ) -> Result<Option<ConversationId>, Error> {
        let body = encode::chat_of_two(self.user(), other, &self.service().new_chats);
        let path = &self.service().paths.threads.create;
        let reply = self.chat(Method::POST, path, Some(&body)).await?;
        let id = reply.location.as_deref().and_then(wire::last_segment).map(ConversationId::from);
        Ok(id.filter(ConversationId::is_thread))
    }
}

/// The person that a conversation is named after. Not this account itself, and neither bots nor telephones: no thread
/// of two is created for these.
fn other_person(id: &ConversationId, me: &UserId) -> Option<UserId> {
    id.peer().filter(|who| who.as_str().starts_with("8:") && who != me)
}

/// The conversation that the list has under the id of a person, or the thread that it names for it.
fn listed_for(
    page: &[RawConversation],
    person: &UserId,
    is_usable: impl Fn(&ConversationId) -> bool,
) -> Option<ConversationId> {
    let is_own = |raw: &&RawConversation| raw.id.as_str() == person.as_str() && raw.version > 0;
    let own = page.iter().find(is_own)?;
    match decode::one_to_one_thread(own) {
        None => Some(own.id.clone()),
        thread => thread.filter(is_usable),
    }
}

/// Whether a listed conversation is the one-to-one thread with a person; `None` if the list does not say who is in it.
pub(crate) fn is_chat_with(raw: &RawConversation, me: &UserId, other: &UserId) -> Option<bool> {
    let read = decode::conversation(raw, me);
    if !read.id.is_thread() || read.kind() != ConversationKind::Direct || read.access.is_over() {
        return Some(false);
    }
    match read.listed.others.as_slice() {
        [] => None,
        [only] => Some(only == other),
        _ => Some(false),
    }
}

/// Whether exactly these two are in a thread.
pub(crate) fn is_roster_of(thread: &wire::WireThread, me: &UserId, other: &UserId) -> bool {
    let is_in = |id: &UserId| thread.members.iter().any(|member| member.id == *id);
    thread.members.len() == 2 && is_in(me) && is_in(other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_thread_is_needed_for_other_persons_only() {
        let me = UserId::new("8:anna.7");
        let person = |id: &str| other_person(&ConversationId::new(id), &me).is_some();
        assert!(person("8:joe.4") && person("8:orgid:1") && person("8:live:.cid.1"));
        for id in ["8:anna.7", "28:bot", "4:+431", "19:a@thread.v2", "48:notes"] {
            assert!(!person(id), "{id}");
        }
    }

    #[test]
    fn a_conversation_under_the_persons_id_names_its_thread_or_is_used_itself() {
        let joe = UserId::new("8:joe.4");
        let found = |version: u64, properties: &serde_json::Value, usable: bool| {
            let item = json!({ "id": "8:joe.4", "version": version, "properties": properties });
            let page = [wire::raw_conversation(&item.to_string()).unwrap()];
            listed_for(&page, &joe, |_| usable).map(|id| id.as_str().to_owned())
        };
        let named = json!({ "onetoonethreadid": "19:a@thread.v2" });
        assert_eq!(found(3, &named, true).as_deref(), Some("19:a@thread.v2"));
        assert_eq!(found(3, &named, false), None, "the thread is gone");
        assert_eq!(found(3, &json!({}), true).as_deref(), Some("8:joe.4"));
        assert_eq!(found(0, &json!({}), true), None, "the service does not list it");
    }

    fn listed(item: &serde_json::Value) -> Option<bool> {
        let raw = wire::raw_conversation(&item.to_string()).unwrap();
        is_chat_with(&raw, &UserId::new("8:anna.7"), &UserId::new("8:joe.4"))
    }

    #[test]
    fn only_a_thread_of_these_two_is_the_chat_with_a_person() {
        let unique = |members: &str| json!({ "uniquerosterthread": "true", "members": members });
        let chat = |id: &str, properties| json!({ "id": id, "threadProperties": properties });
        let both = unique(r#"["8:anna.7","8:joe.4"]"#);
        assert_eq!(listed(&chat("19:uni01_a@thread.v2", both.clone())), Some(true));
        assert_eq!(listed(&chat("8:joe.4", both)), Some(false), "no thread");
        let other = unique(r#"["8:anna.7","8:mia.tan"]"#);
        assert_eq!(listed(&chat("19:a@thread.v2", other)), Some(false));
        assert_eq!(listed(&chat("19:uni01_b@thread.v2", json!({}))), None, "nobody is named");
        let group = json!({ "members": r#"["8:anna.7","8:joe.4"]"#, "topic": "us" });
        assert_eq!(listed(&chat("19:g@thread.v2", group)), Some(false), "a group of two");
    }
}
