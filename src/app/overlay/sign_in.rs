//! Signing in: the notice, the code, and the result.

use super::accounts::ask_change;
use super::content::{Content, DialogLine, step, wide_columns};
use super::{Dialog, DialogEnv, Next};
use crate::app::action::OverlayAction;
use crate::app::effect::Effect;
use crate::app::pending::{AccountTask, PendingRequest};
use crate::app::state::AppState;
use crate::app::view::Tone;
use crate::app::view::layout::Size;
use crate::app::view::wrap::break_lines;
use crate::model::request::{SignInCode, SignInTenant};
use crate::model::{AccountChange, AccountId, Fault, Request, SafeText, notice, qr};

#[derive(Debug)]
pub struct SignInDialog {
    account: AccountId,
    /// The account belongs to an organisation.
    work: bool,
    /// The account was added just now, to be signed in to.
    is_new: bool,
    /// The user agrees to looking up names and presence.
    names: bool,
    stage: SignInStage,
    scrolled: usize,
}

#[derive(Debug)]
enum SignInStage {
    Notice,
    /// A code was requested.
    Requested,
    Code {
        code: SignInCode,
        rows: Vec<String>,
    },
    /// The account belongs to several organisations.
    Tenants {
        tenants: Vec<SignInTenant>,
        marked: usize,
    },
    /// An organisation was chosen.
    Chosen {
        name: SafeText,
        tenants: Vec<SignInTenant>,
    },
    /// Without a new code, the sign-in can only continue with one of these organisations.
    Failed {
        why: SafeText,
        tenants: Vec<SignInTenant>,
    },
}

impl SignInDialog {
    pub fn new(account: AccountId, work: bool) -> Self {
        let stage = SignInStage::Notice;
        Self { account, work, is_new: false, names: false, stage, scrolled: 0 }
    }

    /// The dialog for an account that was added just now.
    pub fn of_new(account: AccountId, work: bool) -> Self {
        Self { is_new: true, ..Self::new(account, work) }
    }

    pub fn account(&self) -> &AccountId {
        &self.account
    }

    /// The dialog was closed before the sign-in was complete. A new account whose owner did not agree to the notice is
    /// removed from the configuration again.
    pub fn given_up(self, app: &mut AppState) {
        let (account, name) = (self.account.clone(), self.account.as_str());
        match self.stage {
            SignInStage::Notice if self.is_new => {
                app.note(&format!("Not added: \"{name}\""));
                ask_change(app, &account, AccountTask::TakeBack, AccountChange::Remove);
            }
            _ if self.is_new => {
                app.note(&format!(
                    "\"{name}\" is not signed in yet. To sign in, press Ctrl-X c, then s"
                ));
            }
            _ => {}
        }
    }

    fn request(&mut self, app: &mut AppState) {
        let ticket = app.pending.add(PendingRequest::SignInCode(self.account.clone()));
        app.request(&self.account, Request::SignInCode { ticket });
        self.stage = SignInStage::Requested;
        self.scrolled = 0;
    }

    /// Shows the code, and waits for it to be approved.
    pub fn received(&mut self, app: &mut AppState, code: Result<SignInCode, Fault>) {
        match code {
            Ok(code) => {
                let ticket = app.pending.add(PendingRequest::SignInApproval(self.account.clone()));
                let names = self.names;
                app.request(&self.account, Request::SignInApproval { names, ticket });
                let rows = qr::rows(&code.address);
                self.stage = SignInStage::Code { code, rows };
            }
            Err(fault) => self.failed(&fault),
        }
    }

    /// Lets the user choose an organisation.
    pub fn choose_from(&mut self, tenants: Vec<SignInTenant>) {
        self.stage = SignInStage::Tenants { tenants, marked: 0 };
    }

    fn choose(&mut self, app: &mut AppState) {
        let SignInStage::Tenants { tenants, marked } = &self.stage else { return };
        let Some(chosen) = tenants.get(*marked) else { return };
        let (tenant, name) = (chosen.id.clone(), tenant_name(chosen));
        let ticket = app.pending.add(PendingRequest::SignInApproval(self.account.clone()));
        app.request(&self.account, Request::SignInTenant { tenant, ticket });
        self.stage = SignInStage::Chosen { name, tenants: tenants.clone() };
    }

    pub fn failed(&mut self, fault: &Fault) {
        let tenants = match &mut self.stage {
            SignInStage::Chosen { tenants, .. } => std::mem::take(tenants),
            _ => Vec::new(),
        };
        self.stage = SignInStage::Failed { why: fault.reason.clone(), tenants };
    }

    /// After a failure: goes back to the organisations, or requests a new code.
    fn try_again(&mut self, app: &mut AppState) {
        let SignInStage::Failed { tenants, .. } = &mut self.stage else { return };
        if tenants.is_empty() {
            return self.request(app);
        }
        let tenants = std::mem::take(tenants);
        self.choose_from(tenants);
    }

    fn notice_lines(&self, columns: usize) -> Vec<DialogLine> {
        let mut lines = Vec::new();
        for paragraph in notice::paragraphs(self.work) {
            lines.extend(
                wrapped(paragraph, columns).into_iter().map(|row| DialogLine::new(row, "")),
            );
            lines.push(DialogLine::default());
        }
        // Names within an organisation need no separate token (facts 8.5).
        if self.work {
            lines.pop();
            return lines;
        }
        let mark = if self.names { "[x]" } else { "[ ]" };
        let names = format!("{mark} n: {}", notice::NAMES_CONSENT);
        lines.extend(wrapped(&names, columns).into_iter().map(DialogLine::dim));
        lines
    }
}

fn tenant_name(tenant: &SignInTenant) -> SafeText {
    if tenant.name.is_empty() { SafeText::line(&tenant.id) } else { tenant.name.clone() }
}

fn wrapped(text: &str, columns: usize) -> Vec<String> {
    let rows = break_lines(text, columns.max(4));
    rows.into_iter().filter_map(|row| text.get(row)).map(|row| row.trim_end().to_owned()).collect()
}

fn code_lines(code: &SignInCode, rows: &[String], size: Size) -> Vec<DialogLine> {
    let columns = wide_columns(size);
    let mut lines = vec![
        DialogLine::toned(format!("Open   {}", code.address), "", Tone::Title),
        DialogLine::toned(format!("enter  {}", code.user_code), "", Tone::Title),
        DialogLine::default(),
        DialogLine::dim(format!(
            "Valid for {} minutes. Waiting for you to confirm it.",
            code.minutes
        )),
    ];
    let room = usize::from(size.rows.saturating_sub(4));
    let fits = rows.len() + lines.len() < room
        && rows.first().is_some_and(|row| row.chars().count() <= columns);
    if fits {
        lines.push(DialogLine::default());
        lines.extend(rows.iter().map(|row| DialogLine::toned(row.clone(), "", Tone::Code)));
    }
    lines
}

impl Dialog for SignInDialog {
    fn content(&self, _: &AppState, size: Size) -> Content {
        let columns = wide_columns(size);
        match &self.stage {
            SignInStage::Notice => {
                let names = if self.work { "" } else { " · n: names" };
                let hint = format!("y: sign in{names} · ↑↓ scroll · Esc: no");
                Content::new("Sign in", self.notice_lines(columns), hint).scrolled(self.scrolled)
            }
            SignInStage::Requested => {
                Content::new("Sign in", vec![DialogLine::dim("Asking for a code…")], "Esc stops")
            }
            SignInStage::Code { code, rows } => Content::new(
                "Sign in",
                code_lines(code, rows, size),
                "Enter: open the page · c: copy the code · Esc: stop",
            ),
            SignInStage::Tenants { tenants, marked } => {
                let line = |tenant: &SignInTenant| {
                    let id = if tenant.name.is_empty() { "" } else { tenant.id.as_str() };
                    DialogLine::new(tenant_name(tenant).to_string(), id)
                };
                let lines = tenants.iter().map(line).collect();
                let hint = "Enter: sign in there · Esc: stop";
                Content::new("In which organisation?", lines, hint)
                    .with_marked(*marked, "No organisations found.")
            }
            SignInStage::Chosen { name, .. } => {
                let line = DialogLine::dim(format!("Signing in to {name}…"));
                Content::new("Sign in", vec![line], "Esc hides this")
            }
            SignInStage::Failed { why, tenants } => {
                let hint = if tenants.is_empty() {
                    "Enter: new code · Esc: close"
                } else {
                    "Enter: choose again · n: new code · Esc: close"
                };
                let lines = wrapped(why, columns);
                let lines = lines.into_iter().map(|row| DialogLine::toned(row, "", Tone::Bad));
                Content::new("Not signed in", lines.collect(), hint)
            }
        }
    }

    fn act(&mut self, action: OverlayAction, env: &mut DialogEnv<'_>) -> Next {
        if let SignInStage::Tenants { tenants, marked } = &mut self.stage
            && let Some(by) = action.step_or_tab(env.page)
        {
            step(marked, by, tenants.len());
            return Next::Stay;
        }
        match (&self.stage, action) {
            (SignInStage::Notice, OverlayAction::Type('y' | 'Y'))
            | (SignInStage::Failed { .. }, OverlayAction::Type('n' | 'N')) => self.request(env.app),
            (SignInStage::Failed { .. }, OverlayAction::Choose) => self.try_again(env.app),
            (SignInStage::Tenants { .. }, OverlayAction::Choose) => self.choose(env.app),
            (SignInStage::Notice, OverlayAction::Type('n' | 'N')) => {
                self.names = !self.names && !self.work;
            }
            (SignInStage::Notice, OverlayAction::Up) => {
                self.scrolled = self.scrolled.saturating_sub(1);
            }
            (SignInStage::Notice, OverlayAction::Down) => {
                let rows = self.notice_lines(wide_columns(env.size)).len();
                let last = rows.saturating_sub(usize::from(env.size.rows.saturating_sub(5)).max(1));
                self.scrolled = (self.scrolled + 1).min(last);
            }
            (SignInStage::Code { code, .. }, OverlayAction::Choose) => {
                env.app.effects.push(Effect::OpenUrl(code.address.clone()));
            }
            (SignInStage::Code { code, .. }, OverlayAction::Type('c' | 'C')) => {
                let (what, text) = ("the code".to_owned(), code.user_code.to_string());
                env.app.effects.push(Effect::Copy { what, text });
            }
            _ => {}
        }
        Next::Stay
    }

    fn chooses(&self) -> bool {
        !matches!(
            self.stage,
            SignInStage::Notice | SignInStage::Requested | SignInStage::Chosen { .. }
        )
    }
}
