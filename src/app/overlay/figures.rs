//! The performance figures of keys, frames and the connection, right above the message box. The dialog takes no keys.

use super::content::{Content, DialogLine, DialogView, Extent};
use crate::app::keymap::KeymapEntry;
use crate::app::state::AppState;
use crate::app::view::layout::Size;
use std::time::Duration;

/// The figures, if they are to be shown.
pub fn figures(app: &AppState, size: Size, above: u16) -> Option<DialogView> {
    let shown = app.presence.figures.as_ref()?;
    let now = app.clock.mono;
    let frames = shown.frames;
    let keys = match frames.keys {
        0 => "no key measured yet".to_owned(),
        keys => {
            let (p50, p99) = (milliseconds(frames.p50), milliseconds(frames.p99));
            format!("key to frame p50 {p50} p99 {p99} ms ({keys})")
        }
    };
    let sent = shown.accepted.map_or_else(
        || "nothing sent".to_owned(),
        |took| format!("sent in {} ms", took.as_millis()),
    );
    let account = shown.account.map(|(figures, at)| (figures, now.saturating_sub(at)));
    let polled = account.and_then(|(figures, since)| figures.polled.map(|ago| ago + since));
    let polled = polled.map_or_else(
        || "no answer yet".to_owned(),
        |ago| format!("polled {} s ago", ago.as_secs()),
    );
    let budget = match account.map(|(figures, _)| figures.budget) {
        None => "budget unknown".to_owned(),
        Some(None) => "no request limit".to_owned(),
        Some(Some((left, most))) => format!("{left} of {most} requests left"),
    };
    let lines = vec![
        DialogLine::new(keys, format!("{} bytes per frame", frames.bytes)),
        DialogLine::new(format!("{polled} · {sent}"), budget),
    ];
    let key = app.prefs.keymap.entry("figures").map(KeymapEntry::key).unwrap_or_default();
    let content = Content::new("Latency", lines, format!("{key} closes"));
    Content { extent: Extent::AboveBox, ..content }.place(size, above)
}

fn milliseconds(time: Duration) -> String {
    format!("{:.1}", time.as_secs_f64() * 1000.0)
}
