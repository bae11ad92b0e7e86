//! Several accounts behind one pair of channels: requests find the sync of their account, and what all of them report
//! comes out of one end.

use super::{DELTAS, Handle, REQUESTS};
use crate::model::{AccountId, Inbound, Outbound};
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
    /// Joins accounts; there has to be one.
    pub fn join(mut accounts: Vec<RunningAccount>) -> (Self, mpsc::Receiver<Inbound>) {
        if accounts.len() == 1
            && let Some(only) = accounts.pop()
        {
            let requests = only.handle.requests.clone();
            return (Self { requests, handles: vec![only.handle], router: None }, only.deltas);
        }
        let (deltas_in, deltas) = mpsc::channel(DELTAS);
        let (requests, mut requested) = mpsc::channel::<Outbound>(REQUESTS);
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
