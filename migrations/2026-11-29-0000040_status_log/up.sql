-- One status log for all authorities, in the order of the commits, so that whoever follows it asks
-- for "everything after" one number. Runs unchanged on SQLite and PostgreSQL.

ALTER TABLE status_log RENAME TO status_log_by_authority;
DROP INDEX status_log_revoked;
DROP INDEX status_log_serial;

-- Changes of status, append-only. `rev` is handed out under the lock of the counter `status`, so it
-- rises in the order of the commits. `status` is `good` when a certificate was issued, `revoked`
-- when it was revoked or put on hold, `released` when a hold was lifted. `reason` is the cause of a
-- revocation, or `ocsp-signer` where a signer of status answers was issued. The foreign key is checked
-- at once: a change of status comes after its authority, and no check is left over for the end of
-- the transaction, where PostgreSQL would let nobody change the table.
CREATE TABLE status_log (
    rev BIGINT NOT NULL CONSTRAINT status_log_order PRIMARY KEY,
    authority_id TEXT NOT NULL REFERENCES authorities (id),
    serial TEXT NOT NULL,
    status TEXT NOT NULL,
    reason TEXT,
    revoked_at BIGINT,
    invalid_since BIGINT,
    at BIGINT NOT NULL
);
CREATE INDEX status_log_revoked ON status_log (authority_id, rev) WHERE status <> 'good';
INSERT INTO status_log
    (rev, authority_id, serial, status, reason, revoked_at, invalid_since, at)
SELECT
    row_number() OVER (ORDER BY l.at, l.authority_id, l.rev),
    l.authority_id, l.serial, l.status, l.reason, l.revoked_at,
    (SELECT c.invalid_since FROM certificates c
        WHERE c.authority_id = l.authority_id AND c.serial = l.serial
        AND c.revoked_at = l.revoked_at),
    l.at
FROM status_log_by_authority l;
DROP TABLE status_log_by_authority;

DELETE FROM counters WHERE name LIKE 'status/%';
INSERT INTO counters (name, value) SELECT 'status', count(*) FROM status_log;

-- The last sign of life of each node that writes. Who reads a copy of the database knows from it
-- up to which instant the copy is complete.
CREATE TABLE status_beats (
    node TEXT NOT NULL CONSTRAINT status_beats_node PRIMARY KEY,
    at BIGINT NOT NULL
);
