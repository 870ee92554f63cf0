-- The trace context of whoever has started it: a `traceparent`, and behind a space a `tracestate`.
ALTER TABLE executions ADD COLUMN trace TEXT;

-- What steps have logged: see `LogLine`. Of each step, and of each execution, the newest.
CREATE TABLE logs (
    execution INTEGER NOT NULL,
    number    INTEGER NOT NULL, -- its place in the log of the execution
    path      TEXT NOT NULL,
    of_step   INTEGER NOT NULL, -- which line of the step it is
    at        INTEGER NOT NULL,
    level     TEXT NOT NULL,
    attempt   INTEGER NOT NULL,
    undo      INTEGER NOT NULL, -- 1 if the step was being undone
    message   TEXT NOT NULL
);
CREATE UNIQUE INDEX logs_execution ON logs (execution, number);
CREATE INDEX logs_step ON logs (execution, path, of_step);
