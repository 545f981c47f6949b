DROP TABLE list_deliveries;
