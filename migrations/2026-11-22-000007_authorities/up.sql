-- Authorities: generations, dedicated ones, keys in offline installations; ceremonies and the
-- bundles that go between installations. Runs unchanged on SQLite and PostgreSQL.

-- `custody` says whether the key is in this installation's key store. `dedicated` names the one
-- organisation that an authority serves, `predecessor` the generation before it; they are checked
-- when they are written, because SQLite cannot take back a column with a foreign key.
ALTER TABLE authorities ADD COLUMN custody TEXT NOT NULL DEFAULT 'online';
ALTER TABLE authorities ADD COLUMN dedicated TEXT;
ALTER TABLE authorities ADD COLUMN predecessor TEXT;

-- Authorities that were decided on and have no key yet (`planned` of DOMAIN 6.7). The row goes
-- when the ceremony made the key.
CREATE TABLE authority_plans (
    code TEXT NOT NULL CONSTRAINT authority_plans_code PRIMARY KEY,
    ceremony_id TEXT NOT NULL,
    at BIGINT NOT NULL
);

-- Ceremonies with their record so far, canonical JSON; `record_digest` when it was closed.
CREATE TABLE ceremonies (
    id TEXT NOT NULL CONSTRAINT ceremonies_id PRIMARY KEY,
    kind TEXT NOT NULL,
    script TEXT NOT NULL,
    record TEXT NOT NULL,
    record_digest TEXT,
    opened_at BIGINT NOT NULL,
    closed_at BIGINT
);

-- Bundles that were sealed here or came in and were believed. One request, one answer.
CREATE TABLE exchanges (
    id TEXT NOT NULL,
    kind TEXT NOT NULL,
    root TEXT NOT NULL,
    digest TEXT NOT NULL,
    compare_code TEXT NOT NULL,
    signer TEXT NOT NULL,
    document TEXT NOT NULL,
    at BIGINT NOT NULL,
    CONSTRAINT exchanges_id PRIMARY KEY (id, kind)
);

-- Rehearsals of an emergency: the plan as it was shown. Nothing else was changed.
CREATE TABLE rehearsals (
    authority_id TEXT NOT NULL REFERENCES authorities (id) DEFERRABLE INITIALLY DEFERRED,
    at BIGINT NOT NULL,
    document TEXT NOT NULL,
    CONSTRAINT rehearsals_id PRIMARY KEY (authority_id, at)
);

-- The certificates of one key: an authority's own and its cross-certificates.
CREATE INDEX certificates_key_profile ON certificates (key_id, profile);
