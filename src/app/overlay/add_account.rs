//! Adding an account: first its service, then the fields that it needs.

use super::content::{Content, DialogLine, step, wide_columns};
use super::{Dialog, DialogEnv, Next, Overlay};
use crate::app::action::OverlayAction;
use crate::app::pending::{AccountTask, PendingRequest};
use crate::app::state::AppState;
use crate::app::view::Tone;
use crate::app::view::layout::Size;
use crate::app::view::wrap::break_lines;
use crate::model::{AccountChange, Fault, NewAccount, Request, SafeText, ServiceChoice};

#[derive(Debug)]
pub struct AddAccount {
    stage: AddStage,
    choices: Vec<ServiceChoice>,
    marked: usize,
    /// What was typed so far.
    fields: Vec<(AddField, String)>,
}

#[derive(Debug)]
enum AddStage {
    /// The services were requested.
    Listing,
    Choosing,
    /// The field with this index is being typed.
    Typing(usize),
    Adding,
    Failed(SafeText),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AddField {
    Name,
    Tenant,
    Gateway,
    UserId,
    TokenFile,
}

impl AddField {
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Name => ("Name of the account", "What to call it here: letters, digits, - and _"),
            Self::Tenant => {
                ("Organisation", "Its domain or id; empty: the one the account belongs to")
            }
            Self::Gateway => ("Address of the gateway", "Such as http://127.0.0.1:8080/v1"),
            Self::UserId => ("Your id there", "With its prefix, such as 8:anna.7"),
            Self::TokenFile => (
                "File with the token",
                "A file that only you can read (chmod 600), such as ~/.skchat-token",
            ),
        }
    }

    /// What is wrong with the input.
    fn problem(self, input: &str) -> Option<&'static str> {
        let input = input.trim();
        let letters = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        match self {
            Self::Name if input.is_empty() || input.starts_with('.') => Some("A name is needed"),
            Self::Name if !input.chars().all(letters) => Some("Use letters, digits, - and _"),
            Self::Tenant if !input.chars().all(letters) => {
                Some("This is not a domain or a tenant id")
            }
            Self::Gateway if input.is_empty() => Some("An address is needed"),
            Self::UserId if !input.contains(':') => Some("An id has a prefix, such as 8:"),
            Self::TokenFile if input.is_empty() => Some("A file is needed"),
            _ => None,
        }
    }
}

impl AddAccount {
    /// Asks for the services that can be chosen.
    pub fn begin(app: &mut AppState) -> Overlay {
        let account = app.current_account().id.clone();
        let pending = PendingRequest::Account { account: account.clone(), task: AccountTask::List };
        let ticket = app.pending.add(pending);
        let change = AccountChange::ListServices;
        app.request(&account, Request::Accounts { change, ticket });
        let (choices, fields) = (Vec::new(), Vec::new());
        Overlay::AddAccount(Self { stage: AddStage::Listing, choices, marked: 0, fields })
    }

    pub fn received(&mut self, services: Result<Vec<ServiceChoice>, Fault>) {
        match services {
            Ok(choices) => {
                self.choices = choices;
                self.stage = AddStage::Choosing;
            }
            Err(fault) => self.failed(&fault),
        }
    }

    pub fn failed(&mut self, fault: &Fault) {
        self.stage = AddStage::Failed(fault.reason.clone());
    }

    fn choose(&mut self, app: &AppState) {
        let Some(choice) = self.choices.get(self.marked) else { return };
        let mut fields = vec![AddField::Name];
        if choice.work {
            fields.push(AddField::Tenant);
        }
        if !choice.has_address {
            fields.push(AddField::Gateway);
        }
        if !choice.signs_in {
            fields.extend([AddField::UserId, AddField::TokenFile]);
        }
        let name = free_name(app, choice);
        let text = |field| if field == AddField::Name { name.clone() } else { String::new() };
        self.fields = fields.into_iter().map(|field| (field, text(field))).collect();
        self.stage = AddStage::Typing(0);
    }

    fn typed(&self, wanted: AddField) -> String {
        let found = self.fields.iter().find(|(field, _)| *field == wanted);
        found.map(|(_, text)| text.trim().to_owned()).unwrap_or_default()
    }

    fn submit(&mut self, app: &mut AppState) {
        let Some(choice) = self.choices.get(self.marked) else { return };
        let new = NewAccount {
            name: self.typed(AddField::Name),
            service: choice.name.clone(),
            tenant: self.typed(AddField::Tenant),
            gateway: self.typed(AddField::Gateway),
            user_id: self.typed(AddField::UserId),
            token_file: self.typed(AddField::TokenFile),
        };
        let account = app.current_account().id.clone();
        let task = AccountTask::Add {
            name: new.name.clone(),
            signs_in: choice.signs_in,
            work: choice.work,
        };
        let pending = PendingRequest::Account { account: account.clone(), task };
        let ticket = app.pending.add(pending);
        app.request(&account, Request::Accounts { change: AccountChange::Add(new), ticket });
        self.stage = AddStage::Adding;
    }

    fn enter(&mut self, app: &mut AppState) {
        match self.stage {
            AddStage::Choosing => self.choose(app),
            AddStage::Failed(_) => {
                self.stage =
                    if self.fields.is_empty() { AddStage::Choosing } else { AddStage::Typing(0) };
            }
            AddStage::Typing(at) => {
                let Some((field, text)) = self.fields.get(at) else { return };
                if let Some(problem) = field.problem(text) {
                    app.complain(problem);
                } else if at + 1 < self.fields.len() {
                    self.stage = AddStage::Typing(at + 1);
                } else {
                    self.submit(app);
                }
            }
            AddStage::Listing | AddStage::Adding => {}
        }
    }
}

/// A name that is not taken yet.
fn free_name(app: &AppState, choice: &ServiceChoice) -> String {
    let base = match (choice.work, choice.signs_in) {
        (true, _) => "work",
        (false, true) => "me",
        (false, false) => "home",
    };
    let is_free = |name: &String| app.accounts.iter().all(|a| a.id.as_str() != name);
    let numbered = (2..100).map(|n| format!("{base}{n}"));
    std::iter::once(base.to_owned()).chain(numbered).find(is_free).unwrap_or_default()
}

impl Dialog for AddAccount {
    fn content(&self, _: &AppState, size: Size) -> Content {
        const TITLE: &str = "Add an account";
        match &self.stage {
            AddStage::Listing => Content::new(TITLE, vec![DialogLine::dim("…")], "Esc: close"),
            AddStage::Adding => {
                let line = DialogLine::dim("Adding the account…");
                Content::new(TITLE, vec![line], "Esc hides this")
            }
            AddStage::Choosing => {
                let line = |c: &ServiceChoice| DialogLine::new(c.title.to_string(), c.name.clone());
                let lines = self.choices.iter().map(line).collect();
                let hint = "Enter: choose · Esc: cancel";
                Content::new(TITLE, lines, hint).with_marked(self.marked, "No services found.")
            }
            AddStage::Typing(at) => {
                let Some((field, text)) = self.fields.get(*at) else {
                    return Content::new(TITLE, Vec::new(), "");
                };
                let (title, words) = field.words();
                let hint = "Enter: continue · Esc: cancel";
                let content = Content::new(title, vec![DialogLine::dim(words)], hint);
                Content { input: Some((text.clone(), String::new())), ..content }
            }
            AddStage::Failed(why) => {
                let rows = break_lines(why, wide_columns(size)).into_iter();
                let rows = rows.filter_map(|row| why.get(row));
                let lines = rows.map(|row| DialogLine::toned(row.trim_end(), "", Tone::Bad));
                Content::new("Not added", lines.collect(), "Enter: edit it · Esc: close")
            }
        }
    }

    fn act(&mut self, action: OverlayAction, env: &mut DialogEnv<'_>) -> Next {
        if action == OverlayAction::Choose {
            self.enter(env.app);
            return Next::Stay;
        }
        match self.stage {
            AddStage::Choosing => {
                if let Some(by) = action.step_or_tab(env.page) {
                    step(&mut self.marked, by, self.choices.len());
                }
            }
            AddStage::Typing(at) => {
                if let Some((_, text)) = self.fields.get_mut(at) {
                    action.edit(text);
                }
            }
            _ => {}
        }
        Next::Stay
    }
}
