-- Policy documents on their way into force: drafts and what was decided about them. Nothing is
-- deleted. What is in force stands in `policies`. Runs unchanged on SQLite and PostgreSQL.

-- Drafts, known by the digest of their canonical JSON. `text` is what the author handed in,
-- `document` its canonical JSON.
CREATE TABLE policy_drafts (
    digest TEXT NOT NULL CONSTRAINT policy_drafts_digest PRIMARY KEY,
    id TEXT NOT NULL,
    version TEXT NOT NULL,
    text TEXT NOT NULL,
    document TEXT NOT NULL,
    author TEXT NOT NULL,
    drafted_at BIGINT NOT NULL,
    state TEXT NOT NULL
);
CREATE INDEX policy_drafts_state ON policy_drafts (state, drafted_at);

-- One decision of one person about one draft. `actor` is JSON.
CREATE TABLE policy_decisions (
    digest TEXT NOT NULL REFERENCES policy_drafts (digest) DEFERRABLE INITIALLY DEFERRED,
    person TEXT NOT NULL,
    verdict TEXT NOT NULL,
    decided_at BIGINT NOT NULL,
    reason TEXT NOT NULL,
    actor TEXT NOT NULL,
    CONSTRAINT policy_decisions_person PRIMARY KEY (digest, person)
);
