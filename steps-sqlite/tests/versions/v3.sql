-- A file as version 3 of the tables left it, after some steps of an execution, which a worker holds.
PRAGMA application_id = 1398031696;
PRAGMA user_version = 3;

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

-- Signals queue: an inbox may hold several messages of one kind and path. How many were taken out of
-- it tells a sender whether what it has read of the execution is still so.

ALTER TABLE executions ADD COLUMN taken INTEGER NOT NULL DEFAULT 0;

CREATE TABLE inbox (
    number    INTEGER PRIMARY KEY AUTOINCREMENT,
    execution INTEGER NOT NULL,
    kind      TEXT NOT NULL,
    path      TEXT NOT NULL,
    value     TEXT,
    sent_at   INTEGER NOT NULL
);
INSERT INTO inbox SELECT number, execution, kind, path, value, sent_at FROM messages;
-- Numbers go on from where they were, also if there is no message.
DELETE FROM sqlite_sequence WHERE name = 'inbox';
INSERT INTO sqlite_sequence (name, seq)
    SELECT 'inbox', seq FROM sqlite_sequence WHERE name = 'messages';
DROP TABLE messages;
ALTER TABLE inbox RENAME TO messages;
CREATE INDEX messages_inbox ON messages (execution, kind, path);

-- Leases, and what is due at once, go by a clock that nobody can set: whole nanoseconds since the
-- machine was started. An execution has one of `free_at` and `due_at`, or neither.

-- From when a worker may claim it: the end of the lease of one that is held, or since when it is due.
ALTER TABLE executions ADD COLUMN free_at INTEGER;
CREATE INDEX executions_free ON executions (flow, refused, priority DESC, free_at, worker)
    WHERE free_at IS NOT NULL;

-- The start of the machine that `free_at` counts from, as the system names it; one row.
CREATE TABLE boot (id TEXT NOT NULL);
INSERT INTO boot VALUES ('');


INSERT INTO executions (id, flow, status, priority, created_at, started_at, due_at, worker, fence, attempts, input)
    VALUES ('req-42', 'attach_volume', 'running', 5, 1767258000000000000, 1767258000000000001, 4102444800000000000, 'a worker', 3, 1, '{"size":4}');
INSERT INTO labels VALUES (1, 'project', 'atlas');
INSERT INTO steps (id, parent, name, kind, status, attempts, started_at, done_at, output)
    VALUES (16777217, 0, 'vm', 'step', 'done', 1, 1767258000000000001, 1767258000250000000, '"i-1"');
INSERT INTO steps (id, parent, name, kind, status, attempts, started_at)
    VALUES (16777218, 0, 'volume', 'step', 'running', 1, 1767258000250000000);
