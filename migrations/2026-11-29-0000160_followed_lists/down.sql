DROP TABLE list_pivots;
DROP TABLE followed_lists;
DROP TABLE list_snapshots;
DROP TABLE list_sources;
