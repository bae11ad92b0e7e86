//! The elements of adaptive cards.

use super::{MAX_ITEMS, Reader, is_hidden, list, rich, text};
use crate::model::{RichText, SafeText};
use crate::protocol::link;
use serde_json::Value;

/// The deepest nesting of elements that is read.
pub const MAX_DEPTH: usize = 8;

impl Reader {
    /// Elements in order. Hidden ones are left out with everything in them.
    pub fn elements(&mut self, list: Option<&Value>, depth: usize) {
        if depth > MAX_DEPTH {
            return;
        }
        for element in list.and_then(Value::as_array).into_iter().flatten().take(MAX_ITEMS) {
            if !is_hidden(element) {
                self.element(element, depth);
            }
        }
    }

    fn element(&mut self, element: &Value, depth: usize) {
        if let Some(line) = element.as_str() {
            self.add(rich(line));
            return;
        }
        match text(element, &["type"]).unwrap_or_default() {
            "RichTextBlock" => self.inlines(element),
            "Image" => {
                if let Some(url) = text(element, &["url"]).and_then(link::safe_target) {
                    let label = text(element, &["altText", "alt"]).unwrap_or("picture");
                    self.link(SafeText::line(label), url);
                }
            }
            kind => {
                for part in ["text", "label", "title", "altText"] {
                    self.line(element.get(part));
                }
                if kind == "Input.ChoiceSet" || element.get("choices").is_some() {
                    self.choices(element);
                } else if kind.starts_with("Input.") && text(element, &["label", "title"]).is_none()
                {
                    self.line(element.get("placeholder"));
                }
            }
        }
        self.facts(element);
        self.pictures(element);
        self.media(element);
        for key in ["items", "columns", "body", "rows", "cells"] {
            self.elements(element.get(key), depth + 1);
        }
        for key in ["actions", "inlineActions"] {
            self.actions(element, key, depth + 1);
        }
        self.tap(element.get("selectAction"), depth + 1);
    }

    /// Runs of a text, which together are one paragraph.
    fn inlines(&mut self, element: &Value) {
        let runs = list(element, "inlines").filter(|run| !is_hidden(run));
        let runs = runs.filter_map(|run| run.as_str().or_else(|| run.get("text")?.as_str()));
        let words: String = runs.collect();
        self.add(RichText::plain(words.trim()));
        for run in list(element, "inlines") {
            self.tap(run.get("selectAction"), MAX_DEPTH);
        }
    }

    /// The options of a choice.
    fn choices(&mut self, element: &Value) {
        if text(element, &["label", "title", "text"]).is_none() {
            self.line(element.get("placeholder"));
        }
        for choice in list(element, "choices") {
            if let Some(title) = text(choice, &["title", "display", "value"]) {
                self.add(RichText::plain(&format!("○ {}", rich(title).plain_text())));
            }
        }
    }
}
