//! Reading the token: from the environment, from a file that nobody else can read or change, or from a command. Each of
//! these is limited in time and size.

use super::auth::Secret;
use super::error::Error;
use super::sign_in::SignIn;
use crate::process;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::AsyncReadExt;

/// Where the Skype token comes from. The source is read again when the server rejects the token.
#[derive(Clone, Debug)]
pub enum TokenSource {
    Fixed(Secret),
    Env(String),
    File(TokenFile),
    /// Program and arguments; the token is its first line of output.
    Command(Vec<String>),
    /// skchat signs in itself.
    SignIn(Arc<SignIn>),
}

/// A file that holds the token in its first line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenFile {
    pub path: PathBuf,
    /// The user has allowed in the configuration that others can read or replace it.
    pub shared: bool,
}

/// The user may have to type a password meanwhile.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(60);
const FILE_TIMEOUT: Duration = Duration::from_secs(10);
/// Tokens have a few kilobytes; anything longer is not a token.
const MAX_TOKEN: usize = 64 * 1024;
/// The maximum number of links that are followed.
const MAX_LINKS: usize = 40;

impl TokenSource {
    /// What the user can do about a token that is rejected.
    pub(super) fn advice(&self) -> String {
        match self {
            Self::Fixed(_) => "a new token is needed".to_owned(),
            Self::Env(name) => format!("restart skchat with a new token in {name}"),
            Self::File(file) => format!("write a new token to {}", file.path.display()),
            Self::SignIn(_) => "sign in again: Ctrl-X s, or skchat login".to_owned(),
            Self::Command(_) => "the token command has to print a new token".to_owned(),
        }
    }

    /// Reads the token.
    ///
    /// # Errors
    /// Of the kind `SignedOut`, with what the user can do.
    pub(super) async fn read(&self) -> Result<Secret, Error> {
        let text = match self {
            Self::Fixed(secret) => return Ok(secret.clone()),
            Self::SignIn(sign_in) => return Ok(sign_in.skype_token(None).await?.token),
            // The error is not kept as the source, because it can contain the value.
            Self::Env(name) => std::env::var(name).map_err(|_| {
                Error::signed_out(&format!("the environment variable {name} is not set"))
            })?,
            Self::File(file) => {
                let file = file.clone();
                // Not on a thread of the runtime: a file system may not answer.
                let read = tokio::task::spawn_blocking(move || file.read());
                let text = tokio::time::timeout(FILE_TIMEOUT * 2, read).await;
                text.map_err(|_| Error::signed_out("the token file could not be read in time"))?
                    .map_err(|_| Error::signed_out("the token file cannot be read"))??
            }
            Self::Command(argv) => run(argv).await?,
        };
        let line = text.lines().next().unwrap_or_default().trim();
        if line.is_empty() {
            return Err(Error::signed_out("the token is empty"));
        }
        Ok(Secret::new(line))
    }
}

impl TokenFile {
    /// Checks who else can read or replace the file.
    ///
    /// # Errors
    /// What is wrong, with the command that fixes it; or that the file is missing.
    pub fn check(&self) -> Result<(), String> {
        self.open().map(drop)
    }

    fn open(&self) -> Result<OwnedFd, String> {
        let name = self.path.display();
        // A pipe that nobody writes to must not be waited for.
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
        let file = rustix::fs::open(&self.path, flags, Mode::empty())
            .map_err(|e| format!("the token file {name} cannot be read: {}", io::Error::from(e)))?;
        if self.shared {
            return Ok(file);
        }
        let stat = rustix::fs::fstat(&file)
            .map_err(|e| format!("the token file {name} cannot be read: {}", io::Error::from(e)))?;
        if !is_trusted(stat.st_uid) {
            return Err(format!(
                "the token file {name} belongs to another user; run: sudo chown $(id -u) {}",
                quoted(&self.path)
            ));
        }
        if stat.st_mode & 0o077 != 0 {
            return Err(format!(
                "other users have access to the token file {name}; run: chmod 600 {} \
                 (or allow it: token = {{ file = \"…\", allow_access_by_others = true }})",
                quoted(&self.path)
            ));
        }
        for folder in folders(&self.path) {
            check_folder(&folder)?;
        }
        Ok(file)
    }

    fn read(&self) -> Result<String, Error> {
        let file = self.open().map_err(|why| Error::signed_out(&why))?;
        let bytes = read_within(&file, FILE_TIMEOUT).map_err(|e| {
            let message = format!("the token file {} cannot be read: {e}", self.path.display());
            Error::signed_out(&message)
        })?;
        String::from_utf8(bytes).map_err(|_| Error::signed_out("the token file is not text"))
    }
}

/// Whether this user or the system's owns something.
fn is_trusted(owner: u32) -> bool {
    owner == 0 || owner == rustix::process::geteuid().as_raw()
}

/// Every folder through which a path leads, those of links included.
fn folders(path: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    for _ in 0..MAX_LINKS {
        found.extend(path.ancestors().skip(1).map(Path::to_owned));
        let Ok(target) = std::fs::read_link(&path) else { break };
        path = path.parent().map_or_else(|| target.clone(), |folder| folder.join(&target));
    }
    // Links among the folders themselves.
    if let Ok(real) = path.canonicalize() {
        found.extend(real.ancestors().skip(1).map(Path::to_owned));
    }
    found.sort();
    found.dedup();
    found
}

/// In a folder that others can write, a file can be replaced. Where it is sticky, as in the one for temporary files,
/// it cannot.
fn check_folder(folder: &Path) -> Result<(), String> {
    const STICKY: u32 = 0o1000;
    // The folder itself, if this is a link to it.
    let folder = &folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let name = folder.display();
    let meta = std::fs::metadata(folder).map_err(|e| format!("{name}: {e}"))?;
    let writable = meta.mode() & 0o022 != 0 && meta.mode() & STICKY == 0;
    if writable || !is_trusted(meta.uid()) {
        return Err(format!(
            "other users can replace the token file, because they can write to {name}; run: chmod go-w {}",
            quoted(folder)
        ));
    }
    Ok(())
}

/// A path, quoted for a shell.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_alphanumeric() || "/._-+@%,:".contains(c);
    if text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

/// Reads all of a file or a pipe, limited in time and size.
fn read_within(file: &OwnedFd, time: Duration) -> io::Result<Vec<u8>> {
    let until = Instant::now() + time;
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let left = Timespec::try_from(left).map_err(|_| io::ErrorKind::TimedOut)?;
        let mut fds = [PollFd::new(file, PollFlags::IN)];
        match poll(&mut fds, Some(&left)) {
            Ok(0) => {
                return Err(io::Error::new(io::ErrorKind::TimedOut, "no program is writing to it"));
            }
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => continue,
            Err(e) => return Err(e.into()),
        }
        match rustix::io::read(file, &mut buffer) {
            Ok(0) => return Ok(bytes),
            Ok(count) => bytes.extend_from_slice(buffer.get(..count).unwrap_or_default()),
            Err(rustix::io::Errno::INTR | rustix::io::Errno::AGAIN) => {}
            Err(e) => return Err(e.into()),
        }
        if bytes.len() > MAX_TOKEN {
            return Err(io::Error::other("it is larger than 64 KiB"));
        }
    }
}

async fn run(argv: &[String]) -> Result<String, Error> {
    let (program, arguments) =
        argv.split_first().ok_or_else(|| Error::signed_out("the token command is empty"))?;
    let mut command = tokio::process::Command::from(process::command(program));
    command.args(arguments).kill_on_drop(true);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = process::with_all_signals(|| command.spawn())
        .map_err(|e| Error::signed_out("the token command cannot be started").caused_by(e))?;
    let mut bytes = Vec::new();
    let work = async {
        if let Some(out) = child.stdout.take() {
            out.take(MAX_TOKEN as u64 + 1).read_to_end(&mut bytes).await?;
        }
        if bytes.len() > MAX_TOKEN { Ok(None) } else { child.wait().await.map(Some) }
    };
    match tokio::time::timeout(COMMAND_TIMEOUT, work).await {
        Ok(Ok(Some(status))) if status.success() => {
            Ok(String::from_utf8_lossy(&bytes).into_owned())
        }
        Ok(Ok(Some(_))) => Err(Error::signed_out("the token command failed")),
        Ok(Ok(None)) => Err(Error::signed_out("the token command prints more than 64 KiB")),
        Ok(Err(e)) => Err(Error::signed_out("the token command cannot be read").caused_by(e)),
        Err(_) => Err(Error::signed_out("the token command did not finish within a minute")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn file(dir: &Path, name: &str, mode: u32) -> TokenFile {
        let path = dir.join(name);
        std::fs::write(&path, "secret\n").unwrap();
        chmod(&path, mode);
        TokenFile { path, shared: false }
    }

    fn chmod(path: &Path, mode: u32) {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_token_file_that_others_can_read_is_refused_with_the_command_that_mends_it() {
        let dir = tempfile::tempdir().unwrap();
        for mode in [0o600, 0o400, 0o700] {
            assert_eq!(file(dir.path(), &format!("{mode:o}"), mode).check(), Ok(()));
        }
        for mode in [0o640, 0o604, 0o620, 0o602, 0o644, 0o610] {
            let mut wide = file(dir.path(), &format!("{mode:o}"), mode);
            let why = wide.check().unwrap_err();
            let command = format!("chmod 600 {}", wide.path.display());
            assert!(why.contains(&command), "{why}");
            chmod(&wide.path, 0o600);
            assert_eq!(wide.check(), Ok(()), "the command mends it");
            chmod(&wide.path, mode);
            wide.shared = true;
            assert_eq!(wide.check(), Ok(()), "it was allowed in words");
        }
        let spaced = file(dir.path(), "it's mine", 0o644);
        assert!(spaced.check().unwrap_err().contains(r"it'\''s mine'"));
    }

    #[test]
    fn a_token_file_in_a_folder_that_others_can_write_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let (outer, inner) = (dir.path().join("outer"), dir.path().join("outer/inner"));
        std::fs::create_dir_all(&inner).unwrap();
        let token = file(&inner, "token", 0o600);
        let link = TokenFile { path: dir.path().join("link"), shared: false };
        symlink(&token.path, &link.path).unwrap();
        let folder_link = dir.path().join("folder");
        symlink(&inner, &folder_link).unwrap();
        let through_folder = TokenFile { path: folder_link.join("token"), shared: false };
        let all = [&token, &link, &through_folder];
        for token in all {
            assert_eq!(token.check(), Ok(()));
        }
        for folder in [&inner, &outer] {
            for mode in [0o777, 0o770, 0o757] {
                chmod(folder, mode);
                for token in all {
                    let why = token.check().unwrap_err();
                    assert!(why.contains(&format!("chmod go-w {}", folder.display())), "{why}");
                }
            }
            chmod(folder, 0o1777);
            assert_eq!(token.check(), Ok(()), "nobody else can replace it there");
            chmod(folder, 0o755);
        }
        assert_eq!(token.check(), Ok(()));
    }

    #[tokio::test]
    async fn a_source_is_read_with_a_cap() {
        let dir = tempfile::tempdir().unwrap();
        let token = file(dir.path(), "token", 0o600);
        let read = |file: &TokenFile| TokenSource::File(file.clone());
        assert_eq!(read(&token).read().await.unwrap(), Secret::new("secret"));
        std::fs::write(&token.path, "x".repeat(MAX_TOKEN + 1)).unwrap();
        assert!(read(&token).read().await.unwrap_err().message.contains("64 KiB"));
        let endless = TokenFile { path: "/dev/zero".into(), shared: true };
        assert!(read(&endless).read().await.unwrap_err().message.contains("64 KiB"));
        let words = |words: &[&str]| {
            TokenSource::Command(words.iter().map(|word| (*word).to_owned()).collect())
        };
        assert_eq!(words(&["echo", "abc"]).read().await.unwrap(), Secret::new("abc"));
        let endless = words(&["cat", "/dev/zero"]).read().await.unwrap_err();
        assert!(endless.message.contains("64 KiB"), "{endless}");
        assert!(words(&["false"]).read().await.unwrap_err().message.contains("failed"));
        assert!(words(&["/nowhere/at/all"]).read().await.is_err());
    }

    #[test]
    fn a_pipe_without_a_writer_is_not_waited_for_for_ever() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pipe");
        let (kind, mode) = (rustix::fs::FileType::Fifo, Mode::RUSR | Mode::WUSR);
        rustix::fs::mknodat(rustix::fs::CWD, &path, kind, mode, 0).unwrap();
        let pipe = TokenFile { path, shared: false }.open().unwrap();
        let error = read_within(&pipe, Duration::from_millis(50)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}
