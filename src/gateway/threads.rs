//! Groups: creating, members, properties, join links. Each change leaves its ThreadActivity message.

use super::api_error::{ApiError, JsonBody};
use super::auth::AuthUser;
use super::chat_key::ChatKey;
use super::conversations::tell_view;
use super::db::Tx;
use super::properties::apply;
use super::render::{self, xml};
use super::rows::ThreadRow;
use super::state::GatewayState;
use crate::model::UserId;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::sync::Arc;

const MAX_MEMBERS: usize = 2_000;

#[derive(Deserialize)]
pub struct MemberBody {
    id: String,
    #[serde(default)]
    role: String,
}

#[derive(Deserialize)]
pub struct CreateBody {
    members: Vec<MemberBody>,
    #[serde(default)]
    properties: Map<String, Value>,
}

fn is_admin(role: &str) -> bool {
    role.eq_ignore_ascii_case("admin")
}

pub async fn create(
    State(gateway): State<Arc<GatewayState>>,
    caller: AuthUser,
    JsonBody(body): JsonBody<CreateBody>,
) -> Result<Response, ApiError> {
    let origin = caller.origin.clone();
    let id = gateway.change(move |tx| new_thread(tx, &caller.user, &body)).await?;
    let location = format!("{origin}/v1/threads/{id}");
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(json!({}))).into_response())
}

fn new_thread(tx: &mut Tx<'_>, me: &UserId, body: &CreateBody) -> Result<String, ApiError> {
    if body.members.len() > MAX_MEMBERS {
        return Err(ApiError::bad("Too many members."));
    }
    if body.members.iter().any(|m| ChatKey::of(me, &m.id).is_none() || m.id.starts_with("19:")) {
        return Err(ApiError::bad("A member's id is malformed."));
    }
    if !body.members.iter().any(|m| m.id == me.as_str() && is_admin(&m.role)) {
        return Err(ApiError::bad("The creator must be among the members, as Admin."));
    }
    let token = render::random_token();
    let id = format!("19:{}@thread.skype", token.get(..32).unwrap_or_default());
    let mut thread = ThreadRow {
        id: id.clone(),
        creator: me.as_str().to_owned(),
        created: tx.now,
        version: 0,
        topic: String::new(),
        joining: false,
        history: true,
        code: render::random_code(),
        more: Map::new(),
        members: Vec::new(),
    };
    for (name, value) in &body.properties {
        apply(&mut thread, name, value)?;
    }
    tx.save_thread(&thread)?;
    for member in &body.members {
        tx.put_member(&id, &member.id, is_admin(&member.role))?;
        tx.view(&UserId::new(&member.id), &ChatKey::Thread(id.clone()))?;
    }
    let targets: String = body
        .members
        .iter()
        .flat_map(|m| ["<target>".into(), xml(&m.id), "</target>".into()])
        .collect();
    activity(tx, &id, "AddMember", "addmember", me, &targets)?;
    if !thread.topic.is_empty() {
        activity(
            tx,
            &id,
            "TopicUpdate",
            "topicupdate",
            me,
            &format!("<value>{}</value>", xml(&thread.topic)),
        )?;
    }
    Ok(id)
}

/// A group of the sample gateway.
pub struct SeedGroup<'a> {
    pub topic: &'a str,
    pub members: &'a [String],
    pub admins: &'a [String],
    pub joining: bool,
    pub history: bool,
}

/// Creates a group as its first admin would.
pub fn seed(tx: &mut Tx<'_>, group: &SeedGroup<'_>) -> Result<String, ApiError> {
    let creator =
        group.admins.first().map(UserId::new).ok_or(ApiError::bad("A group needs an admin."))?;
    let members = group.members.iter().map(|id| MemberBody {
        id: id.clone(),
        role: if group.admins.contains(id) { "Admin".into() } else { "User".into() },
    });
    let mut properties = Map::new();
    properties.insert("topic".into(), group.topic.into());
    properties.insert("joiningenabled".into(), group.joining.into());
    properties.insert("historydisclosed".into(), group.history.into());
    new_thread(tx, &creator, &CreateBody { members: members.collect(), properties })
}

/// Writes the message that a change leaves behind.
pub fn activity(
    tx: &mut Tx<'_>,
    thread: &str,
    kind: &str,
    tag: &str,
    by: &UserId,
    inner: &str,
) -> Result<(), ApiError> {
    let content = format!(
        "<{tag}><eventtime>{}</eventtime><initiator>{}</initiator>{inner}</{tag}>",
        tx.now,
        xml(by.as_str())
    );
    let mut body = Map::new();
    body.insert("messagetype".into(), format!("ThreadActivity/{kind}").into());
    body.insert("contenttype".into(), "text".into());
    body.insert("content".into(), content.into());
    tx.post(&ChatKey::Thread(thread.to_owned()), by.as_str(), body)?;
    tell_thread(tx, thread)
}

pub fn tell_thread(tx: &mut Tx<'_>, id: &str) -> Result<(), ApiError> {
    let Some(thread) = tx.thread(id)? else { return Ok(()) };
    let origin = tx.origin.to_owned();
    let resource = render::thread(&thread, &origin);
    for member in &thread.members {
        let link = format!("{origin}/v1/threads/{id}");
        tx.tell(&UserId::new(&member.id), "ThreadUpdate", link, resource.clone());
    }
    Ok(())
}

pub async fn one(
    State(gateway): State<Arc<GatewayState>>,
    caller: AuthUser,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let work = move |tx: &mut Tx<'_>| {
        if !id.starts_with("19:") {
            return Err(ApiError::bad("The resource URL is misformatted."));
        }
        let thread = tx.thread_for(&id, &caller.user)?;
        Ok(render::thread(&thread, &caller.origin))
    };
    gateway.change(work).await.map(Json)
}

/// Adds someone, sets a role, or joins an open thread.
pub async fn put_member(
    State(gateway): State<Arc<GatewayState>>,
    caller: AuthUser,
    Path((id, member)): Path<(String, String)>,
    body: axum::body::Bytes,
) -> Result<Json<Value>, ApiError> {
    // The body may be missing altogether.
    let body: Map<String, Value> = serde_json::from_slice(&body).unwrap_or_default();
    let role = body.get("role").and_then(Value::as_str).map(is_admin);
    let work =
        move |tx: &mut Tx<'_>| add_or_set(tx, &caller.user, &id, &member, role.unwrap_or(false));
    gateway.change(work).await?;
    Ok(Json(json!({})))
}

#[derive(Deserialize)]
pub struct AddBody {
    members: Vec<MemberBody>,
}

pub async fn add_members(
    State(gateway): State<Arc<GatewayState>>,
    caller: AuthUser,
    Path(id): Path<String>,
    JsonBody(body): JsonBody<AddBody>,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    let work = move |tx: &mut Tx<'_>| {
        for member in &body.members {
            add_or_set(tx, &caller.user, &id, &member.id, is_admin(&member.role))?;
        }
        Ok(())
    };
    gateway.change(work).await?;
    Ok((StatusCode::CREATED, Json(json!({}))))
}

fn add_or_set(
    tx: &mut Tx<'_>,
    me: &UserId,
    id: &str,
    target: &str,
    admin: bool,
) -> Result<(), ApiError> {
    let who = UserId::new(target);
    if ChatKey::of(me, target).is_none() || target.starts_with("19:") || target.starts_with("48:") {
        return Err(ApiError::bad("The member's id is malformed."));
    }
    let thread = tx.thread(id)?.ok_or(ApiError::no_conversation())?;
    let target_tag = format!("<target>{}</target>", xml(target));
    match (thread.member(me), thread.member(&who)) {
        (None, _) if *me == who && thread.joining => {
            join(tx, &thread, &who, false)?;
            activity(tx, id, "AddMember", "addmember", me, &target_tag)
        }
        (None, _) if *me == who => Err(ApiError::forbidden("Joining by link is turned off.")),
        (None, _) => Err(ApiError::not_a_member()),
        (Some(caller), None) => {
            if admin && !caller.admin {
                return Err(ApiError::admins_only());
            }
            if thread.members.len() >= MAX_MEMBERS {
                return Err(ApiError::forbidden("The group is full."));
            }
            join(tx, &thread, &who, admin)?;
            activity(tx, id, "AddMember", "addmember", me, &target_tag)
        }
        (Some(_), Some(known)) if known.admin == admin => Ok(()),
        (Some(caller), Some(_)) => {
            if !caller.admin {
                return Err(ApiError::admins_only());
            }
            tx.put_member(id, target, admin)?;
            let role = if admin { "admin" } else { "user" };
            let inner = format!("<target><id>{}</id><role>{role}</role></target>", xml(target));
            activity(tx, id, "RoleUpdate", "roleupdate", me, &inner)
        }
    }
}

/// Makes someone a member; without disclosed history nothing older than now can be read.
fn join(tx: &mut Tx<'_>, thread: &ThreadRow, who: &UserId, admin: bool) -> Result<(), ApiError> {
    tx.put_member(&thread.id, who.as_str(), admin)?;
    let mut view = tx.view(who, &ChatKey::Thread(thread.id.clone()))?;
    view.joined = tx.now.max(view.left + 1);
    let space = ChatKey::Thread(thread.id.clone());
    view.since = if thread.history { 0 } else { tx.now.max(tx.last_id(&space)? + 1) };
    tx.save_view(who, &view)?;
    Ok(())
}

pub async fn remove_member(
    State(gateway): State<Arc<GatewayState>>,
    caller: AuthUser,
    Path((id, member)): Path<(String, String)>,
) -> Result<Json<Value>, ApiError> {
    let work = move |tx: &mut Tx<'_>| {
        let thread = tx.thread_for(&id, &caller.user)?;
        let who = UserId::new(&member);
        let is_admin = thread.member(&caller.user).is_some_and(|m| m.admin);
        if who != caller.user && !is_admin {
            return Err(ApiError::admins_only());
        }
        if thread.member(&who).is_none() {
            return Err(ApiError::not_found("There is no such member."));
        }
        // The leaver still gets the message about it.
        activity(
            tx,
            &id,
            "DeleteMember",
            "deletemember",
            &caller.user,
            &format!("<target>{}</target>", xml(&member)),
        )?;
        let space = ChatKey::Thread(id.clone());
        let mut view = tx.view(&who, &space)?;
        view.left = view.activity.max(view.joined + 1);
        tx.save_view(&who, &view)?;
        tx.drop_member(&id, &member)?;
        tell_view(tx, &who, &space)?;
        tell_thread(tx, &id)
    };
    gateway.change(work).await?;
    Ok(Json(json!({})))
}

/// How far each member has read.
pub async fn consumption_horizons(
    State(gateway): State<Arc<GatewayState>>,
    caller: AuthUser,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let work = move |tx: &mut Tx<'_>| {
        let space = tx.enter(&caller.user, &id)?;
        let mut list = Vec::new();
        for user in tx.participants(&space)? {
            let Some(view) = tx.find_view(&user, &space)? else { continue };
            let horizon = view
                .properties
                .get("consumptionhorizon")
                .cloned()
                .unwrap_or_else(|| "0;0;0".into());
            list.push(json!({
                "id": user.as_str(),
                "consumptionhorizon": horizon,
                "messageVisibilityTime": view.since,
            }));
        }
        Ok(json!({ "id": id, "version": tx.now.to_string(), "consumptionhorizons": list }))
    };
    gateway.change(work).await.map(Json)
}
