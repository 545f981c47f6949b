-- What an application asks for beyond the ordinary seal of its branch (JSON; empty for nothing):
-- witness type, a short life, a claim, the LEI, the imprint, the twin.
ALTER TABLE applications ADD COLUMN wishes TEXT NOT NULL DEFAULT '';

-- The LEIs that were looked up for organisations (P6 of DOMAIN 16), with the last look-up.
CREATE TABLE leis (
    lei TEXT NOT NULL CONSTRAINT leis_lei PRIMARY KEY,
    organisation_id TEXT NOT NULL REFERENCES organisations (id) DEFERRABLE INITIALLY DEFERRED,
    proofed_at BIGINT NOT NULL
);

-- The pictures of imprints, by their SHA-256. A certificate names the digest; the picture never
-- changes.
CREATE TABLE imprints (
    digest TEXT NOT NULL CONSTRAINT imprints_digest PRIMARY KEY,
    media_type TEXT NOT NULL,
    picture BYTEA NOT NULL,
    kept_at BIGINT NOT NULL
);
