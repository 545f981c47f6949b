-- Keys that are never accepted again (DOMAIN KM-5): exposed ones, and weak ones that were found.
-- `list` is the list that brought a key here, `reason` why.
CREATE TABLE blocked_keys (
    fingerprint TEXT NOT NULL CONSTRAINT blocked_keys_fingerprint PRIMARY KEY,
    list TEXT NOT NULL,
    reason TEXT NOT NULL,
    since_at BIGINT NOT NULL
);
