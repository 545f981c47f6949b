-- Signed discovery documents as they were last given out, one for each place: an organisation, or a
-- branch of one. A cache: what is missing is signed anew. Runs unchanged on SQLite and PostgreSQL.
CREATE TABLE discoveries (
    place TEXT NOT NULL CONSTRAINT discoveries_place PRIMARY KEY,
    content TEXT NOT NULL,
    issued_at BIGINT NOT NULL,
    document TEXT NOT NULL
);
