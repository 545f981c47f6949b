DROP INDEX certificates_seals;
