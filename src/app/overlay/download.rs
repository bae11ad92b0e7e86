//! A file that is being fetched from the service: how much of it has arrived.

use super::content::{Content, DialogLine};
use super::{Dialog, DialogEnv, Next, Overlay, OverlayStack};
use crate::app::action::OverlayAction;
use crate::app::pending::PendingRequest;
use crate::app::state::AppState;
use crate::app::view::layout::Size;
use crate::model::body::human_size;
use crate::model::{AccountId, ChatRef, DownloadProgress, ObjectFile, Request, SafeText, Ticket};

#[derive(Debug)]
pub struct Download {
    account: AccountId,
    ticket: Ticket,
    label: SafeText,
    progress: DownloadProgress,
}

impl Download {
    /// Asks for the file.
    pub fn begin(app: &mut AppState, chat: &ChatRef, file: ObjectFile) -> Option<Self> {
        let label = file.label.clone();
        let ticket = app.with_chat(chat, |chat, env| {
            let conversation = chat.info.id.clone();
            env.ask(PendingRequest::FileCopy, |ticket| Request::Download {
                conversation,
                file,
                ticket,
            })
        })?;
        let (account, progress) = (chat.account.clone(), DownloadProgress::default());
        Some(Self { account, ticket, label, progress })
    }

    /// The user no longer wants the file.
    pub fn stop(&self, app: &mut AppState) {
        // An answer that may still arrive is ignored.
        if app.pending.take(self.ticket).is_some() {
            app.request(&self.account, Request::CancelDownload { ticket: self.ticket });
            app.note("The download was stopped");
        }
    }

    /// `1.2 MB of 4.0 MB`
    fn arrived(&self) -> String {
        match self.progress {
            DownloadProgress { received: 0, .. } => "Asking for the file…".to_owned(),
            DownloadProgress { received, size: Some(size) } => {
                format!("{} of {}", human_size(received), human_size(size))
            }
            DownloadProgress { received, size: None } => human_size(received),
        }
    }
}

impl OverlayStack {
    /// More of a file has arrived.
    pub fn downloaded(&mut self, ticket: Ticket, progress: DownloadProgress) {
        for overlay in &mut self.stack {
            if let Overlay::Download(download) = overlay
                && download.ticket == ticket
            {
                download.progress = progress;
            }
        }
    }

    /// A download has ended: its dialog closes.
    pub fn end_download(&mut self, ticket: Ticket) {
        let is_it =
            |overlay: &Overlay| matches!(overlay, Overlay::Download(d) if d.ticket == ticket);
        self.stack.retain(|overlay| !is_it(overlay));
    }
}

impl Dialog for Download {
    fn content(&self, _: &AppState, _: Size) -> Content {
        let lines = vec![DialogLine::new(&*self.label, ""), DialogLine::dim(self.arrived())];
        Content::new("Downloading", lines, "Esc stops")
    }

    fn act(&mut self, _: OverlayAction, _: &mut DialogEnv<'_>) -> Next {
        Next::Stay
    }

    fn chooses(&self) -> bool {
        false
    }
}
