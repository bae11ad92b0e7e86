//! The message inspector: everything that is known of one message, as labelled lines.

use super::state::{AppState, ConversationState};
use crate::model::{Delivery, Message, MessageKey, RawMessage, SafeText, Timestamp};

/// A label and its value; without a label the value goes on from the line above.
pub type InspectorLine = (&'static str, SafeText);

/// The lines for a message; `items` are its stored item and the edit records that belong to it.
pub fn lines(
    app: &AppState,
    c: &ConversationState,
    key: &MessageKey,
    items: &[RawMessage],
) -> Vec<InspectorLine> {
    let Some(message) = c.timeline.get(key) else { return Vec::new() };
    let name = |id: &crate::model::UserId| app.names.of(id);
    let mut lines: Vec<InspectorLine> = Vec::new();
    let mut add = |label: &'static str, value: &str| lines.push((label, SafeText::text(value)));
    add("from", &format!("{} ({})", name(&message.sender), message.sender.as_str()));
    let zone = &app.prefs.zone;
    let day = message.at.day_name(app.clock.wall, zone);
    add("time", &format!("{day} {} · {}", message.at.clock(zone), message.at.rfc3339()));
    if let Some(edited) = message.edited {
        add("edited", &edited.rfc3339());
    }
    if message.key.is_unsent() {
        add("id", "none yet: the server has not accepted it");
    } else {
        add("id", &message.key.id);
        add("version", &version(message));
    }
    if let Some(client_id) = &message.client_id {
        add("client id", client_id.as_str());
    }
    add("conversation", c.info.id.as_str());
    for reaction in &message.reactions {
        let people: Vec<String> = reaction.users.iter().map(|u| name(u).to_string()).collect();
        add("reaction", &format!("{}: {}", reaction.key, people.join(", ")));
    }
    let readers = c
        .reading
        .read_receipts
        .iter()
        .filter(|(_, at)| *at >= message.key.at && message.sender == *app.me());
    for (who, _) in readers {
        add("read by", &name(who));
    }
    let log = message.client_id.as_ref().and_then(|id| c.sending.deliveries.get(id));
    for (at, delivery) in log.into_iter().flatten() {
        add("delivery", &format!("{} {}", at.rfc3339(), step(delivery)));
    }
    for item in items.iter().skip(1) {
        add("edit", &format!("{} id {}: {}", item.at.rfc3339(), item.id, item.content));
    }
    add("text", &message.body.text(&name));
    if let Some(item) = items.first() {
        add("type", &item.kind);
        add("content", &item.content);
        add("item", &item.json);
    } else if !message.key.is_unsent() {
        add("item", "not stored");
    }
    lines
}

fn version(message: &Message) -> String {
    let changed = i64::try_from(message.version).unwrap_or(0);
    let at = Timestamp(changed);
    if changed > message.key.at.0 {
        format!("{} (changed {})", message.version, at.rfc3339())
    } else {
        message.version.to_string()
    }
}

/// A step of the way of an own message, in words.
fn step(delivery: &Delivery) -> String {
    match delivery {
        Delivery::Saving => "typed".into(),
        Delivery::Held => "on disk, held back so that it can be taken back".into(),
        Delivery::Queued => "on disk, waiting".into(),
        Delivery::Sending => "leaving".into(),
        Delivery::Sent => "accepted by the server".into(),
        Delivery::Unconfirmed => "outcome unknown, being looked up".into(),
        Delivery::Failed { reason, .. } => format!("not sent: {reason}"),
    }
}
