//! The sample gateway: conversations to look around in, and scripted people who answer.

use super::GatewayUser;
use super::api_error::ApiError;
use super::chat_key::ChatKey;
use super::db::Tx;
use super::render::random_token;
use super::state::GatewayState;
use crate::model::UserId;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

const SAMPLE: &str = include_str!("../../assets/demo/sample.toml");
/// Whom the demo plays.
pub const ME: &str = "8:anna.7";
const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;

#[derive(Deserialize)]
struct DemoFile {
    person: Vec<Person>,
    chat: Vec<DemoChat>,
}

#[derive(Clone, Deserialize)]
struct Person {
    id: String,
    name: String,
    #[serde(default)]
    answers: Vec<String>,
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

fn sample_file() -> Result<DemoFile, String> {
    toml::from_str(SAMPLE)
        .map_err(|e| format!("the sample gateway cannot be read: {}", e.message()))
}

fn people() -> Vec<Person> {
    sample_file().map(|f| f.person).unwrap_or_default()
}

/// Everyone of the sample gateway, each with a fresh random token.
pub fn users() -> Vec<GatewayUser> {
    let user =
        |p: Person| GatewayUser { id: UserId::new(&p.id), token: random_token(), name: p.name };
    people().into_iter().map(user).collect()
}

/// The name of a person of the sample gateway, or nothing.
pub fn name_of(id: &str) -> String {
    people().into_iter().find(|p| p.id == id).map(|p| p.name).unwrap_or_default()
}

/// Fills an empty gateway; one that holds anything is left alone.
///
/// # Errors
/// When the database fails.
pub fn seed(gateway: &Arc<GatewayState>) -> Result<(), String> {
    let file = sample_file()?;
    let work = |tx: &mut Tx<'_>| {
        let empty: i64 = tx.sql.query_row("SELECT count(*) FROM views", [], |row| row.get(0))?;
        if empty > 0 {
            return Ok(());
        }
        let now = tx.now;
        for chat in &file.chat {
            write_chat(tx, chat, now)?;
        }
        tx.now = now;
        Ok(())
    };
    gateway
        .change_blocking(work)
        .map_err(|_: ApiError| "the sample gateway cannot be written".to_owned())
}

fn write_chat(tx: &mut Tx<'_>, chat: &DemoChat, now: i64) -> Result<(), ApiError> {
    let me = UserId::new(ME);
    let mut messages: Vec<(String, i64, String, String)> = chat
        .messages
        .iter()
        .map(|(from, ago, kind, content)| {
            let from = if from == "me" { ME } else { from };
            (from.to_owned(), now - ago * MINUTE, kind.clone(), content.clone())
        })
        .collect();
    for day in 0..chat.diary_days {
        let at = usize::try_from(day).unwrap_or(0) % chat.diary.len().max(1);
        if let Some((from, text)) = chat.diary.get(at) {
            messages.push((
                from.clone(),
                now - (day + 1) * DAY - (day % 7) * 47 * MINUTE,
                "Text".into(),
                text.clone(),
            ));
        }
    }
    messages.sort_by_key(|(_, at, ..)| *at);
    let first = messages.first().map_or(now, |(_, at, ..)| *at);
    tx.now = first - 10 * MINUTE;
    let space = match (&chat.group, &chat.with) {
        (Some(topic), _) => ChatKey::Thread(super::threads::seed(tx, &chat_group(chat, topic))?),
        (None, Some(with)) => ChatKey::Pair(me.clone(), UserId::new(with)),
        (None, None) => return Ok(()),
    };
    let mut last_mine = None;
    for (i, (from, at, kind, content)) in messages.iter().enumerate() {
        tx.now = *at;
        let mut body = Map::new();
        body.insert("messagetype".into(), kind.as_str().into());
        body.insert("contenttype".into(), "text".into());
        body.insert("content".into(), content.as_str().into());
        body.insert("clientmessageid".into(), format!("{at}{i}").into());
        body.insert("imdisplayname".into(), tx.name(from).into());
        let row = tx.post(&space, from, body)?;
        if from == ME {
            last_mine = Some(row.id);
        }
    }
    // What was said before the last day is read; of the rest, what stands above an own message.
    let read =
        messages.iter().map(|(_, at, ..)| *at).filter(|at| *at < now - 6 * 60 * MINUTE).max();
    if let Some(horizon) = read.max(last_mine) {
        let mut view = tx.view(&me, &space)?;
        view.properties
            .insert("consumptionhorizon".into(), format!("{horizon};{horizon};0").into());
        tx.save_view(&me, &view)?;
    }
    Ok(())
}

fn chat_group<'a>(chat: &'a DemoChat, topic: &'a str) -> super::threads::SeedGroup<'a> {
    super::threads::SeedGroup {
        topic,
        members: &chat.members,
        admins: &chat.admins,
        joining: chat.joining,
        history: chat.history,
    }
}

/// Lets the scripted people answer until the gateway closes. One falls silent once a real client signed in as them.
pub async fn answer(gateway: Arc<GatewayState>) {
    let people: HashMap<UserId, Person> = people()
        .into_iter()
        .filter(|p| p.id != ME && !p.answers.is_empty())
        .map(|p| (UserId::new(&p.id), p))
        .collect();
    let mut turn: HashMap<UserId, usize> = HashMap::new();
    let mut heard = gateway.listen();
    loop {
        let said = match heard.recv().await {
            Ok(said) => said,
            Err(tokio::sync::broadcast::error::RecvError::Lagged(_)) => continue,
            Err(tokio::sync::broadcast::error::RecvError::Closed) => return,
        };
        let is_script = |id: &UserId| people.contains_key(id) && !gateway.is_registered(id);
        if is_script(&said.sender) || said.kind.starts_with("ThreadActivity/") {
            continue;
        }
        let present: Vec<&UserId> = said.participants.iter().filter(|id| is_script(id)).collect();
        let pick = usize::try_from(said.id).unwrap_or(0) % present.len().max(1);
        let Some(who) = present.get(pick).map(|id| (*id).clone()) else { continue };
        let Some(person) = people.get(&who) else { continue };
        let at = turn.entry(who.clone()).or_default();
        let text = person.answers.get(*at % person.answers.len()).cloned().unwrap_or_default();
        *at += 1;
        let gateway = Arc::clone(&gateway);
        let name = person.name.clone();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(400)).await;
            read(&gateway, &said.space, &who, said.id).await;
            tokio::time::sleep(Duration::from_millis(300)).await;
            signal(&gateway, &said.space, &who, "Control/Typing").await;
            tokio::time::sleep(Duration::from_millis(1400)).await;
            say(&gateway, &said.space, &who, &name, &text).await;
        });
    }
}

/// They read before they answer.
async fn read(gateway: &Arc<GatewayState>, space: &ChatKey, who: &UserId, upto: i64) {
    let (space, who) = (space.clone(), who.clone());
    let work = move |tx: &mut Tx<'_>| {
        let horizon = format!("{upto};{};0", tx.now);
        let mut view = tx.view(&who, &space)?;
        view.properties.insert("consumptionhorizon".into(), horizon.clone().into());
        tx.save_view(&who, &view)?;
        super::conversations::tell_read(tx, &who, &space, &horizon)
    };
    let _: Result<(), ApiError> = gateway.change(work).await;
}

async fn signal(gateway: &Arc<GatewayState>, space: &ChatKey, who: &UserId, kind: &'static str) {
    let (space, who) = (space.clone(), who.clone());
    let work = move |tx: &mut Tx<'_>| {
        let row = super::rows::MessageRow::signal(&who, kind, "", tx.now);
        tx.tell_message(&space, &row, "NewMessage")?;
        Ok(())
    };
    // A signal that is lost is lost.
    let _: Result<(), ApiError> = gateway.change(work).await;
}

async fn say(gateway: &Arc<GatewayState>, space: &ChatKey, who: &UserId, name: &str, text: &str) {
    let (space, who) = (space.clone(), who.clone());
    let body = json!({
        "messagetype": "Text",
        "contenttype": "text",
        "content": text,
        "imdisplayname": name,
        "clientmessageid": random_token().get(..16).unwrap_or_default(),
    });
    let Value::Object(body) = body else { return };
    let done = gateway.change(move |tx| Ok(tx.post(&space, who.as_str(), body)?)).await;
    if done.is_err() {
        tracing::warn!("a scripted person could not answer");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_data_reads_and_names_only_its_people() {
        let file = sample_file().unwrap();
        let known = |id: &str| id == "me" || file.person.iter().any(|p| p.id == id);
        for chat in &file.chat {
            assert!(chat.group.is_some() != chat.with.is_some());
            assert!(chat.messages.iter().all(|(from, ..)| known(from)));
            assert!(chat.members.iter().chain(&chat.admins).all(|id| known(id)));
        }
    }
}
