//! Asks for one line of input, such as a topic or a join URL.

use super::accounts::ask_change;
use super::content::{Content, dim_lines, wide_columns};
use super::user_settings::change as change_setting;
use super::{
    Confirm, Consent, Dialog, DialogEnv, Import, Next, Overlay, PeoplePicker, PickPurpose,
};
use crate::app::action::{Action, OverlayAction};
use crate::app::chat::{go_to_date, group, sending};
use crate::app::pending::{AccountTask, PendingRequest};
use crate::app::state::AppState;
use crate::app::view::layout::Size;
use crate::model::setting::SettingSpec;
use crate::model::{AccountChange, AccountId, ChatRef, Request, SafeText, ThreadChange, date};

#[derive(Debug)]
pub struct Prompt {
    what: AskFor,
    input: String,
}

#[derive(Debug)]
enum AskFor {
    /// `was` is the topic when the prompt was opened.
    Topic {
        chat: ChatRef,
        was: String,
    },
    NewGroup,
    JoinUrl,
    /// A command, while no chat is open.
    Command,
    /// A date in this chat.
    Date(ChatRef),
    /// The path of an export.
    Import,
    /// A new name for an account.
    RenameAccount(AccountId),
    /// The value of a setting.
    Setting(&'static SettingSpec),
    /// A message to a chat that stays closed.
    Reply {
        chat: ChatRef,
        title: SafeText,
    },
}

impl Prompt {
    /// Asks for a group's topic, if the user may change it.
    pub fn topic(app: &mut AppState, chat: ChatRef) -> Option<Overlay> {
        let c = app.accounts.chat(&chat)?;
        let me = &app.accounts.of(c).me;
        if let Some(why) = c.blocked(me, &ThreadChange::Topic(String::new())) {
            app.complain(&format!("The topic cannot be changed: {why}"));
            return None;
        }
        let now = c.info.shown_topic().map(ToString::to_string).unwrap_or_default();
        let what = AskFor::Topic { chat, was: now.clone() };
        Some(Overlay::Prompt(Self { what, input: now }))
    }

    pub fn new_group() -> Overlay {
        Overlay::Prompt(Self { what: AskFor::NewGroup, input: String::new() })
    }

    pub fn join_url() -> Overlay {
        Overlay::Prompt(Self { what: AskFor::JoinUrl, input: String::new() })
    }

    pub fn command() -> Overlay {
        Overlay::Prompt(Self { what: AskFor::Command, input: "/".to_owned() })
    }

    pub fn import() -> Overlay {
        Overlay::Prompt(Self { what: AskFor::Import, input: String::new() })
    }

    pub fn rename_account(account: AccountId) -> Overlay {
        let input = account.as_str().to_owned();
        Overlay::Prompt(Self { what: AskFor::RenameAccount(account), input })
    }

    pub fn setting(spec: &'static SettingSpec, now: String) -> Overlay {
        Overlay::Prompt(Self { what: AskFor::Setting(spec), input: now })
    }

    pub fn reply(chat: ChatRef, title: SafeText) -> Overlay {
        Overlay::Prompt(Self { what: AskFor::Reply { chat, title }, input: String::new() })
    }

    pub fn date(chat: ChatRef) -> Overlay {
        Overlay::Prompt(Self { what: AskFor::Date(chat), input: String::new() })
    }

    fn submit(&self, app: &mut AppState) -> Next {
        match &self.what {
            AskFor::Import if self.input.trim().is_empty() => {}
            AskFor::Import => return Next::Replace(Import::begin(app, &self.input)),
            AskFor::Command => {
                let line = self.input.trim().trim_start_matches('/').to_owned();
                return if line.is_empty() { Next::Close } else { Next::Do(Action::Command(line)) };
            }
            AskFor::Date(chat) => return go_to_date(app, chat, &self.input),
            AskFor::Topic { chat, was } => return set_topic(app, chat, was, &self.input),
            AskFor::NewGroup => {
                let purpose = PickPurpose::Create { topic: self.input.clone() };
                return Next::Replace(Overlay::PeoplePicker(PeoplePicker::new(app, purpose)));
            }
            AskFor::JoinUrl => resolve(app, &self.input),
            AskFor::Setting(spec) => {
                let typed = spec.typed(&self.input);
                if let Err(why) = typed.and_then(|value| change_setting(app, spec, &value)) {
                    app.complain(&format!("Not changed: {why}"));
                    return Next::Stay;
                }
            }
            AskFor::Reply { chat, .. } => return send_reply(app, chat, self.input.trim()),
            AskFor::RenameAccount(account) => rename_account(app, account, self.input.trim()),
        }
        Next::Close
    }
}

impl Dialog for Prompt {
    fn content(&self, app: &AppState, size: Size) -> Content {
        let mut note = String::new();
        let (title, text, hint) = match &self.what {
            AskFor::Setting(spec) => (spec.key, spec.meaning, "Enter saves · Esc cancels"),
            AskFor::Reply { title, .. } => (
                title.as_str(),
                "Your reply. The chat stays unread until it is opened or marked as read.",
                "Enter sends · Esc cancels",
            ),
            AskFor::Import => (
                "Import a Skype or Teams export",
                "Path of the .tar, of the folder it was unpacked to, or of its messages.json",
                "Enter starts the import · Esc cancels",
            ),
            AskFor::Command => (
                "Command",
                "/open NAME, /search WORDS, /create TOPIC, /join URL, /unread, /inbox, /help or /quit",
                "Enter runs it · Esc cancels",
            ),
            AskFor::RenameAccount(_) => (
                "Rename the account",
                "Letters, digits, - and _. Its messages and its sign-in stay.",
                "Enter renames · Esc cancels",
            ),
            AskFor::Date(_) => {
                let period = date::period(&self.input, app.clock.wall, &app.prefs.zone);
                note = period.map(|period| period.name).unwrap_or_default();
                (
                    "Go to a date",
                    "Such as 2016, March 2016, 9.3.2016, yesterday or 3 weeks ago",
                    "Enter goes there · Esc cancels",
                )
            }
            AskFor::Topic { .. } => (
                "Topic",
                "Everyone in the group sees it. Leave it empty to remove it.",
                "Enter saves · Esc cancels",
            ),
            AskFor::NewGroup => (
                "New group",
                "Topic (optional). You choose the members next.",
                "Enter continues · Esc cancels",
            ),
            AskFor::JoinUrl => (
                "Join a group",
                "A join URL such as https://join.skype.com/CODE",
                "Enter checks the link · Esc cancels",
            ),
        };
        Content {
            input: Some((self.input.clone(), note)),
            ..Content::new(title, dim_lines(text, wide_columns(size)), hint)
        }
    }

    fn act(&mut self, action: OverlayAction, env: &mut DialogEnv<'_>) -> Next {
        if action == OverlayAction::Choose {
            return self.submit(env.app);
        }
        action.edit(&mut self.input);
        Next::Stay
    }
}

/// Sends a message to a chat that has no draft, as it would be sent from its message box.
fn send_reply(app: &mut AppState, chat: &ChatRef, text: &str) -> Next {
    if text.is_empty() {
        return Next::Close;
    }
    if text.starts_with('/') {
        app.complain("Commands work in the message box of the chat");
        return Next::Stay;
    }
    if let Some(size) = sending::too_long(text) {
        app.complain(&size);
        return Next::Stay;
    }
    app.with_chat(chat, |chat, env| {
        let outgoing = sending::typed_message(chat, env, text.to_owned());
        sending::send(chat, env, outgoing);
    });
    app.sort(&chat.account);
    app.note("Your reply is being sent");
    Next::Close
}

/// Renames an account.
fn rename_account(app: &mut AppState, account: &AccountId, to: &str) {
    if to.is_empty() || to == account.as_str() {
        return;
    }
    let (task, to) = (AccountTask::Rename { to: to.to_owned() }, to.to_owned());
    ask_change(app, account, task, AccountChange::Rename { to });
}

/// Asks for the messages around a date. Invalid input can be corrected.
fn go_to_date(app: &mut AppState, chat: &ChatRef, input: &str) -> Next {
    if input.trim().is_empty() {
        return Next::Close;
    }
    let Some(period) = date::period(input, app.clock.wall, &app.prefs.zone) else {
        app.complain("This is not a date; try 2016-03-09, March 2016 or yesterday");
        return Next::Stay;
    };
    app.with_chat(chat, |chat, env| go_to_date::ask(chat, env, period));
    Next::Close
}

/// Sets the topic. Asks first if someone else has changed it since the prompt was opened.
fn set_topic(app: &mut AppState, chat: &ChatRef, was: &str, input: &str) -> Next {
    if input == was {
        // The user changed nothing, so a change by someone else stays.
        return Next::Close;
    }
    let now = app.accounts.chat(chat).and_then(|c| c.info.topic.clone()).unwrap_or_default();
    if now.as_str() == was {
        app.with_chat(chat, |chat, env| group::set_topic(chat, env, input));
        return Next::Close;
    }
    let topic = SafeText::line(input).to_string();
    let question = "Someone else has changed the topic. Replace it?";
    let detail = format!("theirs: {now}\nyours: {topic}");
    let consent = Consent::Change(chat.clone(), ThreadChange::Topic(topic));
    Next::Replace(Overlay::Confirm(Confirm::new(question, &detail, consent)))
}

/// Asks the server which group a join URL belongs to.
pub fn resolve(app: &mut AppState, url: &str) {
    let url = url.trim();
    let code = url.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    if code.is_empty() || url.contains(char::is_whitespace) {
        app.complain("A join URL looks like https://join.skype.com/CODE");
        return;
    }
    let account = app.current_account().id.clone();
    let ticket = app.pending.add(PendingRequest::ResolveJoinUrl { account: account.clone() });
    app.note("Checking the link…");
    app.request(&account, Request::Resolve { url: url.to_owned(), ticket });
}
