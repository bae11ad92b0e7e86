//! `skchat serve` in its own process, and plain HTTP/1.1 to talk to it: small enough not to distort measurements.
#![expect(dead_code, reason = "each program uses its own part of this")]

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// A gateway process. It is killed when this is dropped.
pub struct Served {
    child: Child,
    pub address: String,
}

impl Served {
    /// Starts it on a free port, with the files `gateway.db` and `users` in `dir`.
    pub fn start(program: &Path, dir: &Path, more: &[&str]) -> Self {
        Self::start_on("127.0.0.1:0", program, dir, more)
    }

    pub fn start_on(listen: &str, program: &Path, dir: &Path, more: &[&str]) -> Self {
        use std::io::BufRead;
        let mut child = Command::new(program)
            .args(["serve", "--listen", listen, "--db"])
            .arg(dir.join("gateway.db"))
            .arg("--users")
            .arg(dir.join("users"))
            .args(more)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the gateway starts");
        let mut line = String::new();
        let mut out = io::BufReader::new(child.stdout.take().expect("its output"));
        out.read_line(&mut line).expect("a line");
        let address = line.trim().strip_prefix("listening on http://").map(str::to_owned);
        Self { child, address: address.unwrap_or_else(|| panic!("it said {line:?}")) }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it has ended.
    pub fn wait(&mut self) -> std::process::ExitStatus {
        self.child.wait().expect("it was started")
    }

    /// Ends it abruptly, as a crash would.
    pub fn kill(mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ends");
    }

    /// A value of `/proc/PID/status` in KiB, such as `VmRSS`.
    pub fn memory(&self, name: &str) -> u64 {
        let text = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        let text = text.expect("it runs");
        let line = text.lines().find(|line| line.starts_with(name)).expect("the figure");
        line.split_whitespace().nth(1).and_then(|n| n.parse().ok()).expect("a number")
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Writes the users file: `8:NAME` with tokens `token-of-NAME`.
pub fn write_users(dir: &Path, names: impl Iterator<Item = String>) {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let file = std::fs::OpenOptions::new()
        .create_new(true)
        .write(true)
        .mode(0o600)
        .open(dir.join("users"));
    let mut file = io::BufWriter::new(file.expect("a file"));
    for name in names {
        writeln!(file, "8:{name} token-of-{name} {name}").expect("written");
    }
}

/// The program of this name in the folder of the running test or example.
pub fn built(name: &str) -> PathBuf {
    let own = std::env::current_exe().expect("the running program");
    let folder = own.ancestors().nth(2).expect("target/PROFILE");
    let program = folder.join(name);
    assert!(program.exists(), "{} is missing: build it first", program.display());
    program
}

pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    /// The body as JSON; null if it is not JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

/// A kept-alive connection.
pub struct Connection {
    stream: BufReader<TcpStream>,
    address: String,
    /// A header line, or more if needed.
    credential: String,
}

impl Connection {
    pub async fn open(address: &str, credential: String) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream: BufReader::new(stream), address: address.to_owned(), credential })
    }

    /// As a user by the Skype token.
    pub async fn signed_in(address: &str, name: &str) -> io::Result<Self> {
        Self::open(address, format!("Authentication: skypetoken=token-of-{name}")).await
    }

    pub async fn ask(&mut self, method: &str, path: &str, body: &str) -> io::Result<Answer> {
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\n{}\r\nContent-Length: {}\r\n\r\n{body}",
            self.address,
            self.credential,
            body.len()
        );
        self.write(request.as_bytes()).await?;
        self.answer().await
    }

    /// Writes bytes unchanged.
    pub async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.get_mut().write_all(bytes).await
    }

    /// Waits until the other end closes the connection; anything it still sends is ignored.
    pub async fn closed(&mut self) {
        let mut rest = Vec::new();
        let _ = self.stream.read_to_end(&mut rest).await;
    }

    pub async fn answer(&mut self) -> io::Result<Answer> {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if self.stream.read_line(&mut head).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        let mut answer = Answer { status: 0, head, body: String::new() };
        answer.status = answer.head.get(9..12).and_then(|s| s.parse().ok()).unwrap_or(0);
        let length = answer.header("content-length").and_then(|n| n.parse().ok()).unwrap_or(0);
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).await?;
        answer.body = String::from_utf8(body).map_err(|_| io::ErrorKind::InvalidData)?;
        Ok(answer)
    }

    /// Registers an endpoint, subscribes, and speaks as that endpoint from now on.
    pub async fn subscribe(&mut self) -> io::Result<()> {
        let answer = self.ask("POST", "/v1/users/ME/endpoints", "{}").await?;
        let token = answer.header("set-registrationtoken").and_then(|t| t.split(';').next());
        let token = token.ok_or(io::ErrorKind::InvalidData)?;
        let others = self.credential.split_once("\r\n").map_or("", |(_, others)| others);
        let others = if others.is_empty() { String::new() } else { format!("\r\n{others}") };
        self.credential = format!("RegistrationToken: {token}{others}");
        let answer = self.ask("POST", "/v1/users/ME/endpoints/SELF/subscriptions", "{}").await?;
        if answer.status != 201 {
            return Err(io::ErrorKind::InvalidData.into());
        }
        Ok(())
    }

    pub async fn poll(&mut self, ack: u64) -> io::Result<Answer> {
        let path = format!("/v1/users/ME/endpoints/SELF/subscriptions/0/poll?ackId={ack}");
        self.ask("POST", &path, "").await
    }

    /// Creates a group whose first member is both the admin and the caller; returns its id.
    pub async fn create_group(&mut self, names: &[String]) -> io::Result<String> {
        let answer = self.ask("POST", "/v1/threads", &group_body(names)).await?;
        let id = answer.header("location").and_then(|l| l.rsplit('/').next());
        Ok(id.ok_or(io::ErrorKind::InvalidData)?.to_owned())
    }

    /// Sends a text under a client id; returns the status.
    pub async fn say(&mut self, to: &str, text: &str, client_id: u64) -> io::Result<u16> {
        let body = format!(
            "{{\"messagetype\":\"Text\",\"contenttype\":\"text\",\"content\":\"{text}\",\"clientmessageid\":\"{client_id}\"}}"
        );
        let path = format!("/v1/users/ME/conversations/{to}/messages");
        Ok(self.ask("POST", &path, &body).await?.status)
    }
}

fn group_body(names: &[String]) -> String {
    let member = |(i, name): (usize, &String)| {
        let role = if i == 0 { "Admin" } else { "User" };
        format!("{{\"id\":\"8:{name}\",\"role\":\"{role}\"}}")
    };
    let members: Vec<String> = names.iter().enumerate().map(member).collect();
    format!("{{\"members\":[{}]}}", members.join(","))
}

pub fn members_body(names: &[String]) -> String {
    let member = |name: &String| format!("{{\"id\":\"8:{name}\",\"role\":\"User\"}}");
    let members: Vec<String> = names.iter().map(member).collect();
    format!("{{\"members\":[{}]}}", members.join(","))
}
