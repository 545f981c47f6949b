-- Drafts of trusted lists, what others decided about them, and lists that are closed or in JSON.

-- A list as it would be, unsigned. `base` is the digest of what the live list said when the draft was
-- opened. A scheme has one open draft at most: `open` is 1 for it and NULL for all others.
CREATE TABLE list_drafts (
    id TEXT NOT NULL CONSTRAINT list_drafts_id PRIMARY KEY,
    scheme TEXT NOT NULL,
    base TEXT,
    author TEXT NOT NULL,
    opened_at BIGINT NOT NULL,
    document TEXT NOT NULL,
    content TEXT NOT NULL,
    state TEXT NOT NULL,
    submitted_at BIGINT,
    open BIGINT,
    CONSTRAINT list_drafts_open UNIQUE (scheme, open)
);

-- What was changed, numbered from 1. `edit` is JSON.
CREATE TABLE list_draft_edits (
    draft_id TEXT NOT NULL REFERENCES list_drafts (id) DEFERRABLE INITIALLY DEFERRED,
    number BIGINT NOT NULL,
    edit TEXT NOT NULL,
    person TEXT NOT NULL,
    edited_at BIGINT NOT NULL,
    content TEXT NOT NULL,
    CONSTRAINT list_draft_edits_number PRIMARY KEY (draft_id, number)
);

-- Who decided what about the draft after so many changes. One person decides once about each
-- revision (I-6); what was decided about a former revision is void. `actor` is JSON.
CREATE TABLE list_draft_decisions (
    draft_id TEXT NOT NULL REFERENCES list_drafts (id) DEFERRABLE INITIALLY DEFERRED,
    revision BIGINT NOT NULL,
    person TEXT NOT NULL,
    verdict TEXT NOT NULL,
    decided_at BIGINT NOT NULL,
    reason TEXT NOT NULL,
    actor TEXT NOT NULL,
    CONSTRAINT list_draft_decisions_person PRIMARY KEY (draft_id, revision, person)
);

-- The services of the live lists by their keys, so that nobody ends a key that a list vouches for
-- without noticing.
CREATE TABLE listed_services (
    scheme TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    name TEXT NOT NULL,
    status TEXT NOT NULL,
    since BIGINT NOT NULL,
    standing TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    CONSTRAINT listed_services_key PRIMARY KEY (scheme, fingerprint)
);
CREATE INDEX listed_services_fingerprint ON listed_services (fingerprint);

-- Lists anew: a closed one has no next update; each may come in JSON too, and out of a draft.
CREATE TABLE published_lists (
    scheme TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    issued_at BIGINT NOT NULL,
    next_update BIGINT,
    signer TEXT NOT NULL REFERENCES keys (id) DEFERRABLE INITIALLY DEFERRED,
    digest TEXT NOT NULL,
    content TEXT NOT NULL,
    xml BYTEA NOT NULL,
    json TEXT,
    draft_id TEXT REFERENCES list_drafts (id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT published_lists_sequence PRIMARY KEY (scheme, sequence)
);
INSERT INTO published_lists (scheme, sequence, issued_at, next_update, signer, digest, content, xml)
SELECT scheme, sequence, issued_at, next_update, signer, digest, content, xml FROM lists;
DROP TABLE lists;
