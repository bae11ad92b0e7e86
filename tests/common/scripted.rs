//! A server that answers what a test tells it to: for everything that our own gateway never does.
//!
//! It holds conversations, pages of messages and threads as JSON and answers requests for them, newest first. A test
//! changes what it holds at any time, and gives its own answer to any request.

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::Response;
use serde_json::{Value, json};
use skchat::client::{BaseUrl, ClientOptions, Secret, TokenSource};
use skchat::model::{AuthStyle, UserId};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// A request, as a test sees it.
#[derive(Clone, Debug)]
pub struct Asked {
    pub method: String,
    /// Decoded, without the query.
    pub path: String,
    pub query: String,
    pub body: Value,
    /// How many requests with this method and path came before.
    pub earlier: usize,
    pub at: tokio::time::Instant,
}

impl Asked {
    pub fn is(&self, method: &str, part: &str) -> bool {
        self.method == method && self.path.contains(part)
    }

    /// The value of a query parameter, decoded.
    pub fn value(&self, name: &str) -> Option<String> {
        let pair = self.query.split('&').find_map(|pair| pair.strip_prefix(&format!("{name}=")))?;
        Some(decoded(pair))
    }
}

fn decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// An answer.
#[derive(Clone, Debug, Default)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
    /// It is sent when this is notified.
    pub held: Option<Arc<Notify>>,
}

impl Reply {
    pub fn json(body: &Value) -> Self {
        Self::status(200, &body.to_string())
    }

    pub fn status(status: u16, body: &str) -> Self {
        Self { status, body: body.to_owned(), ..Self::default() }
    }

    /// A page of messages with a link to an older one.
    pub fn page(messages: &[Value], older: Option<&str>) -> Self {
        let mut metadata = json!({ "syncState": "https://other.example/x?syncState=now" });
        if let Some(older) = older {
            metadata["backwardLink"] = format!("https://other.example/x?syncState={older}").into();
        }
        Self::json(&json!({ "messages": messages, "_metadata": metadata }))
    }

    pub fn held_until(self, notify: &Arc<Notify>) -> Self {
        Self { held: Some(Arc::clone(notify)), ..self }
    }
}

type Special = Box<dyn FnMut(&Asked) -> Option<Reply> + Send>;

/// What the server holds.
#[derive(Default)]
pub struct Script {
    pub conversations: Vec<Value>,
    /// By conversation, newest first.
    pub messages: BTreeMap<String, Vec<Value>>,
    pub threads: BTreeMap<String, Value>,
    pub profiles: BTreeMap<String, String>,
    events: VecDeque<Value>,
    next_event: u64,
    /// How long a poll waits for events; 2 seconds by default.
    pub poll_wait: Option<Duration>,
    /// The `Date` of all answers, for a server with another clock, or with one that cannot be read.
    pub date: Option<Box<dyn Fn() -> String + Send>>,
    /// Answers that take precedence over all others.
    special: Option<Special>,
    asked: Vec<Asked>,
}

impl Script {
    /// A conversation in the list, and its messages, newest first.
    pub fn chat(&mut self, id: &str, messages: Vec<Value>) {
        let last = messages.first().cloned().unwrap_or(Value::Null);
        let version = last["version"].as_str().and_then(|v| v.parse::<u64>().ok()).unwrap_or(1);
        self.conversations.retain(|c| c["id"] != id);
        self.conversations.insert(
            0,
            json!({ "id": id, "version": version, "lastMessage": last, "properties": {}, "threadProperties": {} }),
        );
        self.messages.insert(id.to_owned(), messages);
    }

    pub fn answer(&mut self, special: impl FnMut(&Asked) -> Option<Reply> + Send + 'static) {
        self.special = Some(Box::new(special));
    }

    pub fn event(&mut self, kind: &str, resource: &Value) {
        let id = self.next_event.max(1_000);
        self.event_with_id(id, kind, resource);
    }

    pub fn event_with_id(&mut self, id: u64, kind: &str, resource: &Value) {
        self.next_event = id + 1;
        self.events.push_back(
            json!({ "id": id, "type": "EventMessage", "resourceType": kind, "resource": resource }),
        );
    }

    /// An event with the link of its resource.
    pub fn event_with_link(&mut self, kind: &str, link: &str, resource: &Value) {
        self.event(kind, resource);
        if let Some(event) = self.events.back_mut() {
            event["resourceLink"] = link.into();
        }
    }

    fn reply(&mut self, asked: &Asked) -> Reply {
        if let Some(reply) = self.special.as_mut().and_then(|special| special(asked)) {
            return reply;
        }
        let segments: Vec<&str> = asked.path.trim_matches('/').split('/').collect();
        let none = || Reply::status(404, "{}");
        match (asked.method.as_str(), segments.as_slice()) {
            ("POST", [.., "endpoints"]) => Reply {
                headers: vec![("set-registrationtoken", "registrationToken=x; expires=9".into())],
                ..Reply::status(201, "{}")
            },
            ("GET", [.., "conversations"]) => {
                Reply::json(&json!({ "conversations": self.conversations, "_metadata": {} }))
            }
            ("GET", [.., "conversations", id]) => {
                self.conversations.iter().find(|c| c["id"] == *id).map_or_else(none, Reply::json)
            }
            ("GET", [.., "conversations", id, "messages"]) => {
                self.messages.get(*id).map_or_else(none, |messages| Reply::page(messages, None))
            }
            ("POST", [.., "subscriptions"] | [.., "conversations", _, "messages"]) => {
                Reply::status(201, "{}")
            }
            ("GET", [.., "threads", id]) => self.threads.get(*id).map_or_else(none, Reply::json),
            ("GET", [.., "consumptionhorizons"]) => Reply::json(&json!({})),
            ("POST", [.., "v2", "profiles"]) => {
                let entry = |(id, name): (&String, &String)| {
                    (id.clone(), json!({ "profile": { "displayName": name } }))
                };
                let profiles: serde_json::Map<_, _> = self.profiles.iter().map(entry).collect();
                Reply::json(&json!({ "profiles": profiles }))
            }
            ("PUT" | "DELETE", _) => Reply::status(200, "{}"),
            _ => none(),
        }
    }
}

/// The running server.
pub struct Scripted {
    pub origin: String,
    script: Arc<Mutex<Script>>,
    changed: Arc<Notify>,
    task: JoinHandle<()>,
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Scripted {
    pub async fn start(script: impl FnOnce(&mut Script)) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let mut first = Script::default();
        script(&mut first);
        let (shared, changed) = (Arc::new(Mutex::new(first)), Arc::new(Notify::new()));
        let (held, heard) = (Arc::clone(&shared), Arc::clone(&changed));
        let router = Router::new().fallback(
            move |method: Method, uri: Uri, _headers: HeaderMap, body: Bytes| {
                answered(Arc::clone(&held), Arc::clone(&heard), method, uri, body)
            },
        );
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { origin, script: shared, changed, task }
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap()
    }

    /// Changes what it holds.
    pub fn change<T>(&self, change: impl FnOnce(&mut Script) -> T) -> T {
        let result = change(&mut self.script());
        self.changed.notify_waiters();
        result
    }

    /// Requests so far with this method, whose path and query contain this.
    pub fn count(&self, method: &str, part: &str) -> usize {
        let is =
            |a: &&Asked| a.method == method && format!("{}?{}", a.path, a.query).contains(part);
        self.script().asked.iter().filter(is).count()
    }

    /// The requests so far with this method and path.
    pub fn asked(&self, method: &str, part: &str) -> Vec<Asked> {
        self.script().asked.iter().filter(|asked| asked.is(method, part)).cloned().collect()
    }

    /// Waits until there are this many requests.
    pub async fn until(&self, method: &str, part: &str, count: usize) {
        let wait = tokio::time::timeout(super::PATIENCE, async {
            loop {
                let changed = self.changed.notified();
                if self.count(method, part) >= count {
                    return;
                }
                changed.await;
            }
        });
        wait.await.unwrap_or_else(|_| panic!("waited for {count} times {method} {part}"));
    }

    /// A client of it that registers and polls.
    pub fn options(&self, user: &str) -> ClientOptions {
        let base = |path: &str| BaseUrl::parse(&format!("{}{path}", self.origin)).unwrap();
        let token = TokenSource::Fixed(Secret::new("token"));
        let mut options = ClientOptions::new(UserId::new(user), base("/v1"), token);
        options.timeout = Duration::from_secs(30);
        options.poll_timeout = Duration::from_secs(30);
        options
    }

    /// A client that asks at intervals.
    pub fn options_without_events(&self, user: &str) -> ClientOptions {
        let mut options = self.options(user);
        options.auth = AuthStyle::SkypeToken;
        options
    }
}

async fn answered(
    script: Arc<Mutex<Script>>,
    changed: Arc<Notify>,
    method: Method,
    uri: Uri,
    body: Bytes,
) -> Response {
    let mut asked = Asked {
        method: method.to_string(),
        path: decoded(uri.path()),
        query: uri.query().unwrap_or_default().to_owned(),
        body: serde_json::from_slice(&body).unwrap_or_default(),
        earlier: 0,
        at: tokio::time::Instant::now(),
    };
    let reply = {
        let mut script = script.lock().unwrap();
        let same = |a: &&Asked| a.method == asked.method && a.path == asked.path;
        asked.earlier = script.asked.iter().filter(same).count();
        script.asked.push(asked.clone());
        let is_poll = asked.is("POST", "/poll");
        if is_poll {
            script.special.as_mut().and_then(|special| special(&asked))
        } else {
            Some(script.reply(&asked))
        }
    };
    changed.notify_waiters();
    let reply = match reply {
        Some(reply) => reply,
        None => polled(&script, &changed).await,
    };
    if let Some(held) = &reply.held {
        held.notified().await;
    }
    let mut response = Response::builder().status(StatusCode::from_u16(reply.status).unwrap());
    let date = script.lock().unwrap().date.as_ref().map(|date| date());
    for (name, value) in reply.headers.iter().chain(date.map(|date| ("date", date)).iter()) {
        response = response.header(*name, value);
    }
    response.header("content-type", "application/json").body(reply.body.into()).unwrap()
}

/// Waits for events as a long poll does, for a while.
async fn polled(script: &Arc<Mutex<Script>>, changed: &Arc<Notify>) -> Reply {
    let time = script.lock().unwrap().poll_wait.unwrap_or(Duration::from_secs(2));
    let wait = tokio::time::timeout(time, async {
        loop {
            let notified = changed.notified();
            let events: Vec<Value> = script.lock().unwrap().events.drain(..).collect();
            if !events.is_empty() {
                return events;
            }
            notified.await;
        }
    });
    let events = wait.await.unwrap_or_default();
    Reply::json(&json!({ "eventMessages": events }))
}

/// A message as the wire has it: `n` milliseconds after a fixed time.
pub fn item(n: u64, from: &str, conversation: &str, text: &str) -> Value {
    let id = (super::fixture::START.unsigned_abs() + n).to_string();
    json!({
        "id": id,
        "version": id,
        "clientmessageid": format!("9{n}"),
        "messagetype": "Text",
        "content": text,
        "from": format!("https://h.example/v1/users/ME/contacts/{from}"),
        "conversationLink": format!("https://h.example/v1/users/ME/conversations/{conversation}"),
        "originalarrivaltime": skchat::model::Timestamp(id.parse().unwrap()).rfc3339(),
        "properties": {},
    })
}

/// [`item`] with some of its fields changed; null removes a field.
pub fn item_with(mut item: Value, fields: &Value) -> Value {
    for (name, value) in fields.as_object().unwrap() {
        if value.is_null() {
            item.as_object_mut().unwrap().remove(name);
        } else {
            item[name] = value.clone();
        }
    }
    item
}

/// A home with Anna's account, for the program in memory and for commands of the built program.
pub struct Home {
    root: tempfile::TempDir,
}

impl Home {
    pub fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(root.path().join("accounts/home")).unwrap();
        Self { root }
    }

    /// The account's folder.
    pub fn dir(&self) -> std::path::PathBuf {
        self.root.path().join("accounts/home")
    }

    /// Runs a command of the program; returns its output and what it wrote to standard error.
    pub async fn command(&self, origin: &str, arguments: &[&str]) -> (String, String) {
        self.command_as(origin, "token", arguments).await
    }

    /// [`Home::command`] with this token.
    pub async fn command_as(
        &self,
        origin: &str,
        token: &str,
        arguments: &[&str],
    ) -> (String, String) {
        super::write_config(self.root.path(), origin);
        // Examples use this module, too, and are built without it.
        let Some(program) = option_env!("CARGO_BIN_EXE_skchat") else { panic!("only tests do") };
        let output = tokio::process::Command::new(program)
            .args(arguments)
            .env("SKCHAT_CONFIG", self.root.path().join("config.toml"))
            .env("SKCHAT_DATA_DIR", self.root.path())
            .env("TEST_TOKEN", token)
            .env("TZ", "UTC")
            .output()
            .await
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (text(output.stdout), text(output.stderr))
    }

    /// The texts that `log` prints of a conversation.
    pub async fn log(&self, origin: &str, chat: &str) -> Vec<String> {
        self.log_of(origin, &["log", chat, "--json"]).await
    }

    /// [`Home::log`] with these arguments, of which one is `--json`.
    pub async fn log_of(&self, origin: &str, arguments: &[&str]) -> Vec<String> {
        let (out, err) = self.command(origin, arguments).await;
        let line = |line: &str| serde_json::from_str::<Value>(line).unwrap()["text"].clone();
        let lines: Vec<Value> = out.lines().map(line).collect();
        assert!(!lines.is_empty(), "nothing was printed: {err}");
        lines.iter().map(|text| text.as_str().unwrap().to_owned()).collect()
    }
}
