-- Acts that wait for other persons, accreditations, and the known-key feeds made here.

-- What one person proposes and others agree to. `act` is JSON, `digest` that of the act and reason.
CREATE TABLE proposals (
    id TEXT NOT NULL CONSTRAINT proposals_id PRIMARY KEY,
    act TEXT NOT NULL,
    digest TEXT NOT NULL,
    reason TEXT NOT NULL,
    author TEXT NOT NULL,
    proposed_at BIGINT NOT NULL,
    state TEXT NOT NULL
);
CREATE INDEX proposals_state ON proposals (state, id);

-- Who decided what. One person decides once (I-6). `actor` is JSON.
CREATE TABLE proposal_decisions (
    proposal_id TEXT NOT NULL REFERENCES proposals (id) DEFERRABLE INITIALLY DEFERRED,
    person TEXT NOT NULL,
    verdict TEXT NOT NULL,
    decided_at BIGINT NOT NULL,
    reason TEXT NOT NULL,
    actor TEXT NOT NULL,
    CONSTRAINT proposal_decisions_person PRIMARY KEY (proposal_id, person)
);

-- Accreditations of authorities, without which no certificate claims anything (PR-2). `record` is
-- JSON.
CREATE TABLE accreditations (
    id TEXT NOT NULL CONSTRAINT accreditations_id PRIMARY KEY,
    authority_id TEXT NOT NULL REFERENCES authorities (id) DEFERRABLE INITIALLY DEFERRED,
    record TEXT NOT NULL,
    recorded_at BIGINT NOT NULL,
    ended_at BIGINT
);
CREATE INDEX accreditations_authority ON accreditations (authority_id, id);

-- The known-key feeds that were made for others. Sequences only rise.
CREATE TABLE feed_exports (
    authority TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    digest TEXT NOT NULL,
    keys BIGINT NOT NULL,
    issued_at BIGINT NOT NULL,
    CONSTRAINT feed_exports_sequence PRIMARY KEY (authority, sequence)
);
