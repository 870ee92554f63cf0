-- Leases, and what is due at once, go by a clock that nobody can set: whole nanoseconds since the
-- machine was started. An execution has one of `free_at` and `due_at`, or neither.

-- From when a worker may claim it: the end of the lease of one that is held, or since when it is due.
ALTER TABLE executions ADD COLUMN free_at INTEGER;
CREATE INDEX executions_free ON executions (flow, refused, priority DESC, free_at, worker)
    WHERE free_at IS NOT NULL;

-- The start of the machine that `free_at` counts from, as the system names it; one row.
CREATE TABLE boot (id TEXT NOT NULL);
INSERT INTO boot VALUES ('');
