//! When the loop draws, and that nothing is missing from a frame.

use crate::common::PATIENCE;
use crate::common::fixture::{App, direct, key};
use crossterm::event::Event;
use futures_util::StreamExt;
use skchat::app::view::layout::Size;
use skchat::model::{Background, Outbound, Preferences, Request};
use skchat::runtime::keys::TerminalEvent;
use skchat::runtime::recording::{self, Recorder, RecordingEntry, RecordingHeader};
use skchat::runtime::spelling::SpellChecker;
use skchat::runtime::{Editor, Surface, Wiring, run};
use skchat::ui::{ColorDepth, ScreenFrame, Themes};
use std::collections::BTreeMap;
use std::io;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

/// A terminal of which only the title is checked, and how many frames it gets.
struct Counter {
    title: watch::Sender<String>,
    frames: watch::Sender<u32>,
}

impl Surface for Counter {
    fn draw(&mut self, _frame: &ScreenFrame<'_>) -> io::Result<()> {
        self.frames.send_modify(|frames| *frames += 1);
        Ok(())
    }
    fn invalidate(&mut self) {}
    fn copy(&mut self, _text: &str) -> io::Result<bool> {
        Ok(true)
    }
    fn release(&mut self) {}
    fn retake(&mut self) -> io::Result<Size> {
        Ok(Size { columns: 80, rows: 24 })
    }
    fn stop(&mut self) {}
    fn set_title(&mut self, title: &str) -> io::Result<()> {
        self.title.send_replace(title.to_owned());
        Ok(())
    }
}

/// The user of a running loop.
struct User {
    keys: mpsc::Sender<&'static str>,
    requests: mpsc::Receiver<Outbound>,
    title: watch::Receiver<String>,
    frames: watch::Receiver<u32>,
}

impl User {
    /// Waits until a draft is to be saved, and returns the number of frames up to then.
    async fn saved(&mut self) -> u32 {
        let is_saved = async {
            while let Some(request) = self.requests.recv().await {
                if matches!(request.request, Request::SaveDraft { .. }) {
                    return;
                }
            }
        };
        tokio::time::timeout(PATIENCE, is_saved).await.expect("a draft to save");
        *self.frames.borrow()
    }
}

/// Runs the loop with keys that arrive at once, until `user` has finished.
async fn with_loop(app: App, at_once: &'static [&str], user: impl AsyncFnOnce(&mut User)) {
    Box::pin(with_recorded_loop(app, at_once, None, user)).await;
}

async fn with_recorded_loop(
    mut app: App,
    at_once: &'static [&str],
    recorder: Option<Recorder>,
    user: impl AsyncFnOnce(&mut User),
) {
    let (title_in, title) = watch::channel(String::new());
    let (frames_in, frames) = watch::channel(0);
    let (keys, mut later) = mpsc::channel::<&str>(8);
    let later = futures_util::stream::poll_fn(move |context| later.poll_recv(context));
    let events = futures_util::stream::iter(at_once.iter().copied()).chain(later);
    let events = events.map(|chord| Ok(TerminalEvent::Input(Event::Key(key(chord)))));
    let (_stops, stops) = mpsc::channel(1);
    let (_deltas, deltas) = mpsc::channel(1);
    let (requests_in, requests) = mpsc::channel(64);
    let stop = CancellationToken::new();
    let dir = tempfile::tempdir().unwrap();
    let wiring = Wiring {
        surface: Counter { title: title_in, frames: frames_in },
        events,
        stops,
        deltas,
        requests: requests_in,
        stop: stop.clone(),
        shown: CancellationToken::new(),
        editor: Editor { command: Vec::new(), dir: dir.path().to_owned() },
        spelling: SpellChecker::new(dir.path().join("words.txt")),
        recorder,
    };
    let themes = Themes::built_in(ColorDepth::True, false).unwrap();
    let mut person = User { keys, requests, title, frames };
    let done = async {
        user(&mut person).await;
        stop.cancel();
    };
    let (ended, ()) = tokio::join!(run(&mut app.model, &themes, wiring), done);
    ended.unwrap();
}

#[tokio::test]
async fn a_chat_that_was_opened_and_a_key_in_its_box_at_once_name_it_in_the_title() {
    let app = direct("joe").with_direct("mia").opened();
    with_loop(app, &["alt-up", "left"], async |user: &mut User| {
        let wait = user.title.wait_for(|title| title.contains("Joe"));
        tokio::time::timeout(PATIENCE, wait).await.expect("the chat in the title").unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_draft_that_is_saved_makes_no_frame() {
    let app = direct("joe").opened();
    with_loop(app, &[], async |user: &mut User| {
        // The first frames request what they find missing.
        for chord in ["x", "y"] {
            user.keys.send(chord).await.unwrap();
            user.saved().await;
        }
        let before = *user.frames.borrow();
        user.keys.send("z").await.unwrap();
        assert_eq!(user.saved().await, before + 1, "that of the key");
    })
    .await;
}

fn header() -> RecordingHeader {
    RecordingHeader {
        skchat: String::new(),
        format: recording::FORMAT,
        accounts: Vec::new(),
        zone: String::new(),
        size: Size { columns: 80, rows: 24 },
        depth: ColorDepth::True,
        background: Background::default(),
        demo: false,
        read_only: false,
        first_client_id: 0,
        welcome: false,
        returns: false,
        warning: None,
        keys: BTreeMap::new(),
        preferences: Preferences::default(),
    }
}

/// How many layouts are derived up to the first frame after keys that arrive at once.
async fn layouts_after(at_once: &'static [&'static str]) -> usize {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("recording");
    let recorder = Recorder::create(&path, header()).unwrap();
    let until_drawn = async |user: &mut User| {
        let drawn = user.frames.wait_for(|frames| *frames > 0);
        tokio::time::timeout(PATIENCE, drawn).await.expect("a frame").unwrap();
    };
    let app = direct("joe").opened();
    Box::pin(with_recorded_loop(app, at_once, Some(recorder), until_drawn)).await;
    let (_, entries, _) = recording::read(&path).unwrap();
    let before = entries.iter().take_while(|entry| !matches!(entry, RecordingEntry::Frame(..)));
    before.filter(|entry| matches!(entry, RecordingEntry::Layout)).count()
}

#[tokio::test]
async fn keys_that_edit_text_and_come_at_once_need_one_layout() {
    let keys = &["a", "b", "space", "d", "backspace", "ctrl-w", "e", "delete", "ctrl-u", "ctrl-y"];
    assert_eq!(layouts_after(keys).await, 1);
    // What Up does may depend on what is on the screen.
    assert_eq!(layouts_after(&["a", "up", "b", "up"]).await, 3);
}
