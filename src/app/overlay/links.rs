//! Opens one of several links.

use super::content::{Content, DialogLine, step, wide_columns};
use super::reactions::digit;
use super::{Confirm, Dialog, DialogEnv, Next, Overlay};
use crate::app::action::OverlayAction;
use crate::app::state::AppState;
use crate::app::view::Tone;
use crate::app::view::layout::Size;
use crate::model::text::{cut, width};
use crate::model::{Block, Media, Message, MessageBody, ObjectFile, SafeText, Timestamp};

#[derive(Debug)]
pub struct Links {
    links: Vec<ListedLink>,
    marked: usize,
}

/// A link, the file it leads to, and when it was sent.
#[derive(Clone, Debug, PartialEq)]
pub struct ListedLink {
    pub url: SafeText,
    /// `[image] old-oven.jpg · 1.2 MB`
    pub file: Option<SafeText>,
    /// The file in the service's storage.
    object: Option<ObjectFile>,
    pub at: Timestamp,
}

impl ListedLink {
    /// The links of a message, each with the name of its file if it has one.
    pub fn of(message: &Message) -> Vec<Self> {
        let mut files: Vec<&Media> = Vec::new();
        match &message.body {
            MessageBody::Media(media) => files.push(media),
            MessageBody::Text(rich) => {
                let media = rich.blocks.iter().filter_map(|block| match block {
                    Block::Media(media) => Some(&**media),
                    _ => None,
                });
                files.extend(media);
            }
            _ => {}
        }
        let links = message.body.links().into_iter().map(|url| {
            let media = files.iter().find(|media| media.link.as_ref() == Some(&url));
            Self {
                file: media.map(|media| SafeText::line(&media.text())),
                object: media.and_then(|media| ObjectFile::of(media)),
                at: message.at,
                url,
            }
        });
        links.collect()
    }

    /// Asks before opening it: a file that the account can fetch is downloaded, everything else goes to the browser.
    pub fn question(self, app: &mut AppState) -> Option<Confirm> {
        let chat = app.open.clone();
        let account = chat.as_ref().and_then(|chat| app.accounts.get(&chat.account));
        let fetched = account.and_then(|account| {
            let object = self.object.filter(|file| account.objects.have(&file.url));
            object.or_else(|| {
                account.objects.have(&self.url).then(|| ObjectFile::at(self.url.clone()))
            })
        });
        match (chat, fetched) {
            (Some(chat), Some(file)) => Some(Confirm::download(chat, file)),
            _ => Confirm::open_link(app, self.url),
        }
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
        let Some(link) = chosen.and_then(|at| self.links.get(at).cloned()) else {
            return Next::Stay;
        };
        match link.question(env.app) {
            Some(question) => Next::Replace(Overlay::Confirm(question)),
            None => Next::Close,
        }
    }
}
