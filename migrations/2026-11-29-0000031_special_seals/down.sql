DROP TABLE imprints;
DROP TABLE leis;
ALTER TABLE applications DROP COLUMN wishes;
