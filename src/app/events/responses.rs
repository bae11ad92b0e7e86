//! Answers from sync. An answer that is no longer waited for is ignored.

use super::attention;
use super::deltas::fetch_url_if_shown;
use crate::app::actions;
use crate::app::chat::{go_to_date, group, join_url, message_change, statistics};
use crate::app::effect::Effect;
use crate::app::keymap::Context;
use crate::app::model::Model;
use crate::app::overlay::{Confirm, Consent, Inspector, Overlay};
use crate::app::pending::{PendingRequest, SourcePurpose};
use crate::model::{
    AccountId, ChatAccess, ChatRef, ConversationId, Fault, FaultKind, MessageKey, MessageSource,
    Response, SafeText, Ticket,
};

pub fn apply(model: &mut Model, ticket: Ticket, response: Response) {
    let acted = model.app.pending.acted_since(ticket);
    let Some(request) = model.app.pending.take(ticket) else { return };
    match (request, response) {
        (PendingRequest::Thread { chat, change }, Response::Done(result)) => {
            model.app.with_chat(&chat, |chat, env| group::changed(chat, env, &change, &result));
            model.app.sort(&chat.account);
            fetch_url_if_shown(model);
        }
        (PendingRequest::Message { chat, change }, Response::Done(Err(fault))) => {
            model.app.with_chat(&chat, |chat, env| {
                message_change::not_changed(chat, env, change, &fault);
            });
        }
        (PendingRequest::JoinGroup(chat), Response::Done(result)) => {
            joined(model, &chat, result, acted);
        }
        (PendingRequest::Forget(chat), Response::Done(result)) => forgotten(model, &chat, result),
        (PendingRequest::CreateGroup { account }, Response::Created(result)) => {
            created(model, account, result, acted);
        }
        (PendingRequest::ResolveJoinUrl { account }, Response::Resolved(result)) => {
            resolved(model, account, result, acted);
        }
        (PendingRequest::JoinUrl { chat, copy }, Response::JoinUrl(result)) => {
            model.app.with_chat(&chat, |chat, env| join_url::received(chat, env, copy, result));
        }
        (PendingRequest::Search(account), Response::Found(result)) => {
            let search = model.overlays.search_mut();
            let found = search.map(|s| s.found(&model.app, &account, result));
            if let Some(action) = found.and_then(|next| model.follow(next)) {
                actions::carry_out(model, action);
            }
        }
        (PendingRequest::Source { chat, key, purpose }, Response::Source(found)) => {
            source(model, &chat, &key, &found, purpose);
        }
        (PendingRequest::Date { chat, period }, Response::Neighbors(found))
            if model.app.open.as_ref() == Some(&chat) =>
        {
            let key =
                model.app.with_open(|chat, env| go_to_date::choose(chat, env, &period, found));
            if let Some(key) = key.flatten() {
                model.go_to(&key);
            }
        }
        (PendingRequest::FileCopy, Response::FileCopy(result)) => copied(model, ticket, result),
        (PendingRequest::Figures, Response::Figures(found)) => {
            super::figures::received(&mut model.app, found);
        }
        (PendingRequest::Statistics(chat), Response::Statistics(counted)) => {
            model
                .app
                .with_chat(&chat, |chat, env| statistics::take(chat, counted, &env.prefs.zone));
        }
        (PendingRequest::SignInCode(account), Response::SignInCode(code)) => {
            if let Some(sign_in) = model.overlays.sign_in_mut(&account) {
                sign_in.received(&mut model.app, code);
            }
        }
        (PendingRequest::SignInApproval(account), Response::Done(result)) => {
            signed_in(model, &account, result);
        }
        (PendingRequest::SignInApproval(account), Response::SignInTenants(tenants)) => {
            if let Some(sign_in) = model.overlays.sign_in_mut(&account) {
                sign_in.choose_from(tenants);
            }
        }
        (PendingRequest::Account { account, task }, response) => {
            super::accounts::answered(model, &account, task, response);
        }
        // A changed message arrives as a separate delta.
        _ => {}
    }
}

/// Opens a file from its private copy.
fn copied(model: &mut Model, ticket: Ticket, result: Result<SafeText, Fault>) {
    model.overlays.end_download(ticket);
    match result {
        Ok(path) => model.app.effects.push(Effect::OpenUrl(path)),
        Err(fault) => model.app.complain(&format!("Not opened: {}", fault.reason)),
    }
}

fn joined(model: &mut Model, chat: &ChatRef, result: Result<(), Fault>, acted: bool) {
    match result {
        Ok(()) => {
            model.app.with_chat(chat, |chat, _| chat.info.access = ChatAccess::Full);
            model.open_unless_busy(chat, acted, "You joined the group");
        }
        Err(fault) => model
            .app
            .complain(&format!("Could not join: {}; the link may have been closed", fault.reason)),
    }
}

fn forgotten(model: &mut Model, chat: &ChatRef, result: Result<(), Fault>) {
    if let Err(fault) = result {
        model.app.complain(&format!("Not forgotten: {}", fault.reason));
        return;
    }
    attention::read(model, chat);
    if model.app.open.as_ref() == Some(chat) {
        // There is no draft to save any more.
        model.app.with_chat(chat, |chat, _| chat.composer.save_by = None);
        model.app.close_chat();
    }
    model.app.marked.take_if(|marked| marked == chat);
    if let Some(account) = model.app.accounts.get_mut(&chat.account) {
        account.conversations.remove(&chat.conversation);
    }
    model.app.note("Forgotten: deleted from the message store");
}

fn signed_in(model: &mut Model, account: &AccountId, result: Result<(), Fault>) {
    match (result, model.overlays.sign_in_mut(account)) {
        (Ok(()), _) => {
            model.overlays.close_sign_in(account);
            model.app.note("Signed in");
        }
        (Err(fault), Some(sign_in)) => sign_in.failed(&fault),
        (Err(fault), None) => model.app.complain(&format!("Not signed in: {}", fault.reason)),
    }
}

/// Opens the new group, unless the user has done something else since.
fn created(
    model: &mut Model,
    account: AccountId,
    result: Result<ConversationId, Fault>,
    acted: bool,
) {
    match result {
        Ok(conversation) => {
            let chat = ChatRef { account, conversation };
            model.open_unless_busy(&chat, acted, "The group was created");
        }
        Err(fault) => model.app.complain(&format!("The group was not created: {}", fault.reason)),
    }
}

/// Asks whether to join the group that was found.
fn resolved(
    model: &mut Model,
    account: AccountId,
    result: Result<ConversationId, Fault>,
    acted: bool,
) {
    let conversation = match result {
        Ok(conversation) => conversation,
        Err(fault) => {
            let text = if fault.can_retry || fault.kind == FaultKind::JoinUnavailable {
                fault.reason.to_string()
            } else {
                format!("This link is not valid: closed or expired ({})", fault.reason)
            };
            model.app.complain(&text);
            return;
        }
    };
    let at = ChatRef { account, conversation };
    let known = model.app.accounts.chat(&at);
    if known.is_some_and(|c| !c.info.access.is_over() && c.info.activity.0 > 0) {
        model.open_unless_busy(&at, acted, "You are already a member of this group");
        return;
    }
    let title = known.map(|c| model.app.accounts.of(c).title(c).to_string());
    let question = format!("Join {}?", title.as_deref().unwrap_or("a group"));
    let id = at.conversation.as_str();
    let detail = format!("Its members will see that you joined. {id}");
    let confirm = Confirm::new(&question, &detail, Consent::Join(at.clone()));
    model.ask_later(confirm, acted);
}

/// The source of a message has arrived: for its details, or for editing a message that cannot be shown as typed text.
fn source(
    model: &mut Model,
    at: &ChatRef,
    key: &MessageKey,
    found: &MessageSource,
    purpose: SourcePurpose,
) {
    if model.app.open.as_ref() != Some(at) {
        return;
    }
    match purpose {
        // The user has resumed typing or opened something else.
        SourcePurpose::Inspect if model.context() != Context::Selection => {}
        SourcePurpose::Inspect => {
            let chat = model.app.opened();
            let inspector = chat.and_then(|c| Inspector::new(&model.app, c, key, found));
            model.overlays.extend(inspector.map(Overlay::Inspector));
        }
        SourcePurpose::Edit => {
            let began = model.app.with_open(|chat, env| {
                message_change::edit_source(chat, env, key, &found.items);
                chat.composer.draft.edit.is_some()
            });
            if began == Some(true) {
                model.app.write();
            }
        }
    }
}
