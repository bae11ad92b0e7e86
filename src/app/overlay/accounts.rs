//! The configured accounts: the state of each, and what can be done with it.

use super::content::{Content, DialogLine, step};
use super::{
    AddAccount, Confirm, Consent, Dialog, DialogEnv, Next, Overlay, OverlayStack, Prompt,
    SignInDialog,
};
use crate::app::account::Account;
use crate::app::action::OverlayAction;
use crate::app::chat::sending;
use crate::app::pending::{AccountTask, PendingRequest};
use crate::app::state::AppState;
use crate::app::view::layout::Size;
use crate::model::{AccountChange, AccountId, ConnectionState, Request, SignInWay};

#[derive(Debug, Default)]
pub struct AccountsDialog {
    marked: usize,
}

/// The accounts of the configuration, without archives.
fn configured(app: &AppState) -> impl Iterator<Item = &Account> {
    app.accounts.iter().filter(|account| account.id.archive().is_none())
}

/// Asks for a change of an account, after saving every draft: the change may stop its sync.
pub(super) fn ask_change(
    app: &mut AppState,
    account: &AccountId,
    task: AccountTask,
    change: AccountChange,
) {
    app.with_timed(|chat, env| sending::save_draft(chat, env, true));
    let pending = PendingRequest::Account { account: account.clone(), task };
    let ticket = app.pending.add(pending);
    app.request(account, Request::Accounts { change, ticket });
}

fn state_words(account: &Account) -> &'static str {
    match account.connection.state {
        ConnectionState::Online => "live",
        ConnectionState::Connecting => "connecting",
        ConnectionState::Waiting { .. } => "offline",
        ConnectionState::ReadOnly => "read-only",
        ConnectionState::SignedOut { .. } if account.me.as_str().is_empty() => "not signed in",
        ConnectionState::SignedOut { .. } => "signed out",
    }
}

impl AccountsDialog {
    fn at(&self, app: &AppState) -> Option<AccountId> {
        configured(app).nth(self.marked).map(|account| account.id.clone())
    }

    fn remove(&self, app: &mut AppState) -> Next {
        let Some(account) = self.at(app) else { return Next::Stay };
        if configured(app).count() < 2 {
            app.complain("This is the only account; skchat needs one");
            return Next::Stay;
        }
        let question = format!("Remove the account \"{}\"?", account.as_str());
        let detail = "It is removed from the configuration, and its tokens are deleted from this machine. Its messages \
            stay on disk: an account with the same name shows them again.";
        let consent = Consent::RemoveAccount(account);
        Next::Push(Overlay::Confirm(Confirm::new(&question, detail, consent)))
    }

    fn sign_in(&self, app: &mut AppState) -> Next {
        let Some(account) = configured(app).nth(self.marked) else { return Next::Stay };
        match &account.connection.state {
            ConnectionState::SignedOut { way: SignInWay::Token, .. } => {
                app.complain("The token of this account comes from its configuration");
                Next::Stay
            }
            ConnectionState::SignedOut { way, .. } => {
                let dialog = SignInDialog::new(account.id.clone(), *way == SignInWay::Work);
                Next::Push(Overlay::SignIn(dialog))
            }
            _ => {
                app.note("This account is signed in");
                Next::Stay
            }
        }
    }
}

impl Dialog for AccountsDialog {
    fn content(&self, app: &AppState, _: Size) -> Content {
        let lines = configured(app).map(|account| {
            let me = &account.me;
            let who = match me.as_str() {
                "" => String::new(),
                // Nobody remembers such an id.
                _ if account.names.knows(me) && me.is_machine_made() => {
                    format!("  {}", account.names.of(me))
                }
                _ if account.names.knows(me) => {
                    format!("  {} ({})", account.names.of(me), me.bare())
                }
                _ => format!("  {}", me.bare()),
            };
            DialogLine::new(format!("{}{who}", account.label()), state_words(account))
        });
        let hint = "a: add · r: rename · d: remove · s: sign in · Esc: close";
        Content::new("Accounts", lines.collect(), hint).with_marked(self.marked, "None.")
    }

    fn act(&mut self, action: OverlayAction, env: &mut DialogEnv<'_>) -> Next {
        let count = configured(env.app).count();
        self.marked = self.marked.min(count.saturating_sub(1));
        match action {
            OverlayAction::Type('a' | 'A') => return Next::Push(AddAccount::begin(env.app)),
            OverlayAction::Type('r' | 'R') => {
                return match self.at(env.app) {
                    Some(account) => Next::Push(Prompt::rename_account(account)),
                    None => Next::Stay,
                };
            }
            OverlayAction::Type('d' | 'D') => return self.remove(env.app),
            OverlayAction::Type('s' | 'S') => return self.sign_in(env.app),
            other => {
                if let Some(by) = other.step_or_tab(env.page) {
                    step(&mut self.marked, by, count);
                }
            }
        }
        Next::Stay
    }

    fn chooses(&self) -> bool {
        false
    }
}

/// The open dialogs about accounts, which receive answers.
impl OverlayStack {
    /// The open sign-in of an account, which receives the code.
    pub fn sign_in_mut(&mut self, account: &AccountId) -> Option<&mut SignInDialog> {
        self.stack.iter_mut().rev().find_map(|overlay| match overlay {
            Overlay::SignIn(sign_in) if sign_in.account() == account => Some(sign_in),
            _ => None,
        })
    }

    /// The open dialog for adding an account.
    pub fn add_account_mut(&mut self) -> Option<&mut AddAccount> {
        self.stack.iter_mut().rev().find_map(|overlay| match overlay {
            Overlay::AddAccount(dialog) => Some(dialog),
            _ => None,
        })
    }

    /// Closes the dialogs about accounts. Returns whether one for adding an account was open.
    pub fn close_add_account(&mut self) -> bool {
        let was_open = self.add_account_mut().is_some();
        let is_kept = |o: &Overlay| !matches!(o, Overlay::AddAccount(_) | Overlay::Accounts(_));
        self.stack.retain(is_kept);
        was_open
    }

    /// Closes the sign-in of an account.
    pub fn close_sign_in(&mut self, account: &AccountId) {
        self.stack.retain(
            |overlay| !matches!(overlay, Overlay::SignIn(sign_in) if sign_in.account() == account),
        );
    }
}
