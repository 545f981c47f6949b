-- The last comparison of each node's clock with a time server (DOMAIN KM-20). `offset_millis` is
-- the server's time less ours.
CREATE TABLE clock_checks (
    node TEXT NOT NULL CONSTRAINT clock_checks_node PRIMARY KEY,
    source TEXT NOT NULL,
    offset_millis BIGINT NOT NULL,
    at BIGINT NOT NULL
);
