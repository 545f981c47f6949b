-- Grants. `record` is the whole grant as canonical JSON; the other columns are what is asked for.
-- Runs unchanged on SQLite and PostgreSQL.

CREATE TABLE grants (
    id TEXT NOT NULL CONSTRAINT grants_id PRIMARY KEY,
    organisation_id TEXT NOT NULL REFERENCES organisations (id) DEFERRABLE INITIALLY DEFERRED,
    representative_id TEXT NOT NULL REFERENCES representatives (id) DEFERRABLE INITIALLY DEFERRED,
    grantee_id TEXT NOT NULL REFERENCES accounts (id) DEFERRABLE INITIALLY DEFERRED,
    parent_id TEXT REFERENCES grants (id) DEFERRABLE INITIALLY DEFERRED,
    state TEXT NOT NULL,
    not_after BIGINT NOT NULL,
    review_until BIGINT,
    record TEXT NOT NULL
);
CREATE INDEX grants_organisation ON grants (organisation_id, id);
CREATE INDEX grants_grantee ON grants (grantee_id, id);
CREATE INDEX grants_parent ON grants (parent_id);
CREATE INDEX grants_state ON grants (state, not_after);

-- The grant of an application, with the digest of its terms (DG-3).
ALTER TABLE applications ADD COLUMN grant_id TEXT;
ALTER TABLE applications ADD COLUMN grant_digest TEXT;
CREATE INDEX applications_grant ON applications (grant_id, created_at);

-- Containers that need a new custodian by a day, because the custodian's only grant ended.
CREATE TABLE custodian_tasks (
    container_id TEXT NOT NULL REFERENCES containers (id) DEFERRABLE INITIALLY DEFERRED,
    opened_at BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    grant_id TEXT NOT NULL,
    closed_at BIGINT,
    CONSTRAINT custodian_tasks_id PRIMARY KEY (container_id, opened_at)
);
CREATE INDEX custodian_tasks_due ON custodian_tasks (closed_at, due_at);
