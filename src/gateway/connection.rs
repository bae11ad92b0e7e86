//! Limits of connections: time-outs, and the number of open connections.
//!
//! A part of the connections is reserved for authenticated ones, so that strangers cannot lock out the users, and one
//! user may have only a part of all connections.

use super::ConnectionLimits;
use crate::model::UserId;
use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};
use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// The fraction of connections reserved for authenticated ones, and the fraction that one user may have.
const RESERVED_PART: usize = 8;
const USER_PART: usize = 4;
/// How often the deadline of a busy connection is checked.
const CHECK_INTERVAL: Duration = Duration::from_secs(15);

/// The state of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// No byte of the first request was received yet.
    New,
    /// The head of a request is incomplete.
    Head,
    /// A request is being processed.
    Busy,
    /// The last request was answered.
    Idle,
}

struct ConnectionActivity {
    phase: Phase,
    since: Instant,
    /// Since when the peer has not accepted any bytes, while bytes are to be written.
    write_blocked: Option<Instant>,
}

/// What is known about one connection.
pub struct ConnectionInfo {
    number: u64,
    pub peer: SocketAddr,
    limits: ConnectionLimits,
    activity: Mutex<ConnectionActivity>,
    user: Mutex<Option<UserId>>,
    close: CancellationToken,
    all: Weak<Connections>,
}

impl ConnectionInfo {
    fn activity(&self) -> MutexGuard<'_, ConnectionActivity> {
        self.activity.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enter(&self, phase: Phase) {
        let mut activity = self.activity();
        activity.phase = phase;
        activity.since = Instant::now();
    }

    fn bytes_came(&self) {
        let mut activity = self.activity();
        if matches!(activity.phase, Phase::New | Phase::Idle) {
            activity.phase = Phase::Head;
            activity.since = Instant::now();
        }
    }

    fn write_went(&self, blocked: bool) {
        let mut activity = self.activity();
        activity.write_blocked = match (blocked, activity.write_blocked) {
            (false, _) => None,
            (true, since) => Some(since.unwrap_or_else(Instant::now)),
        };
    }

    /// Marks the connection as busy until the returned value is dropped.
    pub fn begin_request(self: &Arc<Self>) -> BusyConnection {
        self.enter(Phase::Busy);
        BusyConnection(Arc::clone(self))
    }

    /// Records the authenticated user, and closes another connection of a user who has too many. Returns true if the
    /// user was not known before.
    pub fn sign_in(&self, user: &UserId) -> bool {
        {
            let mut known = self.user.lock().unwrap_or_else(PoisonError::into_inner);
            if known.as_ref() == Some(user) {
                return false;
            }
            *known = Some(user.clone());
        }
        if let Some(all) = self.all.upgrade() {
            all.make_room_for(self, user);
        }
        true
    }

    fn user(&self) -> Option<UserId> {
        self.user.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn deadline(&self) -> Option<Instant> {
        let activity = self.activity();
        let phase = match activity.phase {
            Phase::New | Phase::Head => Some(activity.since + self.limits.head),
            Phase::Idle => Some(activity.since + self.limits.idle),
            Phase::Busy => None,
        };
        let write = activity.write_blocked.map(|since| since + self.limits.body);
        match (phase, write) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    /// Waits until a time-out of the connection has passed.
    pub async fn time_is_up(&self) {
        loop {
            let now = Instant::now();
            let soon = now + CHECK_INTERVAL.min(self.limits.head);
            match self.deadline() {
                Some(deadline) if deadline <= now => return,
                Some(deadline) => tokio::time::sleep_until(deadline.min(soon)).await,
                None => tokio::time::sleep_until(soon).await,
            }
        }
    }

    /// Waits until the connection is to be closed.
    pub async fn closed(&self) {
        self.close.cancelled().await;
    }

    /// Sorts connections by which is closed first: idle ones before busy ones, then the longest in its state.
    fn importance(&self) -> (bool, Instant) {
        let activity = self.activity();
        (activity.phase == Phase::Busy, activity.since)
    }
}

impl Drop for ConnectionInfo {
    fn drop(&mut self) {
        if let Some(all) = self.all.upgrade() {
            all.forget(self.number);
        }
    }
}

/// Marks a connection as busy. Dropping it marks the connection as idle.
pub struct BusyConnection(Arc<ConnectionInfo>);

impl BusyConnection {
    /// Keeps the connection busy until the body was sent.
    pub fn around(self, body: Body) -> BusyBody {
        BusyBody { body, _busy: self }
    }
}

impl Drop for BusyConnection {
    fn drop(&mut self) {
        self.0.enter(Phase::Idle);
    }
}

pub struct BusyBody {
    body: Body,
    _busy: BusyConnection,
}

impl HttpBody for BusyBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// All open connections.
pub struct Connections {
    limits: ConnectionLimits,
    next: AtomicU64,
    open: Mutex<HashMap<u64, Weak<ConnectionInfo>>>,
    changed: Notify,
}

impl Connections {
    pub fn new(limits: ConnectionLimits) -> Self {
        let open = Mutex::new(HashMap::new());
        Self { limits, next: AtomicU64::new(0), open, changed: Notify::new() }
    }

    fn open(&self) -> MutexGuard<'_, HashMap<u64, Weak<ConnectionInfo>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn all(&self) -> Vec<Arc<ConnectionInfo>> {
        self.open().values().filter_map(Weak::upgrade).collect()
    }

    /// Registers a new connection. If there are too many, an unauthenticated one is closed, or else an idle one.
    /// Returns `None` if all connections are authenticated and busy.
    pub fn admit(self: &Arc<Self>, peer: SocketAddr) -> Option<Arc<ConnectionInfo>> {
        let most = self.limits.connections;
        if self.open().len() >= most - most / RESERVED_PART {
            let all = self.all();
            let strangers = || all.iter().filter(|info| info.user().is_none());
            let too_many = all.len() >= most || strangers().count() >= most - most / RESERVED_PART;
            if too_many {
                let resting = || all.iter().filter(|info| !info.importance().0);
                let gone = strangers()
                    .min_by_key(|info| info.importance())
                    .or_else(|| resting().min_by_key(|info| info.importance()))?;
                gone.close.cancel();
                // Its task is about to end, so it does not count any more.
                self.open().remove(&gone.number);
            }
        }
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let activity =
            ConnectionActivity { phase: Phase::New, since: Instant::now(), write_blocked: None };
        let info = Arc::new(ConnectionInfo {
            number,
            peer,
            limits: self.limits,
            activity: Mutex::new(activity),
            user: Mutex::new(None),
            close: CancellationToken::new(),
            all: Arc::downgrade(self),
        });
        self.open().insert(number, Arc::downgrade(&info));
        Some(info)
    }

    fn make_room_for(&self, own: &ConnectionInfo, user: &UserId) {
        let most = (self.limits.connections / USER_PART).max(1);
        if self.open().len() <= most {
            return;
        }
        let all = self.all();
        let theirs: Vec<_> = all.iter().filter(|info| info.user().as_ref() == Some(user)).collect();
        if theirs.len() > most {
            let others = theirs.iter().filter(|info| info.number != own.number);
            if let Some(gone) = others.min_by_key(|info| info.importance()) {
                gone.close.cancel();
            }
        }
    }

    fn forget(&self, number: u64) {
        self.open().remove(&number);
        self.changed.notify_waiters();
    }

    /// Waits until all connections are closed.
    pub async fn ended(&self) {
        loop {
            let changed = self.changed.notified();
            if self.all().is_empty() {
                return;
            }
            changed.await;
        }
    }

    /// Closes all connections at once.
    pub fn close_all(&self) {
        for info in self.all() {
            info.close.cancel();
        }
    }
}

/// A stream that records when bytes are received and when writing is blocked.
pub struct WatchedStream {
    stream: TcpStream,
    info: Arc<ConnectionInfo>,
}

impl WatchedStream {
    pub fn new(stream: TcpStream, info: Arc<ConnectionInfo>) -> Self {
        Self { stream, info }
    }
}

impl AsyncRead for WatchedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        if read.is_ready() && buffer.filled().len() > before {
            self.info.bytes_came();
        }
        read
    }
}

impl AsyncWrite for WatchedStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let wrote = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.info.write_went(wrote.is_pending());
        wrote
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let wrote = Pin::new(&mut self.stream).poll_write_vectored(context, parts);
        self.info.write_went(wrote.is_pending());
        wrote
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
