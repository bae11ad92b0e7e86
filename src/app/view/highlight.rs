//! Syntax highlighting of code blocks. Blocks that a frame needs are requested, and shown plain until then.

use crate::model::code::{CodeBlock, SyntaxPart};
use crate::model::{Align, Block, RichText, SafeText, Span, SpanStyle};
use std::collections::HashMap;
use std::sync::Arc;

/// The most blocks that are kept in a run. Further ones stay plain: if older ones were dropped for them, a screen with
/// more blocks than this would be highlighted over and over.
const MAX_BLOCKS: usize = 2_000;
/// The most blocks that are requested at a time. When one of them is known, the next are requested.
const MAX_ASKED: usize = 32;

/// A block: its number, and its parts once they are known.
struct KnownBlock {
    number: u64,
    parts: Option<Arc<[SyntaxPart]>>,
}

/// The known syntax of code blocks.
#[derive(Default)]
pub struct HighlightedCode {
    /// By language and text.
    blocks: HashMap<(Box<str>, SafeText), KnownBlock>,
    missing: Vec<CodeBlock>,
    last: u64,
}

impl HighlightedCode {
    /// Applies the known syntax of code blocks to a text.
    pub fn apply(&mut self, rich: &mut RichText) {
        self.apply_to(&mut rich.blocks);
    }

    fn apply_to(&mut self, blocks: &mut [Block]) {
        for block in blocks {
            match block {
                Block::Quote { body, .. } => self.apply_to(body),
                Block::Code { text, language: Some(language) } if CodeBlock::is_fit(text) => {
                    if let Some(parts) = self.parts(language, text) {
                        *block =
                            Block::Paragraph { align: Align::Left, spans: spans(text, &parts) };
                    }
                }
                _ => {}
            }
        }
    }

    fn parts(&mut self, language: &str, text: &SafeText) -> Option<Arc<[SyntaxPart]>> {
        let key = (Box::from(language), text.clone());
        if let Some(known) = self.blocks.get(&key) {
            return known.parts.clone();
        }
        let asked = self.blocks.values().filter(|known| known.parts.is_none()).count();
        if self.blocks.len() >= MAX_BLOCKS || asked >= MAX_ASKED {
            return None;
        }
        self.last += 1;
        let number = self.last;
        self.missing.push(CodeBlock { number, language: language.into(), text: text.clone() });
        self.blocks.insert(key, KnownBlock { number, parts: None });
        None
    }

    /// Takes the blocks that were needed for the first time.
    pub fn take_missing(&mut self) -> Vec<CodeBlock> {
        std::mem::take(&mut self.missing)
    }

    /// Keeps the syntax of a block. Returns whether the block was requested.
    pub fn insert(&mut self, number: u64, parts: Vec<SyntaxPart>) -> bool {
        let known = self.blocks.values_mut().find(|known| known.number == number);
        known.map(|known| known.parts = Some(parts.into())).is_some()
    }
}

/// The parts of a code block as spans. Text beyond the parts is plain.
fn spans(text: &SafeText, parts: &[SyntaxPart]) -> Vec<Span> {
    let mut spans = Vec::with_capacity(parts.len() + 1);
    let mut rest = text.as_str();
    // In the colour of code, string literals would look like everything else.
    let mono = parts.is_empty();
    let mut push = |text: &str, syntax| {
        if !text.is_empty() {
            let style = SpanStyle { mono, syntax, ..SpanStyle::default() };
            spans.push(Span { text: SafeText::text(text), style, link: None });
        }
    };
    for (length, role) in parts {
        let Some((part, after)) = rest.split_at_checked(*length) else { break };
        push(part, *role);
        rest = after;
    }
    push(rest, None);
    spans
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::view::wrap::wrap;
    use crate::model::SyntaxRole;
    use proptest::prelude::*;

    fn code(text: &str) -> RichText {
        RichText { blocks: vec![Block::Code { text: text.into(), language: Some("rust".into()) }] }
    }

    #[test]
    fn a_screen_with_too_many_blocks_comes_to_rest() {
        let mut known = HighlightedCode::default();
        let (mut asked, mut rounds) = (0, 0);
        loop {
            for n in 0..MAX_BLOCKS + 5 {
                let text = SafeText::text(&format!("int a{n};\n"));
                known.parts("c", &text);
            }
            let missing = known.take_missing();
            if missing.is_empty() {
                break;
            }
            assert!(missing.len() <= MAX_ASKED);
            asked += missing.len();
            rounds += 1;
            for block in missing {
                assert!(known.insert(block.number, Vec::new()));
            }
        }
        assert_eq!(asked, MAX_BLOCKS);
        assert!(rounds <= 1 + MAX_BLOCKS / MAX_ASKED, "{rounds}");
        assert!(!known.insert(u64::MAX, Vec::new()));
    }

    #[test]
    fn a_block_is_asked_for_once_and_has_its_syntax_when_it_is_known() {
        let mut known = HighlightedCode::default();
        let mut rich = code("fn a");
        known.apply(&mut rich);
        known.apply(&mut rich);
        assert_eq!(rich, code("fn a"));
        let missing = known.take_missing();
        assert_eq!(missing.len(), 1);
        known.insert(missing[0].number, vec![(2, Some(SyntaxRole::Keyword))]);
        known.apply(&mut rich);
        let Block::Paragraph { spans, .. } = &rich.blocks[0] else { panic!("{rich:?}") };
        let parts: Vec<_> = spans.iter().map(|s| (s.text.as_str(), s.style.syntax)).collect();
        assert_eq!(parts, [("fn", Some(SyntaxRole::Keyword)), (" a", None)]);
        assert!(known.take_missing().is_empty());
    }

    #[test]
    fn what_is_too_large_or_has_no_language_is_not_asked_for() {
        let mut known = HighlightedCode::default();
        known.apply(&mut code(&"x\n".repeat(CodeBlock::MAX_BYTES)));
        known.apply(&mut code(&"x".repeat(CodeBlock::MAX_LINE_BYTES + 1)));
        let block = Block::Code { text: "a\nb".into(), language: None };
        known.apply(&mut RichText { blocks: vec![block] });
        assert!(known.take_missing().is_empty());
    }

    proptest! {
        /// For any parts, the text, its rows and their offsets stay the same.
        #[test]
        fn highlighting_changes_no_character_and_no_row(
            text in "[a-zä \\n\\t\"]{0,60}", lengths in prop::collection::vec(0usize..9, 0..20), columns in 4usize..30,
        ) {
            let mut known = HighlightedCode::default();
            let mut rich = code(&text);
            known.apply(&mut rich);
            for missing in known.take_missing() {
                let parts = lengths.iter().map(|length| (*length, Some(SyntaxRole::Quoted)));
                known.insert(missing.number, parts.collect());
            }
            known.apply(&mut rich);
            prop_assert_eq!(rich.plain_text(), code(&text).plain_text());
            let rows = |rich: &RichText| -> Vec<(usize, String)> {
                let rows = wrap(rich, columns).into_iter();
                rows.map(|r| (r.offset, r.pieces.iter().map(|p| p.text.as_str()).collect())).collect()
            };
            prop_assert_eq!(rows(&rich), rows(&code(&text)));
        }
    }
}
