//! The figures that F12 shows.

use crate::app::figures::ShownFigures;
use crate::app::model::Model;
use crate::app::pending::PendingRequest;
use crate::app::state::AppState;
use crate::model::{AccountFigures, Delivery, FrameFigures, Message, Request};
use std::time::Duration;

/// Keys and frames were measured.
pub fn measured(model: &mut Model, frames: FrameFigures) {
    if let Some(shown) = &mut model.app.presence.figures {
        shown.frames = frames;
    }
}

/// Asks for the figures of the open account's connection, when they are due.
pub fn ask(app: &mut AppState) {
    let now = app.clock.mono;
    let Some(shown) = app.presence.figures.as_mut().filter(|shown| shown.due() <= now) else {
        return;
    };
    shown.asked_at = Some(now);
    let account = app.current_account().id.clone();
    let ticket = app.pending.add(PendingRequest::Figures);
    app.request(&account, Request::Figures { ticket });
}

/// Takes the answer.
pub fn received(app: &mut AppState, figures: AccountFigures) {
    let now = app.clock.mono;
    if let Some(shown) = &mut app.presence.figures {
        shown.account = Some((figures, now));
    }
}

/// Notes how long the server took to accept a message.
pub fn accepted(app: &mut AppState, message: Option<&Message>, delivery: &Delivery) {
    let now = app.clock.wall;
    let shown: Option<&mut ShownFigures> = app.presence.figures.as_mut();
    let is_waiting = |message: &&Message| message.key.is_unsent();
    if let (Some(shown), Some(message), Delivery::Sent) =
        (shown, message.filter(is_waiting), delivery)
    {
        let took = u64::try_from(now.0.saturating_sub(message.at.0)).unwrap_or(0);
        shown.accepted = Some(Duration::from_millis(took));
    }
}
