DROP TABLE destruction_intents;
