//! The fields of a message that a sender may set.

use super::super::api_error::ApiError;
use super::super::secret;
use super::super::storage::{Digest, NewMessage};
use super::ACTIVITY;
use crate::model::UserId;
use serde_json::{Map, Value};

/// Maximum size of all fields of a message together, in bytes.
const MAX_FIELDS: usize = 128 * 1024;
/// Message types that may be exchanged by an edit, because only the formatting differs.
const TEXT_KINDS: [&str; 3] = ["Text", "RichText", "RichText/Html"];
/// Message properties that only the server writes.
const SERVER_PROPERTIES: [&str; 4] = ["emotions", "edittime", "deletetime", "importedBy"];
/// Fields that a sender may set. Others are ignored.
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

/// The fields of a sender in the form in which they are stored.
pub struct SenderFields(Map<String, Value>);

impl SenderFields {
    /// A new message.
    ///
    /// # Errors
    /// If a field has the wrong type, or the message is too large or of a type that only the server may write.
    pub fn new(mut body: Map<String, Value>) -> Result<Self, ApiError> {
        for (field, default) in [("messagetype", "Text"), ("contenttype", "text"), ("content", "")]
        {
            if body.get(field).is_none_or(Value::is_null) {
                body.insert(field.into(), default.into());
            }
        }
        Self::of_edit(body)
    }

    /// The fields that an edit replaces.
    ///
    /// # Errors
    /// As for a new message, and if there is no content.
    pub fn of_edit(body: Map<String, Value>) -> Result<Self, ApiError> {
        let mut kept: Map<String, Value> = body
            .into_iter()
            .filter(|(k, v)| SENDER_FIELDS.contains(&k.as_str()) && !v.is_null())
            .collect();
        if !kept.get("content").is_some_and(Value::is_string) {
            return Err(ApiError::bad("The content is not text."));
        }
        match kept.get("messagetype").map(|kind| kind.as_str().unwrap_or_default()) {
            Some("") => return Err(ApiError::bad("The messagetype is missing.")),
            Some(kind) if kind.starts_with(ACTIVITY) => {
                return Err(ApiError::forbidden("Thread activities are written by the server."));
            }
            _ => {}
        }
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
        if serde_json::to_string(&kept).map_or(usize::MAX, |text| text.len()) > MAX_FIELDS {
            return Err(ApiError::too_large("The message is too large."));
        }
        Ok(Self(kept))
    }

    /// Whether a message of this type may be edited with these fields.
    pub fn fits(&self, kind: &str) -> bool {
        let is_text = |kind: &str| TEXT_KINDS.contains(&kind);
        self.text("messagetype").is_none_or(|new| new == kind || is_text(new) && is_text(kind))
    }

    fn text(&self, field: &str) -> Option<&str> {
        self.0.get(field).and_then(Value::as_str)
    }

    pub fn kind(&self) -> &str {
        self.text("messagetype").unwrap_or_default()
    }

    /// The client id of the message to be edited in the old way (facts 3.3).
    pub fn edited(&self) -> Option<&str> {
        self.text("skypeeditedid")
    }

    pub fn into_body(self) -> Map<String, Value> {
        self.0
    }

    /// A new message with these fields.
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
        secret::digest(&[self.kind(), self.text("content").unwrap_or_default()])
    }
}
