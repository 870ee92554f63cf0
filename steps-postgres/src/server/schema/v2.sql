-- What is kept of transactions that steps and undos were made in, until their ends are recorded. A name is kept as its
-- digest.
CREATE TABLE %.transactions (
    execution bigint NOT NULL,
    digest    text COLLATE "C" NOT NULL,
    output    text COLLATE "C", -- NULL is `null`
    PRIMARY KEY (execution, digest)
);
UPDATE %.version SET version = 2;
