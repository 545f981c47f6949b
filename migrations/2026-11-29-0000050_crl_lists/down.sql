ALTER TABLE authorities DROP COLUMN crl_shards;
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
-- An earlier version knows lists of everything in one part only; it issues the others anew.
INSERT INTO crls (authority_id, number, this_update, next_update, revision, entries, der)
SELECT l.authority_id, l.number, l.this_update, l.next_update, l.revision, l.entries, p.der
FROM crl_lists l
JOIN crl_parts p ON p.authority_id = l.authority_id AND p.list = l.list AND p.number = l.number
WHERE l.list = 'full' AND p.part = 0 AND length(p.der) = l.octets;
DELETE FROM counters WHERE name LIKE 'crl/%';
DROP TABLE crl_parts;
DROP TABLE crl_lists;
