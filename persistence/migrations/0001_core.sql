-- Ownership, sessions and what was said in them, agents, queues, customers.
--
-- A released file is never edited; a mistake is put right by the next number.
-- Keys are compared byte by byte (COLLATE "C"): faster, and the same everywhere.

-- Who lives. No wall clock is compared: others watch renew_count move.
CREATE TABLE node_lease (
    node        text COLLATE "C" PRIMARY KEY,
    incarnation text   NOT NULL,
    renew_count bigint NOT NULL DEFAULT 0
);

-- Who owns what. Kept lean: every write of a message locks a row of it.
CREATE TABLE slot (
    slot  smallint PRIMARY KEY CHECK (slot BETWEEN 0 AND 64),
    owner text COLLATE "C",
    epoch bigint NOT NULL DEFAULT 0 CHECK (epoch >= 0)
);
INSERT INTO slot (slot) SELECT generate_series(0, 64);

-- How far each slot has read its buffered lane.
CREATE TABLE ingress (
    slot        smallint PRIMARY KEY REFERENCES slot,
    stream      text   NOT NULL DEFAULT '',
    last_offset bigint NOT NULL DEFAULT 0
);
INSERT INTO ingress (slot) SELECT generate_series(0, 63);

CREATE TABLE customer (
    id         text COLLATE "C" PRIMARY KEY,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE contact (
    channel     text COLLATE "C" NOT NULL,
    user_id     text COLLATE "C" NOT NULL,
    customer_id text COLLATE "C" NOT NULL REFERENCES customer,
    PRIMARY KEY (channel, user_id)
);
CREATE INDEX contact_by_customer ON contact (customer_id);

-- A verified address belongs to one customer; contacts that bring the same one
-- are joined. Every join and separation is written down, so it can be undone.
CREATE TABLE identity (
    address     text COLLATE "C" PRIMARY KEY, -- 'tel:+86…' or 'mailto:…'
    customer_id text COLLATE "C" NOT NULL REFERENCES customer
);
CREATE TABLE contact_change (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    channel  text NOT NULL,
    user_id  text NOT NULL,
    was      text,
    became   text NOT NULL,
    reason   text NOT NULL,
    at       timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE session (
    id        bigint PRIMARY KEY,
    slot      smallint NOT NULL,
    channel   text COLLATE "C" NOT NULL,
    user_id   text COLLATE "C" NOT NULL,
    phase     text NOT NULL
              CHECK (phase IN ('queued', 'offered', 'active', 'held',
                               'transferring', 'wrap_up', 'closed')),
    queue     text NOT NULL,
    agent     text COLLATE "C", -- who has it, or had it last
    ownership bigint NOT NULL,
    opened_at timestamptz NOT NULL,
    closed_at timestamptz,
    state     jsonb NOT NULL,   -- all of it, as the program reads it back
    CHECK ((phase = 'closed') = (closed_at IS NOT NULL))
) WITH (fillfactor = 80);

-- At most one open session per contact.
CREATE UNIQUE INDEX session_open ON session (channel, user_id)
    WHERE phase <> 'closed';
CREATE INDEX session_open_by_slot ON session (slot) WHERE phase <> 'closed';
CREATE INDEX session_by_contact ON session (channel, user_id, id);

-- What was said and what happened. No foreign key: it would cost as much as the
-- insert itself, and `verify` checks what it would promise.
CREATE TABLE entry (
    session_id bigint   NOT NULL,
    seq        integer  NOT NULL CHECK (seq > 0),
    epoch      bigint   NOT NULL,
    kind       smallint NOT NULL CHECK (kind BETWEEN 1 AND 5),
    event      text     NOT NULL,
    author     text     NOT NULL,
    body       text     NOT NULL,
    source_id  text     NOT NULL,
    at         timestamptz NOT NULL,
    PRIMARY KEY (session_id, seq)
);

-- Message ids that were taken. Kept longer than any channel repeats (7 days).
-- source starts with 'c:' for a customer's id and with 'a:' for an agent's.
CREATE TABLE seen (
    contact    text COLLATE "C" NOT NULL, -- channel:user
    source     text COLLATE "C" NOT NULL,
    session_id bigint  NOT NULL,
    seq        integer NOT NULL,
    digest     bigint  NOT NULL,
    PRIMARY KEY (contact, source)
);

CREATE TABLE agent (
    id           text COLLATE "C" PRIMARY KEY,
    display_name text    NOT NULL DEFAULT '',
    profile      jsonb   NOT NULL DEFAULT '{}',
    capacity     integer NOT NULL CHECK (capacity >= 0),
    active       integer NOT NULL DEFAULT 0 CHECK (active >= 0),
    presence     text    NOT NULL DEFAULT 'offline',
    reason       text    NOT NULL DEFAULT ''
) WITH (fillfactor = 70);

-- What takes room at an agent: open offers and sessions.
CREATE TABLE assignment (
    session_id bigint  NOT NULL,
    agent      text COLLATE "C" NOT NULL REFERENCES agent,
    load       integer NOT NULL CHECK (load >= 0),
    open_offer boolean NOT NULL,
    offer      bigint  NOT NULL,
    PRIMARY KEY (session_id, agent)
);
CREATE UNIQUE INDEX assignment_one ON assignment (session_id)
    WHERE NOT open_offer;
CREATE INDEX assignment_by_agent ON assignment (agent);

CREATE TABLE queue (
    id           text COLLATE "C" PRIMARY KEY,
    display_name text  NOT NULL DEFAULT '',
    rules        jsonb NOT NULL DEFAULT '{}'
);
INSERT INTO queue (id, display_name) VALUES ('default', 'Default');

CREATE TABLE outbox (
    dedupe_id  text COLLATE "C" PRIMARY KEY,
    slot       smallint NOT NULL,
    session_id bigint   NOT NULL,
    seq        integer  NOT NULL,
    subject    text     NOT NULL,
    headers    jsonb    NOT NULL,
    payload    text     NOT NULL,
    state      text     NOT NULL DEFAULT 'pending'
               CHECK (state IN ('pending', 'dead')),
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX outbox_pending ON outbox (slot, session_id, seq)
    WHERE state = 'pending';

CREATE TABLE decision (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    session_id bigint NOT NULL,
    seq        integer NOT NULL,
    body       jsonb  NOT NULL
);
CREATE INDEX decision_by_session ON decision (session_id, id);

CREATE TABLE dead_letter (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    slot        smallint NOT NULL,
    lane_offset bigint   NOT NULL,
    subject     text     NOT NULL,
    reason      text     NOT NULL,
    headers     jsonb    NOT NULL,
    payload     bytea    NOT NULL,
    at          timestamptz NOT NULL DEFAULT now()
);
-- A message that is read twice is buried once.
CREATE UNIQUE INDEX dead_letter_once ON dead_letter (slot, lane_offset)
    WHERE lane_offset > 0;

-- Grows whenever somebody edits agents or queues, in whatever way.
CREATE TABLE directory (
    single  boolean PRIMARY KEY DEFAULT true CHECK (single),
    version bigint NOT NULL DEFAULT 1
);
INSERT INTO directory DEFAULT VALUES;

CREATE FUNCTION directory_edited() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE directory SET version = version + 1;
    RETURN NULL;
END $$;
CREATE TRIGGER agent_edited
    AFTER INSERT OR DELETE OR UPDATE OF display_name, profile, capacity ON agent
    FOR EACH STATEMENT EXECUTE FUNCTION directory_edited();
CREATE TRIGGER queue_edited
    AFTER INSERT OR DELETE OR UPDATE ON queue
    FOR EACH STATEMENT EXECUTE FUNCTION directory_edited();
