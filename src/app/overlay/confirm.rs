//! Asks for confirmation before something is done.

use super::content::{Content, DialogLine, wide_columns};
use super::{Dialog, DialogEnv, Next};
use crate::app::action::OverlayAction;
use crate::app::chat::{group, message_change, outbox, sending};
use crate::app::effect::Effect;
use crate::app::pending::PendingRequest;
use crate::app::state::AppState;
use crate::app::view::Tone;
use crate::app::view::layout::Size;
use crate::app::view::wrap::break_lines;
use crate::model::request::Change;
use crate::model::{
    ChatRef, ClientMessageId, MessageKey, Outgoing, Request, Role, SafeText, ThreadChange, UserId,
};

#[derive(Debug)]
pub struct Confirm {
    question: SafeText,
    detail: SafeText,
    consent: Consent,
}

/// What is done if the answer is yes.
#[derive(Clone, Debug, PartialEq)]
pub enum Consent {
    DeleteMessage(ChatRef, MessageKey),
    /// A change to a conversation that needs confirmation.
    Change(ChatRef, ThreadChange),
    Remove(ChatRef, Vec<UserId>),
    Join(ChatRef),
    OpenLink(SafeText),
    /// Discards an unsent message.
    Discard(ChatRef, ClientMessageId),
    /// Sends text that looks like a command.
    SendLiteral(ChatRef, Outgoing),
}

impl Confirm {
    pub fn new(question: &str, detail: &str, consent: Consent) -> Self {
        let (question, detail) = (SafeText::line(question), SafeText::text(detail));
        Self { question, detail, consent }
    }

    /// Shows the whole address before it is opened.
    pub fn open_link(url: SafeText) -> Self {
        Self {
            question: SafeText::line("Open this address?"),
            detail: url.clone(),
            consent: Consent::OpenLink(url),
        }
    }
}

impl Dialog for Confirm {
    fn content(&self, _: &AppState, size: Size) -> Content {
        let most = usize::from(size.rows.saturating_sub(6)).max(1);
        let rows = break_lines(&self.detail, wide_columns(size));
        let more = rows.len().saturating_sub(most);
        let shown = rows.into_iter().take(most).filter_map(|r| self.detail.get(r));
        let mut lines: Vec<DialogLine> =
            shown.map(|row| DialogLine::dim(row.trim_end_matches('\n'))).collect();
        if more > 0 {
            let text = format!("… and {more} more lines");
            lines.push(DialogLine::toned(text, "", Tone::Bad));
        }
        Content::new(self.question.as_str(), lines, "Enter or y: yes · n or Esc: no")
    }

    fn act(&mut self, action: OverlayAction, env: &mut DialogEnv<'_>) -> Next {
        match action {
            OverlayAction::Choose | OverlayAction::Type('y' | 'Y') => {
                carry_out(env.app, self.consent.clone());
                Next::Close
            }
            OverlayAction::Type('n' | 'N') => Next::Close,
            _ => Next::Stay,
        }
    }
}

fn carry_out(app: &mut AppState, consent: Consent) {
    match consent {
        Consent::DeleteMessage(chat, key) => {
            app.with_chat(&chat, |chat, env| {
                message_change::change(chat, env, &key, Change::Delete);
                chat.selection = None;
            });
        }
        Consent::Change(chat, change) => {
            app.with_chat(&chat, |chat, env| group::change(chat, env, change));
        }
        Consent::Remove(chat, people) => {
            app.with_chat(&chat, |chat, env| {
                for who in people {
                    group::change(chat, env, ThreadChange::Remove(who));
                }
            });
        }
        Consent::Join(chat) => {
            let pending = PendingRequest::JoinGroup(chat.clone());
            app.with_new_chat(&chat, |chat, env| {
                let conversation = chat.info.id.clone();
                let change = ThreadChange::Member(env.me.clone(), Role::User);
                env.ask(pending, |ticket| Request::Thread { conversation, change, ticket });
            });
        }
        Consent::Discard(chat, client_id) => {
            app.with_chat(&chat, |chat, env| outbox::discard(chat, env, client_id));
        }
        Consent::OpenLink(url) => app.effects.push(Effect::OpenUrl(url)),
        Consent::SendLiteral(chat, outgoing) => {
            app.with_chat(&chat, |chat, env| {
                // The text may have been edited or sent since.
                if chat.composer.text() == outgoing.text {
                    sending::send(chat, env, outgoing);
                }
            });
            app.sort(&chat.account);
        }
    }
}
