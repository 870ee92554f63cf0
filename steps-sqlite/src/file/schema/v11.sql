-- The views of steps, with the rows of each execution found by their numbers alone. Where a query named a status or a
-- name, SQLite made an index for it instead, and looked through all that this found for each execution: a minute for
-- 10,000 executions.

DROP VIEW steps;
DROP VIEW step_times;

-- A row for each node but the root, those that have only begun included.
CREATE VIEW steps AS
SELECT n.id, n.parent, n.name, n.kind, n.status, n.attempts, n.started_at, n.done_at, n.until,
       n.decision, n.error, n.input, n.output, n.more,
       e.key AS execution, n.id & 16777215 AS node
FROM executions e CROSS JOIN nodes n NOT INDEXED ON n.id BETWEEN e.key << 24 AND (e.key << 24) + 16777215
UNION ALL
SELECT n.id + 1, n.parent, n.next, 'step', 'running', 1, n.done_at, NULL, NULL,
       NULL, NULL, NULL, NULL, NULL,
       e.key, (n.id & 16777215) + 1
FROM executions e CROSS JOIN nodes n NOT INDEXED ON n.id BETWEEN e.key << 24 AND (e.key << 24) + 16777215
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
FROM executions e CROSS JOIN nodes n NOT INDEXED ON n.id BETWEEN e.key << 24 AND (e.key << 24) + 16777215
UNION ALL
SELECT e.id, e.flow, (n.id & 16777215) + 1, n.parent, n.next, 'step', 'running',
       1,
       strftime('%Y-%m-%dT%H:%M:%fZ', n.done_at / 1e9, 'unixepoch'),
       NULL,
       NULL,
       NULL, NULL
FROM executions e CROSS JOIN nodes n NOT INDEXED ON n.id BETWEEN e.key << 24 AND (e.key << 24) + 16777215
WHERE n.next IS NOT NULL AND NOT EXISTS (SELECT 1 FROM nodes WHERE id = n.id + 1);
