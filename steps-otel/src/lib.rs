#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

use std::str::FromStr;

use opentelemetry::{
    Context,
    trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState as OtelState},
};
use steps_core::telemetry::{Propagator, TraceContext};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// The traces of OpenTelemetry: executions continue those that the layer of `tracing-opentelemetry` makes of
/// the program's spans.
///
/// ```
/// use steps::{Engine, otel::OpenTelemetry, prelude::*};
///
/// # #[flow]
/// # async fn order() -> Result<(), String> { steps! {} Ok(()) }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let engine = Engine::open("memory:").await?
///     .serve(order::with())
///     .propagator(OpenTelemetry)
///     .start().await?;
/// # Ok(())
/// # }
/// ```
///
/// Where no such layer is installed, or it leaves out the spans of `steps_core`, it does nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct OpenTelemetry;

impl Propagator for OpenTelemetry {
    fn context_of(&self, span: &Span) -> Option<TraceContext> {
        let context = span.context();
        let span = context.span();
        let span = span.span_context();
        if !span.is_valid() {
            return None;
        }
        let (trace, id, flags) = (span.trace_id(), span.span_id(), span.trace_flags());
        let flags = flags & TraceFlags::SAMPLED;
        let traceparent = format!("00-{trace}-{id}-{flags:02x}");
        let context = TraceContext::new(traceparent).ok()?;
        // One that is too long is left out, as the standard has it.
        let state = span.trace_state().header();
        Some(context.clone().with_tracestate(state).unwrap_or(context))
    }

    fn continue_from(&self, span: &Span, context: &TraceContext) {
        if let Some(remote) = remote(context) {
            // It fails where there is no layer, or it leaves the span out: then there is no trace.
            let _ = span.set_parent(Context::new().with_remote_span_context(remote));
        }
    }
}

/// Returns the span in a context, as one of another process.
fn remote(context: &TraceContext) -> Option<SpanContext> {
    let mut parts = context.traceparent().split('-').skip(1);
    let trace = TraceId::from_hex(parts.next()?).ok()?;
    let span = SpanId::from_hex(parts.next()?).ok()?;
    let flags = u8::from_str_radix(parts.next()?, 16).ok()?;
    let flags = TraceFlags::new(flags) & TraceFlags::SAMPLED;
    let state = context.tracestate().map(OtelState::from_str);
    let state = state.and_then(Result::ok).unwrap_or_default();
    Some(SpanContext::new(trace, span, flags, true, state))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_context_goes_there_and_back() {
        let text = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let context = TraceContext::new(text).unwrap();
        let remote = remote(&context.with_tracestate("a=1").unwrap()).unwrap();
        assert_eq!(remote.trace_id().to_string(), text[3..35]);
        assert_eq!(remote.span_id().to_string(), text[36..52]);
        assert!(remote.is_sampled() && remote.is_remote() && remote.is_valid());
        assert_eq!(remote.trace_state().header(), "a=1");
    }

    #[test]
    fn a_span_of_no_layer_is_part_of_no_trace() {
        assert_eq!(OpenTelemetry.context_of(&Span::none()), None);
    }
}
