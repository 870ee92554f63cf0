-- A file as version 8 of the tables left it, after some steps of an execution, which a worker holds.
PRAGMA application_id = 1398031696;
PRAGMA user_version = 8;
BEGIN TRANSACTION;
CREATE TABLE boot (id TEXT NOT NULL);
INSERT INTO "boot" VALUES('');
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
CREATE TABLE deleted (execution INTEGER PRIMARY KEY);
CREATE TABLE duties (
    revision INTEGER PRIMARY KEY AUTOINCREMENT,
    name     TEXT NOT NULL UNIQUE,
    due_at   INTEGER,
    value    TEXT NOT NULL
);
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
, taken INTEGER NOT NULL DEFAULT 0, free_at INTEGER, form INTEGER, past TEXT, attrs TEXT, trigger_name TEXT, message TEXT, updated_at INTEGER, parent TEXT, acts TEXT, gate TEXT, singleton TEXT);
INSERT INTO "executions" VALUES(1,'req-42','attach_volume','running',5,1767258000000000000,1767258000000000001,NULL,4102444800000000000,'a worker',3,NULL,1,NULL,NULL,NULL,'{"size":4}',NULL,NULL,0,NULL,NULL,NULL,'{"bytes":9007199254740993}','event','half way',1767258000000000002,NULL,NULL,NULL,NULL);
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
CREATE TABLE forms (
    number      INTEGER PRIMARY KEY AUTOINCREMENT,
    flow        TEXT NOT NULL,
    fingerprint TEXT NOT NULL UNIQUE,
    lines       TEXT NOT NULL,
    seen_at     INTEGER NOT NULL
);
CREATE TABLE labels (
    execution INTEGER NOT NULL,
    name      TEXT NOT NULL,
    value     TEXT NOT NULL, created_at INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (execution, name)
) WITHOUT ROWID;
INSERT INTO "labels" VALUES(1,'project','atlas',1767258000000000000);
CREATE TABLE "messages" (
    number    INTEGER PRIMARY KEY AUTOINCREMENT,
    execution INTEGER NOT NULL,
    kind      TEXT NOT NULL,
    path      TEXT NOT NULL,
    value     TEXT,
    sent_at   INTEGER NOT NULL
);
CREATE TABLE "nodes" (
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
, next TEXT);
INSERT INTO "nodes" VALUES(16777217,0,'vm','step','done',1,1767258000000000001,1767258000250000000,NULL,NULL,NULL,NULL,'"i-1"',NULL,NULL);
INSERT INTO "nodes" VALUES(16777218,0,'volume','step','running',1,1767258000250000000,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
CREATE TABLE subscriptions (
    name     TEXT PRIMARY KEY,
    kind     TEXT NOT NULL,     -- `execution` or `step`
    flows    TEXT NOT NULL,
    statuses TEXT NOT NULL,
    since    INTEGER NOT NULL,
    ended    TEXT
) WITHOUT ROWID;
CREATE INDEX executions_created ON executions (created_at);
CREATE INDEX executions_done ON executions (done_at) WHERE done_at IS NOT NULL;
CREATE VIEW execution_times AS
SELECT id, flow, status,
       strftime('%Y-%m-%dT%H:%M:%fZ', created_at / 1e9, 'unixepoch') AS created,
       strftime('%Y-%m-%dT%H:%M:%fZ', started_at / 1e9, 'unixepoch') AS started,
       strftime('%Y-%m-%dT%H:%M:%fZ', done_at / 1e9, 'unixepoch') AS done,
       (done_at - started_at) / 1e6 AS ms,
       strftime('%Y-%m-%dT%H:%M:%fZ', due_at / 1e9, 'unixepoch') AS due,
       worker, error, output
FROM executions;
CREATE INDEX messages_inbox ON messages (execution, kind, path);
CREATE TRIGGER nodes_next AFTER UPDATE ON nodes
WHEN old.next IS NOT NULL AND NOT EXISTS (SELECT 1 FROM nodes WHERE id = old.id + 1)
BEGIN
    INSERT INTO nodes (id, parent, name, kind, status, attempts, started_at)
    VALUES (old.id + 1, old.parent, old.next, 'step', 'running', 1, old.done_at);
END;
CREATE VIEW steps AS
SELECT n.id, n.parent, n.name, n.kind, n.status, n.attempts, n.started_at, n.done_at, n.until,
       n.decision, n.error, n.input, n.output, n.more,
       e.key AS execution, n.id & 16777215 AS node
FROM executions e JOIN nodes n ON n.id BETWEEN e.key << 24 AND (e.key << 24) + 16777215
UNION ALL
SELECT n.id + 1, n.parent, n.next, 'step', 'running', 1, n.done_at, NULL, NULL,
       NULL, NULL, NULL, NULL, NULL,
       e.key, (n.id & 16777215) + 1
FROM executions e JOIN nodes n ON n.id BETWEEN e.key << 24 AND (e.key << 24) + 16777215
WHERE n.next IS NOT NULL AND NOT EXISTS (SELECT 1 FROM nodes WHERE id = n.id + 1);
CREATE TRIGGER steps_insert INSTEAD OF INSERT ON steps
BEGIN
    INSERT OR REPLACE INTO nodes (id, parent, name, kind, status, attempts, started_at, done_at,
        until, decision, error, input, output, more)
    VALUES (new.id, new.parent, new.name, new.kind, new.status, new.attempts, new.started_at,
        new.done_at, new.until, new.decision, new.error, new.input, new.output, new.more);
END;
CREATE TRIGGER steps_delete INSTEAD OF DELETE ON steps
BEGIN
    DELETE FROM nodes WHERE id = old.id;
END;
CREATE VIEW step_times AS
SELECT e.id AS execution, e.flow, n.id & 16777215 AS node, n.parent, n.name, n.kind, n.status,
       n.attempts,
       strftime('%Y-%m-%dT%H:%M:%fZ', n.started_at / 1e9, 'unixepoch') AS started,
       strftime('%Y-%m-%dT%H:%M:%fZ', n.done_at / 1e9, 'unixepoch') AS done,
       (n.done_at - n.started_at) / 1e6 AS ms,
       n.error, n.output
FROM executions e JOIN nodes n ON n.id BETWEEN e.key << 24 AND (e.key << 24) + 16777215
UNION ALL
SELECT e.id, e.flow, (n.id & 16777215) + 1, n.parent, n.next, 'step', 'running',
       1,
       strftime('%Y-%m-%dT%H:%M:%fZ', n.done_at / 1e9, 'unixepoch'),
       NULL,
       NULL,
       NULL, NULL
FROM executions e JOIN nodes n ON n.id BETWEEN e.key << 24 AND (e.key << 24) + 16777215
WHERE n.next IS NOT NULL AND NOT EXISTS (SELECT 1 FROM nodes WHERE id = n.id + 1);
CREATE INDEX executions_flow ON executions (flow, status, created_at);
CREATE INDEX executions_refused ON executions (created_at) WHERE refused IS NOT NULL;
CREATE INDEX labels_value ON labels (name, value, created_at, execution);
CREATE TRIGGER labels_created AFTER INSERT ON labels WHEN new.created_at = 0
BEGIN
    UPDATE labels SET created_at = (SELECT created_at FROM executions WHERE key = new.execution)
    WHERE execution = new.execution AND name = new.name;
END;
CREATE INDEX executions_trigger ON executions (trigger_name, created_at)
    WHERE trigger_name IS NOT NULL;
CREATE INDEX executions_parent ON executions (parent, created_at) WHERE parent IS NOT NULL;
CREATE INDEX duties_due ON duties (due_at, name) WHERE due_at IS NOT NULL;
CREATE INDEX changes_kept ON changes (subscription, number);
CREATE INDEX changes_due ON changes (subscription, due_at, number) WHERE attempts > 0;
CREATE INDEX changes_failed ON changes (subscription, execution) WHERE attempts > 0;
CREATE INDEX executions_due ON executions (flow, refused, priority DESC, due_at, worker)
    WHERE due_at IS NOT NULL AND (gate IS NULL OR status <> 'pending');
CREATE INDEX executions_free ON executions (flow, refused, priority DESC, free_at, worker)
    WHERE free_at IS NOT NULL AND (gate IS NULL OR status <> 'pending');
CREATE INDEX executions_due_gated ON executions (flow, gate, refused, priority DESC, due_at, worker)
    WHERE due_at IS NOT NULL AND gate IS NOT NULL AND status = 'pending';
CREATE INDEX executions_free_gated ON executions (flow, gate, refused, priority DESC, free_at, worker)
    WHERE free_at IS NOT NULL AND gate IS NOT NULL AND status = 'pending';
CREATE INDEX executions_begun ON executions (flow, gate)
    WHERE gate IS NOT NULL AND status IN ('running', 'waiting', 'undoing');
CREATE UNIQUE INDEX executions_singleton ON executions (flow, singleton)
    WHERE singleton IS NOT NULL AND status IN ('pending', 'running', 'waiting', 'undoing');
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('executions',1);
COMMIT;
