DROP TABLE clock_checks;
