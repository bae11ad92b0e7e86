//! A group's properties: which there are, and who may set them.

use super::api_error::{ApiError, JsonBody};
use super::auth::AuthUser;
use super::conversations::NameQuery;
use super::db::Tx;
use super::render::xml;
use super::rows::ThreadRow;
use super::state::GatewayState;
use super::threads::{activity, tell_thread};
use crate::model::UserId;
use axum::Json;
use axum::extract::{Path, Query, State};
use serde_json::{Map, Value, json};
use std::sync::Arc;

const MAX_TOPIC: usize = 10_000;

/// A boolean as JSON or as a word.
fn flag(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::String(text) => text.to_ascii_lowercase().parse().ok(),
        _ => None,
    }
}

/// Sets one property on the row. Whether the caller may is asked before.
pub fn apply(thread: &mut ThreadRow, name: &str, value: &Value) -> Result<(), ApiError> {
    const WRONG: ApiError = ApiError::bad("The property's value has the wrong type.");
    match name {
        "topic" => {
            let topic = value.as_str().ok_or(WRONG)?;
            if topic.len() > MAX_TOPIC {
                return Err(ApiError::bad("The topic is too long."));
            }
            topic.clone_into(&mut thread.topic);
        }
        "joiningenabled" => thread.joining = flag(value).ok_or(WRONG)?,
        "historydisclosed" => thread.history = flag(value).ok_or(WRONG)?,
        "moderatedthread" => {
            let on = flag(value).ok_or(WRONG)?;
            thread.more.insert(name.into(), on.to_string().into());
        }
        "picture" => {
            let url = value.as_str().ok_or(WRONG)?;
            thread.more.insert(name.into(), url.into());
        }
        "capabilities" if value.is_array() => {
            thread.more.insert(name.into(), value.clone());
        }
        "threadType" | "fixedRoster" | "uniquerosterthread" | "chatFilesIndexId" => {}
        _ => return Err(ApiError::bad("Unknown property.")),
    }
    Ok(())
}

pub async fn set_property(
    State(gateway): State<Arc<GatewayState>>,
    caller: AuthUser,
    Path(id): Path<String>,
    Query(query): Query<NameQuery>,
    JsonBody(body): JsonBody<Map<String, Value>>,
) -> Result<Json<Value>, ApiError> {
    let in_body = body.get("name").and_then(Value::as_str).map(str::to_owned);
    let name = query.name.or(in_body).ok_or(ApiError::bad("The property's name is missing."))?;
    let value =
        body.get(&name).cloned().ok_or(ApiError::bad("The property's value is missing."))?;
    gateway.change(move |tx| put_property(tx, &caller.user, &id, &name, &value)).await?;
    Ok(Json(json!({})))
}

fn put_property(
    tx: &mut Tx<'_>,
    me: &UserId,
    id: &str,
    name: &str,
    value: &Value,
) -> Result<(), ApiError> {
    let mut thread = tx.thread_for(id, me)?;
    if name != "topic" && !thread.member(me).is_some_and(|m| m.admin) {
        return Err(ApiError::admins_only());
    }
    apply(&mut thread, name, value)?;
    tx.save_thread(&thread)?;
    let value_tag = |text: &str| format!("<value>{}</value>", xml(text));
    match name {
        "topic" => activity(tx, id, "TopicUpdate", "topicupdate", me, &value_tag(&thread.topic)),
        "joiningenabled" => {
            let inner = value_tag(&thread.joining.to_string());
            activity(tx, id, "JoiningEnabledUpdate", "joiningenabledupdate", me, &inner)
        }
        "historydisclosed" => {
            let inner = value_tag(&thread.history.to_string());
            activity(tx, id, "HistoryDisclosedUpdate", "historydisclosedupdate", me, &inner)
        }
        "picture" => {
            let url = thread.more.get("picture").and_then(Value::as_str).unwrap_or_default();
            activity(tx, id, "PictureUpdate", "pictureupdate", me, &value_tag(url))
        }
        "moderatedthread" => {
            let on = thread.more.get("moderatedthread").and_then(Value::as_str).unwrap_or_default();
            activity(tx, id, "ModeratedThreadUpdate", "moderatedthreadupdate", me, &value_tag(on))
        }
        _ => tell_thread(tx, id),
    }
}
