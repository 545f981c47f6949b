DROP TABLE bulk_revocations;
