DROP INDEX certificates_key_profile;
DROP TABLE rehearsals;
DROP TABLE exchanges;
DROP TABLE ceremonies;
DROP TABLE authority_plans;
ALTER TABLE authorities DROP COLUMN predecessor;
ALTER TABLE authorities DROP COLUMN dedicated;
ALTER TABLE authorities DROP COLUMN custody;
