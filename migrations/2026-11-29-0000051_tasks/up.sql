-- Work that takes long enough to be watched: a list of a million, a revocation of thousands. Runs
-- unchanged on SQLite and PostgreSQL.
--
-- `done` of `total` objects in the present phase; `state` is `running`, `paused`, `done` or `failed`.
-- `detail` is JSON: what came of it.
CREATE TABLE tasks (
    id TEXT NOT NULL CONSTRAINT tasks_id PRIMARY KEY,
    kind TEXT NOT NULL,
    object TEXT NOT NULL,
    state TEXT NOT NULL,
    phase TEXT NOT NULL,
    done BIGINT NOT NULL,
    total BIGINT NOT NULL,
    started_at BIGINT NOT NULL,
    phase_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    detail TEXT NOT NULL
);
CREATE INDEX tasks_state ON tasks (state, id);
