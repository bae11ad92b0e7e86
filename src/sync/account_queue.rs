//! The requests of one account that its sync has no room for yet. Each account has its own queue, so that one whose
//! disk hangs does not keep the others waiting.

use crate::model::{
    AccountId, Delta, Fault, FaultKind, Inbound, Outbound, Request, Response, SafeText,
};
use std::collections::VecDeque;
use tokio::sync::mpsc;

/// Requests that wait for one account; further ones are refused, except those that hold what the user wrote.
const MAX: usize = 1_024;
/// Capacity between the router and the queue, which always takes requests at once.
const HANDED_ON: usize = 16;

/// Starts the queue of an account in front of its sync. Refused requests are reported to `deltas`.
pub(super) fn start(
    account: AccountId,
    sync: mpsc::Sender<Outbound>,
    deltas: mpsc::Sender<Inbound>,
) -> mpsc::Sender<Outbound> {
    let (sender, requests) = mpsc::channel(HANDED_ON);
    let queue = AccountQueue { account, waiting: VecDeque::new(), deltas };
    tokio::spawn(queue.run(requests, sync));
    sender
}

struct AccountQueue {
    account: AccountId,
    waiting: VecDeque<Outbound>,
    deltas: mpsc::Sender<Inbound>,
}

impl AccountQueue {
    /// Hands requests on in order, until both ends are closed or the sync has ended.
    async fn run(mut self, mut requests: mpsc::Receiver<Outbound>, sync: mpsc::Sender<Outbound>) {
        let mut open = true;
        while open || !self.waiting.is_empty() {
            tokio::select! {
                permit = sync.reserve(), if !self.waiting.is_empty() => {
                    let Ok(permit) = permit else { return };
                    if let Some(request) = self.waiting.pop_front() {
                        permit.send(request);
                    }
                }
                request = requests.recv(), if open => match request {
                    Some(outbound) => self.take(outbound),
                    None => open = false,
                },
            }
        }
    }

    fn take(&mut self, outbound: Outbound) {
        if self.waiting.len() < MAX || holds_text(&outbound.request) {
            self.waiting.push_back(outbound);
            return;
        }
        let busy = || Fault::new(FaultKind::Busy, "too many requests are waiting for this account");
        let delta = match outbound.request {
            Request::Change { ticket, .. } | Request::Thread { ticket, .. } => {
                Delta::Response { ticket, response: Response::Done(Err(busy())) }
            }
            _ => Delta::Notice(SafeText::line(&format!(
                "\"{}\" cannot keep up; your last request was dropped",
                self.account.as_str()
            ))),
        };
        // If the app has no room either, the user sees that nothing happens.
        let _ = self.deltas.try_send(Inbound { account: self.account.clone(), delta });
    }
}

/// Whether a request holds something the user wrote. Such requests are never refused: nobody can type too many of them.
fn holds_text(request: &Request) -> bool {
    matches!(
        request,
        Request::Send { .. }
            | Request::SaveDraft { .. }
            | Request::Discard { .. }
            | Request::Resend { .. }
    )
}
