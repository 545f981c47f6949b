DROP TABLE status_load;
