-- Two versions of a program at once. `refused` has all who have refused an execution, each as its
-- fingerprint and its build: "0123456789abcdef:0123456789abcdef …". Whoever refused it before is asked
-- once more, as builds were not known.

UPDATE executions SET refused = NULL, refused_why = NULL WHERE refused IS NOT NULL;

-- The forms of flows, in the order in which they were first seen: `lines` is JSON. A fingerprint is
-- 16 digits, base 16.
CREATE TABLE forms (
    number      INTEGER PRIMARY KEY AUTOINCREMENT,
    flow        TEXT NOT NULL,
    fingerprint TEXT NOT NULL UNIQUE,
    lines       TEXT NOT NULL,
    seen_at     INTEGER NOT NULL
);

-- The newest form that has worked on the execution; NULL if that was before there were forms.
ALTER TABLE executions ADD COLUMN form INTEGER;

-- A step takes one row, not two. Where a step begins at the moment at which the one before it ends, the
-- row of that end names it, in `next`; the step has a row of its own as soon as there is more to say.
-- The row that `next` stands for: the following number, the same parent, a step that is running, its
-- first attempt, begun when the row's own node was done.

DROP VIEW step_times;
ALTER TABLE steps RENAME TO nodes;
ALTER TABLE nodes ADD COLUMN next TEXT;

-- Before a row loses its `next`, or the time that goes with it, the step gets its row.
CREATE TRIGGER nodes_next AFTER UPDATE ON nodes
WHEN old.next IS NOT NULL AND NOT EXISTS (SELECT 1 FROM nodes WHERE id = old.id + 1)
BEGIN
    INSERT INTO nodes (id, parent, name, kind, status, attempts, started_at)
    VALUES (old.id + 1, old.parent, old.next, 'step', 'running', 1, old.done_at);
END;

-- A row for each node but the root, those that have only begun included.
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

-- For a process of an older version, which may finish what it holds.
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

-- Lists: see `ops/walk.rs`. Each index is in the order of a list behind the columns that choose.

DROP INDEX executions_status;
DROP INDEX executions_flow;
CREATE INDEX executions_flow ON executions (flow, status, created_at);
CREATE INDEX executions_refused ON executions (created_at) WHERE refused IS NOT NULL;

ALTER TABLE labels ADD COLUMN created_at INTEGER NOT NULL DEFAULT 0;
UPDATE labels SET created_at = (SELECT created_at FROM executions WHERE key = execution);
DROP INDEX labels_value;
CREATE INDEX labels_value ON labels (name, value, created_at, execution);
-- For a process of an older version, which does not know the column.
CREATE TRIGGER labels_created AFTER INSERT ON labels WHEN new.created_at = 0
BEGIN
    UPDATE labels SET created_at = (SELECT created_at FROM executions WHERE key = new.execution)
    WHERE execution = new.execution AND name = new.name;
END;
