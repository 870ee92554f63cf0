//! The spans of a start and of a turn, and the trace that they are part of.

use tracing::{Span, field::Empty};

use super::{engine_core::EngineCore, turn_journal::TurnJournal};
use crate::{
    base::telemetry::TraceContext,
    engine::news::TurnEnd,
    model::{status::Status, table::Table},
};

impl EngineCore {
    /// Returns the trace context of a span, if it is part of a trace.
    pub(crate) fn context_of(&self, span: &Span) -> Option<TraceContext> {
        self.propagator()?.context_of(span)
    }

    /// Returns the trace context with which an execution is started here, which is that of a span of its own.
    /// That begins a trace where whoever starts it is part of none.
    pub(crate) fn context_of_start(&self, flow: &str, execution: &str) -> Option<TraceContext> {
        let propagator = self.propagator()?;
        let span = tracing::info_span!("start", flow, execution, otel.kind = "producer");
        let current = || propagator.context_of(&Span::current());
        propagator.context_of(&span).or_else(current)
    }

    /// Returns the trace context of a tick, which begins a trace.
    pub(crate) fn context_of_tick(&self, flow: &str, execution: &str) -> Option<TraceContext> {
        let propagator = self.propagator()?;
        let span = tracing::info_span!(
            parent: None,
            "start",
            flow,
            execution,
            otel.kind = "producer"
        );
        propagator.context_of(&span)
    }

    /// Returns the span of a turn, which continues the execution's trace.
    pub(super) fn turn_span(&self, table: &Table, journal: &TurnJournal) -> Span {
        let span = tracing::info_span!(
            parent: None,
            "execution",
            flow = table.name,
            execution = &*journal.id,
            status = Empty,
            otel.kind = "consumer",
            otel.status_code = Empty,
        );
        if let Some((propagator, context)) = self.propagator().zip(journal.trace.as_ref()) {
            propagator.continue_from(&span, context);
        }
        span
    }
}

/// Records how a turn has ended.
pub(super) fn record(span: &Span, end: &TurnEnd) {
    let status = match end {
        TurnEnd::Done(_) => Status::Done,
        TurnEnd::NotDone(failure) => {
            span.record("otel.status_code", "ERROR");
            failure.status()
        }
        TurnEnd::Waiting => Status::Waiting,
        TurnEnd::StoreFailed(_) | TurnEnd::Incompatible(_) => {
            span.record("otel.status_code", "ERROR");
            return;
        }
        TurnEnd::ByForce => return,
    };
    span.record("status", status.as_str());
}
