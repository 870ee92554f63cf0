-- Times are whole nanoseconds since 1970-01-01T00:00:00Z. Statuses and kinds are their names.

CREATE TABLE executions (
    key         INTEGER PRIMARY KEY AUTOINCREMENT,
    id          TEXT NOT NULL UNIQUE,
    flow        TEXT NOT NULL,
    status      TEXT NOT NULL,
    priority    INTEGER NOT NULL,
    created_at  INTEGER NOT NULL,
    started_at  INTEGER,
    done_at     INTEGER,
    due_at      INTEGER,          -- whose turn it is: never if NULL; of one that is held, the lease's end
    worker      TEXT,             -- who holds it, or held it last without giving it back
    fence       INTEGER NOT NULL, -- counts the claims
    until,                        -- the time, or 'signal'
    attempts    INTEGER,          -- NULL: not begun
    error       TEXT,             -- of several, the last
    refused     INTEGER,          -- the fingerprint of the flow that it did not fit
    refused_why TEXT,
    input       TEXT NOT NULL,
    output      TEXT,
    more        TEXT
);
-- For claims: a search for each flow and priority, whatever the number of those that wait.
CREATE INDEX executions_due ON executions (flow, refused, priority DESC, due_at, worker)
    WHERE due_at IS NOT NULL;
-- For lists, which begin with the newest: of all, of a status, of a flow.
CREATE INDEX executions_created ON executions (created_at);
CREATE INDEX executions_status ON executions (status, created_at);
CREATE INDEX executions_flow ON executions (flow, created_at);
CREATE INDEX executions_done ON executions (done_at) WHERE done_at IS NOT NULL;

-- A row for each node but the root, which is the execution. One search and one page for each row
-- that is written, as the number is the place: the execution's key, and 24 bits for the node.
CREATE TABLE steps (
    id         INTEGER PRIMARY KEY,
    parent     INTEGER NOT NULL,
    name       TEXT NOT NULL,
    kind       TEXT NOT NULL,
    status     TEXT NOT NULL,
    attempts   INTEGER NOT NULL,
    started_at INTEGER,
    done_at    INTEGER,
    until,
    decision   INTEGER,
    error      TEXT,
    input      TEXT,
    output     TEXT,
    more       TEXT,
    execution  INTEGER AS (id >> 24) VIRTUAL,
    node       INTEGER AS (id & 16777215) VIRTUAL
);

CREATE TABLE labels (
    execution INTEGER NOT NULL,
    name      TEXT NOT NULL,
    value     TEXT NOT NULL,
    PRIMARY KEY (execution, name)
) WITHOUT ROWID;
CREATE INDEX labels_value ON labels (name, value, execution);

CREATE TABLE messages (
    number    INTEGER PRIMARY KEY AUTOINCREMENT,
    execution INTEGER NOT NULL,
    kind      TEXT NOT NULL,
    path      TEXT NOT NULL,
    value     TEXT,
    sent_at   INTEGER NOT NULL,
    UNIQUE (execution, kind, path)
);

CREATE VIEW execution_times AS
SELECT id, flow, status,
       strftime('%Y-%m-%dT%H:%M:%fZ', created_at / 1e9, 'unixepoch') AS created,
       strftime('%Y-%m-%dT%H:%M:%fZ', started_at / 1e9, 'unixepoch') AS started,
       strftime('%Y-%m-%dT%H:%M:%fZ', done_at / 1e9, 'unixepoch') AS done,
       (done_at - started_at) / 1e6 AS ms,
       strftime('%Y-%m-%dT%H:%M:%fZ', due_at / 1e9, 'unixepoch') AS due,
       worker, error, output
FROM executions;

CREATE VIEW step_times AS
SELECT e.id AS execution, e.flow, s.node, s.parent, s.name, s.kind, s.status, s.attempts,
       strftime('%Y-%m-%dT%H:%M:%fZ', s.started_at / 1e9, 'unixepoch') AS started,
       strftime('%Y-%m-%dT%H:%M:%fZ', s.done_at / 1e9, 'unixepoch') AS done,
       (s.done_at - s.started_at) / 1e6 AS ms,
       s.error, s.output
FROM executions e JOIN steps s ON s.id BETWEEN e.key << 24 AND (e.key << 24) + 16777215;
