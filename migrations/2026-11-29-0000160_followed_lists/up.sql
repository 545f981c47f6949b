-- Trusted lists of others: whom to believe, what was fetched. Runs unchanged on SQLite and
-- PostgreSQL.

-- Lists and lists of lists that people decided to believe. `trust` is JSON: the certificates that
-- belief rests on.
CREATE TABLE list_sources (
    code TEXT NOT NULL CONSTRAINT list_sources_code PRIMARY KEY,
    location TEXT NOT NULL,
    trust TEXT NOT NULL,
    trusted_at BIGINT NOT NULL,
    ended_at BIGINT
);

-- Lists as they were fetched and found good; never changed. A sequence number is used once.
CREATE TABLE list_snapshots (
    id TEXT NOT NULL CONSTRAINT list_snapshots_id PRIMARY KEY,
    list TEXT NOT NULL,
    address TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    issued_at BIGINT NOT NULL,
    next_update BIGINT,
    signer TEXT NOT NULL,
    digest TEXT NOT NULL,
    taken_at BIGINT NOT NULL,
    xml BYTEA NOT NULL,
    CONSTRAINT list_snapshots_sequence UNIQUE (list, sequence)
);

-- The lists that are looked at again and again, and how each stands. `snapshot` is in force.
CREATE TABLE followed_lists (
    code TEXT NOT NULL CONSTRAINT followed_lists_code PRIMARY KEY,
    source TEXT NOT NULL REFERENCES list_sources (code) DEFERRABLE INITIALLY DEFERRED,
    location TEXT NOT NULL,
    territory TEXT,
    snapshot TEXT REFERENCES list_snapshots (id) DEFERRABLE INITIALLY DEFERRED,
    etag TEXT,
    last_modified TEXT,
    checked_at BIGINT,
    confirmed_at BIGINT,
    problem TEXT,
    detail TEXT NOT NULL,
    troubled_at BIGINT,
    dropped_at BIGINT
);

-- Former lists of lists, by which the chain of signers leads back to the journal.
CREATE TABLE list_pivots (
    source TEXT NOT NULL REFERENCES list_sources (code) DEFERRABLE INITIALLY DEFERRED,
    address TEXT NOT NULL,
    digest TEXT NOT NULL,
    kept_at BIGINT NOT NULL,
    xml BYTEA NOT NULL,
    CONSTRAINT list_pivots_address PRIMARY KEY (source, address)
);
