//! The links and files of messages: opened, or listed to choose from.

use super::messages::selected;
use crate::app::model::Model;
use crate::app::overlay::{Confirm, Consent, Links, ListedLink, Overlay};
use crate::model::{ExportedFile, MessageBody};

/// Opens the exported file of a message in an archive, or says why it cannot. False if the message has none.
fn open_exported(model: &mut Model) -> bool {
    let Some(message) = selected(model) else { return false };
    let MessageBody::Media(media) = &message.body else { return false };
    let (state, key) = (media.exported, message.key.clone());
    let what = media.text();
    match (state, model.app.open.clone()) {
        (ExportedFile::Unknown, _) | (_, None) => return false,
        (ExportedFile::Here, Some(chat)) => {
            let detail = format!("{what}\nA private copy is opened, and deleted when skchat ends.");
            let consent = Consent::OpenExported(chat, key);
            let confirm = Confirm::new("Open this file of the export?", &detail, consent);
            model.overlays.push(Overlay::Confirm(confirm));
        }
        (other, _) => model.app.note(&format!("This file cannot be opened: {}", other.word())),
    }
    true
}

/// Opens the link or file of the selected message, or lists them if there are several.
pub fn open(model: &mut Model) {
    if open_exported(model) {
        return;
    }
    let links = selected(model).map(ListedLink::of).unwrap_or_default();
    match links.len() {
        0 => model.app.note("This message has no link"),
        1 => {
            let link = links.into_iter().next();
            let question = link.and_then(|link| link.question(&mut model.app));
            model.overlays.extend(question.map(Overlay::Confirm));
        }
        _ => model.overlays.push(Overlay::Links(Links::new(links))),
    }
}

/// Lists all links and files in the loaded messages of the chat: newest first, each once.
pub fn list_all(model: &mut Model) {
    const MAX_LINKS: usize = 200;
    let Some(chat) = model.app.opened() else { return };
    let mut links: Vec<ListedLink> = Vec::new();
    for link in chat.timeline.iter().rev().flat_map(ListedLink::of) {
        if links.len() >= MAX_LINKS {
            break;
        }
        if links.iter().all(|known| known.url != link.url) {
            links.push(link);
        }
    }
    if links.is_empty() {
        model.app.note("No links or files in the loaded part of this chat");
    } else {
        model.overlays.push(Overlay::Links(Links::new(links)));
    }
}
