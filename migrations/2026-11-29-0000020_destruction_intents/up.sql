-- Destructions in the platform's own key store that were begun: written before the key is deleted,
-- ended with the evidence or when the key was found to be still there. `record` is canonical JSON of
-- the planned evidence, whose report is the search before. Runs unchanged on SQLite and PostgreSQL.
CREATE TABLE destruction_intents (
    evidence_id TEXT NOT NULL CONSTRAINT destruction_intents_id PRIMARY KEY,
    key_id TEXT NOT NULL REFERENCES keys (id) DEFERRABLE INITIALLY DEFERRED,
    record TEXT NOT NULL,
    begun_at BIGINT NOT NULL,
    ended_at BIGINT
);
CREATE INDEX destruction_intents_open ON destruction_intents (ended_at, begun_at);
