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
