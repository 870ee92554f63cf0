-- What a service notes of an execution. NULL is nothing noted: most executions have only NULLs.

ALTER TABLE executions ADD COLUMN attrs TEXT;
-- What started it; NULL is `manual`.
ALTER TABLE executions ADD COLUMN trigger_name TEXT;
ALTER TABLE executions ADD COLUMN message TEXT;
-- When its root was last written, a turn gave it back, or a note was changed; NULL is when it was created.
-- Steps are not looked at: see `ops/counts.rs`.
ALTER TABLE executions ADD COLUMN updated_at INTEGER;
CREATE INDEX executions_trigger ON executions (trigger_name, created_at)
    WHERE trigger_name IS NOT NULL;
-- Executions that others have started: the id of the one that has. It may be gone.
ALTER TABLE executions ADD COLUMN parent TEXT;
CREATE INDEX executions_parent ON executions (parent, created_at) WHERE parent IS NOT NULL;
