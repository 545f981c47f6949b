CREATE TABLE lists (
    scheme TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    issued_at BIGINT NOT NULL,
    next_update BIGINT NOT NULL,
    signer TEXT NOT NULL REFERENCES keys (id) DEFERRABLE INITIALLY DEFERRED,
    digest TEXT NOT NULL,
    content TEXT NOT NULL,
    xml BYTEA NOT NULL,
    CONSTRAINT lists_sequence PRIMARY KEY (scheme, sequence)
);
INSERT INTO lists (scheme, sequence, issued_at, next_update, signer, digest, content, xml)
SELECT scheme, sequence, issued_at, COALESCE(next_update, issued_at), signer, digest, content, xml
FROM published_lists;
DROP TABLE published_lists;
DROP TABLE listed_services;
DROP TABLE list_draft_decisions;
DROP TABLE list_draft_edits;
DROP TABLE list_drafts;
