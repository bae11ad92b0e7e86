//! Opens one of several links.

use super::content::{Content, DialogLine, step, wide_columns};
use super::reactions::digit;
use super::{Confirm, Dialog, DialogEnv, Next, Overlay};
use crate::app::action::OverlayAction;
use crate::app::state::AppState;
use crate::app::view::Tone;
use crate::app::view::layout::Size;
use crate::model::text::{cut, width};
use crate::model::{Block, Media, Message, MessageBody, SafeText, Timestamp};

#[derive(Debug)]
pub struct Links {
    links: Vec<ListedLink>,
    marked: usize,
}

/// A link, the file that it leads to, and when it was sent.
#[derive(Clone, Debug, PartialEq)]
pub struct ListedLink {
    pub url: SafeText,
    /// `[image] old-oven.jpg · 1.2 MB`
    pub file: Option<SafeText>,
    pub at: Timestamp,
}

impl ListedLink {
    /// The links of a message; of a file also its name.
    pub fn of(message: &Message) -> Vec<Self> {
        let mut files: Vec<&Media> = Vec::new();
        match &message.body {
            MessageBody::Media(media) => files.push(media),
            MessageBody::Text(rich) => {
                let media = rich.blocks.iter().filter_map(|block| match block {
                    Block::Media(media) => Some(media),
                    _ => None,
                });
                files.extend(media);
            }
            _ => {}
        }
        let name = |url: &SafeText| {
            let file = files.iter().find(|media| media.link.as_ref() == Some(url));
            file.map(|media| SafeText::line(&media.text()))
        };
        let links = message.body.links().into_iter();
        links.map(|url| Self { file: name(&url), at: message.at, url }).collect()
    }
}

impl Links {
    pub fn new(links: Vec<ListedLink>) -> Self {
        Self { links, marked: 0 }
    }
}

impl Dialog for Links {
    fn content(&self, app: &AppState, size: Size) -> Content {
        let lines = (1..).zip(&self.links).map(|(n, link)| {
            let day = app.prefs.short_time(link.at, app.clock.wall);
            let shown = link.file.as_ref().unwrap_or(&link.url);
            let room = wide_columns(size).saturating_sub(width(&day) + 1);
            let mut line = DialogLine::new(cut(&format!("{n} {shown}"), room), day);
            line.right_tone = Tone::Dim;
            line
        });
        Content::new("Links and files", lines.collect(), "Enter or a number opens")
            .with_marked(self.marked, "")
    }

    fn act(&mut self, action: OverlayAction, env: &mut DialogEnv<'_>) -> Next {
        let chosen = match action {
            OverlayAction::Choose => Some(self.marked),
            OverlayAction::Type(c) => digit(c),
            other => {
                step(&mut self.marked, other.step_or_tab(env.page).unwrap_or(0), self.links.len());
                None
            }
        };
        let Some(url) = chosen.and_then(|at| self.links.get(at).map(|link| link.url.clone()))
        else {
            return Next::Stay;
        };
        match Confirm::open_link(env.app, url) {
            Some(question) => Next::Replace(Overlay::Confirm(question)),
            None => Next::Close,
        }
    }
}
