//! Sample conversations, and scripted people who answer.

use super::api_error::ApiError;
use super::chat_key::ChatKey;
use super::events::Committed;
use super::rules::fields::SenderFields;
use super::rules::{Work, conversations, messages, threads, xml};
use super::state::GatewayState;
use super::storage::MemberRow;
use super::{GatewayUser, secret};
use crate::model::{Role, Timestamp, UserId};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

const SAMPLE_TOML: &str = include_str!("../../assets/demo/sample.toml");
/// The user of the demo.
pub const ME: &str = "8:anna.7";
const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;

#[derive(Deserialize)]
struct DemoFile {
    person: Vec<DemoPerson>,
    chat: Vec<DemoChat>,
}

#[derive(Deserialize)]
struct DemoPerson {
    id: String,
    name: String,
    #[serde(default)]
    answers: Vec<String>,
    presence: Option<DemoPresence>,
}

/// What a person has published, if the service supports that.
#[derive(Deserialize)]
struct DemoPresence {
    availability: String,
    activity: String,
    #[serde(default)]
    note: String,
    minutes_ago: i64,
}

#[derive(Deserialize)]
struct DemoChat {
    group: Option<String>,
    with: Option<String>,
    #[serde(default)]
    members: Vec<String>,
    #[serde(default)]
    admins: Vec<String>,
    #[serde(default)]
    joining: bool,
    #[serde(default = "yes")]
    history: bool,
    #[serde(default)]
    messages: Vec<(String, i64, String, String)>,
    #[serde(default)]
    diary_days: i64,
    #[serde(default)]
    diary: Vec<(String, String)>,
}

fn yes() -> bool {
    true
}

/// The sample data. It is parsed only once, because the name of the sender is looked up for every message.
static SAMPLE: LazyLock<Result<DemoFile, String>> = LazyLock::new(|| {
    toml::from_str(SAMPLE_TOML)
        .map_err(|e| format!("the sample gateway cannot be read: {}", e.message()))
});

fn people() -> &'static [DemoPerson] {
    SAMPLE.as_ref().map(|f| f.person.as_slice()).unwrap_or_default()
}

/// The people of the sample data, each with a new random token.
pub fn users() -> Vec<GatewayUser> {
    let user = |p: &DemoPerson| GatewayUser {
        id: UserId::new(&p.id),
        token: secret::token(),
        name: p.name.clone(),
    };
    people().iter().map(user).collect()
}

/// The name of a person of the sample data; empty for anyone else.
pub fn name_of(id: &str) -> String {
    people().iter().find(|p| p.id == id).map(|p| p.name.clone()).unwrap_or_default()
}

/// Fills a gateway with the sample data if it is empty.
///
/// # Errors
/// If the database fails.
pub fn seed(gateway: &Arc<GatewayState>) -> Result<(), String> {
    let file = SAMPLE.as_ref()?;
    let live = gateway.emulated_service().is_some();
    set_presences(gateway, &file.person);
    let work = move |work: &mut Work<'_>| {
        if !work.store.is_empty()? {
            return Ok(());
        }
        let now = work.now;
        for chat in &file.chat {
            write_chat(work, chat, live, now)?;
        }
        Ok(())
    };
    gateway.change_blocking(work).map_err(|_| "the sample gateway cannot be written".to_owned())
}

fn set_presences(gateway: &GatewayState, people: &[DemoPerson]) {
    let Some(emulation) = gateway.emulation() else { return };
    for (person, presence) in people.iter().filter_map(|p| Some((p, p.presence.as_ref()?))) {
        let active = Timestamp(super::state::now() - presence.minutes_ago * MINUTE);
        let mut value = json!({
            "availability": presence.availability,
            "activity": presence.activity,
            "deviceType": "Desktop",
            "lastActiveTime": active.rfc3339(),
        });
        if !presence.note.is_empty()
            && let Some(fields) = value.as_object_mut()
        {
            let note = json!({ "message": presence.note, "expiry": "9999-12-30T00:00:00.000Z" });
            fields.insert("note".to_owned(), note);
        }
        emulation.set_presence(&UserId::new(&person.id), value);
    }
}

/// A message of the sample data.
struct SampleMessage {
    from: UserId,
    at: i64,
    kind: String,
    content: String,
}

fn sample_messages(chat: &DemoChat, now: i64) -> Vec<SampleMessage> {
    let mut messages = Vec::new();
    for (from, ago, kind, content) in &chat.messages {
        let from = UserId::new(if from == "me" { ME } else { from });
        let at = now - ago * MINUTE;
        messages.push(SampleMessage { from, at, kind: kind.clone(), content: content.clone() });
    }
    for (day, (from, text)) in (0..chat.diary_days).zip(chat.diary.iter().cycle()) {
        messages.push(SampleMessage {
            from: UserId::new(from),
            at: now - (day + 1) * DAY - (day % 7) * 47 * MINUTE,
            kind: "Text".into(),
            content: text.clone(),
        });
    }
    messages.sort_by_key(|message| message.at);
    messages
}

/// Plain text as it is sent. The web page of the live services sends HTML (facts 8.7).
fn written(text: &str, live: bool) -> (&'static str, String) {
    if live {
        ("RichText/Html", format!("<p>{}</p>", xml(text).replace('\n', "<br>")))
    } else {
        ("Text", text.to_owned())
    }
}

/// The thread of a one-to-one chat, as the live services keep it.
fn write_thread_of_two(work: &mut Work<'_>, other: &str) -> Result<String, ApiError> {
    let me = UserId::new(ME);
    let member = |id: UserId, role| MemberRow { id, role };
    let members = [member(me.clone(), Role::Admin), member(UserId::new(other), Role::User)];
    let properties = object(json!({ "threadType": "chat", threads::UNIQUE: "true" }));
    threads::create(work, &me, &members, &properties)
}

fn write_chat(work: &mut Work<'_>, chat: &DemoChat, live: bool, now: i64) -> Result<(), ApiError> {
    let me = UserId::new(ME);
    let messages = sample_messages(chat, now);
    let first = messages.first().map_or(now, |message| message.at);
    work.now = first - 10 * MINUTE;
    let key = match (&chat.group, &chat.with) {
        (Some(topic), _) => ChatKey::Thread(write_group(work, chat, topic)?),
        (None, Some(with)) if live => ChatKey::Thread(write_thread_of_two(work, with)?),
        (None, Some(with)) => ChatKey::Pair([me.clone(), UserId::new(with)]),
        (None, None) => return Ok(()),
    };
    let mut last_mine = None;
    for (i, message) in messages.iter().enumerate() {
        work.now = message.at;
        let (kind, content) = match message.kind.as_str() {
            "Text" => written(&message.content, live),
            other => (other, message.content.clone()),
        };
        let fields = SenderFields::new(object(json!({
            "messagetype": kind,
            "contenttype": "text",
            "content": content,
            "clientmessageid": format!("{}{i}", message.at),
            "imdisplayname": name_of(message.from.as_str()),
        })))?;
        let row = work.post(&key, fields.into_message(&message.from))?;
        if message.from == me {
            last_mine = Some(row.id);
        }
    }
    // Messages are read up to six hours ago, or up to the user's last message.
    let old = messages.iter().map(|message| message.at).filter(|at| *at < now - 6 * 60 * MINUTE);
    if let Some(horizon) = old.max().max(last_mine) {
        let horizon = format!("{horizon};{horizon};0");
        conversations::put_property(work, &me, &key, "consumptionhorizon", &horizon)?;
    }
    Ok(())
}

fn write_group(work: &mut Work<'_>, chat: &DemoChat, topic: &str) -> Result<String, ApiError> {
    let creator =
        chat.admins.first().map(UserId::new).ok_or(ApiError::bad("A group needs an admin."))?;
    let role = |id| if chat.admins.contains(id) { Role::Admin } else { Role::User };
    let members: Vec<MemberRow> =
        chat.members.iter().map(|id| MemberRow { id: UserId::new(id), role: role(id) }).collect();
    let properties = object(json!({
        "topic": topic,
        "joiningenabled": chat.joining,
        "historydisclosed": chat.history,
    }));
    threads::create(work, &creator, &members, &properties)
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

/// Lets the scripted people answer until the gateway closes. They stop once a real client signs in as them.
pub async fn answer(gateway: Arc<GatewayState>) {
    let people: HashMap<UserId, &DemoPerson> = people()
        .iter()
        .filter(|p| p.id != ME && !p.answers.is_empty())
        .map(|p| (UserId::new(&p.id), p))
        .collect();
    let mut turns: HashMap<UserId, usize> = HashMap::new();
    let mut committed = gateway.listen();
    loop {
        let message = match committed.recv().await {
            Ok(message) => message,
            Err(tokio::sync::broadcast::error::RecvError::Lagged(_)) => continue,
            Err(tokio::sync::broadcast::error::RecvError::Closed) => return,
        };
        let is_script = |id: &UserId| people.contains_key(id) && !gateway.is_registered(id);
        if is_script(&message.sender) || message.kind.starts_with("ThreadActivity/") {
            continue;
        }
        let chat = message.chat.clone();
        let present = gateway.read(move |store| Ok(store.present(&chat)?)).await;
        let present: Vec<UserId> =
            present.unwrap_or_default().into_iter().filter(is_script).collect();
        let pick = usize::try_from(message.id).unwrap_or(0) % present.len().max(1);
        let Some(&person) = present.get(pick).and_then(|id| people.get(id)) else { continue };
        let turn = turns.entry(UserId::new(&person.id)).or_default();
        let text = person.answers.get(*turn % person.answers.len()).cloned().unwrap_or_default();
        *turn += 1;
        tokio::spawn(answer_one(Arc::clone(&gateway), message, person, text));
    }
}

/// Marks the message as read, types, and answers.
async fn answer_one(
    gateway: Arc<GatewayState>,
    message: Committed,
    person: &'static DemoPerson,
    text: String,
) {
    let who = UserId::new(&person.id);
    tokio::time::sleep(Duration::from_millis(400)).await;
    read(&gateway, &message.chat, &who, message.id).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let typing = json!({ "messagetype": "Control/Typing", "content": "" });
    say(&gateway, &message.chat, &who, typing).await;
    tokio::time::sleep(Duration::from_millis(1400)).await;
    let (kind, content) = written(&text, gateway.emulated_service().is_some());
    let answer = json!({
        "messagetype": kind,
        "contenttype": "text",
        "content": content,
        "imdisplayname": person.name,
        "clientmessageid": secret::token().get(..16).unwrap_or_default(),
    });
    say(&gateway, &message.chat, &who, answer).await;
}

async fn read(gateway: &GatewayState, chat: &ChatKey, who: &UserId, upto: i64) {
    let (chat, who) = (chat.clone(), who.clone());
    let work = move |work: &mut Work<'_>| {
        let horizon = format!("{upto};{};0", work.now);
        conversations::put_property(work, &who, &chat, "consumptionhorizon", &horizon)
    };
    if gateway.change(work).await.is_err() {
        tracing::warn!("a scripted person could not read");
    }
}

async fn say(gateway: &GatewayState, chat: &ChatKey, who: &UserId, body: Value) {
    let (id, who) = (chat.seen_by(who), who.clone());
    let work = move |work: &mut Work<'_>| {
        let fields = SenderFields::new(object(body))?;
        messages::send(work, &who, &id, fields, true)
    };
    if gateway.change(work).await.is_err() {
        tracing::warn!("a scripted person could not answer");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_data_reads_and_names_only_its_people() {
        let file = SAMPLE.as_ref().unwrap();
        let known = |id: &str| id == "me" || file.person.iter().any(|p| p.id == id);
        for chat in &file.chat {
            assert!(chat.group.is_some() != chat.with.is_some());
            assert!(chat.messages.iter().all(|(from, ..)| known(from)));
            assert!(chat.members.iter().chain(&chat.admins).all(|id| known(id)));
        }
    }

    #[test]
    fn the_people_of_a_live_service_write_html() {
        assert_eq!(written("a < b\nc", false), ("Text", "a < b\nc".to_owned()));
        assert_eq!(written("a < b\nc", true), ("RichText/Html", "<p>a &lt; b<br>c</p>".to_owned()));
    }
}
