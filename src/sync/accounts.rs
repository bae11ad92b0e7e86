//! Several accounts behind one pair of channels: requests find the sync of their account, and what all of them report
//! comes out of one end.

use super::{DELTAS, Handle, REQUESTS};
use crate::model::{AccountId, Delta, Inbound, Outbound, SafeText};
use std::collections::HashMap;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// The sync of one account.
pub struct RunningAccount {
    pub account: AccountId,
    pub handle: Handle,
    pub deltas: mpsc::Receiver<Inbound>,
}

/// The sync of all accounts.
pub struct RunningAccounts {
    pub requests: mpsc::Sender<Outbound>,
    handles: Vec<Handle>,
    /// Hands requests on, where there are several accounts.
    router: Option<JoinHandle<()>>,
}

impl RunningAccounts {
    /// Joins accounts; there has to be one. The notices are reported first.
    pub fn join(
        mut accounts: Vec<RunningAccount>,
        notices: &[String],
    ) -> (Self, mpsc::Receiver<Inbound>) {
        if accounts.len() == 1
            && notices.is_empty()
            && let Some(only) = accounts.pop()
        {
            let requests = only.handle.requests.clone();
            return (Self { requests, handles: vec![only.handle], router: None }, only.deltas);
        }
        let (deltas_in, deltas) = mpsc::channel(DELTAS);
        let (requests, mut requested) = mpsc::channel::<Outbound>(REQUESTS);
        if let Some(first) = accounts.first() {
            for notice in notices {
                let (account, delta) =
                    (first.account.clone(), Delta::Notice(SafeText::line(notice)));
                // There is room for more accounts than anybody has.
                let _ = deltas_in.try_send(Inbound { account, delta });
            }
        }
        let mut senders = HashMap::new();
        let mut handles = Vec::new();
        for RunningAccount { account, handle, deltas: mut from } in accounts {
            senders.insert(account, handle.requests.clone());
            handles.push(handle);
            let out = deltas_in.clone();
            tokio::spawn(async move {
                while let Some(delta) = from.recv().await {
                    if out.send(delta).await.is_err() {
                        break;
                    }
                }
            });
        }
        let router = tokio::spawn(async move {
            while let Some(request) = requested.recv().await {
                if let Some(sender) = senders.get(&request.account) {
                    // Fails only when that account's sync has ended.
                    let _ = sender.send(request).await;
                }
            }
        });
        (Self { requests, handles, router: Some(router) }, deltas)
    }

    /// As [`Handle::stop`], for all of them. All other senders of requests must have been dropped.
    pub async fn stop(self, patience: Duration) {
        drop(self.requests);
        if let Some(router) = self.router
            && tokio::time::timeout(patience, router).await.is_err()
        {
            tracing::warn!("not all requests were handed on");
        }
        for handle in self.handles {
            handle.stop(patience).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Request;
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
        let (all, _deltas) = RunningAccounts::join(running, &[]);
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

    #[tokio::test]
    async fn notices_come_first_and_deltas_of_all_accounts_out_of_one_end() {
        let (home, home_fake) = fake("home");
        let (work, work_fake) = fake("work");
        let notices = ["club: not signed in".to_owned()];
        let (_all, mut deltas) = RunningAccounts::join(vec![home, work], &notices);
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
