//! Asks for confirmation before something is done.

use super::accounts::ask_change;
use super::content::{Content, DialogLine, wide_columns};
use super::{Dialog, DialogEnv, Download, Next, Overlay};
use crate::app::action::OverlayAction;
use crate::app::chat::{Chat, Env, group, listing, message_change, outbox, sending};
use crate::app::effect::Effect;
use crate::app::pending::{AccountTask, PendingRequest};
use crate::app::state::AppState;
use crate::app::view::Tone;
use crate::app::view::layout::Size;
use crate::app::view::wrap::break_lines;
use crate::model::request::Change;
use crate::model::text::width;
use crate::model::{
    AccountChange, AccountId, ChatRef, ClientMessageId, MessageKey, ObjectFile, Outgoing, Request,
    Role, SafeText, ThreadChange, UserId,
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
    /// Gives people roles.
    Roles(ChatRef, Vec<(UserId, Role)>),
    Join(ChatRef),
    /// Deletes everything stored of a chat.
    Forget(ChatRef),
    OpenLink(SafeText),
    /// Opens a file that is in an export.
    OpenExported(ChatRef, MessageKey),
    /// Fetches a file from the service and opens it.
    Download(ChatRef, ObjectFile),
    /// Puts a large text into the message box.
    Paste(ChatRef, String),
    /// Discards an unsent message.
    Discard(ChatRef, ClientMessageId),
    /// Sends text that looks like a command.
    SendLiteral(ChatRef, Outgoing),
    /// Changes a message into text that looks like a command.
    EditLiteral(ChatRef, String),
    /// Takes an account out of the configuration.
    RemoveAccount(AccountId),
}

impl Consent {
    /// Whether Enter is enough. Anything that cannot be undone or changes something for others needs a `y`.
    fn takes_enter(&self) -> bool {
        matches!(
            self,
            Self::OpenLink(_) | Self::Join(_) | Self::OpenExported(..) | Self::Download(..)
        )
    }
}

impl Confirm {
    pub fn new(question: &str, detail: &str, consent: Consent) -> Self {
        let (question, detail) = (SafeText::line(question), SafeText::text(detail));
        Self { question, detail, consent }
    }

    pub fn question(&self) -> &str {
        self.question.as_str()
    }

    /// The title, and the question as lines if it is too long for the title: it must not be cut.
    fn heading(&self, columns: usize) -> (&str, Vec<DialogLine>) {
        if width(&self.question) < columns {
            return (self.question.as_str(), Vec::new());
        }
        let rows = break_lines(&self.question, columns).into_iter();
        let rows = rows.filter_map(|row| self.question.get(row));
        let lines = rows.map(|row| DialogLine::toned(row.trim_end(), "", Tone::Title));
        ("Please confirm", lines.collect())
    }

    /// Shows the whole address before it is opened. A link to a host that the user trusts is opened at once.
    pub fn open_link(app: &mut AppState, url: SafeText) -> Option<Self> {
        if app.prefs.choices.links.trusts(&url) {
            app.note(&format!("Opening a link to {}", crate::model::rich::host(&url)));
            app.effects.push(Effect::OpenUrl(url));
            return None;
        }
        Some(Self {
            question: SafeText::line("Open this address?"),
            detail: url.clone(),
            consent: Consent::OpenLink(url),
        })
    }

    /// Asks before a file is fetched from the service.
    pub fn download(chat: ChatRef, file: ObjectFile) -> Self {
        let host = crate::model::rich::host(&file.url);
        let detail = format!(
            "{}\nFrom {host}. A private copy is opened, and deleted when skchat ends.",
            file.label
        );
        Self::new("Download this file and open it?", &detail, Consent::Download(chat, file))
    }
}

impl Dialog for Confirm {
    fn content(&self, _: &AppState, size: Size) -> Content {
        let columns = wide_columns(size);
        let (title, mut lines) = self.heading(columns);
        let most = usize::from(size.rows.saturating_sub(6)).saturating_sub(lines.len()).max(1);
        let rows = break_lines(&self.detail, columns);
        let more = rows.len().saturating_sub(most);
        let shown = rows.into_iter().take(most).filter_map(|r| self.detail.get(r));
        lines.extend(shown.map(|row| DialogLine::dim(row.trim_end_matches('\n'))));
        if more > 0 {
            let text = format!("… and {more} more lines");
            lines.push(DialogLine::toned(text, "", Tone::Bad));
        }
        let hint = if self.consent.takes_enter() {
            "Enter or y: yes · n or Esc: no"
        } else {
            "y: yes · n or Esc: no"
        };
        Content::new(title, lines, hint)
    }

    fn act(&mut self, action: OverlayAction, env: &mut DialogEnv<'_>) -> Next {
        match action {
            OverlayAction::Type('y' | 'Y') => agreed(env.app, self.consent.clone()),
            OverlayAction::Choose if self.consent.takes_enter() => {
                agreed(env.app, self.consent.clone())
            }
            OverlayAction::Choose => {
                env.app.note("Press y for yes or n for no");
                Next::Stay
            }
            OverlayAction::Type('n' | 'N') => Next::Close,
            // The question may have opened while the user was typing: a word is not an answer.
            OverlayAction::Type(_) => {
                env.app.note("Nothing was changed");
                Next::Close
            }
            _ => Next::Stay,
        }
    }

    fn chooses(&self) -> bool {
        self.consent.takes_enter()
    }
}

/// The answer was yes.
fn agreed(app: &mut AppState, consent: Consent) -> Next {
    match consent {
        Consent::Download(chat, file) => match Download::begin(app, &chat, file) {
            Some(download) => Next::Replace(Overlay::Download(download)),
            None => Next::Close,
        },
        other => {
            carry_out(app, other);
            Next::Close
        }
    }
}

/// Removes the command that led to the question from the box, after the answer was yes.
fn clear_command(chat: &mut Chat, env: &Env<'_>) {
    if chat.composer.text().starts_with('/') {
        chat.composer.set_text("");
        chat.composer.told_typing = None;
        sending::draft_changed(chat, env.now.mono);
    }
}

fn open_exported(app: &mut AppState, chat: &ChatRef, key: MessageKey) {
    app.with_chat(chat, |chat, env| {
        let conversation = chat.info.id.clone();
        env.ask(PendingRequest::FileCopy, |ticket| Request::ExportedFile {
            conversation,
            key,
            ticket,
        });
    });
}

/// Closes the chat, which saves its draft for the last time, before everything is deleted.
fn forget(app: &mut AppState, chat: &ChatRef) {
    app.with_chat(chat, |chat, env| clear_command(chat, env));
    if app.open.as_ref() == Some(chat) {
        app.close_chat();
    }
    app.with_chat(chat, listing::forget);
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
            app.with_chat(&chat, |chat, env| {
                clear_command(chat, env);
                group::change(chat, env, change);
            });
        }
        Consent::Remove(chat, people) => {
            app.with_chat(&chat, |chat, env| {
                clear_command(chat, env);
                for who in people {
                    group::change(chat, env, ThreadChange::Remove(who));
                }
            });
        }
        Consent::Roles(chat, people) => {
            app.with_chat(&chat, |chat, env| {
                clear_command(chat, env);
                group::put_members(chat, env, &people);
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
        Consent::Forget(chat) => forget(app, &chat),
        Consent::Discard(chat, client_id) => {
            app.with_chat(&chat, |chat, env| outbox::discard(chat, env, client_id));
        }
        Consent::Paste(chat, text) => {
            app.with_chat(&chat, |chat, env| {
                chat.composer.insert(&text);
                sending::draft_changed(chat, env.now.mono);
                sending::report_typing(chat, env);
                if let Some(size) = sending::too_long(chat.composer.text()) {
                    env.note(&size);
                }
            });
        }
        Consent::OpenLink(url) => app.effects.push(Effect::OpenUrl(url)),
        Consent::OpenExported(chat, key) => open_exported(app, &chat, key),
        // It continues in a dialog.
        Consent::Download(..) => {}
        Consent::SendLiteral(chat, outgoing) => {
            app.with_chat(&chat, |chat, env| {
                // The text may have been edited or sent since.
                if chat.composer.text() == outgoing.text {
                    sending::send(chat, env, outgoing);
                }
            });
            app.sort(&chat.account);
        }
        Consent::RemoveAccount(account) => {
            ask_change(app, &account, AccountTask::Remove, AccountChange::Remove);
        }
        Consent::EditLiteral(chat, text) => {
            app.with_chat(&chat, |chat, env| {
                if chat.composer.text() == text {
                    message_change::submit_edit(chat, env, text);
                }
            });
        }
    }
}
