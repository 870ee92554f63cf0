-- Signals queue: an inbox may hold several messages of one kind and path. How many were taken out of
-- it tells a sender whether what it has read of the execution is still so.

ALTER TABLE executions ADD COLUMN taken INTEGER NOT NULL DEFAULT 0;

CREATE TABLE inbox (
    number    INTEGER PRIMARY KEY AUTOINCREMENT,
    execution INTEGER NOT NULL,
    kind      TEXT NOT NULL,
    path      TEXT NOT NULL,
    value     TEXT,
    sent_at   INTEGER NOT NULL
);
INSERT INTO inbox SELECT number, execution, kind, path, value, sent_at FROM messages;
-- Numbers go on from where they were, also if there is no message.
DELETE FROM sqlite_sequence WHERE name = 'inbox';
INSERT INTO sqlite_sequence (name, seq)
    SELECT 'inbox', seq FROM sqlite_sequence WHERE name = 'messages';
DROP TABLE messages;
ALTER TABLE inbox RENAME TO messages;
CREATE INDEX messages_inbox ON messages (execution, kind, path);
