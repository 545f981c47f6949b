-- Notices (DOMAIN 19), and at the same time the letters that wait to leave: one row for each
-- recipient, written in the transaction of the event that causes it. A recipient is told once per
-- kind, object and step. `recipient` is the mailbox in lower case, or `operator`, whose address the
-- configuration knows; `address` is as it was written. `facts` is JSON. Exactly one of `next_at`
-- (waits), `sent_at` and `given_up_at` is filled; a claimed row may be claimed again from
-- `claimable_at` on.
CREATE TABLE notices (
    number BIGINT NOT NULL CONSTRAINT notices_number PRIMARY KEY,
    kind TEXT NOT NULL,
    object_kind TEXT NOT NULL,
    object_id TEXT NOT NULL,
    organisation_id TEXT REFERENCES organisations (id) DEFERRABLE INITIALLY DEFERRED,
    step TEXT NOT NULL,
    recipient TEXT NOT NULL,
    address TEXT,
    name TEXT NOT NULL,
    language TEXT NOT NULL,
    facts TEXT NOT NULL,
    due_at BIGINT NOT NULL,
    attempts INTEGER NOT NULL,
    next_at BIGINT,
    claimable_at BIGINT NOT NULL,
    problem TEXT,
    sent_at BIGINT,
    acknowledged_at BIGINT,
    given_up_at BIGINT,
    CONSTRAINT notices_once UNIQUE (kind, object_id, step, recipient)
);
CREATE INDEX notices_waiting ON notices (next_at, number) WHERE next_at IS NOT NULL;
CREATE INDEX notices_given_up ON notices (given_up_at) WHERE given_up_at IS NOT NULL;
CREATE INDEX notices_object ON notices (object_kind, object_id, number);
CREATE INDEX notices_recipient ON notices (recipient, number);
INSERT INTO counters (name, value) VALUES ('notices', 0);

-- Where an account's holder is written to.
ALTER TABLE accounts ADD COLUMN email TEXT;
