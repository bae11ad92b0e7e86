//! Opens one of several links.

use super::content::{Content, DialogLine, step};
use super::reactions::digit;
use super::{Confirm, Dialog, DialogEnv, Next, Overlay};
use crate::app::action::OverlayAction;
use crate::app::state::AppState;
use crate::app::view::layout::Size;
use crate::model::SafeText;

#[derive(Debug)]
pub struct Links {
    links: Vec<SafeText>,
    marked: usize,
}

impl Links {
    pub fn new(links: Vec<SafeText>) -> Self {
        Self { links, marked: 0 }
    }
}

impl Dialog for Links {
    fn content(&self, _: &AppState, _: Size) -> Content {
        let lines =
            (1..).zip(&self.links).map(|(n, url)| DialogLine::new(format!("{n} {url}"), ""));
        Content::new("Links", lines.collect(), "Enter or a number opens")
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
        let Some(url) = chosen.and_then(|at| self.links.get(at).cloned()) else {
            return Next::Stay;
        };
        match Confirm::open_link(env.app, url) {
            Some(question) => Next::Replace(Overlay::Confirm(question)),
            None => Next::Close,
        }
    }
}
