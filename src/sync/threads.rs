//! Requests about groups: changing, creating and joining them. Each is answered under its ticket.

use super::requests::refresh_thread;
use super::{Shared, fault};
use crate::client::{Error, NewMember};
use crate::model::{ConversationId, Fault, Response, Role, ThreadChange, Ticket, UserId};
use std::sync::Arc;

pub async fn change(
    shared: &Arc<Shared>,
    id: &ConversationId,
    change: &ThreadChange,
) -> Result<(), Error> {
    let client = &shared.client;
    match change {
        ThreadChange::Flag(flag, on) => client.set_flag(id, *flag, *on).await,
        ThreadChange::Topic(topic) => client.set_topic(id, topic).await,
        ThreadChange::Member(who, role) => client.put_member(id, who, *role).await,
        ThreadChange::Remove(who) => client.remove_member(id, who).await,
        ThreadChange::Clear => client.clear(id).await,
    }
}

/// Fetches the server's state after a change, also after a refused one.
pub async fn refresh_after(shared: &Arc<Shared>, id: &ConversationId, change: &ThreadChange) {
    let gone = matches!(change, ThreadChange::Remove(who) if *who == shared.me);
    if matches!(change, ThreadChange::Member(who, _) if *who == shared.me) {
        shared.fetch_new_conversation(id).await;
    }
    if let ThreadChange::Member(who, _) = change {
        shared.fetch_names(vec![who.clone()]).await;
    }
    if id.is_thread() && !gone {
        refresh_thread(shared, id).await;
    }
}

pub async fn join_url(shared: &Arc<Shared>, id: &ConversationId, ticket: Ticket) {
    let result = shared.client.join_url(id).await.map_err(|e| Fault::from(&e));
    shared.respond(ticket, Response::JoinUrl(result)).await;
}

pub async fn create(
    shared: &Arc<Shared>,
    topic: &str,
    members: Vec<(UserId, Role)>,
    ticket: Ticket,
) {
    let members: Vec<NewMember> =
        members.into_iter().map(|(id, role)| NewMember { id, role }).collect();
    let result = shared.client.create_thread(&members, topic).await;
    if let Ok(id) = &result {
        shared.fetch_new_conversation(id).await;
    }
    shared.respond(ticket, Response::Created(result.map_err(|e| Fault::from(&e)))).await;
}

pub async fn resolve(shared: &Arc<Shared>, url: &str, ticket: Ticket) {
    let result = shared.client.resolve_join(url).await.map_err(|e| fault::of_join(&e));
    shared.respond(ticket, Response::Resolved(result)).await;
}
