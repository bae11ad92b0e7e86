//! The rules of the service: permissions, the effects of changes, and their events. They are independent of HTTP and of
//! the database: data is accessed through [`StorageTx`], and events are returned as [`Event`]s.

pub mod conversations;
pub mod fields;
pub mod members;
pub mod messages;
pub mod paging;
pub mod registrations;
pub mod threads;

use super::api_error::ApiError;
use super::chat_key::ChatKey;
use super::directory::Directory;
use super::events::{Committed, Event, EventBody, MessageEvent};
use super::hub::Hub;
use super::storage::{MessageRow, NewMessage, Participant, StorageTx, ThreadRow};
use crate::model::conversation::FlagActivity;
use crate::model::{Role, UserId};
use serde_json::{Map, Value, json};

/// The message type for a moved read mark (facts 3.7).
const READ_MARK: &str = "ThreadActivity/MemberConsumptionHorizonUpdate";
/// The prefix of message types that only the server may write.
const ACTIVITY: &str = "ThreadActivity/";

/// A change in progress: what it may use, and what it has caused.
pub struct Work<'a> {
    pub store: &'a mut dyn StorageTx,
    pub hub: &'a Hub,
    pub directory: &'a Directory,
    /// The time of the change in milliseconds since 1970.
    pub now: i64,
    events: Vec<Event>,
    committed: Vec<Committed>,
}

impl<'a> Work<'a> {
    pub fn new(
        store: &'a mut dyn StorageTx,
        hub: &'a Hub,
        directory: &'a Directory,
        now: i64,
    ) -> Self {
        Self { store, hub, directory, now, events: Vec::new(), committed: Vec::new() }
    }

    pub fn into_caused(self) -> (Vec<Event>, Vec<Committed>) {
        (self.events, self.committed)
    }

    /// Stores a message and queues its event.
    pub fn post(&mut self, chat: &ChatKey, message: NewMessage) -> Result<MessageRow, ApiError> {
        let row = self.store.post_message(chat, message, self.now)?;
        self.committed.push(Committed {
            chat: chat.clone(),
            sender: row.sender.clone(),
            kind: row.kind.clone(),
            id: row.id,
        });
        self.announce_message(chat, row.clone(), true)?;
        Ok(row)
    }

    /// Queues an event for the subscribed users who may read the message.
    fn announce_message(
        &mut self,
        chat: &ChatKey,
        row: MessageRow,
        is_new: bool,
    ) -> Result<(), ApiError> {
        let subscribed = self.hub.subscribed();
        if subscribed.is_empty() {
            return Ok(());
        }
        let audience = self.store.readers(chat, &subscribed, row.reveals)?;
        self.queue_message(chat, row, is_new, audience)
    }

    /// Queues an event that is not stored, such as typing, for everyone in the chat but its sender.
    pub fn announce_signal(
        &mut self,
        chat: &ChatKey,
        sender: &UserId,
        body: Map<String, Value>,
    ) -> Result<(), ApiError> {
        let subscribed = self.hub.subscribed();
        if subscribed.is_empty() {
            return Ok(());
        }
        let mut audience = self.store.readers(chat, &subscribed, i64::MAX)?;
        audience.retain(|user| user != sender);
        let kind = body.get("messagetype").and_then(Value::as_str).unwrap_or_default().to_owned();
        let row = MessageRow {
            id: self.now,
            sender: sender.clone(),
            kind,
            reveals: self.now,
            version: self.now,
            change: 0,
            body: Value::Object(body).to_string(),
        };
        self.queue_message(chat, row, true, audience)
    }

    fn queue_message(
        &mut self,
        chat: &ChatKey,
        row: MessageRow,
        is_new: bool,
        audience: Vec<UserId>,
    ) -> Result<(), ApiError> {
        if audience.is_empty() {
            return Ok(());
        }
        let topic = match chat {
            ChatKey::Thread(id) => self.store.thread(id)?.map(|thread| thread.topic),
            _ => None,
        };
        let message = MessageEvent::new(chat.clone(), row, topic, is_new);
        self.queue(audience, EventBody::Message(Box::new(message)));
        Ok(())
    }

    /// Queues an event about a conversation that changed for one user.
    fn announce_conversation(&mut self, user: &UserId, chat: &ChatKey) {
        if self.hub.subscribed().contains(user) {
            self.queue(vec![user.clone()], EventBody::Conversation(chat.clone()));
        }
    }

    /// Queues an event about a changed group for its members.
    fn announce_thread(&mut self, id: &str) -> Result<(), ApiError> {
        let subscribed = self.hub.subscribed();
        if subscribed.is_empty() {
            return Ok(());
        }
        let chat = ChatKey::Thread(id.to_owned());
        let audience = self.store.readers(&chat, &subscribed, i64::MAX)?;
        if !audience.is_empty() {
            self.queue(audience, EventBody::Thread(id.to_owned()));
        }
        Ok(())
    }

    fn queue(&mut self, audience: Vec<UserId>, body: EventBody) {
        self.events.push(Event { audience, body });
    }

    /// Posts the system message about a change of a group, and queues the event about the group.
    fn note_activity(
        &mut self,
        thread: &str,
        activity: Activity,
        by: &UserId,
        inner: &str,
    ) -> Result<(), ApiError> {
        let (kind, tag) = activity.kind_and_tag();
        let content = format!(
            "<{tag}><eventtime>{}</eventtime><initiator>{}</initiator>{inner}</{tag}>",
            self.now,
            xml(by.as_str())
        );
        let kind = format!("{ACTIVITY}{kind}");
        let body = server_body(&kind, &content);
        let message = NewMessage {
            sender: by.clone(),
            kind,
            client_id: None,
            digest: None,
            reveals: None,
            body,
        };
        self.post(&ChatKey::Thread(thread.to_owned()), message)?;
        self.announce_thread(thread)
    }
}

/// A change of a group that is recorded by a system message (facts 3.7).
#[derive(Clone, Copy)]
enum Activity {
    AddMember,
    DeleteMember,
    RoleUpdate,
    TopicUpdate,
    Flag(&'static FlagActivity),
    PictureUpdate,
    ModeratedThreadUpdate,
}

impl Activity {
    /// The end of the `messagetype`, and the outer tag of the content.
    fn kind_and_tag(self) -> (&'static str, &'static str) {
        match self {
            Self::AddMember => ("AddMember", "addmember"),
            Self::DeleteMember => ("DeleteMember", "deletemember"),
            Self::RoleUpdate => ("RoleUpdate", "roleupdate"),
            Self::TopicUpdate => ("TopicUpdate", "topicupdate"),
            Self::Flag(activity) => (activity.kind, activity.tag),
            Self::PictureUpdate => ("PictureUpdate", "pictureupdate"),
            Self::ModeratedThreadUpdate => ("ModeratedThreadUpdate", "moderatedthreadupdate"),
        }
    }
}

/// The body of a message that the server writes.
fn server_body(kind: &str, content: &str) -> Map<String, Value> {
    let body = json!({ "messagetype": kind, "contenttype": "text", "content": content });
    match body {
        Value::Object(body) => body,
        _ => Map::new(),
    }
}

/// Parses a conversation id.
fn chat_of(me: &UserId, id: &str) -> Result<ChatKey, ApiError> {
    ChatKey::of(me, id).ok_or(ApiError::bad("To field is invalid."))
}

/// Finds a chat in which the caller takes part. Chats of two people exist without any message.
fn enter(work: &Work<'_>, me: &UserId, id: &str) -> Result<ChatKey, ApiError> {
    let chat = chat_of(me, id)?;
    match &chat {
        ChatKey::Thread(id) => member_thread(work.store, id, me).map(drop)?,
        _ => check_known(work.directory, chat.people())?,
    }
    Ok(chat)
}

/// Finds a chat in which the caller may write.
fn enter_to_write(work: &Work<'_>, me: &UserId, id: &str) -> Result<ChatKey, ApiError> {
    let chat = chat_of(me, id)?;
    let ChatKey::Thread(id) = &chat else {
        check_known(work.directory, chat.people())?;
        return Ok(chat);
    };
    let (thread, place) = member_thread(work.store, id, me)?;
    let moderated = thread.more.get("moderatedthread").is_some_and(|on| on == "true");
    if moderated && place.role != Some(Role::Admin) {
        return Err(ApiError::forbidden("Only admins may write in this conversation."));
    }
    Ok(chat)
}

/// # Errors
/// If one of these people does not exist.
fn check_known(directory: &Directory, people: &[UserId]) -> Result<(), ApiError> {
    if people.iter().all(|user| directory.may_exist(user)) {
        Ok(())
    } else {
        Err(ApiError::no_person())
    }
}

/// Finds a chat and the caller's part in it. Former members keep access to the history up to their leaving. Chats of
/// two people exist without any message.
fn find_chat(
    store: &dyn StorageTx,
    directory: &Directory,
    me: &UserId,
    id: &str,
) -> Result<(ChatKey, Participant), ApiError> {
    let chat = chat_of(me, id)?;
    if let Some(place) = store.participant(&chat, me)? {
        return Ok((chat, place));
    }
    match &chat {
        ChatKey::Thread(id) if store.thread(id)?.is_some() => Err(ApiError::not_a_member()),
        ChatKey::Thread(_) => Err(ApiError::no_conversation()),
        ChatKey::Pair(_) | ChatKey::Notes(_) => {
            check_known(directory, chat.people())?;
            let place = Participant::not_begun(chat.seen_by(me));
            Ok((chat, place))
        }
    }
}

/// Finds a group of which the caller is a member.
fn member_thread(
    store: &dyn StorageTx,
    id: &str,
    me: &UserId,
) -> Result<(ThreadRow, Participant), ApiError> {
    let thread = store.thread(id)?.ok_or(ApiError::no_conversation())?;
    let place = store.participant(&ChatKey::Thread(id.to_owned()), me)?;
    let place = place.filter(Participant::is_present).ok_or(ApiError::not_a_member())?;
    Ok((thread, place))
}

/// Escapes text for the XML of an activity.
pub fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            _ => out.push(c),
        }
    }
    out
}
