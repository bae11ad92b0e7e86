//! Keys that arrive at once make one frame, and nothing of it is left out.

mod common;

use common::PATIENCE;
use common::fixture::{direct, key};
use crossterm::event::Event;
use futures_util::StreamExt;
use skchat::app::view::layout::Size;
use skchat::runtime::keys::TerminalEvent;
use skchat::runtime::spelling::SpellChecker;
use skchat::runtime::{Editor, Surface, Wiring, run};
use skchat::ui::{ColorDepth, ScreenFrame, Themes};
use std::io;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

/// A terminal of which only the title is looked at.
struct TitleBar(watch::Sender<String>);

impl Surface for TitleBar {
    fn draw(&mut self, _frame: &ScreenFrame<'_>) -> io::Result<()> {
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
        self.0.send_replace(title.to_owned());
        Ok(())
    }
}

#[tokio::test]
async fn a_chat_that_was_opened_and_a_key_in_its_box_at_once_name_it_in_the_title() {
    let mut app = direct("joe").with_direct("mia").opened();
    let (titles, mut title) = watch::channel(String::new());
    let keys = ["alt-up", "left"].map(|chord| Ok(TerminalEvent::Input(Event::Key(key(chord)))));
    let events = futures_util::stream::iter(keys).chain(futures_util::stream::pending());
    let (_stops, stops) = mpsc::channel(1);
    let (_deltas, deltas) = mpsc::channel(1);
    let (requests, _requests) = mpsc::channel(64);
    let stop = CancellationToken::new();
    let dir = tempfile::tempdir().unwrap();
    let wiring = Wiring {
        surface: TitleBar(titles),
        events,
        stops,
        deltas,
        requests,
        stop: stop.clone(),
        shown: CancellationToken::new(),
        editor: Editor { command: Vec::new(), dir: dir.path().to_owned() },
        spelling: SpellChecker::new(dir.path().join("words.txt")),
        recorder: None,
    };
    let themes = Themes::built_in(ColorDepth::True, false).unwrap();
    let named = async {
        let wait = title.wait_for(|title| title.contains("Joe"));
        tokio::time::timeout(PATIENCE, wait).await.expect("the chat in the title").unwrap();
        stop.cancel();
    };
    let (ended, ()) = tokio::join!(run(&mut app.model, &themes, wiring), named);
    ended.unwrap();
}
