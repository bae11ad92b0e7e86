//! The URL with which others can join a group: fetched when it is to be shown or copied.

use super::{Chat, Env};
use crate::app::pending::PendingRequest;
use crate::model::{Fault, Request, SafeText, ThreadFlag};

/// The state of the URL with which others can join; fetched when it is to be shown.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum JoinUrlState {
    #[default]
    Unknown,
    Known(SafeText),
    Failed(SafeText),
}

/// Fetches the join URL if there is one and it is not known.
pub fn fetch(chat: &Chat, env: &mut Env<'_>) {
    let open = chat.info.is_group() && chat.known(ThreadFlag::JoiningEnabled) == Some(true);
    if open && !matches!(chat.group.url, JoinUrlState::Known(_)) {
        request(chat, env, false);
    }
}

/// Fetches the join URL to copy it, or marks a pending request for that.
fn request(chat: &Chat, env: &mut Env<'_>, copy: bool) {
    let conversation = chat.info.id.clone();
    if !env.pending.wants_join_url(&chat.chat_ref(), copy) {
        let pending = PendingRequest::JoinUrl { chat: chat.chat_ref(), copy };
        env.ask(pending, |ticket| Request::JoinUrl { conversation, ticket });
    }
}

/// Copies the join URL as soon as it is known.
pub fn copy(chat: &mut Chat, env: &mut Env<'_>) {
    if !chat.info.is_group() {
        env.complain("Only groups have a join URL");
        return;
    }
    let joining = chat.flag(env.pending, ThreadFlag::JoiningEnabled);
    match (&chat.group.url, joining.shown()) {
        (_, Some(false)) => env.note("Joining by link is off: Alt-J turns it on"),
        (JoinUrlState::Known(url), _) => env.copy("the join URL", url.as_str()),
        _ => {
            env.note("Fetching the join URL…");
            if joining.is_changing() {
                chat.group.copy_url_when_on = true;
            } else {
                request(chat, env, true);
            }
        }
    }
}

/// Fetches a URL that is to be copied, now that it is known whether others can join.
pub(super) fn joining_settled(chat: &mut Chat, env: &mut Env<'_>) {
    let wanted = std::mem::take(&mut chat.group.copy_url_when_on);
    if wanted && chat.known(ThreadFlag::JoiningEnabled) == Some(true) {
        request(chat, env, true);
    }
}

/// Takes the join URL, or the reason why there is none.
pub fn received(chat: &mut Chat, env: &mut Env<'_>, copy: bool, result: Result<SafeText, Fault>) {
    match result {
        Ok(url) => {
            if copy {
                env.copy("the join URL", url.as_str());
            }
            chat.group.url = JoinUrlState::Known(url);
        }
        Err(fault) => {
            if copy {
                env.complain(&format!("No join URL: {}", fault.reason));
            }
            chat.group.url = JoinUrlState::Failed(fault.reason);
        }
    }
}
