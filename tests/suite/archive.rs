//! Archives, as a user sees them: exports of each dialect are imported, read, and written out again.

use crate::common::export::{DIALECTS, Dialect, GROUP, OWNER, PEER, hostile, sample, tar};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

/// A home without any account.
struct Home(TempDir);

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn file(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_skchat"));
        command
            .args(arguments)
            .env("SKCHAT_CONFIG", self.path("config.toml"))
            .env("SKCHAT_DATA_DIR", self.path("data"))
            .env("TZ", "UTC");
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// The output of a command that must succeed.
    fn text(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {errors}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn import(&self, path: &Path) -> String {
        self.text(&["import", path.to_str().unwrap()])
    }

    fn log(&self, chat: &str) -> Vec<Value> {
        json_lines(&self.text(&["log", chat, "-n", "1000", "--json"]))
    }
}

fn json_lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn every_dialect_shows_what_is_in_it() {
    for dialect in DIALECTS {
        let home = Home::new();
        let sample = sample(dialect);
        let summary = home.import(&home.file("messages.json", sample.json.as_bytes()));
        let stored = sample.items - 1; // without the typing signal
        assert!(summary.contains(&format!("{stored} new")), "{dialect:?}: {summary}");
        for chat in [PEER, GROUP] {
            let shown = home.log(chat);
            let expected: Vec<_> = sample.shown.iter().filter(|(c, ..)| *c == chat).collect();
            let texts: Vec<&str> = shown.iter().map(|m| m["text"].as_str().unwrap()).collect();
            assert_eq!(shown.len(), expected.len(), "{dialect:?}: {texts:#?}");
            for (message, (_, from, needle)) in shown.iter().zip(expected) {
                assert!(
                    message["text"].as_str().unwrap().contains(needle),
                    "{dialect:?}: {message}"
                );
                assert_eq!(message["from"].as_str().unwrap(), from, "{dialect:?}: {message}");
            }
        }
        let chats = json_lines(&home.text(&["chats", "--json"]));
        let names: Vec<&str> = chats.iter().map(|c| c["name"].as_str().unwrap()).collect();
        assert!(names.contains(&"Joe Bloggs") && names.contains(&"Bread & butter"), "{names:?}");
        assert!(chats.iter().all(|c| c["unread"] == 0));
        let edited: Vec<Value> =
            home.log(PEER).into_iter().filter(|m| m["edited"] == true).collect();
        assert_eq!(edited.len(), 1, "{dialect:?}: {edited:#?}");
        let deleted = home.log(PEER).into_iter().filter(|m| m["deleted"] == true).count();
        assert_eq!(deleted, 1, "{dialect:?}");
    }
}

#[test]
fn a_tar_and_its_folder_give_the_same_as_the_document() {
    let sample = sample(Dialect::Skype2025);
    let plain = Home::new();
    plain.import(&plain.file("messages.json", sample.json.as_bytes()));
    let home = Home::new();
    let bytes = tar(&[
        ("endpoints.json", b"{}"),
        ("media/0-weu-d3-0123456789abcdef0123456789abcdef.1.jpeg", b"picture"),
        ("media/0-weu-d3-0123456789abcdef0123456789abcdef.json", b"{}"),
        ("messages.json", sample.json.as_bytes()),
    ]);
    let summary = home.import(&home.file("8_live_anna_export.tar", &bytes));
    assert!(summary.contains("the export has 1 file "), "{summary}");
    let unpacked = Home::new();
    std::fs::create_dir(unpacked.path("export")).unwrap();
    unpacked.file("export/messages.json", sample.json.as_bytes());
    unpacked.import(&unpacked.path("export"));
    for chat in [PEER, GROUP] {
        assert_eq!(home.log(chat), plain.log(chat));
        assert_eq!(unpacked.log(chat), plain.log(chat));
    }
}

#[test]
fn importing_again_changes_nothing_and_a_newer_export_adds() {
    let home = Home::new();
    let sample = sample(Dialect::Skype2025);
    let path = home.file("messages.json", sample.json.as_bytes());
    home.import(&path);
    let before = (home.log(PEER), home.log(GROUP));
    let again = home.import(&path);
    assert!(again.contains("0 new, 0 changed"), "{again}");
    assert_eq!((home.log(PEER), home.log(GROUP)), before);
    // One message has a higher version and another text, one is new, and most are gone.
    let newer = r#"{"userId":"8:live:anna","conversations":[{"id":"8:live:joe","MessageList":[
        {"id":"1599000000000","originalarrivaltime":"2020-09-01T22:40:00Z","messagetype":"Text","version":1599000000000,"content":"later","from":"8:live:joe"},
        {"id":"1594000000000","originalarrivaltime":"2020-07-06T01:46:40Z","messagetype":"Text","version":1599000000001,"content":"changed","from":"8:live:joe"},
        {"id":"1594000061000","originalarrivaltime":"2020-07-06T01:47:41Z","messagetype":"Text","version":1,"content":"older version","from":"8:live:anna"}]}]}"#;
    let summary = home.import(&home.file("newer.json", newer.as_bytes()));
    assert!(summary.contains("1 new, 1 changed, 1 already there"), "{summary}");
    let after = home.log(PEER);
    assert_eq!(after.len(), before.0.len() + 1);
    assert_eq!(
        (after[0]["text"].as_str(), after[1]["text"].as_str()),
        (Some("changed"), Some("a &amp; b"))
    );
    assert_eq!(after.last().unwrap()["text"], "later");
}

#[test]
fn two_authors_of_the_same_millisecond_keep_their_messages() {
    let home = Home::new();
    let item = |from: &str, text: &str| {
        format!(
            r#"{{"id":"1594000000000","messagetype":"Text","version":1594000000000,"content":"{text}","from":"{from}"}}"#
        )
    };
    let export = |items: [String; 2]| {
        format!(
            r#"{{"userId":"8:live:anna","conversations":[{{"id":"{GROUP}","MessageList":[{}]}}]}}"#,
            items.join(",")
        )
    };
    let (anna, joe) = (item(OWNER, "from Anna"), item(PEER, "from Joe"));
    home.import(&home.file("a.json", export([anna.clone(), joe.clone()]).as_bytes()));
    let again = home.import(&home.file("b.json", export([joe, anna]).as_bytes()));
    assert!(again.contains("0 new, 0 changed"), "{again}");
    let texts: Vec<String> = home.log(GROUP).iter().map(|m| m["text"].to_string()).collect();
    assert_eq!(texts.len(), 2, "{texts:?}");
    assert!(texts.iter().any(|t| t.contains("Anna")) && texts.iter().any(|t| t.contains("Joe")));
}

#[test]
fn hostile_exports_cost_only_what_is_broken_and_write_nothing_elsewhere() {
    for (name, bytes) in hostile() {
        let home = Home::new();
        let path = home.file("export", &bytes);
        home.import(&path);
        let found = home.log(PEER).iter().filter(|m| m["text"] == "the needle").count();
        assert_eq!(found, 1, "{name}");
        let mut files: Vec<_> =
            std::fs::read_dir(home.0.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        files.sort();
        assert_eq!(files, ["data", "export"], "{name}");
    }
}

#[test]
fn the_files_of_an_archive_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let home = Home::new();
    let path = home.file("messages.json", sample(Dialect::Skype2025).json.as_bytes());
    home.import(&path);
    let archive = home.path("data/archives/live-anna");
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let check = || {
        assert_eq!((mode(&home.path("data/archives")), mode(&archive)), (0o700, 0o700));
        for entry in std::fs::read_dir(&archive).unwrap() {
            let path = entry.unwrap().path();
            assert_eq!(mode(&path), 0o600, "{}", path.display());
        }
    };
    check();
    // Files of an earlier version can be read by others.
    for path in [&archive, &archive.join("store.db")] {
        std::fs::set_permissions(path, PermissionsExt::from_mode(0o755)).unwrap();
    }
    home.import(&path);
    check();
}

#[test]
fn what_is_not_an_export_is_named_and_leaves_nothing() {
    let home = Home::new();
    for (bytes, what) in [
        (b"\x1f\x8b\x08".as_slice(), "gzip"),
        (b"", "empty"),
        (b"hello", "neither"),
        (b"\xff\xfe{\0", "UTF-16"),
    ] {
        let output = home.run(&["import", home.file("x\u{1b}[31m", bytes).to_str().unwrap()]);
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert!(error.contains(what) && !error.contains('\u{1b}'), "{error:?}");
        assert!(!home.path("data").exists());
    }
}

#[test]
fn the_archive_of_one_person_is_not_mixed_with_that_of_another() {
    let home = Home::new();
    home.import(&home.file("a.json", sample(Dialect::Skype2025).json.as_bytes()));
    let other = sample(Dialect::Skype2025)
        .json
        .replace("\"userId\":\"8:live:anna\"", "\"userId\":\"8:mia.tan\"");
    let path = home.file("b.json", other.as_bytes());
    let output = home.run(&["import", path.to_str().unwrap(), "--into", "live-anna"]);
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert!(error.contains("--into"), "{error}");
    home.import(&path);
    let error = String::from_utf8(home.run(&["chats"]).stderr).unwrap();
    assert!(error.contains("live-anna") && error.contains("mia.tan"), "{error}");
    assert!(home.text(&["chats", "--account", "mia.tan"]).contains("Joe"));
}

#[test]
fn what_was_exported_as_json_is_imported_to_the_same() {
    for dialect in DIALECTS {
        let home = Home::new();
        home.import(&home.file("messages.json", sample(dialect).json.as_bytes()));
        let lines = home.text(&["export", "--all", "--format", "json"]);
        assert_eq!(json_lines(&lines).len(), sample(dialect).shown.len());
        let other = Home::new();
        other.import(&other.file("lines.json", lines.as_bytes()));
        let again = other.text(&["export", "--all", "--format", "json"]);
        for (before, after) in json_lines(&lines).iter().zip(json_lines(&again)) {
            assert_eq!(*before, after, "{dialect:?}");
        }
        assert_eq!(lines, again, "{dialect:?}");
        // The log alone can be imported, too.
        let log = home.text(&["log", PEER, "-n", "1000", "--json"]);
        let third = Home::new();
        third.import(&third.file("log.json", log.as_bytes()));
        let text = |home: &Home| -> Vec<String> {
            home.log(PEER).iter().map(|m| m["text"].to_string()).collect()
        };
        assert_eq!(text(&third), text(&home), "{dialect:?}");
    }
}

#[test]
fn a_page_has_every_message_once_and_nothing_that_runs_or_loads() {
    let home = Home::new();
    let picture = b"not really a picture";
    let object = "media/0-weu-d3-0123456789abcdef0123456789abcdef.1.jpeg";
    let hostile = sample(Dialect::Skype2025)
        .json
        .replace("bring flour", "&lt;script&gt;alert(1)&lt;/script&gt;");
    home.import(
        &home.file("x.tar", &tar(&[(object, picture), ("messages.json", hostile.as_bytes())])),
    );
    let page = home.path("page.html");
    let media = home.path("pictures");
    let arguments = ["export", "Joe", "--format", "html", "-o", page.to_str().unwrap(), "--media"];
    home.text(&[&arguments[..], &[media.to_str().unwrap()]].concat());
    let html = std::fs::read_to_string(&page).unwrap();
    assert!(html.contains("Content-Security-Policy") && !html.contains("<script"), "{html}");
    assert!(html.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    assert!(html.contains("Joe Bloggs") && html.contains("Monday 6 July 2020"));
    let name = "pictures/0-weu-d3-0123456789abcdef0123456789abcdef.jpeg";
    assert!(html.contains(&format!("<img src=\"{name}\"")), "{html}");
    assert_eq!(std::fs::read(home.path(name)).unwrap(), picture);
    let rows = html.matches("<time ").count();
    assert_eq!(rows, sample(Dialect::Skype2025).shown.iter().filter(|(c, ..)| *c == PEER).count());
    // An existing file is never replaced.
    assert_eq!(
        home.run(&[&arguments[..], &[media.to_str().unwrap()]].concat()).status.code(),
        Some(2)
    );
}

/// What a page may contain: elements and their attributes.
const ELEMENTS: [(&str, &[&str]); 24] = [
    ("html", &["lang"]),
    ("head", &[]),
    ("meta", &["charset", "http-equiv", "content", "name"]),
    ("title", &[]),
    ("style", &[]),
    ("body", &[]),
    ("h1", &[]),
    ("h2", &[]),
    ("article", &[]),
    ("time", &["datetime"]),
    ("div", &["class"]),
    ("span", &["class"]),
    ("b", &["class"]),
    ("i", &[]),
    ("u", &[]),
    ("s", &[]),
    ("code", &[]),
    ("pre", &[]),
    ("blockquote", &[]),
    ("a", &["href", "rel"]),
    ("img", &["src", "alt", "loading"]),
    ("p", &[]),
    ("em", &[]),
    ("strong", &[]),
];
/// Elements that may contain only words and their markup.
const PHRASES: [&str; 9] = ["b", "i", "u", "s", "code", "span", "a", "time", "h2"];

/// Checks that a page is well-formed, so that every browser reads the same tree, and has nothing that runs or loads.
/// Returns the number of its elements.
fn check_page(html: &str) -> usize {
    use quick_xml::events::{BytesStart, Event};
    let mut reader = quick_xml::Reader::from_str(html);
    reader.config_mut().check_end_names = true;
    let mut open: Vec<String> = Vec::new();
    let mut count = 0;
    let mut element = |start: &BytesStart<'_>, open: &[String]| {
        let name = start.name().as_ref().to_owned();
        let known = ELEMENTS.iter().find(|(known, _)| *known == name);
        let (_, allowed) = known.unwrap_or_else(|| panic!("<{name}> in {open:?}"));
        for attribute in start.attributes() {
            let attribute = attribute.unwrap();
            let key = attribute.key.as_ref().to_owned();
            assert!(allowed.contains(&key.as_str()), "{key} of <{name}>");
            let value = attribute.value.into_owned();
            assert!(
                !value.contains('<') && !value.to_lowercase().contains("javascript:"),
                "{value}"
            );
            if key == "src" {
                assert!(!value.contains(':') && !value.starts_with('/'), "it is loaded: {value}");
            }
        }
        let is_block = ["div", "pre", "blockquote", "article", "h1", "h2"].contains(&name.as_str());
        let in_phrase = open.last().is_some_and(|last| PHRASES.contains(&last.as_str()));
        assert!(!(is_block && in_phrase), "<{name}> in {open:?}");
        assert!(name != "a" || !open.contains(&name), "a link in a link");
        count += 1;
        name
    };
    loop {
        match reader.read_event().unwrap_or_else(|e| panic!("{e} at {}", reader.buffer_position()))
        {
            Event::Start(start) => {
                let name = element(&start, &open);
                open.push(name);
            }
            Event::Empty(start) => {
                let name = element(&start, &open);
                assert!(["meta", "img"].contains(&name.as_str()), "<{name}/>");
            }
            Event::End(_) => drop(open.pop()),
            Event::Eof => break,
            Event::CData(_) | Event::PI(_) | Event::Comment(_) => panic!("no page has this"),
            _ => {}
        }
    }
    assert_eq!(open, [] as [String; 0]);
    count
}

#[test]
fn a_page_is_well_formed_whatever_the_messages_hold() {
    for dialect in DIALECTS {
        let home = Home::new();
        home.import(&home.file("messages.json", sample(dialect).json.as_bytes()));
        assert!(check_page(&home.text(&["export", "--all", "--format", "html"])) > 40);
    }
    let hostile = [
        "<b>a<i>b</b>c</i>",
        "<quote author=\"joe\"><quote author=\"mia\">inner</quote>middle<b>x</quote>rest",
        "<pre raw_pre=\"{code}\">\nfn main() { &lt;b&gt; }</pre>",
        "<a href=\"javascript:alert(1)\">x</a><a href=\"https://a.example/?a=1&amp;b=&quot;\">y</a>",
        "</div></article><script>alert(1)</script>]]>&<<<>",
        "<ss type=\"smile\">:)</ss> <at id=\"8:joe\">Joe</at> <u><s>both</s></u> \u{0}\u{1b}[31m",
        "<blockquote>a<pre>b</pre>c</blockquote><ul><li>one<li>two</ul>",
        "<quote><pre>code in a quote</pre></quote><b><quote>quote in bold</quote></b>",
    ];
    let kinds = ["RichText", "Text", "RichText/Html"];
    let contents = hostile.iter().flat_map(|content| kinds.map(|kind| (kind, *content)));
    let items: Vec<Value> = contents
        .enumerate()
        .map(|(n, (kind, content))| {
            let id = (1_594_000_000_000_u64 + n as u64 * 7_919).to_string();
            serde_json::json!({ "id": id, "messagetype": kind, "content": content, "from": PEER })
        })
        .collect();
    let chats =
        [serde_json::json!({ "id": PEER, "displayName": "</h1><b>", "MessageList": items })];
    let export = serde_json::json!({ "userId": OWNER, "conversations": chats });
    let home = Home::new();
    home.import(&home.file("messages.json", export.to_string().as_bytes()));
    check_page(&home.text(&["export", "--all", "--format", "html"]));
}

/// The words of each paragraph that begins with a message's line, as a reader of Markdown sees them.
fn rendered(markdown: &str) -> (String, usize) {
    use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag};
    let mut words = String::new();
    let mut messages = 0;
    for event in Parser::new_ext(markdown, Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TABLES) {
        match event {
            Event::Text(text) | Event::Code(text) => words.push_str(&text),
            Event::SoftBreak | Event::HardBreak => words.push('\n'),
            Event::InlineHtml(tag) => {
                let name = tag.trim_matches(['<', '>', '/']);
                assert!(["b", "i", "u", "s", "code"].contains(&name), "{tag}");
            }
            Event::Start(Tag::Strong) => messages += 1,
            Event::Start(Tag::Heading { level, .. }) => {
                assert!(matches!(level, HeadingLevel::H1 | HeadingLevel::H2), "{level:?}");
            }
            Event::Start(
                Tag::Paragraph
                | Tag::Emphasis
                | Tag::BlockQuote(_)
                | Tag::CodeBlock(_)
                | Tag::Link { .. }
                | Tag::Image { .. },
            )
            | Event::End(_) => words.push(' '),
            other => panic!("no message becomes {other:?}"),
        }
    }
    (words, messages)
}

#[test]
fn markdown_renders_to_what_the_messages_say() {
    let contents = [
        ("RichText", "<b>bold</b>er, <i>*italic*</i>, <s>gone</s>, <u>under</u>"),
        ("RichText", "<pre>fn main() {\n    `x` ``` *y*\n\n\tz\n}</pre>"),
        ("RichText", "<quote authorname=\"Joe\">Who?\n> you</quote>- Me"),
        ("RichText", "<quote authorname=\"Joe\"><pre>*x* &lt;img src=x&gt;</pre></quote>code"),
        (
            "RichText",
            "<a href=\"https://a.example/?a=1&amp;b=(2)\">there</a> &amp;amp; <b>- no list</b>",
        ),
        ("Text", "one\n\n    four spaces *not code*\n\n\ttab"),
        ("Text", "1. one\n2) two\n+ three\n# four\n> five\n---\n===\n| a | b |\n|---|---|\n~~x~~"),
        (
            "Text",
            "<script>x</script> <!-- no --> </i> &lt; &#60; \\* `a` [a](b) ![c](d) <http://e.example>",
        ),
        ("RichText", "<b>\nline</b>\n\n<i>  </i>end"),
        ("Text", "[a]: http://a.example\n\n***\n\n_ _ _"),
    ];
    let items: Vec<Value> = contents
        .iter()
        .enumerate()
        .map(|(n, (kind, content))| {
            let id = (1_594_000_000_000_u64 + n as u64 * 7_919).to_string();
            serde_json::json!({ "id": id, "messagetype": kind, "content": content, "from": PEER })
        })
        .collect();
    let chats = [serde_json::json!({ "id": PEER, "displayName": "Joe # *", "MessageList": items })];
    let export = serde_json::json!({ "userId": OWNER, "conversations": chats });
    let home = Home::new();
    home.import(&home.file("messages.json", export.to_string().as_bytes()));
    let markdown = home.text(&["export", "--all", "--format", "md"]);
    let (words, messages) = rendered(&markdown);
    // The name before each message, and those in the quotes.
    assert_eq!(messages, contents.len() + 2, "{markdown}");
    let plain = |text: &str| -> String {
        text.chars().filter(|c| !c.is_whitespace() && !['┃', '\u{a0}'].contains(c)).collect()
    };
    let words = plain(&words);
    for message in home.log(PEER) {
        let said = plain(message["text"].as_str().unwrap());
        // A link is followed by its address where there is no other way to show it.
        let said = said.replace("(https://a.example/?a=1&b=(2))", "");
        assert!(words.contains(&said), "{said}\nis not in\n{words}");
    }
}

#[test]
fn every_format_says_why_a_picture_is_missing() {
    let picture = ("media/0-weu-d3-0123456789abcdef0123456789abcdef.1.jpeg", "picture");
    let data = |expiry: &str| {
        let name = "media/0-weu-d3-0123456789abcdef0123456789abcdef.json";
        (name, format!(r#"{{"expiry_date":"{expiry}","filename":"bread.jpg"}}"#))
    };
    let (old, later) = (data("2019-01-01T00:00:00Z"), data("2999-01-01T00:00:00Z"));
    let cases: [(&[(&str, &str)], &str); 4] = [
        (&[], "not in the export"),
        (&[(old.0, &old.1)], "expired"),
        (&[(later.0, &later.1)], "not in the export"),
        (&[(old.0, &old.1), picture], "in the export"),
    ];
    for (media, word) in cases {
        let home = Home::new();
        let json = sample(Dialect::Skype2025).json;
        let members: Vec<(&str, &[u8])> = media
            .iter()
            .map(|(name, content)| (*name, content.as_bytes()))
            .chain([("messages.json", json.as_bytes())])
            .collect();
        let tar = home.file("x.tar", &tar(&members));
        home.import(&tar);
        for format in ["html", "md", "txt", "csv", "json"] {
            let text = home.text(&["export", "Joe", "--format", format]);
            let is_table = ["csv", "json"].contains(&format);
            let says = text.contains(word);
            assert_eq!(says, is_table || word != "in the export", "{format} {word}: {text}");
        }
        std::fs::remove_file(&tar).unwrap();
        let text = home.text(&["export", "Joe"]);
        let moved = text.contains("the export was moved");
        assert_eq!(moved, word == "in the export", "{text}");
    }
}

#[test]
fn every_format_has_the_same_messages_and_dates_narrow_them() {
    let home = Home::new();
    let sample = sample(Dialect::Skype2020);
    home.import(&home.file("messages.json", sample.json.as_bytes()));
    for format in ["html", "md", "txt", "json", "csv"] {
        let all = home.text(&["export", "--all", "--format", format]);
        for needle in ["at eleven", "who brings the sourdough", "running late", "bread.jpg"] {
            assert_eq!(all.matches(needle).count().min(1), 1, "{format}: {needle}");
        }
        assert!(!all.contains('\u{1b}'));
        let none = home.text(&["export", "--all", "--format", format, "--since", "2021"]);
        assert!(!none.contains("at eleven"), "{format}");
        let day =
            ["export", "--all", "--format", format, "--since", "2020-07-06", "--until", "2020-07"];
        assert_eq!(home.text(&day), all, "{format}");
    }
    let csv = home.text(&["export", "Joe", "--format", "csv"]);
    assert!(
        csv.starts_with("conversation,name,at,from,from_name,text,state,media,id,media_state\r\n"),
        "{csv}"
    );
    let error = home.run(&["export", "Joe", "--since", "soon"]);
    assert_eq!(error.status.code(), Some(2));
    assert_eq!(home.run(&["export"]).status.code(), Some(2));
}

#[test]
fn a_tar_that_is_cut_anywhere_gives_every_whole_message_before_the_cut() {
    use skchat::archive::{Export, ImportOptions, import};
    use skchat::model::Timestamp;
    use std::sync::atomic::AtomicBool;
    let item =
        |n: u32| format!(r#"{{"id":"159400000{n:04}","content":"message {n}","from":"{PEER}"}}"#);
    let items: Vec<String> = (0..5).map(item).collect();
    let json = format!(
        r#"{{"userId":"{OWNER}","conversations":[{{"id":"{PEER}","MessageList":[{}]}}]}}"#,
        items.join(",")
    );
    let whole = tar(&[("media/a.1.png", b"picture"), ("messages.json", json.as_bytes())]);
    let begins = |text: &str| whole.windows(text.len()).position(|at| at == text.as_bytes());
    let ends: Vec<usize> = items.iter().map(|item| begins(item).unwrap() + item.len()).collect();
    let begin = begins(&json).unwrap();
    let home = Home::new();
    for cut in (1..whole.len()).step_by(31) {
        let path = home.file("cut.tar", &whole[..cut]);
        let expected = ends.iter().filter(|end| **end <= cut).count() as u64;
        let found = match Export::open(&path) {
            Ok(export) => {
                let cancel = AtomicBool::new(false);
                let progress: &mut dyn FnMut(&skchat::model::ImportProgress) = &mut |_| {};
                let now = Timestamp(0);
                let options = ImportOptions { owner: None, now, cancel: &cancel, progress };
                import(&export, &home.path(&format!("{cut}.db")), options).unwrap().counts.new
            }
            Err(_) => 0,
        };
        assert_eq!(found, expected, "cut at {cut} of {}", whole.len());
        assert!(expected == 0 || cut > begin);
    }
}
