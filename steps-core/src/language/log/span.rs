//! The span of an attempt. What a layer of `tracing` is told of a new span are its fields; the step itself
//! is handed over beside them, while the span is made.

use tracing::{Span, field::Empty};

use crate::language::cx::Cx;

/// The target of these spans, by which a layer knows them.
const TARGET: &str = "steps_core::step";

/// Returns whether a subscriber wants them.
pub(crate) fn is_wanted() -> bool {
    tracing::span_enabled!(target: TARGET, tracing::Level::DEBUG)
}

/// What an attempt does.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Doing {
    Step,
    Undo,
}

#[cfg(feature = "tracing-layer")]
thread_local! {
    /// The step whose span is being made on this thread.
    static HANDED: std::cell::RefCell<Option<SpanOf>> = const { std::cell::RefCell::new(None) };
}

/// The step that a span is of.
#[cfg(feature = "tracing-layer")]
pub(super) struct SpanOf {
    /// A span may be kept for longer than its run.
    pub(super) host: std::sync::Weak<dyn crate::language::host::StepHost>,
    /// Known from the beginning: the records may be locked when something is logged.
    pub(super) path: String,
    pub(super) attempt: u32,
    pub(super) is_undo: bool,
}

macro_rules! span {
    ($name:literal, $path:ident, $attempt:ident) => {
        tracing::debug_span!(
            target: TARGET,
            $name,
            $path,
            $attempt,
            outcome = Empty,
            otel.status_code = Empty
        )
    };
}

/// Returns the span of an attempt, which a subscriber wants.
pub(crate) fn of_attempt(cx: &Cx, doing: Doing) -> Span {
    let path = cx.path();
    #[cfg(feature = "tracing-layer")]
    HANDED.set(Some(SpanOf {
        host: std::sync::Arc::downgrade(&cx.host),
        path: path.clone(),
        attempt: cx.attempt,
        is_undo: doing == Doing::Undo,
    }));
    let attempt = cx.attempt;
    let span = match doing {
        Doing::Step => span!("attempt", path, attempt),
        Doing::Undo => span!("undo", path, attempt),
    };
    #[cfg(feature = "tracing-layer")]
    HANDED.set(None);
    span
}

/// Returns whether these are spans of attempts.
#[cfg(feature = "tracing-layer")]
pub(super) fn is_of_attempt(metadata: &tracing::Metadata<'_>) -> bool {
    metadata.is_span() && metadata.target() == TARGET
}

/// Takes the step whose span is being made.
#[cfg(feature = "tracing-layer")]
pub(super) fn handed() -> Option<SpanOf> {
    HANDED.take()
}
