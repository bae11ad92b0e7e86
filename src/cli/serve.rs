//! `skchat serve`: runs a gateway.

mod files;
mod users;

use super::context::ExitError;
use super::lines;
use crate::gateway::emulation::{EmulatedService, EmulationOptions};
use crate::gateway::{self, ConnectionLimits, GatewayOptions, Origin, demo};
use clap::Args;
use std::net::SocketAddr;
use std::path::PathBuf;
use tokio::net::TcpListener;

#[derive(Debug, Args)]
pub struct ServeArgs {
    /// Address and port; port 0 takes any free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Database file; created if missing
    #[arg(long, value_name = "FILE")]
    db: PathBuf,
    /// File with lines "ID TOKEN DISPLAY NAME", mode 0600; only these users exist on the gateway
    #[arg(long, value_name = "FILE")]
    users: Option<PathBuf>,
    /// A user for tests; visible to other users of this machine
    #[arg(long = "user", value_name = "ID=TOKEN")]
    user: Vec<String>,
    /// Fill a new database with sample conversations in which people answer
    #[arg(long)]
    demo: bool,
    #[command(flatten)]
    emulation: EmulationArgs,
    /// Listen on an address that others can reach; plain http, so put TLS in front
    #[arg(long, requires = "allow_host")]
    allow_remote: bool,
    /// A host name that requests may use, besides loopback names
    #[arg(long = "allow-host", value_name = "NAME")]
    allow_host: Vec<String>,
    /// Origin of links: scheme and host [default: the origin that the caller used]
    #[arg(long, value_name = "URL", value_parser = public_url)]
    public_url: Option<Origin>,
    /// Trust X-Forwarded-Proto and X-Forwarded-For, which a reverse proxy sets
    #[arg(long)]
    behind_proxy: bool,
    /// Maximum number of connections; an eighth is reserved for signed-in users
    #[arg(long, value_name = "N", default_value_t = 512, value_parser = clap::value_parser!(u32).range(8..=100_000))]
    max_connections: u32,
}

/// Which service is imitated, and how.
#[derive(Debug, Args)]
struct EmulationArgs {
    /// Imitate a live service: its sign-in, service map and refusals; sign-ins are lost when the gateway ends
    #[arg(long = "as", value_name = "SERVICE", value_parser = ["teams-free", "teams-work"])]
    emulates: Option<String>,
    /// Requests per minute and account before a 429; only with --as
    #[arg(long, value_name = "N", requires = "emulates")]
    budget: Option<u32>,
    /// An organisation that every account belongs to, as ID=NAME; may be repeated; only with --as teams-work
    #[arg(long = "tenant", value_name = "ID=NAME", requires = "emulates")]
    tenants: Vec<String>,
}

impl EmulationArgs {
    fn emulation(&self) -> Option<EmulationOptions> {
        let kind = match self.emulates.as_deref()? {
            "teams-work" => EmulatedService::TeamsWork,
            _ => EmulatedService::TeamsFree,
        };
        let tenant = |text: &String| {
            let (id, name) = text.split_once('=').unwrap_or((text, ""));
            (id.to_owned(), name.to_owned())
        };
        let tenants: Vec<(String, String)> = self.tenants.iter().map(tenant).collect();
        let tenants = (!tenants.is_empty()).then_some(tenants);
        Some(EmulationOptions { budget: self.budget, tenants, ..EmulationOptions::new(kind) })
    }
}

fn public_url(text: &str) -> Result<Origin, String> {
    Origin::parse(text).ok_or_else(|| "expected scheme and host, without a path".to_owned())
}

/// Serves until the program is terminated.
///
/// # Errors
/// If the address is not allowed, the port is taken, or a file cannot be used.
pub async fn run(arguments: &ServeArgs) -> Result<(), ExitError> {
    if !arguments.listen.ip().is_loopback() && !arguments.allow_remote {
        return Err(ExitError::usage(format!(
            "others can reach {}; if that is what you want, add --allow-remote and --allow-host NAME",
            arguments.listen
        )));
    }
    let users = users::gather(arguments)?;
    files::make_private(&arguments.db)?;
    let _lock = files::lock(&arguments.db)?;
    let listener = TcpListener::bind(arguments.listen)
        .await
        .map_err(|e| ExitError::failed(format!("cannot listen on {}: {e}", arguments.listen)))?;
    let at = listener.local_addr().map_err(|e| ExitError::failed(e.to_string()))?;
    let options = GatewayOptions {
        db: Some(arguments.db.clone()),
        users,
        known_people_only: arguments.users.is_some(),
        allowed_hosts: arguments.allow_host.clone(),
        public_url: arguments.public_url.clone(),
        behind_proxy: arguments.behind_proxy,
        limits: ConnectionLimits {
            connections: arguments.max_connections as usize,
            ..ConnectionLimits::default()
        },
        emulates: arguments.emulation.emulation(),
        ..GatewayOptions::default()
    };
    let gateway = gateway::open(options)
        .map_err(|e| ExitError::failed(format!("{}: {e}", arguments.db.display())))?;
    if arguments.demo {
        demo::seed(&gateway).map_err(ExitError::failed)?;
        tokio::spawn(demo::answer(gateway.clone()));
    }
    lines::print_line(format!("listening on http://{at}"))?;
    tracing::info!(%at, "gateway listening");
    gateway::serve(listener, gateway, shutdown())
        .await
        .map_err(|e| ExitError::failed(e.to_string()))?;
    tracing::info!("the gateway is closed");
    Ok(())
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
