DROP TABLE custodian_tasks;
DROP INDEX applications_grant;
ALTER TABLE applications DROP COLUMN grant_digest;
ALTER TABLE applications DROP COLUMN grant_id;
DROP TABLE grants;
