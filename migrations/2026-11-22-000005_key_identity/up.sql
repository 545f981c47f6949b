-- Key identity: applications wait for their key, challenges, incidents, known-key feeds of other
-- authorities, evidence of where keys were made.

-- An application has its key only once possession was shown: `key_id`, `fingerprint` and `request`
-- may be empty. The columns are made anew because SQLite cannot loosen one; `key_id` has no
-- foreign key for the same reason.
ALTER TABLE applications ADD COLUMN new_key_id TEXT;
ALTER TABLE applications ADD COLUMN new_fingerprint TEXT;
ALTER TABLE applications ADD COLUMN new_request BYTEA;
ALTER TABLE applications ADD COLUMN changed_at BIGINT NOT NULL DEFAULT 0;
UPDATE applications SET new_key_id = key_id, new_fingerprint = fingerprint, new_request = request,
    changed_at = created_at;
DROP INDEX applications_key;
ALTER TABLE applications DROP COLUMN key_id;
ALTER TABLE applications DROP COLUMN fingerprint;
ALTER TABLE applications DROP COLUMN request;
ALTER TABLE applications RENAME COLUMN new_key_id TO key_id;
ALTER TABLE applications RENAME COLUMN new_fingerprint TO fingerprint;
ALTER TABLE applications RENAME COLUMN new_request TO request;
CREATE INDEX applications_key ON applications (key_id);
CREATE INDEX applications_progress ON applications (state, changed_at);

-- What applicants sign to show possession. The newest of an application is the one accepted, once.
CREATE TABLE challenges (
    challenge TEXT NOT NULL CONSTRAINT challenges_challenge PRIMARY KEY,
    application_id TEXT NOT NULL REFERENCES applications (id) DEFERRABLE INITIALLY DEFERRED,
    number INTEGER NOT NULL,
    issued_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT,
    CONSTRAINT challenges_number UNIQUE (application_id, number)
);

-- What people must look into. `organisations`, `certificates` and `told` are JSON lists.
CREATE TABLE incidents (
    id TEXT NOT NULL CONSTRAINT incidents_id PRIMARY KEY,
    kind TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    application_id TEXT,
    organisations TEXT NOT NULL,
    certificates TEXT NOT NULL,
    told TEXT NOT NULL,
    opened_at BIGINT NOT NULL,
    state TEXT NOT NULL,
    decision TEXT,
    reason TEXT,
    closed_at BIGINT
);
CREATE INDEX incidents_state ON incidents (state, id);
-- While one is open for a key, the next hit belongs to it.
CREATE UNIQUE INDEX incidents_open ON incidents (fingerprint) WHERE state = 'open';

-- Authorities whose known-key feed is taken, with the key that must sign it
-- (SubjectPublicKeyInfo). `sequence` is that of the last feed taken.
CREATE TABLE feed_issuers (
    code TEXT NOT NULL CONSTRAINT feed_issuers_code PRIMARY KEY,
    public_key BYTEA NOT NULL,
    sequence BIGINT NOT NULL,
    issued_at BIGINT,
    trusted_at BIGINT NOT NULL,
    ended_at BIGINT
);

-- Keys that other authorities' feeds name. Never deleted: a claim is for ever.
CREATE TABLE feed_keys (
    issuer TEXT NOT NULL REFERENCES feed_issuers (code) DEFERRABLE INITIALLY DEFERRED,
    fingerprint TEXT NOT NULL,
    state TEXT NOT NULL,
    first_seen BIGINT NOT NULL,
    CONSTRAINT feed_keys_fingerprint PRIMARY KEY (issuer, fingerprint)
);
CREATE INDEX feed_keys_by_fingerprint ON feed_keys (fingerprint);

-- Roots of vendors of key devices, against which attestations are verified.
CREATE TABLE vendor_roots (
    code TEXT NOT NULL CONSTRAINT vendor_roots_code PRIMARY KEY,
    certificate BYTEA NOT NULL,
    digest TEXT NOT NULL,
    added_at BIGINT NOT NULL,
    ended_at BIGINT
);

-- Evidence of where a key was made, as it was handed in.
CREATE TABLE key_evidence (
    id TEXT NOT NULL CONSTRAINT key_evidence_id PRIMARY KEY,
    key_id TEXT NOT NULL REFERENCES keys (id) DEFERRABLE INITIALLY DEFERRED,
    format TEXT NOT NULL,
    origin TEXT NOT NULL,
    device_serial TEXT,
    evidence BYTEA NOT NULL,
    digest TEXT NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX key_evidence_key ON key_evidence (key_id);
