DROP TABLE policy_decisions;
DROP TABLE policy_drafts;
