-- Lists of branch offices that are applied for as a whole, and their rows. `asked_by` and `refusal`
-- are JSON. A row's application is made in the transaction that notes it here, so that a row is never
-- applied for twice. Runs unchanged on SQLite and PostgreSQL.
CREATE TABLE batches (
    id TEXT NOT NULL CONSTRAINT batches_id PRIMARY KEY,
    organisation_id TEXT NOT NULL REFERENCES organisations (id) DEFERRABLE INITIALLY DEFERRED,
    level SMALLINT NOT NULL,
    validity_days BIGINT,
    grant_id TEXT,
    digest TEXT NOT NULL,
    row_count BIGINT NOT NULL,
    asked_by TEXT NOT NULL,
    asked_at BIGINT NOT NULL,
    state TEXT NOT NULL
);
CREATE INDEX batches_organisation ON batches (organisation_id, id);
CREATE TABLE batch_rows (
    batch_id TEXT NOT NULL REFERENCES batches (id) DEFERRABLE INITIALLY DEFERRED,
    line BIGINT NOT NULL,
    branch_id TEXT NOT NULL,
    code TEXT NOT NULL,
    state TEXT NOT NULL,
    application_id TEXT,
    proof BYTEA,
    refusal TEXT,
    certificate_id TEXT,
    CONSTRAINT batch_rows_id PRIMARY KEY (batch_id, line)
);
CREATE INDEX batch_rows_state ON batch_rows (batch_id, state, line);
