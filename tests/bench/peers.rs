//! Other terminal chat clients in the same run: irssi, WeeChat and tiny, where they are installed. They speak IRC, so a
//! small IRC server on loopback gives each the same thousand messages.

use crate::Typed;
use crate::process::{resident, threads};
use crate::terminal::Terminal;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Messages in the channel.
const HISTORY: usize = 1_000;
const LAST: &str = "the last of them";

/// How a client is started.
struct Peer {
    program: &'static str,
    /// Its arguments; `{}` is its folder.
    arguments: &'static [&'static str],
    /// Its file in that folder, and what is in it; `{port}` is that of the server.
    file: &'static str,
    config: &'static str,
    /// What shows that the channel is there.
    joined: &'static str,
    /// Keys that go to it then.
    channel_keys: &'static str,
    /// The prompt before the typed text.
    prompt: &'static str,
}

const PEERS: [Peer; 3] = [
    Peer {
        program: "irssi",
        arguments: &["--home", "{}"],
        file: "config",
        config: "servers = ( { address = \"127.0.0.1\"; chatnet = \"bench\"; port = \"{port}\"; autoconnect = \"yes\"; \
                 use_tls = \"no\"; } );\nchatnets = { bench = { type = \"IRC\"; nick = \"me\"; }; };\n\
                 channels = ( { name = \"#bench\"; chatnet = \"bench\"; autojoin = \"yes\"; } );\n\
                 settings = { core = { real_name = \"me\"; user_name = \"me\"; nick = \"me\"; }; };\n",
        joined: "Act: 2",
        channel_keys: "\x1b2",
        prompt: "[#bench] ",
    },
    Peer {
        program: "weechat",
        arguments: &["-d", "{}"],
        file: "irc.conf",
        config: "[server]\nbench.addresses = \"127.0.0.1/{port}\"\nbench.autoconnect = on\n\
                 bench.autojoin = \"#bench\"\nbench.nicks = \"me\"\nbench.tls = off\nbench.ssl = off\n",
        joined: "#bench",
        channel_keys: "",
        prompt: "[me] ",
    },
    Peer {
        program: "tiny",
        arguments: &["--config", "{}/config.yml"],
        file: "config.yml",
        config: "servers:\n  - addr: 127.0.0.1\n    port: {port}\n    tls: false\n    realname: me\n    nicks: [me]\n    \
                 join: [\"#bench\"]\ndefaults:\n  nicks: [me]\n  realname: me\n  join: []\n  tls: false\n",
        joined: "#bench",
        channel_keys: "\x1b3",
        prompt: "me: ",
    },
];

/// The program of this name in `PATH`.
fn installed(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// A client that runs.
pub struct Running {
    name: &'static str,
    /// From its start to the last message of the channel.
    ready: Duration,
    /// Its configuration.
    _home: tempfile::TempDir,
}

/// Starts each client that is installed, and says which are not.
pub fn start() -> Vec<(Running, Typed)> {
    let mut running = Vec::new();
    for peer in &PEERS {
        match installed(peer.program) {
            Some(program) => running.push(start_one(peer, &program)),
            None => println!("{} is not installed", peer.program),
        }
    }
    running
}

fn start_one(peer: &Peer, program: &Path) -> (Running, Typed) {
    let home = tempfile::tempdir().expect("a folder");
    let folder = home.path().to_str().expect("a readable path");
    let port = serve();
    let config = peer.config.replace("{port}", &port.to_string());
    std::fs::write(home.path().join(peer.file), config).expect("a folder that can be written");
    let arguments: Vec<String> = peer.arguments.iter().map(|a| a.replace("{}", folder)).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut terminal = Terminal::start(program, &arguments, &[("HOME", folder)], 120, 40);
    terminal.wait_for(peer.joined);
    terminal.send(peer.channel_keys);
    let ready = terminal.after_start(terminal.wait_for(LAST));
    (Running { name: peer.program, ready, _home: home }, Typed::new(terminal, peer.prompt))
}

/// Prints a line for each client. `ours` is the median of skchat, in milliseconds.
pub fn print<'a>(ours: f64, peers: impl Iterator<Item = (&'a Running, &'a Typed)>) {
    println!("\nother clients, 1,000 messages, typed every 25 to 55 ms:");
    for (peer, typed) in peers {
        let (cpu, bytes) = typed.costs();
        println!(
            "  {:<8} ready {:6.1} ms; key p50 {:.3} p95 {:.3} ms (skchat / this: {:.2}), {cpu:.0} ms of \
             processor time per 1,000 keys, {bytes:.0} bytes a key; {:.1} MiB, {} threads",
            peer.name,
            peer.ready.as_secs_f64() * 1000.0,
            typed.percentile(0.5),
            typed.percentile(0.95),
            ours / typed.percentile(0.5),
            resident(typed.pid()),
            threads(typed.pid())
        );
    }
}

/// Starts an IRC server for one client, as far as these clients need one, and gives its port.
fn serve() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        if let Ok((stream, _)) = listener.accept() {
            // It ends when the client does.
            let _ = answer(stream);
        }
    });
    port
}

fn answer(stream: TcpStream) -> std::io::Result<()> {
    let mut output = stream.try_clone()?;
    let (mut user, mut nick, mut negotiates, mut welcomed) = (false, false, false, false);
    for line in BufReader::new(stream).lines() {
        let line = line?;
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["CAP", "LS", ..] => {
                negotiates = true;
                output.write_all(b":bench CAP * LS :\r\n")?;
            }
            ["CAP", "END", ..] => negotiates = false,
            ["NICK", ..] => nick = true,
            ["USER", ..] => user = true,
            ["PING", rest @ ..] => write!(output, ":bench PONG bench {}\r\n", rest.join(" "))?,
            ["JOIN", "#bench", ..] if welcomed => output.write_all(channel().as_bytes())?,
            ["QUIT", ..] => return Ok(()),
            _ => {}
        }
        if user && nick && !negotiates && !welcomed {
            welcomed = true;
            output.write_all(
                b":bench 001 me :Welcome\r\n:bench 004 me bench 1 i nt\r\n\
                  :bench 005 me CHANTYPES=# NETWORK=bench :are supported\r\n\
                  :bench 375 me :- bench\r\n:bench 376 me :End of MOTD\r\n",
            )?;
        }
    }
    Ok(())
}

/// What a client gets when it joins.
fn channel() -> String {
    let mut text = String::from(
        ":me!me@127.0.0.1 JOIN #bench\r\n:bench 353 me = #bench :me joe\r\n\
         :bench 366 me #bench :End of NAMES\r\n",
    );
    for n in 0..HISTORY {
        text.push_str(&format!(
            ":joe!joe@127.0.0.1 PRIVMSG #bench :message {n} with a few more words in it\r\n"
        ));
    }
    text.push_str(&format!(":joe!joe@127.0.0.1 PRIVMSG #bench :{LAST}\r\n"));
    text
}
