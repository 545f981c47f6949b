-- The foundation: everything the first release keeps. Runs unchanged on SQLite and PostgreSQL.
--
-- Instants are BIGINT milliseconds since 1970-01-01T00:00:00Z, identifiers and words are TEXT,
-- digests and serial numbers are hexadecimal TEXT, DER is BYTEA. Foreign keys are checked at the
-- end of the transaction, so one transaction may write its rows in the order of its events.

-- Key-management policies that came into force. Never changed, never deleted: certificates name
-- them by digest. `document` is canonical JSON.
CREATE TABLE policies (
    digest TEXT NOT NULL CONSTRAINT policies_digest PRIMARY KEY,
    id TEXT NOT NULL,
    version TEXT NOT NULL,
    document TEXT NOT NULL,
    effective_from BIGINT NOT NULL
);
CREATE INDEX policies_effective ON policies (effective_from);

-- Every key the platform ever knew. The fingerprint is claimed for ever, over all roles, holders
-- and states (DOMAIN I-2, 8.4). `holder_kind` says what `holder` names: an instance, an authority
-- or a scheme.
CREATE TABLE keys (
    id TEXT NOT NULL CONSTRAINT keys_id PRIMARY KEY,
    role TEXT NOT NULL,
    holder_kind TEXT NOT NULL,
    holder TEXT NOT NULL,
    algorithm TEXT NOT NULL,
    fingerprint TEXT NOT NULL CONSTRAINT keys_fingerprint UNIQUE,
    public_key BYTEA NOT NULL,
    origin TEXT NOT NULL,
    state TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

-- The authorities operated here. `level` is empty for a root; `certificate` until certified.
CREATE TABLE authorities (
    id TEXT NOT NULL CONSTRAINT authorities_id PRIMARY KEY,
    code TEXT NOT NULL CONSTRAINT authorities_code UNIQUE,
    kind TEXT NOT NULL,
    level SMALLINT,
    generation INTEGER NOT NULL,
    country TEXT NOT NULL,
    organisation TEXT NOT NULL,
    identifier TEXT NOT NULL,
    common_name TEXT NOT NULL,
    issuer TEXT REFERENCES authorities (id) DEFERRABLE INITIALLY DEFERRED,
    key_id TEXT NOT NULL REFERENCES keys (id) DEFERRABLE INITIALLY DEFERRED,
    algorithm TEXT NOT NULL,
    serial TEXT NOT NULL,
    not_before BIGINT NOT NULL,
    not_after BIGINT NOT NULL,
    certificate BYTEA,
    state TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX authorities_key ON authorities (key_id);

-- The subjects of seals. `searchable` is what names and identifier compare by (DOMAIN 4.4).
CREATE TABLE organisations (
    id TEXT NOT NULL CONSTRAINT organisations_id PRIMARY KEY,
    identifier TEXT NOT NULL CONSTRAINT organisations_identifier UNIQUE,
    legal_name TEXT NOT NULL,
    kana TEXT,
    latin_name TEXT,
    country TEXT NOT NULL,
    postal_code TEXT,
    region TEXT,
    locality TEXT,
    street TEXT,
    language TEXT NOT NULL,
    state TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    searchable TEXT NOT NULL
);

-- How an organisation's identity was checked, by whom, on what evidence (DOMAIN 16).
CREATE TABLE proofings (
    organisation_id TEXT NOT NULL REFERENCES organisations (id) DEFERRABLE INITIALLY DEFERRED,
    performed_at BIGINT NOT NULL,
    method TEXT NOT NULL,
    evidence TEXT NOT NULL,
    performed_by TEXT NOT NULL,
    CONSTRAINT proofings_id PRIMARY KEY (organisation_id, performed_at, method)
);

-- Branch offices. A code is unique in its organisation for ever, closed branches included.
CREATE TABLE branches (
    id TEXT NOT NULL CONSTRAINT branches_id PRIMARY KEY,
    organisation_id TEXT NOT NULL REFERENCES organisations (id) DEFERRABLE INITIALLY DEFERRED,
    code TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    latin_name TEXT,
    custodian_name TEXT,
    custodian_email TEXT,
    country TEXT NOT NULL,
    postal_code TEXT,
    region TEXT,
    locality TEXT,
    street TEXT,
    state TEXT NOT NULL,
    opened_at BIGINT NOT NULL,
    searchable TEXT NOT NULL,
    CONSTRAINT branches_code UNIQUE (organisation_id, code)
);
CREATE INDEX branches_by_code ON branches (code);

-- Instances of a branch's seal at one level: one key and its certificates for one place of use.
CREATE TABLE instances (
    id TEXT NOT NULL CONSTRAINT instances_id PRIMARY KEY,
    organisation_id TEXT NOT NULL REFERENCES organisations (id) DEFERRABLE INITIALLY DEFERRED,
    branch_id TEXT NOT NULL REFERENCES branches (id) DEFERRABLE INITIALLY DEFERRED,
    level SMALLINT NOT NULL,
    number INTEGER NOT NULL,
    CONSTRAINT instances_number UNIQUE (branch_id, level, number)
);

-- Requests for credentials, with the digest of what was decided on (DOMAIN I-9). The instance's
-- number and the key's fingerprint are repeated here because neither ever changes.
-- `certificate_id` has no foreign key: certificates point back here, and SQL wants one of two first.
CREATE TABLE applications (
    id TEXT NOT NULL CONSTRAINT applications_id PRIMARY KEY,
    organisation_id TEXT NOT NULL REFERENCES organisations (id) DEFERRABLE INITIALLY DEFERRED,
    branch_id TEXT NOT NULL REFERENCES branches (id) DEFERRABLE INITIALLY DEFERRED,
    level SMALLINT NOT NULL,
    instance_id TEXT NOT NULL REFERENCES instances (id) DEFERRABLE INITIALLY DEFERRED,
    instance_number INTEGER NOT NULL,
    validity_days BIGINT NOT NULL,
    key_id TEXT NOT NULL REFERENCES keys (id) DEFERRABLE INITIALLY DEFERRED,
    fingerprint TEXT NOT NULL,
    request BYTEA NOT NULL,
    policy TEXT NOT NULL REFERENCES policies (digest) DEFERRABLE INITIALLY DEFERRED,
    digest TEXT NOT NULL,
    applicant_kind TEXT NOT NULL,
    applicant TEXT NOT NULL,
    applicant_authenticator TEXT,
    state TEXT NOT NULL,
    certificate_id TEXT,
    created_at BIGINT NOT NULL
);
CREATE INDEX applications_organisation ON applications (organisation_id, id);
CREATE INDEX applications_branch ON applications (branch_id, id);
CREATE INDEX applications_state ON applications (state, id);
CREATE INDEX applications_key ON applications (key_id);
CREATE INDEX applications_instance ON applications (instance_id);

-- Certificates issued, or about to be: a row is `pending` from before the key moves until the
-- signature is stored. Identity towards the world is (authority, serial). The four columns from
-- `organisation_id` on are empty together: certificates of authorities and services.
CREATE TABLE certificates (
    id TEXT NOT NULL CONSTRAINT certificates_id PRIMARY KEY,
    authority_id TEXT NOT NULL REFERENCES authorities (id) DEFERRABLE INITIALLY DEFERRED,
    serial TEXT NOT NULL,
    profile TEXT NOT NULL,
    profile_version INTEGER NOT NULL,
    key_id TEXT NOT NULL REFERENCES keys (id) DEFERRABLE INITIALLY DEFERRED,
    organisation_id TEXT REFERENCES organisations (id) DEFERRABLE INITIALLY DEFERRED,
    branch_id TEXT REFERENCES branches (id) DEFERRABLE INITIALLY DEFERRED,
    instance_id TEXT REFERENCES instances (id) DEFERRABLE INITIALLY DEFERRED,
    application_id TEXT REFERENCES applications (id) DEFERRABLE INITIALLY DEFERRED,
    common_name TEXT NOT NULL,
    not_before BIGINT NOT NULL,
    not_after BIGINT NOT NULL,
    sealing_not_after BIGINT,
    policy TEXT NOT NULL REFERENCES policies (digest) DEFERRABLE INITIALLY DEFERRED,
    tbs BYTEA NOT NULL,
    der BYTEA,
    state TEXT NOT NULL,
    cause TEXT,
    revoked_at BIGINT,
    invalid_since BIGINT,
    created_at BIGINT NOT NULL,
    searchable TEXT NOT NULL,
    CONSTRAINT certificates_serial UNIQUE (authority_id, serial)
);
-- An application is answered with one certificate; only a revoked one makes room for another.
CREATE UNIQUE INDEX certificates_application ON certificates (application_id)
    WHERE state <> 'revoked';
CREATE INDEX certificates_by_serial ON certificates (serial);
CREATE INDEX certificates_key ON certificates (key_id);
CREATE INDEX certificates_organisation ON certificates (organisation_id, id);
CREATE INDEX certificates_branch ON certificates (branch_id, id);
CREATE INDEX certificates_instance ON certificates (instance_id);
CREATE INDEX certificates_state ON certificates (state, not_after);
CREATE INDEX certificates_status ON certificates (authority_id, state);
CREATE INDEX certificates_signer ON certificates (authority_id, profile, id);

-- Changes of status, append-only. `rev` rises in commit order per authority; a CRL says up to
-- which revision it tells.
CREATE TABLE status_log (
    authority_id TEXT NOT NULL REFERENCES authorities (id) DEFERRABLE INITIALLY DEFERRED,
    rev BIGINT NOT NULL,
    serial TEXT NOT NULL,
    status TEXT NOT NULL,
    reason TEXT,
    revoked_at BIGINT,
    at BIGINT NOT NULL,
    CONSTRAINT status_log_rev PRIMARY KEY (authority_id, rev)
);
CREATE INDEX status_log_revoked ON status_log (authority_id, rev) WHERE status <> 'good';
CREATE INDEX status_log_serial ON status_log (authority_id, serial, rev);

-- Rising numbers, each handed out under the lock of its row: `jobs`, and `status/` with the
-- identifier of an authority for its revisions.
CREATE TABLE counters (
    name TEXT NOT NULL CONSTRAINT counters_name PRIMARY KEY,
    value BIGINT NOT NULL
);
INSERT INTO counters (name, value) VALUES ('jobs', 0);

-- CRLs as issued.
CREATE TABLE crls (
    authority_id TEXT NOT NULL REFERENCES authorities (id) DEFERRABLE INITIALLY DEFERRED,
    number BIGINT NOT NULL,
    this_update BIGINT NOT NULL,
    next_update BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    entries BIGINT NOT NULL,
    der BYTEA NOT NULL,
    CONSTRAINT crls_number PRIMARY KEY (authority_id, number)
);

-- Trusted lists as published.
CREATE TABLE lists (
    scheme TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    issued_at BIGINT NOT NULL,
    next_update BIGINT NOT NULL,
    signer TEXT NOT NULL REFERENCES keys (id) DEFERRABLE INITIALLY DEFERRED,
    digest TEXT NOT NULL,
    content TEXT NOT NULL,
    xml BYTEA NOT NULL,
    CONSTRAINT lists_sequence PRIMARY KEY (scheme, sequence)
);

-- People's accounts with what they sign in with: `password` is an argon2id hash (PHC string),
-- `totp` a wrapped secret.
CREATE TABLE accounts (
    id TEXT NOT NULL CONSTRAINT accounts_id PRIMARY KEY,
    login TEXT NOT NULL CONSTRAINT accounts_login UNIQUE,
    display_name TEXT NOT NULL,
    language TEXT NOT NULL,
    registered_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    disabled_at BIGINT,
    password TEXT,
    totp BYTEA,
    totp_step BIGINT NOT NULL,
    failures INTEGER NOT NULL,
    locked_until BIGINT
);

-- Roles granted, in the order of granting. `scope` is the JSON of where it holds.
CREATE TABLE roles (
    account_id TEXT NOT NULL REFERENCES accounts (id) DEFERRABLE INITIALLY DEFERRED,
    number INTEGER NOT NULL,
    role TEXT NOT NULL,
    scope TEXT NOT NULL,
    until BIGINT NOT NULL,
    CONSTRAINT roles_number PRIMARY KEY (account_id, number)
);

-- Passkeys; `record` is the WebAuthn library's own JSON.
CREATE TABLE passkeys (
    credential TEXT NOT NULL CONSTRAINT passkeys_credential PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id) DEFERRABLE INITIALLY DEFERRED,
    label TEXT NOT NULL,
    record TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX passkeys_account ON passkeys (account_id);

-- One-time links, by the digest of their secret.
CREATE TABLE enrolment_codes (
    digest TEXT NOT NULL CONSTRAINT enrolment_codes_digest PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id) DEFERRABLE INITIALLY DEFERRED,
    expires_at BIGINT NOT NULL,
    used_at BIGINT,
    attempts INTEGER NOT NULL
);

-- Sessions of signed-in people, by the digest of the cookie's secret.
CREATE TABLE sessions (
    id TEXT NOT NULL CONSTRAINT sessions_id PRIMARY KEY,
    digest TEXT NOT NULL CONSTRAINT sessions_digest UNIQUE,
    account_id TEXT NOT NULL REFERENCES accounts (id) DEFERRABLE INITIALLY DEFERRED,
    authenticator TEXT NOT NULL,
    csrf TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    factor_at BIGINT NOT NULL,
    ended_at BIGINT
);
CREATE INDEX sessions_account ON sessions (account_id);

-- Work to do, one row per kind and object. A claimed row may be claimed again from
-- `claimable_at` on; every order gives the row a new `id`, so that whoever finishes an earlier
-- claim does not finish the new order.
CREATE TABLE jobs (
    id BIGINT NOT NULL CONSTRAINT jobs_id PRIMARY KEY,
    kind TEXT NOT NULL,
    object TEXT NOT NULL,
    due_at BIGINT NOT NULL,
    claimable_at BIGINT NOT NULL,
    attempts INTEGER NOT NULL,
    CONSTRAINT jobs_object UNIQUE (kind, object)
);
CREATE INDEX jobs_due ON jobs (due_at);

-- The audit trail, one chain per node (DOMAIN 18). `record` is canonical JSON; the columns before
-- it repeat what pages filter by.
CREATE TABLE audit_events (
    chain TEXT NOT NULL,
    seq BIGINT NOT NULL,
    code TEXT NOT NULL,
    object_kind TEXT NOT NULL,
    object_id TEXT NOT NULL,
    organisation_id TEXT,
    record TEXT NOT NULL,
    prev TEXT NOT NULL,
    hash TEXT NOT NULL,
    CONSTRAINT audit_events_seq PRIMARY KEY (chain, seq)
);
CREATE INDEX audit_events_object ON audit_events (object_kind, object_id, seq);
CREATE INDEX audit_events_organisation ON audit_events (organisation_id, seq);

-- The end of every chain; its row is locked while a record is appended, and tells when the last
-- records are gone.
CREATE TABLE audit_heads (
    chain TEXT NOT NULL CONSTRAINT audit_heads_chain PRIMARY KEY,
    seq BIGINT NOT NULL,
    hash TEXT NOT NULL
);
