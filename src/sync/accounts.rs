//! Several accounts behind one pair of channels: requests are routed to the sync of their account, and the reports of
//! all of them come out of one channel. Accounts can join later.

use super::{DELTAS, Handle, REQUESTS, account_queue};
use crate::model::{
    AccountChange, AccountId, Delta, Fault, FaultKind, ImportNews, Inbound, Outbound, Request,
    Response, SafeText, Ticket,
};
use std::collections::HashMap;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinHandle, JoinSet};

/// Accounts that can wait to join or to leave.
const JOINING: usize = 4;

/// The sync of one account.
pub struct RunningAccount {
    pub account: AccountId,
    pub handle: Handle,
    pub deltas: mpsc::Receiver<Inbound>,
}

/// The sync of all accounts.
pub struct RunningAccounts {
    pub requests: mpsc::Sender<Outbound>,
    router: JoinHandle<HashMap<AccountId, Handle>>,
}

/// Adds accounts to those that are running, and reports what does not concern any of them.
#[derive(Clone)]
pub struct AccountJoiner {
    deltas: mpsc::Sender<Inbound>,
    joining: mpsc::Sender<Membership>,
    requests: mpsc::WeakSender<Outbound>,
}

impl AccountJoiner {
    /// Sends the app a delta. Waits while the channel is full.
    pub async fn report(&self, account: AccountId, delta: Delta) {
        // If the app is gone, nobody needs it.
        let _ = self.deltas.send(Inbound { account, delta }).await;
    }

    /// Sends the app a delta that may be dropped if the channel is full.
    pub fn try_report(&self, account: AccountId, delta: Delta) {
        let _ = self.deltas.try_send(Inbound { account, delta });
    }

    pub async fn join(&self, account: RunningAccount) {
        let _ = self.joining.send(Membership::Join(account)).await;
    }

    /// Stops handing requests to an account. Earlier requests are still executed; the caller stops its sync.
    pub async fn leave(&self, account: AccountId) -> Option<Handle> {
        let (handle, left) = oneshot::channel();
        self.joining.send(Membership::Leave(account, handle)).await.ok()?;
        left.await.ok().flatten()
    }

    /// Sends a request to the sync of an account, as the app does.
    pub async fn request(&self, account: AccountId, request: Request) {
        if let Some(requests) = self.requests.upgrade() {
            let _ = requests.send(Outbound { account, request }).await;
        }
    }
}

/// A change of the accounts that run.
enum Membership {
    Join(RunningAccount),
    Leave(AccountId, oneshot::Sender<Option<Handle>>),
}

/// Where requests go that concern no account's sync; `None` if nothing may be written.
#[derive(Default)]
pub struct GlobalRequests {
    pub imports: Option<mpsc::Sender<Request>>,
    pub accounts: Option<mpsc::Sender<Outbound>>,
}

/// Hands requests on.
struct Router {
    senders: HashMap<AccountId, mpsc::Sender<Outbound>>,
    handles: HashMap<AccountId, Handle>,
    deltas: mpsc::Sender<Inbound>,
    global: GlobalRequests,
}

impl Router {
    fn add(&mut self, running: RunningAccount) {
        let RunningAccount { account, handle, deltas: mut from } = running;
        let (sync, deltas) = (handle.requests.clone(), self.deltas.clone());
        let queue = account_queue::start(account.clone(), sync, deltas);
        self.senders.insert(account.clone(), queue);
        self.handles.insert(account, handle);
        let out = self.deltas.clone();
        tokio::spawn(async move {
            while let Some(delta) = from.recv().await {
                if out.send(delta).await.is_err() {
                    break;
                }
            }
        });
    }

    async fn hand_on(&self, outbound: Outbound) {
        let Outbound { account, request } = outbound;
        match (request, &self.global.imports) {
            (Request::Accounts { change, ticket }, _) => {
                self.change_accounts(account, change, ticket).await;
            }
            (request @ (Request::Import { .. } | Request::CancelImport), Some(imports)) => {
                let _ = imports.send(request).await;
            }
            (Request::Import { .. }, None) => {
                let why = SafeText::line("nothing can be imported here");
                let delta = Delta::Import(ImportNews::Failed(why));
                let _ = self.deltas.send(Inbound { account, delta }).await;
            }
            (request, _) => {
                if let Some(sender) = self.senders.get(&account) {
                    // The queue takes it at once. This fails only if that account's sync has ended.
                    let _ = sender.send(Outbound { account, request }).await;
                }
            }
        }
    }

    async fn change_accounts(&self, account: AccountId, change: AccountChange, ticket: Ticket) {
        let request = Request::Accounts { change, ticket };
        let outbound = Outbound { account: account.clone(), request };
        let sender = self.global.accounts.as_ref();
        if sender.is_some_and(|sender| sender.try_send(outbound).is_ok()) {
            return;
        }
        let why = if sender.is_some() {
            "another change is not finished yet"
        } else {
            "accounts cannot be changed here"
        };
        let result = Err(Fault::new(FaultKind::Busy, why));
        let delta = Delta::Response { ticket, response: Response::Done(result) };
        let _ = self.deltas.send(Inbound { account, delta }).await;
    }

    fn change(&mut self, membership: Membership) {
        match membership {
            Membership::Join(running) => self.add(running),
            Membership::Leave(account, reply) => {
                self.senders.remove(&account);
                // If nobody waits for it any more, its tasks end with the program.
                let _ = reply.send(self.handles.remove(&account));
            }
        }
    }

    async fn run(
        mut self,
        mut requested: mpsc::Receiver<Outbound>,
        mut joining: mpsc::Receiver<Membership>,
    ) -> HashMap<AccountId, Handle> {
        loop {
            tokio::select! {
                request = requested.recv() => match request {
                    Some(request) => self.hand_on(request).await,
                    None => return self.handles,
                },
                Some(membership) = joining.recv() => self.change(membership),
            }
        }
    }
}

impl RunningAccounts {
    /// Joins accounts. The notices are reported first.
    pub fn join(
        accounts: Vec<RunningAccount>,
        notices: &[String],
        global: GlobalRequests,
    ) -> (Self, mpsc::Receiver<Inbound>, AccountJoiner) {
        let (deltas_in, deltas) = mpsc::channel(DELTAS);
        let (requests, requested) = mpsc::channel::<Outbound>(REQUESTS);
        let (joining_in, joining) = mpsc::channel(JOINING);
        let first = accounts.first().map_or(AccountId::new(""), |first| first.account.clone());
        for notice in notices {
            let (account, delta) = (first.clone(), Delta::Notice(SafeText::line(notice)));
            // There is room for more accounts than anybody has.
            let _ = deltas_in.try_send(Inbound { account, delta });
        }
        let joiner = AccountJoiner {
            deltas: deltas_in.clone(),
            joining: joining_in,
            requests: requests.downgrade(),
        };
        let mut router =
            Router { senders: HashMap::new(), handles: HashMap::new(), deltas: deltas_in, global };
        for account in accounts {
            router.add(account);
        }
        let router = tokio::spawn(router.run(requested, joining));
        (Self { requests, router }, deltas, joiner)
    }

    /// Like [`Handle::stop`], for all of them. All other senders of requests must have been dropped.
    pub async fn stop(self, patience: Duration) {
        drop(self.requests);
        let Ok(Ok(handles)) = tokio::time::timeout(patience, self.router).await else {
            tracing::warn!("some requests were not passed on");
            return;
        };
        // Concurrently, so that one that hangs does not take time from the others.
        let mut stops: JoinSet<()> =
            handles.into_values().map(|handle| handle.stop(patience)).collect();
        while stops.join_next().await.is_some() {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Draft, Request};
    use tokio_util::sync::CancellationToken;
    use tokio_util::task::TaskTracker;

    struct Fake {
        requests: mpsc::Receiver<Outbound>,
        deltas: mpsc::Sender<Inbound>,
    }

    fn fake(name: &str) -> (RunningAccount, Fake) {
        let (requests, requested) = mpsc::channel(REQUESTS);
        let (deltas_in, deltas) = mpsc::channel(DELTAS);
        let drained = CancellationToken::new();
        drained.cancel();
        let stop = CancellationToken::new();
        let handle = Handle { requests, stop, drained, tasks: TaskTracker::new() };
        let account = AccountId::new(name);
        (
            RunningAccount { account, handle, deltas },
            Fake { requests: requested, deltas: deltas_in },
        )
    }

    #[tokio::test]
    async fn every_request_reaches_the_sync_of_its_own_account_in_order() {
        let names = ["home", "work", "club"];
        let (running, mut fakes): (Vec<_>, Vec<_>) = names.iter().map(|name| fake(name)).unzip();
        let (all, _deltas, _) = RunningAccounts::join(running, &[], GlobalRequests::default());
        for n in 0..300 {
            let name = names[n * 7 % 3];
            let conversation = format!("8:{name}.{n}").as_str().into();
            let account = AccountId::new(name);
            let request = Request::Open { conversation };
            all.requests.send(Outbound { account, request }).await.unwrap();
        }
        all.stop(Duration::from_secs(20)).await;
        for (name, fake) in names.iter().zip(&mut fakes) {
            let (mut count, mut last) = (0, -1);
            while let Some(Outbound { account, request }) = fake.requests.recv().await {
                let Request::Open { conversation } = request else { panic!("{request:?}") };
                let (owner, n) = conversation.as_str().rsplit_once('.').unwrap();
                assert_eq!((account.as_str(), owner), (*name, format!("8:{name}").as_str()));
                let n: i32 = n.parse().unwrap();
                assert!(n > last, "in order");
                last = n;
                count += 1;
            }
            assert_eq!(count, 100, "{name}");
        }
    }

    fn draft(n: usize) -> Request {
        let text = n.to_string();
        let draft = Draft { text, ..Draft::default() };
        Request::SaveDraft { conversation: "8:joe.4".into(), draft }
    }

    #[tokio::test]
    async fn an_account_that_takes_nothing_holds_up_no_other_and_loses_nothing_written() {
        const ASKED: usize = 5_000;
        let (hung, mut hung_fake) = fake("hung");
        let (work, mut work_fake) = fake("work");
        let (all, mut deltas, _) =
            RunningAccounts::join(vec![hung, work], &[], GlobalRequests::default());
        let send = |name: &str, request| {
            let outbound = Outbound { account: AccountId::new(name), request };
            let requests = all.requests.clone();
            async move { requests.send(outbound).await.unwrap() }
        };
        for n in 0..ASKED {
            send("hung", Request::RetryNow).await;
            send("hung", draft(n)).await;
            send("work", draft(n)).await;
            let Outbound { request, .. } = work_fake.requests.recv().await.unwrap();
            assert_eq!(request, draft(n), "while the other account takes nothing");
        }
        let refused = deltas.recv().await.unwrap();
        assert!(matches!(&refused.delta, Delta::Notice(text) if text.contains("keep up")));
        assert_eq!(refused.account, AccountId::new("hung"));
        // Once it takes requests again, everything written arrives in order.
        let mut drafts = 0;
        while drafts < ASKED {
            let Outbound { request, .. } = hung_fake.requests.recv().await.unwrap();
            if request != Request::RetryNow {
                assert_eq!(request, draft(drafts));
                drafts += 1;
            }
        }
        all.stop(Duration::from_secs(20)).await;
    }

    #[tokio::test]
    async fn notices_come_first_and_deltas_of_all_accounts_out_of_one_end() {
        let (home, home_fake) = fake("home");
        let (work, work_fake) = fake("work");
        let notices = ["club: not signed in".to_owned()];
        let (_all, mut deltas, _) =
            RunningAccounts::join(vec![home, work], &notices, GlobalRequests::default());
        let first = deltas.recv().await.unwrap();
        assert_eq!(first.delta, Delta::Notice(SafeText::line("club: not signed in")));
        for (name, fake) in [("work", work_fake), ("home", home_fake)] {
            let account = AccountId::new(name);
            let delta = Delta::Notice(SafeText::line(name));
            fake.deltas.send(Inbound { account: account.clone(), delta }).await.unwrap();
            assert_eq!(deltas.recv().await.unwrap().account, account);
        }
    }
}
