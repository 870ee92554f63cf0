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
