-- CRLs in shards and deltas, numbered before they are signed. Runs unchanged on SQLite and
-- PostgreSQL.

-- Into how many lists the CRL of an authority is cut. Certificates name the list that they are
-- looked up in, so it is never changed.
ALTER TABLE authorities ADD COLUMN crl_shards INTEGER NOT NULL DEFAULT 1;

-- CRLs as issued: `list` is `full`, `delta` or `shard-N`. Numbers rise over all lists of an
-- authority; a delta has the number of the list that was issued with it. `digest` is that of the
-- octets, empty for lists of earlier versions.
CREATE TABLE crl_lists (
    authority_id TEXT NOT NULL REFERENCES authorities (id),
    list TEXT NOT NULL,
    number BIGINT NOT NULL,
    base BIGINT,
    this_update BIGINT NOT NULL,
    next_update BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    entries BIGINT NOT NULL,
    octets BIGINT NOT NULL,
    digest TEXT NOT NULL,
    CONSTRAINT crl_lists_number PRIMARY KEY (authority_id, list, number)
);
CREATE INDEX crl_lists_newest ON crl_lists (authority_id, number);

-- The octets of the present list of each kind, cut into parts of a mebibyte. They go when the next
-- list is there.
CREATE TABLE crl_parts (
    authority_id TEXT NOT NULL,
    list TEXT NOT NULL,
    number BIGINT NOT NULL,
    part INTEGER NOT NULL,
    der BYTEA NOT NULL,
    CONSTRAINT crl_parts_part PRIMARY KEY (authority_id, list, number, part)
);

INSERT INTO crl_lists
    (authority_id, list, number, this_update, next_update, revision, entries, octets, digest)
SELECT authority_id, 'full', number, this_update, next_update, revision, entries, length(der), ''
FROM crls;
INSERT INTO crl_parts (authority_id, list, number, part, der)
SELECT authority_id, 'full', number, 0, der FROM crls;
INSERT INTO counters (name, value)
SELECT 'crl/' || a.id, (SELECT coalesce(max(c.number), 0) FROM crls c WHERE c.authority_id = a.id)
FROM authorities a;
DROP TABLE crls;
