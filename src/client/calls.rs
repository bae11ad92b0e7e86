//! One method for each operation of the protocol.

use super::error::{Error, ErrorKind};
use super::side_services::SideService;
use super::{ApiCall, Client, Credential};
use crate::model::request::Change;
use crate::model::{
    ClientMessageId, ConversationId, MessageKey, Outgoing, RawConversation, RawMessage, ReadMarker,
    Role, SafeText, ThreadFlag, Timestamp, UserId,
};
use crate::protocol::{encode, wire};
use reqwest::Method;
use serde_json::Value;

/// The server's answer to a sent message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentAs {
    /// The message's key; `None` if the answer does not contain it, and only the echo will tell.
    pub key: Option<MessageKey>,
}

/// A member of a new group.
pub struct NewMember {
    pub id: UserId,
    pub role: Role,
}

impl Client {
    /// The first page of the conversation list, most recently active first.
    pub async fn conversations(
        &self,
        page_size: u32,
    ) -> Result<wire::WirePage<RawConversation>, Error> {
        let path = |size| self.service().conversations(None, size);
        let (reply, size) = self.list(page_size, path).await?;
        Ok(logged(wire::conversations_page(&reply.body, size)?))
    }

    pub(crate) async fn conversations_next(
        &self,
        sync_state: &str,
        page_size: u32,
    ) -> Result<wire::WirePage<RawConversation>, Error> {
        let path = |size| self.service().conversations(Some(sync_state), size);
        let (reply, size) = self.list(page_size, path).await?;
        Ok(logged(wire::conversations_page(&reply.body, size)?))
    }

    pub async fn conversation(&self, id: &ConversationId) -> Result<RawConversation, Error> {
        let reply = self.chat(Method::GET, &self.service().conversation(id), None).await?;
        Ok(wire::raw_conversation(&reply.body).ok_or(wire::WireError::Missing("id"))?)
    }

    /// The newest messages.
    pub async fn messages(
        &self,
        id: &ConversationId,
        page_size: u32,
    ) -> Result<wire::WirePage<RawMessage>, Error> {
        let path = |size| self.service().messages(id, None, size);
        let (reply, size) = self.list(page_size, path).await?;
        Ok(logged(wire::messages_page(&reply.body, id, size)?))
    }

    pub async fn messages_next(
        &self,
        id: &ConversationId,
        sync_state: &str,
        page_size: u32,
    ) -> Result<wire::WirePage<RawMessage>, Error> {
        let path = |size| self.service().messages(id, Some(sync_state), size);
        let (reply, size) = self.list(page_size, path).await?;
        Ok(logged(wire::messages_page(&reply.body, id, size)?))
    }

    /// Messages that arrived at or before `end`, and at or after `start`. Not all servers heed both bounds (facts 2.1).
    pub(crate) async fn messages_between(
        &self,
        id: &ConversationId,
        start: Timestamp,
        end: Timestamp,
        page_size: u32,
    ) -> Result<wire::WirePage<RawMessage>, Error> {
        let path = |size| self.service().messages_between(id, start.0, end.0, size);
        let (reply, size) = self.list(page_size, path).await?;
        Ok(logged(wire::messages_page(&reply.body, id, size)?))
    }

    /// Sends a message. A repetition must use the same client id.
    pub async fn send(
        &self,
        id: &ConversationId,
        outgoing: &Outgoing,
        client_id: &ClientMessageId,
        my_name: &str,
    ) -> Result<SentAs, Error> {
        let body = encode::message(outgoing, client_id, my_name);
        let reply = self.chat(Method::POST, &self.service().send(id), Some(&body)).await?;
        let named = reply.location.as_deref().and_then(wire::last_segment);
        let at = wire::sent(&reply.body);
        let id = named
            .filter(|n| n.bytes().all(|b| b.is_ascii_digit()))
            .or_else(|| at.map(|t| t.0.to_string()));
        let at = at.or_else(|| id.as_deref().and_then(Timestamp::parse));
        Ok(SentAs { key: id.zip(at).map(|(id, at)| MessageKey::server(at, &id)) })
    }

    /// Edits or deletes a message, or changes this account's reaction to it.
    pub async fn change(
        &self,
        id: &ConversationId,
        message: &str,
        change: &Change,
        my_name: &str,
        now: Timestamp,
    ) -> Result<(), Error> {
        match change {
            Change::Edit(outgoing) => {
                let body = encode::edit(outgoing, my_name);
                self.chat(Method::PUT, &self.service().message(id, message), Some(&body)).await?;
            }
            Change::Delete => {
                self.chat(Method::DELETE, &self.service().message(id, message), None).await?;
            }
            Change::React { key, on } => {
                let method = if *on { Method::PUT } else { Method::DELETE };
                let body = encode::emotion(key, now, *on);
                self.chat(
                    method,
                    &self.service().message_property(id, message, "emotions"),
                    Some(&body),
                )
                .await?;
            }
        }
        Ok(())
    }

    pub async fn typing(&self, id: &ConversationId, active: bool) -> Result<(), Error> {
        self.chat(Method::POST, &self.service().send(id), Some(&encode::typing(active)))
            .await
            .map(drop)
    }

    pub async fn mark_read(
        &self,
        id: &ConversationId,
        read_marker: &ReadMarker,
    ) -> Result<(), Error> {
        let path = self.service().conversation_property(id, "consumptionhorizon");
        self.chat(Method::PUT, &path, Some(&encode::read_marker(&read_marker.text())))
            .await
            .map(drop)
    }

    /// How far each member has read. Members without a read mark are left out.
    pub(crate) async fn read_receipts(
        &self,
        id: &ConversationId,
    ) -> Result<Vec<(UserId, Timestamp)>, Error> {
        let reply = self.chat(Method::GET, &self.service().read_receipts(id), None).await?;
        Ok(wire::read_receipts(&reply.body)?)
    }

    /// Deletes the history for this account.
    pub async fn clear(&self, id: &ConversationId) -> Result<(), Error> {
        self.chat(Method::DELETE, &self.service().send(id), None).await.map(drop)
    }

    pub async fn thread(&self, id: &ConversationId) -> Result<wire::WireThread, Error> {
        Ok(self.thread_with_json(id).await?.1)
    }

    /// A thread as JSON, and decoded.
    pub(crate) async fn thread_with_json(
        &self,
        id: &ConversationId,
    ) -> Result<(String, wire::WireThread), Error> {
        let reply = self.chat(Method::GET, &self.service().thread(id), None).await?;
        let thread = wire::thread(&reply.body)?;
        Ok((reply.body, thread))
    }

    /// Creates a group with this account as admin. The id is the last segment of the answer's `Location`.
    pub async fn create_thread(
        &self,
        members: &[NewMember],
        topic: &str,
    ) -> Result<ConversationId, Error> {
        let me = &self.options.user;
        let others = members.iter().filter(|m| m.id != *me).map(|m| (&m.id, m.role));
        let body = encode::thread(std::iter::once((me, Role::Admin)).chain(others), topic);
        let reply =
            self.chat(Method::POST, &self.service().paths.threads.create, Some(&body)).await?;
        let id = reply.location.as_deref().and_then(wire::last_segment);
        Ok(id.map(ConversationId::from).ok_or(wire::WireError::Missing("Location"))?)
    }

    /// Sets one flag: a group's property, or this account's own.
    pub async fn set_flag(
        &self,
        id: &ConversationId,
        flag: ThreadFlag,
        on: bool,
    ) -> Result<(), Error> {
        let path = match flag {
            own if own.is_own() => self.service().conversation_property(id, flag.property()),
            _ => self.service().thread_property(id, flag.property()),
        };
        self.chat(Method::PUT, &path, Some(&encode::property(flag, on))).await.map(drop)
    }

    pub async fn set_topic(&self, id: &ConversationId, topic: &str) -> Result<(), Error> {
        let body = encode::topic(topic);
        self.chat(Method::PUT, &self.service().thread_property(id, "topic"), Some(&body))
            .await
            .map(drop)
    }

    /// Adds a member or sets their role. With the account's own id it joins an open group.
    pub async fn put_member(
        &self,
        id: &ConversationId,
        who: &UserId,
        role: Role,
    ) -> Result<(), Error> {
        let body = encode::member(role);
        self.chat(Method::PUT, &self.service().member(id, who), Some(&body)).await.map(drop)
    }

    /// Removes a member. With the account's own id it leaves the group.
    pub async fn remove_member(&self, id: &ConversationId, who: &UserId) -> Result<(), Error> {
        self.chat(Method::DELETE, &self.service().member(id, who), None).await.map(drop)
    }

    /// The join URL of a group that is open for joining.
    pub async fn join_url(&self, id: &ConversationId) -> Result<SafeText, Error> {
        let base = self.options.scheduler.as_ref();
        let base = base.ok_or_else(|| {
            Error::unsupported("join URLs need scheduler in the account's configuration")
        })?;
        let body = encode::create_join_url(&self.service().hosts.join_base, id);
        let path = &self.service().paths.services.create_join_url;
        let reply = self.ask(SideService::Scheduler, base, path, &body).await?;
        Ok(wire::join_url(&reply.body)?)
    }

    /// The conversation behind a join URL or its code. Needs no credentials.
    pub async fn resolve_join(&self, url: &str) -> Result<ConversationId, Error> {
        let base = self.options.join.as_ref();
        let base = base.ok_or_else(|| {
            Error::unsupported("joining by URL needs join in the account's configuration")
        })?;
        if !base.is_join_url(url, &self.service().hosts.join) {
            return Err(Error::invalid_input(
                "this is not a join URL of the configured join service",
            ));
        }
        let code = wire::last_segment(url).unwrap_or_default();
        let body = encode::resolve_join_url(&code);
        let path = &self.service().paths.services.resolve_join_url;
        let reply = self.ask(SideService::Join, base, path, &body).await?;
        Ok(wire::resolved_join_url(&reply.body)?)
    }

    /// Subscribes to all events, after registering an endpoint if necessary. [`Client::poll`] then returns them.
    pub async fn subscribe(&self) -> Result<(), Error> {
        let body = encode::subscribe(&self.service().paths.events.resources);
        self.endpoint(Method::POST, &self.service().paths.events.subscriptions, Some(&body)).await
    }

    /// Asks for events of edits and reactions, which some hosts do not send otherwise. It is not an error if a host
    /// does not know this.
    ///
    /// # Errors
    /// If requests are held back; the call then has to be repeated.
    pub(crate) async fn ask_for_message_properties(&self) -> Result<(), Error> {
        let path = self.service().endpoint_property("supportsMessageProperties");
        let registered = self.session(|s| s.registration.clone());
        let set = self.endpoint(Method::PUT, &path, Some(&encode::message_properties())).await;
        if let Err(error) = set {
            if let ErrorKind::RetryAfter(_) = error.kind {
                return Err(error);
            }
            tracing::debug!(%error, "the server does not send message properties as events");
            // The subscription that was just made belongs to it.
            self.session(|s| s.registration = s.registration.take().or(registered));
        }
        Ok(())
    }

    /// Waits for events. `ack` is the id of the last event received; without it the server drops those it has sent.
    pub async fn poll(&self, ack: Option<u64>) -> Result<wire::PolledEvents, Error> {
        let path = self.service().poll(ack);
        let call = ApiCall {
            method: Method::POST,
            base: &self.options.gateway,
            path: &path,
            body: None,
            credential: Credential::Endpoint,
            service: None,
            timeout: self.options.poll_timeout,
        };
        let reply = self.send_authenticated(call).await?;
        Ok(wire::events(&reply.body))
    }

    async fn endpoint(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<(), Error> {
        let call = ApiCall {
            method,
            base: &self.options.gateway,
            path,
            body,
            credential: Credential::Endpoint,
            service: None,
            timeout: self.options.timeout,
        };
        self.send_authenticated(call).await.map(drop)
    }
}

/// Logs how many items of a page were skipped.
fn logged<T>(page: wire::WirePage<T>) -> wire::WirePage<T> {
    if page.bad > 0 {
        tracing::warn!(count = page.bad, "items of a page cannot be read and are skipped");
    }
    page
}
