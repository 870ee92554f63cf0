-- Executions that were deleted, whose nodes are not all deleted yet: a deletion of many nodes takes several
-- transactions. Keys are never used again.
CREATE TABLE deleted (execution INTEGER PRIMARY KEY);

-- The rows of nodes that a claim leaves out, as what is over and never looked at again going forward, such as
-- the rounds of a `loop` before the last: who has said so, as in `refused`, and the ranges of their numbers,
-- "0123456789abcdef:0123456789abcdef 3-17 19-40".
ALTER TABLE executions ADD COLUMN past TEXT;
