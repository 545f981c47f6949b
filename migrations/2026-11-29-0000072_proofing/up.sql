-- Records of proofing with their subject and validity, and issuers whose statements are believed.
-- Runs unchanged on SQLite and PostgreSQL.

-- `subject_id` is empty for the organisation itself; `evidence` is a JSON list of digests, `source`
-- the certificate that a record is derived from, as JSON.
CREATE TABLE proofing_records (
    id TEXT NOT NULL CONSTRAINT proofing_records_id PRIMARY KEY,
    organisation_id TEXT NOT NULL REFERENCES organisations (id) DEFERRABLE INITIALLY DEFERRED,
    subject_kind TEXT NOT NULL,
    subject_id TEXT NOT NULL,
    method TEXT NOT NULL,
    level SMALLINT NOT NULL,
    performed_by TEXT NOT NULL,
    performed_at BIGINT NOT NULL,
    valid_until BIGINT NOT NULL,
    evidence TEXT NOT NULL,
    source TEXT
);
CREATE INDEX proofing_records_organisation ON proofing_records (organisation_id, performed_at);

-- The look-ups that were made when organisations were recorded hold 398 days. Whoever made them was
-- at the shell or had an account, whose person counts.
INSERT INTO proofing_records (id, organisation_id, subject_kind, subject_id, method, level,
    performed_by, performed_at, valid_until, evidence, source)
SELECT 'prf_' || substr(proofings.organisation_id, 5), proofings.organisation_id, 'organisation', '',
    proofings.method, 3,
    coalesce((SELECT accounts.person_id FROM accounts WHERE accounts.id = proofings.performed_by),
        'shell'),
    proofings.performed_at, proofings.performed_at + 34387200000,
    '["' || proofings.evidence || '"]', NULL
FROM proofings
WHERE NOT EXISTS (
    SELECT 1 FROM proofings AS later
    WHERE later.organisation_id = proofings.organisation_id
        AND (later.performed_at > proofings.performed_at
            OR (later.performed_at = proofings.performed_at AND later.method > proofings.method))
);
DROP TABLE proofings;

-- `uses` are words with commas: representative, statement. `organisation_id` narrows one to an
-- organisation.
CREATE TABLE trusted_issuers (
    id TEXT NOT NULL CONSTRAINT trusted_issuers_id PRIMARY KEY,
    name TEXT NOT NULL,
    certificate BYTEA NOT NULL,
    uses TEXT NOT NULL,
    organisation_id TEXT REFERENCES organisations (id) DEFERRABLE INITIALLY DEFERRED,
    from_at BIGINT NOT NULL,
    until_at BIGINT NOT NULL,
    state TEXT NOT NULL
);
