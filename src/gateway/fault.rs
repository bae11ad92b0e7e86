//! Faults for tests. They are a value in `GatewayOptions` that only code can set.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// How a request fails.
#[derive(Clone, Debug)]
pub enum InjectedFault {
    Status {
        code: u16,
        error: u32,
        retry_after: Option<u32>,
    },
    /// A captive portal's page with status 200.
    Html,
    /// A body that is not JSON, with status 200.
    BrokenJson,
    /// An error object with status 200.
    ErrorInside,
    Delay(Duration),
    /// The request is processed, but answered with 502.
    LostAck,
    /// A poll whose events count as received although its answer is a different one.
    LostEvents {
        code: u16,
        body: &'static str,
    },
    /// This body with status 200; the request is not processed.
    Body(&'static str),
    /// A page without its `_metadata`.
    WithoutMetadata,
    /// Any answer with a JSON body.
    Json {
        code: u16,
        body: String,
    },
    /// The answer breaks off in the middle of its body.
    CutOff,
    /// The first half of the answer's body comes, but the rest never does.
    Stall,
    /// A redirect to another origin.
    Redirect(String),
}

#[derive(Clone, Debug)]
struct Rule {
    method: &'static str,
    /// A part of the path.
    path: &'static str,
    /// The number of matching requests that pass first.
    skip: usize,
    times: usize,
    fault: InjectedFault,
}

/// The active rules. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    rules: Arc<Mutex<Vec<Rule>>>,
    seen: Arc<Mutex<Vec<String>>>,
    changed: Arc<Notify>,
}

impl Faults {
    /// Applies `fault` to the next `times` requests with this method and `path` in their path.
    pub fn add(
        &self,
        method: &'static str,
        path: &'static str,
        times: usize,
        fault: InjectedFault,
    ) {
        self.add_after(method, path, 0, times, fault);
    }

    /// Like [`Faults::add`], but the first `skip` of those requests pass.
    pub fn add_after(
        &self,
        method: &'static str,
        path: &'static str,
        skip: usize,
        times: usize,
        fault: InjectedFault,
    ) {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner).push(Rule {
            method,
            path,
            skip,
            times,
            fault,
        });
    }

    pub fn clear(&self) {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Methods and paths of the requests so far, oldest first, at most the last 10,000.
    pub fn log(&self) -> Vec<String> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Requests so far whose method is `method` and whose path contains `path`.
    pub fn count(&self, method: &str, path: &str) -> usize {
        let wanted = |line: &&String| line.starts_with(method) && line.contains(path);
        self.log().iter().filter(wanted).count()
    }

    /// Waits until there were `count` such requests.
    pub async fn until(&self, method: &str, path: &str, count: usize) {
        loop {
            let changed = self.changed.notified();
            if self.count(method, path) >= count {
                return;
            }
            changed.await;
        }
    }

    pub(super) fn next(&self, method: &str, path: &str) -> Option<InjectedFault> {
        let fault = self.take(method, path);
        {
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            if seen.len() >= 10_000 {
                seen.drain(..5_000);
            }
            seen.push(format!("{method} {path}"));
        }
        // A test that waits for this request may add a rule now, for the next one.
        self.changed.notify_waiters();
        fault
    }

    fn take(&self, method: &str, path: &str) -> Option<InjectedFault> {
        let mut rules = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
        let at = rules
            .iter()
            .position(|r| r.method == method && path.contains(r.path) && r.times > 0)?;
        let rule = rules.get_mut(at)?;
        if rule.skip > 0 {
            rule.skip -= 1;
            return None;
        }
        rule.times -= 1;
        let fault = rule.fault.clone();
        if rule.times == 0 {
            rules.remove(at);
        }
        Some(fault)
    }
}
