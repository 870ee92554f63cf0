-- Executions that were deleted, whose nodes are not all deleted yet: a deletion of many nodes takes several
-- transactions. Keys are never used again.
CREATE TABLE deleted (execution INTEGER PRIMARY KEY);
