-- The life of a seal key: suspensions, acknowledgements, containers, evidence of destruction,
-- reports of use, and the runs of jobs. Runs unchanged on SQLite and PostgreSQL.

-- Suspensions, one row for each hold. `until_at` is the limit of RV-1; an extension is asked for by
-- one officer and granted by another.
CREATE TABLE suspensions (
    certificate_id TEXT NOT NULL REFERENCES certificates (id) DEFERRABLE INITIALLY DEFERRED,
    from_at BIGINT NOT NULL,
    until_at BIGINT NOT NULL,
    because TEXT NOT NULL,
    by_actor TEXT NOT NULL,
    extension_asked_by TEXT,
    extended_at BIGINT,
    ended_at BIGINT,
    CONSTRAINT suspensions_id PRIMARY KEY (certificate_id, from_at)
);
CREATE INDEX suspensions_until ON suspensions (ended_at, until_at);

-- Certificates that wait until their new key signs a fresh challenge. `challenge` is hexadecimal.
CREATE TABLE acknowledgements (
    certificate_id TEXT NOT NULL CONSTRAINT acknowledgements_id PRIMARY KEY
        REFERENCES certificates (id) DEFERRABLE INITIALLY DEFERRED,
    due_at BIGINT NOT NULL,
    challenge TEXT,
    challenge_until BIGINT,
    acknowledged_at BIGINT
);

-- Where private keys live. A partition is a container of its own; `branch_id` is the one branch that
-- uses it. `inventory` is the JSON list of backups.
CREATE TABLE containers (
    id TEXT NOT NULL CONSTRAINT containers_id PRIMARY KEY,
    organisation_id TEXT NOT NULL REFERENCES organisations (id) DEFERRABLE INITIALLY DEFERRED,
    branch_id TEXT REFERENCES branches (id) DEFERRABLE INITIALLY DEFERRED,
    kind TEXT NOT NULL,
    model TEXT NOT NULL,
    serial TEXT NOT NULL,
    firmware TEXT NOT NULL,
    certification TEXT NOT NULL,
    partition_name TEXT NOT NULL,
    custodian_name TEXT NOT NULL,
    custodian_email TEXT NOT NULL,
    location TEXT NOT NULL,
    inventory TEXT NOT NULL,
    state TEXT NOT NULL,
    evidence TEXT,
    registered_at BIGINT NOT NULL,
    CONSTRAINT containers_serial UNIQUE (serial, partition_name)
);
CREATE INDEX containers_organisation ON containers (organisation_id, id);

-- What happens to a key after it was bound. `class` is that of the accepted evidence.
CREATE TABLE key_lives (
    key_id TEXT NOT NULL CONSTRAINT key_lives_id PRIMARY KEY
        REFERENCES keys (id) DEFERRABLE INITIALLY DEFERRED,
    container_id TEXT REFERENCES containers (id) DEFERRABLE INITIALLY DEFERRED,
    activated_at BIGINT,
    retired_at BIGINT,
    due_at BIGINT,
    destroyed_at BIGINT,
    class TEXT,
    not_evidenced_at BIGINT,
    uses BIGINT,
    reported_at BIGINT
);
CREATE INDEX key_lives_container ON key_lives (container_id);

-- What an instance is for and where it is used.
CREATE TABLE instance_places (
    instance_id TEXT NOT NULL CONSTRAINT instance_places_id PRIMARY KEY
        REFERENCES instances (id) DEFERRABLE INITIALLY DEFERRED,
    purpose TEXT NOT NULL,
    place TEXT NOT NULL
);

-- Orders of several instances at once, each with its own application.
CREATE TABLE instance_orders (
    id TEXT NOT NULL,
    number INTEGER NOT NULL,
    application_id TEXT NOT NULL REFERENCES applications (id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT instance_orders_id PRIMARY KEY (id, number)
);

-- Evidence of destruction as it was handed in; `record` is canonical JSON, `signature` is over it.
CREATE TABLE destruction_evidence (
    id TEXT NOT NULL CONSTRAINT destruction_evidence_id PRIMARY KEY,
    key_id TEXT NOT NULL REFERENCES keys (id) DEFERRABLE INITIALLY DEFERRED,
    class TEXT NOT NULL,
    record TEXT NOT NULL,
    state TEXT NOT NULL,
    handed_at BIGINT NOT NULL
);
CREATE INDEX destruction_evidence_key ON destruction_evidence (key_id, handed_at);

-- Decisions on evidence, one per person.
CREATE TABLE destruction_decisions (
    evidence_id TEXT NOT NULL REFERENCES destruction_evidence (id) DEFERRABLE INITIALLY DEFERRED,
    person TEXT NOT NULL,
    decision TEXT NOT NULL,
    reason TEXT NOT NULL,
    decided_at BIGINT NOT NULL,
    CONSTRAINT destruction_decisions_id PRIMARY KEY (evidence_id, person)
);

-- Attachments by their digest.
CREATE TABLE attachments (
    digest TEXT NOT NULL CONSTRAINT attachments_digest PRIMARY KEY,
    media_type TEXT NOT NULL,
    content BYTEA NOT NULL
);

-- What was told once about an object: that its rotation opened, that it expired.
CREATE TABLE life_marks (
    object TEXT NOT NULL,
    kind TEXT NOT NULL,
    at BIGINT NOT NULL,
    CONSTRAINT life_marks_id PRIMARY KEY (object, kind)
);

-- Runs of jobs. `ended_at` is empty while one runs, and for ever when it broke off.
CREATE TABLE job_runs (
    kind TEXT NOT NULL,
    started_at BIGINT NOT NULL,
    node TEXT NOT NULL,
    ended_at BIGINT,
    outcome TEXT NOT NULL,
    counts TEXT NOT NULL,
    CONSTRAINT job_runs_id PRIMARY KEY (kind, started_at, node)
);
