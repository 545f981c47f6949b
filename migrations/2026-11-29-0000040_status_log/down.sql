ALTER TABLE status_log RENAME TO status_log_of_all;
DROP INDEX status_log_revoked;
CREATE TABLE status_log (
    authority_id TEXT NOT NULL REFERENCES authorities (id),
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
INSERT INTO status_log (authority_id, rev, serial, status, reason, revoked_at, at)
SELECT
    authority_id, row_number() OVER (PARTITION BY authority_id ORDER BY rev),
    serial, status, reason, revoked_at, at
FROM status_log_of_all;
DROP TABLE status_log_of_all;
DELETE FROM counters WHERE name = 'status';
INSERT INTO counters (name, value)
SELECT 'status/' || a.id, (SELECT count(*) FROM status_log l WHERE l.authority_id = a.id)
FROM authorities a;
DROP TABLE status_beats;
