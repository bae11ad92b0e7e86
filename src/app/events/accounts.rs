//! Accounts that are added, changed and removed while the program runs.

use crate::app::account::Account;
use crate::app::model::Model;
use crate::app::overlay::{Overlay, SignInDialog};
use crate::app::pending::AccountTask;
use crate::model::{AccountId, ConnectionState, Fault, Response, SignInWay, UserId};

/// Shows an account. It replaces an (empty) one that was shown before its owner was known.
pub fn joined(model: &mut Model, id: AccountId, me: UserId) {
    model.app.accounts.add(Account::new(id, me));
}

/// Stops showing an account, unless it is the only one.
pub fn left(model: &mut Model, id: &AccountId) {
    if model.app.open.as_ref().is_some_and(|open| open.account == *id) {
        model.app.close_chat();
    }
    if model.app.marked.as_ref().is_some_and(|marked| marked.account == *id) {
        model.app.marked = None;
    }
    model.app.accounts.remove(id);
    model.app.hold_list_order();
}

/// Handles the result of a change of the accounts.
pub fn answered(model: &mut Model, account: &AccountId, task: AccountTask, response: Response) {
    match (task, response) {
        (AccountTask::List, Response::Services(services)) => {
            if let Some(dialog) = model.overlays.add_account_mut() {
                dialog.received(services);
            }
        }
        (AccountTask::List, Response::Done(Err(fault))) => {
            if let Some(dialog) = model.overlays.add_account_mut() {
                dialog.failed(&fault);
            }
        }
        (AccountTask::Add { name, signs_in, work }, Response::Done(result)) => match result {
            Ok(()) => added(model, &name, signs_in.then_some(work)),
            Err(fault) => not_added(model, &fault),
        },
        (AccountTask::Rename { to }, Response::Done(Ok(()))) => {
            model.app.note(&format!("\"{}\" is now called \"{to}\"", account.as_str()));
        }
        (AccountTask::Remove, Response::Done(Ok(()))) => {
            model.app.note(&format!("\"{}\" was removed", account.as_str()));
        }
        (AccountTask::Setting { quiet: true, .. }, Response::Done(Ok(()))) => {}
        (AccountTask::Setting { name, live, .. }, Response::Done(Ok(()))) => {
            let when = if live { "" } else { "; it takes effect at the next start" };
            model.app.note(&format!("{name} is saved in your configuration{when}"));
        }
        (AccountTask::Setting { name, .. }, Response::Done(Err(fault))) => {
            let why = fault.reason;
            model.app.complain(&format!("{name} is not saved in your configuration: {why}"));
        }
        (AccountTask::Rename { .. }, Response::Done(Err(fault))) => {
            model.app.complain(&format!("Not renamed: {}", fault.reason));
        }
        (AccountTask::TakeBack, Response::Done(Err(fault))) => {
            let (name, why) = (account.as_str(), fault.reason);
            model.app.complain(&format!("\"{name}\" is still in your configuration: {why}"));
        }
        (AccountTask::Remove, Response::Done(Err(fault))) => {
            model.app.complain(&format!("Not removed completely: {}", fault.reason));
        }
        _ => {}
    }
}

/// The account was added; the next step is to sign in to it, if that was not done before.
fn added(model: &mut Model, name: &str, signs_in_to_work: Option<bool>) {
    let was_open = model.overlays.close_add_account();
    model.app.note(&format!("\"{name}\" was added"));
    let id = AccountId::new(name);
    let has_owner = model.app.accounts.get(&id).is_some_and(|a| !a.me.as_str().is_empty());
    if let (Some(work), true, false) = (signs_in_to_work, was_open, has_owner) {
        if let Some(account) = model.app.accounts.get_mut(&id) {
            // Its own report may come later.
            let way = if work { SignInWay::Work } else { SignInWay::Personal };
            let why = crate::model::SafeText::line("nobody has signed in yet");
            account.connection.state = ConnectionState::SignedOut { why, way };
        }
        model.overlays.push(Overlay::SignIn(SignInDialog::of_new(id, work)));
    }
}

fn not_added(model: &mut Model, fault: &Fault) {
    match model.overlays.add_account_mut() {
        Some(dialog) => dialog.failed(fault),
        None => model.app.complain(&format!("Not added: {}", fault.reason)),
    }
}
