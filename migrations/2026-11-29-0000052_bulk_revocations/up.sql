-- Revocations of many certificates at once, now or at a time. `selection` and `approvals` are JSON.
-- `cursor_id` is the last certificate that was dealt with: after a crash it goes on from there. Runs
-- unchanged on SQLite and PostgreSQL.
CREATE TABLE bulk_revocations (
    id TEXT NOT NULL CONSTRAINT bulk_revocations_id PRIMARY KEY,
    selection TEXT NOT NULL,
    cause TEXT NOT NULL,
    words TEXT NOT NULL,
    due_at BIGINT,
    matched BIGINT NOT NULL,
    asked_by TEXT NOT NULL,
    asked_at BIGINT NOT NULL,
    approvals TEXT NOT NULL,
    state TEXT NOT NULL,
    cursor_id TEXT,
    revoked BIGINT NOT NULL,
    skipped BIGINT NOT NULL
);
CREATE INDEX bulk_revocations_state ON bulk_revocations (state, id);
