//! The fields of a message that a sender may set.

use super::super::api_error::ApiError;
use super::super::storage::{Digest, NewMessage};
use super::ACTIVITY;
use crate::model::UserId;
use serde_json::{Map, Value};

/// The service itself stops near 28 KB (facts 3.2).
const MAX_CONTENT: usize = 32 * 1024;
/// All fields of a message together: a page of them must stay readable for every client.
const MAX_FIELDS: usize = 64 * 1024;
/// Message properties that only the server writes.
const SERVER_PROPERTIES: [&str; 4] = ["emotions", "edittime", "deletetime", "importedBy"];
/// Fields that a sender may set; everything else is the server's.
const SENDER_FIELDS: [&str; 11] = [
    "content",
    "messagetype",
    "contenttype",
    "clientmessageid",
    "imdisplayname",
    "composetime",
    "skypeeditedid",
    "skypeemoteoffset",
    "Has-Mentions",
    "amsreferences",
    "properties",
];

/// What a sender wrote, brought into the form in which it is kept.
pub struct SenderFields(Map<String, Value>);

impl SenderFields {
    /// # Errors
    /// When a field has the wrong type, or the message is too large or not a sender's to write.
    pub fn new(body: Map<String, Value>) -> Result<Self, ApiError> {
        let mut kept: Map<String, Value> = body
            .into_iter()
            .filter(|(k, v)| SENDER_FIELDS.contains(&k.as_str()) && !v.is_null())
            .collect();
        let kind = kept.entry("messagetype").or_insert_with(|| "Text".into());
        if kind.as_str().is_none_or(str::is_empty) {
            return Err(ApiError::bad("The messagetype is missing."));
        }
        if kind.as_str().is_some_and(|k| k.starts_with(ACTIVITY)) {
            return Err(ApiError::forbidden("Thread activities are written by the server."));
        }
        kept.entry("contenttype").or_insert_with(|| "text".into());
        let content = kept.entry("content").or_insert_with(|| "".into());
        let length =
            content.as_str().map(str::len).ok_or(ApiError::bad("The content is not text."))?;
        if let Some(client_id) = kept.get_mut("clientmessageid")
            && !client_id.is_string()
        {
            *client_id = client_id.to_string().into();
        }
        if kept.contains_key("skypeeditedid") {
            kept.remove("clientmessageid");
        }
        if let Some(Value::Object(properties)) = kept.get_mut("properties") {
            properties.retain(|name, _| !SERVER_PROPERTIES.contains(&name.as_str()));
        }
        let size = serde_json::to_string(&kept).map_or(usize::MAX, |text| text.len());
        if length > MAX_CONTENT || size > MAX_FIELDS {
            return Err(ApiError::bad("The message is too large."));
        }
        Ok(Self(kept))
    }

    fn text(&self, field: &str) -> Option<&str> {
        self.0.get(field).and_then(Value::as_str)
    }

    pub fn kind(&self) -> &str {
        self.text("messagetype").unwrap_or_default()
    }

    /// The client id of the message that this one edits in the old way (facts 3.3).
    pub fn edited(&self) -> Option<&str> {
        self.text("skypeeditedid")
    }

    pub fn into_body(self) -> Map<String, Value> {
        self.0
    }

    /// The message that is posted with these fields.
    pub fn into_message(self, sender: &UserId) -> NewMessage {
        NewMessage {
            sender: sender.clone(),
            kind: self.kind().to_owned(),
            client_id: self.text("clientmessageid").map(str::to_owned),
            digest: Some(self.digest()),
            reveals: None,
            body: self.0,
        }
    }

    fn digest(&self) -> Digest {
        use aws_lc_rs::digest::{Context, SHA256};
        let mut context = Context::new(&SHA256);
        for part in [self.kind(), self.text("content").unwrap_or_default()] {
            context.update(&(part.len() as u64).to_le_bytes());
            context.update(part.as_bytes());
        }
        let mut digest = Digest::default();
        for (to, from) in digest.iter_mut().zip(context.finish().as_ref()) {
            *to = *from;
        }
        digest
    }
}
