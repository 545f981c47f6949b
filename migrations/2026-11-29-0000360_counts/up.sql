-- Counts of seals' certificates by state and end of validity, from the index alone: the metrics and
-- the first page ask for them again and again, and those of a million others are passed over.
CREATE INDEX certificates_seals ON certificates (state, not_after)
    WHERE application_id IS NOT NULL;
