DROP TABLE trusted_issuers;
CREATE TABLE proofings (
    organisation_id TEXT NOT NULL REFERENCES organisations (id) DEFERRABLE INITIALLY DEFERRED,
    performed_at BIGINT NOT NULL,
    method TEXT NOT NULL,
    evidence TEXT NOT NULL,
    performed_by TEXT NOT NULL,
    CONSTRAINT proofings_id PRIMARY KEY (organisation_id, performed_at, method)
);
INSERT INTO proofings (organisation_id, performed_at, method, evidence, performed_by)
SELECT organisation_id, performed_at, method, min(substr(evidence, 3, 64)), min(performed_by)
FROM proofing_records WHERE subject_kind = 'organisation'
GROUP BY organisation_id, performed_at, method;
DROP TABLE proofing_records;
