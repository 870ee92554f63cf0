-- What some process has to do at some time, by a name: see `Duty`. Each change gives the row a new revision,
-- which no row had before.
CREATE TABLE duties (
    revision INTEGER PRIMARY KEY AUTOINCREMENT,
    name     TEXT NOT NULL UNIQUE,
    due_at   INTEGER,
    value    TEXT NOT NULL
);
CREATE INDEX duties_due ON duties (due_at, name) WHERE due_at IS NOT NULL;

-- What operators have done with it: JSON, a list. NULL is nothing.
ALTER TABLE executions ADD COLUMN acts TEXT;
