-- Requests for approvals over any object, and the decisions on them. Runs unchanged on SQLite and
-- PostgreSQL.

-- `shown` is the document whose digest is decided on, `askers` a JSON list, `needs` JSON.
CREATE TABLE approval_requests (
    id TEXT NOT NULL CONSTRAINT approval_requests_id PRIMARY KEY,
    object_kind TEXT NOT NULL,
    object_id TEXT NOT NULL,
    organisation_id TEXT REFERENCES organisations (id) DEFERRABLE INITIALLY DEFERRED,
    shown TEXT NOT NULL,
    digest TEXT NOT NULL,
    askers TEXT NOT NULL,
    needs TEXT NOT NULL,
    opened_at BIGINT NOT NULL,
    state TEXT NOT NULL
);
CREATE INDEX approval_requests_object ON approval_requests (object_kind, object_id, opened_at);
CREATE INDEX approval_requests_state ON approval_requests (state, opened_at);

-- One decision per person.
CREATE TABLE approvals (
    request_id TEXT NOT NULL REFERENCES approval_requests (id) DEFERRABLE INITIALLY DEFERRED,
    person TEXT NOT NULL,
    step TEXT NOT NULL,
    verdict TEXT NOT NULL,
    decided_at BIGINT NOT NULL,
    reason TEXT NOT NULL,
    actor TEXT NOT NULL,
    digest TEXT NOT NULL,
    CONSTRAINT approvals_id PRIMARY KEY (request_id, person)
);
