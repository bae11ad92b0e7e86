//! `skchat doctor`: checks the installation, shows which parts of histories are stored, and recovers a damaged store.

mod live;

use super::context::{ExitError, STORE, Session, lock};
use super::lines;
use crate::model::{Names, ReadMarker, SafeText, Timestamp};
use crate::protocol::{decode, wire};
use crate::store::{self, ReadOnly, StoreError};
use clap::Args;
use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// Show which parts of each conversation's history are stored, and what is missing
    #[arg(long)]
    history: bool,
    /// Copy what can be read of a damaged store to a new one; the damaged file is kept
    #[arg(long, conflicts_with = "history")]
    salvage: bool,
    /// Print one JSON object per line
    #[arg(long, conflicts_with_all = ["history", "salvage"])]
    json: bool,
    /// Print only which checks passed, to share with others: no names, ids, addresses or paths
    #[arg(long, conflicts_with_all = ["history", "salvage", "json"])]
    report: bool,
}

/// The result of one check.
enum Finding {
    Pass(String),
    Warn(String),
    Fail(String),
}

impl Finding {
    /// The status, what was checked, and what was found.
    fn parts(&self) -> (&'static str, &str, &str) {
        let (status, text) = match self {
            Self::Pass(text) => ("PASS", text),
            Self::Warn(text) => ("WARN", text),
            Self::Fail(text) => ("FAIL", text),
        };
        let (check, found) = text.split_once(": ").unwrap_or((text, ""));
        (status, check, found)
    }
}

/// Runs all checks. `screen` holds those that only the screen can make: what was checked, and what was found or what is
/// wrong.
///
/// # Errors
/// When a check fails; the printed lines say which.
pub async fn run(
    session: &Session,
    arguments: &DoctorArgs,
    screen: Vec<(&str, Result<String, String>)>,
) -> Result<(), ExitError> {
    let file = session.dir.join(STORE);
    if arguments.salvage {
        return salvage(&session.dir, &file);
    }
    if arguments.history {
        return history(session, &file);
    }
    let mut found = vec![Finding::Pass("configuration: no errors".into())];
    found.extend(folder(&session.dir));
    found.extend(
        store::network_file_system(&session.dir)
            .map(|kind| Finding::Warn(format!("file system: {}", store::network_advice(kind)))),
    );
    found.extend(screen.into_iter().map(|(check, result)| match result {
        Ok(text) => Finding::Pass(format!("{check}: {text}")),
        Err(why) => Finding::Warn(format!("{check}: {why}")),
    }));
    found.push(stored(&file));
    found.extend(heard(&file));
    found.extend(live::findings(session).await?);
    let signed_out = session.me.as_str().is_empty();
    if !signed_out {
        found.push(gateway(session).await);
    }
    let service = session.account.service.as_deref().unwrap_or("local");
    if arguments.report {
        let own = session.config.services.contains_key(service);
        let service = if own { "changed" } else { service };
        println!(
            "skchat {} on {}, service {service}",
            env!("CARGO_PKG_VERSION"),
            std::env::consts::OS
        );
    }
    let lines = found.iter().map(|finding| {
        let (status, check, text) = finding.parts();
        if arguments.json {
            serde_json::json!({ "status": status, "check": check, "found": text }).to_string()
        } else if arguments.report {
            format!("{status}  {check}")
        } else {
            format!("{status}  {check}: {text}")
        }
    });
    lines::print(lines.map(|line| lines::clean(&line)))
        .map_err(|e| ExitError::failed(e.to_string()))?;
    if found.iter().any(|finding| matches!(finding, Finding::Fail(_))) {
        return Err(ExitError::failed("some checks failed"));
    }
    Ok(())
}

/// The folder must be writable, and other users must not be able to read it.
fn folder(dir: &Path) -> Option<Finding> {
    let name = dir.display();
    let meta = match std::fs::metadata(dir) {
        Ok(meta) => meta,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
        Err(error) => return Some(Finding::Fail(format!("folder: {name}: {error}"))),
    };
    if !meta.is_dir() {
        return Some(Finding::Fail(format!("folder: {name} is a file")));
    }
    let probe = dir.join(".probe");
    let written = std::fs::write(&probe, b"").and_then(|()| std::fs::remove_file(&probe));
    if let Err(error) = written {
        return Some(Finding::Fail(format!(
            "folder: {name} cannot be written: {error}; --read-only shows what is stored"
        )));
    }
    let others = meta.permissions().mode() & 0o77;
    Some(if others == 0 {
        Finding::Pass(format!("folder: {name}, not readable by others"))
    } else {
        Finding::Warn(format!("folder: {name} can be read by others; chmod 700 fixes that"))
    })
}

fn stored(file: &Path) -> Finding {
    let name = file.display();
    let has_log = with_suffix(file, "-wal").exists();
    if !file.exists() && !has_log {
        return Finding::Warn(format!(
            "store: {name} does not exist yet; the first start creates it"
        ));
    }
    if std::fs::metadata(file).is_ok_and(|m| m.len() == 0) && !has_log {
        return Finding::Warn(format!("store: {name} is empty; the next start fills it"));
    }
    let writable = std::fs::OpenOptions::new().write(true).open(file);
    if let Err(error) = writable {
        return Finding::Fail(format!("store: {name} cannot be written: {error}"));
    }
    let checked = store::open_read_only(file)
        .and_then(|store| Ok((store.check()?, store.unplaced().unwrap_or(0))));
    match checked {
        Ok((_, unplaced)) if unplaced > 0 => Finding::Warn(format!(
            "store: {name} is sound, but {} of the server could not be placed in any conversation",
            lines::count(unplaced, "item")
        )),
        Ok((counts, _)) => Finding::Pass(format!(
            "store: {name} is sound; {} in {}, {} waiting to be sent",
            lines::count(counts.messages, "message"),
            lines::count(counts.conversations, "conversation"),
            counts.outbox
        )),
        Err(StoreError::Older) => Finding::Warn(format!(
            "store: {name} is from an older skchat; it is upgraded at the next start, and a copy is kept"
        )),
        Err(error) => Finding::Fail(format!("store: {name}: {error}")),
    }
}

/// When news last came from the service; `None` without a store.
fn heard(file: &Path) -> Option<Finding> {
    let store = store::open_read_only(file).ok()?;
    Some(match store.last_heard().ok()? {
        Some(at) => Finding::Pass(format!(
            "messages: last checked at {} (recorded once a minute)",
            at.rfc3339()
        )),
        None => Finding::Warn("messages: never checked; open skchat to begin".to_owned()),
    })
}

async fn gateway(session: &Session) -> Finding {
    let client = match session.client() {
        Ok(client) => client,
        Err(error) => return Finding::Fail(format!("gateway: {error}")),
    };
    let name = SafeText::line(&client.address());
    match client.conversations(1).await {
        Ok(_) => Finding::Pass(format!("gateway: {name} answers and accepts the token")),
        Err(error) => Finding::Fail(format!("gateway: {name}: {}", error.with_causes())),
    }
}

fn history(session: &Session, file: &Path) -> Result<(), ExitError> {
    if !file.exists() {
        return lines::print_line("nothing is stored yet");
    }
    let failed = |e: StoreError| ExitError::failed(format!("{}: {e}", file.display()));
    let store = store::open_read_only(file).map_err(failed)?;
    let mut names = Names::default();
    for (id, source, name) in store.names().map_err(failed)? {
        names.learn(&id, source, &name);
    }
    let mut out = Vec::new();
    for cached in store.conversations(&session.me).map_err(failed)? {
        out.push(coverage(session, &store, &names, &cached).map_err(failed)?);
    }
    if out.is_empty() {
        out.push("nothing is stored yet".to_owned());
    }
    lines::print(out.into_iter()).map_err(|e| ExitError::failed(e.to_string()))
}

/// Describes which parts of a conversation's history are stored, what is missing, and how far it was read.
fn coverage(
    session: &Session,
    store: &ReadOnly,
    names: &Names,
    cached: &store::CachedConversation,
) -> Result<String, StoreError> {
    let id = &cached.raw.id;
    let conversation = decode::conversation(&cached.raw, &session.me);
    let thread = store.thread_json(id)?.and_then(|json| wire::thread(&json).ok());
    let title = lines::title(&conversation, names, thread.as_ref(), &session.me);
    let (coverage, count) = store.coverage(id)?;
    let mut text = format!("{title}  {}\n", SafeText::line(id.as_str()));
    let (Some(first), Some(top)) = (coverage.ranges().first(), coverage.top()) else {
        text.push_str("  no messages stored");
        return Ok(text);
    };
    let beginning = if coverage.reached_start() {
        ", from the beginning"
    } else {
        ", unknown whether there are older ones"
    };
    let _ = write!(
        text,
        "  {}, {} to {}{beginning}",
        lines::count(count, "message"),
        when(first.lo.at),
        when(top.at)
    );
    for gap in coverage.gaps() {
        let what =
            if gap.closed { "not kept by the server" } else { "unknown, will be requested again" };
        let _ =
            write!(text, "\n  {what}: after {}, before {}", when(gap.below.at), when(gap.above.at));
    }
    let when_read = |read_marker: &Option<ReadMarker>| {
        read_marker.as_ref().map_or_else(|| "nothing".to_owned(), |h| when(h.arrival))
    };
    let _ = write!(
        text,
        "\n  read here: up to {}; known to the server: up to {}; unread: {}",
        when_read(&cached.read_marker),
        when_read(&conversation.read_marker),
        cached.unread.messages
    );
    Ok(text)
}

fn when(at: Timestamp) -> String {
    at.rfc3339()
}

/// Recovers a damaged store. The damaged file is renamed, and the copy takes its place.
fn salvage(dir: &Path, file: &Path) -> Result<(), ExitError> {
    let _lock = lock(dir)?;
    match store::open_read_only(file).and_then(|store| store.check()) {
        Ok(_) => {
            return lines::print_line("the store is sound; nothing was done");
        }
        Err(StoreError::Older) => {
            return lines::print_line(
                "the store is from an older skchat; start skchat to upgrade it",
            );
        }
        Err(error @ StoreError::Newer(_)) => {
            return Err(ExitError::failed(format!("{}: {error}", file.display())));
        }
        Err(_) => {}
    }
    let failed = |what: &Path, e: &dyn std::fmt::Display| {
        ExitError::failed(format!("{}: {e}", what.display()))
    };
    let copy = dir.join("store.salvaged.db");
    for suffix in ["", "-wal", "-shm"] {
        // Left over from an interrupted recovery.
        let _ = std::fs::remove_file(with_suffix(&copy, suffix));
    }
    let saved = store::salvage(file, &copy).map_err(|e| failed(file, &e))?;
    let aside =
        (1..1_000).map(|n| dir.join(format!("store.damaged-{n}.db"))).find(|path| !path.exists());
    let aside =
        aside.ok_or_else(|| ExitError::failed("there are too many damaged stores already"))?;
    for suffix in ["-wal", "-shm", ""] {
        let from = with_suffix(file, suffix);
        if from.exists() {
            std::fs::rename(&from, with_suffix(&aside, suffix)).map_err(|e| failed(&from, &e))?;
        }
    }
    for suffix in ["-wal", ""] {
        let from = with_suffix(&copy, suffix);
        if from.exists() {
            std::fs::rename(&from, with_suffix(file, suffix)).map_err(|e| failed(&from, &e))?;
        }
    }
    let count = lines::count;
    lines::print_line(format!(
        "recovered {} in {}, {}, {}; {} could not be read",
        count(saved.messages, "message"),
        count(saved.conversations, "conversation"),
        count(saved.drafts, "draft"),
        count(saved.outbox, "unsent message"),
        count(saved.unreadable, "place")
    ))?;
    if saved.messages == 0 {
        lines::print_line("messages that the gateway still has are fetched at the next start")?;
    }
    lines::print_line(lines::clean(&format!("the damaged store is kept as {}", aside.display())))
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}
