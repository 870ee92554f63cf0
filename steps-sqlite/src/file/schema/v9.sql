-- The trace context of whoever has started it: a `traceparent`, and behind a space a `tracestate`.
ALTER TABLE executions ADD COLUMN trace TEXT;
