//! The report of an import: what was read, what was not read, and why.

use super::source::Export;
use crate::model::text::grouped;
use crate::model::{SafeText, Timestamp};
use crate::store::ArchiveCounts;
use std::fmt::Write;

/// How many unreadable items are named; the others are only counted.
const MAX_NAMED: usize = 200;

/// Something of a document that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    pub conversation: Option<SafeText>,
    /// Bytes from the start of the document.
    pub offset: u64,
    pub why: &'static str,
}

/// How an import ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ImportEnd {
    #[default]
    Complete,
    /// The export ends in the middle.
    Cut,
    Cancelled,
}

/// The report of an import.
#[derive(Clone, Debug, Default)]
pub struct ImportReport {
    pub conversations: u64,
    pub counts: ArchiveCounts,
    /// Signals such as typing, which are not kept.
    pub signals: u64,
    pub unreadable: Vec<Unreadable>,
    pub unreadable_count: u64,
    /// The first and the last message.
    pub period: Option<(Timestamp, Timestamp)>,
    /// Pictures and other files that are in the export.
    pub media: u64,
    pub skipped: Vec<(SafeText, &'static str)>,
    pub skipped_count: u64,
    pub end: ImportEnd,
}

impl ImportReport {
    pub fn of(export: &Export) -> Self {
        let objects: std::collections::HashSet<&str> =
            export.media.iter().map(|m| m.object.as_str()).collect();
        Self {
            media: objects.len() as u64,
            skipped: export.skipped.clone(),
            skipped_count: export.skipped_count as u64,
            ..Self::default()
        }
    }

    pub fn unreadable(&mut self, conversation: Option<SafeText>, offset: u64, why: &'static str) {
        self.unreadable_count += 1;
        if self.unreadable.len() < MAX_NAMED {
            self.unreadable.push(Unreadable { conversation, offset, why });
        }
    }

    /// Adds what another part of the same import found.
    pub fn add(&mut self, part: Self) {
        self.conversations += part.conversations;
        self.signals += part.signals;
        self.unreadable_count += part.unreadable_count;
        let room = MAX_NAMED.saturating_sub(self.unreadable.len());
        self.unreadable.extend(part.unreadable.into_iter().take(room));
        self.period = match (self.period, part.period) {
            (Some((a, b)), Some((c, d))) => Some((a.min(c), b.max(d))),
            (known, new) => known.or(new),
        };
    }

    pub fn saw(&mut self, at: Timestamp) {
        let (first, last) = self.period.unwrap_or((at, at));
        self.period = Some((first.min(at), last.max(at)));
    }

    /// Messages that were read.
    pub fn read(&self) -> u64 {
        self.counts.new + self.counts.changed + self.counts.unchanged
    }

    /// The summary, in a few lines.
    pub fn summary(&self) -> String {
        let mut out = String::new();
        let messages = counted(self.read(), "message");
        let _ = writeln!(out, "{messages} in {}", counted(self.conversations, "conversation"));
        let ArchiveCounts { new, changed, unchanged } = self.counts;
        let _ = writeln!(
            out,
            "{} new, {} changed, {} already there",
            grouped(new),
            grouped(changed),
            grouped(unchanged)
        );
        if let Some((first, last)) = self.period {
            let _ = writeln!(out, "from {} to {}", date(first), date(last));
        }
        if self.media > 0 {
            let _ = writeln!(
                out,
                "the export has {} (pictures and other files)",
                counted(self.media, "file")
            );
        }
        if self.unreadable_count > 0 {
            let _ = writeln!(out, "{} cannot be read", counted(self.unreadable_count, "item"));
        }
        match self.end {
            ImportEnd::Complete => {}
            ImportEnd::Cut => {
                let _ = writeln!(
                    out,
                    "the export ends in the middle; everything before that was imported"
                );
            }
            ImportEnd::Cancelled => {
                let _ = writeln!(out, "cancelled; run the same command to continue");
            }
        }
        out
    }

    /// The whole report.
    pub fn text(&self) -> String {
        let mut out = self.summary();
        if self.signals > 0 {
            let _ = writeln!(out, "skipped: {}", counted(self.signals, "signal"));
        }
        for item in &self.unreadable {
            let place =
                item.conversation.as_deref().map(|c| format!(" in {c}")).unwrap_or_default();
            let _ = writeln!(out, "cannot be read: byte {}{place}: {}", item.offset, item.why);
        }
        let rest = self.unreadable_count.saturating_sub(self.unreadable.len() as u64);
        if rest > 0 {
            let _ = writeln!(out, "cannot be read: {} more", grouped(rest));
        }
        for (name, why) in &self.skipped {
            let _ = writeln!(out, "not read: {name}: {why}");
        }
        let rest = self.skipped_count.saturating_sub(self.skipped.len() as u64);
        if rest > 0 {
            let _ = writeln!(out, "not read: {} more", grouped(rest));
        }
        out
    }
}

/// `1 item`, `2,000 items`
fn counted(count: u64, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {what}{plural}", grouped(count))
}

fn date(at: Timestamp) -> String {
    at.rfc3339().split('T').next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_names_what_was_not_read_up_to_a_limit() {
        let mut report = ImportReport::default();
        for offset in 0..1_500 {
            report.unreadable(Some("8:joe".into()), offset, "this is not JSON");
        }
        let text = report.text();
        assert!(text.contains("1,500 items cannot be read"), "{text}");
        assert!(text.contains("byte 7 in 8:joe: this is not JSON") && text.contains("1,300 more"));
        assert_eq!(grouped(1_234_567), "1,234,567");
    }
}
