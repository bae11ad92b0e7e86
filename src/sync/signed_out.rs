//! An account that nobody has signed in to on this machine: its owner is not known, so there is no store and nothing to
//! sync yet; all that can be done is sign in. Also an account that somebody signs out while it runs.

use super::sign_in::{SignInWait, code, response, waited};
use super::{DELTAS, DeltaSender, Handle, REQUESTS, Shared};
use crate::client::sign_in::SignInOutcome;
use crate::client::{Client, Error};
use crate::model::{
    AccountFigures, AccountId, ConnectionState, Delta, Fault, FaultKind, Inbound, Outbound,
    Request, Response, SafeText, Ticket,
};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How often to look whether another process has signed in.
const LOOK: Duration = Duration::from_secs(2);

struct SignedOutAccount {
    client: Client,
    deltas: DeltaSender,
    /// The user has signed in here.
    done: Notify,
    stop: CancellationToken,
}

/// Shows an account as signed out, and signs in to it. The receiver gets a value when somebody has signed in, here or
/// by another process; the account can be started then.
pub fn start_signed_out(
    account: AccountId,
    client: Client,
) -> (Handle, mpsc::Receiver<Inbound>, oneshot::Receiver<()>) {
    let (channel, deltas) = mpsc::channel(DELTAS);
    let (requests, requested) = mpsc::channel(REQUESTS);
    let (signed_in, receiver) = oneshot::channel();
    let (stop, drained) = (CancellationToken::new(), CancellationToken::new());
    drained.cancel();
    let this = SignedOutAccount {
        client,
        deltas: DeltaSender::new(account, channel),
        done: Notify::new(),
        stop: stop.clone(),
    };
    let tasks = TaskTracker::new();
    tasks.spawn(run(Arc::new(this), requested, signed_in));
    (Handle { requests, stop, drained, tasks }, deltas, receiver)
}

async fn run(
    this: Arc<SignedOutAccount>,
    mut requests: mpsc::Receiver<Outbound>,
    signed_in: oneshot::Sender<()>,
) {
    let why = SafeText::line("nobody has signed in yet");
    let way = this.client.sign_in_way();
    this.deltas.send(Delta::Connection(ConnectionState::SignedOut { why, way })).await;
    let before = this.client.token_mark().await;
    loop {
        tokio::select! {
            () = this.stop.cancelled() => return,
            request = requests.recv() => match request {
                Some(Outbound { request, .. }) => this.answer(request),
                None => return,
            },
            () = this.done.notified() => break,
            () = tokio::time::sleep(LOOK) => {
                if this.client.has_new_token(&before).await {
                    break;
                }
            }
        }
    }
    // Nobody waits for it while the program ends.
    let _ = signed_in.send(());
}

impl SignedOutAccount {
    /// Answers a request concurrently with others, because a sign-in may wait for many minutes.
    fn answer(self: &Arc<Self>, request: Request) {
        let this = Arc::clone(self);
        tokio::spawn(async move {
            let stop = this.stop.clone();
            tokio::select! {
                () = stop.cancelled() => {}
                () = this.carry_out(request) => {}
            }
        });
    }

    async fn carry_out(&self, request: Request) {
        let refused = || Fault::new(FaultKind::SignedOut, "sign in first: Ctrl-X s");
        match request {
            Request::SignInCode { ticket } => {
                let code = code(&self.client).await;
                self.respond(ticket, Response::SignInCode(code)).await;
            }
            Request::SignInApproval { names, ticket } => {
                self.go_on(SignInWait::Approval { names }, ticket).await;
            }
            Request::SignInTenant { tenant, ticket } => {
                self.go_on(SignInWait::Tenant(tenant), ticket).await;
            }
            Request::Change { ticket, .. }
            | Request::Thread { ticket, .. }
            | Request::Forget { ticket, .. } => {
                self.respond(ticket, Response::Done(Err(refused()))).await;
            }
            Request::Create { ticket, .. } => {
                self.respond(ticket, Response::Created(Err(refused()))).await;
            }
            Request::Resolve { ticket, .. } => {
                self.respond(ticket, Response::Resolved(Err(refused()))).await;
            }
            Request::Search { ticket, .. } => {
                self.respond(ticket, Response::Found(Err(refused()))).await;
            }
            Request::Figures { ticket } => {
                let figures = AccountFigures { polled: None, budget: self.client.budget_left() };
                self.respond(ticket, Response::Figures(figures)).await;
            }
            // There is no conversation that others could be about.
            _ => {}
        }
    }

    async fn go_on(&self, with: SignInWait, ticket: Ticket) {
        let result = waited(&self.client, with, None).await;
        let is_done = matches!(result, Ok(SignInOutcome::SignedIn(_)));
        self.respond(ticket, response(result)).await;
        if is_done {
            self.done.notify_one();
        }
    }

    async fn respond(&self, ticket: Ticket, response: Response) {
        self.deltas.send(Delta::Response { ticket, response }).await;
    }
}

impl Shared {
    /// Waits until another process signs this account out. The request for news may wait for the budget, so this is not
    /// left to it.
    pub(super) async fn until_signed_out(&self) -> Error {
        if self.client.own_sign_in().is_none() {
            return std::future::pending().await;
        }
        let step = self.options.intervals.map_or(self.options.interval, |each| each.active);
        loop {
            if let Some(sign_in) = self.client.sign_in_in_use()
                && self.store.beside(move || sign_in.is_signed_out()).await == Some(true)
            {
                return self.client.signed_out_elsewhere();
            }
            tokio::time::sleep(step).await;
        }
    }
}
