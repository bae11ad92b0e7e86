//! Small exports of each dialect with what a reader must find in them, malicious ones, and a large one.

use serde_json::{Value, json};

pub const OWNER: &str = "8:live:anna";
pub const PEER: &str = "8:live:joe";
pub const GROUP: &str = "19:5f0c3a@thread.skype";
/// When the first message was written.
pub const FIRST: i64 = 1_594_000_000_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    Skype2020,
    Skype2025,
    Teams2026,
}

pub const DIALECTS: [Dialect; 3] = [Dialect::Skype2020, Dialect::Skype2025, Dialect::Teams2026];

/// An export and what is in it.
pub struct Sample {
    pub json: String,
    /// For each message to be shown, oldest first: its conversation, sender, and a part of its text.
    pub shown: Vec<(&'static str, String, &'static str)>,
    /// Items of the lists, shown or not.
    pub items: usize,
}

/// Builds the messages of a conversation, oldest first.
struct Builder {
    dialect: Dialect,
    conversation: &'static str,
    next: i64,
    items: Vec<Value>,
    shown: Vec<(&'static str, String, &'static str)>,
}

impl Builder {
    fn new(dialect: Dialect, conversation: &'static str, from: i64) -> Self {
        Self { dialect, conversation, next: FIRST + from, items: Vec::new(), shown: Vec::new() }
    }

    fn is_teams(&self) -> bool {
        self.dialect == Dialect::Teams2026
    }

    /// A message; returns its id.
    fn add(&mut self, from: &str, kind: &str, content: impl Into<Value>, properties: Value) -> i64 {
        let id = self.next;
        self.next += 61_000;
        let version = if self.dialect == Dialect::Skype2020 { json!(id as f64) } else { json!(id) };
        let name = match from {
            OWNER => None,
            PEER => Some("Joe Bloggs"),
            _ => Some("Mia Tan"),
        };
        let (content, mut properties) = (content.into(), properties);
        let mut sender = json!(from);
        if self.is_teams() && from != OWNER {
            sender = Value::Null;
            if from != PEER {
                properties["importedBy"] = json!({ "RawValue": from, "Network": "Skype" });
            }
        }
        self.items.push(json!({
            "id": id.to_string(),
            "displayName": name,
            "originalarrivaltime": time(id),
            "messagetype": kind,
            "version": version,
            "content": content,
            "conversationid": self.conversation,
            "from": sender,
            "properties": if properties == json!({}) { Value::Null } else { properties },
            "amsreferences": null,
        }));
        id
    }

    fn says(&mut self, from: &str, kind: &str, content: &str, needle: &'static str) -> i64 {
        let id = self.add(from, kind, json!(content), json!({}));
        self.expect(from, needle);
        id
    }

    fn expect(&mut self, from: &str, needle: &'static str) {
        self.shown.push((self.conversation, from.to_owned(), needle));
    }
}

/// RFC 3339 with the trailing zeros of the fraction trimmed, as exports have it.
fn time(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms).unwrap().to_string()
}

fn direct(dialect: Dialect) -> Builder {
    let mut chat = Builder::new(dialect, PEER, 0);
    chat.says(
        PEER,
        "RichText",
        "Hello &lt;Anna&gt;, the <b>oven</b> is free",
        "Hello <Anna>, the oven is free",
    );
    chat.says(OWNER, "Text", "a &amp; b", "a &amp; b");
    let link = r#"<quote author="live:joe" authorname="Joe" timestamp="1594000000"><legacyquote>[x] Joe: </legacyquote>the oven<legacyquote>&lt;&lt;&lt; </legacyquote></quote>yes, at ten"#;
    chat.says(OWNER, "RichText", link, "yes, at ten");
    // An edited message and the service's copy of it.
    let first = chat.next;
    let edited =
        format!(r#"at eleven<e_m a="live:anna" ts_ms="{first}" ts="1594000300" t="61"></e_m>"#);
    chat.says(OWNER, "RichText", &edited, "at eleven");
    chat.add(OWNER, "RichText", json!(edited), json!({ "isserversidegenerated": "True" }));
    let mark = format!(r#"<e_m a="live:anna" ts_ms="{first}" ts="1594000300" t="61"></e_m>"#);
    chat.add(OWNER, "RichText", json!(mark), json!({ "isserversidegenerated": true }));
    // Deleted, with a reaction, from another conversation.
    let when = (chat.next + 5_000).to_string();
    chat.add(PEER, "RichText", json!(""), json!({ "deletetime": when }));
    chat.expect(PEER, "");
    let users = if chat.is_teams() {
        json!([{ "DisplayName": "Anna", "time": 1 }])
    } else {
        json!([{ "mri": OWNER, "time": 1, "value": "1" }])
    };
    let list = json!([{ "key": "heart", "users": users }]);
    let emotions = if chat.dialect == Dialect::Skype2020 { json!(list.to_string()) } else { list };
    chat.add(PEER, "RichText", json!("bring flour"), json!({ "emotions": emotions }));
    chat.expect(PEER, "bring flour");
    chat.says(
        PEER,
        "RichText/UriObject",
        r#"<URIObject type="Picture.1" uri="https://api.asm.skype.com/v1/objects/0-weu-d3-0123456789abcdef0123456789abcdef" doc_id="0-weu-d3-0123456789abcdef0123456789abcdef">To view this shared photo, go to: <a href="https://login.skype.com">x</a><OriginalName v="bread.jpg"/></URIObject>"#,
        "bread.jpg",
    );
    chat.says(
        PEER,
        "RichText/Sms",
        r#"<sms alt="running late"><defaults><content>running late</content></defaults></sms>"#,
        "running late",
    );
    chat.says(
        PEER,
        "Event/Call",
        r#"<partlist type="ended" alt=""><part identity="live:joe"><name>Joe Bloggs</name><duration>84.82</duration></part></partlist>"#,
        "Call",
    );
    if chat.is_teams() {
        chat.says(OWNER, "RichText/Html", "<p>goodbye <em>Skype</em></p>", "goodbye Skype");
    }
    chat
}

fn group(dialect: Dialect) -> Builder {
    const MIA: &str = "8:mia.tan";
    let mut chat = Builder::new(dialect, GROUP, 30_000);
    let added = format!(
        "<addmember><eventtime>{}</eventtime><initiator>{OWNER}</initiator><target>{MIA}</target></addmember>",
        chat.next
    );
    chat.add(GROUP, "ThreadActivity/AddMember", json!(added), json!({}));
    chat.expect(GROUP, "");
    chat.says(
        MIA,
        "RichText",
        r#"<at id="8:live:anna">Anna</at> who brings the sourdough?"#,
        "who brings the sourdough?",
    );
    chat.says(OWNER, "RichText", "me <ss type=\"smile\">:)</ss>", "me");
    chat.says(MIA, "Poll", "<pollData><pollQuestion>Rye or wheat?</pollQuestion></pollData>", "");
    let album = r#"<URIObject type="Album.1" uri=""><MediaAlbum><item/></MediaAlbum></URIObject>"#;
    chat.add(MIA, "RichText/Media_Album", json!(album), json!({}));
    chat.add(MIA, "Control/Typing", json!(""), json!({}));
    let card = json!({ "type": "message/card", "attachments": [{ "contentType": "application/vnd.microsoft.card.hero", "content": { "title": "Bakery news", "text": "Open on Sunday" } }] });
    let content = if chat.is_teams() { card } else { json!(card.to_string()) };
    chat.add(MIA, "RichText/Media_Card", content, json!({}));
    chat.expect(MIA, "Bakery news");
    chat
}

/// An export of a dialect.
pub fn sample(dialect: Dialect) -> Sample {
    let chats = [direct(dialect), group(dialect)];
    let is_teams = dialect == Dialect::Teams2026;
    let mut shown = Vec::new();
    let mut items = 0;
    let conversations: Vec<Value> = chats
        .into_iter()
        .map(|chat| {
            shown.extend(chat.shown);
            items += chat.items.len();
            let is_group = chat.conversation == GROUP;
            let members = match (is_group, dialect) {
                (false, _) => Value::Null,
                (_, Dialect::Teams2026) => json!([{ "MemberMri": OWNER }, { "MemberMri": "8:mia.tan" }]),
                _ => json!(r#"["8:live:anna","8:mia.tan"]"#),
            };
            let thread = json!({ "topic": "Bread &amp; butter", "membercount": "2", "members": members });
            let mut list: Vec<Value> = chat.items;
            list.reverse();
            let mut conversation = json!({
                "id": chat.conversation,
                "displayName": if is_group { Value::Null } else { json!("Joe Bloggs") },
                "version": 1_594_000_900_000.0_f64,
                "properties": { "conversationblocked": false, "lastimreceivedtime": null, "consumptionhorizon": null, "conversationstatus": "Accepted" },
                "threadProperties": if is_group { thread } else { Value::Null },
                "MessageList": list,
            });
            if is_teams {
                conversation["messages"] = Value::Null;
            }
            conversation
        })
        .collect();
    let json = json!({
        "userId": if dialect == Dialect::Skype2020 { "live:anna" } else { OWNER },
        "exportDate": "2020-07-06T20:55",
        "conversations": conversations,
    });
    Sample { json: ordered(&json), shown, items }
}

/// The keys in the order of real exports; `serde_json` sorts them.
fn ordered(export: &Value) -> String {
    let text = |value: &Value| value.to_string();
    let object = |value: &Value, keys: &[&str]| {
        let fields: Vec<String> = keys
            .iter()
            .filter_map(|key| Some(format!("\"{key}\":{}", text(value.get(key)?))))
            .collect();
        fields.join(",")
    };
    let conversations: Vec<String> = export["conversations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|chat| {
            let messages: Vec<String> = chat["MessageList"]
                .as_array()
                .unwrap()
                .iter()
                .map(|message| {
                    let keys = [
                        "id",
                        "displayName",
                        "originalarrivaltime",
                        "messagetype",
                        "version",
                        "content",
                        "conversationid",
                        "from",
                        "properties",
                        "amsreferences",
                    ];
                    format!("{{{}}}", object(message, &keys))
                })
                .collect();
            let keys =
                ["id", "displayName", "version", "properties", "threadProperties", "messages"];
            format!("{{{},\"MessageList\":[{}]}}", object(chat, &keys), messages.join(","))
        })
        .collect();
    format!(
        "{{{},\"conversations\":[{}]}}",
        object(export, &["userId", "exportDate"]),
        conversations.join(",")
    )
}

/// A tar of these members.
pub fn tar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, content) in members {
        out.extend(tar_header(name, b'0', content.len() as u64));
        out.extend_from_slice(content);
        out.resize(out.len().div_ceil(512) * 512, 0);
    }
    out.extend([0; 1024]);
    out
}

pub fn tar_header(name: &str, kind: u8, size: u64) -> Vec<u8> {
    let mut block = vec![0u8; 512];
    let name = name.as_bytes().get(..name.len().min(100)).unwrap();
    block.splice(..name.len(), name.iter().copied());
    block.splice(124..135, format!("{size:011o}").into_bytes());
    block.splice(148..156, *b"        ");
    block[156] = kind;
    block.splice(257..263, *b"ustar\0");
    let sum: u64 = block.iter().map(|b| u64::from(*b)).sum();
    block.splice(148..156, format!("{sum:06o}\0 ").into_bytes());
    block
}

/// Documents and tars that are each wrong in one way, by name. Each has the message "the needle" somewhere.
pub fn hostile() -> Vec<(&'static str, Vec<u8>)> {
    let item = |id: u32, content: &str| {
        format!(
            r#"{{"id":"159400000{id:04}","originalarrivaltime":"2020-07-06T01:46:40Z","messagetype":"Text","version":159400000{id:04},"content":"{content}","conversationid":"8:live:joe","from":"8:live:joe","properties":null}}"#
        )
    };
    let document = |items: &[String]| {
        format!(
            r#"{{"userId":"8:live:anna","conversations":[{{"id":"8:live:joe","MessageList":[{}]}}]}}"#,
            items.join(",")
        )
        .into_bytes()
    };
    let needle = item(1, "the needle");
    let beside = |odd: String| document(&[item(0, "before"), odd, needle.clone()]);
    let deep =
        format!(r#"{{"id":"1594000000002","x":{}{}}}"#, "[".repeat(50_000), "]".repeat(50_000));
    let plain = document(std::slice::from_ref(&needle));
    let mut sparse = tar_header("sparse", b'S', 7 << 30);
    sparse.extend(tar(&[("messages.json", &plain)]));
    let links = [
        tar_header("messages.json", b'2', 0),
        tar_header("../../messages.json", b'0', 0),
        tar_header("/messages.json", b'0', 0),
        tar_header("dev", b'3', 0),
        tar(&[("export/messages.json", &plain)]),
    ]
    .concat();
    let inner = tar(&[("messages.json", b"{}")]);
    vec![
        ("trailing comma", beside(r#"{"id":"1594000000002",}"#.into())),
        ("not a number", beside(r#"{"id":"1594000000002","version":NaN}"#.into())),
        ("a quote is missing", beside(r#"{"id":"1594000000002","content":"x}"#.into())),
        ("a bracket is missing", beside(r#"{"id":"1594000000002","x":[1}"#.into())),
        ("a bracket too many", beside(r#"{"id":"1594000000002"}}"#.into())),
        ("deep", beside(deep)),
        ("lone surrogate", beside(item(2, r"a\ud800b"))),
        ("control characters", beside(item(2, "a\u{1}\nb"))),
        (
            "a key twice",
            beside(r#"{"id":"1594000000002","id":"1594000000003","content":"x"}"#.into()),
        ),
        (
            "numbers and lists for text",
            beside(r#"{"id":1594000000002,"content":[1],"from":7,"messagetype":{}}"#.into()),
        ),
        ("null and text for items", beside("null,7,\"x\",[]".into())),
        ("large", beside(item(2, &"x".repeat(17 << 20)))),
        ("byte order mark", [b"\xef\xbb\xbf".as_slice(), &plain].concat()),
        ("text after the end", [plain.as_slice(), b"\n\nthe end"].concat()),
        ("invalid UTF-8", {
            let mut bytes = beside(item(2, "a\u{7f}b"));
            bytes.iter_mut().filter(|b| **b == 0x7f).for_each(|b| *b = 0xff);
            bytes
        }),
        ("members twice", tar(&[("messages.json", &plain), ("messages.json", &plain)])),
        ("a tar in a tar", tar(&[("inner.tar", &inner), ("messages.json", &plain)])),
        ("links and names that lead elsewhere", links),
        ("a sparse giant", sparse),
        ("a damaged header", {
            let mut bytes = tar(&[("endpoints.json", b"{}"), ("messages.json", &plain)]);
            bytes[130] = b'x';
            bytes
        }),
    ]
}
