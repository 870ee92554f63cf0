-- What is kept of transactions that steps and undos were made in, until their ends are recorded.
CREATE TABLE transactions (
    execution INTEGER NOT NULL,
    name      TEXT NOT NULL,
    output    TEXT, -- NULL is `null`
    PRIMARY KEY (execution, name)
) WITHOUT ROWID;
