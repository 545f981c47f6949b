DROP TABLE api_answers;
DROP TABLE service_tokens;
