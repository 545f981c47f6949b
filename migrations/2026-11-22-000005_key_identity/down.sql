DROP TABLE key_evidence;
DROP TABLE vendor_roots;
DROP TABLE feed_keys;
DROP TABLE feed_issuers;
DROP TABLE incidents;
DROP TABLE challenges;
DROP INDEX applications_progress;
ALTER TABLE applications DROP COLUMN changed_at;
