//! Pictures and files of messages that the service holds: who gets the token for them, and how downloads end.

use crate::common;
use crate::common::terminal::Terminal;
use crate::common::{ANNA, Gateway, JOE, PATIENCE, send_raw, token};
use skchat::client::{Client, Error, ErrorKind};
use skchat::gateway::fault::InjectedFault;
use skchat::gateway::objects::{ObjectAuth, StoredObject};
use skchat::model::{MediaKind, ObjectFile, SafeText};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

const PROGRAM: &str = env!("CARGO_BIN_EXE_skchat");
const OVEN: &[u8] = include_bytes!("../../assets/demo/old-oven.png");

fn file(origin: &str, id: &str, kind: MediaKind) -> ObjectFile {
    let url = format!("{origin}/v1/objects/{id}");
    ObjectFile { url: url.as_str().into(), kind, name: SafeText::default(), label: "file".into() }
}

/// All bytes of a file.
async fn bytes(client: &Client, file: &ObjectFile) -> Result<Vec<u8>, Error> {
    let mut stream = client.object(file).await?;
    let mut all = Vec::new();
    while let Some(part) = stream.next().await? {
        all.extend_from_slice(part.as_ref());
    }
    Ok(all)
}

fn views(gateway: &Gateway) -> usize {
    gateway.requests("GET", "/views/")
}

#[tokio::test]
async fn the_token_is_tried_in_a_header_then_as_a_cookie_then_for_a_cookie_of_the_host() {
    let tries =
        [(ObjectAuth::Header, 1, 0), (ObjectAuth::Cookie, 2, 0), (ObjectAuth::Issued, 3, 1)];
    for (auth, needed, sign_ins) in tries {
        let gateway = Gateway::start().await;
        gateway.state.objects().accept(auth);
        let client = gateway.client(ANNA);
        let list = file(&gateway.origin, "0-list", MediaKind::File);
        let list_bytes = include_bytes!("../../assets/demo/shopping.txt");
        assert_eq!(bytes(&client, &list).await.unwrap(), list_bytes, "{auth:?}");
        assert_eq!(views(&gateway), needed, "{auth:?}");
        assert_eq!(gateway.requests("POST", "/skypetokenauth"), sign_ins, "{auth:?}");
        bytes(&client, &list).await.unwrap();
        assert_eq!(views(&gateway), needed + 1, "what worked is remembered: {auth:?}");
    }
}

#[tokio::test]
async fn a_host_that_refuses_the_token_says_so_and_signs_nobody_out() {
    let gateway = Gateway::start().await;
    gateway.state.objects().accept(ObjectAuth::Nothing);
    let client = gateway.client(ANNA);
    let oven = file(&gateway.origin, "0-oven", MediaKind::Image);
    let error = bytes(&client, &oven).await.unwrap_err();
    assert_eq!(error.message, "this account may not download this file");
    assert_eq!(error.kind, ErrorKind::Forbidden);
    client.conversations(1).await.unwrap();
    // An expired cookie is replaced.
    gateway.state.objects().accept(ObjectAuth::Issued);
    bytes(&client, &oven).await.unwrap();
    gateway.state.objects().end_cookies();
    bytes(&client, &oven).await.unwrap();
}

#[tokio::test]
async fn no_other_host_gets_a_token_by_an_address_or_by_a_redirect() {
    let (gateway, decoy) = (Gateway::start().await, Gateway::start().await);
    let client = gateway.client(ANNA);
    let foreign = file(&decoy.origin, "0-oven", MediaKind::Image);
    let error = bytes(&client, &foreign).await.unwrap_err();
    assert_eq!(error.message, "its address does not belong to the service; nothing was sent there");
    for auth in [ObjectAuth::Header, ObjectAuth::Cookie, ObjectAuth::Issued] {
        gateway.state.objects().accept(auth);
        let to = format!("{}/v1/objects/0-oven/views/imgpsh_fullsize", decoy.origin);
        let faults = gateway.state.faults();
        faults.add("GET", "/views/", 1, InjectedFault::Redirect(to));
        let oven = file(&gateway.origin, "0-oven", MediaKind::Image);
        let error = bytes(&client, &oven).await.unwrap_err();
        assert_eq!(error.message, "the service redirects to another host, which is not followed");
        faults.add("POST", "/skypetokenauth", 1, InjectedFault::Redirect(decoy.origin.clone()));
        let _ = bytes(&client, &oven).await;
        faults.clear();
    }
    assert_eq!(decoy.state.faults().log(), Vec::<String>::new(), "nothing was asked there");
    // Within the same host a redirect is followed.
    let to = format!("{}/v1/objects/0-oven/views/imgo", gateway.origin);
    gateway.state.faults().add("GET", "/views/", 1, InjectedFault::Redirect(to));
    let oven = file(&gateway.origin, "0-oven", MediaKind::Image);
    assert_eq!(bytes(&client, &oven).await.unwrap(), OVEN);
}

#[tokio::test]
async fn a_file_that_is_not_ready_is_waited_for_and_one_that_is_gone_is_not() {
    let gateway = Gateway::start().await;
    let client = gateway.client(ANNA);
    gateway.state.objects().prepare("0-list", 2);
    let begun = tokio::time::Instant::now();
    bytes(&client, &file(&gateway.origin, "0-list", MediaKind::File)).await.unwrap();
    assert!(begun.elapsed() >= Duration::from_secs(2), "{:?}", begun.elapsed());
    assert_eq!(gateway.requests("GET", "/status"), 3);
    let gone = bytes(&client, &file(&gateway.origin, "0-gone", MediaKind::Image)).await;
    let error = gone.unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotFound);
    assert!(error.message.contains("does not have this file any more"), "{}", error.message);
}

fn large(gateway: &Gateway, megabytes: usize) -> ObjectFile {
    let bytes = vec![b'x'; megabytes * 1_000_000];
    let object = StoredObject { content_type: "image/png", views: &["imgo"], bytes };
    gateway.state.objects().put("0-large", object);
    file(&gateway.origin, "0-large", MediaKind::Image)
}

#[tokio::test]
async fn a_file_that_is_too_large_is_not_read() {
    let gateway = Gateway::start().await;
    let mut options = gateway.options(ANNA);
    options.service.objects.most_megabytes = 2;
    let client = Client::new(options);
    bytes(&client, &large(&gateway, 2)).await.unwrap();
    let error = bytes(&client, &large(&gateway, 3)).await.unwrap_err();
    assert_eq!(
        (error.kind, error.message.as_str()),
        (ErrorKind::TooLarge, "the file is larger than 2 MB")
    );
}

#[tokio::test]
async fn a_429_of_the_file_service_holds_up_nothing_else() {
    let gateway = Gateway::start().await;
    let client = gateway.client(ANNA);
    let pause = InjectedFault::Status { code: 429, error: 429, retry_after: Some(600) };
    gateway.state.faults().add("GET", "/views/", 9, pause);
    let oven = file(&gateway.origin, "0-oven", MediaKind::Image);
    for _ in 0..3 {
        let error = bytes(&client, &oven).await.unwrap_err();
        let ErrorKind::RetryAfter(wait) = error.kind else { panic!("{error:?}") };
        assert!(wait > Duration::from_secs(590), "{wait:?}");
        client.conversations(1).await.unwrap();
        common::say_as(&client, JOE, "soup is ready").await;
    }
    assert_eq!(views(&gateway), 1, "it is left alone");
}

/// The built program as Anna, with a program for files that keeps what it is given.
struct Screen {
    gateway: Gateway,
    home: tempfile::TempDir,
}

impl Screen {
    async fn new() -> Self {
        let gateway = Gateway::start().await;
        let home = tempfile::tempdir().unwrap();
        for folder in ["bin", "tmp", "data"] {
            std::fs::create_dir(home.path().join(folder)).unwrap();
        }
        common::write_config(home.path(), &gateway.origin);
        let opener = home.path().join("bin/xdg-open");
        let log = home.path().join("opened");
        // The move makes sure that a waiting test sees a complete file.
        let script = format!(
            "#!/bin/sh\ncp \"$1\" '{0}.copy'\nenv > '{0}.env'\nprintf '%s' \"$*\" > '{0}.new'\nmv '{0}.new' '{0}'\n",
            log.display()
        );
        std::fs::write(&opener, script).unwrap();
        std::fs::set_permissions(&opener, PermissionsExt::from_mode(0o755)).unwrap();
        Self { gateway, home }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// Joe sends a picture that is at this address.
    async fn send(&self, address: &str) {
        let content = format!(
            "<URIObject type=\"Picture.1\" uri=\"{address}\"><OriginalName v=\"oven.jpg\"/></URIObject>"
        );
        send_raw(&self.gateway.client(JOE), ANNA, "RichText/UriObject", &content).await;
    }

    /// Starts the program and selects the message in the chat with Joe.
    fn start(&self) -> Terminal {
        let path = |name: &str| self.path(name).to_str().unwrap().to_owned();
        let search = format!("{}:{}", path("bin"), std::env::var("PATH").unwrap());
        let own = [
            ("SKCHAT_CONFIG", path("config.toml")),
            ("SKCHAT_DATA_DIR", path("data")),
            ("TMPDIR", path("tmp")),
            ("PATH", search),
            ("TEST_TOKEN", token(ANNA)),
        ];
        let own: Vec<(&str, &str)> = own.iter().map(|(n, v)| (*n, v.as_str())).collect();
        let mut t = Terminal::start(Path::new(PROGRAM), &[], &own, 100, 30);
        t.wait_for("oven.jpg");
        t.send("\u{b}Joe");
        t.wait_for("› Joe");
        t.send("\r");
        t.wait_for("To Joe");
        t.wait_for(" Today ");
        t.send("\u{1b}[1;5A");
        t
    }

    /// The files that the program has written for other programs.
    fn copies(&self) -> Vec<PathBuf> {
        let mut files = Vec::new();
        collect(&self.path("tmp"), &mut files);
        files
    }

    async fn run<T: Send + 'static>(self, keys: impl FnOnce(&Self) -> T + Send + 'static) -> T {
        tokio::task::spawn_blocking(move || keys(&self)).await.unwrap()
    }
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() { collect(&entry, files) } else { files.push(entry) }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_is_opened_from_a_private_copy_which_goes_when_the_program_ends() {
    let screen = Screen::new().await;
    screen.send(&format!("{}/v1/objects/0-oven", screen.gateway.origin)).await;
    screen
        .run(|screen| {
            let mut t = screen.start();
            t.send("o");
            t.wait_for("Download this file and open it?");
            assert_eq!(views(&screen.gateway), 0, "nothing is fetched before the answer");
            t.send("\r");
            let opened = screen.path("opened");
            t.wait_at_most(PATIENCE, |_| opened.exists());
            let shown = std::fs::read_to_string(&opened).unwrap();
            assert_eq!(screen.copies(), [PathBuf::from(&shown)], "no part of it is left");
            assert!(shown.ends_with("/0-oven.png"), "{shown}");
            assert_eq!(std::fs::read(screen.path("opened.copy")).unwrap(), OVEN);
            let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
            let folder = Path::new(&shown).parent().unwrap();
            assert_eq!((mode(folder), mode(Path::new(&shown))), (0o700, 0o600));
            // The copy is opened again without the network.
            let asked = views(&screen.gateway);
            std::fs::remove_file(&opened).unwrap();
            t.send("o");
            t.wait_for("Download this file and open it?");
            t.send("y");
            t.wait_at_most(PATIENCE, |_| opened.exists());
            assert_eq!(views(&screen.gateway), asked);
            t.send("\u{11}");
            assert_eq!(t.exit_code(), 0);
            assert_eq!(screen.copies(), Vec::<PathBuf>::new());
            let mut files = Vec::new();
            collect(screen.home.path(), &mut files);
            assert!(files.len() > 5, "the log and the store are among them: {files:?}");
            for file in files {
                let bytes = std::fs::read(&file).unwrap();
                let token = token(ANNA);
                let has_it = bytes.windows(token.len()).any(|part| part == token.as_bytes());
                assert!(!has_it, "the token is in {}", file.display());
            }
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_breaks_off_or_is_stopped_leaves_no_half_file_and_says_so() {
    let screen = Screen::new().await;
    large(&screen.gateway, 4);
    screen.send(&format!("{}/v1/objects/0-large/views/imgo", screen.gateway.origin)).await;
    screen
        .run(|screen| {
            let faults = screen.gateway.state.faults();
            let mut t = screen.start();
            faults.add("GET", "/views/imgo", 1, InjectedFault::CutOff);
            t.send("o\r");
            t.wait_for("Not opened: the connection was interrupted");
            assert_eq!(screen.copies(), Vec::<PathBuf>::new());
            faults.add("GET", "/views/imgpsh", 1, InjectedFault::Delay(Duration::from_secs(600)));
            t.send("o\r");
            t.wait_for("Asking for the file");
            t.send("\u{1b}");
            t.wait_for("The download was stopped");
            assert_eq!(screen.copies(), Vec::<PathBuf>::new());
            // In the middle of the file, too.
            faults.clear();
            faults.add("GET", "/views/imgo", 1, InjectedFault::Stall);
            t.send("o\r");
            t.wait_for(" of 4.0 MB");
            assert_eq!(screen.copies().len(), 1);
            t.send("\u{1b}");
            t.wait_at_most(PATIENCE, |_| screen.copies().is_empty());
            assert!(!screen.path("opened").exists());
            faults.clear();
            t.send("o\r");
            t.wait_at_most(PATIENCE, |_| screen.path("opened").exists());
            assert_eq!(std::fs::metadata(screen.path("opened.copy")).unwrap().len(), 4_000_000);
            t.send("\u{11}");
            assert_eq!(t.exit_code(), 0);
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_opened_says_why_and_a_foreign_address_is_left_to_the_browser() {
    let screen = Screen::new().await;
    let decoy = Gateway::start().await;
    screen.send(&format!("{}/v1/objects/0-oven", decoy.origin)).await;
    screen.send(&format!("{}/v1/objects/0-expired", screen.gateway.origin)).await;
    screen
        .run(|screen| {
            let mut t = screen.start();
            t.send("o\r");
            t.wait_for("Not opened: the service does not have this file any more");
            let pause = InjectedFault::Status { code: 429, error: 429, retry_after: Some(600) };
            screen.gateway.state.faults().add("GET", "/views/", 1, pause);
            t.send("o\r");
            t.wait_for("too many requests (429); try again in 10 minutes");
            t.send("\u{1b}[1;5Ao");
            t.wait_for("Open this address?");
            t.send("n\u{11}");
            assert_eq!(t.exit_code(), 0);
        })
        .await;
    assert_eq!(decoy.state.faults().log(), Vec::<String>::new(), "nothing was asked there");
}
