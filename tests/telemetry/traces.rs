//! An execution continues the trace of whoever started it, in each process that works on it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use opentelemetry::trace::{SpanId, SpanKind, TracerProvider};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider, SpanData};
use steps::{
    engine::{Builder, EngineError},
    otel::OpenTelemetry,
    prelude::*,
    store::{MemoryStore, Store},
    telemetry::TraceContext,
};
use tracing::{Instrument, subscriber::DefaultGuard};
use tracing_subscriber::layer::SubscriberExt;

const GIVEN: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// The spans that have ended.
struct Spans(InMemorySpanExporter);

impl Spans {
    /// Keeps those of this thread from now on.
    fn keep() -> (Self, DefaultGuard) {
        let exporter = InMemorySpanExporter::default();
        let provider = SdkTracerProvider::builder();
        let provider = provider.with_simple_exporter(exporter.clone()).build();
        let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("steps"));
        let subscriber = tracing_subscriber::registry().with(layer);
        let guard = tracing::subscriber::set_default(subscriber);
        // A place that another test's thread comes to at this moment may count as one that nobody wants.
        std::thread::sleep(Duration::from_millis(50));
        tracing::callsite::rebuild_interest_cache();
        (Self(exporter), guard)
    }

    fn all(&self) -> Vec<SpanData> {
        self.0.get_finished_spans().expect("they are kept")
    }

    /// Those of this name, once there are so many.
    async fn named(&self, name: &str, count: usize) -> Vec<SpanData> {
        let mut spans = Vec::new();
        for _ in 0..2000 {
            spans = self.all();
            spans.retain(|span| span.name == name);
            if spans.len() >= count {
                break;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(spans.len(), count, "{name}: {:#?}", self.all());
        spans
    }
}

/// The value of a field.
fn field(span: &SpanData, name: &str) -> Option<String> {
    let mut fields = span.attributes.iter();
    let field = fields.find(|field| field.key.as_str() == name)?;
    Some(field.value.to_string())
}

fn id(span: &SpanData) -> SpanId {
    span.span_context.span_id()
}

/// Its trace, and its parent.
fn place(span: &SpanData) -> (String, SpanId) {
    (
        span.span_context.trace_id().to_string(),
        span.parent_span_id,
    )
}

#[step]
async fn first() -> Result<(), String> {
    Ok(())
}

#[undo(first)]
async fn back((): &()) -> Result<(), String> {
    Ok(())
}

#[step]
async fn waits(open: &AtomicBool) -> Result<(), String> {
    while !open.load(Ordering::Relaxed) {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    Ok(())
}

#[step]
async fn fails() -> Result<(), String> {
    Err("no".to_owned())
}

#[flow]
async fn job(open: &Arc<AtomicBool>) -> Result<(), String> {
    steps! { first(); group = { second = waits(open); } }
    Ok(())
}

#[flow]
async fn undone() -> Result<(), String> {
    steps! { first(); fails(); }
    Ok(())
}

#[flow]
async fn child() -> Result<(), String> {
    steps! { first(); }
    Ok(())
}

#[flow]
async fn parent() -> Result<(), String> {
    steps! { small = start child(); end = join small; }
    Ok(())
}

/// An engine as a process of its own.
fn process(memory: &MemoryStore, open: &Arc<AtomicBool>) -> Builder {
    let store: Arc<dyn Store> = Arc::new(memory.reopen());
    Engine::with_shared_store(store)
        .serve(job::with(Arc::clone(open)))
        .serve(undone::with())
        .serve(parent::with())
        .serve(child::with())
        .lease(Duration::from_millis(150))
        .poll(Duration::from_millis(10))
        .propagator(OpenTelemetry)
}

#[tokio::test]
async fn a_take_over_continues_the_trace() {
    let (spans, _guard) = Spans::keep();
    let memory = MemoryStore::new();
    let open = Arc::new(AtomicBool::new(false));
    let engine = process(&memory, &open).start().await.expect("it starts");
    let request = tracing::info_span!("request");
    let start = async { engine.start(job::input()).id("j").await };
    let run = start.instrument(request.clone()).await.expect("it starts");
    drop(request);
    let trace = run
        .info()
        .await
        .expect("it is there")
        .trace
        .expect("it is kept");
    let has_begun = async || {
        let tree = run.tree().await.expect("it is there");
        tree.get("group.second")
            .is_some_and(|step| step.status == Status::Running)
    };
    while !has_begun().await {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    // It dies in the middle of the turn.
    drop((run, engine));
    let engine = process(&memory, &open).start().await.expect("it starts");
    open.store(true, Ordering::Relaxed);
    let run = engine.execution::<job>("j").await.expect("it is there");
    run.outcome().await.expect("done");

    let request = &spans.named("request", 1).await[0];
    let start = &spans.named("start", 1).await[0];
    let turns = spans.named("execution", 2).await;
    let of = |span: &SpanData| (trace.trace_id().to_owned(), id(span));
    assert_eq!(place(start), of(request));
    assert_eq!(start.span_kind, SpanKind::Producer);
    assert_eq!(trace.traceparent()[36..52], id(start).to_string());
    for turn in &turns {
        assert_eq!(place(turn), of(start));
        assert_eq!(turn.span_kind, SpanKind::Consumer);
        assert_eq!(field(turn, "execution").as_deref(), Some("j"));
        assert_eq!(field(turn, "flow").as_deref(), Some("job"));
    }
    assert_eq!(field(&turns[1], "status").as_deref(), Some("done"));
    let steps = spans.named("step", 3).await;
    let of_turns: Vec<_> = turns.iter().map(of).collect();
    let paths: Vec<_> = steps
        .iter()
        .filter_map(|step| field(step, "path"))
        .collect();
    assert_eq!(paths, ["first", "group.second", "group.second"]);
    let around: Vec<_> = steps.iter().map(place).collect();
    assert_eq!(
        around,
        [
            of_turns[0].clone(),
            of_turns[0].clone(),
            of_turns[1].clone()
        ]
    );
    let attempts = spans.named("attempt", 3).await;
    for (attempt, step) in attempts.iter().zip(&steps) {
        assert_eq!(place(attempt), of(step));
        assert_eq!(field(attempt, "path"), field(step, "path"));
    }
    let outcomes: Vec<_> = attempts
        .iter()
        .map(|attempt| field(attempt, "outcome"))
        .collect();
    let done = || Some("done".to_owned());
    assert_eq!(outcomes, [done(), None, done()]);
}

#[tokio::test]
async fn an_undo_is_in_the_trace_and_failures_are_marked() {
    let (spans, _guard) = Spans::keep();
    let (memory, open) = (MemoryStore::new(), Arc::default());
    let engine = process(&memory, &open).start().await.expect("it starts");
    let run = engine.start(undone::input()).await.expect("it starts");
    run.outcome().await.expect_err("it fails");
    let start = &spans.named("start", 1).await[0];
    let turn = &spans.named("execution", 1).await[0];
    let undo = &spans.named("undo", 1).await[0];
    let trace = start.span_context.trace_id().to_string();
    assert_eq!(place(start), (trace.clone(), SpanId::INVALID));
    assert_eq!(place(turn), (trace.clone(), id(start)));
    assert_eq!(place(undo), (trace, id(turn)));
    assert_eq!(field(undo, "path").as_deref(), Some("first"));
    assert_eq!(field(undo, "outcome").as_deref(), Some("done"));
    assert_eq!(field(turn, "status").as_deref(), Some("undone"));
    let attempts = spans.named("attempt", 2).await;
    let failed =
        |span: &SpanData| matches!(span.status, opentelemetry::trace::Status::Error { .. });
    assert_eq!(
        [failed(turn), failed(&attempts[0]), failed(&attempts[1])],
        [true, false, true]
    );
}

#[tokio::test]
async fn a_child_is_a_part_of_the_line_that_starts_it() {
    let (spans, _guard) = Spans::keep();
    let (memory, open) = (MemoryStore::new(), Arc::default());
    let engine = process(&memory, &open).start().await.expect("it starts");
    let run = engine
        .start(parent::input())
        .traceparent(GIVEN)
        .tracestate("a=1")
        .id("p")
        .await;
    let run = run.expect("it starts");
    run.outcome().await.expect("done");
    let all = spans.all();
    let line = all
        .iter()
        .find(|span| span.name == "attempt" && field(span, "path").as_deref() == Some("small"));
    let line = line.expect("an attempt of the line");
    let turns = spans
        .all()
        .into_iter()
        .filter(|span| span.name == "execution");
    for turn in turns {
        let context = &turn.span_context;
        assert_eq!(context.trace_id().to_string(), GIVEN[3..35]);
        assert_eq!(context.trace_state().header(), "a=1");
        match field(&turn, "flow").as_deref() {
            Some("parent") => assert_eq!(turn.parent_span_id.to_string(), GIVEN[36..52]),
            _ => assert_eq!(turn.parent_span_id, id(line)),
        }
    }
    // What is given is kept, and needs no span of the start.
    assert!(spans.all().iter().all(|span| span.name != "start"));
}

#[tokio::test]
async fn a_tick_begins_a_trace() {
    let (spans, _guard) = Spans::keep();
    let (memory, open) = (MemoryStore::new(), Arc::default());
    let engine = process(&memory, &open).start().await.expect("it starts");
    let schedule = engine.schedule("often", child::input()).every("1s").await;
    schedule.expect("it is there");
    for _ in 0..1000 {
        if spans.all().iter().any(|span| span.name == "execution") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let all = spans.all();
    let start = all
        .iter()
        .find(|span| span.name == "start")
        .expect("of the tick");
    let turn = all
        .iter()
        .find(|span| span.name == "execution")
        .expect("of the tick");
    assert_eq!(start.parent_span_id, SpanId::INVALID);
    assert_eq!(field(start, "execution"), field(turn, "execution"));
    assert_eq!(
        place(turn),
        (start.span_context.trace_id().to_string(), id(start))
    );
}

#[tokio::test]
async fn without_a_propagator_a_context_that_is_given_is_kept_and_passed_on() {
    let engine = Engine::open("memory:").await.expect("it opens");
    let engine = engine.serve(parent::with()).serve(child::with());
    let engine = engine.start().await.expect("it starts");
    let run = engine
        .start(parent::input())
        .id("p")
        .traceparent(GIVEN)
        .tracestate("a=1")
        .await;
    run.expect("it starts").outcome().await.expect("done");
    let given = TraceContext::new(GIVEN).and_then(|given| given.with_tracestate("a=1"));
    let given = given.expect("it is one");
    for found in engine.list(Filter::new()).await.expect("the store works") {
        assert_eq!(found.trace.as_ref(), Some(&given), "{}", found.id);
    }
    // The first start says it.
    let again = engine
        .start(parent::input())
        .id("p")
        .await
        .expect("it is there");
    assert_eq!(again.info().await.expect("it is there").trace, Some(given));
    let none = engine.start(child::input()).await.expect("it starts");
    assert_eq!(none.info().await.expect("it is there").trace, None);
}

#[tokio::test]
async fn a_context_that_is_none_is_refused() {
    let engine = Engine::open("memory:").await.expect("it opens");
    let engine = engine
        .serve(child::with())
        .start()
        .await
        .expect("it starts");
    let starts = [
        engine
            .start(child::input())
            .id("c")
            .traceparent("00-1-2-01"),
        engine
            .start(child::input())
            .id("c")
            .traceparent(GIVEN)
            .tracestate("\n"),
    ];
    for (start, wrong) in starts
        .into_iter()
        .zip(["the trace is 32", "printable ASCII"])
    {
        match start.await.expect_err("it is refused") {
            EngineError::InvalidValue { id, why } => {
                assert_eq!(id, "c");
                assert!(why.contains(wrong), "{why}");
            }
            other => panic!("{other}"),
        }
    }
    assert!(engine.get("c").await.is_err(), "nothing was made");
}
