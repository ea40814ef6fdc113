-- Who may speak for a patient.

CREATE TABLE related_person (
    id         TEXT PRIMARY KEY,
    patient_id TEXT NOT NULL REFERENCES patient (id),
    -- As it is said, for the recogniser.
    name       TEXT NOT NULL,
    -- The whole record as imported.
    body       TEXT NOT NULL
) STRICT;
CREATE INDEX related_person_patient ON related_person (patient_id);
