-- Version 1. Times are whole nanoseconds since 1970-01-01T00:00:00Z, by this server's clock. Statuses and kinds are
-- their names. Values are `text`, not `jsonb`, which would reorder their keys and change their numbers. All texts
-- are compared byte by byte.

CREATE FUNCTION %.nanoseconds() RETURNS bigint LANGUAGE sql VOLATILE AS
    'SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint * 1000';

CREATE TABLE %.executions (
    key          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id           text COLLATE "C" NOT NULL UNIQUE,
    flow         text COLLATE "C" NOT NULL,
    status       text COLLATE "C" NOT NULL,
    priority     bigint NOT NULL,
    created_at   bigint NOT NULL,
    updated_at   bigint NOT NULL,
    started_at   bigint,
    done_at      bigint,
    due_at       bigint,           -- whose turn it is: never if NULL; of one that is held, the lease's end
    worker       text COLLATE "C", -- who holds it, or held it last without giving it back
    fence        bigint NOT NULL,  -- counts the claims
    newest       bigint NOT NULL DEFAULT 0, -- the number of the newest message in its inbox
    taken        bigint NOT NULL DEFAULT 0, -- how many messages were taken out of it
    form         bigint,           -- the newest form of the flow that has worked on it
    parent       text COLLATE "C", -- the id of the execution that has started it, which may be gone
    singleton    text COLLATE "C",
    trace        text COLLATE "C", -- of whoever has started it: a traceparent, and behind a space a tracestate
    refused      text COLLATE "C", -- who have refused it: "0123456789abcdef:0123456789abcdef …"
    refused_why  text COLLATE "C",
    past         text COLLATE "C", -- who says which rows are past: "0123456789abcdef:0123456789abcdef 3-17 …"
    gate         text COLLATE "C", -- behind which it waits while it is pending, if its flow has limits
    attrs        text COLLATE "C",
    trigger_name text COLLATE "C", -- NULL is `manual`
    message      text COLLATE "C",
    acts         text COLLATE "C",
    input        text COLLATE "C" NOT NULL,
    -- The root of its tree.
    name         text COLLATE "C",
    attempts     bigint,           -- NULL: not begun
    error        text COLLATE "C", -- of several, the last
    output       text COLLATE "C",
    more         text COLLATE "C", -- the node as JSON, if it has what has no column
    -- The lane that it waits in: a claim looks at the beginning of each. Digests, as an index has room for 2.7 kB.
    gated        text COLLATE "C" GENERATED ALWAYS AS
                 (CASE WHEN status = 'pending' AND gate IS NOT NULL THEN md5(gate) ELSE '' END) STORED,
    refusers     text COLLATE "C" GENERATED ALWAYS AS
                 (CASE WHEN refused IS NULL THEN '' ELSE md5(refused) END) STORED,
    rank         bigint GENERATED ALWAYS AS (-priority) STORED
) WITH (fillfactor = 80);
CREATE INDEX executions_due ON %.executions (flow, gated, refusers, rank, due_at, key) WHERE due_at IS NOT NULL;
CREATE UNIQUE INDEX executions_singleton ON %.executions (flow, singleton)
    WHERE singleton IS NOT NULL AND status IN ('pending', 'running', 'waiting', 'undoing');
CREATE INDEX executions_created ON %.executions (created_at, key);
CREATE INDEX executions_flow ON %.executions (flow, status, created_at, key);
CREATE INDEX executions_done ON %.executions (done_at) WHERE done_at IS NOT NULL;
CREATE INDEX executions_refused ON %.executions (flow) WHERE refused IS NOT NULL;
CREATE INDEX executions_parent ON %.executions (parent, created_at) WHERE parent IS NOT NULL;
CREATE INDEX executions_trigger ON %.executions (trigger_name, created_at) WHERE trigger_name IS NOT NULL;
CREATE INDEX executions_gate ON %.executions (flow, gate) WHERE gate IS NOT NULL
    AND status IN ('pending', 'running', 'waiting', 'undoing');

-- A row for each node but the root, which is the execution.
CREATE TABLE %.nodes (
    execution  bigint NOT NULL,
    node       bigint NOT NULL,
    parent     bigint NOT NULL,
    name       text COLLATE "C" NOT NULL,
    kind       text COLLATE "C" NOT NULL,
    status     text COLLATE "C" NOT NULL,
    attempts   bigint NOT NULL,
    started_at bigint,
    done_at    bigint,
    decision   boolean,
    error      text COLLATE "C",
    input      text COLLATE "C",
    output     text COLLATE "C",
    more       text COLLATE "C",
    PRIMARY KEY (execution, node)
) WITH (fillfactor = 70);

CREATE TABLE %.labels (
    execution bigint NOT NULL,
    name      text COLLATE "C" NOT NULL,
    value     text COLLATE "C" NOT NULL,
    PRIMARY KEY (execution, name)
);
CREATE INDEX labels_value ON %.labels (name, value, execution);

-- Numbers are never used again, so a message that replaces another one counts as newer.
CREATE TABLE %.messages (
    number    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    execution bigint NOT NULL,
    kind      text COLLATE "C" NOT NULL,
    path      text COLLATE "C" NOT NULL,
    value     text COLLATE "C",
    sent_at   bigint NOT NULL
);
CREATE INDEX messages_inbox ON %.messages (execution, number);

-- The forms of flows, in the order in which they were first seen. A fingerprint is 16 digits, base 16.
CREATE TABLE %.forms (
    number      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    flow        text COLLATE "C" NOT NULL,
    fingerprint text COLLATE "C" NOT NULL UNIQUE,
    lines       text COLLATE "C" NOT NULL,
    seen_at     bigint NOT NULL
);

CREATE SEQUENCE %.revisions;

-- What some process has to do at some time.
CREATE TABLE %.duties (
    name     text COLLATE "C" PRIMARY KEY,
    revision bigint NOT NULL,
    due_at   bigint,
    value    text COLLATE "C" NOT NULL
);
CREATE INDEX duties_due ON %.duties (due_at, name) WHERE due_at IS NOT NULL;

-- Who is told of changes of statuses. `flows` and `statuses` are JSON lists; an empty one is all.
CREATE TABLE %.subscriptions (
    name     text COLLATE "C" PRIMARY KEY,
    kind     text COLLATE "C" NOT NULL,
    flows    text COLLATE "C" NOT NULL,
    statuses text COLLATE "C" NOT NULL,
    since    bigint NOT NULL,
    ended    text COLLATE "C"
);

-- What they were not told yet. An execution may be gone.
CREATE TABLE %.changes (
    number        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subscription  text COLLATE "C" NOT NULL,
    execution     text COLLATE "C" NOT NULL,
    flow          text COLLATE "C" NOT NULL,
    from_status   text COLLATE "C",
    to_status     text COLLATE "C" NOT NULL,
    at            bigint NOT NULL,
    error         text COLLATE "C",
    step          text COLLATE "C", -- its name; NULL of an execution
    path          text COLLATE "C",
    step_attempts bigint,
    attempts      bigint NOT NULL DEFAULT 0, -- how often it was told in vain
    due_at        bigint,
    failure       text COLLATE "C"
);
CREATE INDEX changes_kept ON %.changes (subscription, number);
CREATE INDEX changes_due ON %.changes (subscription, due_at, number) WHERE attempts > 0;
CREATE INDEX changes_failed ON %.changes (subscription, execution) WHERE attempts > 0;

-- Flows that are paused or limited, or were.
CREATE TABLE %.flow_limits (
    flow     text COLLATE "C" PRIMARY KEY,
    revision bigint NOT NULL,
    paused   boolean NOT NULL,
    at_once  bigint,           -- how many go on at once; NULL is no limit, here and below
    label    text COLLATE "C", -- how many of one value of this label
    of_label bigint,
    starts   bigint,           -- how many begin in so many nanoseconds, and how many of them together
    period   bigint,
    burst    bigint,
    next_at  bigint NOT NULL,  -- when the next would begin, if all began evenly
    value    text COLLATE "C" NOT NULL
);

-- What steps have logged. Of each step, and of each execution, the newest.
CREATE TABLE %.logs (
    execution bigint NOT NULL,
    number    bigint NOT NULL, -- its place in the log of the execution
    path      text COLLATE "C" NOT NULL,
    of_step   bigint NOT NULL, -- which line of the step it is
    at        bigint NOT NULL,
    level     text COLLATE "C" NOT NULL,
    attempt   bigint NOT NULL,
    undo      boolean NOT NULL, -- whether the step was being undone
    message   text COLLATE "C" NOT NULL,
    PRIMARY KEY (execution, number)
);
CREATE INDEX logs_step ON %.logs (execution, md5(path), of_step);

-- Executions that were deleted, whose nodes and logs are not all deleted yet.
CREATE TABLE %.deleted (execution bigint PRIMARY KEY);

-- The version of these tables; one row.
CREATE TABLE %.version (version bigint NOT NULL);
INSERT INTO %.version VALUES (1);
