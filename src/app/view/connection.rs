//! A description of the state of a connection.

use super::bar::{Label, Tone};
use crate::app::account::Connection;
use crate::app::state::AppState;
use crate::model::text::{cut, width};
use crate::model::{ConnectionState, SignInWay};

/// The most columns of a reason that are shown.
const MAX_REASON: usize = 40;

/// A description of the state of the connection.
pub(super) fn connection(app: &AppState, connection: &Connection, columns: usize) -> Label {
    let now = app.clock.mono;
    let (text, tone) = match &connection.state {
        ConnectionState::Online => ("live".to_owned(), Tone::Good),
        ConnectionState::ReadOnly => {
            ("read-only: stored messages · F5 refreshes".to_owned(), Tone::New)
        }
        ConnectionState::Connecting => ("connecting…".to_owned(), Tone::Dim),
        ConnectionState::Waiting { asked: true, .. } => {
            (asked_to_wait(connection.retry_in(now).unwrap_or(0), columns), Tone::Bad)
        }
        ConnectionState::Waiting { why, .. } => {
            let (retry, key) = match connection.retry_in(now) {
                Some(seconds) if seconds > 0 => (format!(" · retry in {seconds}s"), " (F5)"),
                _ => (", trying again".to_owned(), ""),
            };
            let since = match connection.lost_for(now) {
                Some(seconds @ 1..=99) => format!(" {seconds}s"),
                Some(seconds @ 100..) => format!(" {} min", seconds / 60),
                _ => String::new(),
            };
            let what = format!("offline{since}");
            // The key that ends the wait is only shown if the reason need not be shortened for it.
            let with_key = format!("{retry}{key}");
            let all = width(&what) + 2 + width(why).min(MAX_REASON) + width(&with_key);
            let next = if all <= columns { with_key } else { retry };
            return Label::new(trouble(&what, why, &next, columns), Tone::Bad);
        }
        ConnectionState::SignedOut { why, way } => {
            let next = match way {
                SignInWay::Token => "F5 tries again",
                SignInWay::Personal | SignInWay::Work => {
                    // Do not repeat "signed out" if the reason begins with it.
                    let (what, why) = match why.strip_prefix("signed out ") {
                        Some(_) => (why.to_string(), ""),
                        None => ("signed out".to_owned(), why.as_str()),
                    };
                    let text = trouble(&what, why, " · Ctrl-X s signs in", columns);
                    return Label::new(text, Tone::Bad);
                }
            };
            // The reason takes precedence over the key.
            let text = format!("signed out: {why} · {next}");
            let text = if width(&text) <= columns {
                text
            } else {
                cut(&format!("signed out: {why}"), columns)
            };
            return Label::new(text, Tone::Bad);
        }
    };
    Label::new(cut(&text, columns), tone)
}

/// Says that the service has asked for a pause, in the longest form that fits.
fn asked_to_wait(seconds: u64, columns: usize) -> String {
    if seconds == 0 {
        return "trying again".to_owned();
    }
    let left = match seconds {
        0..=99 => format!("{seconds} s"),
        _ => format!("{}:{:02} min", seconds / 60, seconds % 60),
    };
    let long = format!("The service asked for a pause: next try in {left}");
    if width(&long) <= columns { long } else { format!("asked to wait {left}") }
}

/// What is wrong, why, and what comes next (`next` begins with its separator); the reason is cut first.
fn trouble(what: &str, why: &str, next: &str, columns: usize) -> String {
    const MIN_REASON: usize = 7;
    let fixed = width(what) + width(next) + 2;
    let room = columns.saturating_sub(fixed).min(MAX_REASON);
    if !why.is_empty() && room >= width(why).min(MIN_REASON) {
        return format!("{what}: {}{next}", cut(why, room));
    }
    let without = format!("{what}{next}");
    if width(&without) <= columns { without } else { cut(what, columns) }
}
