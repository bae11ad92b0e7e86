//! The tokens of a sign-in in the system's keyring (on Linux the Secret Service), where there is one.
//!
//! A keyring may be missing, locked, or wait for somebody to type a password. It is therefore asked on a thread of its
//! own, for a bounded time; one that does not answer is not asked again until it does.
//!
//! The cargo feature `keyring` is off by default. The library that speaks to the Secret Service brings 54 further
//! crates, among them a second version of `zbus`. Measured with a signed-in account: while there is a keyring, the
//! process has one more thread per core, because the library keeps a runtime of that size until the end; without one
//! nothing is added. The keyring of the Linux kernel needs neither, but forgets everything when the machine is
//! restarted, which would end "signed in next week without doing anything". Tokens move from the file to a keyring that
//! appears with the next renewal, and are always in at least one of the two; `skchat doctor` says where they are.

use keyring_core::{CredentialStore, Entry, Error};
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use zeroize::Zeroizing;

/// What the entries are filed under.
const SERVICE: &str = "skchat";
/// Long enough to type a password.
const PATIENCE: Duration = Duration::from_secs(20);

type Opened = Result<Arc<CredentialStore>, String>;

/// The keyring, which is opened when it is first needed.
#[derive(Clone)]
pub(super) struct Keyring {
    open: fn() -> Opened,
    opened: Arc<Mutex<Option<Opened>>>,
    /// A request is not answered yet.
    busy: Arc<AtomicBool>,
    patience: Duration,
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keyring(…)")
    }
}

impl Keyring {
    /// The keyring of the user's session.
    pub(super) fn of_session() -> Self {
        Self::opened_by(of_session)
    }

    fn opened_by(open: fn() -> Opened) -> Self {
        let (opened, busy) = (Arc::default(), Arc::default());
        Self { open, opened, busy, patience: PATIENCE }
    }

    /// Whether there is a keyring, or why not.
    pub(super) async fn check(&self) -> Result<(), String> {
        self.ask(|_| Ok(())).await
    }

    /// A stored secret; `None` if there is none.
    pub(super) async fn get(&self, key: &str) -> Result<Option<Zeroizing<Vec<u8>>>, String> {
        let key = key.to_owned();
        let get =
            move |store: &Arc<CredentialStore>| match Entry::new_in_store(store, SERVICE, &key)?
                .get_secret()
            {
                Ok(secret) => Ok(Some(Zeroizing::new(secret))),
                Err(Error::NoEntry) => Ok(None),
                Err(error) => Err(error),
            };
        self.ask(get).await
    }

    pub(super) async fn set(&self, key: &str, secret: Zeroizing<Vec<u8>>) -> Result<(), String> {
        let key = key.to_owned();
        self.ask(move |store| Entry::new_in_store(store, SERVICE, &key)?.set_secret(&secret)).await
    }

    pub(super) async fn delete(&self, key: &str) -> Result<(), String> {
        let key = key.to_owned();
        let delete =
            move |store: &Arc<CredentialStore>| match Entry::new_in_store(store, SERVICE, &key)?
                .delete_credential()
            {
                Err(Error::NoEntry) | Ok(()) => Ok(()),
                Err(error) => Err(error),
            };
        self.ask(delete).await
    }

    async fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Arc<CredentialStore>) -> keyring_core::Result<T> + Send + 'static,
    ) -> Result<T, String> {
        let late = || "it does not answer".to_owned();
        if self.busy.swap(true, Ordering::AcqRel) {
            return Err(late());
        }
        let this = self.clone();
        let answer = tokio::task::spawn_blocking(move || {
            let opened = {
                let mut opened = this.opened.lock().unwrap_or_else(PoisonError::into_inner);
                opened.get_or_insert_with(this.open).clone()
            };
            let answer = opened.and_then(|store| work(&store).map_err(|e| words(&e)));
            this.busy.store(false, Ordering::Release);
            answer
        });
        match tokio::time::timeout(self.patience, answer).await {
            Ok(answer) => answer.unwrap_or_else(|_| Err("it stopped unexpectedly".to_owned())),
            Err(_) => Err(late()),
        }
    }
}

/// What is wrong, without anything that was stored.
fn words(error: &Error) -> String {
    match error {
        Error::NoStorageAccess(_) => "it is locked or cannot be reached".to_owned(),
        Error::PlatformFailure(_) => "it failed".to_owned(),
        Error::TooLong(..) => "the tokens are too long for it".to_owned(),
        _ => "it refused".to_owned(),
    }
}

#[cfg(feature = "keyring")]
fn of_session() -> Opened {
    // Never dropped: its end waits for D-Bus, which a task must not do.
    static STORE: std::sync::OnceLock<Arc<CredentialStore>> = std::sync::OnceLock::new();
    if let Some(store) = STORE.get() {
        return Ok(Arc::clone(store));
    }
    let missing = |_| "there is none in this session".to_owned();
    let store = zbus_secret_service_keyring_store::Store::new().map_err(missing)?;
    Ok(Arc::clone(STORE.get_or_init(|| store)))
}

#[cfg(not(feature = "keyring"))]
fn of_session() -> Opened {
    Err("this build has no keyring support (see the README)".to_owned())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use keyring_core::mock;

    impl Keyring {
        /// A keyring in memory.
        pub(crate) fn in_memory() -> Self {
            Self::opened_by(|| match mock::Store::new() {
                Ok(store) => Ok(store),
                Err(_) => Err("no memory".to_owned()),
            })
        }

        pub(crate) fn missing() -> Self {
            Self::opened_by(|| Err("there is none in this session".to_owned()))
        }

        /// A keyring that never answers.
        fn hung() -> Self {
            let never = || loop {
                std::thread::park();
            };
            Self { patience: Duration::from_millis(20), ..Self::opened_by(never) }
        }

        /// The next request for this entry fails as a locked keyring does.
        pub(crate) fn lock_next(&self, key: &str) {
            let opened = self.opened.lock().unwrap();
            let store = opened.as_ref().unwrap().as_ref().unwrap();
            let entry = Entry::new_in_store(store, SERVICE, key).unwrap();
            let credential = entry.as_any().downcast_ref::<mock::Cred>().unwrap();
            credential.set_error(Error::NoStorageAccess("locked".into()));
        }
    }

    #[tokio::test]
    async fn a_secret_is_kept_replaced_and_deleted() {
        let keyring = Keyring::in_memory();
        let secret = |text: &str| Zeroizing::new(text.as_bytes().to_vec());
        assert_eq!(keyring.get("a").await, Ok(None));
        for text in ["one", "two"] {
            keyring.set("a", secret(text)).await.unwrap();
            assert_eq!(keyring.get("a").await, Ok(Some(secret(text))));
        }
        assert_eq!(keyring.get("b").await, Ok(None));
        keyring.delete("a").await.unwrap();
        keyring.delete("a").await.unwrap();
        assert_eq!(keyring.get("a").await, Ok(None));
    }

    #[tokio::test]
    async fn a_keyring_that_is_missing_locked_or_hung_says_so_within_a_bounded_time() {
        let missing = Keyring::missing();
        assert_eq!(missing.check().await.unwrap_err(), "there is none in this session");
        let locked = Keyring::in_memory();
        locked.check().await.unwrap();
        locked.lock_next("a");
        assert_eq!(locked.get("a").await.unwrap_err(), "it is locked or cannot be reached");
    }

    #[test]
    fn a_hung_keyring_is_given_up_and_not_asked_again() {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let hung = Keyring::hung();
        for _ in 0..3 {
            let answer = runtime.block_on(hung.get("a"));
            assert_eq!(answer.unwrap_err(), "it does not answer");
        }
        // Its thread never ends.
        runtime.shutdown_background();
    }
}
