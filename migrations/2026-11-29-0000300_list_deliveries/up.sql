-- What each public address of the installation's own lists was found to serve when it was last
-- fetched, as anybody would. `served_at` is the last time that it served the list in force. Runs
-- unchanged on SQLite and PostgreSQL.
CREATE TABLE list_deliveries (
    address TEXT NOT NULL CONSTRAINT list_deliveries_address PRIMARY KEY,
    scheme TEXT NOT NULL,
    live BIGINT NOT NULL,
    sequence BIGINT,
    etag TEXT,
    checked_at BIGINT NOT NULL,
    served_at BIGINT,
    problem TEXT,
    detail TEXT NOT NULL
);
