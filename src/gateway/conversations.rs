//! The conversation list, one conversation, and its properties for one account.

use super::api_error::{ApiError, JsonBody};
use super::auth::AuthUser;
use super::chat_key::ChatKey;
use super::db::Tx;
use super::render;
use super::rows::{MessageRow, READ_MARK, ViewRow};
use super::state::GatewayState;
use crate::model::UserId;
use axum::Json;
use axum::extract::{Path, Query, State};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::sync::Arc;

const DEFAULT_PAGE: usize = 100;
const MAX_PAGE: usize = 200;
/// The kinds of `targetType` and the id prefixes they stand for.
const TARGETS: [(&str, &str); 6] = [
    ("Passport", "1:"),
    ("Skype", "8:"),
    ("Lync", "2:"),
    ("Thread", "19:"),
    ("PSTN", "4:"),
    ("Agent", "28:"),
];

/// The query of a paged list, on the first page and on those that follow.
#[derive(Deserialize)]
pub struct ListQuery {
    #[serde(default, rename = "startTime", deserialize_with = "number")]
    pub start_time: Option<i64>,
    /// Upper bound, as Teams has it.
    #[serde(default, rename = "endTime", deserialize_with = "number")]
    pub end_time: Option<i64>,
    #[serde(default, rename = "pageSize", deserialize_with = "number")]
    page_size: Option<i64>,
    pub view: Option<String>,
    #[serde(rename = "targetType")]
    pub target_type: Option<String>,
    #[serde(rename = "syncState")]
    pub sync_state: Option<String>,
}

/// A number, or nothing where the text is none: unknown values are ignored.
fn number<'de, D: serde::Deserializer<'de>>(d: D) -> Result<Option<i64>, D::Error> {
    let text = Option::<String>::deserialize(d)?;
    Ok(text.and_then(|t| t.trim().parse().ok()))
}

impl ListQuery {
    /// The wish for a page's size, kept within what a page may hold.
    pub fn page_size(&self) -> Option<usize> {
        let wish = self.page_size.and_then(|p| usize::try_from(p).ok())?;
        Some(wish.clamp(1, MAX_PAGE))
    }

    pub fn view(&self) -> &str {
        self.view.as_deref().unwrap_or("msnp24Equivalent")
    }
}

/// What a `syncState` carries: how far the caller has seen, upwards by change and downwards by position.
#[derive(Clone, Copy)]
pub struct SyncState {
    /// Highest change counter seen.
    pub high: i64,
    /// Lowest message id (or activity) seen.
    pub low: i64,
    /// Tells conversations apart that were active in the same millisecond.
    pub row: i64,
    /// The first page's lower bound.
    pub start: i64,
    pub page: usize,
}

impl SyncState {
    /// Opaque hex on the wire.
    pub fn encode(self) -> String {
        use std::fmt::Write as _;
        let text = format!("{}:{}:{}:{}:{}", self.high, self.low, self.row, self.start, self.page);
        text.bytes().fold(String::new(), |mut out, b| {
            let _ = write!(out, "{b:02x}");
            out
        })
    }

    pub fn decode(hex: &str) -> Result<Self, ApiError> {
        let bytes: Option<Vec<u8>> = (0..hex.len() / 2)
            .map(|i| u8::from_str_radix(hex.get(i * 2..i * 2 + 2)?, 16).ok())
            .collect();
        let text =
            bytes.and_then(|b| String::from_utf8(b).ok()).ok_or(ApiError::stale_sync_state())?;
        let parts: Vec<i64> = text.split(':').filter_map(|p| p.parse().ok()).collect();
        match parts.as_slice() {
            [high, low, row, start, page] => {
                let page = usize::try_from(*page).map_err(|_| ApiError::stale_sync_state())?;
                Ok(Self {
                    high: *high,
                    low: *low,
                    row: *row,
                    start: *start,
                    page: page.clamp(1, MAX_PAGE),
                })
            }
            _ => Err(ApiError::stale_sync_state()),
        }
    }
}

pub async fn list(
    State(gateway): State<Arc<GatewayState>>,
    caller: AuthUser,
    Query(query): Query<ListQuery>,
) -> Result<Json<Value>, ApiError> {
    gateway.change(move |tx| page(tx, &caller, &query)).await.map(Json)
}

fn page(tx: &mut Tx<'_>, caller: &AuthUser, query: &ListQuery) -> Result<Value, ApiError> {
    let prefixes = wanted_prefixes(query.target_type.as_deref());
    let wanted = |view: &ViewRow| {
        view.id.starts_with("48:")
            || prefixes.is_empty()
            || prefixes.iter().any(|p| view.id.starts_with(p))
    };
    let views: Vec<ViewRow> = tx.views(&caller.user)?.into_iter().filter(wanted).collect();
    let high_now = views.iter().map(|v| v.change).max().unwrap_or(0);
    let (state, chosen) = match &query.sync_state {
        None => {
            let start = query.start_time.unwrap_or(0);
            let page = query.page_size().unwrap_or(DEFAULT_PAGE);
            let chosen: Vec<ViewRow> =
                views.into_iter().filter(|v| v.version >= start).take(page).collect();
            let (low, row) = chosen.last().map_or((i64::MAX, i64::MAX), |v| (v.activity, v.row));
            (SyncState { high: high_now, low, row, start, page }, chosen)
        }
        Some(token) => {
            // First what is new, then the next older ones.
            let state = SyncState::decode(token)?;
            let page = query.page_size().unwrap_or(state.page);
            let (new, rest): (Vec<_>, Vec<_>) =
                views.into_iter().partition(|v| v.change > state.high);
            let complete = new.len() <= page;
            let mut new = new;
            new.sort_by_key(|v| v.change);
            new.truncate(page);
            let high =
                if complete { high_now } else { new.last().map_or(state.high, |v| v.change) };
            let room = page - new.len();
            let older: Vec<ViewRow> = rest
                .into_iter()
                .filter(|v| {
                    (v.activity, v.row) < (state.low, state.row) && v.version >= state.start
                })
                .take(room)
                .collect();
            let (low, row) = older.last().map_or((state.low, state.row), |v| (v.activity, v.row));
            new.sort_by_key(|v| std::cmp::Reverse(v.activity));
            new.extend(older);
            (SyncState { high, low, row, start: state.start, page }, new)
        }
    };
    let all = tx.views(&caller.user)?;
    let has_older = all.iter().any(|v| {
        wanted(v) && (v.activity, v.row) < (state.low, state.row) && v.version >= state.start
    });
    let items = chosen.iter().map(|v| render(tx, caller, v)).collect::<Result<Vec<_>, _>>()?;
    let metadata = render::metadata(
        &caller.origin,
        "/v1/users/ME/conversations",
        &state.encode(),
        has_older,
        items.len(),
        query.view(),
    );
    Ok(json!({ "_metadata": metadata, "conversations": items }))
}

/// Unknown kinds are ignored; when none is known there is no filter.
fn wanted_prefixes(target_type: Option<&str>) -> Vec<&'static str> {
    let names: Vec<&str> = target_type.unwrap_or_default().split('|').collect();
    TARGETS.iter().filter(|(name, _)| names.contains(name)).map(|(_, prefix)| *prefix).collect()
}

pub async fn one(
    State(gateway): State<Arc<GatewayState>>,
    caller: AuthUser,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let work = move |tx: &mut Tx<'_>| {
        let space = ChatKey::of(&caller.user, &id).ok_or(ApiError::bad("To field is invalid."))?;
        if let ChatKey::Thread(thread) = &space {
            tx.thread(thread)?.ok_or(ApiError::no_conversation())?;
        }
        let view = tx.find_view(&caller.user, &space)?.ok_or(ApiError::no_conversation())?;
        render(tx, &caller, &view)
    };
    gateway.change(work).await.map(Json)
}

/// A conversation as the reference page shows it.
fn render(tx: &mut Tx<'_>, caller: &AuthUser, view: &ViewRow) -> Result<Value, ApiError> {
    let origin = &caller.origin;
    let space = ChatKey::of(&caller.user, &view.id).ok_or(ApiError::no_conversation())?;
    let last = tx.older(&view.space, view.window(), i64::MAX, 1)?;
    let last =
        last.first().map_or(json!({}), |row| render::message(row, &space, &caller.user, origin));
    let mut properties = view.properties.clone();
    if view.cleared_at > 0 {
        properties.insert("clearedat".into(), view.cleared_at.to_string().into());
    }
    let target = if view.id.starts_with("19:") {
        format!("{origin}/v1/threads/{}", view.id)
    } else {
        format!("{origin}/v1/users/ME/contacts/{}", view.id)
    };
    let mut item = json!({
        "id": view.id,
        "lastMessage": last,
        "messages": format!("{origin}/v1/users/ME/conversations/{}/messages", view.id),
        "properties": properties,
        "targetLink": target,
        "type": "Conversation",
        "version": view.version,
    });
    if let Some(thread) = tx.thread(&view.id)? {
        let mut p = Map::new();
        p.insert("lastjoinat".into(), view.joined.to_string().into());
        if view.left > 0 {
            p.insert("lastleaveat".into(), view.left.to_string().into());
        }
        p.insert("topic".into(), thread.topic.into());
        p.insert("version".into(), thread.version.to_string().into());
        p.insert("membercount".into(), thread.members.len().to_string().into());
        p.insert("createdat".into(), thread.created.to_string().into());
        p.insert("creator".into(), thread.creator.into());
        item["threadProperties"] = Value::Object(p);
    }
    Ok(item)
}

#[derive(Deserialize)]
pub struct NameQuery {
    pub name: Option<String>,
}

/// Sets `consumptionhorizon`, `alerts` and the like; only this account sees them.
pub async fn set_property(
    State(gateway): State<Arc<GatewayState>>,
    caller: AuthUser,
    Path(id): Path<String>,
    Query(query): Query<NameQuery>,
    JsonBody(body): JsonBody<Map<String, Value>>,
) -> Result<Json<Value>, ApiError> {
    const KNOWN: [&str; 5] = ["consumptionhorizon", "alerts", "favorite", "alertmatches", "hidden"];
    let name = query
        .name
        .or_else(|| body.get("name").and_then(Value::as_str).map(str::to_owned))
        .filter(|n| KNOWN.contains(&n.as_str()))
        .ok_or(ApiError::bad("Unknown property."))?;
    let value = match body.get(&name) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Bool(flag)) => flag.to_string(),
        _ => return Err(ApiError::bad("The property's value is missing.")),
    };
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if name == "consumptionhorizon"
        && (value.split(';').count() != 3 || !value.split(';').all(digits))
    {
        return Err(ApiError::bad("The consumption horizon is malformed."));
    }
    let work = move |tx: &mut Tx<'_>| {
        let space = tx.enter(&caller.user, &id)?;
        let mut view = tx.view(&caller.user, &space)?;
        let is_horizon = name == "consumptionhorizon";
        view.properties.insert(name, value.clone().into());
        tx.save_view(&caller.user, &view)?;
        if is_horizon {
            tell_read(tx, &caller.user, &space, &value)?;
        }
        tell_view(tx, &caller.user, &space)
    };
    gateway.change(work).await?;
    Ok(Json(json!({})))
}

/// Tells the others that someone has read further: a signal, as typing is, and nothing that is stored (facts 3.7).
pub fn tell_read(
    tx: &mut Tx<'_>,
    user: &UserId,
    space: &ChatKey,
    horizon: &str,
) -> Result<(), ApiError> {
    let content = json!({ "user": user.as_str(), "consumptionhorizon": horizon }).to_string();
    let signal = MessageRow::signal(user, READ_MARK, &content, tx.now);
    Ok(tx.tell_message(space, &signal, "NewMessage")?)
}

/// Tells a person's own endpoints that the conversation changed for them.
pub fn tell_view(tx: &mut Tx<'_>, user: &UserId, space: &ChatKey) -> Result<(), ApiError> {
    let origin = tx.origin.to_owned();
    let view = tx.view(user, space)?;
    let caller = AuthUser { user: user.clone(), endpoint: None, origin: origin.clone() };
    let item = render(tx, &caller, &view)?;
    let link = format!("{origin}/v1/users/ME/conversations/{}", view.id);
    tx.tell(user, "ConversationUpdate", link, item);
    Ok(())
}
