-- Tokens of service accounts, and what the API answered to requests that carried an idempotency key.
-- Runs unchanged on SQLite and PostgreSQL.

-- `secret_digest` is the SHA-256 of a secret that was shown once; `public_key` (DER) and
-- `fingerprint` are those of a system that signs its tokens. One of the two is there. A key is known
-- for one token, for ever. `permissions` is JSON.
CREATE TABLE service_tokens (
    id TEXT NOT NULL CONSTRAINT service_tokens_id PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id) DEFERRABLE INITIALLY DEFERRED,
    label TEXT NOT NULL,
    secret_digest TEXT CONSTRAINT service_tokens_secret UNIQUE,
    algorithm TEXT,
    public_key BYTEA,
    fingerprint TEXT CONSTRAINT service_tokens_key UNIQUE,
    permissions TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    until_at BIGINT NOT NULL,
    ended_at BIGINT
);
CREATE INDEX service_tokens_account ON service_tokens (account_id, id);

-- One row for each key that an account used. `request` is the digest of method, path and body; the
-- answer is there once it was given. Nothing that is shown once is kept: then `body` stays empty.
CREATE TABLE api_answers (
    account_id TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    request TEXT NOT NULL,
    begun_at BIGINT NOT NULL,
    status INTEGER,
    digest TEXT,
    media_type TEXT,
    body BYTEA,
    CONSTRAINT api_answers_id PRIMARY KEY (account_id, idempotency_key)
);
CREATE INDEX api_answers_begun ON api_answers (begun_at);
