DROP TABLE feed_exports;
DROP TABLE accreditations;
DROP TABLE proposal_decisions;
DROP TABLE proposals;
