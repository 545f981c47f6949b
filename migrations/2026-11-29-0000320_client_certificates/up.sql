-- Certificates that accounts sign in with, beside a password. Runs unchanged on SQLite and PostgreSQL.

-- `fingerprint` is the SHA-256 of the certificate (DER): a certificate is of one account, for ever.
CREATE TABLE client_certificates (
    fingerprint TEXT NOT NULL CONSTRAINT client_certificates_fingerprint PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id) DEFERRABLE INITIALLY DEFERRED,
    subject TEXT NOT NULL,
    not_after BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    ended_at BIGINT
);
CREATE INDEX client_certificates_account ON client_certificates (account_id);
