-- Persons, and the offices they hold in organisations. Runs unchanged on SQLite and PostgreSQL.

CREATE TABLE persons (
    id TEXT NOT NULL CONSTRAINT persons_id PRIMARY KEY,
    name TEXT NOT NULL,
    contact TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

-- The person behind an account. Accounts of one name were one person so far; they stay one.
ALTER TABLE accounts ADD COLUMN person_id TEXT NOT NULL DEFAULT '';
UPDATE accounts SET person_id = (
    SELECT 'per_' || substr(min(other.id), 5) FROM accounts AS other
    WHERE lower(replace(replace(other.display_name, ' ', ''), '　', ''))
        = lower(replace(replace(accounts.display_name, ' ', ''), '　', ''))
);
INSERT INTO persons (id, name, contact, created_at)
SELECT person_id, min(display_name), '', min(created_at) FROM accounts GROUP BY person_id;
CREATE INDEX accounts_person ON accounts (person_id);

CREATE TABLE representatives (
    id TEXT NOT NULL CONSTRAINT representatives_id PRIMARY KEY,
    organisation_id TEXT NOT NULL REFERENCES organisations (id) DEFERRABLE INITIALLY DEFERRED,
    person_id TEXT NOT NULL REFERENCES persons (id) DEFERRABLE INITIALLY DEFERRED,
    capacity TEXT NOT NULL,
    evidence TEXT NOT NULL,
    from_at BIGINT NOT NULL,
    until_at BIGINT
);
CREATE INDEX representatives_organisation ON representatives (organisation_id, id);
CREATE INDEX representatives_person ON representatives (person_id);

CREATE TABLE delegates (
    id TEXT NOT NULL CONSTRAINT delegates_id PRIMARY KEY,
    organisation_id TEXT NOT NULL REFERENCES organisations (id) DEFERRABLE INITIALLY DEFERRED,
    person_id TEXT NOT NULL REFERENCES persons (id) DEFERRABLE INITIALLY DEFERRED,
    branch_id TEXT REFERENCES branches (id) DEFERRABLE INITIALLY DEFERRED,
    from_at BIGINT NOT NULL,
    until_at BIGINT NOT NULL
);
CREATE INDEX delegates_organisation ON delegates (organisation_id, id);
CREATE INDEX delegates_person ON delegates (person_id);
