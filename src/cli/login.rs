//! `skchat login`: its arguments, and the messages that it prints.

use super::Global;
use crate::client::sign_in::PendingCode;
use crate::model::{SignInTenant, notice, qr};
use crate::protocol::service::{AccountKind, ServiceProfile};
use clap::Args;
use std::fmt::Write as _;

#[derive(Debug, Args)]
pub struct LoginArgs {
    /// Account in the configuration file [default: default_account, or the only one]
    account: Option<String>,
    /// Agree to the printed text without being asked
    #[arg(long)]
    pub agree: bool,
    /// Allow looking up names and availability, which needs a second token; --names=false declines without asking
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    pub names: Option<bool>,
    /// The organisation to sign in to, by id or name, if the account belongs to several
    #[arg(long, value_name = "TENANT")]
    pub tenant: Option<String>,
}

impl LoginArgs {
    pub fn account<'a>(&'a self, global: &'a Global) -> Option<&'a str> {
        self.account.as_deref().or(global.account.as_deref())
    }

    /// Signing in to the default account, with all questions asked.
    pub fn ask_everything() -> Self {
        Self { account: None, agree: false, names: None, tenant: None }
    }
}

/// Text is wrapped at this column.
const WIDTH: usize = 78;

/// What to know before signing in.
pub fn notice_text(service: &ServiceProfile) -> String {
    let work = service.sign_in.as_ref().is_some_and(|s| s.accounts == AccountKind::Work);
    let mut out = format!("\n{}\n\n", service.about.title);
    for paragraph in notice::paragraphs(work) {
        out.push_str(&wrapped(paragraph));
        out.push('\n');
    }
    if !service.about.terms.is_empty() {
        let _ = writeln!(out, "Terms of the service: {}", service.about.terms);
    }
    out
}

/// The question about names.
pub fn names_text() -> String {
    format!("\n{}", wrapped(notice::NAMES_CONSENT))
}

/// Where to enter which code.
pub fn code_text(code: &PendingCode, with_qr: bool) -> String {
    let grant = &code.grant;
    let mut out = String::from("\n");
    if with_qr {
        for row in qr::rows(&grant.address) {
            let _ = writeln!(out, "  {row}");
        }
    }
    let minutes = grant.life.as_secs().div_ceil(60);
    let _ = write!(
        out,
        "\n  Open   {}\n  enter  {}\n\n  The code is valid for {minutes} minutes. Waiting until you have confirmed it.\n",
        grant.address, grant.user_code
    );
    out
}

/// The organisations to choose from, numbered from 1.
pub fn tenants_text(tenants: &[SignInTenant]) -> String {
    let mut out = String::from("\n  The account belongs to several organisations:\n");
    for (n, tenant) in tenants.iter().enumerate() {
        let _ = writeln!(out, "  {:>2}  {}  {}", n + 1, tenant.name, tenant.id);
    }
    out
}

/// The organisation that a number of the list, an id or a name stands for.
pub fn tenant_meant(tenants: &[SignInTenant], text: &str) -> Option<String> {
    let text = text.trim();
    let number = text.parse::<usize>().ok().and_then(|n| tenants.get(n.checked_sub(1)?));
    let named = || {
        let is_it = |tenant: &&SignInTenant| {
            tenant.id.eq_ignore_ascii_case(text) || tenant.name.eq_ignore_ascii_case(text)
        };
        tenants.iter().find(is_it)
    };
    number.or_else(named).map(|tenant| tenant.id.clone())
}

fn wrapped(text: &str) -> String {
    let (mut out, mut column) = (String::new(), 0);
    for word in text.split_whitespace() {
        let width = word.chars().count();
        if column > 0 && column + 1 + width > WIDTH {
            out.push('\n');
            column = 0;
        } else if column > 0 {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += width;
    }
    out.push('\n');
    out
}
