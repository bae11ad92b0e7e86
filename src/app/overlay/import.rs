//! An import: its progress and its report.

use super::content::{Content, DialogLine, wide_columns};
use super::help::scroll_key;
use super::{Dialog, DialogEnv, Next, Overlay};
use crate::app::action::OverlayAction;
use crate::app::pending::RunningImport;
use crate::app::state::AppState;
use crate::app::view::layout::Size;
use crate::app::view::wrap::break_lines;
use crate::model::{ImportProgress, Request, SafeText};

#[derive(Debug)]
pub struct Import {
    /// The final report.
    report: Option<SafeText>,
    scroll: usize,
}

impl Import {
    /// Asks for an import, and shows its progress.
    pub fn begin(app: &mut AppState, path: &str) -> Overlay {
        let progress = ImportProgress::default();
        app.pending.import = Some(RunningImport { began: app.clock.mono, progress });
        let account = app.accounts.first().id.clone();
        app.request(&account, Request::Import { path: path.to_owned() });
        Self::running()
    }

    /// Shows the progress of the import that is running.
    pub fn running() -> Overlay {
        Overlay::Import(Self { report: None, scroll: 0 })
    }

    /// The import has ended.
    pub fn end(&mut self, report: SafeText) {
        self.report = Some(report);
    }
}

impl Dialog for Import {
    fn content(&self, app: &AppState, size: Size) -> Content {
        let columns = wide_columns(size);
        if let Some(report) = &self.report {
            let rows = break_lines(report, columns);
            let lines = rows.into_iter().filter_map(|range| report.get(range));
            let lines = lines.map(|row| DialogLine::new(row.trim_end_matches('\n'), "")).collect();
            return Content::new("Import", lines, "Esc closes").scrolled(self.scroll);
        }
        let line = match &app.pending.import {
            Some(RunningImport { began, progress }) if progress.size > 0 => {
                progress.line(app.clock.mono.saturating_sub(*began))
            }
            _ => "Looking at the export…".to_owned(),
        };
        let hint = "x stops and keeps what is complete · Esc hides this; the import goes on";
        Content::new("Importing", vec![DialogLine::new(line, "")], hint)
    }

    fn act(&mut self, action: OverlayAction, env: &mut DialogEnv<'_>) -> Next {
        match action {
            OverlayAction::Type('x') if self.report.is_none() => {
                let account = env.app.accounts.first().id.clone();
                env.app.request(&account, Request::CancelImport);
                env.app.note("Stopping the import…");
                Next::Stay
            }
            OverlayAction::Choose => Next::Close,
            other => {
                let max = self.content(env.app, env.size).max_scroll(env.size);
                scroll_key(&mut self.scroll, &other, max, env.page)
            }
        }
    }

    fn chooses(&self) -> bool {
        false
    }
}
