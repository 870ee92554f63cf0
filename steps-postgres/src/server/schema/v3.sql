-- Workers whose leases end together, so that a heartbeat is one row, whatever number of executions a worker holds. One
-- that has ended is not renewed: the worker gets another row then.
CREATE TABLE %.workers (
    key         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name        text COLLATE "C" NOT NULL,
    alive_until bigint NOT NULL
) WITH (fillfactor = 50);

-- The row in `workers` with which its lease ends, which then is not in `due_at`.
ALTER TABLE %.executions ADD COLUMN holder bigint;
CREATE INDEX executions_holder ON %.executions (holder) WHERE holder IS NOT NULL;

-- Executions at which a worker has to look at its next heartbeat: a message has come for one, or it is held no more.
CREATE TABLE %.recalls (
    holder    bigint NOT NULL,
    execution bigint NOT NULL
);
CREATE INDEX recalls_holder ON %.recalls (holder);
UPDATE %.version SET version = 3;
