//! Prints traces, each as a tree of its spans. A service sends them to a collector instead.

use opentelemetry::trace::SpanId;
use opentelemetry_sdk::trace::SpanData;

/// Prints the traces of these spans, in the order in which they began.
pub(crate) fn print(mut spans: Vec<SpanData>) {
    spans.sort_by_key(|span| span.start_time);
    let is_first = |span: &&SpanData| {
        let parent = span.parent_span_id;
        spans
            .iter()
            .all(|other| other.span_context.span_id() != parent)
    };
    for first in spans.iter().filter(is_first) {
        println!("trace {}", first.span_context.trace_id());
        print_below(&spans, first, 1);
    }
}

fn print_below(spans: &[SpanData], span: &SpanData, depth: usize) {
    let fields = ["flow", "execution", "path", "attempt", "outcome", "status"];
    let fields = fields.iter().filter_map(|name| {
        let mut all = span.attributes.iter();
        let field = all.find(|field| field.key.as_str() == *name)?;
        Some(format!(" {name}={}", field.value))
    });
    let (name, fields) = (&span.name, fields.collect::<String>());
    println!("{:indent$}{name}{fields}", "", indent = 2 * depth);
    let id: SpanId = span.span_context.span_id();
    for below in spans.iter().filter(|below| below.parent_span_id == id) {
        print_below(spans, below, depth + 1);
    }
}
