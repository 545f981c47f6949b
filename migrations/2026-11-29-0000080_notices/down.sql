ALTER TABLE accounts DROP COLUMN email;
DELETE FROM counters WHERE name = 'notices';
DROP TABLE notices;
