//! What an import reports.

use crate::app::model::Model;
use crate::app::pending::RunningImport;
use crate::model::{ImportNews, SafeText};

pub fn apply(model: &mut Model, news: ImportNews) {
    match news {
        ImportNews::Progress(progress) => {
            let now = model.app.clock.mono;
            let began = model.app.pending.import.map_or(now, |running| running.began);
            model.app.pending.import = Some(RunningImport { began, progress });
        }
        ImportNews::Done(summary) => {
            let first = summary.lines().nth(1).unwrap_or("done").to_owned();
            if !end(model, summary) {
                model.app.note(&format!("Imported: {first}"));
            }
        }
        ImportNews::Failed(why) => {
            let text = format!("Not imported: {why}");
            if !end(model, SafeText::text(&text)) {
                model.app.complain(&text);
            }
        }
    }
}

/// Shows the final report in the dialog; false if the dialog is not open.
fn end(model: &mut Model, text: SafeText) -> bool {
    model.app.pending.import = None;
    let dialog = model.overlays.import_mut();
    let is_open = dialog.is_some();
    if let Some(dialog) = dialog {
        dialog.end(text);
    }
    is_open
}
