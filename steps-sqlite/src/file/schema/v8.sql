-- Who is told of changes of statuses: see `Subscription`. `flows` and `statuses` are JSON lists, an empty one
-- is all. One that has `ended` is told of nothing more.
CREATE TABLE subscriptions (
    name     TEXT PRIMARY KEY,
    kind     TEXT NOT NULL,     -- `execution` or `step`
    flows    TEXT NOT NULL,
    statuses TEXT NOT NULL,
    since    INTEGER NOT NULL,
    ended    TEXT
) WITHOUT ROWID;

-- What they were not told yet. An execution may be gone.
CREATE TABLE changes (
    number        INTEGER PRIMARY KEY AUTOINCREMENT,
    subscription  TEXT NOT NULL,
    execution     TEXT NOT NULL,
    flow          TEXT NOT NULL,
    from_status   TEXT,
    to_status     TEXT NOT NULL,
    at            INTEGER NOT NULL,
    error         TEXT,
    step          TEXT,         -- its name; NULL of an execution
    path          TEXT,
    step_attempts INTEGER,
    attempts      INTEGER NOT NULL DEFAULT 0, -- how often it was told in vain
    due_at        INTEGER,
    failure       TEXT
);
CREATE INDEX changes_kept ON changes (subscription, number);
-- What was told in vain: in which order it is told again, and whether there is any of an execution.
CREATE INDEX changes_due ON changes (subscription, due_at, number) WHERE attempts > 0;
CREATE INDEX changes_failed ON changes (subscription, execution) WHERE attempts > 0;

-- Flows that are paused or limited, or were: see `LimitedFlow`. Each change gives the row a new revision, which
-- no row had before.
CREATE TABLE flow_limits (
    revision  INTEGER PRIMARY KEY AUTOINCREMENT,
    flow      TEXT NOT NULL UNIQUE,
    paused    INTEGER NOT NULL,
    at_once   INTEGER, -- how many go on at once; NULL is no limit, here and below
    label     TEXT,    -- how many of one value of this label
    of_label  INTEGER,
    starts    INTEGER, -- how many begin in so many nanoseconds, and how many of them together
    period    INTEGER,
    burst     INTEGER,
    next_at   INTEGER, -- when the next would begin, if all began evenly
    value     TEXT NOT NULL
);

-- The gate that an execution waits behind while it is `pending`, if its flow has limits: '-', or '=' with the
-- value of the label. What has begun, and what has no gate, is in the indexes `executions_due` and
-- `executions_free`; what waits behind a gate is in two of its own, and in no other.
ALTER TABLE executions ADD COLUMN gate TEXT;
DROP INDEX executions_due;
DROP INDEX executions_free;
CREATE INDEX executions_due ON executions (flow, refused, priority DESC, due_at, worker)
    WHERE due_at IS NOT NULL AND (gate IS NULL OR status <> 'pending');
CREATE INDEX executions_free ON executions (flow, refused, priority DESC, free_at, worker)
    WHERE free_at IS NOT NULL AND (gate IS NULL OR status <> 'pending');
CREATE INDEX executions_due_gated ON executions (flow, gate, refused, priority DESC, due_at, worker)
    WHERE due_at IS NOT NULL AND gate IS NOT NULL AND status = 'pending';
CREATE INDEX executions_free_gated ON executions (flow, gate, refused, priority DESC, free_at, worker)
    WHERE free_at IS NOT NULL AND gate IS NOT NULL AND status = 'pending';
-- Those that have come through their gate, and have not ended.
CREATE INDEX executions_begun ON executions (flow, gate)
    WHERE gate IS NOT NULL AND status IN ('running', 'waiting', 'undoing');

-- The key that an execution has until it has ended, and no other of its flow meanwhile.
ALTER TABLE executions ADD COLUMN singleton TEXT;
CREATE UNIQUE INDEX executions_singleton ON executions (flow, singleton)
    WHERE singleton IS NOT NULL AND status IN ('pending', 'running', 'waiting', 'undoing');
