//! Benchmarks that show a change of speed: decoding, layout, the difference of two screens, and search.
//!
//! `cargo bench -- --save-baseline before` keeps the times of one state, and `cargo bench -- --baseline before` compares
//! those of another one with them. Figures beside other programs are printed by the examples.

mod material;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use material::{corpus, loaded, one};
use skchat::app::action::Motion;
use skchat::app::{Action, ComposeAction};
use skchat::model::fold::folded;
use skchat::model::search::Query;
use skchat::model::{ConversationId, Placement, Point, Range, SafeText, UserId};
use skchat::protocol::{decode, richtext, wire};
use skchat::runtime::painter::Painter;
use skchat::runtime::terminfo::Signs;
use skchat::store::{Batch, CoverageUpdate, Store};
use skchat::ui::ScreenFrame;
use std::hint::black_box;

const CHAT: &str = "19:kitchen@thread.skype";
/// Messages of the searched store.
const STORED: usize = 50_000;

fn decoding(c: &mut Criterion) {
    let messages = 2_000;
    let body = corpus(0..messages);
    let (me, chat) = (UserId::new("8:anna.7"), ConversationId::new(CHAT));
    let mut group = c.benchmark_group("decode");
    group.throughput(Throughput::Elements(messages as u64));
    group.bench_function("a page to messages and plain text", |b| {
        b.iter(|| {
            let page = wire::messages_page(&body, &chat, 1_000).expect("a page");
            for raw in &page.items {
                let message = decode::message(raw, &me);
                black_box(message.body.text(&|id| SafeText::line(id.bare())));
            }
        });
    });
    let hostile = "<".repeat(1 << 16);
    group.throughput(Throughput::Bytes(hostile.len() as u64));
    group.bench_function("64 KiB of hostile markup", |b| {
        b.iter(|| black_box(richtext::parse(&hostile)));
    });
    group.finish();
}

fn layout(c: &mut Criterion) {
    let mut group = c.benchmark_group("layout");
    let mut app = loaded(2_000);
    let mut columns = 100;
    group.bench_function("a resize", |b| {
        b.iter(|| {
            columns = if columns == 120 { 100 } else { columns + 1 };
            app.resize(columns, 40);
            app.layout();
        });
    });
    app.resize(120, 40);
    group.bench_function("a key", |b| {
        b.iter(|| {
            app.action(Action::Compose(ComposeAction::Insert('x')));
            app.layout();
            app.action(Action::Compose(ComposeAction::Delete(Motion::Left)));
            app.layout();
        });
    });
    let mut next = 2_000;
    group.bench_function("a new message", |b| {
        b.iter(|| {
            app.messages(vec![one(next)], Placement::Event);
            app.layout();
            next += 1;
        });
    });
    group.finish();
}

fn difference(c: &mut Criterion) {
    let mut group = c.benchmark_group("diff");
    let mut app = loaded(200);
    let before = app.buffer();
    app.messages(vec![one(200)], Placement::Event);
    let after = app.buffer();
    let changed = vec![true; 40];
    let mut painter = Painter::new(Signs::All, false);
    let mut out = Vec::new();
    group.bench_function("a screen that moved by a message", |b| {
        b.iter(|| {
            for cells in [&before, &after] {
                out.clear();
                let frame = ScreenFrame { cells, changed: &changed, links: &[], cursor: None };
                black_box(painter.paint(&frame, &mut out));
            }
        });
    });
    group.finish();
}

fn searching(c: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let dir = tempfile::tempdir().expect("a folder");
    let store = Store::open(&dir.path().join("store.db")).expect("a store");
    let (me, chat) = (UserId::new("8:anna.7"), ConversationId::new(CHAT));
    let page = wire::messages_page(&corpus(0..STORED), &chat, 1_000).expect("a page");
    for items in page.items.chunks(2_000) {
        let rows =
            items.iter().map(|raw| (raw.clone(), decode::indexed(&decode::message(raw, &me))));
        let points = items.iter().map(|raw| Point::from(&raw.key()));
        let range = points.clone().min().zip(points.max());
        let (lo, hi) = range.expect("messages");
        let range = CoverageUpdate::Range(Range { lo, hi, floor: false });
        let batch = Batch {
            messages: rows.collect(),
            coverage: vec![(chat.clone(), range)],
            decoder: decode::DECODER_VERSION,
            ..Batch::default()
        };
        runtime.block_on(store.apply(batch, me.clone())).expect("stored");
    }
    let mut group = c.benchmark_group("search");
    for (name, terms) in
        [("a common word", "team"), ("a rare number", "48607"), ("nothing", "zzyzx")]
    {
        let query = Query { terms: vec![folded(terms)], ..Query::default() };
        group.bench_function(name, |b| {
            b.iter(|| {
                let search = store.search(store.begin_search(), query.clone(), None, 60);
                runtime.block_on(search).expect("an answer").expect("the newest")
            });
        });
    }
    group.finish();
    runtime.block_on(store.close()).expect("stored");
}

criterion_group!(speed, decoding, layout, difference, searching);
criterion_main!(speed);
