DROP TABLE delegates;
DROP TABLE representatives;
DROP INDEX accounts_person;
ALTER TABLE accounts DROP COLUMN person_id;
DROP TABLE persons;
