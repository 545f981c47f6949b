ALTER TABLE key_evidence DROP COLUMN container_id;
ALTER TABLE key_evidence DROP COLUMN object_id;
ALTER TABLE key_evidence DROP COLUMN vendor;
DROP TABLE vendor_root_decisions;
DROP TABLE vendor_roots;
CREATE TABLE vendor_roots (
    code TEXT NOT NULL CONSTRAINT vendor_roots_code PRIMARY KEY,
    certificate BYTEA NOT NULL,
    digest TEXT NOT NULL,
    added_at BIGINT NOT NULL,
    ended_at BIGINT
);
