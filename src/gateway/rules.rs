//! Who may do what, what a change leaves behind, and who hears of it. Nothing here knows HTTP or a database: requests
//! come as values, data through [`StorageTx`], and what is to be told goes out as [`Event`]s.

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

/// Says that someone has read further (facts 3.7).
const READ_MARK: &str = "ThreadActivity/MemberConsumptionHorizonUpdate";
/// What only the server writes.
const ACTIVITY: &str = "ThreadActivity/";

/// One request's change: what it may use, and what it leads to.
pub struct Work<'a> {
    pub store: &'a mut dyn StorageTx,
    pub hub: &'a Hub,
    pub directory: &'a Directory,
    /// The time of the change, in milliseconds since 1970.
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

    /// Stores a message and announces it to those who are in the chat.
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

    /// Announces a message to those who may read it. Nothing is made while nobody listens.
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
        self.tell_message(chat, row, is_new, audience)
    }

    /// Announces something that is not stored, such as typing, to everyone in the chat but its sender.
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
        self.tell_message(chat, row, true, audience)
    }

    fn tell_message(
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
        self.tell(audience, EventBody::Message(Box::new(message)));
        Ok(())
    }

    /// Tells a person's own endpoints that the conversation changed for them.
    fn announce_conversation(&mut self, user: &UserId, chat: &ChatKey) {
        if self.hub.subscribed().contains(user) {
            self.tell(vec![user.clone()], EventBody::Conversation(chat.clone()));
        }
    }

    /// Tells the members that their group changed.
    fn announce_thread(&mut self, id: &str) -> Result<(), ApiError> {
        let subscribed = self.hub.subscribed();
        if subscribed.is_empty() {
            return Ok(());
        }
        let chat = ChatKey::Thread(id.to_owned());
        let audience = self.store.readers(&chat, &subscribed, i64::MAX)?;
        if !audience.is_empty() {
            self.tell(audience, EventBody::Thread(id.to_owned()));
        }
        Ok(())
    }

    fn tell(&mut self, audience: Vec<UserId>, body: EventBody) {
        self.events.push(Event { audience, body });
    }

    /// Writes the message that a change of a group leaves behind, and announces the change.
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

/// A change of a group that its members see as a line in the chat (facts 3.7).
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
    /// The end of the `messagetype`, and the tag that encloses the content.
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

/// A message body that the gateway itself writes.
fn server_body(kind: &str, content: &str) -> Map<String, Value> {
    let body = json!({ "messagetype": kind, "contenttype": "text", "content": content });
    match body {
        Value::Object(body) => body,
        _ => Map::new(),
    }
}

/// The chat an id names.
fn chat_of(me: &UserId, id: &str) -> Result<ChatKey, ApiError> {
    ChatKey::of(me, id).ok_or(ApiError::bad("To field is invalid."))
}

/// The chat an id names, if the caller is in it. A chat with somebody else need not have begun.
fn enter(work: &Work<'_>, me: &UserId, id: &str) -> Result<ChatKey, ApiError> {
    let chat = chat_of(me, id)?;
    match &chat {
        ChatKey::Thread(id) => member_thread(work.store, id, me).map(drop)?,
        _ => check_known(work.directory, chat.people())?,
    }
    Ok(chat)
}

/// The same, if the caller may write there.
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
/// When one of these people does not exist.
fn check_known(directory: &Directory, people: &[UserId]) -> Result<(), ApiError> {
    if people.iter().all(|user| directory.may_exist(user)) {
        Ok(())
    } else {
        Err(ApiError::no_person())
    }
}

/// The chat an id names and the caller's place in it, also after leaving: what there was until then stays theirs. A chat
/// with somebody else need not have begun.
fn look_into(
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

/// The group, and the caller's place in it, if the caller is a member.
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
fn xml(text: &str) -> String {
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
