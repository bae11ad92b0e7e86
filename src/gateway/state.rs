//! The shared state of the gateway, and access to its storage.

use super::access::Access;
use super::api_error::ApiError;
use super::commit::{Committer, Job, job};
use super::directory::Directory;
use super::emulation::{EmulatedService, Emulation};
use super::events::Committed;
use super::fault::Faults;
use super::hub::Hub;
use super::objects::{ObjectAuth, Objects};
use super::rules::Work;
use super::storage::{RegistrationRow, SqliteStorage, Storage, StorageError, StorageTx};
use super::{ConnectionLimits, GatewayOptions, MAX_READS};
use crate::model::UserId;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::{Semaphore, broadcast, mpsc};

pub struct GatewayState {
    committer: Arc<Committer>,
    jobs: mpsc::Sender<Box<dyn Job>>,
    /// Limits concurrent reads: each uses a thread and a connection to the database.
    reads: Semaphore,
    faults: Faults,
    emulation: Option<Emulation>,
    objects: Objects,
    pub(super) access: Access,
    pub(super) limits: ConnectionLimits,
    pub(super) poll_wait: Duration,
    pub(super) deduplicate: bool,
    pub(super) long_poll: bool,
}

impl GatewayState {
    pub(super) fn open(options: GatewayOptions) -> Result<Self, StorageError> {
        let storage = SqliteStorage::open(options.db.as_deref())?;
        let directory = Directory::new(options.users, options.known_people_only);
        let known = valid_registrations(&storage, &directory)?;
        let committer = Arc::new(Committer {
            storage: Box::new(storage),
            hub: Hub::new(options.endpoint_patience, known),
            directory,
            committed: broadcast::channel(256).0,
            order: Mutex::new(()),
        });
        let jobs = Arc::clone(&committer).start();
        let objects = Objects::default();
        if options
            .emulates
            .as_ref()
            .is_some_and(|emulation| emulation.kind == EmulatedService::TeamsWork)
        {
            objects.accept(ObjectAuth::Bearer);
        }
        Ok(Self {
            committer,
            jobs: jobs.map_err(|error| StorageError::Failed(Box::new(error)))?,
            reads: Semaphore::new(MAX_READS),
            faults: options.faults,
            emulation: options.emulates.map(Emulation::new),
            objects,
            access: Access::new(&options.allowed_hosts, options.public_url, options.behind_proxy),
            limits: options.limits,
            poll_wait: options.poll_wait,
            deduplicate: options.deduplicate,
            long_poll: options.long_poll,
        })
    }

    /// Ends pending polls, so that a shutdown does not wait for them.
    pub(super) fn close(&self) {
        self.hub().close();
    }

    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// The live service that is emulation.
    pub fn emulation(&self) -> Option<&Emulation> {
        self.emulation.as_ref()
    }

    /// The pictures and files.
    pub fn objects(&self) -> &Objects {
        &self.objects
    }

    /// Whether this token was valid before.
    pub(super) fn has_ended(&self, token: &str) -> bool {
        self.emulation().is_some_and(|emulation| {
            emulation.authority.tokens(|tokens| tokens.has_issued_skype(token))
        })
    }

    pub(super) fn emulated_service(&self) -> Option<EmulatedService> {
        self.emulation().map(|emulation| emulation.options.kind)
    }

    /// The user with this Skype token.
    pub(super) fn user_of(&self, token: &str) -> Option<UserId> {
        match self.emulation() {
            Some(emulation) => emulation.authority.tokens(|tokens| tokens.user_of_skype(token)),
            None => self.directory().user_of(token),
        }
    }

    /// The name of a member in the answer about a group. Live services leave it out (facts 8.11).
    pub(super) fn member_name(&self, user: &UserId) -> &str {
        if self.emulation.is_some() { "" } else { self.directory().name(user) }
    }

    pub(super) fn hub(&self) -> &Hub {
        &self.committer.hub
    }

    pub(super) fn directory(&self) -> &Directory {
        &self.committer.directory
    }

    /// Receives the messages that are committed from now on.
    pub(super) fn listen(&self) -> broadcast::Receiver<Committed> {
        self.committer.committed.subscribe()
    }

    /// Whether a real client is registered as this user, so that the scripted person stops.
    pub fn is_registered(&self, user: &UserId) -> bool {
        self.hub().has_endpoint(user)
    }

    /// Ends all registrations, so that clients have to register again.
    pub fn forget_endpoints(&self) {
        self.hub().forget();
    }

    /// Runs a change and waits until it is durable.
    pub(super) async fn change<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Work<'_>) -> Result<T, ApiError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let (job, outcome) = job(work);
        self.jobs.send(job).await.map_err(|_| ApiError::failed_inside())?;
        outcome.await.unwrap_or_else(|_| Err(ApiError::failed_inside()))
    }

    /// A blocking form of `GatewayState::change`, for the sample data.
    pub(super) fn change_blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Work<'_>) -> Result<T, ApiError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let (job, mut outcome) = job(work);
        self.committer.run(job, &mut || None);
        outcome.try_recv().unwrap_or_else(|_| Err(ApiError::failed_inside()))
    }

    /// Reads on a thread for blocking work. Does not wait for changes.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&dyn StorageTx) -> Result<T, ApiError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let _permit = self.reads.acquire().await.map_err(|_| ApiError::failed_inside())?;
        let committer = Arc::clone(&self.committer);
        let read = tokio::task::spawn_blocking(move || {
            let mut work = Some(work);
            let mut result = Err(ApiError::failed_inside());
            committer.storage.read(&mut |store| {
                if let Some(work) = work.take() {
                    result = work(store);
                }
            })?;
            result
        });
        read.await.unwrap_or_else(|_| Err(ApiError::failed_inside()))
    }
}

/// Loads the stored registrations. Those of removed users, and those made with a token that was changed, are deleted.
fn valid_registrations(
    storage: &SqliteStorage,
    directory: &Directory,
) -> Result<Vec<RegistrationRow>, StorageError> {
    let mut known = Vec::new();
    storage.write(&mut |tx| {
        for row in tx.registrations()? {
            if row.expires > now() && directory.credential(&row.user) == Some(row.credential) {
                known.push(row);
            } else {
                tx.end_registration(&row.endpoint)?;
            }
        }
        Ok(())
    })?;
    Ok(known)
}

/// Milliseconds since 1970.
pub fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
