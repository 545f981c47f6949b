-- How many OCSP answers each node gave in an hour, for the picture on the console: added up once a
-- minute, never per request. `hour` is the first millisecond of the hour.
CREATE TABLE status_load (
    node TEXT NOT NULL,
    hour BIGINT NOT NULL,
    answers BIGINT NOT NULL,
    signed BIGINT NOT NULL,
    failed BIGINT NOT NULL,
    CONSTRAINT status_load_hour PRIMARY KEY (node, hour)
);
