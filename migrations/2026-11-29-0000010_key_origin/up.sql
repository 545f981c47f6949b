-- Vendor roots are proposed by one officer and approved by two others (DOMAIN 17); evidence of a key's
-- origin names the vendor, the object and the container. Both tables were empty until now: nothing
-- wrote them. Runs unchanged on SQLite and PostgreSQL.

DROP TABLE vendor_roots;
-- `author` and `asked_at` are those of the change that waits, or waited last.
CREATE TABLE vendor_roots (
    code TEXT NOT NULL CONSTRAINT vendor_roots_code PRIMARY KEY,
    certificate BYTEA NOT NULL,
    digest TEXT NOT NULL,
    state TEXT NOT NULL,
    author TEXT NOT NULL,
    asked_at BIGINT NOT NULL
);

-- Decisions, one per person and change.
CREATE TABLE vendor_root_decisions (
    code TEXT NOT NULL REFERENCES vendor_roots (code) DEFERRABLE INITIALLY DEFERRED,
    asked_at BIGINT NOT NULL,
    person TEXT NOT NULL,
    verdict TEXT NOT NULL,
    decided_at BIGINT NOT NULL,
    reason TEXT NOT NULL,
    actor TEXT NOT NULL,
    CONSTRAINT vendor_root_decisions_person PRIMARY KEY (code, asked_at, person)
);

ALTER TABLE key_evidence ADD COLUMN vendor TEXT;
ALTER TABLE key_evidence ADD COLUMN object_id TEXT;
ALTER TABLE key_evidence ADD COLUMN container_id TEXT;
