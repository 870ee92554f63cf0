//! A run tells `tracing` of each pass, of each step in it and of each attempt.

use std::{
    fmt::{Debug, Write as _},
    io::Error,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use steps::prelude::*;
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};

#[step]
async fn work(n: u32) -> Result<u32, Error> {
    tracing::info!("at work");
    Ok(n)
}

#[step(retry(times = 1, every = "1ms"))]
async fn second_time(cx: &Cx) -> Result<(), Error> {
    match cx.attempt() {
        1 => Err(Error::other("not yet")),
        _ => Ok(()),
    }
}

#[flow]
async fn traced() -> Result<(), Error> {
    steps! {
        group = { first = work(1); }
        again = second_time(cx);
    }
    Ok(())
}

/// Keeps what it is told, a line for each span and event.
#[derive(Clone, Default)]
struct Seen {
    lines: Arc<Mutex<Vec<String>>>,
    spans: Arc<AtomicU64>,
    inside: Arc<Mutex<Vec<u64>>>,
}

struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() != "execution" {
            let _ = write!(self.0, " {}={value:?}", field.name());
        }
    }
}

impl Subscriber for Seen {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == module_path!() || metadata.target().starts_with("steps_core")
    }
    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut fields = Fields(span.metadata().name().to_owned());
        span.record(&mut fields);
        self.lines.lock().unwrap().push(fields.0);
        Id::from_u64(self.spans.fetch_add(1, Ordering::Relaxed) + 1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, _: &Event<'_>) {
        let depth = self.inside.lock().unwrap().len();
        self.lines
            .lock()
            .unwrap()
            .push(format!("event in {depth} spans"));
    }
    fn enter(&self, span: &Id) {
        self.inside.lock().unwrap().push(span.into_u64());
    }
    fn exit(&self, _: &Id) {
        self.inside.lock().unwrap().pop();
    }
}

#[tokio::test]
async fn a_span_for_each_pass_each_step_and_each_attempt() {
    let seen = Seen::default();
    let guard = tracing::subscriber::set_default(seen.clone());
    // A place that another test's thread came to first, without a subscriber, may count as one that
    // nobody wants to hear of. Once all are known, they are asked again.
    traced().await.unwrap();
    tracing::callsite::rebuild_interest_cache();
    seen.lines.lock().unwrap().clear();
    traced().await.unwrap();
    drop(guard);
    let lines = seen.lines.lock().unwrap();
    assert_eq!(
        *lines,
        [
            "execution flow=\"traced\"",
            "step path=\"group.first\"",
            "attempt path=\"group.first\" attempt=1",
            "event in 3 spans",
            "step path=\"again\"",
            "attempt path=\"again\" attempt=1",
            // The pause ends one pass, and a second takes the run up.
            "execution flow=\"traced\"",
            "step path=\"again\"",
            "attempt path=\"again\" attempt=2",
        ]
    );
    assert!(seen.inside.lock().unwrap().is_empty(), "each span is left");
}
