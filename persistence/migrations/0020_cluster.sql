-- Several nodes, one cluster: what a node says of itself, and what an operator
-- has asked of it.

ALTER TABLE node_lease
    ADD COLUMN says text NOT NULL DEFAULT 'serving'
        CHECK (says IN ('serving', 'deaf', 'draining')),
    ADD COLUMN address text NOT NULL DEFAULT '',
    ADD COLUMN drain_asked boolean NOT NULL DEFAULT false;
