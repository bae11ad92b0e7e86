//! `skchat serve`: the gateway by itself.

use super::context::ExitError;
use crate::gateway::{self, GatewayOptions, GatewayUser, demo};
use crate::model::UserId;
use clap::Args;
use std::io::Write;
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use tokio::net::TcpListener;

#[derive(Debug, Args)]
pub struct ServeArgs {
    /// Address and port; port 0 takes any free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Database file; made when missing
    #[arg(long, value_name = "FILE")]
    db: PathBuf,
    /// File with lines "ID TOKEN DISPLAY NAME", mode 0600
    #[arg(long, value_name = "FILE")]
    users: Option<PathBuf>,
    /// A user for tests; visible to other users of this machine
    #[arg(long = "user", value_name = "ID=TOKEN")]
    user: Vec<String>,
    /// Fill a new database with sample conversations, whose people answer
    #[arg(long)]
    demo: bool,
    /// Listen on an address that is not this machine's own; plain http, so put TLS in front
    #[arg(long, requires = "allow_host")]
    allow_remote: bool,
    /// A host name requests may carry, with --allow-remote
    #[arg(long = "allow-host", value_name = "NAME")]
    allow_host: Vec<String>,
}

/// Serves until it is told to stop.
///
/// # Errors
/// When the address is refused, the port is taken, or a file cannot be used.
pub async fn run(arguments: &ServeArgs) -> Result<(), ExitError> {
    if !arguments.listen.ip().is_loopback() && !arguments.allow_remote {
        return Err(ExitError::usage(format!(
            "{} is not an address of this machine alone; give --allow-remote and --allow-host NAME if you mean it",
            arguments.listen
        )));
    }
    make_private(&arguments.db)?;
    let _lock = lock(&arguments.db)?;
    let listener = TcpListener::bind(arguments.listen)
        .await
        .map_err(|e| ExitError::failed(format!("cannot listen on {}: {e}", arguments.listen)))?;
    let users = users(arguments)?;
    let at = listener.local_addr().map_err(|e| ExitError::failed(e.to_string()))?;
    let options = GatewayOptions {
        db: Some(arguments.db.clone()),
        users,
        allowed_hosts: arguments.allow_host.clone(),
        ..GatewayOptions::default()
    };
    let gateway = gateway::open(options)
        .map_err(|e| ExitError::failed(format!("{}: {e}", arguments.db.display())))?;
    if arguments.demo {
        demo::seed(&gateway).map_err(ExitError::failed)?;
        tokio::spawn(demo::answer(gateway.clone()));
    }
    println!("listening on http://{at}");
    let _ = std::io::stdout().flush();
    gateway::serve(listener, gateway, shutdown())
        .await
        .map_err(|e| ExitError::failed(e.to_string()))
}

async fn shutdown() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut term), Ok(mut hup)) =
        (signal(SignalKind::terminate()), signal(SignalKind::hangup()))
    else {
        return;
    };
    tokio::select! {
        _ = term.recv() => {}
        _ = hup.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}

fn users(arguments: &ServeArgs) -> Result<Vec<GatewayUser>, ExitError> {
    let mut users = Vec::new();
    if let Some(file) = &arguments.users {
        let text = std::fs::read_to_string(file)
            .map_err(|e| ExitError::usage(format!("{} cannot be read: {e}", file.display())))?;
        refuse_wide(file)?;
        for (i, line) in
            text.lines().enumerate().filter(|(_, l)| !l.trim().is_empty() && !l.starts_with('#'))
        {
            let user = user_of_line(line).ok_or_else(|| {
                let message = "a line is \"ID TOKEN DISPLAY NAME\"";
                ExitError::usage(format!("{}:{}: {message}", file.display(), i + 1))
            })?;
            users.push(user);
        }
    }
    for pair in &arguments.user {
        let (id, token) = pair
            .split_once('=')
            .filter(|(id, token)| id.contains(':') && !token.is_empty())
            .ok_or_else(|| ExitError::usage("--user takes ID=TOKEN, such as 8:anna.7=secret"))?;
        users.push(GatewayUser {
            id: UserId::new(id),
            token: token.to_owned(),
            name: demo::name_of(id),
        });
    }
    if arguments.users.is_none() && arguments.user.is_empty() {
        users = fresh_users(&arguments.db)?;
    } else if arguments.demo {
        // Those who answer need not sign in, but they have names.
        for user in demo::users() {
            if users.iter().all(|known| known.id != user.id) {
                users.push(user);
            }
        }
    }
    Ok(users)
}

/// `ID TOKEN DISPLAY NAME`, with any white space between them.
fn user_of_line(line: &str) -> Option<GatewayUser> {
    let (id, rest) = line.trim().split_once(char::is_whitespace)?;
    let rest = rest.trim_start();
    let (token, name) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let valid = id.contains(':') && !token.is_empty();
    valid.then(|| GatewayUser {
        id: UserId::new(id),
        token: token.to_owned(),
        name: name.trim().to_owned(),
    })
}

/// The database holds everyone's messages: made for this user only.
fn make_private(db: &Path) -> Result<(), ExitError> {
    let made = std::fs::OpenOptions::new().create(true).append(true).mode(0o600).open(db);
    made.map(drop).map_err(|e| ExitError::failed(format!("{}: {e}", db.display())))
}

/// One gateway on one database: a second one's messages would not reach the clients of the first.
fn lock(db: &Path) -> Result<std::fs::File, ExitError> {
    let mut name = db.as_os_str().to_owned();
    name.push(".lock");
    let path = PathBuf::from(name);
    let fail = |e: &dyn std::fmt::Display| ExitError::failed(format!("{}: {e}", path.display()));
    let file = std::fs::OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(&path)
        .map_err(|e| fail(&e))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => {
            Err(ExitError::failed(format!("another gateway serves {} already", db.display())))
        }
        Err(std::fs::TryLockError::Error(e)) => Err(fail(&e)),
    }
}

fn refuse_wide(file: &Path) -> Result<(), ExitError> {
    use std::os::unix::fs::MetadataExt;
    let mode = std::fs::metadata(file).map_err(|e| ExitError::usage(e.to_string()))?.mode();
    if mode & 0o077 != 0 {
        return Err(ExitError::usage(format!(
            "{} can be read by others: chmod 600 it",
            file.display()
        )));
    }
    Ok(())
}

/// A random token for each sample user, in `FILE.users`, which only this user can read. An existing one is kept.
fn fresh_users(db: &Path) -> Result<Vec<GatewayUser>, ExitError> {
    let mut name = db.as_os_str().to_owned();
    name.push(".users");
    let file = PathBuf::from(name);
    let fail = |e: std::io::Error| ExitError::failed(format!("{}: {e}", file.display()));
    let users = if let Ok(text) = std::fs::read_to_string(&file) {
        refuse_wide(&file)?;
        text.lines().filter_map(user_of_line).collect()
    } else {
        let users = demo::users();
        let mut out = std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&file)
            .map_err(fail)?;
        for user in &users {
            writeln!(out, "{} {} {}", user.id.as_str(), user.token, user.name).map_err(fail)?;
        }
        users
    };
    eprintln!("tokens of the users are in {}", file.display());
    Ok(users)
}
