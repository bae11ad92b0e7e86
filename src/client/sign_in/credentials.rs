//! What an account keeps to stay signed in: in the system's keyring where that is used, else in a file of mode 0600
//! beside its store. With a keyring, the file only says whose sign-in it is and where its tokens are.
//!
//! The file is replaced as a whole: a new one is written and synced before it takes the old one's name, so that a crash
//! leaves one of the two. A lock file beside it lets one task of one process renew tokens at a time.

use super::super::{Error, Secret};
use super::keyring::Keyring;
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use zeroize::Zeroizing;

const FILE: &str = "sign-in.json";
const LOCK: &str = "sign-in.lock";
/// A larger file is not one of ours.
const MAX_SIZE: u64 = 1024 * 1024;

/// The stored state of a sign-in. Without a refresh token the account is signed out, but its owner is still known.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Credentials {
    /// The owner's id, with its prefix.
    pub user_id: String,
    /// The client id that the refresh token belongs to.
    pub client_id: String,
    pub scope: String,
    /// The organisation that was chosen; empty for that of the profile.
    pub tenant: String,
    pub refresh_token: Option<Secret>,
    pub access: Option<StoredToken>,
    pub skype: Option<StoredToken>,
    /// The token for the profile service.
    pub names: Option<StoredToken>,
    /// The user has agreed to ask for names.
    pub names_allowed: bool,
    /// Addresses of the chat service, checked, the preferred one first.
    pub chat: Vec<String>,
    /// The address of the profile service, checked; empty if the service map has none.
    pub profiles: String,
    /// The same of the presence service.
    pub presence: String,
    /// Milliseconds since 1970.
    pub signed_in_at: i64,
    pub refreshed_at: i64,
    /// The name of the entry in the keyring; empty before there was one.
    pub keyring_entry: String,
    /// The tokens are in the keyring, and in this file only what is needed to find them.
    pub in_keyring: bool,
}

impl Credentials {
    /// What the file says while the tokens are in the keyring.
    fn without_tokens(&self) -> Self {
        Self {
            user_id: self.user_id.clone(),
            names_allowed: self.names_allowed,
            signed_in_at: self.signed_in_at,
            refreshed_at: self.refreshed_at,
            keyring_entry: self.keyring_entry.clone(),
            in_keyring: true,
            ..Self::default()
        }
    }
}

/// A token and its lifetime. Times are milliseconds since 1970 by the clock of this machine.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct StoredToken {
    pub token: Secret,
    pub from: i64,
    pub until: i64,
}

impl StoredToken {
    pub(super) fn new(token: &str, life: Duration, now: i64) -> Self {
        let life = i64::try_from(life.as_millis()).unwrap_or(i64::MAX);
        Self { token: Secret::new(token), from: now, until: now.saturating_add(life) }
    }

    /// Whether the token is valid for `margin` more. A clock that was set back makes it invalid: its age is not known.
    pub(super) fn is_valid(&self, now: i64, margin: Duration) -> bool {
        let margin = i64::try_from(margin.as_millis()).unwrap_or(i64::MAX);
        now >= self.from && now.saturating_add(margin) < self.until
    }
}

/// Milliseconds since 1970.
pub(super) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// Where the credentials of an account are kept.
#[derive(Clone, Debug)]
pub(super) struct CredentialStore {
    dir: PathBuf,
    keyring: Option<Keyring>,
}

impl CredentialStore {
    /// The store in the private folder of an account, which need not exist.
    pub(super) fn new(dir: &Path) -> Self {
        Self { dir: dir.to_owned(), keyring: None }
    }

    /// Keeps the tokens in a keyring if it can be used.
    pub(super) fn with_keyring(self, keyring: Keyring) -> Self {
        Self { keyring: Some(keyring), ..self }
    }

    /// Waits until no other process renews the tokens. The lock ends with the file.
    pub(super) async fn lock(&self) -> Result<File, Error> {
        let (dir, path) = (self.dir.clone(), self.dir.join(LOCK));
        blocking(move || {
            // The first sign-in of an account may be the first thing that is stored of it.
            std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
            let file = OpenOptions::new()
                .create(true)
                .truncate(false)
                .write(true)
                .mode(0o600)
                .open(path)?;
            file.lock()?;
            Ok(file)
        })
        .await
        .map_err(|e| failed("the sign-in cannot be locked", e))
    }

    /// What the file says: everything, or whose sign-in it is while the tokens are in the keyring.
    pub(super) async fn load_file(&self) -> Result<Credentials, Error> {
        let path = self.dir.join(FILE);
        blocking(move || read(&path)).await.map_err(|e| failed("the sign-in cannot be read", e))
    }

    /// Whether the tokens are gone from the file and are in no keyring. Reads the file; `false` if that fails.
    pub(super) fn is_empty(&self) -> bool {
        read(&self.dir.join(FILE))
            .is_ok_and(|s| !s.in_keyring && s.refresh_token.is_none() && s.skype.is_none())
    }

    pub(super) async fn load(&self) -> Result<Credentials, Error> {
        let stored = self.load_file().await?;
        if !stored.in_keyring {
            return Ok(stored);
        }
        let Some(keyring) = &self.keyring else {
            return Err(Error::signed_out(
                "the tokens are in the keyring, but keyring = \"never\" forbids using it: sign in again",
            ));
        };
        let kept = keyring.get(&stored.keyring_entry).await.map_err(|why| {
            Error::signed_out(&format!("the keyring that holds the tokens cannot be used: {why}"))
        })?;
        // Somebody has deleted it.
        let Some(kept) = kept else { return Ok(stored) };
        // The cause is left out: it can quote the entry.
        serde_json::from_slice(&kept)
            .map_err(|_| Error::signed_out("the entry in the keyring is damaged: sign in again"))
    }

    /// Replaces the credentials. When this returns, they are stored.
    ///
    /// Until the keyring has tokens, they are written to the file first, so that they are in one of the two whatever
    /// happens. If the keyring fails, the file is used instead.
    pub(super) async fn save(&self, credentials: &Credentials) -> Result<(), Error> {
        let mut credentials = credentials.clone();
        let Some(keyring) = &self.keyring else { return self.save_file(&credentials).await };
        if credentials.keyring_entry.is_empty() {
            credentials.keyring_entry = entry_name()?;
        }
        let is_moved = self.load_file().await.is_ok_and(|file| file.in_keyring);
        credentials.in_keyring = false;
        if !is_moved {
            self.save_file(&credentials).await?;
        }
        let kept = Credentials { in_keyring: true, ..credentials.clone() };
        let mut secret = Zeroizing::new(Vec::with_capacity(32 * 1024));
        serde_json::to_writer(&mut *secret, &kept)
            .map_err(|_| Error::bad_answer("the tokens cannot be stored"))?;
        match keyring.set(&kept.keyring_entry, secret).await {
            Ok(()) => self.save_file(&kept.without_tokens()).await,
            Err(why) => {
                tracing::info!(why, "the keyring is not used");
                if is_moved { self.save_file(&credentials).await } else { Ok(()) }
            }
        }
    }

    /// Deletes the tokens, and keeps what says whose they were.
    pub(super) async fn clear(&self) -> Result<bool, Error> {
        let stored = self.load_file().await?;
        let had_tokens = stored.in_keyring || stored.refresh_token.is_some();
        if stored.in_keyring
            && let Some(keyring) = &self.keyring
        {
            keyring.delete(&stored.keyring_entry).await.map_err(|why| {
                Error::signed_out(&format!("the tokens in the keyring were not deleted: {why}"))
            })?;
        }
        let kept = Credentials { user_id: stored.user_id, ..Credentials::default() };
        self.save_file(&kept).await?;
        Ok(had_tokens)
    }

    /// Whether the tokens are in the keyring, or why not.
    pub(super) async fn place(&self, stored: &Credentials) -> Result<(), String> {
        let Some(keyring) = &self.keyring else {
            return Err("the setting is keyring = \"never\"".to_owned());
        };
        if stored.in_keyring {
            Ok(())
        } else {
            Err(keyring.check().await.err().unwrap_or_default())
        }
    }

    async fn save_file(&self, credentials: &Credentials) -> Result<(), Error> {
        let (dir, credentials) = (self.dir.clone(), credentials.clone());
        blocking(move || replace(&dir, &credentials))
            .await
            .map_err(|e| failed("the sign-in cannot be stored", e))
    }
}

/// A name for an entry, which says nothing about the account.
fn entry_name() -> Result<String, Error> {
    let number = getrandom::u64().map_err(|_| Error::unavailable("no random numbers"))?;
    Ok(format!("sign-in-{number:016x}"))
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}

fn failed(what: &str, error: io::Error) -> Error {
    Error::signed_out(&format!("{what}: {error}")).caused_by(error)
}

/// Reads the credentials; empty ones if there is no file.
pub(super) fn read(path: &Path) -> io::Result<Credentials> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Credentials::default()),
        Err(e) => return Err(e),
    };
    let meta = file.metadata()?;
    let mode = meta.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        let name = path.display();
        return Err(io::Error::other(format!("others can read {name}: chmod 600 it")));
    }
    if meta.len() > MAX_SIZE {
        return Err(io::Error::other("the file is too large"));
    }
    let mut text = Zeroizing::new(Vec::with_capacity(meta.len() as usize + 1));
    io::Read::read_to_end(&mut &file, &mut text)?;
    // The cause is left out: it can quote the file.
    serde_json::from_slice(&text).map_err(|_| io::Error::other("the file is damaged"))
}

fn replace(dir: &Path, credentials: &Credentials) -> io::Result<()> {
    let mut text = Zeroizing::new(Vec::with_capacity(32 * 1024));
    serde_json::to_writer(&mut *text, credentials)?;
    let (path, fresh) = (dir.join(FILE), dir.join("sign-in.json.new"));
    match std::fs::remove_file(&fresh) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
        _ => {}
    }
    let mut file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(&fresh)?;
    file.write_all(&text)?;
    file.sync_all()?;
    std::fs::rename(&fresh, &path)?;
    File::open(dir)?.sync_all()
}

/// The owner of the sign-in in an account's folder, if there is one. For use without a connection.
pub fn stored_owner(dir: &Path) -> Option<String> {
    let stored = read(&dir.join(FILE)).ok()?;
    (!stored.user_id.is_empty()).then_some(stored.user_id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Credentials {
        Credentials {
            user_id: "8:anna.7".into(),
            refresh_token: Some(Secret::new("canary-refresh")),
            skype: Some(StoredToken::new("canary-skype", Duration::from_secs(60), 1_000)),
            ..Credentials::default()
        }
    }

    #[tokio::test]
    async fn credentials_are_read_as_they_were_stored_and_for_their_owner_only() {
        let dir = tempfile::tempdir().unwrap();
        let store = CredentialStore::new(dir.path());
        assert_eq!(store.load().await.unwrap().user_id, "");
        store.save(&sample()).await.unwrap();
        let mode = std::fs::metadata(dir.path().join(FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let read = store.load().await.unwrap();
        assert_eq!(read.refresh_token, Some(Secret::new("canary-refresh")));
        assert_eq!(stored_owner(dir.path()).as_deref(), Some("8:anna.7"));
        assert!(!format!("{read:?}").contains("canary"), "tokens are not shown");
    }

    #[tokio::test]
    async fn a_file_that_others_can_read_or_that_is_damaged_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let store = CredentialStore::new(dir.path());
        store.save(&sample()).await.unwrap();
        let path = dir.path().join(FILE);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(store.load().await.unwrap_err().message.contains("chmod 600"));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        std::fs::write(&path, "{\"refresh_token\": 5, \"x\": \"canary").unwrap();
        let error = store.load().await.unwrap_err();
        assert!(error.with_causes().contains("damaged") && !error.with_causes().contains("canary"));
    }

    fn file_text(dir: &Path) -> String {
        std::fs::read_to_string(dir.join(FILE)).unwrap()
    }

    #[tokio::test]
    async fn with_a_keyring_no_token_is_in_the_file_and_the_owner_is_known_without_it() {
        let dir = tempfile::tempdir().unwrap();
        let store = CredentialStore::new(dir.path()).with_keyring(Keyring::in_memory());
        store.save(&sample()).await.unwrap();
        store.save(&store.load().await.unwrap()).await.unwrap();
        assert!(!file_text(dir.path()).contains("canary"), "{}", file_text(dir.path()));
        let read = store.load().await.unwrap();
        assert_eq!(read.refresh_token, Some(Secret::new("canary-refresh")));
        assert_eq!(stored_owner(dir.path()).as_deref(), Some("8:anna.7"));
        assert_eq!(store.place(&read).await, Ok(()));
        assert!(store.clear().await.unwrap());
        let cleared = store.load().await.unwrap();
        assert_eq!((cleared.refresh_token, cleared.user_id.as_str()), (None, "8:anna.7"));
    }

    #[tokio::test]
    async fn without_a_keyring_in_the_session_the_file_has_the_tokens_and_it_is_said_why() {
        let dir = tempfile::tempdir().unwrap();
        let store = CredentialStore::new(dir.path()).with_keyring(Keyring::missing());
        store.save(&sample()).await.unwrap();
        let read = store.load().await.unwrap();
        assert_eq!(read.refresh_token, Some(Secret::new("canary-refresh")));
        assert_eq!(store.place(&read).await, Err("there is none in this session".to_owned()));
    }

    #[tokio::test]
    async fn a_keyring_that_is_locked_at_a_renewal_loses_no_token() {
        let dir = tempfile::tempdir().unwrap();
        let keyring = Keyring::in_memory();
        let store = CredentialStore::new(dir.path()).with_keyring(keyring.clone());
        store.save(&sample()).await.unwrap();
        let mut renewed = store.load().await.unwrap();
        renewed.refresh_token = Some(Secret::new("canary-new"));
        keyring.lock_next(&renewed.keyring_entry);
        store.save(&renewed).await.unwrap();
        let read = store.load().await.unwrap();
        assert_eq!(read.refresh_token, Some(Secret::new("canary-new")), "from the file");
        // The keyring is locked when the tokens are needed: the user is told, and nothing is changed.
        store.save(&read).await.unwrap();
        keyring.lock_next(&read.keyring_entry);
        let error = store.load().await.unwrap_err();
        assert!(error.message.contains("locked"), "{}", error.message);
        assert_eq!(store.load().await.unwrap().refresh_token, Some(Secret::new("canary-new")));
        let never = CredentialStore::new(dir.path());
        assert!(never.load().await.unwrap_err().message.contains("sign in again"));
    }

    #[test]
    fn a_token_is_valid_within_its_life_by_a_clock_that_goes_forward() {
        let token = StoredToken::new("t", Duration::from_secs(60), 100_000);
        let margin = Duration::from_secs(10);
        assert!(token.is_valid(100_000, margin));
        assert!(!token.is_valid(155_000, margin), "renewed ahead of its end");
        assert!(token.is_valid(155_000, Duration::ZERO));
        assert!(!token.is_valid(50_000, margin), "the clock was set back");
    }
}
