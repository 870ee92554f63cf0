-- A step takes one row, not two. Where a step begins at the moment at which the one before it ends, the row of that end
-- names it, in `next`; the step has a row of its own as soon as there is more to say. The row that `next` stands for: the
-- following number, the same parent, a step that is running, its first attempt, begun when the row's own node was done.
-- The table has a new name, so that a process of an older version, which would not know of these steps, is told so.
ALTER TABLE %.nodes RENAME TO node_rows;
ALTER TABLE %.node_rows ADD COLUMN next text COLLATE "C";

-- Before a row loses its `next`, or the time that goes with it, the step gets its row.
CREATE FUNCTION %.next_has_row() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO %.node_rows (execution, node, parent, name, kind, status, attempts, started_at)
    VALUES (old.execution, old.node + 1, old.parent, old.next, 'step', 'running', 1, old.done_at)
    ON CONFLICT (execution, node) DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER next_has_row AFTER UPDATE ON %.node_rows FOR EACH ROW WHEN (old.next IS NOT NULL)
    EXECUTE FUNCTION %.next_has_row();

-- A row for each node but the root, which is the execution, those that have only begun included.
CREATE VIEW %.nodes AS
SELECT n.execution, n.node, n.parent, n.name, n.kind, n.status, n.attempts, n.started_at, n.done_at, n.decision, n.error,
    n.input, n.output, n.more
FROM %.node_rows n
UNION ALL
SELECT n.execution, n.node + 1, n.parent, n.next, 'step', 'running', 1, n.done_at, NULL, NULL, NULL, NULL, NULL, NULL
FROM %.node_rows n
WHERE n.next IS NOT NULL AND (SELECT true FROM %.node_rows o WHERE o.execution = n.execution AND o.node = n.node + 1)
    IS NULL;
UPDATE %.version SET version = 4;
